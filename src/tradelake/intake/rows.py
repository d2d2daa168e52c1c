"""Rows of a caller and lines of JSON become frames that can be validated, in chunks that bound the memory."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count, islice
from typing import Any

import polars as pl

from tradelake.errors import Problem
from tradelake.intake.check import validate
from tradelake.intake.fields import EXECUTION, ROW, Form
from tradelake.intake.model import Execution
from tradelake.intake.parsed import Parsed, records_of
from tradelake.intake.rules import Finding, written
from tradelake.intake.values import ONE_OBJECT, JsonFloat, RefusedValue, clean, is_encodable, without_halves

CHUNK = 50_000
Given = tuple[int, object, str | None]
READ = {"row_number": pl.Int64, "broker_account_id": pl.String, "text": pl.String}


def from_rows(rows: Iterable[Mapping[str, object] | Execution], *, name: str = "record") -> Parsed:
    """Read executions and other events given as dicts or models; *name* stands for them in messages.

    Row numbers count from 1. Problems: one per row that cannot be used.
    """
    return _collect(numbered(rows), name=name)


def from_lines(text: str, *, name: str) -> Parsed:
    """Read JSON objects, one per line; row numbers are line numbers, blank lines are skipped."""
    return _collect(lines_of(text), name=name)


def _collect(rows: Iterable[Given], *, name: str) -> Parsed:
    given, records, problems = cleaned(rows, EXECUTION, name=name)
    events, found = validate(given, source=name)
    ordered = sorted((*problems, *found), key=lambda problem: problem.row or 0)
    return Parsed(events, records_of(records, ordered), tuple(ordered))


def cleaned(rows: Iterable[Given], form: Form, *, name: str) -> tuple[pl.DataFrame, pl.DataFrame, list[Problem]]:
    """Return the usable rows of a form as a frame of text, what the records of all rows need, and the problems.

    A row that is no mapping is a problem, and so is one with a field or a value that the form has not.
    """
    frames: list[pl.DataFrame] = []
    records: list[pl.DataFrame] = []
    problems: list[Problem] = []
    remaining = iter(rows)
    while chunk := list(islice(remaining, CHUNK)):
        frames.append(_cleaned(chunk, form, problems, source=name))
        records.append(_read(chunk))
    if not frames:
        frames, records = [_frame([], [])], [pl.DataFrame(schema=READ)]
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal"), pl.concat(records), problems


def numbered(rows: Iterable[object]) -> Iterator[Given]:
    """Yield dicts and models with their numbers, from 1."""
    for number, row in zip(count(1), rows):
        yield number, row.model_dump(exclude_none=True) if isinstance(row, Execution) else row, None


def lines_of(text: str) -> Iterator[Given]:
    """Yield what the lines of a text say in JSON, with their numbers; blank lines are skipped."""
    decoder = json.JSONDecoder(
        parse_int=str, parse_float=JsonFloat, parse_constant=JsonFloat, object_pairs_hook=_object
    )
    for number, ended in enumerate(text.split("\n"), 1):
        line = ended.strip()
        if line:
            yield number, _decoded(decoder, line), line


def _decoded(decoder: json.JSONDecoder, line: str) -> object:
    try:
        return decoder.decode(line)
    except RefusedValue as refused:
        return refused
    except (ValueError, RecursionError):
        return RefusedValue(
            "", line, Finding("bad_json", f"A line asks for JSON, and '{written(line)}' is none.", ONE_OBJECT)
        )


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        finding = Finding("bad_json", f"A JSON object has {written(twice)} twice.", "Keep one of the two.")
        raise RefusedValue(twice, twice, finding)
    return found


def _text(row: object) -> str:
    if isinstance(row, Mapping):
        row = {str(name): value for name, value in row.items() if value is not None}
    return json.dumps(row, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def _whole(text: str) -> str:
    return text if text.isascii() or is_encodable(text) else ascii(text)


def _cleaned(rows: Sequence[Given], form: Form, problems: list[Problem], *, source: str) -> pl.DataFrame:
    """Return the usable rows as a frame of text, and note a problem for each of the others."""
    read = clean if form is EXECUTION else partial(clean, form=form)
    numbers, values = _usable(rows, problems, read, source=source)
    try:
        return _frame(numbers, values)
    except UnicodeEncodeError:
        whole = [(number, row, None) for number, row in zip(numbers, values, strict=True)]
        return _frame(*_usable(whole, problems, without_halves, source=source))


def _usable(
    rows: Iterable[tuple[int, Any, str | None]],
    problems: list[Problem],
    read: Callable[[Any], Mapping[str, str]],
    *,
    source: str,
) -> tuple[list[int], list[Mapping[str, str]]]:
    numbers: list[int] = []
    values: list[Mapping[str, str]] = []
    for number, row, _ in rows:
        try:
            values.append(read(row))
            numbers.append(number)
        except RefusedValue as refused:
            problems.append(_problem(refused, row, number=number, source=source))
    return numbers, values


def _read(rows: Sequence[Given]) -> pl.DataFrame:
    """Return what the records of the rows need: number, broker account and text."""
    owners = [row.get("broker_account_id") if isinstance(row, Mapping) else None for _, row, _ in rows]
    return pl.DataFrame(
        [
            [number for number, _, _ in rows],
            [owner if type(owner) is str and owner.isprintable() else None for owner in owners],
            [_whole(_text(row) if text is None else text) for _, row, text in rows],
        ],
        schema=READ,
    )


def _frame(numbers: list[int], rows: Sequence[Mapping[str, str]]) -> pl.DataFrame:
    names = dict.fromkeys(name for row in rows for name in row)
    schema: dict[str, pl.DataType] = {ROW: pl.Int64(), **dict.fromkeys(names, pl.String())}
    return pl.DataFrame({ROW: numbers, **{name: [row.get(name) for row in rows] for name in names}}, schema=schema)


def _problem(refused: RefusedValue, row: object, *, number: int, source: str) -> Problem:
    trade_id = row.get("trade_id") if isinstance(row, Mapping) else None
    return Problem(
        code=refused.finding.code,
        message=refused.finding.message,
        source=source,
        row=number,
        field=refused.field,
        value=written(refused.value),
        action=refused.finding.action,
        trade_id=written(trade_id) if isinstance(trade_id, str) else "",
    )
