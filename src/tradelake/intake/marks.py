"""Prices at the close of a session: rows of a caller, frames, and files in JSON Lines, CSV and Parquet.

A row names what is priced by `instrument_id`, `contract_symbol` or `symbol`, and gives `mark_date`, `price` and, where
it is not the currency of the instrument, `currency`. The same rows give the same marks in every format. Which
instrument is meant, and whether its price is new, is decided by the book.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from tradelake import sessions
from tradelake.errors import Problem
from tradelake.intake.executions import opened
from tradelake.intake.fields import ROW, Field, Form
from tradelake.intake.frames import csv_rows, exact_rows, texts_of
from tradelake.intake.numbers import number_rule, read_number
from tradelake.intake.parsed import MARKED
from tradelake.intake.rows import cleaned, lines_of, numbered
from tradelake.intake.rules import Finding, Rule, Rules, Values, problems_of, says
from tradelake.intake.times import date_rule, read_date
from tradelake.intake.words import read_text, text_rule, word_rule

NAMES = ("instrument_id", "contract_symbol", "symbol")
FIELDS = (
    Field("instrument_id", "symbol", "Id of the instrument"),
    Field("contract_symbol", "symbol", "OSI symbol of an option"),
    Field("symbol", "symbol", "Symbol of a stock, fund or index"),
    Field("mark_date", "date", "Trading day at whose close it is the price, YYYY-MM-DD"),
    Field("price", "money", "Price per unit; of an option per share of its contract"),
    Field("currency", "word", "Three letters, default that of the instrument"),
)
MARK = Form("A mark", {field.name: field for field in FIELDS})


@dataclass(frozen=True, slots=True)
class ParsedMarks:
    """Marks of one source (`MARKED`), what the records of its rows need, and one problem per row that is no mark."""

    marks: pl.DataFrame
    texts: pl.DataFrame
    problems: tuple[Problem, ...]


def marks_of_rows(rows: Iterable[object], *, name: str, today: date) -> ParsedMarks:
    """Read marks given as dicts; *name* stands for them in messages, and no price is of a day after *today*."""
    frame, texts, problems = cleaned(numbered(rows), MARK, name=name)
    return _judged(frame, texts, problems, name=name, today=today)


def marks_of_frame(frame: pl.DataFrame, *, name: str, today: date) -> ParsedMarks:
    """Read marks from a frame, one row each; rows count from 1. InputError for a column of bytes or Python objects."""
    numbers = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True)
    rows, refused = exact_rows(frame, numbers, MARK, name=name)
    return _judged(rows, _texts(frame, numbers, name), refused, name=name, today=today)


def parse_marks(data: bytes, *, name: str, format: str, today: date) -> ParsedMarks:
    """Read a file of marks in the format jsonl, csv or parquet; InputError where it cannot be read as a whole."""
    content = opened(data, name=name, format=format)
    if isinstance(content, pl.DataFrame):
        return marks_of_frame(content, name=name, today=today)
    if format == "jsonl":
        given, texts, problems = cleaned(lines_of(content), MARK, name=name)
        return _judged(given, texts, problems, name=name, today=today)
    read = csv_rows(content, name=name)
    frame, numbers = read.rows.drop(ROW), read.rows[ROW]
    rows, refused = exact_rows(frame, numbers, MARK, name=name)
    texts = pl.concat([_texts(frame, numbers, name), read.cut_off()])
    return _judged(rows, texts, [*refused, *read.problems(name=name)], name=name, today=today)


def _texts(frame: pl.DataFrame, numbers: pl.Series, name: str) -> pl.DataFrame:
    nobody = pl.lit(None, dtype=pl.String).alias("broker_account_id")
    return pl.select(numbers.alias("row_number"), nobody, texts_of(frame, name=name).alias("text"))


def _judged(
    rows: pl.DataFrame, texts: pl.DataFrame, refused: Iterable[Problem], *, name: str, today: date
) -> ParsedMarks:
    """Return the marks of the rows that break no rule; of each other row the first broken one is its problem."""
    here = [field for field in FIELDS if field.name in rows.columns]
    absent = [pl.lit(None, dtype=kind).alias(column) for column, kind in MARKED.items() if column not in rows.columns]
    given = [expression for field in here for expression in _reading(field, rows.schema[field.name])]
    read = rows.select(ROW, *given, *absent)
    found = problems_of(_rules(here, read, today), given=rows, read=read, source=name)
    good = ~pl.col(ROW).is_in([problem.row for problem in found])
    marks = read.filter(good).drop("source_row").rename({ROW: "source_row"}).select(MARKED.names())
    problems = sorted((*refused, *found), key=lambda problem: problem.row or 0)
    return ParsedMarks(marks, texts.sort("row_number"), tuple(problems))


def _reading(field: Field, dtype: pl.DataType) -> list[pl.Expr]:
    """Return a field's value, and `bad:` where there is one that is refused."""
    column = pl.col(field.name)
    if field.name in NAMES:
        value, bad = read_text(field)
    elif field.reads == "date":
        value, bad = read_date(field, dtype)
        bad |= column.is_not_null() & value.is_null()
    elif field.reads == "money":
        value, bad = read_number(field, dtype)
        bad |= column.is_not_null() & value.is_null()
    else:
        return [column.str.to_uppercase()]
    return [value.alias(field.name), bad.fill_null(value=False).alias(f"bad:{field.name}")]


