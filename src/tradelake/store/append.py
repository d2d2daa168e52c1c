"""Append, exactly once: lease, head row, natural keys, hash chain, one transaction.

Guards come first, in this order: an id that is known with the same content is a duplicate; with other content a
conflict that names the fields; an allocation beyond its execution, and a trade id that another event has, are
conflicts; a cancel or correct whose target cannot be cured is a reject. After the guards nothing may fail but the
storage itself, and then nothing is written.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import polars as pl

from tradelake.errors import InvariantError, StorageError
from tradelake.store.batch import NEW, Appended, Batch, Head
from tradelake.store.bulk import insert_rows
from tradelake.store.catalog import Catalog
from tradelake.store.classify import classify
from tradelake.store.commit import commit_of
from tradelake.store.facts import without_unused
from tradelake.store.foreign import is_retryable
from tradelake.store.index import KeyIndex
from tradelake.store.keys import with_keys
from tradelake.store.lost import ServerLost
from tradelake.store.records import counted, new_records
from tradelake.store.session import INLINE_ROWS
from tradelake.tables import CHAINED_TABLES, HEAD, IMPORT_RUNS, TRADE_LOG

ATTEMPTS = 30


class _HeadMoved(Exception):
    """The head is not where it was last seen: another process has committed."""


def append(
    catalog: Catalog, prepare: Callable[[Head], Batch], index: KeyIndex, *, last_seen: Head | None = None
) -> Appended:
    """Append the events that are new, with their records; nothing is written where nothing is new.

    `prepare` makes the batch, inside the transaction, for the head that it is given. That is `last_seen` first, which
    saves reading it; where another process has committed since, the update of the head row finds nothing, and all is
    done again from the head as it is. Another writer in the way is waited for, and a commit that lost to one is tried
    again as a whole. So is one whose server was lost, unless the book has it: its link of the chain is its identity.
    """
    in_doubt: list[Appended] = []
    with catalog.lease.hold():
        for attempt in range(ATTEMPTS):
            try:
                with catalog.transaction():
                    done = next((each for each in in_doubt if _is_there(catalog, each.head)), None)
                    if done is None:
                        done = _attempt(catalog, prepare, index, last_seen or read_head(catalog))
                        in_doubt.append(done)
                return done
            except _HeadMoved:
                last_seen = None
            except ServerLost:
                if attempt == ATTEMPTS - 1:
                    raise
                catalog.lease.keep()
                last_seen = None
            except StorageError as error:
                if not is_retryable(error) or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(min(0.005 * 2**attempt, 0.25))
    raise InvariantError("an append ended without an outcome")


def _is_there(catalog: Catalog, head: Head) -> bool:
    """Return whether the commit that has led to a head is in the book."""
    found = catalog.frame(
        f"SELECT 1 FROM {IMPORT_RUNS.name} WHERE import_run_id = ? AND chain_hash = ?",
        [head.import_run_id, head.chain_hash],
    )
    return found.height > 0


def read_head(catalog: Catalog) -> Head:
    """Return where the log stands."""
    head = Head(**catalog.frame(f"SELECT * FROM {HEAD.name}").row(0, named=True))
    catalog.cold.stand(catalog.begun, head.archive_run_id)
    return head


def _attempt(catalog: Catalog, prepare: Callable[[Head], Batch], index: KeyIndex, head: Head) -> Appended:
    catalog.cold.stand(catalog.begun, head.archive_run_id)
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
    commit = commit_of(batch, fresh, records, counted(records, classified.outcomes), head)
    log = commit.rows[TRADE_LOG.name]
    if log.height + records.height <= INLINE_ROWS:
        catalog.plan_plainly()
    for table in CHAINED_TABLES:
        insert_rows(catalog, table, commit.rows[table.name])
    _move_head(catalog, head, commit.head)
    if max(rows.height for rows in commit.rows.values()) > INLINE_ROWS:
        catalog.sync()
    return Appended(commit.batch, classified.outcomes, commit.head, log, written=True, problems=problems)


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
    return any(getattr(batch, name).height for name in NEW) or any(rows.height for rows in batch.facts.values())
