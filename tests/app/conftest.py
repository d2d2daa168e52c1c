"""What the tests of the app share: one book with a bit of everything, made once, and an empty one."""

from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.app.books import empty_book, full_book


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> str:
    """The book with a bit of everything; its tests only read, and those of all workers read the same one."""
    return _made_once(tmp_path_factory, worker_id, "app-full", full_book)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A book without anything in it."""
    return empty_book(tmp_path_factory.mktemp("app-empty"))


def _made_once(factory: pytest.TempPathFactory, worker_id: str, name: str, make: Callable[[Path], str]) -> str:
    root = factory.getbasetemp() if worker_id == "master" else factory.getbasetemp().parent
    folder, done = root / name, root / f"{name}.done"
    with FileLock(root / f"{name}.lock"):
        if not done.exists():
            folder.mkdir()
            done.write_text(make(folder))
    return done.read_text()
