"""The catalog of a book: create, attach, read, and one transaction idiom.

Every session runs in UTC and never downloads. Foreign errors are translated here: nothing of DuckDB leaves this room.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import polars as pl

from tradelake.store.cold import EVERYTHING, Cold, Span
from tradelake.store.digests import note_files
from tradelake.store.durable import NewFile, sync_folder
from tradelake.store.foreign import not_synced, translated
from tradelake.store.lease import Lease
from tradelake.store.literals import insert_statement, literal
from tradelake.store.session import FEW_ROWS, INLINE_ROWS, OPTIMIZERS, attach, session, text_of
from tradelake.store.target import Target
from tradelake.tables import BOOK_SETTINGS

FORMAT_VERSION = 5


class Catalog:
    """One attached book: its connection, its lease and its data folder."""

    def __init__(
        self, target: Target, *, read_only: bool, attach_data: str | None = None, create: bool = False
    ) -> None:
        self.target = target
        self.read_only = read_only
        self.lease = Lease(target)
        self.night = Lease(target, nightly=True)
        self.begun = 0
        self._inside = False
        self._unsynced = False
        self._log_file = NewFile(Path(f"{target.catalog}.wal")) if target.kind == "duckdb" else None
        self._lock = threading.RLock()
        self.cold = Cold(self._joined_frame, target.cold_folder)
        self.connection = session(target)
        try:
            attach(self.connection, target, read_only=read_only, data=attach_data, create=create)
            self.data_folder = text_of(self.connection, "SELECT data_path FROM ducklake_settings('lake')")
            self._optimizers = text_of(self.connection, "SELECT string_agg(name, ',') FROM duckdb_optimizers()")
        except duckdb.Error as error:
            self.connection.close()
            raise translated(error, target) from error
        self._planned_plainly = False
        self._new_files = False
        self._noting = True

    @property
    def transaction_number(self) -> int | None:
        """The number of the open transaction; None outside one."""
        return self.begun if self._inside else None

    def close(self) -> None:
        """Close the connection; closing twice is harmless."""
        if self._log_file is not None:
            try:
                # After a commit that failed, closing alone would leave the file open for the life of the process.
                self.connection.execute("USE memory; DETACH lake")
            except duckdb.Error:
                self._log_file = None  # closed before, or no room for a checkpoint: what is committed is in the log
        self.connection.close()

    @contextmanager
    def _asking(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Hold the connection; what DuckDB refuses is raised as an error of ours."""
        with self._lock:
            try:
                yield self.connection
            except duckdb.Error as error:
                raise translated(error, self.target) from error

    def execute(self, sql: str, parameters: list[object] | None = None) -> None:
        """Run a statement for its effect."""
        with self._asking() as connection:
            connection.execute(sql, parameters or [])

    def update(self, sql: str, parameters: list[object]) -> int:
        """Run an UPDATE and return how many rows it changed."""
        with self._asking() as connection:
            return sum(count for (count,) in connection.execute(sql, parameters).fetchall())

    def frame(self, sql: str, parameters: list[object] | None = None, span: Span = EVERYTHING) -> pl.DataFrame:
        """Return the rows of a query; *span* is what it can reach of the archive."""
        with self._lock:
            self.show_archived(sql, span)
            with self._asking() as connection:
                return connection.execute(sql, parameters or []).pl()

    def stored(self, sql: str, *, committed: bool = False) -> pl.DataFrame:
        """Return the rows of a query about hot rows, as this transaction sees them, or as they are *committed*."""
        with self._asking() as connection:
            if not committed:
                return connection.execute(sql).pl()
            with connection.cursor() as beside:
                return beside.execute(sql).pl()

    def _joined_frame(self, sql: str, **frames: pl.DataFrame) -> pl.DataFrame:
        with self.joined(**frames):
            return self.frame(sql)

    def show_archived(self, sql: str, span: Span = EVERYTHING) -> None:
        """Put beside the hot rows what a statement needs of the archive; ArchivedError where that is not included."""
        try:
            for statement in self.cold.statements(sql, span, self.transaction_number):
                self.execute(statement)
        except BaseException:
            self.cold.rolled_back()
            raise

    def plan_plainly(self) -> None:
        """Run statements as written until the transaction ends: for a few rows, planning is most of the cost."""
        self.execute(f"SET disabled_optimizers = {literal(self._optimizers)}")
        self._planned_plainly = True

    @contextmanager
    def parallel(self) -> Iterator[None]:
        """Use all cores for the time of the block; small statements are faster on one."""
        self.execute(f"SET threads = {os.cpu_count() or 1}")
        try:
            yield
        finally:
            self.execute("SET threads = 1")

    def insert_by_month(self, table: str, frame: pl.DataFrame, day: str) -> None:
        """Append rows a few months of *day* at a time, so that few partitions' files are open."""
        if frame.height <= INLINE_ROWS:
            self.insert(table, frame)
            return
        months = frame[day].dt.truncate("1mo")
        waiting: list[date] = []
        rows = 0
        for month, height in months.value_counts().sort(day).iter_rows():
            waiting.append(month)
            rows += height
            # Fewer rows than that would stay inside the catalog instead of becoming a file.
            if rows > INLINE_ROWS:
                self.insert(table, frame.filter(months.is_in(waiting)))
                waiting, rows = [], 0
        self.insert(table, frame.filter(months.is_in(waiting)))

    def insert(self, table: str, frame: pl.DataFrame) -> None:
        """Append the rows of *frame*, by column name; nothing for an empty frame."""
        if frame.height == 0:
            return
        # A view of archived rows may have the table's own name.
        table = f"lake.main.{table}"
        if frame.height <= FEW_ROWS and (statement := insert_statement(table, frame)) is not None:
            self.execute(statement)
            return
        self._unsynced |= frame.height > INLINE_ROWS
        with self.joined(incoming_rows=frame):
            self.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming_rows")

    @contextmanager
    def joined(self, **frames: pl.DataFrame) -> Iterator[None]:
        """Make frames visible to queries by name for the time of the block."""
        with self._lock:
            for name, frame in frames.items():
                self.connection.register(name, frame)
            try:
                yield
            finally:
                for name in frames:
                    self.connection.unregister(name)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block in one transaction: committed as a whole, or rolled back by any exception.

        Inside another it is a part of that one.
        """
        with self._lock:
            if self._inside:
                yield
                return
            self.execute("BEGIN")
            self.begun += 1
            self._inside = True
            try:
                yield
                if self._unsynced:
                    self.sync()
                self.execute("COMMIT")
                self._sync_log()
            except BaseException:
                self._rollback()
                raise
            finally:
                self._inside = self._unsynced = False
                if self._planned_plainly:
                    self.execute(OPTIMIZERS)
                    self._planned_plainly = False
                new_files, self._new_files = self._new_files, self._new_files and not self._noting
            if new_files and self._noting:
                note_files(self)

    @contextmanager
    def noted_at_the_end(self) -> Iterator[None]:
        """Note the digests of all files that the transactions of the block have written once, after it."""
        self._noting = False
        try:
            yield
        finally:
            self._noting = True
        if self._new_files:
            self._new_files = False
            note_files(self)

    def _rollback(self) -> None:
        self.cold.rolled_back()
        try:
            self.connection.execute("ROLLBACK")
        except duckdb.Error:
            # What made the commit fail may have ended the transaction, or the whole connection.
            return

    def sync(self) -> None:
        """Return when the data files are on disk, before the commit that names them; StorageError where that fails."""
        self._new_files = True
        try:
            sync_folder(self.data_folder)
        except OSError as error:
            raise not_synced(self.data_folder, error) from error
        self._unsynced = False

    def _sync_log(self) -> None:
        """Return when the name of a new write-ahead log is on disk; its content is by then."""
        try:
            if self._log_file is not None:
                self._log_file.sync()
        except OSError as error:
            raise not_synced(self.target.shown, error, committed=True) from error

    def version(self) -> int:
        """Return the number of the newest commit of the catalog."""
        return int(self.frame("SELECT id AS version FROM ducklake_current_snapshot('lake')")["version"][0])

    def settings(self) -> Mapping[str, str]:
        """Return the settings of the book by name."""
        return dict(self.frame(f"SELECT name, value FROM {BOOK_SETTINGS.name}").iter_rows())
