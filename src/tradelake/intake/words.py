"""Text of an execution row: identifiers, symbols, remarks, and words from short lists.

Identifiers and symbols are kept as they are given, never trimmed or changed in case, because they are
compared with what the broker sends next time. What cannot be an identifier is refused instead: control
characters, text without end, and in symbols everything beyond letters, digits, blanks inside and ``. / - _ :
& + ^ = ~``.
"""

import re
from collections.abc import Sequence

import polars as pl

from tradelake.intake.fields import REMARKS, Field
from tradelake.intake.rules import Finding, Rule, Values, says, written
from tradelake.tables import (
    ACTIONS,
    ASSET_TYPES,
    CASH_CATEGORIES,
    EXERCISE_STYLES,
    KINDS,
    LOT_METHODS,
    OPTION_TYPES,
    SETTLEMENTS,
    TREATMENTS,
)

SYMBOL_PATTERN = r"^[A-Za-z0-9./_:&+^=~-](?:[A-Za-z0-9 ./_:&+^=~-]*[A-Za-z0-9./_:&+^=~-])?$"
CONTROL = r"[\x00-\x1f\x7f]"
CONTROL_IN_REMARKS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
WORDS: dict[str, tuple[str, Sequence[str]]] = {
    "kind": ("unknown_kind", KINDS),
    "asset_type": ("invalid_instrument", ASSET_TYPES),
    "option_type": ("invalid_instrument", OPTION_TYPES),
    "settlement": ("invalid_instrument", SETTLEMENTS),
    "exercise_style": ("invalid_instrument", EXERCISE_STYLES),
    "action": ("unknown_action", ACTIONS),
    "cash_category": ("unknown_category", CASH_CATEGORIES),
    "treatment": ("unknown_treatment", TREATMENTS),
    "method": ("unknown_method", LOT_METHODS),
}
LOWER = ("kind", "cash_category", "treatment")
DEFAULTS = {"kind": "trade", "currency": "USD", "leg_id": "1"}


def read_text(field: Field) -> tuple[pl.Expr, pl.Expr]:
    """Return the text of a column, null where it is empty, and where it must be refused."""
    column = pl.col(field.name)
    refused = (column.str.len_chars() > field.length_max) | column.str.contains(_control(field))
    if field.reads == "symbol":
        refused |= (column != "") & ~column.str.contains(SYMBOL_PATTERN)
    text = pl.when(column != "").then(column)
    return (text.fill_null(DEFAULTS[field.name]) if field.name in DEFAULTS else text), refused


def read_word(field: Field) -> pl.Expr:
    """Return the words of a column as the tables spell them, with the default where there is none."""
    column = pl.col(field.name)
    word = column.str.to_lowercase() if field.name in LOWER else column.str.to_uppercase()
    if field.name == "option_type":
        word = pl.when(word == "C").then(pl.lit("CALL")).when(word == "P").then(pl.lit("PUT")).otherwise(word)
    return word.fill_null(DEFAULTS[field.name]) if field.name in DEFAULTS else word


def text_rule(field: Field) -> Rule:
    """Return the rule that a text is short enough and has no character that it must not have."""

    def explain(given: Values, _read: Values) -> Finding:
        return explain_text(field, str(given[field.name]))

    return Rule(field.name, pl.col(f"bad:{field.name}"), explain)


def explain_text(field: Field, text: str) -> Finding:
    """Say why *text* is refused."""
    shown = written(text)
    if len(text) > field.length_max:
        return Finding(
            "text_too_long",
            f"{field.name} has at most {field.length_max} characters, and there were {len(text)}.",
            "Shorten the text.",
        )
    if field.reads == "symbol":
        return Finding(
            "bad_symbol",
            f"{field.name} has letters, digits, blanks inside and ./-_:&+^=~ only, and '{shown}' has more.",
            "Write the symbol as the broker prints it, without quotes or blanks around it.",
        )
    control = re.search(_control(field), text)
    name = f"U+{ord(control[0]):04X}" if control else "one that no text has"
    return Finding(
        "bad_text",
        f"{field.name} asks for printable characters, and there was the character {name}.",
        "Remove the character.",
    )


def word_rule(field: Field) -> Rule:
    """Return the rule that a word is one of its list."""
    name = field.name
    if name == "currency":
        return Rule(
            name,
            ~pl.col(name).str.contains("^[A-Z]{3}$"),
            says(
                "unknown_currency",
                "currency asks for a code of three letters, and there was '{currency}'.",
                "Write the ISO 4217 code, for example USD.",
            ),
        )
    code, values = WORDS[name]

    def explain(given: Values, _read: Values) -> Finding:
        return Finding(
            code,
            f"{name} asks for one of {', '.join(values)}, and there was '{written(given[name])}'.",
            "Write one of these words.",
        )

    return Rule(name, ~pl.col(name).is_in(values), explain)


def _control(field: Field) -> str:
    return CONTROL_IN_REMARKS if field.name in REMARKS else CONTROL
