"""The rows of one commit, table by table: numbered, dated, with their check values and the link of the chain."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from tradelake.errors import InvariantError
from tradelake.store.batch import NEW, Batch, Head
from tradelake.store.canonical import LINK
from tradelake.store.chain import RUN, Leaf, link, with_checks
from tradelake.store.corporate import corporate_rows
from tradelake.store.records import dated, details_with_execution
from tradelake.tables import (
    ACCOUNTS,
    ARCHIVES,
    CHAINED_TABLES,
    CORPORATE_ACTIONS,
    IMPORT_RUNS,
    INSTRUMENTS,
    SOURCE_RECORDS,
    STRATEGIES,
    TRADE_LOG,
)


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: the batch with the reference rows as they are written, all rows by table, and the head after it."""

    batch: Batch
    rows: Mapping[str, pl.DataFrame]
    head: Head


def commit_of(
    batch: Batch, fresh: pl.DataFrame, records: pl.DataFrame, counts: Mapping[str, int], head: Head
) -> Commit:
    """Return the commit that follows *head*: of the events that are new, the records to store, and the rest."""
    run, recorded_at = head.import_run_id + 1, max(batch.recorded_at, head.recorded_at)
    numbered = dated(records, fresh, recorded_at).with_columns(
        (pl.int_range(1, pl.len() + 1, dtype=pl.Int64) + head.source_record_id).alias("source_record_id"),
        pl.lit(run, dtype=pl.Int64).alias(RUN),
    )
    log = _log_rows(fresh, numbered, run, head.sequence, recorded_at)
    archived = run if ARCHIVES.name in batch.facts else head.archive_run_id
    sequence, record = head.sequence + log.height, head.source_record_id + records.height
    reached = Head(sequence, record, run, recorded_at, "", archived)
    rows = {table.name: table.empty() for table in CHAINED_TABLES}
    rows |= {
        table.name: getattr(batch, name).with_columns(pl.lit(run, dtype=pl.Int64).alias(RUN))
        for name, table in NEW.items()
    }
    rows[SOURCE_RECORDS.name] = SOURCE_RECORDS.conform(numbered)
    rows[TRADE_LOG.name] = log
    rows[CORPORATE_ACTIONS.name] = corporate_rows(log)
    rows |= {name: _of_commit(given, run, recorded_at) for name, given in batch.facts.items()}
    rows[IMPORT_RUNS.name] = _run_row(batch, counts, head, reached)
    leaves: list[Leaf] = []
    for table in CHAINED_TABLES:
        if rows[table.name].height:
            rows[table.name], found = with_checks(table.conform(rows[table.name]), table)
            leaves += found
    chain = link(head.chain_hash, leaves)
    rows[IMPORT_RUNS.name] = rows[IMPORT_RUNS.name].with_columns(pl.lit(chain).alias(LINK))
    written = replace(
        batch,
        new_accounts=rows[ACCOUNTS.name],
        new_instruments=rows[INSTRUMENTS.name],
        new_strategies=rows[STRATEGIES.name],
    )
    return Commit(written, rows, replace(reached, chain_hash=chain))


def _of_commit(facts: pl.DataFrame, run: int, recorded_at: datetime) -> pl.DataFrame:
    """Return facts with their commit."""
    return facts.with_columns(pl.lit(recorded_at).alias("recorded_at"), pl.lit(run, dtype=pl.Int64).alias(RUN))


def _log_rows(
    fresh: pl.DataFrame, records: pl.DataFrame, run: int, sequence: int, recorded_at: datetime
) -> pl.DataFrame:
    source = records.select(pl.col("row_number").alias("source_row"), "source_record_id")
    fresh = fresh.with_columns(details_with_execution().alias("details"))
    rows = fresh.join(source, on="source_row", how="left", maintain_order="left").with_columns(
        (pl.int_range(1, pl.len() + 1, dtype=pl.Int64) + sequence).alias("sequence"),
        pl.coalesce("known_at", pl.lit(recorded_at)).alias("recorded_at"),
        pl.lit(run, dtype=pl.Int64).alias("import_run_id"),
    )
    if rows["source_record_id"].null_count():
        raise InvariantError("an event has no source record")
    return TRADE_LOG.conform(rows)


def _run_row(batch: Batch, counts: Mapping[str, int], head: Head, reached: Head) -> pl.DataFrame:
    row: dict[str, Any] = {
        "import_run_id": reached.import_run_id,
        "source": batch.source,
        "file_name": batch.file_name,
        "file_sha256": batch.file_sha256,
        "author": batch.author,
        "host": batch.host,
        "reason": batch.reason,
        "recorded_at": reached.recorded_at,
        **counts,
        "first_sequence": head.sequence + 1 if counts["accepted"] else None,
        "last_sequence": reached.sequence,
        "previous_hash": head.chain_hash,
        "chain_hash": "",
        "row_check": 0,
    }
    return pl.DataFrame([row], schema=IMPORT_RUNS.schema)
