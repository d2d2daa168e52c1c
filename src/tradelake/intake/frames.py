"""Frames of any column types, from Parquet, from CSV or from a caller, become frames that can be validated.

Columns of an exact type go through as they are: text, integers, Decimals, dates, and instants with a time
zone. A value in a float column, in an unknown column, or in a column of another type is a problem of its row.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import polars as pl

from tradelake.errors import InputError, Problem
from tradelake.intake.check import validate
from tradelake.intake.entries import canonical
from tradelake.intake.fields import EXECUTION, ROW, Form
from tradelake.intake.parsed import Parsed, records_of
from tradelake.intake.rules import Finding, Rule, Rules, Values, problems_of, written
from tradelake.intake.values import bad_type, float_number, unknown_field

CHUNK = 50_000
NUMBERS = ("quantity", "money")


def from_frame(frame: pl.DataFrame, *, name: str = "frame") -> Parsed:
    """Read executions and other events from a frame, one row each; *name* stands for it in messages.

    Row numbers count from 1. Problems: one per row that cannot be used. Raises InputError for a column of
    bytes or Python objects, which no source of executions has.
    """
    numbers = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True)
    return _parsed(frame, numbers, texts_of(frame, name=name), name=name)


def from_csv(text: str, *, name: str) -> Parsed:
    """Read executions and other events from comma-separated values; rows as in `csv_rows`."""
    read = csv_rows(text, name=name)
    if not any(column in EXECUTION.fields for column in read.header):
        raise InputError(
            f"{name}: none of its columns is a field of an execution: {written(', '.join(read.header))}. Name them in "
            "the first line, with commas between them: executed_at, account_id, symbol, action, quantity, price, ..."
        )
    frame = read.rows.drop(ROW)
    parsed = _parsed(frame, read.rows[ROW], texts_of(frame, name=name), name=name)
    return _with_ragged(parsed, read, name=name) if read.ragged else parsed


@dataclass(frozen=True, slots=True)
class CsvRows:
    """The rows of a CSV file as text with their numbers, and those that are too short or too long by number."""

    header: list[str]
    rows: pl.DataFrame
    ragged: dict[int, list[str]]

    def problems(self, *, name: str) -> list[Problem]:
        """Return one problem per row that has not as many values as the header has names."""
        return [
            Problem(
                code="bad_row",
                message=f"The header names {len(self.header)} columns, and the row has {len(row)} values.",
                source=name,
                row=number,
                value=written(",".join(row)),
                action="Check whether the row was cut off, or a value with a comma lacks its quotation marks.",
            )
            for number, row in self.ragged.items()
        ]

    def cut_off(self) -> pl.DataFrame:
        """Return what the records of the ragged rows need: number, broker account and text."""
        return pl.DataFrame(
            {
                "row_number": list(self.ragged),
                "broker_account_id": [None] * len(self.ragged),
                "text": [canonical(row) for row in self.ragged.values()],
            },
            schema={"row_number": pl.Int64, "broker_account_id": pl.String, "text": pl.String},
        )


def csv_rows(text: str, *, name: str) -> CsvRows:
    """Read comma-separated values with a header.

    Row numbers count the rows after the header, blank lines do not count. An empty value is no value. Raises
    InputError where the header or the quoting is broken.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = next(reader, [])
        _check_header(header, name)
        chunks, ragged = _chunks(reader, header)
    except csv.Error as error:
        raise InputError(f"{name}: line {reader.line_num} is no CSV: {error}. Check its quotation marks.") from error
    return CsvRows(header, pl.concat(chunks), ragged)


def texts_of(frame: pl.DataFrame, *, name: str) -> pl.Series:
    """Return each row as JSON with sorted keys, without the columns that are empty throughout."""
    columns = []
    for column in sorted(frame.columns):
        dtype = frame.schema[column]
        if isinstance(dtype, pl.Binary | pl.Object):
            raise InputError(f"{name}: the column {column} has the type {dtype}. Write it as text.")
        if frame[column].null_count() < frame.height:
            columns.append(_written(pl.col(column), dtype))
    if not columns:
        return pl.Series("text", ["{}"] * frame.height, dtype=pl.String)
    return frame.select(pl.struct(columns).struct.json_encode().alias("text")).to_series()


