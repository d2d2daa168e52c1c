"""Days and instants of the New York session."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradelake import sessions
from tradelake.errors import InputError, InvariantError


def instants() -> st.SearchStrategy[datetime]:
    """Instants of the years for which the offsets of New York are settled."""
    return st.integers(0, 2**31 - 1).map(lambda second: datetime.fromtimestamp(second, UTC))


def days() -> st.SearchStrategy[date]:
    """Days of the calendar, but for the weeks at its ends."""
    return st.dates(date(1990, 2, 1), date(2040, 12, 1))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-01-05T04:59:59Z", "2026-01-04"),
        ("2026-01-05T05:00:00Z", "2026-01-05"),
        ("2026-01-06T00:30:00Z", "2026-01-05"),
        ("2026-07-07T03:59:59Z", "2026-07-06"),
        ("2026-07-07T04:00:00Z", "2026-07-07"),
        ("2026-03-08T04:59:59Z", "2026-03-07"),
        ("2026-03-09T03:59:59Z", "2026-03-08"),
        ("2026-03-09T04:00:00Z", "2026-03-09"),
        ("2026-11-01T05:30:00Z", "2026-11-01"),
        ("2026-11-02T04:30:00Z", "2026-11-01"),
        ("2026-01-05T16:00:00-05:00", "2026-01-05"),
    ],
)
def test_the_trade_date_is_the_new_york_date(instant, day):
    frame = pl.DataFrame({"at": [utc(instant).astimezone(UTC)]})
    assert sessions.trade_date(utc(instant)) == date.fromisoformat(day)
    assert frame.select(sessions.trade_date_of(pl.col("at"))).item() == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("day", "instant"),
    [
        ("2026-01-16", "2026-01-16T21:00:00Z"),
        ("2026-07-17", "2026-07-17T20:00:00Z"),
        ("2026-03-06", "2026-03-06T21:00:00Z"),
        ("2026-03-09", "2026-03-09T20:00:00Z"),
        ("2026-10-30", "2026-10-30T20:00:00Z"),
        ("2026-11-02", "2026-11-02T21:00:00Z"),
        ("2026-11-27", "2026-11-27T18:00:00Z"),
        ("2026-12-24", "2026-12-24T18:00:00Z"),
        ("2025-07-03", "2025-07-03T17:00:00Z"),
    ],
)
def test_a_session_closes_at_16_new_york_time_and_on_half_days_at_13(day, instant):
    days = pl.DataFrame({"day": [date.fromisoformat(day)]})
    assert sessions.session_close(date.fromisoformat(day)) == utc(instant)
    assert sessions.expiry(date.fromisoformat(day)) == utc(instant)
    closes = days.select(sessions.session_close_of(pl.col("day")), sessions.expiry_of(pl.col("day")).alias("expiry"))
    assert closes.row(0) == (utc(instant), utc(instant))
    assert closes.dtypes == [pl.Datetime("us", "UTC")] * 2


CLOSED = [
    "2026-01-01", "2026-01-19", "2026-02-16", "2026-04-03", "2026-05-25", "2026-06-19", "2026-07-03", "2026-09-07",
    "2026-11-26", "2026-12-25", "2026-11-21", "2026-11-22", "2025-01-09", "2012-10-29", "2001-09-11", "1994-04-27",
]  # fmt: skip


@pytest.mark.parametrize("day", CLOSED)
def test_holidays_weekends_and_days_of_mourning_are_no_sessions(day):
    closed = date.fromisoformat(day)
    assert not sessions.is_session(closed)
    with pytest.raises(InputError, match=f"{day} is no session of XNYS"):
        sessions.session_close(closed)
    assert pl.select(sessions.session_close_of(pl.lit(closed))).item() is None


def test_the_refusal_of_a_day_names_the_sessions_next_to_it():
    with pytest.raises(InputError) as error:
        sessions.session_close(date(2026, 4, 3))
    assert str(error.value) == (
        "2026-04-03 is no session of XNYS. "
        "Ask for one of the sessions next to it: 2026-04-02 before it and 2026-04-06 after it."
    )


def test_sessions_around_a_long_weekend():
    friday, thanksgiving, monday = date(2026, 11, 27), date(2026, 11, 26), date(2026, 11, 30)
    assert sessions.sessions_between(date(2026, 11, 25), monday) == [date(2026, 11, 25), friday, monday]
    assert sessions.sessions_between(monday, friday) == []
    assert sessions.session_on_or_before(thanksgiving) == date(2026, 11, 25)
    assert sessions.session_on_or_before(friday) == friday
    assert sessions.next_session(thanksgiving) == friday
    assert sessions.next_session(friday) == monday
    assert sessions.previous_session(monday) == friday
    assert sessions.trading_days_between(friday, monday) == 1
    assert sessions.trading_days_between(date(2026, 11, 25), monday) == 2
    assert sessions.trading_days_between(monday, friday) == 0


def test_the_newest_prices_at_an_instant_are_those_of_the_last_session_that_had_closed():
    assert sessions.closed_session(utc("2026-11-27T18:00:00Z")) == date(2026, 11, 27)
    assert sessions.closed_session(utc("2026-11-27T17:59:59.999999Z")) == date(2026, 11, 25)
    assert sessions.closed_session(utc("2026-11-29T12:00:00Z")) == date(2026, 11, 27)


@pytest.mark.parametrize("day", [date(1990, 1, 1), date(2041, 1, 2)])
def test_a_day_outside_the_calendar_is_said_to_be(day):
    for ask in (sessions.is_session, sessions.session_close, sessions.session_on_or_before, sessions.next_session):
        with pytest.raises(InputError, match=f"{day} is outside the calendar, which reaches from 1990-01-02 to 2040"):
            ask(day)
    with pytest.raises(InputError, match="is outside the calendar"):
        sessions.sessions_between(min(day, sessions.FIRST), max(day, sessions.FIRST))
    assert pl.select(sessions.expiry_of(pl.lit(day))).item() is None


def test_the_calendar_ends_on_both_sides():
    assert sessions.is_session(sessions.FIRST)
    assert sessions.is_session(sessions.LAST)
    with pytest.raises(InputError, match="1990-01-01 is outside"):
        sessions.previous_session(sessions.FIRST)
    with pytest.raises(InputError, match="2041-01-01 is outside"):
        sessions.next_session(sessions.LAST)
    with pytest.raises(InputError, match="1990-01-02 is outside"):
        sessions.closed_session(utc("1990-01-02T12:00:00Z"))


def test_another_venue_has_its_own_sessions():
    assert sessions.is_session(date(2026, 7, 3), venue="XLON")
    assert sessions.session_close(date(2026, 7, 3), venue="XLON") == utc("2026-07-03T15:30:00Z")
    with pytest.raises(InputError, match="There is no calendar of 'NYSE MKT'"):
        sessions.is_session(date(2026, 7, 3), venue="NYSE MKT")


@pytest.mark.parametrize(
    ("expiration", "root", "dies", "last_traded"),
    [
        # a third Friday, in winter and in summer
        ("2026-01-16", "NVDA", "2026-01-16T21:00:00Z", "2026-01-16"),
        ("2026-07-17", "NVDA", "2026-07-17T20:00:00Z", "2026-07-17"),
        # Good Friday of 2025 was a third Friday
        ("2025-04-18", "NVDA", "2025-04-17T20:00:00Z", "2025-04-17"),
        ("2025-04-18", "SPX", "2025-04-17T13:30:00Z", "2025-04-16"),
        # a half day
        ("2026-11-27", "SPY", "2026-11-27T18:00:00Z", "2026-11-27"),
        ("2026-11-27", "SPXW", "2026-11-27T18:00:00Z", "2026-11-27"),
        # an index in the morning, and its weeklies in the afternoon
        ("2026-01-16", "SPX", "2026-01-16T14:30:00Z", "2026-01-15"),
        ("2026-07-17", "SPX   ", "2026-07-17T13:30:00Z", "2026-07-16"),
        ("2026-01-16", "SPXW", "2026-01-16T21:00:00Z", "2026-01-16"),
        ("2026-01-16", "NDX", "2026-01-16T14:30:00Z", "2026-01-15"),
        ("2026-01-16", "NDXP", "2026-01-16T21:00:00Z", "2026-01-16"),
        ("2026-01-16", "RUT", "2026-01-16T14:30:00Z", "2026-01-15"),
        ("2026-01-16", "RUTW", "2026-01-16T21:00:00Z", "2026-01-16"),
        ("2026-01-16", "XSP", "2026-01-16T21:00:00Z", "2026-01-16"),
        # volatility: Wednesdays, weeklies too
        ("2026-01-21", "VIX", "2026-01-21T14:30:00Z", "2026-01-20"),
        ("2026-01-28", "VIXW", "2026-01-28T14:30:00Z", "2026-01-27"),
        # until 2015 options expired on the Saturday after they had been traded for the last time
        ("2014-01-18", "NVDA", "2014-01-17T21:00:00Z", "2014-01-17"),
        ("2014-01-18", "SPX", "2014-01-17T14:30:00Z", "2014-01-16"),
    ],
)
def test_an_option_dies_at_the_close_or_at_the_open_of_its_last_session(expiration, root, dies, last_traded):
    day = date.fromisoformat(expiration)
    assert sessions.expiry_instant(day, root=root) == utc(dies)
    assert sessions.last_trading_session(day, root=root) == date.fromisoformat(last_traded)


def test_how_an_option_settles_can_be_said_where_no_root_tells():
    day = date(2026, 1, 16)
    assert sessions.expiry_instant(day, settles="AM") == utc("2026-01-16T14:30:00Z")
    assert sessions.expiry_instant(day, root="SPX", settles="PM") == utc("2026-01-16T21:00:00Z")
    assert sessions.last_trading_session(day, root="SPX", settles="PM") == day


def test_who_only_needs_the_time_zone_does_not_wait_for_a_calendar():
    code = (
        "import sys; from datetime import *; import tradelake.book; from tradelake import sessions;"
        "sessions.trade_date(datetime.now(UTC)); assert not {'pandas', 'exchange_calendars'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_wall_time_that_is_skipped_in_spring_is_read_with_the_offset_before():
    assert sessions.from_new_york(datetime.fromisoformat("2026-03-08T01:59:59")) == utc("2026-03-08T06:59:59Z")
    assert sessions.from_new_york(datetime.fromisoformat("2026-03-08T02:30:00")) == utc("2026-03-08T07:30:00Z")
    assert sessions.from_new_york(datetime.fromisoformat("2026-03-08T03:30:00")) == utc("2026-03-08T07:30:00Z")


def test_a_wall_time_that_comes_twice_in_autumn_is_the_first_unless_its_fold_is_1():
    twice = datetime.fromisoformat("2026-11-01T01:30:00")
    assert sessions.from_new_york(twice) == utc("2026-11-01T05:30:00Z")
    assert sessions.from_new_york(twice.replace(fold=1)) == utc("2026-11-01T06:30:00Z")


def test_instants_need_a_time_zone_and_wall_times_have_none():
    with pytest.raises(InvariantError, match="has no time zone"):
        sessions.trade_date(datetime.fromisoformat("2026-01-05T15:00:00"))
    with pytest.raises(InvariantError, match="a wall time was expected"):
        sessions.from_new_york(utc("2026-01-05T15:00:00Z"))


@given(instants(), days())
def test_scalar_and_expression_agree(instant, day):
    frame = pl.DataFrame({"at": [instant], "day": [day]}, schema_overrides={"at": pl.Datetime("us", "UTC")})
    both = frame.select(
        sessions.trade_date_of(pl.col("at")).alias("at"),
        sessions.session_close_of(pl.col("day")),
        sessions.expiry_of(pl.col("day")).alias("expiry"),
    )
    close = sessions.session_close(day) if sessions.is_session(day) else None
    assert both.row(0) == (sessions.trade_date(instant), close, sessions.expiry_instant(day))


@given(days(), days())
def test_sessions_are_one_ordered_line(first, last):
    between = sessions.sessions_between(first, last)
    assert between == sorted({day for day in between if first <= day <= last})
    assert sessions.trading_days_between(first, last) == len([day for day in between if day > first])
    assert sessions.is_session(first) == (first in sessions.sessions_between(first, first))
    before = sessions.session_on_or_before(first)
    assert before <= first < sessions.next_session(first)
    assert not sessions.sessions_between(before, first)[1:]
    assert sessions.previous_session(sessions.next_session(first)) == before
    assert sessions.closed_session(sessions.session_close(before)) == before


@given(instants())
def test_wall_time_and_back_is_the_same_instant(instant):
    local = instant.astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None)
    assert sessions.from_new_york(local) == instant
    elsewhere = instant.astimezone(timezone(timedelta(hours=9)))
    assert sessions.trade_date(elsewhere) == local.date()
