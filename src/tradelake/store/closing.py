"""The closing of a book: open lots and positions at the instant up to which events may have been deleted.

Whoever folds or rebuilds starts from there. What is final by then (matches, closed positions, cash flows, refusals)
stays in the derived tables; the closing has the number and the SHA-256 of these rows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import polars as pl

from tradelake.store.archived import archive_of
from tradelake.store.canonical import text_bytes
from tradelake.store.catalog import Catalog
from tradelake.store.chain import RUN
from tradelake.tables import (
    ACCOUNT_SNAPSHOTS,
    ARCHIVE_TOTALS,
    ARCHIVED_KEYS,
    CASH_FLOWS,
    CLOSINGS,
    LOTS,
    MATCHES,
    POSITION_HISTORY,
    POSITIONS,
    REFUSALS,
    TRADE_LOG,
    Table,
)

TOTALS = pl.Schema(
    {
        name: ACCOUNT_SNAPSHOTS.schema[name]
        for name in (
            "account_id",
            "currency",
            "cash",
            "deposits",
            "realized_pnl",
            "realized_premium",
            "dividends",
            "interest",
            "fees",
        )
    }
    | {"trades": pl.Int64()}
)
CARRIED = {LOTS.name: LOTS.schema, POSITIONS.name: POSITIONS.schema, "totals": TOTALS}
FIRST_LEG = "1"
FINAL = (MATCHES, POSITION_HISTORY, CASH_FLOWS, REFUSALS)


@dataclass(frozen=True, slots=True)
class Closing:
    """How the book stood at an instant: open lots, positions, totals to date per account and currency (TOTALS).

    `final` has by table the number and the SHA-256 of the rows that stay as they are.
    """

    until: datetime
    lots: pl.DataFrame
    positions: pl.DataFrame
    totals: pl.DataFrame
    final: Mapping[str, tuple[int, str]]


def closed_until(catalog: Catalog) -> datetime | None:
    """Return up to when the book is closed; None where nothing of its log was deleted."""
    if not catalog.cold.deleted(catalog.transaction_number).height or not deleted_logs(catalog).height:
        return None
    last: datetime | None = catalog.frame(f"SELECT max(closed_until) AS last FROM {CLOSINGS.name}")["last"].item()
    return last


def read_closing(catalog: Catalog) -> Closing | None:
    """Return the newest closing; None where nothing of the log was deleted."""
    until = closed_until(catalog)
    if until is None:
        return None
    newest = f"SELECT max({RUN}) FROM {CLOSINGS.name}"
    rows = catalog.frame(f"SELECT * FROM {CLOSINGS.name} WHERE {RUN} = ({newest}) ORDER BY number")
    lots, positions, totals = (
        _decoded(rows.filter(subject=name)["details"], schema) for name, schema in CARRIED.items()
    )
    final = {}
    for table in FINAL:
        said = json.loads(rows.filter(subject=table.name)["details"].item())
        final[table.name] = int(said["rows"]), str(said["sha256"])
    return Closing(until, lots, positions, totals, final)


def deleted_logs(catalog: Catalog) -> pl.DataFrame:
    """Return the parts of the log that were deleted, rows of `archives`."""
    return catalog.cold.deleted(catalog.transaction_number).filter(table_name=TRADE_LOG.name)


def deleted_events(catalog: Catalog) -> pl.Series:
    """Return the sequences of the events that were deleted."""
    with catalog.joined(gone_parts=deleted_logs(catalog).select("archive_id")):
        return catalog.frame(f"SELECT sequence FROM {ARCHIVED_KEYS.name} SEMI JOIN gone_parts USING (archive_id)")[
            "sequence"
        ]


def was_deleted(catalog: Catalog, trade_id: str) -> bool:
    """Tell whether an event with this id was recorded and deleted."""
    return archive_of(catalog, trade_id, FIRST_LEG) in deleted_logs(catalog)["archive_id"].to_list()


def latest_of_parts(catalog: Catalog, parts: pl.DataFrame) -> datetime:
    """Return the latest effective time of archived parts (rows with archive_id)."""
    with catalog.joined(wanted_parts=parts.select("archive_id")):
        rows = catalog.frame(
            f"SELECT max(latest_at) AS latest_at FROM {ARCHIVE_TOTALS.name} SEMI JOIN wanted_parts USING (archive_id)"
        )
    latest: datetime = rows["latest_at"].item()
    return latest


def closing_rows(until: datetime, carried: Sequence[pl.DataFrame], final: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the rows of `closings` that close a book.

    *carried* are open lots, positions and totals; *final* are the rows of derived tables that stay as they are.
    """
    details = []
    for (name, schema), rows in zip(CARRIED.items(), carried, strict=True):
        details += [(name, text) for text in _encoded(rows, schema)]
    for table in FINAL:
        count, digest = digest_of(final[table.name], table)
        details.append((table.name, json.dumps({"rows": count, "sha256": digest})))
    told = [(number, until, subject, text) for number, (subject, text) in enumerate(details, start=1)]
    names = ("number", "closed_until", "subject", "details")
    return pl.DataFrame(told, schema={name: CLOSINGS.schema[name] for name in names}, orient="row")


def digest_of(rows: pl.DataFrame, table: Table) -> tuple[int, str]:
    """Return number and SHA-256 of rows of a derived table, in whatever order they come."""
    text, _ = text_bytes(table.conform(rows).sort(table.key), table)
    return rows.height, sha256(text).hexdigest()


def _encoded(rows: pl.DataFrame, schema: pl.Schema) -> list[str]:
    texts = []
    for name, kind in schema.items():
        column = pl.col(name)
        texts.append((column.to_physical() if kind.is_temporal() else column).cast(pl.String))
    encoded: list[str] = rows.select(pl.struct(texts).struct.json_encode()).to_series().to_list()
    return encoded


def _decoded(details: pl.Series, schema: pl.Schema) -> pl.DataFrame:
    rows = [json.loads(text) for text in details]
    texts = pl.DataFrame(rows, schema=dict.fromkeys(schema, pl.String))
    values = []
    for name, kind in schema.items():
        column = pl.col(name)
        if kind.is_temporal():
            column = column.cast(pl.Int32 if kind == pl.Date else pl.Int64)
        values.append(column.cast(kind))
    return texts.select(values)
