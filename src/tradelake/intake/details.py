"""The JSON fields of an execution row: chosen lots, tags, and what an adjusted contract delivers.

They are rare and small, so each distinct text is read once in Python and written again in one canonical way:
keys sorted, no blanks, numbers as plain decimal text.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake.intake.fields import BY_NAME, ID_LENGTH_MAX, JSON_LENGTH_MAX
from tradelake.intake.numbers import NUMBER, WHOLE_DIGITS_MAX
from tradelake.intake.rules import Finding, Rule, Values, written
from tradelake.intake.words import explain_text
from tradelake.units import plain

COMBO = "combo"
ENTRIES_MAX = 1000
DELIVERED = {"instrument_id", "quantity", "cost_fraction", "cash"}
EXAMPLES = {
    "lots": '[{"open":"T-1","quantity":"100"}]',
    "tags": '["combo"]',
    "deliverable": '[{"instrument_id":"NVDA","quantity":"150"}]',
}


class _Bad(ValueError):
    """What is wrong with the JSON of a field, in words."""


def canonical(value: object) -> str:
    """Write a value as JSON with sorted keys and without blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def read_details(rows: pl.DataFrame) -> list[pl.Series | pl.Expr]:
    """Return `details`, `deliverable` and `combo`, and `bad:` of the JSON fields that *rows* has."""
    found: dict[str, list[Any]] = {}
    marks: list[pl.Series | pl.Expr] = []
    for name in READERS:
        if name in rows.columns:
            found[name], bad = _read_column(name, rows[name])
            marks.append(pl.Series(f"bad:{name}", bad, dtype=pl.Boolean))
    if not found:
        return list(NO_DETAILS)
    nothing = [None] * rows.height
    lots, tags = found.get("lots", nothing), found.get("tags", nothing)
    deliverables = [canonical(entries) if entries else None for entries in found.get("deliverable", nothing)]
    details = [_details(chosen, words) for chosen, words in zip(lots, tags, strict=True)]
    return [
        pl.Series("details", details, dtype=pl.String),
        pl.Series("deliverable", deliverables, dtype=pl.String),
        pl.Series("combo", [words is not None and COMBO in words for words in tags], dtype=pl.Boolean),
        *marks,
    ]


def json_rule(name: str) -> Rule:
    """Return the rule that the text of a JSON field can be read."""

    def explain(given: Values, _read: Values) -> Finding:
        return explain_json(name, str(given[name]))

    return Rule(name, pl.col(f"bad:{name}"), explain)


def explain_json(name: str, text: str) -> Finding:
    """Say why the text of a JSON field is refused."""
    if len(text) > JSON_LENGTH_MAX:
        return explain_text(BY_NAME[name], text)
    why = "cannot be read"
    try:
        READERS[name](text)
    except _Bad as bad:
        why = str(bad)
    return Finding("bad_json", f"{name} {why}.", f"Write it like {EXAMPLES[name]}.")


def combos(prices: pl.Series, details: pl.Series) -> pl.Series:
    """Return the column `combo`: which events with a negative price carry the tag that allows it."""
    below = (prices < 0).fill_null(value=False)
    flags = [
        negative and text is not None and COMBO in json.loads(text).get("tags", ())
        for negative, text in zip(below.to_list(), details.to_list(), strict=True)
    ]
    return pl.Series("combo", flags, dtype=pl.Boolean)


def _read_column(name: str, texts: pl.Series) -> tuple[list[Any], list[bool]]:
    if texts.null_count() == len(texts):
        return [None] * len(texts), [False] * len(texts)
    known: dict[str, Any] = {}
    values: list[Any] = []
    bad: list[bool] = []
    for text in texts.to_list():
        if text is not None and text not in known:
            try:
                known[text] = READERS[name](text)
            except _Bad as problem:
                known[text] = problem
        value = None if text is None else known[text]
        bad.append(isinstance(value, _Bad))
        values.append(None if bad[-1] else value)
    return values, bad


def _details(lots: object, tags: object) -> str | None:
    given = {name: value for name, value in (("lots", lots), ("tags", tags)) if value}
    return canonical(given) if given else None


def _list(text: str) -> list[Any]:
    if len(text) > JSON_LENGTH_MAX:
        raise _Bad(f"has at most {JSON_LENGTH_MAX} characters")
    try:
        value = json.loads(text, parse_int=str, parse_float=_refuse, parse_constant=_refuse)
    except _Bad:
        raise
    except (ValueError, RecursionError):
        raise _Bad(f"asks for JSON, and '{written(text)}' is none") from None
    if not isinstance(value, list) or len(value) > ENTRIES_MAX:
        raise _Bad(f"asks for a JSON list of at most {ENTRIES_MAX} entries, and there was '{written(text)}'")
    return value


def _refuse(number: str) -> None:
    raise _Bad(f"asks for numbers as text, and there was the float {written(number)}")


def _lots(text: str) -> list[dict[str, str]]:
    return [{"open": _id(entry["open"]), "quantity": _positive(entry["quantity"])} for entry in _objects(text, "lots")]


def _objects(text: str, name: str) -> list[dict[str, Any]]:
    entries = _list(text)
    for entry in entries:
        shaped = isinstance(entry, dict) and (
            set(entry) == {"open", "quantity"}
            if name == "lots"
            else set(entry) <= DELIVERED and ("cash" in entry) != ("instrument_id" in entry and "quantity" in entry)
        )
        if not shaped:
            wanted = "open and quantity" if name == "lots" else "instrument_id and quantity, or cash"
            raise _Bad(f"asks for entries with {wanted}, and there was '{written(canonical(entry))}'")
    return entries


def _tags(text: str) -> list[str]:
    return [_id(entry) for entry in _list(text)]


def _deliverable(text: str) -> list[dict[str, str]]:
    return [
        {
            key: _id(value) if key == "instrument_id" else _number(value) if key == "cash" else _positive(value)
            for key, value in entry.items()
        }
        for entry in _objects(text, "deliverable")
    ]


def _id(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= ID_LENGTH_MAX or not value.isprintable():
        raise _Bad(
            f"asks for texts of 1 to {ID_LENGTH_MAX} printable characters, and there was '{written(canonical(value))}'"
        )
    return value


def _number(value: object) -> str:
    parts = NUMBER.fullmatch(value) if isinstance(value, str) else None
    if parts is None or len(parts[1]) > WHOLE_DIGITS_MAX or len((parts[2] or "").rstrip("0")) > 8:
        shown = written(canonical(value))
        raise _Bad(f"asks for plain decimals with at most 8 decimals, and there was '{shown}'")
    return plain(Decimal(str(value)))


def _positive(value: object) -> str:
    number = _number(value)
    if number == "0" or number.startswith("-"):
        raise _Bad(f"asks for positive quantities, and there was '{number}'")
    return number


READERS: dict[str, Callable[[str], Any]] = {"lots": _lots, "tags": _tags, "deliverable": _deliverable}
NO_DETAILS = (
    pl.lit(None, dtype=pl.String).alias("details"),
    pl.lit(None, dtype=pl.String).alias("deliverable"),
    pl.lit(value=False).alias("combo"),
)
