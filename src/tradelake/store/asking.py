"""One session of a book: statements and their rows; foreign errors are translated here."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import duckdb
import polars as pl

from tradelake.errors import BookError, InputError
from tradelake.store.cold import EVERYTHING, Cold, Span
from tradelake.store.foreign import query_error, translated
from tradelake.store.literals import literal, written_out
from tradelake.store.lost import PATIENCE_SECONDS, ServerLost, asked_again, end, is_ruined
from tradelake.store.session import session, session_for_rows
from tradelake.store.target import Target


class Asking:
    """The connection of an open book, with what is archived put beside what is hot."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.patience = PATIENCE_SECONDS if target.kind == "postgres" else 0.0
        self.begun = 0
        self._inside = False
        self._optimizers = ""
        self._planned_plainly = False
        self._lock = threading.RLock()
        self.cold = Cold(self._joined_frame, target.cold_folder)
        self._connection = session(target)
        self._ruined = False

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection; another one where it was ruined, unless that was inside the open transaction."""
        if self._ruined and not self._inside:
            self._renew()
            self._ruined = False
            self.cold.rolled_back()
        return self._connection

    @cached_property
    def aside(self) -> duckdb.DuckDBPyConnection:
        """A connection for rows that were read: what users do with them needs neither the book nor its server."""
        return session_for_rows()

    def _renew(self) -> None:
        """Open another connection to the book; ServerLost where its server is not there yet."""
        raise NotImplementedError

    def failed(self, error: duckdb.Error) -> BookError:
        """Return an error of DuckDB as one of ours, and take note where no further statement can be run."""
        if self.target.kind == "postgres" and is_ruined(error) and not self._ruined:
            self._ruined = True
            end(self._connection, ruined=True)
        return translated(error, self.target)

    def complaint(self, error: duckdb.Error, *, what: str = "cannot be run") -> ServerLost | InputError:
        """Return DuckDB's complaint about a user's query; the server's, where that was lost meanwhile."""
        failed = self.failed(error)
        return failed if isinstance(failed, ServerLost) else query_error(error, what=what)

    @property
    def transaction_number(self) -> int | None:
        """The number of the open transaction; None outside one."""
        return self.begun if self._inside else None

    @contextmanager
    def _asking(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Hold the connection; what DuckDB refuses is raised as an error of ours."""
        with self._lock:
            try:
                yield self.connection
            except duckdb.Error as error:
                raise self.failed(error) from error

    def execute(self, sql: str, parameters: list[object] | None = None) -> None:
        """Run a statement for its effect."""
        with self._asking() as connection:
            _run(connection, sql, parameters)

    def update(self, sql: str, parameters: list[object]) -> int:
        """Run an UPDATE and return how many rows it changed."""
        with self._asking() as connection:
            return sum(count for (count,) in _run(connection, sql, parameters).fetchall())

    def frame(self, sql: str, parameters: list[object] | None = None, span: Span = EVERYTHING) -> pl.DataFrame:
        """Return the rows of a query; *span* is what it can reach of the archive."""

        def ask() -> pl.DataFrame:
            self.show_archived(sql, span)
            with self._asking() as connection:
                return _run(connection, sql, parameters).pl()

        with self._lock:
            # A statement alone is a transaction of its own, and may be asked again.
            return ask() if self._inside else asked_again(ask, patience=self.patience)

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

    @contextmanager
    def joined(self, **frames: pl.DataFrame) -> Iterator[None]:
        """Make frames visible to queries by name for the time of the block."""
        with self._lock:
            with self._asking() as connection:
                for name, frame in frames.items():
                    connection.register(name, frame)
            try:
                yield
            finally:
                with self._asking() as connection:
                    for name in frames:
                        connection.unregister(name)


def _run(connection: duckdb.DuckDBPyConnection, sql: str, parameters: list[object] | None) -> duckdb.DuckDBPyConnection:
    """Run a statement with its values written out, where each can be."""
    text = written_out(sql, parameters) if parameters else sql
    return connection.execute(sql, parameters) if text is None else connection.execute(text)
