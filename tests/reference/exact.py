# mypy: ignore-errors
"""Exact numbers, rounding and dates of the reference: fractions, and half-even to 1e-8."""

import re
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction as F

QUANTUM = 10**8


class Reject(Exception):
    """An event that must be refused; args[0] is the code."""


def num(text: str) -> F:
    if not isinstance(text, str) or not re.fullmatch(r"[+-]?\d+(\.\d+)?", text):
        raise Reject("bad_number")
    return F(text)


def R(x: F) -> F:
    """Round half-even to the money quantum (round() of a Fraction is half-even)."""
    return F(round(F(x) * QUANTUM), QUANTUM)


def take(amount, part, whole):
    """Share of a remaining amount for `part` of a remaining weight `whole`; the last part gets the rest."""
    return amount if part == whole else R(amount * part / whole)


def share_out(amount, weights):
    parts, left = [], sum(weights)
    for w in weights:
        p = take(amount, w, left) if left else F(0)
        parts.append(p)
        amount, left = amount - p, left - w
    return parts


def dec(x: F | int) -> str:
    """Exact decimal text of a fraction with denominator 2^a*5^b."""
    sign, x = ("-" if x < 0 else ""), abs(F(x))
    places = 0
    while (x * 10**places).denominator != 1:
        places += 1
        assert places < 40, "not a finite decimal"
    digits = str(int(x * 10**places)).rjust(places + 1, "0")
    return sign + (digits[:-places] + "." + digits[-places:] if places else digits)


def instant(text: str) -> datetime:
    if not isinstance(text, str):
        raise Reject("bad_timestamp")
    try:
        t = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError as error:
        raise Reject("bad_timestamp") from error
    if t.tzinfo is None:
        raise Reject("naive_timestamp")
    return t.astimezone(UTC)


def new_york_date(t: datetime) -> date:
    """US rule since 2007: EDT from the 2nd Sunday of March 07:00Z to the 1st Sunday of November 06:00Z."""

    def sunday(month, nth):
        first = date(t.year, month, 1)
        return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))

    start = datetime(t.year, 3, sunday(3, 2).day, 7, tzinfo=UTC)
    end = datetime(t.year, 11, sunday(11, 1).day, 6, tzinfo=UTC)
    return (t - timedelta(hours=4 if start <= t < end else 5)).date()


def anniversary(d):
    if (d + timedelta(days=1)).month != d.month:  # last day of its month
        nxt = date(d.year + 1 + (d.month == 12), d.month % 12 + 1, 1)
        return nxt - timedelta(days=1)
    return date(d.year + 1, d.month, d.day)
