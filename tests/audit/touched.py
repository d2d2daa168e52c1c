"""Books that somebody touches behind our back: through the catalog's own tables, and in the files."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

import tradelake as tl
from tests.books import fill
from tests.tables.rows import valid_row
from tradelake.store import Batch, Head, append
from tradelake.tables import (
    ACCOUNT_SNAPSHOTS,
    ARCHIVES,
    BREAK_EVENTS,
    CLOSINGS,
    DELETED_LEAVES,
    HOLDS,
    INCOMING,
    NIGHTS,
    POSITION_SNAPSHOTS,
    RECORDS,
    Table,
)


@dataclass(frozen=True)
class Touched:
    """A book on a SQLite catalog, and ways to touch it."""

    folder: Path

    def copy(self, folder: Path) -> "Touched":
        shutil.copytree(self.folder, folder)
        return Touched(folder)

    def open(self) -> tl.Book:
        return tl.open(self.folder)

    def found(self, *, deep: bool = False, anchor: Path | None = None) -> list[tuple[int | None, str, str, str]]:
        """Return the findings of a verification."""
        with self.open() as book:
            verified = book.verify(deep=deep, anchor=anchor)
        return [(f.commit, f.where, f.key, f.what) for f in verified.findings]

    @contextmanager
    def catalog(self) -> Iterator[sqlite3.Connection]:
        """Yield the catalog, written to without tradelake."""
        connection = sqlite3.connect(self.folder / "catalog.sqlite")
        with connection:
            yield connection
        connection.close()

    def inlined_rows(self, table: Table) -> str:
        """Return the name of the catalog's own table that has the inlined rows of a table."""
        with self.catalog() as catalog:
            (name,) = catalog.execute(
                "SELECT i.table_name FROM ducklake_inlined_data_tables i JOIN ducklake_table t USING (table_id) "
                "WHERE t.table_name = ?",
                [table.name],
            ).fetchone()
        return str(name)

    def files(self, table: str = "*") -> list[Path]:
        """Return the data files of a table."""
        return sorted(self.folder.glob(f"data/main/{table}/**/*.parquet"))


def full_book(book: tl.Book) -> None:
    """Record something in every table of what is told, in several commits and months."""
    book.record([fill(n, strategy_id=f"S-{n % 2}", reason="why" if n % 2 else None) for n in range(1, 6)])
    book.record(fill(8, "-3", executed_at="2026-01-20T15:00:00Z"))
    book.record(fill(6, executed_at="2026-02-10T15:00:00Z") | {"quantity": "0"})
    split = {"trade_id": "SPLIT", "kind": "split", "symbol": "ACME", "asset_type": "STOCK", "ratio": "2/1"}
    book.record([split | {"executed_at": "2026-02-02T14:30:00Z"}, fill(7, executed_at="2026-02-10T15:00:00Z")])
    book.mark([{"instrument_id": "ACME", "mark_date": "2026-02-10", "price": "70.5"}])
    once = (POSITION_SNAPSHOTS, ACCOUNT_SNAPSHOTS, BREAK_EVENTS, NIGHTS)
    facts = {
        table.name: pl.DataFrame([valid_row(table)], schema=table.schema).with_columns(
            pl.lit("GEN-1").alias(name) for name in table.names if name == "account_id"
        )
        for table in once
    }
    # A step of a month that is in the book again.
    facts[ARCHIVES.name] = pl.DataFrame([{**valid_row(ARCHIVES), "step": "restored"}], schema=ARCHIVES.schema)
    facts |= retained()
    bring(book, facts)


def retained() -> dict[str, pl.DataFrame]:
    """Return a hold, and what a deletion would have noted of a commit that there is not."""
    rows: dict[Table, dict[str, object]] = {
        HOLDS: {"account_id": "GEN-1"},
        DELETED_LEAVES: {"table_name": "marks", "of_run_id": 1_000, "rest_rows": 0},
        CLOSINGS: {},
    }
    return {table.name: pl.DataFrame([valid_row(table) | own], schema=table.schema) for table, own in rows.items()}


def bring(book: tl.Book, facts: dict[str, pl.DataFrame]) -> None:
    """Record rows of tables beside the log, in one commit."""

    def prepare(head: Head) -> Batch:
        return Batch(
            events=INCOMING.empty(),
            records=RECORDS.empty(),
            source="test",
            author="test",
            host="here",
            recorded_at=datetime.now(UTC),
            facts=facts,
        )

    append(book._catalog, prepare, book._index)
