"""Rows that fit the table definitions: one valid row of each table, and the extremes of every type."""

from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl

from tests.strategies import INSTANT_MAX, INSTANT_MIN, INTEGER_MAX, INTEGER_MIN
from tradelake.tables import Column, Table

VALID: dict[str, object] = {
    "json": "{}",
    "integer": 1,
    "boolean": True,
    "quantity": Decimal(1),
    "money": Decimal(1),
    "date": date(2026, 1, 16),
    "instant": datetime(2026, 1, 16, 14, 30, tzinfo=UTC),
}
SMALLEST: dict[str, object] = {
    "text": "",
    "json": "[]",
    "integer": INTEGER_MIN,
    "boolean": False,
    "quantity": Decimal("-999999999999999999999999999999.99999999"),
    "money": Decimal("-99999999999999999999999999.999999999999"),
    "date": date.min,
    "instant": INSTANT_MIN,
}
LARGEST: dict[str, object] = {
    "text": "".join(chr(code) for code in (*range(1, 0xD800), 0xFFFD, 0x1F600)),
    "json": '{"tags":["\\u0000","é","\\"quoted\\""]}',
    "integer": INTEGER_MAX,
    "boolean": True,
    "quantity": Decimal("999999999999999999999999999999.99999999"),
    "money": Decimal("99999999999999999999999999.999999999999"),
    "date": date.max,
    "instant": INSTANT_MAX,
}
FINEST: dict[str, object] = {
    "text": 'O\'Hara "&" Söhne;\r\n\t--',
    "json": "null",
    "integer": 0,
    "boolean": False,
    "quantity": Decimal("0.00000001"),
    "money": Decimal("-0.000000000001"),
    "date": date(1970, 1, 1),
    "instant": datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
}


def valid_value(column: Column) -> object:
    """Return a value that every constraint of *column* allows; a reference points at the target's own."""
    if column.values:
        return column.values[0]
    if column.type == "text":
        return f"{column.references.partition('.')[2] or column.name}-1"
    return VALID[column.type]


def valid_row(table: Table) -> dict[str, object]:
    """Return one row of *table*, nothing null, that PostgreSQL accepts beside such rows of the others."""
    return {column.name: valid_value(column) for column in table.columns}


def extreme_rows(table: Table) -> pl.DataFrame:
    """Return a frame of *table* with the extremes of every type, and a row with every null that may be."""
    rows = [{c.name: values[c.type] for c in table.columns} for values in (SMALLEST, LARGEST, FINEST)]
    rows.append({c.name: None if c.null else FINEST[c.type] for c in table.columns})
    return pl.DataFrame(rows, schema=table.schema, orient="row")
