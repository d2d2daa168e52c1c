"""Snapshots: what every account closed a session with, corrected by a new version when more is learnt.

A snapshot of a trading day holds all events of that day, at the marks of its close. It is stored, so that a chart of a
year reads a year of small rows; and it is never changed: what arrives late makes another version of every day that it
reaches, and the one before stays readable by knowledge time. The totals of a day are those of the day before with
what happened since, so that a night costs what its day has brought.
"""

from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from tradelake.book.balances import Balances
from tradelake.book.marks import MarkReaders
from tradelake.book.news import reached_accounts
from tradelake.book.past import Past
from tradelake.book.read import Day, Filter, day_of, instant_of
from tradelake.book.shelf import facts_batch, now
from tradelake.book.snapped import SnapshotReaders
from tradelake.errors import InputError, ReadOnlyError
from tradelake.positions import (
    OF_ACCOUNT,
    TOTALS,
    account_snapshots,
    added,
    differing,
    no_totals,
    nothing_of,
    position_snapshots,
    with_marks,
)
from tradelake.sessions import is_session, session_close, session_on_or_before
from tradelake.store import Batch, Head, append
from tradelake.tables import ACCOUNT_SNAPSHOTS, MARKS, POSITION_SNAPSHOTS, POSITIONS


@dataclass(frozen=True, slots=True)
class SnapshotReceipt:
    """What a snapshot wrote: its day, the accounts it is new for, and the earlier days and accounts that it corrected.

    `corrected` has one row each: snapshot_date, account_id. Nothing new writes nothing.
    """

    snapshot_date: date
    accounts: int
    positions: int
    corrected: pl.DataFrame
    version: int


@dataclass(frozen=True, slots=True)
class _Found:
    """Rows of both snapshot tables, by day."""

    accounts: dict[date, pl.DataFrame]
    positions: dict[date, pl.DataFrame]


