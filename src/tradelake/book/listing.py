"""How a listing is read: its filters, where it stands in time, the folded tail."""

from collections.abc import Sequence
from typing import TypedDict

import polars as pl

from tradelake.book.derive import derive_all
from tradelake.book.read import Day, Filter, Instant, Names, instant_of
from tradelake.book.shelf import Shelf
from tradelake.errors import InputError
from tradelake.store import read_standing
from tradelake.tables import TRADE_LOG, Table


class Filters(TypedDict, total=False):
    """The keyword arguments that every derived listing takes."""

    account: Names
    symbol: Names
    strategy: Names
    since: Day
    until: Day
    as_of: Instant
    as_known: Instant
    view: str
    limit: int | None


class Listing(Shelf):
    """Rows of tables, filtered, at the head or at a past instant."""

    def _derived(self, table: Table, day: str | None, filters: Filters) -> pl.DataFrame:
        check_view(filters.get("view", "tax"))
        wanted = filter_of(filters)
        with self._catalog.transaction():
            rows = self._at(table, wanted, day, as_of=filters.get("as_of"), as_known=filters.get("as_known"))
            if wanted.strategy is not None:
                rows = self._of_strategy(table, rows, wanted)
        limit = filters.get("limit")
        return rows if limit is None else rows.head(limit)

    def _at(
        self, table: Table, wanted: Filter, day: str | None, *, as_of: Instant = None, as_known: Instant = None
    ) -> pl.DataFrame:
        """Return rows of a derived table at the head, or where the two instants ask for."""
        keep = wanted.expression(table.names, day)
        if as_of is None and as_known is None:
            texts, values = wanted.conditions(table.names, day)
            return self._rows(table, where(texts), values, keep)
        derived = derive_all(
            self._catalog,
            self._references(read_standing(self._catalog).import_run_id),
            as_of=None if as_of is None else instant_of(as_of),
            as_known=None if as_known is None else instant_of(as_known),
        )
        return derived.rows(table).filter(keep).sort(*table.sort, *table.key)

    def _of_strategy(self, table: Table, rows: pl.DataFrame, wanted: Filter) -> pl.DataFrame:
        """Return the rows whose opening or closing event belongs to the strategy."""
        texts, values = Filter(strategy=wanted.strategy).conditions(TRADE_LOG.names, None)
        events = self._catalog.frame(f"SELECT sequence FROM {TRADE_LOG.name}{where(texts)}", values)[
            "sequence"
        ].implode()
        columns = [c for c in ("open_sequence", "close_sequence", "sequence") if c in table.names]
        return rows.filter(pl.any_horizontal(pl.col(c).is_in(events) for c in columns))

    def _stored(self, table: Table, wanted: Filter, *, day: str | None, order: str) -> pl.DataFrame:
        texts, values = wanted.conditions(table.names, day)
        return self._catalog.frame(f"SELECT * FROM {table.name}{where(texts)} ORDER BY {order}", values)


def filter_of(filters: Filters) -> Filter:
    """Return what the keyword arguments of a listing restrict it to."""
    names = (filters.get("account"), filters.get("symbol"), filters.get("strategy"))
    return Filter(*names, filters.get("since"), filters.get("until"))


def where(conditions: Sequence[str]) -> str:
    """Return a WHERE clause of the conditions, or nothing."""
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def limited(limit: int | None) -> str:
    """Return a LIMIT clause, or nothing."""
    return "" if limit is None else f" LIMIT {int(limit)}"


def cut(texts: list[str], values: list[object], *, as_of: Instant, as_known: Instant) -> None:
    """Add the conditions of the two instants to conditions and their values."""
    for column, instant in (("executed_at", as_of), ("recorded_at", as_known)):
        if instant is not None:
            texts.append(f"{column} <= CAST(? AS TIMESTAMPTZ)")
            values.append(instant_of(instant).isoformat())


def check_view(view: str) -> None:
    """Raise InputError for a view that this release does not have."""
    if view != "tax":
        raise InputError(f"the view {view!r} is not available; the tax view is the only one of this release.")
