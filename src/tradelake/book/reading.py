"""The readers of a book."""

from collections.abc import Sequence
from typing import Literal, Unpack, overload

import polars as pl

from tradelake.book.listing import Filters, ask_instead
from tradelake.book.read import Filter, Names
from tradelake.book.shelf import asked_again
from tradelake.book.signing import with_filters
from tradelake.book.told import TradeReaders
from tradelake.errors import DeletedError
from tradelake.store import PAST_SUFFIX, PastCall, Relation, check_read_only, relation
from tradelake.store.closing import was_deleted
from tradelake.store.cold import CLOSED, HOT, Span
from tradelake.tables import (
    ACCOUNTS,
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

SOURCE_GONE = "What the broker wrote of it is gone; matches and history say what followed from it."
SQL_INSTEAD = (
    "SQL over the log or its records (trade_log, trades, source_records) is about all of it, whatever its WHERE says. "
    "Ask `trades` from {since} on (since), or SQL over positions, lots, matches, history, cash_flows, refusals and "
    "snapshots, which are kept for all time."
)


class Readers(TradeReaders):
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
    def positions(self, *, lazy: Literal[False] = False, **filters: Unpack[Filters]) -> pl.DataFrame: ...

    @overload
    def positions(self, *, lazy: Literal[True], **filters: Unpack[Filters]) -> pl.LazyFrame: ...

    @with_filters("account", "symbol", "strategy", "since", "until", "as_of", "as_known", "view", "limit")
    def positions(self, *, lazy: bool = False, **filters: Unpack[Filters]) -> pl.DataFrame | pl.LazyFrame:
        """Return the open positions, one row per account and instrument.

        Filters as in `trades` (`since` and `until` by the day of opening), and `view`: "tax", where the premium of an
        exercised option is in the cost of the stock, or "economic", where the option has earned it. With `lazy` the
        rows, which are read by this call all the same, come as a lazy frame.

        Example:
            book.positions(account="GEN-1", as_of="2026-03-31", view="economic")
        """
        rows = self._derived(POSITIONS, "open_date", filters)
        return rows.lazy() if lazy else rows

    @overload
    def lots(self, *, lazy: Literal[False] = False, **filters: Unpack[Filters]) -> pl.DataFrame: ...

    @overload
    def lots(self, *, lazy: Literal[True], **filters: Unpack[Filters]) -> pl.LazyFrame: ...

    @with_filters("account", "symbol", "strategy", "since", "until", "as_of", "as_known", "view", "limit")
    def lots(self, *, lazy: bool = False, **filters: Unpack[Filters]) -> pl.DataFrame | pl.LazyFrame:
        """Return the open lots, oldest first within their position; filters as in `positions`.

        Example:
            book.lots(symbol=["NVDA", "KO"])
        """
        rows = self._derived(LOTS, "open_date", filters)
        return rows.lazy() if lazy else rows

    @overload
    def matches(self, *, lazy: Literal[False] = False, **filters: Unpack[Filters]) -> pl.DataFrame: ...

    @overload
    def matches(self, *, lazy: Literal[True], **filters: Unpack[Filters]) -> pl.LazyFrame: ...

    @with_filters("account", "symbol", "strategy", "since", "until", "as_of", "as_known", "view", "limit")
    def matches(self, *, lazy: bool = False, **filters: Unpack[Filters]) -> pl.DataFrame | pl.LazyFrame:
        """Return the matches, one row per slice of an opening against a closing event; `since`/`until` by its close.

        Example:
            book.matches(since="2026-01-01", until="2026-12-31").filter(pl.col("term") == "LT")
        """
        rows = self._derived(MATCHES, "close_date", filters)
        return rows.lazy() if lazy else rows

    @overload
    def history(self, *, lazy: Literal[False] = False, **filters: Unpack[Filters]) -> pl.DataFrame: ...

    @overload
    def history(self, *, lazy: Literal[True], **filters: Unpack[Filters]) -> pl.LazyFrame: ...

    @with_filters("account", "symbol", "strategy", "since", "until", "as_of", "as_known", "view", "limit")
    def history(self, *, lazy: bool = False, **filters: Unpack[Filters]) -> pl.DataFrame | pl.LazyFrame:
        """Return the closed positions, one row from flat to flat; `since` and `until` by the day of the close.

        Example:
            book.history(account="REV-1", symbol="KO").select("contract_symbol", "realized_pnl")
        """
        rows = self._derived(POSITION_HISTORY, "close_date", filters)
        return rows.lazy() if lazy else rows

    @overload
    def refusals(self, *, lazy: Literal[False] = False, **filters: Unpack[Filters]) -> pl.DataFrame: ...

    @overload
    def refusals(self, *, lazy: Literal[True], **filters: Unpack[Filters]) -> pl.LazyFrame: ...

    @with_filters("account", "symbol", "strategy", "as_of", "as_known", "limit")
    def refusals(self, *, lazy: bool = False, **filters: Unpack[Filters]) -> pl.DataFrame | pl.LazyFrame:
        """Return the events of the log that have no effect, each with the reason and what to do.

        Example:
            book.refusals(account="GEN-1")
        """
        rows = self._derived(REFUSALS, None, filters)
        return rows.lazy() if lazy else rows

    @asked_again
    def source_of(self, trade_id: str) -> pl.DataFrame:
        """Return the source records, as the broker wrote them, of the event with this trade id, if there is one.

        Raises DeletedError where the event, or its records, were deleted when their retention was over.
        """
        with ask_instead(SOURCE_GONE), self._catalog.transaction():
            told = f"SELECT source_record_id, trade_date FROM {TRADE_LOG.name} WHERE trade_id = ?"
            events = self._catalog.frame(told, [trade_id], CLOSED)
            if not events.height and was_deleted(self._catalog, trade_id):
                raise DeletedError(f"The event {trade_id!r} was deleted when its retention was over.", SOURCE_GONE)
            days = events["trade_date"].to_list()
            span = Span(since=min(days), until=max(days)) if days else HOT
            records = f"SELECT * FROM {SOURCE_RECORDS.name} SEMI JOIN told USING (source_record_id)"
            with self._catalog.joined(told=events):
                return self._catalog.frame(f"{records} ORDER BY source_record_id", span=span)

    @asked_again
    def sql(self, query: str) -> Relation:
        """Return a DuckDB relation of one SELECT over the tables of the book; what writes or reads files is refused.

        The derived tables stand at the head of the log. `trades` and `history` are other names of `trade_log` (without
        cash movements) and `position_history`. The rows are read here: they stay as they are whatever is
        written later. Take them with `.pl()` or `.to_arrow_table()`. `positions_at(as_of, as_known)` and its like for
        trades, lots, matches, history, refusals, ledger, pnl, cash, chains and chain_positions are table macros that
        ask for the past, with a day or an instant as text, or NULL for none.
        """
        calls = check_read_only(self._catalog, query)
        with self._catalog.transaction():
            derived = self._folded().derived
            tails = {t.name: (derived.rows(t), derived.void(t)) for t in DERIVED_TABLES}
            pasts = self._pasts(calls)
            with ask_instead(SQL_INSTEAD):
                return relation(self._catalog, query, tails, pasts)

    def _pasts(self, calls: Sequence[PastCall]) -> dict[str, pl.DataFrame]:
        """Return what table macros give, by their names, with the instants that each row is for."""
        pasts: dict[str, pl.DataFrame] = {}
        for call in calls:
            rows: pl.DataFrame = getattr(self, call.listing)(as_of=call.as_of, as_known=call.as_known)
            keys = zip(("_as_of", "_as_known"), call.keys, strict=True)
            rows = rows.with_columns(pl.lit(key, dtype=pl.String).alias(name) for name, key in keys)
            name = call.listing + PAST_SUFFIX
            pasts[name] = pl.concat([pasts[name], rows]) if name in pasts else rows
        return pasts
