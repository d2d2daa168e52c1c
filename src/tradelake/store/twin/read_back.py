"""A book from its twin: every row as it was, in a book that is empty.

Decision. DuckDB reads the server's tables directly, with decimals and instants of the same width. What was told, the
head and the id of the book come back as they were, so that the hash chain holds over them; what follows from it comes
back at the head. What only one place knows is left out: files and their digests.

Limit. A twin has archived rows beside all others. In the book that is made they are hot; `archives` still has every
step up to the export, and the caller adds that these parts are in the book again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from tradelake.errors import InputError, StorageError
from tradelake.store.append import read_head
from tradelake.store.bulk import insert_rows
from tradelake.store.catalog import Catalog
from tradelake.store.literals import literal
from tradelake.store.progress import Progress
from tradelake.store.session import extension_path
from tradelake.store.twin.encode import Totals, add_to, totals_of, totals_query
from tradelake.store.twin.server import Twin
from tradelake.store.twin.source import CHUNK_ROWS
from tradelake.tables import (
    BOOK_SETTINGS,
    CHAINED_TABLES,
    CHECKPOINT,
    DERIVED_TABLES,
    HEAD,
    MIGRATIONS,
    Table,
    postgres_name,
)

# The data are where the new book says, whatever the old one said.
OWN_SETTINGS = "data"


class TwinReader:
    """Reads a twin into the catalog of an empty book."""

    def __init__(self, catalog: Catalog, url: str, twin: Twin) -> None:
        self._catalog = catalog
        self._url = url
        self._twin = twin

    def read(self, progress: Progress) -> int:
        """Write all rows of the twin into the book, and return the sequence of its head.

        The caller holds the lease and a transaction, and has attached the server before it. Raises InputError where
        the book is not empty or nothing was exported, StorageError.
        """
        if self._twin.noted(None) is None:
            raise InputError(
                f"Nothing was exported to the schema {self._twin.schema} at {self._twin.shown}. Name the schema of a "
                "twin with schema=NAME (--schema NAME)."
            )
        head = read_head(self._catalog)
        if head.import_run_id:
            raise InputError(
                f"The book at {self._catalog.target.shown} has {head.import_run_id} commits. A twin is read into "
                "an empty book: make one with `tradelake init`."
            )
        wanted = [*CHAINED_TABLES, *DERIVED_TABLES]
        for number, table in enumerate(wanted):
            progress(table.name, number, len(wanted))
            self._table(table)
        for table in (HEAD, CHECKPOINT, MIGRATIONS):
            self._catalog.execute(f"DELETE FROM lake.main.{table.name}")
            self._table(table)
        kept = f"name = {literal(OWN_SETTINGS)}"
        self._catalog.execute(f"DELETE FROM lake.main.{BOOK_SETTINGS.name} WHERE NOT {kept}")
        settings = self._rows(BOOK_SETTINGS, f"WHERE NOT {kept}")
        self._catalog.insert(BOOK_SETTINGS.name, settings)
        self._catalog.sync()
        return read_head(self._catalog).sequence

    def _table(self, table: Table) -> None:
        totals = Totals()
        for rows in self._chunks(table):
            add_to(totals, table, rows, self._catalog)
            insert_rows(self._catalog, table, rows)
        there = totals_of(table, self._twin.row(totals_query(table, self._twin.name(table), "")) or ())
        different = totals.differences(there)
        if different:
            raise StorageError(
                f"What was read of {self._twin.schema}.{table.name} at {self._twin.shown} is not what is there: "
                f"{different}. The book is as empty as it was."
            )

    def _chunks(self, table: Table) -> Iterator[pl.DataFrame]:
        day = table.partition_date
        if not day:
            yield self._rows(table)
            return
        months = self._catalog.frame(
            f"SELECT min({day}) AS first, max({day}) AS last, count(*) AS rows FROM {self._name(table)} "
            f"GROUP BY date_trunc('month', {day}) ORDER BY first"
        )
        first, rows = None, 0
        for number, month in enumerate(months.iter_rows(named=True), start=1):
            first, rows = first or month["first"], rows + month["rows"]
            if rows >= CHUNK_ROWS or number == months.height:
                yield self._rows(table, f"WHERE {day} BETWEEN {literal(str(first))} AND {literal(str(month['last']))}")
                first, rows = None, 0

    def _rows(self, table: Table, condition: str = "") -> pl.DataFrame:
        return table.conform(self._catalog.frame(f"SELECT * FROM {self._name(table)} {condition}"))

    def _name(self, table: Table) -> str:
        return f"twin.{postgres_name(table, self._twin.schema)}"

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Let the book's session see the tables of the server for the time of the block."""
        self._catalog.execute(f"LOAD {literal(str(extension_path('postgres_scanner')))}")
        self._catalog.execute(f"ATTACH {literal(self._url)} AS twin (TYPE postgres, READ_ONLY)")
        try:
            yield
        finally:
            self._catalog.execute("DETACH twin")
