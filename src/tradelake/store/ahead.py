"""Work on pieces by several threads, where what does the work does not hold the interpreter's lock."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")

THREADS = os.cpu_count() or 1


def worked_ahead(work: Callable[[Piece], Result], pieces: Iterable[Piece]) -> Iterator[Result]:
    """Yield what *work* makes of each piece, in their order; so many as there are processors are worked on ahead."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="tradelake-ahead") as beside:
        waiting = deque[Future[Result]]()
        for piece in pieces:
            waiting.append(beside.submit(work, piece))
            if len(waiting) > THREADS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
