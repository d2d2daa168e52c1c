"""The column `details`: what only some kinds of event have, as one canonical JSON object.

JSON fields are rare and small, so each distinct text is read once in Python (`entries.py`). The other fields are
read as columns like all the rest, and written into the object only where a row has them: numbers as plain
decimal text, instants in ISO-8601 with Z.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake.intake.entries import EXAMPLES, READERS, BadJson, canonical, chain_kind, lots_total
from tradelake.intake.fields import BY_NAME, JSON_LENGTH_MAX
from tradelake.intake.rules import Finding, Rule, Values
from tradelake.intake.words import explain_text
from tradelake.units import QUANTITY, plain

COMBO = "combo"
DO_NOT_EXERCISE = "do_not_exercise"
INSIDE = ("lots", "tags", "moves", "set", "chain")
WHERE_EMPTY = ("moves",)
SPREAD = (
    "ratio",
    "amount_per_unit",
    "basis_fraction",
    "cash_in_lieu_price",
    "treatment",
    "new_price",
    "reported_change",
    "pay_at",
    "shares",
    "cash",
    "method",
)


def read_details(rows: pl.DataFrame) -> list[pl.Series | pl.Expr]:
    """Return `details`, `deliverable`, `combo` and `given_up`, and `bad:` of the JSON fields that *rows* has.

    Beside lots there is `lots_total`, the quantity that they sum to, and beside chains `chain_kind`.
    """
    found: dict[str, list[Any]] = {}
    more: list[pl.Series | pl.Expr] = []
    for name in READERS:
        if name in rows.columns:
            found[name], bad = _read_column(name, rows[name])
            more.append(pl.Series(f"bad:{name}", bad, dtype=pl.Boolean))
    if not found:
        return list(NO_DETAILS)
    nothing = [None] * rows.height
    deliverables = [canonical(entries) if entries else None for entries in found.get("deliverable", nothing)]
    inside = {name: found[name] for name in INSIDE if name in found}
    details = [_details(dict(zip(inside, values, strict=True))) for values in zip(*inside.values(), strict=True)]
    tags = found.get("tags", nothing)
    combos, given_up = ([words is not None and tag in words for words in tags] for tag in (COMBO, DO_NOT_EXERCISE))
    if "lots" in found:
        totals = [lots_total(lots) if lots else None for lots in found["lots"]]
        more.append(pl.Series("lots_total", totals, dtype=QUANTITY))
    if "chain" in found:
        kinds = [chain_kind(chain) if chain else None for chain in found["chain"]]
        more.append(pl.Series("chain_kind", kinds, dtype=pl.String))
    return [
        pl.Series("details", details or nothing, dtype=pl.String),
        pl.Series("deliverable", deliverables, dtype=pl.String),
        pl.Series("combo", combos, dtype=pl.Boolean),
        pl.Series("given_up", given_up, dtype=pl.Boolean),
        *more,
    ]


def with_spread(read: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with the fields of `SPREAD` that they have written into their `details`."""
    names = [name for name in SPREAD if name in read.columns and read[name].null_count() < read.height]
    if not names:
        return read
    details = [
        _joined(text, {name: value for name, value in zip(names, values, strict=True) if value is not None})
        for text, *values in read.select("details", *names).iter_rows()
    ]
    return read.with_columns(pl.Series("details", details, dtype=pl.String))


def inside_of(details: str | None) -> dict[str, str]:
    """Return the fields of an execution row, as text, that a `details` holds."""
    held: dict[str, Any] = json.loads(details) if details else {}
    return {name: value if isinstance(value, str) else canonical(value) for name, value in held.items()}


def as_text(value: object) -> str:
    """Write a value of a column as the text of a field: plain decimals, ISO dates, instants with Z."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else str(value)


def json_rule(name: str) -> Rule:
    """Return the rule that the text of a JSON field can be read."""

    def explain(given: Values, _read: Values) -> Finding:
        return explain_json(name, str(given[name]))

    return Rule(name, pl.col(f"bad:{name}"), explain)


def explain_json(name: str, text: str) -> Finding:
    """Say why the text of a JSON field is refused."""
    if len(text) > JSON_LENGTH_MAX:
        return explain_text(BY_NAME[name], text)
    found = BadJson("cannot be read")
    try:
        READERS[name](text)
    except BadJson as bad:
        found = bad
    return Finding(found.code, f"{name} {found}.", found.action or f"Write it like {EXAMPLES[name]}.")


def tagged(events: pl.DataFrame) -> list[pl.Series]:
    """Return the columns `combo` and `given_up`: which events carry the tag that allows their price."""
    below = (events["price"] < 0).fill_null(value=False)
    expired = (events["kind"] == "expire") & events["price"].is_not_null()
    return [
        _with_tag("combo", below, events["details"], COMBO),
        _with_tag("given_up", expired, events["details"], DO_NOT_EXERCISE),
    ]


def _with_tag(name: str, asked: pl.Series, details: pl.Series, tag: str) -> pl.Series:
    flags = [
        here and text is not None and tag in json.loads(text).get("tags", ())
        for here, text in zip(asked.to_list(), details.to_list(), strict=True)
    ]
    return pl.Series(name, flags, dtype=pl.Boolean)


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
            except BadJson as problem:
                known[text] = problem
        value = None if text is None else known[text]
        bad.append(isinstance(value, BadJson))
        values.append(None if bad[-1] else value)
    return values, bad


def _details(values: Mapping[str, Any]) -> str | None:
    held = {name: value for name, value in values.items() if value or (value is not None and name in WHERE_EMPTY)}
    return canonical(held) if held else None


def _joined(text: str | None, values: Mapping[str, object]) -> str | None:
    if not values:
        return text
    held: dict[str, Any] = json.loads(text) if text else {}
    return canonical({**held, **{name: as_text(value) for name, value in values.items()}})


NO_DETAILS = (
    pl.lit(None, dtype=pl.String).alias("details"),
    pl.lit(None, dtype=pl.String).alias("deliverable"),
    pl.lit(value=False).alias("combo"),
    pl.lit(value=False).alias("given_up"),
)
