"""Instants and dates of an execution row: ISO-8601 text, or a typed column, to UTC microseconds and dates.

An instant needs an offset: a time without one could be any of 24 hours, and guessing moves trades to another
day. Years run from 1900 to 2199; a leap second and more than six decimals of a second are refused, never
rounded.
"""

import re

import polars as pl

from tradelake.errors import InvariantError
from tradelake.intake.fields import Field
from tradelake.intake.rules import Finding, Rule, Values, written

YEARS = (1900, 2199)
DATE = r"(?:19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}"
CLOCK = r"[0-9]{2}:[0-9]{2}:[0-5][0-9]"
OFFSET = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})"
INSTANT_PATTERN = rf"^{DATE}[T ]{CLOCK}(?:\.[0-9]{{1,6}})?{OFFSET}$"
NAIVE = re.compile(rf"{DATE}[T ][0-9]{{2}}:[0-9]{{2}}(?::[0-5][0-9](?:\.[0-9]+)?)?")
TOO_FINE = re.compile(rf"{DATE}[T ]{CLOCK}\.([0-9]{{7,}}){OFFSET}")


def read_instant(field: Field, dtype: pl.DataType) -> tuple[pl.Expr, pl.Expr]:
    """Return the instant of a column in UTC microseconds, and where it is out of bounds."""
    column = pl.col(field.name)
    if dtype == pl.String:
        shaped = pl.when(column.str.contains(INSTANT_PATTERN)).then(column)
        return shaped.str.to_datetime("%+", time_unit="us", strict=False), pl.lit(value=False)
    if not isinstance(dtype, pl.Datetime) or dtype.time_zone is None:
        raise InvariantError(f"{field.name}: {dtype} is no instant")
    instant = column.dt.convert_time_zone("UTC")
    outside = ~instant.dt.year().is_between(*YEARS)
    if dtype.time_unit == "ns":
        outside |= instant.dt.nanosecond() % 1000 != 0
    return instant.dt.cast_time_unit("us"), outside


def read_date(field: Field, dtype: pl.DataType) -> tuple[pl.Expr, pl.Expr]:
    """Return the date of a column, and where it is out of bounds."""
    column = pl.col(field.name)
    if dtype == pl.String:
        shaped = pl.when(column.str.contains(f"^{DATE}$")).then(column)
        return shaped.str.to_date("%Y-%m-%d", strict=False), pl.lit(value=False)
    if dtype != pl.Date:
        raise InvariantError(f"{field.name}: {dtype} is no date")
    return column, ~column.dt.year().is_between(*YEARS)


def instant_rule(field: Field) -> Rule:
    """Return the rule that an instant which is given can be read."""

    def explain(given: Values, _read: Values) -> Finding:
        return explain_instant(field, written(given[field.name]))

    return Rule(field.name, pl.col(f"bad:{field.name}"), explain)


def date_rule(field: Field, code: str) -> Rule:
    """Return the rule that a date which is given can be read."""

    def explain(given: Values, _read: Values) -> Finding:
        return Finding(
            code,
            f"{field.name} asks for a date of the calendar, and '{written(given[field.name])}' is none.",
            "Write the date as YYYY-MM-DD, for example 2026-01-16.",
        )

    return Rule(field.name, pl.col(f"bad:{field.name}"), explain)


def explain_instant(field: Field, text: str) -> Finding:
    """Say why *text* is no instant."""
    if NAIVE.fullmatch(text):
        return Finding(
            "naive_timestamp",
            f"{field.name} asks for a time with its offset from UTC, and '{text}' has none.",
            "Add the offset, for example -05:00, or Z for UTC.",
        )
    fine = TOO_FINE.fullmatch(text)
    if fine is not None:
        return Finding(
            "bad_timestamp",
            f"{field.name} keeps at most 6 decimals of a second, and '{text}' has {len(fine[1])}.",
            "Round the time to microseconds where it is made.",
        )
    return Finding(
        "bad_timestamp",
        f"{field.name} asks for a time in ISO-8601, and '{text}' is none.",
        "Write the time like 2026-01-05T15:00:00Z or 2026-01-05T10:00:00.250-05:00.",
    )
