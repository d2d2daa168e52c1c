"""The fixtures of the tests that need books, and processes that work on them."""

from collections.abc import Callable, Iterator

import pytest

from tests.books import Place, book, broker_book, local_book, other_book, patterns, place, ready
from tests.store.worker import Worker

__all__ = ["book", "broker_book", "local_book", "other_book", "patterns", "place", "ready", "start"]


@pytest.fixture
def start() -> Iterator[Callable[[Place], Worker]]:
    """Start a worker on a book; those that are still at work after the test are ended."""
    started: list[Worker] = []

    def start_one(where: Place) -> Worker:
        started.append(Worker(where))
        return started[-1]

    yield start_one
    for worker in started:
        if worker.process.poll() is None:
            worker.process.kill()
        worker.end()
