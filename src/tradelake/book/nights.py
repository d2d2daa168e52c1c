"""What a nightly job needs of a book: expired options, capital, maintenance, the chain's tail, the nights done."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal

import polars as pl

from tradelake.book.breaks import Breaks
from tradelake.book.read import Day, Instant, Names, day_of, instant_of
from tradelake.book.receipt import Receipt
from tradelake.book.shelf import asked_again, facts_batch, now
from tradelake.book.snapshots import Snapshots, closed_session
from tradelake.errors import InputError
from tradelake.positions import BUFFER, CAPITAL, FORK_SURPLUS, MERGE_VALUE, capital, expired_options, proposal_rows
from tradelake.sessions import MORNING_ROOTS, expiry_instant, trade_date, trading_days_between
from tradelake.store import Batch, Head, Maintained, Upkeep, append, maintain, read_head
from tradelake.tables import ACCOUNTS, MARKS, NIGHTS

EXPIRED_REASON = "proposed after its expiration: {}"


class Nights(Snapshots, Breaks):
    """Everything that closes a day."""

    @property
    def now(self) -> datetime:
        """The instant that the clock shows, in UTC."""
        return now()

    @property
    def standing(self) -> Head:
        """Where the log stands: its last event, its last commit and the link of the chain."""
        return read_head(self._catalog)

    def closed_session(self, day: Day = None) -> date:
        """Return a session that has closed: the last one, or the one asked for; InputError where it has not."""
        return closed_session(day, now())

    @contextmanager
    def night(self) -> Iterator[None]:
        """Hold the right to close days; BookBusy where another process does. Recording goes on meanwhile.

        What is archived is read where a night needs it: an event that comes late changes the days of its month.
        """
        with self._catalog.night.hold(wait_seconds=0), self._catalog.cold.including():
            yield

    @asked_again
    def proposals(self, day: Day = None) -> pl.DataFrame:
        """Return what would end the options that have expired by the close of a session and are still open.

        One row each, see `positions.PROPOSALS`.

        Without a day it is that of the last session that has closed. Nothing is booked: see `apply_proposal`.
        """
        wanted = closed_session(day, now())
        with self._catalog.transaction():
            until = instant_of(wanted)
            instruments = self._references(self._standing().import_run_id).instruments
            options = instruments.filter((pl.col("asset_type") == "OPTION") & (pl.col("expiration") <= wanted))
            held = self._held_at(until, None)
            held = held.filter(pl.col("instrument_id").is_in(options["instrument_id"].implode()))
            expired = options.join(held, on="instrument_id", how="semi")
            died_at = _died_at(expired)
            last = pl.Series("mark_date", [trade_date(died_at[name]) for name in expired["instrument_id"]], pl.Date)
            days = expired.select(pl.col("underlying_instrument_id").alias("instrument_id"), last).unique()
            prices = self._closes(days)
        over = {name: at for name, at in died_at.items() if at <= until}
        mornings = {name for name, root in _roots(expired) if root in MORNING_ROOTS}
        return proposal_rows(expired_options(held, instruments, prices, over, mornings))

    def apply_proposal(self, proposal_id: str, *, day: Day = None, reason: str | None = None) -> Receipt:
        """Book the event of one proposal, as `proposals` gives it; InputError where there is none."""
        known = {row["proposal_id"]: row for row in self.proposals(day).iter_rows(named=True)}
        found = known.get(proposal_id)
        if found is None:
            raise InputError(f"There is no proposal {proposal_id!r}. There are: {', '.join(known) or 'none'}.")
        if found["event"] is None:
            raise InputError(
                f"{proposal_id} proposes nothing for {found['instrument_id']}: {found['reason']}. Record what became "
                "of it, or the mark of its underlying on that day."
            )
        text = reason or EXPIRED_REASON.format(found["reason"])
        return self.record({**json.loads(found["event"]), "reason": text}, source="proposal", reason=text)

    def capital(
        self,
        day: Day = None,
        *,
        account: Names = None,
        as_known: Instant = None,
        buffer: Decimal = BUFFER,
        fork_surplus: Decimal = FORK_SURPLUS,
        merge_value: Decimal = MERGE_VALUE,
    ) -> pl.DataFrame:
        """Return cash buffers, surplus and reached thresholds from the snapshots of a day, else of the last one.

        One row per account and currency; see `positions.CAPITAL`.
        """
        rows = self.account_snapshots(account=account, until=day, as_known=as_known, last=True)
        accounts = self._catalog.frame(f"SELECT * FROM {ACCOUNTS.name}")
        if not rows.height:
            return CAPITAL.empty()
        return capital(rows, accounts, buffer=buffer, fork_surplus=fork_surplus, merge_value=merge_value)

    @asked_again
    def earned(self, day: str | date) -> pl.DataFrame:
        """Return what a trading day has brought, per account and currency: cash, deposits, realized profit ..."""
        wanted = day_of(day)
        with self._catalog.transaction():
            return self._earned(instant_of(wanted - timedelta(days=1)), instant_of(wanted))

    @asked_again
    def expiring(self, day: Day = None, *, sessions: int = 5) -> pl.DataFrame:
        """Return the options of a day's snapshots that expire within some sessions after it, the next ones first.

        Columns of the snapshots, with option_type, strike, expiration, sessions_left, and the newest mark of the
        underlying as underlying_price.
        """
        wanted = closed_session(day, now())
        held = self.snapshots(since=wanted, until=wanted)
        terms = ("instrument_id", "expiration", "option_type", "strike", "underlying_instrument_id")
        with self._catalog.transaction():
            instruments = self._references(self._standing().import_run_id).instruments
            options = held.join(instruments.select(terms), on="instrument_id").filter(pl.col("expiration") > wanted)
            prices = self._marks_at(wanted, None, instruments=options["underlying_instrument_id"].unique())
        days = {each: trading_days_between(wanted, each) for each in options["expiration"].unique()}
        left = pl.col("expiration").replace_strict(days, return_dtype=pl.Int64).alias("sessions_left")
        named = prices.select(
            pl.col("instrument_id").alias("underlying_instrument_id"), pl.col("price").alias("underlying_price")
        )
        near = options.with_columns(left).filter(pl.col("sessions_left") <= sessions)
        rows = near.join(named, on="underlying_instrument_id", how="left", maintain_order="left")
        return rows.sort("expiration", "account_id", "symbol", "instrument_id")

    def maintain(self, *, upkeep: Upkeep | None = None, dry_run: bool = False) -> Maintained:
        """Make files of rows inside the catalog, merge small ones, and remove what is no longer needed.

        Nothing that is read changes. `upkeep` says how long old versions and files are kept; with `dry_run` it is only
        said what would be done. Raises BookBusy, StorageError.
        """
        self._writable()
        return maintain(self._catalog, at=now(), upkeep=upkeep, dry_run=dry_run)

    def nights(self, *, since: Day = None, until: Day = None) -> pl.DataFrame:
        """Return the nights that are done, one row per run: nightly_date, run, sequence, report, recorded_at."""
        keep = pl.lit(True)  # noqa: FBT003  a literal column, not a flag
        if since is not None:
            keep &= pl.col("nightly_date") >= day_of(since)
        if until is not None:
            keep &= pl.col("nightly_date") <= day_of(until)
        return self._catalog.frame(f"SELECT * FROM {NIGHTS.name} ORDER BY nightly_date, run").filter(keep)

    def record_night(self, day: date, report: str) -> None:
        """Note that a night is done, with what it found as JSON."""
        self._writable()

        def prepare(head: Head) -> Batch:
            runs = self._catalog.frame(
                f"SELECT coalesce(max(run), 0) AS run FROM {NIGHTS.name} WHERE nightly_date = CAST(? AS DATE)",
                [day.isoformat()],
            )["run"].item()
            row = {"nightly_date": [day], "run": [int(runs) + 1], "sequence": [head.sequence], "report": [report]}
            return facts_batch("nightly", {NIGHTS.name: pl.DataFrame(row)})

        self._remember(append(self._catalog, prepare, self._index, last_seen=self._head))

    def _closes(self, days: pl.DataFrame) -> pl.DataFrame:
        """Return the newest revisions of the marks of instruments on the days that go with them."""
        with self._catalog.joined(asked_days=days):
            return self._catalog.frame(
                f"SELECT m.instrument_id, m.mark_date, m.price FROM {MARKS.name} m JOIN asked_days a "
                "ON m.instrument_id = a.instrument_id AND m.mark_date = a.mark_date "
                "QUALIFY m.revision = max(m.revision) OVER (PARTITION BY m.instrument_id, m.mark_date)"
            )


def _roots(options: pl.DataFrame) -> list[tuple[str, str]]:
    """Return the root of the OSI symbol of each option."""
    names = options.select("instrument_id", pl.col("contract_symbol").fill_null("").str.slice(0, 6).str.strip_chars())
    return names.rows()


def _died_at(options: pl.DataFrame) -> dict[str, datetime]:
    expirations = dict(options.select("instrument_id", "expiration").rows())
    return {name: expiry_instant(expirations[name], root=root) for name, root in _roots(options)}
