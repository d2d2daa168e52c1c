"""How a listing is read: its filters, where it stands in time, the folded tail."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import TypedDict

import polars as pl

from tradelake.book.marks import marks_at
from tradelake.book.past import PastReaders
from tradelake.book.read import Day, Filter, Instant, Names, instant_of, names, where
from tradelake.book.shelf import asked_again
from tradelake.errors import DeletedError
from tradelake.positions import check_view, in_view, with_marks
from tradelake.sessions import NEW_YORK, is_session, session_close, trade_date
from tradelake.store.cold import Span
from tradelake.tables import POSITIONS, TRADE_LOG, Table

EARLIEST_CLOSE, LATEST_CLOSE = time(12), time(16)


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


class Listing(PastReaders):
    """Rows of tables, filtered, at the head or at a past instant."""

    @asked_again
    def _derived(self, table: Table, day: str | None, filters: Filters) -> pl.DataFrame:
        view = filters.get("view", "tax")
        check_view(view)
        wanted = filter_of(filters)
        with self._catalog.transaction():
            past = self._past(filters.get("as_of"), filters.get("as_known"), wanted)
            rows = self._at(table, wanted, day, past)
            if wanted.strategy is not None:
                rows = self._of_strategy(table, rows, wanted)
            limit = filters.get("limit")
            rows = in_view(table.name, rows if limit is None else rows.head(limit), view)
            return self._marked(rows, filters.get("as_of"), filters.get("as_known")) if table == POSITIONS else rows

    def _marked(self, positions: pl.DataFrame, as_of: Instant, as_known: Instant) -> pl.DataFrame:
        """Return open positions at the newest marks that there were, and that were known; in a transaction."""
        if as_of is None and as_known is None:
            return with_marks(positions, self._newest_marks())
        day = None if as_of is None else _last_close(instant_of(as_of))
        known = None if as_known is None else instant_of(as_known)
        held = positions["instrument_id"].unique()
        return with_marks(positions, marks_at(self._catalog, day, known, instruments=held))

    def _newest_marks(self) -> pl.DataFrame:
        """Return the newest mark of each instrument; they are read again when a commit has brought some."""
        run = self._standing().import_run_id
        if self._prices is None or self._prices[0] != run:
            self._prices = run, marks_at(self._catalog, None, None)
        return self._prices[1]

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


def _last_close(at: datetime) -> date:
    """Return the last day whose session had closed by an instant."""
    day, time_of_day = trade_date(at), at.astimezone(NEW_YORK).time()
    if time_of_day >= LATEST_CLOSE:
        return day
    # The calendar is asked only where an early close can matter.
    closed = time_of_day >= EARLIEST_CLOSE and is_session(day) and at >= session_close(day)
    return day if closed else day - timedelta(days=1)


def filter_of(filters: Filters) -> Filter:
    """Return what the keyword arguments of a listing restrict it to."""
    names = (filters.get("account"), filters.get("symbol"), filters.get("strategy"))
    return Filter(*names, filters.get("since"), filters.get("until"))


def limited(limit: int | None) -> str:
    """Return a LIMIT clause, or nothing."""
    return "" if limit is None else f" LIMIT {int(limit)}"


@contextmanager
def ask_instead(text: str) -> Iterator[None]:
    """Say in a DeletedError of the block what to ask instead; `{since}` is the first day that has nothing deleted."""
    try:
        yield
    except DeletedError as error:
        raise DeletedError(error.what, text.format(since=error.since), error.since) from error


def span_of(wanted: Filter, as_of: Instant) -> Span:
    """Return what rows of the log between two days, and by an instant, can reach of the archive."""
    since, until = wanted.days
    # A trading day begins on the evening before, and a correction never reaches what is archived.
    last = None if as_of is None else instant_of(as_of).date() + timedelta(days=5)
    accounts = None if wanted.account is None else pl.DataFrame({"account_id": names(wanted.account)})
    bounds = [day for day in (until, last) if day is not None]
    return Span(since=since, until=min(bounds, default=None), families=accounts)


def cut(texts: list[str], values: list[object], *, as_of: Instant, as_known: Instant) -> None:
    """Add the conditions of the two instants to conditions and their values."""
    for column, instant in (("executed_at", as_of), ("recorded_at", as_known)):
        if instant is not None:
            texts.append(f"{column} <= CAST(? AS TIMESTAMPTZ)")
            values.append(instant_of(instant).isoformat())