def _rules(here: Sequence[Field], read: pl.DataFrame, today: date) -> Rules:
    by_name = {field.name: field for field in here}
    named = pl.any_horizontal(pl.col(name).is_not_null() for name in NAMES)
    return Rules.of(
        *(text_rule(by_name[name]) for name in NAMES if name in by_name),
        *(date_rule(field, "bad_date") for field in here if field.reads == "date"),
        *(number_rule(field) for field in here if field.reads == "money"),
        *(word_rule(field) for field in here if field.reads == "word"),
        _missing("instrument_id", ~named, "Give instrument_id, contract_symbol or symbol: one of them is enough."),
        _missing("mark_date", pl.col("mark_date").is_null(), "Give the trading day at whose close it is the price."),
        _missing("price", pl.col("price").is_null(), "Give the price, or leave the row out: no price is no mark."),
        Rule(
            "price",
            pl.col("price") < 0,
            says(
                "negative_price",
                "price asks for zero or more, and there was {price}.",
                "Correct the price; a short position has a price above zero too.",
            ),
        ),
        Rule(
            "mark_date",
            pl.col("mark_date") > today,
            says(
                "future_mark",
                "mark_date asks for a day that has been, and {mark_date} is still to come.",
                "Correct the day, or give the price when the session has closed.",
            ),
        ),
        Rule("mark_date", pl.col("mark_date").is_in(_closed_days(read["mark_date"], today)), _no_session),
    )


def _missing(name: str, broken: pl.Expr, action: str) -> Rule:
    return Rule(name, broken, says("missing_field", f"A mark asks for {name}, and there was none.", action))


def _closed_days(days: pl.Series, today: date) -> list[date]:
    """Return which of some days, up to today, are no session."""
    past = days.drop_nulls().unique().to_list()
    return [day for day in past if day <= today and not (_is_known(day) and sessions.is_session(day))]


def _is_known(day: date) -> bool:
    return sessions.FIRST <= day <= sessions.LAST


def _no_session(_given: Values, read: Values) -> Finding:
    day = read["mark_date"]
    if not _is_known(day):
        text = f"mark_date asks for a day from {sessions.FIRST} to {sessions.LAST}, and there was {day}."
        return Finding("not_a_session", text, "Correct the day.")
    near = f"{sessions.previous_session(day)} or {sessions.next_session(day)}"
    return Finding(
        "not_a_session",
        f"mark_date asks for a trading day of New York, and {day} is none.",
        f"Give the session that it is the price of: {near}.",
    )
