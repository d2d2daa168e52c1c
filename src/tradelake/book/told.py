"""The reader of the trade log: what was told, leg by leg, or as it counts."""

from collections.abc import Sequence
from typing import Literal, Unpack, overload

import polars as pl

from tradelake.book.effective import as_they_count
from tradelake.book.listing import Filters, cut, filter_of, limited, span_of
from tradelake.book.of_position import PositionEvents
from tradelake.book.read import OTHER_COLUMNS, TRADE_COLUMNS, Filter, Names, instant_of, where
from tradelake.book.shelf import asked_again
from tradelake.book.signing import with_filters
from tradelake.store.cold import HOT
from tradelake.tables import ARCHIVED_KINDS, CURE_KINDS, TRADE_LOG


class TradeReaders(PositionEvents):
    """What asks for events of the log."""

    @overload
    def trades(
        self,
        *,
        lazy: Literal[False] = False,
        kinds: Sequence[str] | None = None,
        in_effect: bool = False,
        position: Names = None,
        **filters: Unpack[Filters],
    ) -> pl.DataFrame: ...

    @overload
    def trades(
        self,
        *,
        lazy: Literal[True],
        kinds: Sequence[str] | None = None,
        in_effect: bool = False,
        position: Names = None,
        **filters: Unpack[Filters],
    ) -> pl.LazyFrame: ...

    @with_filters("account", "symbol", "strategy", "since", "until", "as_of", "as_known", "limit")
    def trades(
        self,
        *,
        lazy: bool = False,
        kinds: Sequence[str] | None = None,
        in_effect: bool = False,
        position: Names = None,
        **filters: Unpack[Filters],
    ) -> pl.DataFrame | pl.LazyFrame:
        """Return the trade log, one row per event (cash movements only with `kinds`), in effective order.

        `since` and `until` are trade dates, both included; `as_of` cuts by effective time, `as_known` by knowledge.
        `state` says what cancels and corrects have made of a row: active, cancelled or corrected. With `in_effect` the
        rows are the events as they count: cancelled ones left out, corrected ones corrected, no cures. `position` keeps
        the events that have opened or closed something of these positions, by their ids, open or closed. With `lazy`
        the rows, which are read by this call all the same, come as a lazy frame: Polars plans what follows as a whole.
        Where the rows are more than memory holds, let `book.sql` sum them up: of that only the result is read.

        Example:
            book.trades(account="GEN-1", symbol="NVDA", since="2026-01-01")
            book.trades(position=book.positions().item(0, "position_id"))
        """
        rows = self._traded(kinds, filters, in_effect=in_effect, position=position)
        return rows.lazy() if lazy else rows

    @asked_again
    def _traded(
        self, kinds: Sequence[str] | None, filters: Filters, *, in_effect: bool, position: Names
    ) -> pl.DataFrame:
        wanted, known = filter_of(filters), filters.get("as_known")
        with self._catalog.transaction():
            found = self._states(known)
            cured = self._cured(known) if in_effect and found.height else None
            events = None if position is None else self._events_of(position)["sequence"].unique().to_list()
            if cured is None:
                rows = self._logged(wanted, kinds, filters, events)
            else:
                told = self._logged(wanted, kinds, {**filters, "limit": None}, events)
                rows = _as_wanted(as_they_count(told, cured), wanted, kinds, filters)
        if found.height:
            rows = rows.join(found, on=["trade_id", "leg_id"], how="left", maintain_order="left")
            return rows.with_columns(pl.col("state").fill_null("active"))
        return rows.with_columns(pl.lit("active").alias("state"))

    def _logged(
        self, wanted: Filter, kinds: Sequence[str] | None, filters: Filters, events: Sequence[int] | None
    ) -> pl.DataFrame:
        """Return rows of the log as they were told, in effective order: all, or those of some sequences, *events*."""
        texts, values = wanted.conditions(TRADE_LOG.names, "trade_date")
        if events is not None:
            texts.append(f"sequence IN ({', '.join(map(str, events)) or 'NULL'})")
        if kinds is None:
            texts.append("kind <> 'cash'")
        else:
            texts.append(f"kind IN ({', '.join('?' * len(kinds)) or 'NULL'})")
            values.extend(kinds)
        hot = kinds is not None and set(kinds).isdisjoint(ARCHIVED_KINDS)
        cut(texts, values, as_of=filters.get("as_of"), as_known=filters.get("as_known"))
        span = HOT if hot else span_of(wanted, filters.get("as_of"))
        columns = ", ".join((*TRADE_COLUMNS, *OTHER_COLUMNS))
        order = f"ORDER BY executed_at, sequence{limited(filters.get('limit'))}"
        return self._catalog.frame(f"SELECT {columns} FROM {TRADE_LOG.name}{where(texts)} {order}", values, span)


def _as_wanted(events: pl.DataFrame, wanted: Filter, kinds: Sequence[str] | None, filters: Filters) -> pl.DataFrame:
    """Return the events in effect that a listing asks for, in effective order."""
    keep = wanted.expression(events.columns, "trade_date")
    keep &= pl.col("kind") != "cash" if kinds is None else pl.col("kind").is_in(list(kinds))
    as_of, limit = filters.get("as_of"), filters.get("limit")
    if as_of is not None:
        keep &= pl.col("executed_at") <= instant_of(as_of)
    rows = events.filter(keep & ~pl.col("kind").is_in(CURE_KINDS)).sort("executed_at", "sequence")
    return rows if limit is None else rows.head(limit)
