"""What the tests of the app share: one book with a bit of everything, made once, and an empty one."""

from pathlib import Path

import pytest

from tests.app.books import empty_book, full_book


@pytest.fixture(scope="session")
def book_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the books of the app's tests are."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="session")
def full(book_folder: Path) -> str:
    """The book with a bit of everything; its tests only read."""
    return full_book(book_folder)


@pytest.fixture(scope="session")
def empty(book_folder: Path) -> str:
    """A book without anything in it."""
    return empty_book(book_folder)
