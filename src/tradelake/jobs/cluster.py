"""Work of a book on a cluster of Dask distributed: its workers run the jobs, this process commits or reports.

Problem: a worker may be killed at any instant, a task may be stolen and run twice, and a scheduler may be gone.
Decision: a job is pure as far as the book is concerned, so the scheduler may run it as often as it likes, and
somewhere else when its worker dies; of all attempts the one that the scheduler gives back is taken. Its result is a
few names and numbers. Jobs are more than threads, so that a slow one does not keep the others waiting.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from tradelake.book import Answer, Asked, Book, Engine, Progress, RebuildReport, Verified
from tradelake.errors import InputError, StorageError

JOBS_PER_THREAD = 2
CONNECT_SECONDS = 20
RETRIES = 2
MISSING = "A cluster needs Dask, which is not installed here. Install it with: pip install 'tradelake[cluster]'"


def rebuild_on(address: str, book: Book, *, check: bool = False, progress: Progress | None = None) -> RebuildReport:
    """Rebuild a book on the workers of the scheduler at an address; the result is that of `Book.rebuild`.

    Raises InputError where Dask is missing or nothing answers there, StorageError where a bucket cannot be derived.
    """
    with _cluster(address) as (engine, jobs):
        work = book.compare_in_buckets if check else book.rebuild_in_buckets
        return work(engine, buckets=jobs, progress=progress)


def past_on(
    address: str,
    book: Book,
    to: str | Path,
    *,
    as_of: str | None = None,
    as_known: str | None = None,
    progress: Progress | None = None,
) -> RebuildReport:
    """Write the derived tables of a past moment on the workers of a scheduler; result and errors are its book's."""
    with _cluster(address) as (engine, jobs):
        return book.export_past(to, as_of=as_of, as_known=as_known, engine=engine, buckets=jobs, progress=progress)


def verify_on(
    address: str,
    book: Book,
    *,
    deep: bool = False,
    anchor: str | Path | None = None,
    progress: Progress | None = None,
) -> Verified:
    """Verify a book on the workers of a scheduler; the result is that of `Book.verify`."""
    with _cluster(address) as (engine, jobs):
        return book.verify(deep=deep, anchor=anchor, engine=engine, buckets=jobs, progress=progress)


@contextmanager
def _cluster(address: str) -> Iterator[tuple[Engine, int]]:
    """Connect with a scheduler; give an engine and the number of jobs that suits its workers."""
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

        def engine(task: Callable[[Asked], Answer], jobs: Sequence[Asked], /) -> Iterable[Answer]:
            return _run(distributed, client, task, jobs)

        yield engine, threads * JOBS_PER_THREAD


def _run(distributed: Any, client: Any, task: Callable[[Asked], Answer], jobs: Sequence[Asked]) -> Iterable[Answer]:
    futures = [
        client.submit(task, job, key=f"tradelake-{job.job}-{job.number}", pure=False, retries=RETRIES) for job in jobs
    ]
    try:
        for future in distributed.as_completed(futures, loop=client.loop):
            yield future.result()
    except (distributed.KilledWorker, distributed.CancelledError) as error:
        raise StorageError(
            f"The workers die of this work, which has changed nothing: {error} Look at their logs; the usual cause "
            "is too little memory for a job: give each worker more, or fewer threads."
        ) from error
    finally:
        client.cancel(futures)
