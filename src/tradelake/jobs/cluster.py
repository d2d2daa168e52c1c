"""Rebuilds on a cluster of Dask distributed: its workers run the buckets, this process commits.

Problem: a worker may be killed at any instant, a task may be stolen and run twice, and a scheduler may be gone.
Decision: a bucket is pure as far as the book is concerned, so the scheduler may run it as often as it likes, and
somewhere else when its worker dies; of all attempts the one that the scheduler gives back is taken. Its result is a
few names and numbers. Buckets are more than threads, so that a slow one does not keep the others waiting.
"""

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

from tradelake.book import Book, Bucket, RebuildReport, Task, Written
from tradelake.errors import InputError, StorageError

BUCKETS_PER_THREAD = 2
CONNECT_SECONDS = 20
RETRIES = 2
MISSING = "A cluster needs Dask, which is not installed here. Install it with: pip install 'tradelake[cluster]'"


def rebuild_on(address: str, book: Book, *, progress: "Callable[[str, int, int], None] | None" = None) -> RebuildReport:
    """Rebuild a book on the workers of the scheduler at an address; the result is that of `Book.rebuild`.

    Raises InputError where Dask is missing or nothing answers there, StorageError where a bucket cannot be derived.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError as error:
        raise InputError(MISSING) from error
    try:
        client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(
            f"No scheduler of Dask answers at {address}: {error}. Start one with `dask scheduler`, and name the "
            "address that it prints, as tcp://HOST:8786."
        ) from error
    with client:
        threads = sum(worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values())
        if not threads:
            raise InputError(f"The scheduler at {address} has no workers. Start some with `dask worker {address}`.")

        def engine(task: Task, buckets: Sequence[Bucket]) -> Iterable[Written]:
            return _run(distributed, client, task, buckets)

        return book.rebuild_in_buckets(engine, buckets=threads * BUCKETS_PER_THREAD, progress=progress)


def _run(distributed: Any, client: Any, task: Task, buckets: Sequence[Bucket]) -> Iterable[Written]:
    futures = [
        client.submit(task, bucket, key=f"tradelake-{bucket.job}-{bucket.number}", pure=False, retries=RETRIES)
        for bucket in buckets
    ]
    try:
        for future in distributed.as_completed(futures, loop=client.loop):
            yield future.result()
    except (distributed.KilledWorker, distributed.CancelledError) as error:
        raise StorageError(
            f"The workers die of this rebuild, which has changed nothing: {error} Look at their logs; the usual cause "
            "is too little memory for a bucket: give each worker more, or fewer threads."
        ) from error
    finally:
        client.cancel(futures)
