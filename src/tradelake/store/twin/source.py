"""A book as an export reads it: at one version, the rows of every table as its twin has them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from tradelake.store.batch import Head
from tradelake.store.catalog import Catalog
from tradelake.store.cold import EVERYTHING, Span
from tradelake.store.fold import Checkpoint
from tradelake.tables import (
    BY_NAME,
    CHAINED_TABLES,
    CHECKPOINT,
    DERIVED_TABLES,
    SOURCE_RECORDS,
    TRADE_LOG,
    Table,
)

CHUNK_ROWS = 200_000


class Grown(NamedTuple):
    """How many rows a table has, and how many of these are new."""

    rows: int
    new: int


@dataclass(frozen=True, slots=True)
class Source:
    """A book at one version, as an export needs it; its catalog is inside a transaction.

    `derived` gives the rows of a derived table at the head, all or those of some families (account_id, symbol), and
    `counted` how many each has; `families` are those that the events after a checkpoint reach; `reached` is the
    checkpoint that the derived rows stand for.
    """

    catalog: Catalog
    book_id: str
    head: Head
    reached: Checkpoint
    version: int
    derived: Callable[[Table, pl.DataFrame | None], pl.DataFrame]
    counted: Callable[[], dict[Table, int]]
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

    def grown(self, run: int, sequence: int, record: int) -> dict[Table, Grown]:
        """Return by table of what was told how many rows it has, and how many came after a commit.

        That commit ended with a *sequence* of the log and a source *record*.
        """
        # The log and its records are numbered without gaps, so that none has to be read.
        numbered = {
            TRADE_LOG: Grown(self.head.sequence, self.head.sequence - sequence),
            SOURCE_RECORDS: Grown(self.head.source_record_id, self.head.source_record_id - record),
        }
        counted = [table for table in CHAINED_TABLES if table not in numbered]
        # Planning is most of the cost of many small questions.
        query = " UNION ALL ".join(
            f"SELECT '{table.name}' AS name, count(*) AS rows, count(*) FILTER (import_run_id > {run}) AS new "
            f"FROM {table.name}"
            for table in counted
        )
        return numbered | {BY_NAME[name]: Grown(*counts) for name, *counts in self.catalog.frame(query).iter_rows()}
