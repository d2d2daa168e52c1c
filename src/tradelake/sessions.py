"""Days and instants of the New York session: which date an instant belongs to, when an option dies.

The trading day is the calendar date in New York, so 00:30 UTC belongs to the day before. A session closes at
16:00 New York time; early closes are not modelled, since nothing that is booked depends on them. This module
knows no clock: every function maps what it is given. Time zone data comes from the operating system or from
the `tzdata` package for the scalars, and from Polars itself for the expressions.
"""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import polars as pl

from tradelake.errors import InvariantError

NEW_YORK = ZoneInfo("America/New_York")
CLOSE = time(16, 0)


def trade_date(instant: datetime) -> date:
    """Return the New York calendar date of an aware instant; raise InvariantError for a naive one."""
    return _aware(instant).astimezone(NEW_YORK).date()


def trade_date_of(instants: pl.Expr) -> pl.Expr:
    """Return the New York calendar dates of an expression of instants with a time zone."""
    return instants.dt.convert_time_zone(NEW_YORK.key).dt.date()


def session_close(day: date) -> datetime:
    """Return 16:00 New York time of *day* as an instant in UTC."""
    return datetime.combine(day, CLOSE, tzinfo=NEW_YORK).astimezone(UTC)


def session_close_of(days: pl.Expr) -> pl.Expr:
    """Return 16:00 New York time of an expression of dates as instants in UTC."""
    local = days.cast(pl.Datetime("us")) + pl.duration(hours=CLOSE.hour)
    return local.dt.replace_time_zone(NEW_YORK.key).dt.convert_time_zone("UTC")


def expiry(expiration: date) -> datetime:
    """Return the instant at which an option dies: the close of the session of its expiration."""
    return session_close(expiration)


def expiry_of(expirations: pl.Expr) -> pl.Expr:
    """Return the instants at which options die, from an expression of their expirations."""
    return session_close_of(expirations)


def from_new_york(wall: datetime) -> datetime:
    """Return the instant in UTC of a New York wall time without time zone.

    In spring, when 02:00 to 03:00 does not exist, a time in that hour is read with the offset before the
    change: 02:30 is 03:30 EDT. In autumn, when 01:00 to 02:00 comes twice, the first one (EDT) is meant,
    unless the `fold` of *wall* is 1. Raises InvariantError for a time that has a time zone already.
    """
    if wall.tzinfo is not None:
        raise InvariantError(f"{wall.isoformat()} has a time zone, a wall time was expected")
    return wall.replace(tzinfo=NEW_YORK).astimezone(UTC)


def _aware(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise InvariantError(f"{instant.isoformat()} has no time zone")
    return instant
