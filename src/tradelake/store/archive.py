"""Months of the log that go to cold storage and come back.

A month goes in three steps, so that nothing is in one place only before it is proven there: its rows are written to
files on this machine, sorted and packed tightly; files and manifest are put into the object store and read back; and
then, in one transaction under the writer's lease, the rows leave the book and the manifest's entry comes into it.
An object is named by the SHA-256 of what it has: whoever repeats an interrupted run finds what is there already.

What may go: events of kinds that concern one account and symbol, folded into the derived tables, that no cure is about,
and the records that brought nothing but such events.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import file_digest
from pathlib import Path

import polars as pl

from tradelake.store.bulk import insert_rows
from tradelake.store.catalog import Catalog
from tradelake.store.cold import HOT
from tradelake.store.keys import key_checks
from tradelake.store.literals import literal
from tradelake.tables import (
    ARCHIVE_TOTALS,
    ARCHIVED_KEYS,
    ARCHIVED_KINDS,
    CURE_KINDS,
    MATCHES,
    SOURCE_RECORDS,
    TRADE_LOG,
    Table,
)

LOG = f"lake.main.{TRADE_LOG.name}"
RECORDS = f"lake.main.{SOURCE_RECORDS.name}"
_KINDS = ", ".join(f"'{kind}'" for kind in ARCHIVED_KINDS)
_CURES = ", ".join(f"'{kind}'" for kind in CURE_KINDS)
ELIGIBLE = (
    f"trade_date < CAST(? AS DATE) AND kind IN ({_KINDS}) AND account_id IS NOT NULL "
    "AND sequence <= ? "
    f"AND NOT EXISTS (SELECT 1 FROM {LOG} c WHERE c.kind IN ({_CURES}) AND c.target_id = l.trade_id)"
)
# Level 19 takes 40 times as long and saves a twentieth.
PACKING = "FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, COMPRESSION_LEVEL 9, ROW_GROUP_SIZE 122880"
KEY = {TRADE_LOG.name: "sequence", SOURCE_RECORDS.name: "source_record_id"}


@dataclass(frozen=True, slots=True)
class File:
    """A file of archived rows on this machine."""

    table: str
    path: Path
    sha256: str
    bytes: int
    rows: int
    first_key: int
    last_key: int


@dataclass(frozen=True, slots=True)
class Staged:
    """A month as it would be archived: its files, what they add up to, and the keys of its events."""

    archive_id: str
    month: date
    files: tuple[File, ...]
    totals: pl.DataFrame
    keys: pl.DataFrame
    known_at: object
    until: int

    @property
    def object_folder(self) -> str:
        """The folder of the month's objects under the archive's URL and the book's id."""
        return f"{self.month:%Y-%m}"


def months_before(catalog: Catalog, before: date, until: int) -> pl.DataFrame:
    """Return the months that end before a day and have events to archive up to a sequence: month, rows."""
    return catalog.frame(
        f"SELECT CAST(date_trunc('month', trade_date) AS DATE) AS month, count(*) AS rows FROM {LOG} l "
        f"WHERE {ELIGIBLE} GROUP BY ALL ORDER BY ALL",
        [before.replace(day=1).isoformat(), until],
        HOT,
    )


def stage(catalog: Catalog, month: date, folder: Path, until: int) -> Staged:
    """Write the rows of a month up to a sequence to files in *folder*; the book is only read, in a transaction."""
    following = _following(month)
    own = f"{ELIGIBLE} AND trade_date >= DATE '{month}'"
    events = f"SELECT * FROM {LOG} l WHERE {own} ORDER BY {', '.join(TRADE_LOG.sort)}"
    log = _write(catalog, TRADE_LOG, events, [following.isoformat(), until], folder)
    moving = pl.read_parquet(log.path, columns=["sequence", "source_record_id"], glob=False)
    with catalog.joined(moving_events=moving):
        brought = (
            f"SELECT r.* FROM {RECORDS} r WHERE r.source_record_id IN (SELECT source_record_id FROM moving_events) "
            f"AND NOT EXISTS (SELECT 1 FROM {LOG} l WHERE l.source_record_id = r.source_record_id "
            "AND l.sequence NOT IN (SELECT sequence FROM moving_events)) ORDER BY r.source_record_id"
        )
        records = _write(catalog, SOURCE_RECORDS, brought, [], folder)
        profits = _profits(catalog)
    rows = pl.read_parquet(log.path, glob=False)
    archive_id = f"{month:%Y-%m}-{log.sha256[:16]}"
    return Staged(
        archive_id,
        month,
        tuple(file for file in (log, records) if file.rows),
        totals_of(rows, profits, archive_id, month),
        keys_of(rows, archive_id),
        rows["recorded_at"].max(),
        until,
    )


def _profits(catalog: Catalog) -> pl.DataFrame:
    """Return what the events of `moving_events` realized, by `sequence`."""
    return catalog.frame(
        f"SELECT close_sequence AS sequence, sum(realized_pnl) AS realized_pnl FROM {MATCHES.name} "
        "WHERE close_sequence IN (SELECT sequence FROM moving_events) GROUP BY ALL"
    )


