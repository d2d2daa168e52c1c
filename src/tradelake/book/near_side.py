"""Our side of a statement at first sight: from the tables of today and the events near its period.

Most statements of most nights agree with the books, and that can be seen without the history of an account. Only where
something differs, or an earlier break waits, its events are read whole and replayed (`trial.py`), which can also say
what would cure the difference. All statements of one period are looked at together.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

import polars as pl

from tradelake.book.effective import as_they_count, read_cured
from tradelake.book.our_events import Scope
from tradelake.book.past import PastReaders
from tradelake.book.profits import with_far
from tradelake.book.read import Filter
from tradelake.book.trial import TOLD, OurSide
from tradelake.reconcile import Side, compare
from tradelake.reconcile.balances import is_close
from tradelake.store import Derived
from tradelake.store.cold import Span
from tradelake.tables import CASH_FLOWS, CURE_KINDS, LOTS, MATCHES, POSITIONS, REFUSALS, TRADE_LOG, Table

Reported = pl.DataFrame | None


class NearSide(OurSide):
    """The books of one broker account as far as a period shows them."""

    def __init__(self, scope: Scope, events: pl.DataFrame, derived: Derived, reported: Reported) -> None:
        self.scope = scope
        self._reported = reported
        self._near = events, derived

    @property
    def seen(self) -> Side:
        """The side; of its cash only the change in the period is right, since earlier movements are not read."""
        return self._side(*self._near)


class NearSides(PastReaders):
    """What shows at first sight whether statements agree with the books; the caller holds a transaction."""

    def _agreeing(self, asked: Sequence[tuple[Scope, Reported, Side]]) -> list[bool]:
        """Return for each scope and the broker's side whether they surely agree; False says that a look is needed."""
        head = self._folded().reached.latest_at
        close = [number for number, (scope, _, _) in enumerate(asked) if scope.as_of >= head]
        agreed = [False] * len(asked)
        if close:
            scopes = [asked[number][0] for number in close]
            events, derived = self._near(scopes)
            for number in close:
                scope, reported, theirs = asked[number]
                agreed[number] = _agree(NearSide(scope, events, derived, reported).seen, theirs)
        return agreed

    def _near(self, scopes: Sequence[Scope]) -> tuple[pl.DataFrame, Derived]:
        """Return the events in effect near the periods of some scopes, and what is open now or was closed since."""
        wanted = Filter(sorted({name for scope in scopes for name in scope.books}))
        first = min(scope.first - scope.beyond for scope in scopes)
        last = max(scope.until + scope.beyond for scope in scopes)
        since = datetime.combine(first, time(), UTC)
        derived = Derived(
            positions=self._at(POSITIONS, wanted, None, None),
            lots=self._at(LOTS, wanted, None, None),
            matches=self._after(MATCHES, "closed_at", since, wanted),
            cash_flows=self._after(CASH_FLOWS, "effective_at", since, wanted),
            refusals=self._rows(REFUSALS),
        )
        return self._events_near(wanted, first, last), derived

    def _after(self, table: Table, column: str, since: datetime, wanted: Filter) -> pl.DataFrame:
        texts, values = wanted.conditions(["account_id"], None)
        keep = wanted.expression(["account_id"], None) & (pl.col(column) >= since)
        return self._rows(table, [*texts, f"{column} >= CAST(? AS TIMESTAMPTZ)"], [*values, since.isoformat()], keep)

    def _events_near(self, wanted: Filter, first: date, last: date) -> pl.DataFrame:
        """Return the events of books on days near a period, and those that reach far, in effect."""
        near = replace(wanted, since=first, until=last)
        texts, values = near.conditions(["account_id"], "trade_date")
        query = with_far(f"SELECT {', '.join(TOLD)} FROM {TRADE_LOG.name}", texts)
        rows = self._catalog.frame(query, values, Span(since=first, until=last)).cast(TOLD)
        if not rows["kind"].is_in(CURE_KINDS).any():
            return rows
        instruments = self._references(self._standing().import_run_id).instruments
        return as_they_count(rows, read_cured(self._catalog, instruments))


def _agree(ours: Side, theirs: Side) -> bool:
    """Return whether nothing differs, cash judged by its change in the period alone."""
    changes = {} if ours.cash is None else dict(ours.cash.select("currency", "change").iter_rows())
    told = () if theirs.cash is None else theirs.cash.select("currency", "change").iter_rows()
    if any(change is None or not is_close(changes.get(currency, Decimal(0)), change) for currency, change in told):
        return False
    return not compare(replace(ours, cash=None), theirs).differences
