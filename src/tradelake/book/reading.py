"""The readers of a book."""

from collections.abc import Sequence
from typing import Literal, Unpack, overload

import polars as pl

from tradelake.book.listing import Filters, Listing, check_view, cut, filter_of, limited, where
from tradelake.book.read import OTHER_COLUMNS, TRADE_COLUMNS, Day, Filter, Instant, Names
from tradelake.positions import cash_ledger, profit
from tradelake.store import Relation, check_read_only
from tradelake.tables import (
    ACCOUNTS,
    CASH_FLOWS,
    DERIVED_TABLES,
    IMPORT_RUNS,
    INSTRUMENTS,
    LOTS,
    MATCHES,
    POSITION_HISTORY,
    POSITIONS,
    REFUSALS,
    SOURCE_RECORDS,
    STRATEGIES,
    TRADE_LOG,
)


class Readers(Listing):
    """Everything that asks a book."""

    def accounts(self) -> pl.DataFrame:
        """Return the books, one row each, by account_id."""
        return self._catalog.frame(f"SELECT * FROM {ACCOUNTS.name} ORDER BY account_id")

    def instruments(self, *, symbol: Names = None) -> pl.DataFrame:
        """Return the instruments, one row each."""
        return self._stored(INSTRUMENTS, Filter(symbol=symbol), day=None, order="instrument_id")

    def strategies(self) -> pl.DataFrame:
        """Return the strategies that events named, one row each."""
        return self._catalog.frame(f"SELECT * FROM {STRATEGIES.name} ORDER BY strategy_id")

    def runs(self) -> pl.DataFrame:
        """Return the commits of the log, oldest first, one row each."""
        return self._catalog.frame(f"SELECT * FROM {IMPORT_RUNS.name} ORDER BY import_run_id")

    def source_records(self, *, outcome: str | None = None) -> pl.DataFrame:
        """Return the broker's own words, one row per record; `outcome` is event, kept, conflict or reject."""
        where, values = ("WHERE outcome = ?", [outcome]) if outcome else ("", [])
        return self._catalog.frame(
            f"SELECT * FROM {SOURCE_RECORDS.name} {where} ORDER BY source_record_id", list(values)
        )

    @overload
    def trades(
        self, *, lazy: Literal[False] = False, kinds: Sequence[str] | None = None, **filters: Unpack[Filters]
    ) -> pl.DataFrame: ...

    @overload
    def trades(
        self, *, lazy: Literal[True], kinds: Sequence[str] | None = None, **filters: Unpack[Filters]
    ) -> pl.LazyFrame: ...

    def trades(
        self, *, lazy: bool = False, kinds: Sequence[str] | None = None, **filters: Unpack[Filters]
    ) -> pl.DataFrame | pl.LazyFrame:
        """Return the trade log, one row per event (cash movements only with `kinds`), in effective order.

        `since` and `until` are trade dates, both included; `as_of` cuts by effective time, `as_known` by knowledge.
        """
        texts, values = filter_of(filters).conditions(TRADE_LOG.names, "trade_date")
        if kinds is None:
            texts.append("kind <> 'cash'")
        else:
            texts.append(f"kind IN ({', '.join('?' * len(kinds)) or 'NULL'})")
            values.extend(kinds)
        cut(texts, values, as_of=filters.get("as_of"), as_known=filters.get("as_known"))
        columns = ", ".join((*TRADE_COLUMNS, *OTHER_COLUMNS))
        order = f"ORDER BY executed_at, sequence{limited(filters.get('limit'))}"
        frame = self._catalog.frame(f"SELECT {columns} FROM {TRADE_LOG.name}{where(texts)} {order}", values)
        return frame.lazy() if lazy else frame

    @overload
    def positions(self, *, lazy: Literal[False] = False, **filters: Unpack[Filters]) -> pl.DataFrame: ...

    @overload
    def positions(self, *, lazy: Literal[True], **filters: Unpack[Filters]) -> pl.LazyFrame: ...

    def positions(self, *, lazy: bool = False, **filters: Unpack[Filters]) -> pl.DataFrame | pl.LazyFrame:
        """Return the open positions, one row per account and instrument.

        Filters as in `trades` (`since` and `until` by the day of opening), and `view`, "tax" for now.
        """
        rows = self._derived(POSITIONS, "open_date", filters)
        return rows.lazy() if lazy else rows

    @overload
    def lots(self, *, lazy: Literal[False] = False, **filters: Unpack[Filters]) -> pl.DataFrame: ...

    @overload
    def lots(self, *, lazy: Literal[True], **filters: Unpack[Filters]) -> pl.LazyFrame: ...

    def lots(self, *, lazy: bool = False, **filters: Unpack[Filters]) -> pl.DataFrame | pl.LazyFrame:
        """Return the open lots, oldest first within their position; filters as in `positions`."""
        rows = self._derived(LOTS, "open_date", filters)
        return rows.lazy() if lazy else rows

    @overload
    def matches(self, *, lazy: Literal[False] = False, **filters: Unpack[Filters]) -> pl.DataFrame: ...

    @overload
    def matches(self, *, lazy: Literal[True], **filters: Unpack[Filters]) -> pl.LazyFrame: ...

    def matches(self, *, lazy: bool = False, **filters: Unpack[Filters]) -> pl.DataFrame | pl.LazyFrame:
        """Return the matches, one row per slice of an opening against a closing event; `since`/`until` by its close."""
        rows = self._derived(MATCHES, "close_date", filters)
        return rows.lazy() if lazy else rows

    @overload
    def history(self, *, lazy: Literal[False] = False, **filters: Unpack[Filters]) -> pl.DataFrame: ...

    @overload
    def history(self, *, lazy: Literal[True], **filters: Unpack[Filters]) -> pl.LazyFrame: ...

    def history(self, *, lazy: bool = False, **filters: Unpack[Filters]) -> pl.DataFrame | pl.LazyFrame:
        """Return the closed positions, one row from flat to flat; `since` and `until` by the day of the close."""
        rows = self._derived(POSITION_HISTORY, "close_date", filters)
        return rows.lazy() if lazy else rows

    @overload
    def refusals(self, *, lazy: Literal[False] = False, **filters: Unpack[Filters]) -> pl.DataFrame: ...

    @overload
    def refusals(self, *, lazy: Literal[True], **filters: Unpack[Filters]) -> pl.LazyFrame: ...

    def refusals(self, *, lazy: bool = False, **filters: Unpack[Filters]) -> pl.DataFrame | pl.LazyFrame:
        """Return the events of the log that have no effect, each with the reason and what to do."""
        rows = self._derived(REFUSALS, None, filters)
        return rows.lazy() if lazy else rows

    def source_of(self, trade_id: str) -> pl.DataFrame:
        """Return the source records, as the broker wrote them, of the event with this trade id."""
        return self._catalog.frame(
            f"SELECT s.* FROM {SOURCE_RECORDS.name} s WHERE s.source_record_id IN "
            f"(SELECT source_record_id FROM {TRADE_LOG.name} WHERE trade_id = ?) ORDER BY s.source_record_id",
            [trade_id],
        )

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
        which a match was closed or cash moved. Currencies are never added up.
        """
        check_view(view)
        wanted = Filter(account, symbol, strategy, since, until)
        texts, values = wanted.conditions(TRADE_LOG.names, "trade_date")
        cut(texts, values, as_of=as_of, as_known=as_known)
        with self._catalog.transaction():
            events = self._catalog.frame(LEDGER_SQL + where(texts), values)
            strategies = self._catalog.frame(f"SELECT sequence AS close_sequence, strategy_id FROM {TRADE_LOG.name}")
            unnamed = Filter(account, symbol, None, since, until)
            matches = self._at(MATCHES, unnamed, "close_date", as_of=as_of, as_known=as_known)
            flows = self._at(CASH_FLOWS, Filter(), None, as_of=as_of, as_known=as_known)
            refused = self._at(REFUSALS, Filter(), None, as_of=as_of, as_known=as_known)
        matches = matches.join(strategies, on="close_sequence", how="left")
        if strategy is not None:
            matches = matches.filter(wanted.expression(["strategy_id"], None))
        return profit(matches, cash_ledger(events, flows, refused), (by,) if isinstance(by, str) else tuple(by))

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
        """Return the cash ledger, one row per event that has an effect: amount, charges, dividends and interest."""
        texts, values = Filter(account, symbol, strategy, since, until).conditions(TRADE_LOG.names, "trade_date")
        cut(texts, values, as_of=as_of, as_known=as_known)
        with self._catalog.transaction():
            events = self._catalog.frame(LEDGER_SQL + where(texts), values)
            flows = self._at(CASH_FLOWS, Filter(), None, as_of=as_of, as_known=as_known)
            refused = self._at(REFUSALS, Filter(), None, as_of=as_of, as_known=as_known)
        return cash_ledger(events, flows, refused).sort("trade_date", "sequence")

    def cash(self, *, account: Names = None, as_of: Instant = None, as_known: Instant = None) -> pl.DataFrame:
        """Return the cash balance per account and currency that all events together give."""
        totals = self.pnl(["account"], account=account, as_of=as_of, as_known=as_known)
        return totals.select("account_id", "currency", "cash")

    def sql(self, query: str) -> Relation:
        """Return a DuckDB relation of one SELECT over the tables of the book; what writes or reads files is refused.

        The derived tables stand at the head of the log. `trades` and `history` are other names of `trade_log` (without
        cash movements) and `position_history`. The rows are read here: they stay as they are whatever is
        written later. Take them with `.pl()` or `.to_arrow_table()`.
        """
        check_read_only(self._catalog.connection, query)
        with self._catalog.transaction():
            derived = self._folded().derived
            tails = {t.name: (derived.rows(t), derived.dropped(t)) for t in DERIVED_TABLES}
            return self._catalog.relation(query, tails)


LEDGER_SQL = (
    "SELECT sequence, trade_id, kind, account_id, symbol, instrument_id, strategy_id, currency, trade_date, "
    f"commission, fees, net_amount, cash_category FROM {TRADE_LOG.name}"
)
