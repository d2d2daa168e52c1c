"""The writer's lease: one writer at a time, on one machine by a file lock, on many by an advisory lock.

Within one process the lease is also a thread lock. Whoever dies loses it: the operating system or the server
gives it back.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from tradelake.errors import BookBusy, StorageError
from tradelake.store.target import Target

ADVISORY_KEY = 0x7472616465
WAIT_SECONDS = 60


class Lease:
    """The right to write to one book."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._thread = threading.RLock()
        self._depth = 0
        self._file = None if target.kind == "postgres" else FileLock(str(target.lease_file))

    @contextmanager
    def hold(self, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
        """Hold the lease; BookBusy where another writer keeps it for longer than *wait_seconds*."""
        with self._thread:
            if self._depth:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                return
            with self._locked(wait_seconds):
                self._depth = 1
                try:
                    yield
                finally:
                    self._depth = 0

    @contextmanager
    def _locked(self, wait_seconds: float) -> Iterator[None]:
        if self._file is None:
            with self._advisory(wait_seconds):
                yield
            return
        try:
            self._file.acquire(timeout=wait_seconds, poll_interval=0.005)
        except Timeout as error:
            raise BookBusy(
                f"Another process has been writing to {self._target.shown} for {wait_seconds:.0f} seconds. "
                "Wait for it, or stop it; the lease is given back when it ends."
            ) from error
        try:
            yield
        finally:
            self._file.release()

    @contextmanager
    def _advisory(self, wait_seconds: float) -> Iterator[None]:
        try:
            import psycopg
        except ImportError as error:
            raise StorageError(
                "A book on PostgreSQL needs psycopg. Install it with: pip install 'tradelake[postgres]'"
            ) from error
        deadline = time.monotonic() + wait_seconds
        try:
            with psycopg.connect(self._target.catalog, autocommit=True) as connection:
                while not _try_lock(connection):
                    if time.monotonic() > deadline:
                        raise BookBusy(
                            f"Another process has been writing to {self._target.shown} for {wait_seconds:.0f} "
                            "seconds. Wait for it, or stop it; the lease is given back when it ends."
                        )
                    time.sleep(0.01)
                yield
        except psycopg.OperationalError as error:
            raise StorageError(f"PostgreSQL at {self._target.shown} does not answer: {error}") from error


def _try_lock(connection: "object") -> bool:
    import psycopg

    if not isinstance(connection, psycopg.Connection):
        raise StorageError("the lease needs a PostgreSQL connection")
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (ADVISORY_KEY,)).fetchone()
    return bool(row and row[0])
