"""Days and instants of an exchange: which date an instant belongs to, when a session closes, when an option dies.

The trading day is the calendar date in New York, so 00:30 UTC belongs to the day before. Which days are sessions, and
when they close, says the calendar of a venue, named by its ISO 10383 code: New York stocks (XNYS) where none is named.
Half days close at 13:00. A calendar reaches from FIRST to LAST; asking for a day outside raises InputError. It is
made when it is first asked for, which takes about a second, and kept: what only needs the time zone never waits for it.

This module knows no clock: every function maps what it is given. Time zone data comes from the operating system or from
the `tzdata` package for the scalars, and from Polars itself for the expressions.
"""

import warnings
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

import polars as pl

from tradelake.errors import InputError, InvariantError

NEW_YORK = ZoneInfo("America/New_York")
VENUE = "XNYS"
FIRST, LAST = date(1990, 1, 2), date(2040, 12, 31)
OPEN = time(9, 30)
INSTANT = pl.Datetime("us", "UTC")
Settles = Literal["AM", "PM"]

# Roots of index options that are settled at the open of their last day; every other root settles at the close, SPXW,
# NDXP, RUTW, XSP, MRUT, OEX and XEO among them. Source: the product specifications of Cboe (SPX, RUT, VIX, DJX, RUI,
# RLG, RLV: "last trading day ... the business day preceding the day on which the exercise-settlement value is
# calculated", from opening prices) and of Nasdaq (NDX). The weeklies VIXW settle as VIX does.
MORNING_ROOTS = frozenset(("SPX", "NDX", "RUT", "VIX", "VIXW", "DJX", "RUI", "RLG", "RLV"))


def trade_date(instant: datetime) -> date:
    """Return the New York calendar date of an aware instant; raise InvariantError for a naive one."""
    return _aware(instant).astimezone(NEW_YORK).date()


def trade_date_of(instants: pl.Expr) -> pl.Expr:
    """Return the New York calendar dates of an expression of instants with a time zone."""
    return instants.dt.convert_time_zone(NEW_YORK.key).dt.date()


def anniversary_of(opened: pl.Expr) -> pl.Expr:
    """Return the first anniversaries of days: a lot sold later than that is long term (Rev. Rul. 66-7).

    It is the same day of the next year; of the last day of a month, the last day of that month.
    """
    day = pl.duration(days=1)
    month_end = opened == opened.dt.month_end()
    return pl.when(month_end).then((opened + day).dt.offset_by("1y") - day).otherwise(opened.dt.offset_by("1y"))


def from_new_york(wall: datetime) -> datetime:
    """Return the instant in UTC of a New York wall time without time zone.

    In spring, when 02:00 to 03:00 does not exist, a time in that hour is read with the offset before the
    change: 02:30 is 03:30 EDT. In autumn, when 01:00 to 02:00 comes twice, the first one (EDT) is meant,
    unless the `fold` of *wall* is 1. Raises InvariantError for a time that has a time zone already.
    """
    if wall.tzinfo is not None:
        raise InvariantError(f"{wall.isoformat()} has a time zone, a wall time was expected")
    return wall.replace(tzinfo=NEW_YORK).astimezone(UTC)


def is_session(day: date, *, venue: str = VENUE) -> bool:
    """Return whether the venue trades on *day*."""
    days = _calendar_at(day, venue).days
    return days[bisect_left(days, day, hi=len(days) - 1)] == day


def sessions_between(first: date, last: date, *, venue: str = VENUE) -> list[date]:
    """Return the sessions from *first* to *last*, both included."""
    _calendar_at(last, venue)
    days = _calendar_at(first, venue).days
    return list(days[bisect_left(days, first) : bisect_right(days, last)])


def session_on_or_before(day: date, *, venue: str = VENUE) -> date:
    """Return *day* where it is a session, else the last one before it."""
    calendar = _calendar_at(day, venue)
    return calendar.days[calendar.before(day)]


def previous_session(day: date, *, venue: str = VENUE) -> date:
    """Return the last session before *day*, which need not be one itself."""
    return session_on_or_before(day - timedelta(days=1), venue=venue)


def closed_session(instant: datetime, *, venue: str = VENUE) -> date:
    """Return the last session that had closed at an instant: the day of its newest prices."""
    calendar = _calendar_at(trade_date(instant), venue)
    place = bisect_right(calendar.closes, instant) - 1
    if place < 0:
        raise _outside(trade_date(instant))
    return calendar.days[place]


def next_session(day: date, *, venue: str = VENUE) -> date:
    """Return the first session after *day*, which need not be one itself."""
    days = _calendar_at(day, venue).days
    place = bisect_right(days, day)
    if place == len(days):
        raise _outside(day + timedelta(days=1))
    return days[place]


