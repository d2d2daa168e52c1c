"""Numbers of an execution row: plain decimal text, or a column of an exact type, to fixed-scale decimals.

Text is a number when it is an optional sign, digits, and at most one point with digits after it: no exponent,
no separators, no blanks, no NaN. Zeros at the end count for nothing. A number has at most 15 digits before
the point, so that no product or sum of the book can leave 38 digits.
"""

import re
from collections.abc import Collection

import polars as pl

from tradelake.errors import InvariantError
from tradelake.intake.fields import Field
from tradelake.intake.rules import Finding, Rule, Values, says, written
from tradelake.units import MONEY, QUANTITY

WHOLE_DIGITS_MAX = 15
NUMBER = re.compile(r"[+-]?([0-9]+)(?:\.([0-9]+))?")
TARGETS = {"quantity": QUANTITY, "money": MONEY}
RATIO = rf"^0*[1-9][0-9]{{0,{WHOLE_DIGITS_MAX - 1}}}/0*[1-9][0-9]{{0,{WHOLE_DIGITS_MAX - 1}}}$"
SCALE_CODES = {"quantity": "quantity_scale", "money": "price_scale"}


def read_number(field: Field, dtype: pl.DataType) -> tuple[pl.Expr, pl.Expr]:
    """Return the decimal of a column, and where it is none; raise InvariantError for an inexact type."""
    column, target = pl.col(field.name), TARGETS[field.reads]
    decimal = column.cast(target, strict=False)
    if dtype == pl.String:
        pattern = rf"^[+-]?0*[0-9]{{1,{WHOLE_DIGITS_MAX}}}(?:\.[0-9]{{1,{target.scale}}}0*)?$"
        return decimal, ~column.str.contains(pattern)
    if not (dtype.is_integer() or isinstance(dtype, pl.Decimal)):
        raise InvariantError(f"{field.name}: {dtype} is no exact number")
    wide = decimal.abs() >= pl.lit(10**WHOLE_DIGITS_MAX).cast(target)
    if isinstance(dtype, pl.Decimal) and dtype.scale > target.scale:
        return decimal, wide | (decimal.cast(dtype, strict=False) != column)
    return decimal, wide


def read_ratio(field: Field) -> tuple[pl.Expr, pl.Expr]:
    """Return the ratio of a column without zeros in front, and where it is none."""
    column = pl.col(field.name)
    return column.str.replace_all(r"\b0+", ""), ~column.str.contains(RATIO)


def ratio_rule(field: Field) -> Rule:
    """Return the rule that a ratio which is given is one."""

    def explain(given: Values, _read: Values) -> Finding:
        return Finding(
            "bad_number",
            f"{field.name} asks for two positive whole numbers, and '{written(given[field.name])}' is none.",
            "Write new units for old ones with a slash, for example 4/1.",
        )

    return Rule(field.name, pl.col(f"bad:{field.name}"), explain)


def number_rule(field: Field) -> Rule:
    """Return the rule that a field which is given has a number that fits its scale."""

    def explain(given: Values, _read: Values) -> Finding:
        return explain_number(field, written_exactly(given[field.name]))

    return Rule(field.name, pl.col(f"bad:{field.name}"), explain)


def number_rules(here: Collection[str]) -> list[Rule]:
    """Return the rules of numbers that were read but mean nothing, for the fields *here*."""
    rules = [
        Rule(
            "delta",
            pl.col("delta").abs() > 1,
            says(
                "bad_delta",
                "delta lies between -1 and 1, and there was {delta}.",
                "Divide it by 100 if it is in percent.",
            ),
        ),
        Rule(
            "execution_quantity",
            (pl.col("execution_quantity") < pl.col("quantity")) | (pl.col("execution_quantity") <= 0),
            says(
                "nonpositive_quantity",
                "execution_quantity is the whole of which quantity is a part, "
                "and there was {execution_quantity} for a quantity of {quantity}.",
                "Give the broker's whole quantity, or leave execution_quantity out.",
            ),
        ),
    ]
    return [rule for rule in rules if rule.field in here]


def written_exactly(value: object) -> str:
    """Write a number that came as text, integer or Decimal without exponent and without loss."""
    return value if isinstance(value, str) else format(value, "f" if hasattr(value, "as_tuple") else "d")


def explain_number(field: Field, text: str) -> Finding:
    """Say why *text* is no number of the field."""
    shown, scale = written(text), TARGETS[field.reads].scale
    parts = NUMBER.fullmatch(text)
    if parts is None:
        return Finding(
            "bad_number",
            f"{field.name} asks for a plain decimal number, and '{shown}' is none.",
            "Write the number as plain decimal text, for example 12.50.",
        )
    decimals = len((parts[2] or "").rstrip("0"))
    if decimals > scale:
        return Finding(
            SCALE_CODES[field.reads],
            f"{field.name} keeps at most {scale} decimals, and '{shown}' has {decimals}.",
            f"Round the number to {scale} decimals where it is made.",
        )
    return Finding(
        "number_too_large",
        f"{field.name} has at most {WHOLE_DIGITS_MAX} digits before the point, and '{shown}' has more.",
        "Check the number, or split the event into smaller ones.",
    )
