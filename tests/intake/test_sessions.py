"""Days and instants of the New York session."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradelake import sessions
from tradelake.errors import InvariantError


def instants() -> st.SearchStrategy[datetime]:
    """Instants of the years for which the offsets of New York are settled."""
    return st.integers(0, 2**31 - 1).map(lambda second: datetime.fromtimestamp(second, UTC))


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
        ("2026-03-08", "2026-03-08T20:00:00Z"),
        ("2026-11-01", "2026-11-01T21:00:00Z"),
    ],
)
def test_a_session_closes_and_an_option_dies_at_16_new_york_time(day, instant):
    days = pl.DataFrame({"day": [date.fromisoformat(day)]})
    assert sessions.session_close(date.fromisoformat(day)) == utc(instant)
    assert sessions.expiry(date.fromisoformat(day)) == utc(instant)
    assert days.select(sessions.session_close_of(pl.col("day"))).item() == utc(instant)
    assert days.select(sessions.expiry_of(pl.col("day"))).dtypes == [pl.Datetime("us", "UTC")]


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


@given(instants())
def test_scalar_and_expression_agree(instant):
    frame = pl.DataFrame({"at": [instant], "day": [instant.date()]}, schema_overrides={"at": pl.Datetime("us", "UTC")})
    both = frame.select(sessions.trade_date_of(pl.col("at")).alias("at"), sessions.session_close_of(pl.col("day")))
    assert both.row(0) == (sessions.trade_date(instant), sessions.session_close(instant.date()))


@given(instants())
def test_wall_time_and_back_is_the_same_instant(instant):
    local = instant.astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None)
    assert sessions.from_new_york(local) == instant
    elsewhere = instant.astimezone(timezone(timedelta(hours=9)))
    assert sessions.trade_date(elsewhere) == local.date()
