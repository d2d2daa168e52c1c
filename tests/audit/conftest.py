"""The fixtures of the audit's tests: a book in which every table has rows, as catalog rows and as files."""

import pytest

from tests.audit.touched import Touched, full_book
from tests.books import Patterns, book, local_book, other_book, patterns, place, ready

__all__ = ["book", "inlined", "local_book", "other_book", "patterns", "place", "ready", "written"]


@pytest.fixture(scope="module")
def full(patterns: Patterns, tmp_path_factory: pytest.TempPathFactory) -> Touched:
    """A book in which every table of what was told has rows, most of them inside the catalog."""
    folder = tmp_path_factory.mktemp("full") / "book"
    with patterns.copy("sqlite", folder).open() as made:
        full_book(made)
    return Touched(folder)


@pytest.fixture(scope="module")
def flushed(full: Touched, tmp_path_factory: pytest.TempPathFactory) -> Touched:
    """The same with all rows in files, and a checkpoint at its head."""
    copied = full.copy(tmp_path_factory.mktemp("flushed") / "book")
    with copied.open() as made:
        made.fold()
        made.maintain()
    return copied


@pytest.fixture
def inlined(full: Touched, tmp_path) -> Touched:
    """A copy of the full book to be touched, its rows inside the catalog."""
    return full.copy(tmp_path / "inlined")


@pytest.fixture
def written(flushed: Touched, tmp_path) -> Touched:
    """A copy of the full book to be touched, its rows in files."""
    return flushed.copy(tmp_path / "written")
