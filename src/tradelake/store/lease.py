"""The writer's lease: one writer at a time, on one machine by a file lock, on many by an advisory lock.

Within one process the lease is also a thread lock. Whoever dies loses it: the operating system or the server
gives it back. So does a server that is restarted: before each commit the lease is proven to be held still, and whoever
can begin again takes it anew.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from tradelake.errors import BookBusy, StorageError
from tradelake.store.lost import IN_DOUBT, ServerLost, asked_again, is_lost
from tradelake.store.target import Target, without_password

if TYPE_CHECKING:
    import psycopg

ADVISORY_KEY = 0x7472616465
NIGHT_KEY = ADVISORY_KEY + 1
WAIT_SECONDS = 60
NOTICE_SECONDS = 2
COPIES_LOCK = "copies.lock"


class Lease:
    """The right to write to one book, or, *nightly*, to run its nightly job."""

    def __init__(self, target: Target, *, nightly: bool = False) -> None:
        self._target = target
        self._nightly = nightly
        self._thread = threading.RLock()
        self._depth = 0
        self._connection: psycopg.Connection | None = None
        self.patience = 0.0
        self.when_waiting: Callable[[], None] | None = None
        place = target.night_file if nightly else target.lease_file
        self._file = None if target.kind == "postgres" else FileLock(str(place))

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
            self._acquire(self._file, wait_seconds)
        except Timeout as error:
            raise self._busy(wait_seconds) from error
        except OSError as error:
            raise StorageError(
                f"The book at {self._target.shown} cannot be written: its lock file {self._file.lock_file} cannot be "
                f"taken: {error.strerror}. Make its folder writable, or open it read only."
            ) from error
        try:
            yield
        finally:
            self._file.release()

    def _acquire(self, file: FileLock, wait_seconds: float) -> None:
        """Lock a file; whoever has to wait for long is told so once."""
        if self.when_waiting is None or wait_seconds <= NOTICE_SECONDS:
            file.acquire(timeout=wait_seconds, poll_interval=0.005)
            return
        try:
            file.acquire(timeout=NOTICE_SECONDS, poll_interval=0.005)
        except Timeout:
            self.when_waiting()
            file.acquire(timeout=wait_seconds - NOTICE_SECONDS, poll_interval=0.005)

    def _busy(self, wait_seconds: float) -> BookBusy:
        shown = self._target.shown
        what = f"Another process has been writing to {shown} for {wait_seconds:.0f} seconds."
        if self._nightly:
            what = f"A nightly job is running already on {shown}."
        return BookBusy(f"{what} Wait for it, or stop it; the lease is given back when it ends.")

    @contextmanager
    def _advisory(self, wait_seconds: float) -> Iterator[None]:
        self._connection = asked_again(lambda: self._taken(wait_seconds), patience=self.patience)
        try:
            yield
        finally:
            # It may be another one by now.
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    def _taken(self, wait_seconds: float) -> "psycopg.Connection":
        """Return a new connection that has the lock, and loses it when it ends."""
        try:
            import psycopg
        except ImportError as error:
            raise StorageError(
                "A book on PostgreSQL needs psycopg. Install it with: pip install 'tradelake[postgres]'"
            ) from error
        deadline = time.monotonic() + wait_seconds
        notice = deadline - wait_seconds + NOTICE_SECONDS
        try:
            with ExitStack() as ends:
                connection = ends.enter_context(closing(psycopg.connect(self._target.catalog, autocommit=True)))
                while not _try_lock(connection, NIGHT_KEY if self._nightly else ADVISORY_KEY):
                    if time.monotonic() > deadline:
                        raise self._busy(wait_seconds)
                    if time.monotonic() > notice and self.when_waiting is not None:
                        self.when_waiting()
                        notice = deadline
                    time.sleep(0.01)
                self._durable(connection)
                ends.pop_all()
        except psycopg.Error as error:
            raise _not_answering(self._target, error) from error
        return connection

    @property
    def held(self) -> bool:
        """Whether this process is inside the lease."""
        return self._depth > 0

    def prove(self) -> None:
        """Raise ServerLost where the lease is held and the server has given it back meanwhile: another may have it."""
        if self._connection is None:
            return
        import psycopg

        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise ServerLost(f"The lease on {self._target.shown} was lost: {_said(error)}. {IN_DOUBT}") from error

    def keep(self) -> None:
        """Take a lease that is held and was lost again; BookBusy where another has taken it meanwhile."""
        if self._connection is None:
            return
        try:
            self.prove()
        except ServerLost:
            self._connection.close()
            self._connection = asked_again(lambda: self._taken(WAIT_SECONDS), patience=self.patience)

    def _durable(self, connection: "psycopg.Connection") -> None:
        """Raise StorageError where the server answers a commit before it is on disk."""
        row = connection.execute("SHOW synchronous_commit").fetchone()
        if row and row[0] == "off":
            raise StorageError(
                f"PostgreSQL at {self._target.shown} answers commits before they are on disk: synchronous_commit is "
                "off, so what was recorded could be lost. Set it on for this database: "
                "ALTER DATABASE ... SET synchronous_commit = on."
            )


def _not_answering(target: Target, error: "psycopg.Error") -> StorageError:
    said = f"PostgreSQL at {target.shown} does not answer: {_said(error)}"
    return ServerLost(f"{said}. {IN_DOUBT}") if is_lost(said) else StorageError(said)


def _said(error: "psycopg.Error") -> str:
    return without_password(str(error)).strip().rstrip(".")


def _try_lock(connection: "psycopg.Connection", key: int) -> bool:
    row = connection.execute("SELECT pg_try_advisory_lock(%s)", (key,)).fetchone()
    return bool(row and row[0])


@contextmanager
def keep_folder(folder: Path) -> Iterator[None]:
    """Keep a folder of copies, made where there is none, for this process; BookBusy where another keeps it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(str(folder / COPIES_LOCK))
        lock.acquire(timeout=0)
    except Timeout as error:
        raise BookBusy(f"Another process is writing to {folder}. Wait for its end.") from error
    except OSError as error:
        raise StorageError(f"{folder} cannot be written: {error.strerror}. Make room, or name another one.") from error
    try:
        yield
    finally:
        lock.release()
