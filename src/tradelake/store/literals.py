"""What is written into SQL and what comes back: quoted text as the exact values of columns, names that are distinct."""

import re
from datetime import date, datetime
from decimal import Decimal
from itertools import count

import polars as pl

# A text, a quoted name, or the place of a value.
PLACES = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\?""")


def literal(text: str) -> str:
    """Return a text as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def instant(at: datetime) -> str:
    """Return an instant as a literal of SQL."""
    return f"TIMESTAMPTZ {literal(at.isoformat())}"


def written_out(sql: str, values: list[object]) -> str | None:
    """Return a statement with its values in the place of the question marks; None where one cannot be written so.

    To take values beside a statement, DuckDB imports pandas wherever it is installed: half a second.
    """
    texts = [_constant(value) for value in values]
    if None in texts:
        return None
    waiting = iter(texts)
    return PLACES.sub(lambda found: found[0] if found[0] != "?" else str(next(waiting)), sql)


def _constant(value: object) -> str | None:
    match value:
        case None:
            return "NULL"
        case bool():
            return str(value).upper()
        case int():
            return f"({value})"
        case str():
            return None if "\0" in value else literal(value)
        case datetime():
            return instant(value) if value.tzinfo else None
        case date():
            return f"DATE {literal(value.isoformat())}"
        case _:
            return None


def insert_statement(table: str, frame: pl.DataFrame) -> str | None:
    """Return an INSERT with the values of a few rows written out; None where a text cannot be written so.

    That costs half of what a frame costs that is made known to DuckDB first. Every value is quoted text, which DuckDB
    reads as the type of its column, exactly.
    """
    rows = [f"({', '.join(map(_written, row))})" for row in frame.iter_rows()]
    statement = f"INSERT INTO {table} ({', '.join(frame.columns)}) VALUES {', '.join(rows)}"
    return None if "\0" in statement else statement


def _written(value: object) -> str:
    if value is None:
        return "NULL"
    return literal(format(value, "f") if isinstance(value, Decimal) else str(value))


def distinct_names(names: list[str]) -> list[str]:
    """Return column names of which none comes twice, numbered as DuckDB does it: a join may repeat them."""
    distinct: list[str] = []
    for name in names:
        candidates = (f"{name}_{number}" if number else name for number in count())
        distinct.append(next(text for text in candidates if text.lower() not in {d.lower() for d in distinct}))
    return distinct
