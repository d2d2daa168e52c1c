"""The database of a twin: one connection, one transaction, errors as ours.

Everything that an export does is one transaction, under a lock that keeps other exports into the same schema out. So
whoever reads the twin sees the book before or after, and one that breaks off leaves nothing.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from tradelake.errors import BookVersionError, InputError, StorageError
from tradelake.store.catalog import FORMAT_VERSION
from tradelake.store.target import POSTGRES_PREFIXES, without_password
from tradelake.store.twin.encode import encoded
from tradelake.tables import (
    SOURCE_RECORDS,
    TABLES,
    TRADE_LOG,
    TRADE_LOG_KEYS,
    TWIN_EXPORTS,
    TWIN_TABLES,
    Table,
    postgres_bound,
    postgres_closing,
    postgres_name,
    postgres_roles,
    postgres_tables,
)

if TYPE_CHECKING:
    import psycopg

SCHEMA = "tradelake"
LOCK = 0x7472_6164
SLICE_ROWS = 50_000
# For a first export: sorts of indexes in memory, joins of references in memory, and no compiling of their queries.
LOADING = "SET LOCAL maintenance_work_mem = '256MB'; SET LOCAL jit = off"


@dataclass(frozen=True, slots=True)
class Noted:
    """What a twin says of itself: of which book it is, and up to which commit and version that was exported."""

    book_id: str
    version: int
    sequence: int
    import_run_id: int


@contextmanager
def twin_at(url: str, schema: str = SCHEMA) -> "Iterator[Twin]":
    """Yield the schema of a database in one transaction: committed at the end, rolled back by any exception.

    Raises InputError for what is no URL of PostgreSQL, StorageError for whatever the server answers or does not.
    """
    if not url.startswith(POSTGRES_PREFIXES):
        raise InputError(f"{without_password(url)!r} is no database. Give a URL that begins with postgresql://.")
    try:
        import psycopg
    except ImportError as error:
        raise StorageError("PostgreSQL needs psycopg. Install it with: pip install 'tradelake[postgres]'") from error
    shown = without_password(url)
    try:
        with psycopg.connect(url, application_name="tradelake") as connection:
            connection.execute("SET TimeZone = 'UTC'; SET DateStyle = 'ISO'")
            connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (LOCK, schema))
            yield Twin(connection, shown, schema)
    except psycopg.errors.InsufficientPrivilege as error:
        raise StorageError(
            f"PostgreSQL at {shown} does not allow it: {_first(error)}. Nothing was changed. Ask for the role "
            "tradelake_writer, or let an owner of the schema do it."
        ) from error
    except psycopg.errors.IntegrityError as error:
        raise StorageError(
            f"PostgreSQL at {shown} refuses rows of the book: {_first(error)}. Nothing was changed."
        ) from error
    except psycopg.OperationalError as error:
        raise StorageError(
            f"PostgreSQL at {shown} does not answer: {_first(error)}. Nothing was changed; repeat it when it does."
        ) from error
    except psycopg.Error as error:
        raise StorageError(f"PostgreSQL at {shown} answered: {_first(error)}. Nothing was changed.") from error


def _first(error: Exception) -> str:
    return without_password(str(error)).strip().splitlines()[0].rstrip(".")


class Twin:
    """One schema of a PostgreSQL database, inside a transaction."""

    def __init__(self, connection: "psycopg.Connection[Any]", shown: str, schema: str) -> None:
        self.shown = shown
        self.schema = schema
        self.notes: list[str] = []
        self._fresh = False
        self._connection = connection
        connection.add_notice_handler(lambda notice: self.notes.append(notice.message_primary or ""))

    def name(self, table: Table) -> str:
        """Return the name of a table as SQL writes it."""
        return postgres_name(table, self.schema)

    def execute(self, statement: str, values: Sequence[object] | None = None) -> int:
        """Run a statement for its effect; return how many rows it wrote."""
        return self._connection.execute(statement.encode(), values).rowcount

    def row(self, query: str, values: Sequence[object] | None = None) -> tuple[Any, ...] | None:
        """Return the first row of a query."""
        return self._connection.execute(query.encode(), values).fetchone()

    def noted(self, book_id: str | None) -> Noted | None:
        """Return what the twin says of itself; None where nothing was exported to it so far.

        Raises InputError where the schema is something else, or the twin of another book than *book_id*, and
        BookVersionError where it has another format.
        """
        if not self.has(TWIN_EXPORTS):
            found = [table.name for table in (*TABLES, *TWIN_TABLES) if self.has(table)]
            if found:
                raise InputError(
                    f"The schema {self.schema} at {self.shown} has a table {found[0]}, and is no twin of a book. Name "
                    "another one with schema=NAME (--schema NAME)."
                )
            return None
        row = self.row(
            "SELECT book_id, version, sequence, import_run_id, format_version "
            f"FROM {self.name(TWIN_EXPORTS)} ORDER BY export_id DESC LIMIT 1"
        )
        if row is None:
            return None
        noted, version = Noted(*row[:4]), row[4]
        if book_id is not None and noted.book_id != book_id:
            raise InputError(
                f"The schema {self.schema} at {self.shown} is the twin of another book, {noted.book_id}; this one is "
                f"{book_id}. Name another schema with schema=NAME (--schema NAME)."
            )
        if version != FORMAT_VERSION:
            raise BookVersionError(
                f"The twin at {self.shown} has format {version}; this release knows format {FORMAT_VERSION}. Export "
                "into a new schema."
            )
        return noted

    def has(self, table: Table) -> bool:
        """Return whether there is a table."""
        found = self.row("SELECT to_regclass(%s) IS NOT NULL", (self.name(table),))
        return bool(found and found[0])

    def create(self) -> None:
        """Create the tables, which then take rows unbound, as a dump is loaded."""
        there = self.row("SELECT 1 FROM pg_namespace WHERE nspname = %s", (self.schema,))
        self.execute("; ".join(postgres_tables(schema=self.schema)[1 if there else 0 :]))
        self.execute(LOADING)
        self._fresh = True

    def bind(self, table: Table) -> None:
        """Add keys, indexes and references to a table that was created and filled; what it refers to is bound."""
        for statement in postgres_bound(table, self.schema):
            self._join_for(table, statement)
            self.execute(statement)
        if table is TRADE_LOG:
            names = ", ".join(TRADE_LOG_KEYS.names)
            self.execute(
                f"INSERT INTO {self.name(TRADE_LOG_KEYS)} ({names}) SELECT {names} FROM {self.name(TRADE_LOG)}"
            )
            self.bind(TRADE_LOG_KEYS)

    def _join_for(self, table: Table, statement: str) -> None:
        """Let the server probe the records that the log refers to, where it would read all of them for each month."""
        probing = table is TRADE_LOG and f"({SOURCE_RECORDS.key[0]})" in statement
        for join in ("hashjoin", "mergejoin"):
            self.execute(f"SET LOCAL enable_{join} = {'off' if probing else 'on'}")

    def close(self) -> None:
        """Add what a twin has besides bound tables: the trigger of the log, comments and roles."""
        self.execute("; ".join([*postgres_closing(schema=self.schema), *postgres_roles(schema=self.schema)]))

    def cancel(self) -> None:
        """End what the server is doing, from another thread."""
        self._connection.cancel()

    def copy(self, table: Table, rows: pl.DataFrame) -> None:
        """Add rows to a table."""
        if table is not TRADE_LOG:
            if rows.height:
                self.copy_into(self.name(table), rows)
            return
        months = rows["trade_date"].dt.truncate("1mo")
        for month in months.unique().sort():
            function = f"{self.name(TRADE_LOG).removesuffix(TRADE_LOG.name)}add_trade_log_month"
            self.execute(f"SELECT {function}(%s)", (month,))
            if self._fresh:
                part = f"{self.name(TRADE_LOG)}_{month.year:04}_{month.month:02}"
                self.copy_into(part, rows.filter(months == month))
        if rows.height and not self._fresh:
            self.copy_into(self.name(table), rows)

    def copy_into(self, name: str, rows: pl.DataFrame) -> None:
        """Add rows to what SQL calls *name*; the next slice is written while the server takes one."""
        columns = ", ".join(rows.columns)
        # Whoever sees a table that is not committed yet may as well see its rows.
        frozen = " WITH (FREEZE)" if self._fresh else ""
        statement = f"COPY {name} ({columns}) FROM STDIN{frozen}".encode()
        with ThreadPoolExecutor(1) as writer, self._connection.cursor() as cursor, cursor.copy(statement) as copy:
            following = writer.submit(encoded, rows.slice(0, SLICE_ROWS))
            for start in range(SLICE_ROWS, rows.height + SLICE_ROWS, SLICE_ROWS):
                text = following.result()
                if start < rows.height:
                    following = writer.submit(encoded, rows.slice(start, SLICE_ROWS))
                copy.write(text)
