"""Append, exactly once: lease, head row, natural keys, hash chain, one transaction.

Guards come first, in this order: an id that is known with the same content is a duplicate; with other content a
conflict that names the fields; an allocation beyond its execution, and a trade id that another event has, are
conflicts; a cancel or correct whose target cannot be cured is a reject. After the guards nothing may fail but the
storage itself, and then nothing is written.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from tradelake.errors import InvariantError, Problem, StorageError
from tradelake.store.catalog import FEW_ROWS, INLINE_ROWS, Catalog
from tradelake.store.chain import link, with_hashes
from tradelake.store.classify import classify
from tradelake.store.corporate import corporate_rows
from tradelake.store.cures import Cures
from tradelake.store.facts import facts_of, without_unused
from tradelake.store.foreign import is_retryable
from tradelake.store.index import KeyIndex
from tradelake.store.keys import key_digests, with_keys
from tradelake.store.records import counted, details_with_execution, new_records
from tradelake.tables import (
    ACCOUNTS,
    ARCHIVES,
    CORPORATE_ACTIONS,
    HEAD,
    IMPORT_RUNS,
    INSTRUMENTS,
    SOURCE_RECORDS,
    STRATEGIES,
    TRADE_LOG,
)

ATTEMPTS = 30
NO_NEW = {"new_accounts": ACCOUNTS, "new_instruments": INSTRUMENTS, "new_strategies": STRATEGIES}


@dataclass(frozen=True, slots=True)
class Batch:
    """One delivery: validated events (INCOMING, terms complete), source records (RECORDS), and who brings them.

    `records` are joined to the events by `row_number` = `source_row`; several events may come from one record.
    `cures` judges the cancels and corrects among the events, and what the broker says again of an execution. `facts`
    are rows of other tables that only grow, by the name of the table; their commit is filled in.
    """

    events: pl.DataFrame
    records: pl.DataFrame
    source: str
    author: str
    host: str
    recorded_at: datetime
    file_name: str | None = None
    file_sha256: str | None = None
    reason: str | None = None
    new_accounts: pl.DataFrame = field(default_factory=ACCOUNTS.empty)
    new_instruments: pl.DataFrame = field(default_factory=INSTRUMENTS.empty)
    new_strategies: pl.DataFrame = field(default_factory=STRATEGIES.empty)
    cures: Cures | None = None
    facts: Mapping[str, pl.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log stands: the one row of `head`."""

    sequence: int
    source_record_id: int
    import_run_id: int
    recorded_at: datetime
    chain_hash: str
    archive_run_id: int = 0


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a delivery.

    `outcomes` has one row per event: source_row, outcome, trade_id, code, message; `rows` are the rows of the log that
    were written; `head` is where the log stands after it, and `written` says whether anything was new. `problems` says
    of every cure that is refused what is wrong with it.
    """

    batch: Batch
    outcomes: pl.DataFrame
    head: Head
    rows: pl.DataFrame
    written: bool
    problems: tuple[Problem, ...] = ()


class _HeadMoved(Exception):
    """The head is not where it was last seen: another process has committed."""


def append(
    catalog: Catalog, prepare: Callable[[Head], Batch], index: KeyIndex, *, last_seen: Head | None = None
) -> Appended:
    """Append the events that are new, with their records; nothing is written where nothing is new.

    `prepare` makes the batch, inside the transaction, for the head that it is given. That is `last_seen` first, which
    saves reading it; where another process has committed since, the update of the head row finds nothing, and all is
    done again from the head as it is. Another writer in the way is waited for, and a commit that lost to one is tried
    again as a whole.
    """
    with catalog.lease.hold():
        for attempt in range(ATTEMPTS):
            try:
                with catalog.transaction():
                    return _attempt(catalog, prepare, index, last_seen or read_head(catalog))
            except _HeadMoved:
                last_seen = None
            except StorageError as error:
                if not is_retryable(error) or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(min(0.005 * 2**attempt, 0.25))
    raise InvariantError("an append ended without an outcome")


def read_head(catalog: Catalog) -> Head:
    """Return where the log stands."""
    head = Head(**catalog.frame(f"SELECT * FROM {HEAD.name}").row(0, named=True))
    catalog.stand(head.archive_run_id)
    return head


def _attempt(catalog: Catalog, prepare: Callable[[Head], Batch], index: KeyIndex, head: Head) -> Appended:
    catalog.stand(head.archive_run_id)
    batch = prepare(head)
    if batch.events.height:
        index.refresh(catalog, head.sequence)
    classified = classify(catalog, with_keys(batch.events), index, batch.cures)
    fresh, problems = classified.accepted, classified.problems
    batch = _with_used(batch, fresh)
    records = new_records(catalog, batch.records, classified.outcomes)
    if fresh.height + records.height == 0 and not _has_more(batch):
        if head != read_head(catalog):
            raise _HeadMoved
        return Appended(batch, classified.outcomes, head, TRADE_LOG.empty(), written=False, problems=problems)
    run, recorded_at = head.import_run_id + 1, max(batch.recorded_at, head.recorded_at)
    records = records.with_columns(
        (pl.int_range(1, pl.len() + 1, dtype=pl.Int64) + head.source_record_id).alias("source_record_id"),
        pl.lit(run, dtype=pl.Int64).alias("import_run_id"),
    )
    log = _log_rows(fresh, records, run, head.sequence, recorded_at)
    log, digests = with_hashes(log)
    facts, more = facts_of(batch.facts, run, recorded_at)
    chain, last = link(head.chain_hash, digests + more), head.sequence + log.height
    if log.height + records.height <= FEW_ROWS:
        catalog.plan_plainly()
    for name, table in NO_NEW.items():
        catalog.insert(table.name, getattr(batch, name))
    counts = counted(records, classified.outcomes)
    catalog.insert(
        IMPORT_RUNS.name, _run_row(batch, counts, head, chain, recorded_at, first=head.sequence + 1, last=last)
    )
    catalog.insert(SOURCE_RECORDS.name, SOURCE_RECORDS.conform(records))
    catalog.insert_by_month(TRADE_LOG.name, log.sort(*TRADE_LOG.sort), TRADE_LOG.partition_date)
    catalog.insert(CORPORATE_ACTIONS.name, corporate_rows(log))
    for name, rows in facts.items():
        catalog.insert(name, rows)
    archived = run if ARCHIVES.name in facts else head.archive_run_id
    reached = Head(last, head.source_record_id + records.height, run, recorded_at, chain, archived)
    _move_head(catalog, head, reached)
    if max(log.height + records.height, *(rows.height for rows in facts.values()), 0) > INLINE_ROWS:
        catalog.sync()
    return Appended(batch, classified.outcomes, reached, log, written=True, problems=problems)


def _move_head(catalog: Catalog, seen: Head, reached: Head) -> None:
    moved = catalog.update(
        f"UPDATE {HEAD.name} SET sequence = ?, source_record_id = ?, import_run_id = ?, recorded_at = ?, "
        "chain_hash = ?, archive_run_id = ? WHERE import_run_id = ? AND chain_hash = ?",
        [
            reached.sequence,
            reached.source_record_id,
            reached.import_run_id,
            reached.recorded_at.isoformat(),
            reached.chain_hash,
            reached.archive_run_id,
            seen.import_run_id,
            seen.chain_hash,
        ],
    )
    if moved != 1:
        raise _HeadMoved


def _with_used(batch: Batch, accepted: pl.DataFrame) -> Batch:
    """Return the batch without the accounts, instruments and strategies that only refused or known events name."""
    corrected = batch.new_instruments.clear() if batch.cures is None else batch.cures.new_instruments
    if accepted.height == batch.events.height and not corrected.height:
        return batch
    traded = pl.concat([accepted[name] for name in ("instrument_id", "underlying_instrument_id", "new_instrument_id")])
    used = batch.new_instruments.filter(pl.col("instrument_id").is_in(traded.implode()))
    learnt = pl.concat([used, corrected.join(used, on="instrument_id", how="anti", maintain_order="left")])
    return replace(
        batch,
        facts=without_unused(batch.facts, batch.new_instruments, learnt),
        new_accounts=batch.new_accounts.filter(pl.col("account_id").is_in(accepted["account_id"].implode())),
        new_instruments=learnt,
        new_strategies=batch.new_strategies.filter(pl.col("strategy_id").is_in(accepted["strategy_id"].implode())),
    )


def _has_more(batch: Batch) -> bool:
    """Return whether there is anything besides events and their records."""
    return any(getattr(batch, name).height for name in NO_NEW) or any(rows.height for rows in batch.facts.values())


def _log_rows(
    fresh: pl.DataFrame, records: pl.DataFrame, run: int, sequence: int, recorded_at: datetime
) -> pl.DataFrame:
    source = records.select(pl.col("row_number").alias("source_row"), "source_record_id")
    fresh = fresh.with_columns(details_with_execution().alias("details"))
    rows = fresh.join(source, on="source_row", how="left", maintain_order="left").with_columns(
        (pl.int_range(1, pl.len() + 1, dtype=pl.Int64) + sequence).alias("sequence"),
        pl.coalesce("known_at", pl.lit(recorded_at)).alias("recorded_at"),
        pl.lit(run, dtype=pl.Int64).alias("import_run_id"),
        pl.lit("").alias("row_hash"),
    )
    if rows["source_record_id"].null_count():
        raise InvariantError("an event has no source record")
    return TRADE_LOG.conform(rows.hstack(key_digests(rows)))


def _run_row(
    batch: Batch, counts: dict[str, int], head: Head, chain: str, recorded_at: datetime, *, first: int, last: int
) -> pl.DataFrame:
    row = {
        "import_run_id": head.import_run_id + 1,
        "source": batch.source,
        "file_name": batch.file_name,
        "file_sha256": batch.file_sha256,
        "author": batch.author,
        "host": batch.host,
        "reason": batch.reason,
        "recorded_at": recorded_at,
        **counts,
        "first_sequence": first if counts["accepted"] else None,
        "last_sequence": last,
        "previous_hash": head.chain_hash,
        "chain_hash": chain,
    }
    return pl.DataFrame([row], schema=IMPORT_RUNS.schema)
