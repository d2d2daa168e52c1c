"""The readers that add up: profit and loss, the cash ledger, cash balances, the bridge between the two views."""

from collections.abc import Sequence
from contextlib import nullcontext

import polars as pl

from tradelake.book.effective import Cured, as_they_count
from tradelake.book.listing import Listing, ask_instead, cut, span_of
from tradelake.book.past import Past
from tradelake.book.read import Day, Filter, Instant, Names, instant_of, where
from tradelake.book.shelf import asked_again
from tradelake.positions import bridge, cash_ledger, check_by, check_view, in_view, profit, with_sums
from tradelake.store.cold import HOT
from tradelake.tables import (
    CASH_FLOWS,
    CORPORATE_KINDS,
    CURE_KINDS,
    LOTS,
    MATCHES,
    MOVE_KINDS,
    REFUSALS,
    TRADE_LOG,
)

# Their cash is in other accounts and on other days than their row in the log says, so filters come later for them.
FAR_KINDS = (*CORPORATE_KINDS, *MOVE_KINDS, *CURE_KINDS)
# Of a match, what profit is added up from, in either view.
OF_MATCH = (
    "account_id", "symbol", "instrument_id", "currency", "close_date", "side", "proceeds", "cost", "realized_pnl",
    "premium",
)  # fmt: skip
OF_STRATEGY = ("open_sequence", "close_sequence")
SPANS = {"date": "{}", "month": "date_trunc('month', {})", "year": "date_trunc('year', {})"}
# So few events are named in a query, which then reads the files that have them.
NAMED_FEW = 100
NAMED = {"symbol": "symbol", "instrument": "instrument_id", "strategy": "strategy_id"}
LEDGER_SQL = (
    "SELECT sequence, trade_id, kind, account_id, symbol, contract_symbol, instrument_id, strategy_id, currency, "
    f"executed_at, trade_date, commission, fees, net_amount, cash_category FROM {TRADE_LOG.name}"
)


INSTEAD = (
    "Ask from {since} on (since), or for what is kept for all time: profit, dividends, interest, fees and cash by "
    "account alone (pnl by account), and every realized profit in matches."
)


def with_far(select: str, near: Sequence[str], both: Sequence[str] = ()) -> str:
    """Return *select* for events that meet the conditions of *near*, and all that reach far; *both* restrict either.

    Two scans: of an OR the catalog cannot tell which files it reaches. The parameters are those of near, both, both.
    """
    here, there = [f"kind NOT IN {FAR_KINDS}", *near, *both], [f"kind IN {FAR_KINDS}", *both]
    return f"{select}{where(here)} UNION ALL {select}{where(there)}"


