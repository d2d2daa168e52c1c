"""The catalog of a book: create, attach, read, and one transaction idiom.

Every session runs in UTC, loads DuckDB's extensions from their wheels and never downloads. Foreign errors are
translated here: nothing of DuckDB leaves this room.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import duckdb
import polars as pl

from tradelake.errors import StorageError
from tradelake.store.cold import EVERYTHING, Cold, Span
from tradelake.store.durable import sync_folder
from tradelake.store.foreign import translated
from tradelake.store.lease import Lease
from tradelake.store.literals import insert_statement, literal
from tradelake.store.target import Target
from tradelake.tables import BOOK_SETTINGS

FORMAT_VERSION = 3
INLINE_ROWS = 1000
FEW_ROWS = 8
OPTIMIZERS = "SET disabled_optimizers = 'statistics_propagation'"
EXTENSIONS = {"sqlite": ("sqlite_scanner",), "duckdb": (), "postgres": ("postgres_scanner",)}


def extension_path(name: str) -> Path:
    """Return the path of a DuckDB extension inside its wheel; StorageError where the wheel is missing."""
    module = f"duckdb_extension_{name}"
    if find_spec(module) is None:
        raise StorageError(
            f"DuckDB's extension {name} is not installed. Install it with: pip install {module.replace('_', '-')}"
            f"=={duckdb.__version__}"
        )
    path = Path(str(files(module))) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not path.exists():
        raise StorageError(f"The wheel of DuckDB's extension {name} is not for DuckDB {duckdb.__version__}.")
    return path


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
        self._lock = threading.RLock()
        self.cold = Cold(self._joined_frame, target.cold_folder)
        self.connection = _session(target)
        options = [f"DATA_INLINING_ROW_LIMIT {INLINE_ROWS}"]
        if attach_data:
            options += [f"DATA_PATH {literal(attach_data)}", "OVERRIDE_DATA_PATH true"]
        if not create:
            options.append("CREATE_IF_NOT_EXISTS false")
        if read_only:
            options.append("READ_ONLY")
        try:
            self.connection.execute(f"ATTACH {literal(target.attach)} AS lake ({', '.join(options)})")
            self.connection.execute("USE lake")
            row = self.connection.execute("SELECT data_path FROM ducklake_settings('lake')").fetchone()
            names = self.connection.execute("SELECT string_agg(name, ',') FROM duckdb_optimizers()").fetchone()
        except duckdb.Error as error:
            self.connection.close()
            raise translated(error, target) from error
        self.data_folder = str(row[0]) if row else ""
        self._optimizers = str(names[0]) if names else ""
        self._planned_plainly = False

    def close(self) -> None:
        """Close the connection; closing twice is harmless."""
        self.connection.close()

    def execute(self, sql: str, parameters: list[object] | None = None) -> None:
        """Run a statement for its effect."""
        with self._lock:
            try:
                self.connection.execute(sql, parameters or [])
            except duckdb.Error as error:
                raise translated(error, self.target) from error

    def update(self, sql: str, parameters: list[object]) -> int:
        """Run an UPDATE and return how many rows it changed."""
        with self._lock:
            try:
                row = self.connection.execute(sql, parameters).fetchone()
            except duckdb.Error as error:
                raise translated(error, self.target) from error
        return int(row[0]) if row else 0

    def frame(self, sql: str, parameters: list[object] | None = None, span: Span = EVERYTHING) -> pl.DataFrame:
        """Return the rows of a query; *span* is what it can reach of the archive."""
        with self._lock:
            self.show_archived(sql, span)
            try:
                return self.connection.execute(sql, parameters or []).pl()
            except duckdb.Error as error:
                raise translated(error, self.target) from error

    def _joined_frame(self, sql: str, **frames: pl.DataFrame) -> pl.DataFrame:
        with self.joined(**frames):
            return self.frame(sql)

    @property
    def current(self) -> int | None:
        """The number of the transaction that runs; None outside of any."""
        return self.begun if self._inside else None

    def stand(self, archive_run_id: int) -> None:
        """Take over where the archive stands from whoever has just read the head."""
        self.cold.stand(self.begun, archive_run_id)

    def show_archived(self, sql: str, span: Span = EVERYTHING) -> None:
        """Put beside the hot rows what a statement needs of the archive; ArchivedError where that is not included."""
        for statement in self.cold.statements(sql, span, self.current):
            self.execute(statement)

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
        with self._lock:
            try:
                self.connection.register("incoming_rows", frame)
                self.connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming_rows")
            except duckdb.Error as error:
                raise translated(error, self.target) from error
            finally:
                self.connection.unregister("incoming_rows")

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
                self.execute("COMMIT")
            except BaseException:
                self._rollback()
                raise
            finally:
                self._inside = False
                if self._planned_plainly:
                    self.execute(OPTIMIZERS)
                    self._planned_plainly = False

    def _rollback(self) -> None:
        try:
            self.connection.execute("ROLLBACK")
        except duckdb.TransactionException:
            return

    def sync(self) -> None:
        """Return when the data files are on disk; to be called before the commit that names them."""
        sync_folder(self.data_folder)

    def version(self) -> int:
        """Return the number of the newest commit of the catalog."""
        return int(self.frame("SELECT id AS version FROM ducklake_current_snapshot('lake')")["version"][0])

    def settings(self) -> Mapping[str, str]:
        """Return the settings of the book by name."""
        rows = self.frame(f"SELECT name, value FROM {BOOK_SETTINGS.name}")
        return dict(rows.iter_rows())


def _session(target: Target) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    connection.execute(OPTIMIZERS)
    connection.execute("SET threads = 1")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET preserve_insertion_order = true")
    for name in ("ducklake", *EXTENSIONS[target.kind]):
        connection.execute(f"LOAD {literal(str(extension_path(name)))}")
    return connection
