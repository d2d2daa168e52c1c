"""The one home of Hypothesis strategies: whatever a column can hold, something here can make.

A new column, type or kind of event joins this file in the same commit.
"""

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from tradelake.tables import Column
from tradelake.units import MONEY_SCALE, QUANTITY_SCALE, to_decimal

DIGITS = 38
INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1
INSTANT_MIN = datetime(1, 1, 1, tzinfo=UTC)
INSTANT_MAX = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
ID_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_"


def decimals(*, scale: int, digits: int = DIGITS) -> st.SearchStrategy[Decimal]:
    """Exact decimals with *scale* decimals and at most *digits* digits in all; the extremes come often."""
    largest = 10**digits - 1
    units = st.one_of(
        st.sampled_from([0, 1, -1, largest, -largest]),
        st.integers(-(10**12), 10**12),
        st.integers(-largest, largest),
    )
    return units.map(lambda unit: to_decimal(unit, scale))


def quantities(*, digits: int = DIGITS) -> st.SearchStrategy[Decimal]:
    """Signed quantities of scale 8."""
    return decimals(scale=QUANTITY_SCALE, digits=digits)


def money(*, digits: int = DIGITS) -> st.SearchStrategy[Decimal]:
    """Signed amounts of scale 12."""
    return decimals(scale=MONEY_SCALE, digits=digits)


def trade_quantities() -> st.SearchStrategy[Decimal]:
    """Quantities as they are traded: positive, mostly whole, up to ten million, sometimes fractional."""
    whole = st.integers(1, 10**7).map(Decimal)
    fractional = st.integers(1, 10**15).map(lambda unit: to_decimal(unit, QUANTITY_SCALE))
    return st.one_of(whole, whole, fractional)


def prices() -> st.SearchStrategy[Decimal]:
    """Prices per unit: not negative, up to 100,000, in cents or in units of the money scale."""
    cents = st.integers(0, 10**7).map(lambda unit: to_decimal(unit, 2))
    finest = st.integers(0, 10**17).map(lambda unit: to_decimal(unit, MONEY_SCALE))
    return st.one_of(cents, cents, finest)


def instants() -> st.SearchStrategy[datetime]:
    """UTC instants in microseconds, from year 1 to 9999; mostly of the years in which people trade."""
    first = INSTANT_MIN.replace(tzinfo=None)  # Hypothesis takes naive bounds and adds the zone
    near = st.datetimes(first.replace(year=1990), first.replace(year=2040), timezones=st.just(UTC))
    return st.one_of(near, near, st.datetimes(timezones=st.just(UTC)))


def dates() -> st.SearchStrategy[date]:
    """Calendar dates from year 1 to 9999; mostly of the years in which people trade."""
    near = st.dates(date(1990, 1, 1), date(2040, 12, 31))
    return st.one_of(near, near, st.dates())


def ids() -> st.SearchStrategy[str]:
    """Ids and symbols as brokers write them: 1 to 64 characters."""
    return st.text(ID_LETTERS, min_size=1, max_size=64)


def texts() -> st.SearchStrategy[str]:
    """Any text that every store can hold: Unicode without surrogates and without the character zero."""
    return st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)


def column_values(column: Column) -> st.SearchStrategy[object]:
    """Values of the type of *column*, from its list where it has one, and null where it may be."""
    if column.values:
        values: st.SearchStrategy[object] = st.sampled_from(column.values)
    else:
        values = TYPES[column.type]
    return st.none() | values if column.null else values


TYPES: dict[str, st.SearchStrategy[object]] = {
    "text": texts(),
    "json": st.sampled_from(["{}", "[]", '{"lots":[{"open":"T1","quantity":"1"}],"tags":["combo"]}']),
    "integer": st.one_of(st.sampled_from([INTEGER_MIN, INTEGER_MAX]), st.integers(INTEGER_MIN, INTEGER_MAX)),
    "boolean": st.booleans(),
    "quantity": quantities(),
    "money": money(),
    "date": dates(),
    "instant": instants(),
}