class Profits(Listing):
    """Everything that adds up amounts; currencies are never added up."""

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
        """Return realized profit, dividends, interest, fees and cash per group and currency.

        `by` are names out of account, month, year, date, symbol, strategy, instrument; "month" is YYYY-MM of the day on
        which a match was closed or cash moved. `view` is "tax", or "economic": premium is then realized by the option.
        """
        check_view(view)
        by = check_by(by)
        wanted = Filter(account, symbol, strategy, since, until)
        with ask_instead(INSTEAD), self._catalog.transaction():
            past = self._past(as_of, as_known)
            unnamed = Filter(account, symbol, None, since, until)
            with self._catalog.parallel() if unnamed == Filter() else nullcontext():
                ledger, cured = self._ledger(wanted, past, as_of, as_known, by)
                if strategy is not None or "strategy" in by:
                    rows = self._at(MATCHES, unnamed, "close_date", past, (*OF_MATCH, *OF_STRATEGY))
                    matches = self._with_strategies(in_view(MATCHES.name, rows, view), cured)
                elif past is not None:
                    matches = in_view(MATCHES.name, self._at(MATCHES, unnamed, "close_date", past, OF_MATCH), view)
                else:
                    matches = self._match_sums(unnamed, by, view)
        if strategy is not None:
            matches = matches.filter(Filter(strategy=strategy).expression(["strategy_id"], None))
        return profit(matches, ledger, by)

    def _match_sums(self, wanted: Filter, by: Sequence[str], view: str) -> pl.DataFrame:
        """Return what matches at the head have realized, added up by some names, with the number of `matches`."""
        folded = self._folded()
        void, fresh = folded.derived.void(MATCHES), folded.derived.rows(MATCHES)
        added = pl.col("realized_pnl") + (pl.col("premium") if view == "economic" else 0)
        columns = {name: name for name in ("account_id", "currency", *(NAMED[name] for name in NAMED if name in by))}
        days = [SPANS[name].format("close_date") for name in SPANS if name in by]
        if days:
            columns["close_date"] = f"CAST({days[0]} AS DATE)"
        texts, values = wanted.conditions(MATCHES.names, "close_date")
        texts += void.kept("void")
        named = ", ".join(f"{text} AS {name}" for name, text in columns.items())
        with self._catalog.joined(**void.frames("void")):
            stored = self._catalog.frame(
                f"SELECT {named}, sum(realized_pnl) AS realized_pnl, sum(premium) AS premium, count(*) AS matches "
                f"FROM {MATCHES.name}{where(texts)} GROUP BY ALL",
                values,
            )
        one = fresh.filter(wanted.expression(MATCHES.names, "close_date")).with_columns(
            pl.lit(1, dtype=pl.Int64).alias("matches")
        )
        one = one.select(*columns, "realized_pnl", "premium", "matches")
        return pl.concat([stored.cast(one.schema), one]).with_columns(added.cast(MATCHES.schema["realized_pnl"]))

    def _with_strategies(self, matches: pl.DataFrame, cured: Cured | None) -> pl.DataFrame:
        """Return matches with the `strategy_id` of their closing event; the caller holds a transaction.

        What no trade has closed, as an expiry of the broker that names no strategy, is of the strategy that opened it.
        """
        events = self._catalog.frame(f"SELECT sequence, kind, strategy_id FROM {TRADE_LOG.name}")
        if cured is not None:
            events = events.update(cured.effective.select(events.columns), on="sequence", include_nulls=True)
        opening = events.select(pl.col("sequence").alias("open_sequence"), pl.col("strategy_id").alias("opened_for"))
        named = matches.join(events, left_on="close_sequence", right_on="sequence", how="left")
        named = named.join(opening, on="open_sequence", how="left")
        inherited = pl.when(pl.col("kind") != "trade").then("opened_for")
        strategy = pl.coalesce("strategy_id", inherited).alias("strategy_id")
        return named.select(*matches.columns, strategy)

    @asked_again
    def ledger(
        self,
        *,
        account: Names = None,
        symbol: Names = None,
        strategy: Names = None,
        since: Day = None,
        until: Day = None,
        as_of: Instant = None,
        as_known: Instant = None,
    ) -> pl.DataFrame:
        """Return the cash ledger, one row per event that has an effect and account whose cash it moves.

        Amount, charges, dividends and interest; a dividend that is paid on a later day has a row for each day.
        """
        wanted = Filter(account, symbol, strategy, since, until)
        with ask_instead(INSTEAD), self._catalog.transaction():
            ledger, _ = self._ledger(wanted, self._past(as_of, as_known), as_of, as_known)
        return ledger.sort("trade_date", "sequence", "account_id")

    def cash(self, *, account: Names = None, as_of: Instant = None, as_known: Instant = None) -> pl.DataFrame:
        """Return the cash balance per account and currency that all events together give."""
        totals = self.pnl(["account"], account=account, as_of=as_of, as_known=as_known)
        return totals.select("account_id", "currency", "cash")

    @asked_again
    def bridge(self, *, account: Names = None, as_of: Instant = None, as_known: Instant = None) -> pl.DataFrame:
        """Return what the tax and the economic view realized, per account and currency, and what lies between them.

        `difference` is economic less tax; `premium_carried` is the premium of exercised options in open lots. The two
        sum to zero in an account without transfers, and over all accounts.
        """
        wanted = Filter(account)
        with self._catalog.transaction():
            past = self._past(as_of, as_known, wanted)
            return bridge(self._at(MATCHES, wanted, None, past), self._at(LOTS, wanted, None, past))

    def _ledger(
        self, wanted: Filter, past: Past | None, as_of: Instant, as_known: Instant, by: Sequence[str] | None = None
    ) -> tuple[pl.DataFrame, Cured | None]:
        """Return the ledger of the events that count, and the cured ones among them; the caller holds a transaction.

        For sums *by* some names, events that differ in nothing else than their amounts are one row, with their number.
        """
        near, values = wanted.conditions(TRADE_LOG.names, "trade_date")
        cut(near, values, as_of=as_of, as_known=None)
        known: list[str] = []
        since: list[object] = []
        cut(known, since, as_of=None, as_known=as_known)
        flows, refused = (self._at(table, Filter(), None, past) for table in (CASH_FLOWS, REFUSALS))
        span, at = span_of(wanted, as_of), None if as_of is None else instant_of(as_of)
        apart = refused["sequence"]
        # For sums only what counts otherwise than its row of the log says is read one by one.
        few = ", ".join(map(str, apart)) if apart.len() <= NAMED_FEW else "SELECT sequence FROM apart"
        singly = near if by is None else [*near, f"sequence IN ({few or 'NULL'})"]
        with self._catalog.joined(apart=apart.to_frame()):
            if by is not None and not known:
                near_sql = LEDGER_SQL + where([f"kind NOT IN {FAR_KINDS}", *singly])
                events = pl.concat([self._catalog.frame(near_sql, list(values), span), self._far()])
            else:
                query = with_far(LEDGER_SQL, singly, known) if singly else LEDGER_SQL + where(known)
                events = self._catalog.frame(query, [*values, *since, *(since if singly else ())], span)
        cured = self._cured(as_known) if events["kind"].is_in(CURE_KINDS).any() else None
        if cured is not None:
            events = as_they_count(events, cured)
            apart = pl.concat([apart, cured.sequences])
        if at is not None:
            events = events.filter(pl.col("executed_at") <= at)
        ledger = cash_ledger(events, flows.join(events, on="sequence", how="semi"), refused, as_of=at)
        if cured is not None or events["kind"].is_in(FAR_KINDS).any():
            named = ledger.join(events.select("sequence", "contract_symbol"), on="sequence", how="left")
            ledger = named.filter(wanted.expression(named.columns, "trade_date")).select(ledger.columns)
        if by is None:
            return ledger, cured
        own = flows.select("sequence", "account_id", "amount")
        with self._catalog.joined(apart=apart.to_frame(), flows=own):
            sums = self._catalog.frame(_sums_sql(by, [*near, *known]), [*values, *since], span)
        return with_sums(ledger, sums), cured

    def _far(self) -> pl.DataFrame:
        """Return the events of FAR_KINDS, which are never archived; they are looked for in the whole log."""
        far = LEDGER_SQL + where([f"kind IN {FAR_KINDS}"])
        return self._once("far", lambda: self._catalog.frame(far, span=HOT))


def _sums_sql(by: Sequence[str], conditions: Sequence[str]) -> str:
    """Return what adds up the charges and cash of events, all but those `apart` and those of FAR_KINDS."""
    days = [SPANS[name].format("trade_date") for name in SPANS if name in by]
    columns = ["account_id", "kind", "currency", "cash_category", *(NAMED[name] for name in NAMED if name in by)]
    columns += [f"CAST({days[0]} AS DATE) AS trade_date"] if days else []
    others = [f"kind NOT IN {FAR_KINDS}", *conditions, "sequence NOT IN (SELECT sequence FROM apart)"]
    return (
        f"SELECT {', '.join(columns)}, sum(commission) AS commission, sum(fees) AS fees, "
        "sum(net_amount) AS net_amount, sum(coalesce(amount, net_amount)) AS amount, count(*) AS events "
        f"FROM {TRADE_LOG.name} LEFT JOIN flows USING (sequence, account_id){where(others)} GROUP BY ALL"
    )
