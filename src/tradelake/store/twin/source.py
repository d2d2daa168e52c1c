"""A book as an export reads it: at one version, the rows of every table as its twin has them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl

from tradelake.store.batch import Head
from tradelake.store.catalog import Catalog
from tradelake.store.cold import EVERYTHING, Span
from tradelake.store.fold import Checkpoint
from tradelake.tables import (
    ARCHIVED_TABLES,
    CHAINED_TABLES,
    CHECKPOINT,
    DERIVED_TABLES,
    TRADE_LOG,
    Table,
)

CHUNK_ROWS = 200_000
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Source:
    """A book at one version, as an export needs it; its catalog is inside a transaction.

    `derived` gives the rows of a derived table at the head, all or those of some families (account_id, symbol), and
    `counted` how many all are; `families` are those that the events after a checkpoint reach; `reached` is the
    checkpoint that the derived rows stand for.
    """

    catalog: Catalog
    book_id: str
    head: Head
    reached: Checkpoint
    version: int
    derived: Callable[[Table, pl.DataFrame | None], pl.DataFrame]
    counted: Callable[[Table], int]
    families: Callable[[Checkpoint], pl.DataFrame]

    def rows(self, table: Table) -> Iterator[pl.DataFrame]:
        """Yield all rows of a table as the twin has them."""
        if table in DERIVED_TABLES:
            yield self.derived(table, None)
        elif table is CHECKPOINT:
            yield pl.DataFrame(
                [(self.reached.sequence, self.reached.latest_at)], schema=CHECKPOINT.schema, orient="row"
            )
        elif table in CHAINED_TABLES:
            yield from self.told(table, 0, EVERYTHING)
        else:
            yield self.catalog.frame(f"SELECT * FROM {table.name} ORDER BY {', '.join(table.key)}")

    def told(self, table: Table, run: int, span: Span) -> Iterator[pl.DataFrame]:
        """Yield what commits after *run* brought to a table, some months at a time."""
        catalog, day = self.catalog, table.partition_date
        new, order = f"FROM {table.name} WHERE import_run_id > {run}", f"ORDER BY {', '.join(table.key)}"
        if not day:
            yield catalog.frame(f"SELECT * {new} {order}")
            return
        months = catalog.frame(
            f"SELECT min({day}) AS first, max({day}) AS last, count(*) AS rows {new} "
            f"GROUP BY date_trunc('month', {day}) ORDER BY first",
            span=span,
        )
        first, rows = None, 0
        for month in months.iter_rows(named=True):
            first, rows = first or month["first"], rows + month["rows"]
            if rows >= CHUNK_ROWS:
                yield catalog.frame(f"SELECT * {new} AND {day} BETWEEN ? AND ? {order}", [first, month["last"]], span)
                first, rows = None, 0
        if first is not None:
            yield catalog.frame(f"SELECT * {new} AND {day} >= ? {order}", [first], span)

    def count(self, table: Table) -> int:
        """Return the number of rows of a table."""
        if table in ARCHIVED_TABLES:
            # The log and its records are numbered without gaps, so that none has to be read.
            return self.head.sequence if table is TRADE_LOG else self.head.source_record_id
        if table in DERIVED_TABLES:
            return self.counted(table)
        return int(self.catalog.frame(f"SELECT count(*) AS rows FROM {table.name}")["rows"].item())