class Snapshots(MarkReaders, SnapshotReaders, Balances):
    """Everything that takes snapshots."""

    def snapshot(self, day: Day = None) -> SnapshotReceipt:
        """Take the snapshot of a session, and correct earlier ones that late events or marks have changed.

        Without a day it is that of the last session that has closed. What is known already writes nothing. Raises
        InputError for a day without a session, or whose session has not closed yet.
        """
        if self._catalog.read_only:
            raise ReadOnlyError("The book was opened read only. Open it without read_only to take snapshots.")
        wanted = closed_session(day, now())
        written: list[dict[str, pl.DataFrame]] = []

        def prepare(head: Head) -> Batch:
            written.append(self._new_versions(wanted, head.sequence))
            return facts_batch("snapshot", written[-1])

        with self._catalog.cold.including():
            # What comes late for an archived month changes the snapshots of its days.
            appended = append(self._catalog, prepare, self._index, last_seen=self._head)
        self._remember(appended)
        rows = written[-1][ACCOUNT_SNAPSHOTS.name]
        days = rows.select("snapshot_date", "account_id").unique().sort("snapshot_date", "account_id")
        own = pl.col("snapshot_date") == wanted
        return SnapshotReceipt(
            wanted,
            days.filter(own).height,
            written[-1][POSITION_SNAPSHOTS.name].filter(own).height,
            days.filter(~own),
            self.version,
        )

    def _new_versions(self, day: date, head: int) -> dict[str, pl.DataFrame]:
        """Return the rows to add, by table; the caller holds a transaction."""
        stale = self._stale(day)
        found = _Found({}, {})
        for when in sorted({*stale, day}):
            self._close(when, None if when == day else stale[when], found)
        facts = {ACCOUNT_SNAPSHOTS.name: ACCOUNT_SNAPSHOTS.empty(), POSITION_SNAPSHOTS.name: POSITION_SNAPSHOTS.empty()}
        for table, rows in ((ACCOUNT_SNAPSHOTS, found.accounts), (POSITION_SNAPSHOTS, found.positions)):
            if rows:
                parts = [part.with_columns(pl.lit(head).alias("sequence")) for part in rows.values() if part.height]
                if parts:
                    facts[table.name] = pl.concat(parts)
        return facts

    def _stale(self, day: date) -> dict[date, list[str]]:
        """Return the days that were snapped, each with the accounts about which something was learnt since."""
        snapped = self._catalog.frame(
            f"SELECT snapshot_date, max(sequence) AS sequence, max(import_run_id) AS run FROM {ACCOUNT_SNAPSHOTS.name} "
            "GROUP BY ALL ORDER BY snapshot_date"
        )
        if not snapped.height:
            return {}
        standing = self._standing()
        references = self._references(standing.import_run_id)
        reaching = self._tail.reaching_of(standing, references)
        sequence, run = int(snapped["sequence"].to_numpy().max()), int(snapped["run"].to_numpy().max())
        news = reached_accounts(self._catalog, references, reaching, sequence)
        days = snapped.select("snapshot_date", until=pl.Series([instant_of(d) for d in snapped["snapshot_date"]]))
        late = news.join(days, how="cross").filter(pl.col("first_at") <= pl.col("until"))
        marked = self._catalog.frame(
            f"SELECT DISTINCT p.snapshot_date, p.account_id FROM {POSITION_SNAPSHOTS.name} p JOIN {MARKS.name} m "
            "ON p.instrument_id = m.instrument_id AND m.mark_date <= p.snapshot_date "
            "AND (p.mark_date IS NULL OR m.mark_date >= p.mark_date) WHERE m.import_run_id > ?",
            [run],
        )
        pairs = pl.concat([late.select("snapshot_date", "account_id"), marked]).unique().sort("account_id")
        grouped = pairs.filter(pl.col("snapshot_date") != day).group_by("snapshot_date").agg("account_id")
        return dict(grouped.iter_rows())

    def _close(self, day: date, accounts: list[str] | None, found: _Found) -> None:
        """Add the rows of one day that are new to *found*: of some accounts, or of all."""
        until = instant_of(day)
        before = self._before(day, accounts, found)
        since = None if before is None else instant_of(before[0])
        earned = self._earned(since, until, accounts)
        known = Filter(accounts, None, None, day, day)
        stored = [self._newest(table, known) for table in (ACCOUNT_SNAPSHOTS, POSITION_SNAPSHOTS)]
        totals = added(no_totals() if before is None else before[1], earned)
        held = self._held_at(until, accounts)
        marks = self._marks_at(day, None, instruments=held["instrument_id"].unique())
        positions = position_snapshots(with_marks(held, marks), day)
        # Every account has a row, so that the day is known to be taken, and what arrives late corrects it.
        own = self._references(self._standing().import_run_id).accounts
        own = own.select("account_id", pl.col("base_currency").alias("currency"))
        own = own.filter(Filter(accounts).expression(["account_id"], None))
        there = pl.concat([own, stored[0].select(OF_ACCOUNT)]).unique()
        rows = account_snapshots(added(totals, nothing_of(there)), positions, day)
        changed = pl.concat([differing(rows, stored[0]), differing(positions, stored[1])]).unique()
        versions = stored[0].group_by("account_id").agg(pl.col("version").max() + 1)
        numbered = changed.join(versions, on="account_id", how="left").with_columns(pl.col("version").fill_null(1))
        found.accounts[day] = rows.join(numbered, on="account_id", maintain_order="left")
        found.positions[day] = positions.join(numbered, on="account_id", maintain_order="left")

    def _before(self, day: date, accounts: list[str] | None, found: _Found) -> tuple[date, pl.DataFrame] | None:
        """Return the last snapped day before another, and the totals of accounts then; None where there is none."""
        known = self._catalog.frame(
            f"SELECT max(snapshot_date) AS day FROM {ACCOUNT_SNAPSHOTS.name} WHERE snapshot_date < CAST(? AS DATE)",
            [day.isoformat()],
        )["day"].item()
        earlier = [when for when in (*found.accounts, known) if when is not None and when < day]
        if not earlier:
            return None
        last = max(earlier)
        stored = self._newest(ACCOUNT_SNAPSHOTS, Filter(accounts, None, None, last, last))
        fresh = found.accounts.get(last)
        if fresh is not None:
            stored = stored.join(fresh, on="account_id", how="anti")
            mine = fresh if accounts is None else fresh.filter(pl.col("account_id").is_in(accounts))
            stored = pl.concat([stored.select(*OF_ACCOUNT, *TOTALS), mine.select(*OF_ACCOUNT, *TOTALS)])
        return last, stored.select(*OF_ACCOUNT, *TOTALS)

    def _held_at(self, until: datetime, accounts: list[str] | None) -> pl.DataFrame:
        """Return the open positions at an instant; those of today where nothing has happened since."""
        wanted = Filter(accounts)
        past: Past | None = None
        if self._folded().reached.latest_at > until:
            past = self._past(until, None, wanted)
        return self._at(POSITIONS, wanted, None, past)


def closed_session(day: Day, at: datetime) -> date:
    """Return a session that has closed by an instant: the one asked for, or the last; InputError where it has not."""
    if day is None:
        last = session_on_or_before(at.date())
        return last if session_close(last) <= at else session_on_or_before(date.fromordinal(last.toordinal() - 1))
    wanted = day_of(day)
    if not is_session(wanted):
        near = session_on_or_before(wanted)
        raise InputError(f"{wanted} is no trading day, so nothing closed then. The last one before it is {near}.")
    if session_close(wanted) > at:
        raise InputError(f"The session of {wanted} has not closed yet. Ask again after {session_close(wanted)}.")
    return wanted