def added_up(
    catalog: Catalog, archive_id: str, month: date, files: Mapping[str, Path]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what an archived part's files add up to, and the keys of its events, as the book should have them."""
    rows = pl.read_parquet(files[TRADE_LOG.name], glob=False)
    with catalog.joined(moving_events=rows.select("sequence")):
        profits = _profits(catalog)
    return totals_of(rows, profits, archive_id, month), keys_of(rows, archive_id)


def noted_of(catalog: Catalog, archive_id: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what the book has noted of an archived part: totals and keys."""
    totals, keys = (
        table.conform(catalog.frame(f"SELECT * FROM {table.name} WHERE archive_id = ?", [archive_id])).sort(*table.sort)
        for table in (ARCHIVE_TOTALS, ARCHIVED_KEYS)
    )
    return totals, keys


def _write(catalog: Catalog, table: Table, select: str, values: list[object], folder: Path) -> File:
    path = folder / f"{table.name}.parquet"
    catalog.execute(f"COPY ({select}) TO {literal(str(path))} ({PACKING})", values)
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    keys = pl.read_parquet(path, columns=[KEY[table.name]], glob=False).to_series()
    first, last = (0, 0) if not keys.len() else (int(keys.to_numpy().min()), int(keys.to_numpy().max()))
    return File(table.name, path, digest, path.stat().st_size, keys.len(), first, last)


def totals_of(rows: pl.DataFrame, profits: pl.DataFrame, archive_id: str, month: date) -> pl.DataFrame:
    """Return the control totals of events (rows of the log), with what their matches realized by `sequence`."""
    zero = pl.lit(0, dtype=ARCHIVE_TOTALS.schema["cash"])
    sells = pl.col("action").fill_null("").str.starts_with("SELL")
    signed = pl.when(sells).then(-pl.col("quantity")).otherwise("quantity").cast(TRADE_LOG.schema["quantity"])
    profits = profits.with_columns(pl.col("realized_pnl").cast(ARCHIVE_TOTALS.schema["realized_pnl"]))
    totals = (
        rows.join(profits, on="sequence", how="left")
        .group_by("account_id", pl.col("symbol").fill_null(""), "currency")
        .agg(
            pl.len().cast(pl.Int64).alias("rows"),
            signed.fill_null(0).sum().alias("quantity"),
            pl.col("net_amount").fill_null(zero).sum().alias("cash"),
            pl.col("commission", "fees").sum(),
            pl.col("realized_pnl").fill_null(zero).sum(),
            pl.col("executed_at").min().alias("first_at"),
            pl.col("executed_at").max().alias("latest_at"),
        )
    )
    named = totals.with_columns(pl.lit(archive_id).alias("archive_id"), pl.lit(month).alias("month"))
    return ARCHIVE_TOTALS.conform(named).sort(*ARCHIVE_TOTALS.sort)


def keys_of(rows: pl.DataFrame, archive_id: str) -> pl.DataFrame:
    """Return what recognises a second delivery of events (rows of the log)."""
    named = rows.hstack(key_checks(rows)).with_columns(pl.lit(archive_id).alias("archive_id"))
    return ARCHIVED_KEYS.conform(named).sort("sequence")


def retire(catalog: Catalog, staged: Staged) -> bool:
    """Take a staged month out of the book, and note its totals and keys; in the caller's transaction, under the lease.

    Return False, and do nothing, where an event may no longer go: it was cured meanwhile, or went already.
    """
    moving = {file.table: pl.read_parquet(file.path, columns=[KEY[file.table]], glob=False) for file in staged.files}
    with catalog.joined(moving_events=moving[TRADE_LOG.name]):
        still = catalog.frame(
            f"SELECT count(*) AS rows FROM {LOG} l SEMI JOIN moving_events USING (sequence) WHERE {ELIGIBLE}",
            [_following(staged.month).isoformat(), staged.until],
            HOT,
        )
    if still["rows"].item() != moving[TRADE_LOG.name].height:
        return False
    for name, gone in moving.items():
        with catalog.joined(gone_rows=gone):
            catalog.execute(f"DELETE FROM lake.main.{name} WHERE {KEY[name]} IN (SELECT {KEY[name]} FROM gone_rows)")
    catalog.insert(ARCHIVE_TOTALS.name, staged.totals)
    catalog.insert(ARCHIVED_KEYS.name, staged.keys)
    return True


def bring_back(catalog: Catalog, archive_id: str, files: Mapping[str, Path]) -> dict[str, int]:
    """Put the rows of archived files back into the book, in the caller's transaction; return their counts by table."""
    counts = {}
    for name, path in files.items():
        table = next(table for table in (TRADE_LOG, SOURCE_RECORDS) if table.name == name)
        rows = table.conform(pl.read_parquet(path, glob=False))
        insert_rows(catalog, table, rows)
        counts[name] = rows.height
    for table in (ARCHIVE_TOTALS, ARCHIVED_KEYS):
        catalog.execute(f"DELETE FROM {table.name} WHERE archive_id = ?", [archive_id])
    catalog.sync()
    return counts


def _following(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)
