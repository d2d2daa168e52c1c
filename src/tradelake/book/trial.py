"""Our side of a reconciliation: what the books of one broker account did and hold, as it is or as it would be.

The events of these books are read once, and everything follows from them in memory: with some rows on trial our side
is what it would be if they had been recorded. They pass the same doors as real ones (intake, the book's rules, the
log's keys, cures), and nothing is written.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property

import polars as pl

from tradelake.book.closing import derive_after
from tradelake.book.cures import LoggedCures
from tradelake.book.derive import EVENT_COLUMNS, EVENT_SCHEMA, matched_kinds
from tradelake.book.our_events import Scope, executions_of, near_parts, our_events, parts_of
from tradelake.book.reach import Reaching
from tradelake.book.receive import receive
from tradelake.book.sources import parse_rows
from tradelake.book.start import standing_accounts
from tradelake.lots import in_effect
from tradelake.positions import cash_ledger
from tradelake.reconcile import CASH, LOTS, POSITIONS, REALIZED, Row, Side, Split
from tradelake.sessions import trade_date_of
from tradelake.store import Catalog, Derived, KeyIndex, References
from tradelake.store.classify import classify
from tradelake.store.closing import Closing, read_closing
from tradelake.store.cold import HOT, Span
from tradelake.store.keys import with_keys
from tradelake.store.records import details_with_execution
from tradelake.tables import CURE_KINDS, HEAD, INCOMING, TRADE_LOG

ACCOUNTS = ("account_id", "to_account_id")
MOVES = f"SELECT DISTINCT account_id, to_account_id FROM {TRADE_LOG.name} WHERE to_account_id IS NOT NULL"
RENAMED = f"SELECT account_id, details FROM {TRADE_LOG.name} WHERE kind = 'correct' AND details LIKE '%account_id%'"
# What an event says, without what the log adds to it.
TOLD = pl.Schema({name: TRADE_LOG.schema[name] for name in ("sequence", *INCOMING.names) if name in TRADE_LOG.schema})
REPORTED = ["executed_at", "currency", "net_amount"]


class OurSide:
    """The books of one broker account, from their events; the caller holds a transaction.

    *reported* are events of the broker from outside the period, rows of INCOMING: their cash is in its balances of it.
    `closing` is where the books start from, where their first events were deleted.
    """

    closing: Closing | None = None

    def __init__(
        self,
        catalog: Catalog,
        references: References,
        index: KeyIndex,
        scope: Scope,
        *,
        reported: pl.DataFrame | None = None,
    ) -> None:
        self._catalog = catalog
        self._index = index
        self.references = references
        self.scope = scope
        self._reported = reported
        self.closing = read_closing(catalog)
        self.told = self._read()

    def _read(self) -> pl.DataFrame:
        """Return the log's rows of these books, of all that moved anything into them, and of no account."""
        pairs = [pair for pair in self._catalog.frame(MOVES, span=HOT).iter_rows() if None not in pair]
        for account, details in self._catalog.frame(RENAMED, span=HOT).iter_rows():
            pairs += [(account, other) for name, other in json.loads(details)["set"].items() if name in ACCOUNTS]
        wanted = set(self.scope.books)
        while more := {name for pair in pairs if not wanted.isdisjoint(pair) for name in pair} - wanted:
            wanted |= more
        books = pl.DataFrame({"account_id": sorted(wanted)}, schema={"account_id": pl.String})
        with self._catalog.joined(trial_books=books):
            rows = self._catalog.frame(
                f"SELECT {', '.join(TOLD)} FROM {TRADE_LOG.name} WHERE account_id IS NULL "
                "OR account_id IN (SELECT account_id FROM trial_books)",
                span=Span(families=books, closed=True),
            )
        return rows.cast(TOLD)

    @cached_property
    def events(self) -> pl.DataFrame:
        """The events in effect, rows of the log in their order."""
        return in_effect(self.told, self.references.instruments)

    @cached_property
    def derived(self) -> Derived:
        """What follows from the events up to the last day."""
        return self._derive(self.told, self.events, self.references)

    @cached_property
    def side(self) -> Side:
        """Our side as it is."""
        return self._side(self.events, self.derived)

    def suppose(self, rows: Sequence[Row]) -> Side:
        """Return our side as it would be if some rows had been recorded; refused ones change nothing."""
        # A row without any id might be taken for one of the log that looks the same: on trial it is another one.
        named = [
            {**row, "trade_id": row.get("trade_id") or (None if row.get("broker_execution_id") else f"trial-{number}")}
            for number, row in enumerate(rows)
        ]
        at, known = self.scope.as_of, self.references
        received = receive(parse_rows(named, name="trial").events, known, source="trial", recorded_at=at)
        cures = LoggedCures(self._catalog, known, received, source="trial", recorded_at=at, on_trial=True)
        accepted = classify(self._catalog, with_keys(received.events), self._index, cures).accepted
        fresh = pl.concat([received.new_instruments, cures.new_instruments]).unique("instrument_id", keep="first")
        references = replace(
            known,
            instruments=pl.concat([known.instruments, fresh]),
            accounts=pl.concat([known.accounts, received.new_accounts]),
        )
        told = pl.concat([self.told, self._logged(accepted)])
        events = in_effect(told, references.instruments)
        return self._side(events, self._derive(told, events, references))

    def _logged(self, accepted: pl.DataFrame) -> pl.DataFrame:
        """Return accepted events as told ones, after all others."""
        last = self._catalog.frame(f"SELECT sequence AS last FROM {HEAD.name}")["last"].item()
        sequence = (pl.int_range(1, pl.len() + 1, dtype=pl.Int64) + last).alias("sequence")
        rows = accepted.with_columns(details_with_execution().alias("details"), sequence)
        return rows.select(TOLD.names()).cast(TOLD)

    def _derive(self, told: pl.DataFrame, events: pl.DataFrame, references: References) -> Derived:
        reaching = Reaching(EVENT_SCHEMA)
        deciding = told.filter(pl.col("kind").is_in(("fork", "merge", *CURE_KINDS)))
        reaching.add(deciding.select(EVENT_COLUMNS).sort("sequence"), references.instruments, reached=0)
        standing = standing_accounts(references, reaching)
        matched = matched_kinds(events.filter(pl.col("executed_at") <= self.scope.as_of), standing)
        matched = matched.select(*EVENT_COLUMNS, "phase")
        return derive_after(self._catalog, references, matched, as_of=self.scope.as_of)

    def _side(self, events: pl.DataFrame, derived: Derived) -> Side:
        mine = self.scope.mine
        held = mine(derived.positions).group_by("instrument_id").agg(pl.col("quantity").sum())
        opened = trade_date_of(pl.col("opened_at")).alias("open_date")
        lots = mine(derived.lots).with_columns(opened).group_by("instrument_id", "open_date")
        sums = mine(derived.matches).group_by(pl.col("close_sequence").alias("sequence"))
        of_events = sums.agg(pl.col("realized_pnl").sum())
        realized = near_parts(self.scope, events).join(of_events, on="sequence").group_by("ref")
        return Side(
            until=self.scope.until,
            executions=our_events(self.scope, events, derived),
            sections=frozenset(("executions", "actions", "cash")),
            positions=held.filter(pl.col("quantity") != 0).select(POSITIONS.names()),
            lots=lots.agg(pl.col("quantity", "cost_basis").sum()).select(LOTS.names()),
            cash=self._cash(events, derived),
            realized=realized.agg(pl.col("realized_pnl").sum()).select(REALIZED.names()),
        )

    def _cash(self, events: pl.DataFrame, derived: Derived) -> pl.DataFrame:
        """Return what cash changed by in the period, and the balances at its end."""
        ledger = self.scope.mine(cash_ledger(events, derived.cash_flows, derived.refusals, as_of=self.scope.as_of))
        inside = self.scope.inside
        closing = self.closing
        before = [] if closing is None else [self.scope.mine(closing.totals).select("currency", ending="cash")]
        if closing is not None:
            later = events.filter(pl.col("executed_at") > closing.until)["sequence"].implode()
            paid = pl.col("trade_date") > closing.until.date()
            ledger = ledger.filter(pl.col("sequence").is_in(later) | paid)
        if self._reported is not None and self._reported.height:
            late = events.filter(pl.col("kind") == "cash").join(self._reported, on=REPORTED, how="semi")
            inside |= pl.col("sequence").is_in(late["sequence"].implode())
        sums = ledger.filter(pl.col("trade_date") <= self.scope.until).group_by("currency")
        amount = pl.col("amount")
        moved = sums.agg(amount.filter(inside).sum().alias("change"), amount.sum().alias("ending"))
        if not before:
            return moved.select(CASH.names())
        both = pl.concat([moved, *before], how="diagonal").group_by("currency")
        return both.agg(pl.col("change", "ending").sum()).select(CASH.names())

    def splits(self) -> list[Split]:
        """Return the splits for these books up to the last day."""
        rows = self.events.filter((pl.col("kind") == "split") & self.scope.own)
        rows = rows.filter(pl.col("executed_at") <= self.scope.as_of)
        columns = ("details", "trade_id", "leg_id", "instrument_id", "executed_at")
        found = []
        for details, trade_id, leg_id, instrument_id, executed_at in rows.select(columns).iter_rows():
            ratio = json.loads(details)["ratio"]
            found.append(Split(trade_id, leg_id, instrument_id, executed_at, Fraction(ratio), ratio))
        return found

    def idle_instruments(self) -> frozenset[str]:
        """Return the instruments of events that have no effect."""
        refused = self.scope.mine(self.derived.refusals)["sequence"].implode()
        return frozenset(self.events.filter(pl.col("sequence").is_in(refused))["instrument_id"].drop_nulls())

    def executions_with(self, broker_execution_ids: Sequence[str]) -> pl.DataFrame:
        """Return our executions that have one of some ids, of whatever day."""
        events = self.events.filter(pl.col("broker_execution_id").is_in(list(broker_execution_ids)))
        return executions_of(self.scope, parts_of(self.scope, events), self.derived)