def trading_days_between(start: date, end: date, *, venue: str = VENUE) -> int:
    """Return how many sessions there are after *start*, up to and with *end*; 0 where *end* is not after *start*.

    That is the age in trading days, at *end*, of what came up on *start*: from Friday to Monday it is 1.
    """
    _calendar_at(start, venue)
    days = _calendar_at(end, venue).days
    return max(0, bisect_right(days, end) - bisect_right(days, start))


def session_close(day: date, *, venue: str = VENUE) -> datetime:
    """Return the close of the session of *day* as an instant in UTC; InputError for a day that is no session."""
    calendar = _calendar_at(day, venue)
    place = calendar.before(day)
    if calendar.days[place] != day:
        near = f"{calendar.days[place]} before it and {next_session(day, venue=venue)} after it"
        raise InputError(f"{day} is no session of {venue}. Ask for one of the sessions next to it: {near}.")
    return calendar.closes[place]


def session_close_of(days: pl.Expr) -> pl.Expr:
    """Return the closes in New York of an expression of dates as instants in UTC; null for days without a session."""
    sessions, closes = _closes_by_session()
    return days.replace_strict(sessions, closes, default=None, return_dtype=INSTANT)


def expiry(expiration: date) -> datetime:
    """Return the instant at which an option on a stock or fund dies."""
    return expiry_instant(expiration)


def expiry_of(expirations: pl.Expr) -> pl.Expr:
    """Return the instants at which options on stocks die, from an expression of their expirations; else null."""
    days, closes = _closes_by_day()
    return expirations.replace_strict(days, closes, default=None, return_dtype=INSTANT)


def expiry_instant(expiration: date, *, root: str = "", settles: Settles | None = None, venue: str = VENUE) -> datetime:
    """Return the instant at which an option dies, in UTC.

    That is the close of the session of its expiration, or of the session before where the expiration is none: a Good
    Friday, or one of the Saturdays on which options expired until 2015. What settles in the morning dies at the open of
    that session, 09:30 in New York. *root* is the root of its OSI symbol, which tells SPX from SPXW; *settles* says
    what no root tells.
    """
    day = session_on_or_before(expiration, venue=venue)
    if _settles_in_the_morning(root, settles):
        return datetime.combine(day, OPEN, NEW_YORK).astimezone(UTC)
    return session_close(day, venue=venue)


def last_trading_session(
    expiration: date, *, root: str = "", settles: Settles | None = None, venue: str = VENUE
) -> date:
    """Return the last session on which an option trades: the one before where it settles in the morning."""
    day = session_on_or_before(expiration, venue=venue)
    return previous_session(day, venue=venue) if _settles_in_the_morning(root, settles) else day


def _settles_in_the_morning(root: str, settles: Settles | None) -> bool:
    return settles == "AM" if settles is not None else root.strip().upper() in MORNING_ROOTS


@dataclass(frozen=True, slots=True)
class _Calendar:
    """The sessions of a venue in order, and the close of each in UTC."""

    days: tuple[date, ...]
    closes: tuple[datetime, ...]

    def before(self, day: date) -> int:
        """Return the place of the last session on or before a day; InputError before the first one."""
        place = bisect_right(self.days, day) - 1
        if place < 0:
            raise _outside(day)
        return place


def _calendar_at(day: date, venue: str) -> _Calendar:
    if not FIRST <= day <= LAST:
        raise _outside(day)
    return _calendar(venue)


@cache
def _calendar(venue: str) -> _Calendar:
    import exchange_calendars  # type: ignore[import-untyped]

    try:
        with warnings.catch_warnings():
            # It still calls what pandas has deprecated, which is no news to whoever asks for a day.
            warnings.simplefilter("ignore")
            found = exchange_calendars.get_calendar(venue, start=FIRST.isoformat(), end=LAST.isoformat())
    except (exchange_calendars.errors.InvalidCalendarName, ValueError) as error:
        raise InputError(
            f"There is no calendar of {venue!r} from {FIRST} to {LAST}: {error} Name a venue by its ISO 10383 code, "
            f"for example {VENUE}."
        ) from error
    closes = tuple(close.to_pydatetime().astimezone(UTC) for close in found.closes)
    return _Calendar(tuple(found.sessions.date), closes)


@cache
def _closes_by_session() -> tuple[pl.Series, pl.Series]:
    """Return the sessions of New York, and the close of each."""
    calendar = _calendar(VENUE)
    return pl.Series(calendar.days), pl.Series(calendar.closes, dtype=INSTANT)


@cache
def _closes_by_day() -> tuple[pl.Series, pl.Series]:
    """Return every day of the calendar of New York, and the close of the session on or before it."""
    calendar = _calendar(VENUE)
    days = pl.date_range(FIRST, LAST, eager=True)
    return days, pl.Series([calendar.closes[calendar.before(day)] for day in days], dtype=INSTANT)


def _outside(day: date) -> InputError:
    return InputError(f"{day} is outside the calendar, which reaches from {FIRST} to {LAST}. Ask for a day inside.")


def _aware(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise InvariantError(f"{instant.isoformat()} has no time zone")
    return instant
