"""The catalog of a book: create, attach, read, and one transaction idiom.

Every session runs in UTC and never downloads. Foreign errors are translated here: nothing of DuckDB leaves this room.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb
import polars as pl

from tradelake.errors import TradelakeError
from tradelake.store.asking import Asking
from tradelake.store.digests import note_files
from tradelake.store.durable import NewFile, sync_folder
from tradelake.store.foreign import not_synced, translated
from tradelake.store.lease import Lease
from tradelake.store.literals import insert_statement, literal
from tradelake.store.lost import Result, asked_again, end, is_ruined
from tradelake.store.place import place_of
from tradelake.store.session import FEW_ROWS, INLINE_ROWS, OPTIMIZERS, attach, session, text_of
from tradelake.store.target import Target
from tradelake.tables import BOOK_SETTINGS

FORMAT_VERSION = 6


class Catalog(Asking):
    """One attached book: its connection, its lease and its data folder."""

    def __init__(
        self, target: Target, *, read_only: bool, attach_data: str | None = None, create: bool = False
    ) -> None:
        super().__init__(target)
        self.read_only = read_only
        self.closed = False
        self.format_version = FORMAT_VERSION
        self.lease = Lease(target)
        self.night = Lease(target, nightly=True)
        self._unsynced = False
        self._log_file = NewFile(Path(f"{target.catalog}.wal")) if target.kind == "duckdb" else None
        self._attach_data = attach_data
        with self._closed_on_failure(self._connection):
            attach(self._connection, target, read_only=read_only, data=attach_data, create=create)
            self.data_folder = text_of(self._connection, "SELECT data_path FROM ducklake_settings('lake')")
            self._optimizers = text_of(self._connection, "SELECT string_agg(name, ',') FROM duckdb_optimizers()")
        self.place = place_of(self.data_folder)
        # Whoever has opened a book waits for a server that is started again.
        self.lease.patience = self.night.patience = self.patience
        self._new_files = False
        self._noting = True

    @contextmanager
    def _closed_on_failure(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            end(connection, ruined=is_ruined(error))
            raise translated(error, self.target) from error
        except TradelakeError:
            connection.close()
            raise

    def _renew(self) -> None:
        connection = session(self.target)
        with self._closed_on_failure(connection):
            attach(connection, self.target, read_only=self.read_only, data=self._attach_data, create=False)
        self._connection = connection

    def close(self) -> None:
        """Close the connection; closing twice is harmless."""
        self.closed = True
        if self._ruined:
            return
        if self._log_file is not None:
            try:
                # After a commit that failed, closing alone would leave the file open for the life of the process.
                self._connection.execute("USE memory; DETACH lake")
            except duckdb.Error:
                self._log_file = None  # closed before, or no room for a checkpoint: what is committed is in the log
        self._connection.close()

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

    def take_in(self, table: str, paths: Iterable[str], *, by_month: bool = False) -> None:
        """Let new files, of which each is named once and for all, be rows of a table; *by_month* where it has months.

        Their folders say the month then, and the path of the data must say nothing of the kind.
        """
        self._unsynced = True
        names = ", ".join(map(literal, paths))
        if names:
            self.execute(
                f"CALL ducklake_add_data_files('lake', {literal(table)}, [{names}], hive_partitioning => {by_month})"
            )

    def again(self, action: Callable[[], Result]) -> Result:
        """Run what may be run twice, and run it once more where the server of the catalog was lost meanwhile.

        Inside a transaction or under the lease only whoever began these can.
        """
        if self._inside or self.lease.held:
            return action()
        return asked_again(action, patience=self.patience)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block in one transaction: committed as a whole, or rolled back by any exception.

        Inside another it is a part of that one.
        """
        with self._lock:
            if self._inside:
                yield
                return
            self.night.keep()
            self.execute("BEGIN")
            self.begun += 1
            self._inside = True
            try:
                yield
                if self._unsynced:
                    self.sync()
                self.lease.prove()
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
            self._connection.execute("ROLLBACK")
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
