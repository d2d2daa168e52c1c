"""A nightly report as JSON and back, exactly.

One object: `schema`, then `verdict` and `standing` for programs that only want to know whether to wake somebody, then
the fields of the report in their order. Frames are lists of objects with the columns of `frames.py`; numbers with
decimals are text without exponent, dates are ISO, instants end with Z. A change that a reader of the last version
would trip over gets a new number in `schema`.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake.errors import InputError
from tradelake.outputs.report.frames import FRAMES
from tradelake.outputs.report.nightly import ImportLine, NightlyReport, Step, standing, verdict
from tradelake.outputs.values import as_text
from tradelake.tables import Table
from tradelake.units import plain

SCHEMA = "tradelake.nightly/1"
_READERS: dict[str, Callable[[str], object]] = {"date": date.fromisoformat, "money": Decimal, "quantity": Decimal}


def to_json(report: NightlyReport) -> str:
    """Return *report* as one JSON object that ends with a line break; the same report gives the same text."""
    content: dict[str, object] = {"schema": SCHEMA, "verdict": verdict(report), "standing": standing(report)}
    content |= {field.name: _value(getattr(report, field.name)) for field in fields(report)}
    lines = ",\n".join(f"{json.dumps(name)}: {_lines(value)}" for name, value in content.items())
    text = f"{{\n{lines}\n}}\n"
    return text.encode("utf-8", "backslashreplace").decode()  # the name of a file may hold half a surrogate pair


def from_json(text: str) -> NightlyReport:
    """Return the report that `to_json` wrote; raise InputError for anything else."""
    try:
        content: dict[str, Any] = json.loads(text)
        schema = content["schema"]
    except (ValueError, TypeError, KeyError) as error:
        raise InputError("This is no nightly report: a JSON object with a `schema` was expected.") from error
    if schema != SCHEMA:
        raise InputError(f"The report's schema is {schema!r}; this release reads {SCHEMA!r}.")
    try:
        return _report(content)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"The nightly report cannot be read: {type(error).__name__}: {error}.") from error


def _report(content: dict[str, Any]) -> NightlyReport:
    return NightlyReport(
        nightly_date=date.fromisoformat(content["nightly_date"]),
        book=content["book"],
        started_at=datetime.fromisoformat(content["started_at"]),
        finished_at=datetime.fromisoformat(content["finished_at"]),
        sequence=content["sequence"],
        chain_hash=content["chain_hash"],
        steps=tuple(Step(**step | {"seconds": Decimal(step["seconds"])}) for step in content["steps"]),
        imports=tuple(ImportLine(**line) for line in content["imports"]),
        notes=tuple(content["notes"]),
        **{name: _frame(table, content[name]) for name, table in FRAMES.items()},
    )


def _lines(value: object) -> str:
    """Return *value* as JSON: a list with a line for each item, anything else on one line."""
    if not isinstance(value, list) or not value:
        return json.dumps(value, ensure_ascii=False)
    return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n]"


def _value(value: object) -> object:
    if isinstance(value, pl.DataFrame):
        return as_text(value).to_dicts()
    if isinstance(value, tuple):
        return [item if isinstance(item, str) else _record(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def _record(item: Step | ImportLine) -> dict[str, object]:
    return {name: plain(value) if isinstance(value, Decimal) else value for name, value in asdict(item).items()}


def _frame(table: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    columns = {column.name: [_read(row[column.name], column.type) for row in rows] for column in table.columns}
    return pl.DataFrame(columns, schema=table.schema)


def _read(value: Any, kind: str) -> object:
    reader = _READERS.get(kind)
    return value if value is None or reader is None else reader(value)
