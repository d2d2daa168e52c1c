"""Work for the server that goes on while the next rows are read: in its order, and only so much of it waiting."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec

from tradelake.store.twin.server import Twin

# Of the log, some 500 MB.
WAITING_ROWS = 400_000
Arguments = ParamSpec("Arguments")


class Sending:
    """A queue of what the server has to do, inside a block; the first that fails is raised and ends it."""

    def __init__(self, twin: Twin) -> None:
        self._twin = twin
        self._executor = ThreadPoolExecutor(1)
        self._jobs: deque[tuple[int, Future[None]]] = deque()
        self._waiting = 0

    def add(
        self, rows: int, action: Callable[Arguments, None], *values: Arguments.args, **named: Arguments.kwargs
    ) -> None:
        """Let the server do something with a number of rows; wait first where too many are waiting."""
        while self._jobs and (self._jobs[0][1].done() or self._waiting + rows > WAITING_ROWS):
            self._first()
        self._jobs.append((rows, self._executor.submit(action, *values, **named)))
        self._waiting += rows

    def rest(self) -> Iterator[tuple[int, int]]:
        """Wait for all that was added; yield after each how many are done, and of how many."""
        count = len(self._jobs)
        while self._jobs:
            yield count - len(self._jobs), count
            self._first()

    def _first(self) -> None:
        rows, job = self._jobs.popleft()
        job.result()
        self._waiting -= rows

    def __enter__(self) -> "Sending":
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what was added, or end it where something has failed."""
        if error is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            if any(not job.done() for _, job in self._jobs):
                self._twin.cancel()
        self._executor.shutdown()