def _written(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    """Return a column as JSON can write it without loss."""
    if isinstance(dtype, pl.Time | pl.Duration):
        return column.dt.to_string()
    if dtype.is_float() or isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    return column


def _parsed(frame: pl.DataFrame, numbers: pl.Series, texts: pl.Series, *, name: str) -> Parsed:
    rows, refused = exact_rows(frame, numbers, EXECUTION, name=name)
    events, found = validate(rows, source=name)
    problems = sorted((*refused, *found), key=lambda problem: problem.row or 0)
    named = frame.schema.get("broker_account_id") == pl.String
    records = pl.DataFrame(
        [
            numbers.alias("row_number"),
            frame["broker_account_id"]
            if named
            else pl.Series("broker_account_id", [None], dtype=pl.String).new_from_index(0, frame.height),
            texts.alias("text"),
        ]
    )
    return Parsed(events, records_of(records, problems), tuple(problems))


def exact_rows(
    frame: pl.DataFrame, numbers: pl.Series, form: Form, *, name: str
) -> tuple[pl.DataFrame, tuple[Problem, ...]]:
    """Return the rows whose values all stand in exact columns of a form, with their numbers; and the other problems."""
    rules, columns = _columns(frame, form)
    rows = frame.select(numbers.alias(ROW), *columns)
    if not rules:
        return rows, ()
    whole = frame.with_columns(numbers.alias(ROW))
    refused = problems_of(Rules.of(*rules), given=whole, read=whole, source=name)
    return (rows.filter(~pl.col(ROW).is_in([p.row for p in refused])) if refused else rows), refused


def _columns(frame: pl.DataFrame, form: Form) -> tuple[list[Rule], list[pl.Expr]]:
    """Return the rules of columns that no row may use, and the expressions of those that can be validated."""
    rules, columns = [], []
    for name, dtype in frame.schema.items():
        if frame[name].null_count() == frame.height and frame.height:
            continue
        column = _column(name, dtype, form)
        if column is None:
            rules.append(Rule(name, pl.col(name).is_not_null(), _refusal(name, dtype, form)))
        else:
            columns.append(column.alias(name))
    return rules, columns


def _column(name: str, dtype: pl.DataType, form: Form) -> pl.Expr | None:
    field, column = form.fields.get(name), pl.col(name)
    if field is None or dtype.is_float():
        return None
    if dtype == pl.String:
        return column
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return column.cast(pl.String)
    exact = dtype.is_integer() or isinstance(dtype, pl.Decimal)
    if field.reads in NUMBERS:
        return column if exact else None
    if isinstance(dtype, pl.Date):
        return column if field.reads == "date" else column.cast(pl.String)
    if isinstance(dtype, pl.Datetime):
        typed = field.reads == "instant" and dtype.time_zone is not None
        return column if typed else column.dt.to_string("iso:strict")
    return column.cast(pl.String) if dtype.is_integer() else None


def _refusal(name: str, dtype: pl.DataType, form: Form) -> Callable[[Values, Values], Finding]:
    def explain(given: Values, _read: Values) -> Finding:
        if name not in form.fields:
            return unknown_field(name, form)
        return float_number(name, given[name]) if dtype.is_float() else bad_type(name, str(dtype))

    return explain


def _check_header(header: Sequence[str], name: str) -> None:
    if not any(header):
        raise InputError(f"{name}: there is no header. Write the names of the fields in the first line.")
    twice = {column for column in header if header.count(column) > 1}
    if twice:
        raise InputError(f"{name}: the header names {', '.join(sorted(twice))} twice. Keep one of the columns.")


def _chunks(reader: Iterator[list[str]], header: list[str]) -> tuple[list[pl.DataFrame], dict[int, list[str]]]:
    """Return the rows as frames of text, and by row number those that are too short or too long."""
    schema: dict[str, pl.DataType] = {ROW: pl.Int64(), **dict.fromkeys(header, pl.String())}
    chunks, width = [pl.DataFrame(schema=schema)], len(header)
    ragged: dict[int, list[str]] = {}
    number = 0
    while rows := list(islice((row for row in reader if row), CHUNK)):
        whole = [row for row in rows if len(row) == width]
        numbers = list(range(number + 1, number + len(rows) + 1))
        if len(whole) < len(rows):
            ragged |= {at: row for at, row in zip(numbers, rows, strict=True) if len(row) != width}
            numbers = [at for at in numbers if at not in ragged]
        columns = zip(*whole, strict=True) if whole else [()] * width
        chunk = pl.DataFrame({ROW: numbers, **dict(zip(header, map(list, columns), strict=True))}, schema=schema)
        chunks.append(chunk.with_columns(pl.when(pl.col(pl.String) != "").then(pl.col(pl.String)).name.keep()))
        number += len(rows)
    return chunks, ragged


def _with_ragged(parsed: Parsed, read: CsvRows, *, name: str) -> Parsed:
    problems = read.problems(name=name)
    records = pl.concat([parsed.records, records_of(read.cut_off(), problems)])
    return replace(
        parsed,
        records=records.sort("row_number"),
        problems=tuple(sorted((*parsed.problems, *problems), key=lambda problem: problem.row or 0)),
    )
