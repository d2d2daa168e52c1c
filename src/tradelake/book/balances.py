"""What accounts have earned and moved between two instants; added up, that is where they stand."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl

from tradelake.book.effective import as_they_count
from tradelake.book.profits import LEDGER_SQL, Profits, with_far
from tradelake.book.read import Day, Filter, Instant, Names, instant_of
from tradelake.book.shelf import asked_again
from tradelake.positions import OF_ACCOUNT, added, cash_ledger, check_view, in_view, profit_to_date, totals_of
from tradelake.store.closing import closed_until, read_closing
from tradelake.store.cold import Span
from tradelake.tables import CASH_FLOWS, CURE_KINDS, MATCHES, REFUSALS

NEAR = timedelta(days=5)
ACCOUNT = ("account_id",)
EVER = datetime(9999, 1, 1, tzinfo=UTC)
EARNED = ("account_id", "symbol", "currency", "realized_pnl", "premium")


class Balances(Profits):
    """Totals per account and currency over a span of time."""

    def _earned(self, after: datetime | None, until: datetime, accounts: Sequence[str] | None = None) -> pl.DataFrame:
        """Return totals (`positions.TOTALS`) of what happened after one instant, up to and with another.

        None for *after* is the beginning, for *accounts* all. What was before the closing of the book is known from
        there. The caller holds a transaction.
        """
        wanted = Filter(accounts)
        closing = read_closing(self._catalog) if after is None else None
        if closing is not None and until >= closing.until:
            before = closing.totals.filter(wanted.expression(ACCOUNT, None))
            return added(before, self._earned(closing.until, until, accounts))
        texts, values = wanted.conditions(ACCOUNT, None)
        keep = wanted.expression(ACCOUNT, None) & _is_within("closed_at", after, until)
        span, instants = _span("closed_at", after, until)
        matches = self._rows(MATCHES, [*texts, *span], [*values, *instants], keep, EARNED)
        ledger = self._moved(after, until, wanted)
        return totals_of(matches, ledger.filter(wanted.expression(ACCOUNT, None)))

    def _moved(self, after: datetime | None, until: datetime, wanted: Filter) -> pl.DataFrame:
        """Return the ledger rows of a span: of events in it, and of dividends of earlier ones that are paid in it."""
        reach = _reach(after, until)
        texts, values = Filter(wanted.account, since=reach.since, until=reach.until).conditions(ACCOUNT, "trade_date")
        span, instants = _span("executed_at", after, until)
        closed = closed_until(self._catalog)
        if after is not None and closed is not None and after >= closed:
            reach = replace(reach, closed=True)
        events = self._catalog.frame(with_far(LEDGER_SQL, [*texts, *span]), [*values, *instants], reach)
        if events["kind"].is_in(CURE_KINDS).any():
            events = as_they_count(events, self._cured(None))
        flows = self._rows(CASH_FLOWS, *_after("effective_at", after), CASH_FLOWS.names)
        inside = events.filter(_is_within("executed_at", after, until))
        due = flows.join(inside.select("sequence"), on="sequence", how="semi")
        ledger = cash_ledger(inside, due, self._rows(REFUSALS), as_of=until)
        if after is None:
            return ledger
        before = events.filter(pl.col("executed_at") <= after).select("sequence")
        paid = flows.filter(pl.col("effective_at") <= until).join(before, on="sequence", how="semi")
        return pl.concat([ledger, _payments(paid, ledger)])

    def _to_date(self, until: datetime, account: Names = None) -> pl.DataFrame:
        """Return totals of all that happened up to and with an instant, and the number of `trades` among them.

        What was before the closing of the book is known from there. The caller holds a transaction.
        """
        keep, closing = Filter(account).expression(ACCOUNT, None), read_closing(self._catalog)
        known, after = [], None
        if closing is not None and until >= closing.until:
            known, after = [closing.totals.filter(keep).select(*OF_ACCOUNT, "trades")], closing.until
        moved = self._moved(after, until, Filter(account)).filter(keep & (pl.col("kind") == "trade"))
        later = moved.group_by(OF_ACCOUNT).agg(pl.len().cast(pl.Int64).alias("trades"))
        trades = pl.concat([*known, later]).group_by(OF_ACCOUNT).agg(pl.col("trades").sum())
        totals = self._earned(None, until, account)
        return totals.join(trades, on=OF_ACCOUNT, how="left").with_columns(pl.col("trades").fill_null(0))

    @asked_again
    def pnl(
        self,
        by: Sequence[str] = ("account", "month"),
        *,
        account: Names = None,
        symbol: Names = None,
        strategy: Names = None,
        since: Day = None,
        until: Day = None,
        as_of: Instant = None,
        as_known: Instant = None,
        view: str = "tax",
    ) -> pl.DataFrame:
        """Return realized profit, dividends, interest, fees and cash per group and currency, as `Profits.pnl` does.

        Where events were deleted since their retention was over, all time is known by account, or of all accounts.
        """
        groups = (by,) if isinstance(by, str) else tuple(by)
        asked = (symbol, strategy, since, until, as_known)
        if set(groups) <= {"account"} and asked == (None,) * len(asked) and closed_until(self._catalog) is not None:
            check_view(view)
            with self._catalog.transaction():
                past = self._past(as_of, as_known)
                matches = in_view(MATCHES.name, self._at(MATCHES, Filter(account), "close_date", past), view)
                totals = self._to_date(EVER if as_of is None else instant_of(as_of), account)
            return profit_to_date(matches, totals, groups)
        return super().pnl(
            groups,
            account=account,
            symbol=symbol,
            strategy=strategy,
            since=since,
            until=until,
            as_of=as_of,
            as_known=as_known,
            view=view,
        )

    @asked_again
    def cash(self, *, account: Names = None, as_of: Instant = None, as_known: Instant = None) -> pl.DataFrame:
        """Return the cash balance per account and currency that all events together give."""
        if as_known is None and closed_until(self._catalog) is not None:
            until = EVER if as_of is None else instant_of(as_of)
            with self._catalog.transaction():
                return self._earned(None, until, account).select("account_id", "currency", "cash")
        return super().cash(account=account, as_of=as_of, as_known=as_known)


def _reach(after: datetime | None, until: datetime) -> Span:
    """Return what events of a span of time can reach of the archive; their trading day is near."""
    since = None if after is None else after.date() - NEAR
    return Span(since=since, until=None if until == EVER else until.date() + NEAR)


def _payments(flows: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """Return cash that is paid after its event as ledger rows; what was earned counted with the event."""
    zero = pl.lit(0, dtype=ledger.schema["amount"])
    rows = flows.with_columns(
        *(zero.alias(name) for name in ("charges", "dividends", "interest", "deposits")),
        *(pl.lit(None, dtype=pl.String).alias(name) for name in ("trade_id", "strategy_id", "kind")),
    )
    return rows.select(ledger.columns)


def _is_within(column: str, after: datetime | None, until: datetime) -> pl.Expr:
    within = pl.col(column) <= until
    return within if after is None else within & (pl.col(column) > after)


def _span(column: str, after: datetime | None, until: datetime) -> tuple[list[str], list[object]]:
    texts, values = [f"{column} <= CAST(? AS TIMESTAMPTZ)"], list[object]([until.isoformat()])
    if after is not None:
        texts.append(f"{column} > CAST(? AS TIMESTAMPTZ)")
        values.append(after.isoformat())
    return texts, values


def _after(column: str, after: datetime | None) -> tuple[list[str], list[object], pl.Expr | None]:
    if after is None:
        return [], [], None
    return [f"{column} > CAST(? AS TIMESTAMPTZ)"], [after.isoformat()], pl.col(column) > after
