"""What a rule is, and how the first broken rule of each row is found.

A rule is a boolean expression over a whole frame. Null counts as kept, so an expression must be true wherever
the rule is broken. Only for rows that break one is anything done row by row: the rule then says in words what
is wrong.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake.errors import Problem
from tradelake.intake.fields import ROW
from tradelake.units import plain

VALUE_LENGTH_MAX = 80
CHUNK = 10_000

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a value: the code, a sentence, and what to do."""

    code: str
    message: str
    action: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the field it is about, where it is broken, and what to say then.

    `explain` gets the row as it was given and the row as it was read.
    """

    field: str
    broken: pl.Expr
    explain: Callable[[Values, Values], Finding]


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules in their order, and the expressions that ask all of them at once."""

    rules: tuple[Rule, ...]
    flags: tuple[pl.Expr, ...]

    @classmethod
    def of(cls, *rules: Rule) -> "Rules":
        """Return the rules in the order given."""
        return cls(rules, tuple(rule.broken.alias(str(number)) for number, rule in enumerate(rules)))


def says(code: str, message: str, action: str) -> Callable[[Values, Values], Finding]:
    """Return an explanation with a fixed action, whose message names values of the read row in braces."""

    def explain(_given: Values, read: Values) -> Finding:
        return Finding(code, message.format_map(_Written(read)), action)

    return explain


class _Written(dict[str, Any]):
    def __getitem__(self, name: str) -> str:
        return written(super().__getitem__(name))


def written(value: object) -> str:
    """Write a value as it appears in a message: plain decimals, ISO dates, at most 80 characters."""
    if isinstance(value, Decimal):
        text = plain(value)
    elif isinstance(value, date | datetime):
        text = value.isoformat()
    else:
        text = "" if value is None else str(value).encode(errors="backslashreplace").decode()
    return text if len(text) <= VALUE_LENGTH_MAX else text[: VALUE_LENGTH_MAX - 1] + "…"


def problems_of(rules: Rules, *, given: pl.DataFrame, read: pl.DataFrame, source: str) -> tuple[Problem, ...]:
    """Return one problem per row that breaks a rule: the first one, in the order of *rules*.

    *given* and *read* have one row per row of the source, in the same order; *read* has the row number.
    """
    broken = read.select(rules.flags).get_columns()
    first: dict[int, Rule] = {}
    for rule, column in zip(rules.rules, broken, strict=True):
        if column.any():
            whole = column.new_from_index(0, read.height) if len(column) != read.height else column
            for place in whole.arg_true().to_list():
                first.setdefault(place, rule)
    if not first:
        return ()
    order = sorted(first)
    shown = read.select(name for name in read.columns if ":" not in name)
    problems: list[Problem] = []
    for start in range(0, len(order), CHUNK):
        places = order[start : start + CHUNK]
        pairs = zip(places, given[places].to_dicts(), shown[places].to_dicts(), strict=True)
        problems += [_problem(first[place], was, became, source) for place, was, became in pairs]
    return tuple(problems)


def _problem(rule: Rule, given: Values, read: Values, source: str) -> Problem:
    finding = rule.explain(given, read)
    value = given.get(rule.field)
    return Problem(
        code=finding.code,
        message=finding.message,
        source=source,
        row=read[ROW],
        field=rule.field,
        value=written(read.get(rule.field) if value is None else value),
        action=finding.action,
        trade_id=written(read.get("trade_id")),
    )
