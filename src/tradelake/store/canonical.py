"""The canonical text of a row: its fields, joined by one control character and ended by another.

Texts that have one of these characters in them are escaped first, so that two rows that differ never have the same
text. They are looked for in the finished text, where as many are expected as there are fields and nulls; the escape,
which costs most, is only paid for by frames that need it. A few rows are written by Python, which is faster for them
than the expressions that write a million; both give the same text.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from tradelake.store.keys import NULL_TEXT, Integers, joined_texts, text_of
from tradelake.tables import POLARS_TYPES, Table

CHECK = "row_check"
LINK = "chain_hash"
FIELD, END, ESCAPE = "\x1f", "\x1e", "\x1b"
SPECIAL = "([\\x00\\x1b\\x1e\\x1f])"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@cache
def hashed(table: Table) -> tuple[str, ...]:
    """Return the columns that are in the text of a row: all but the check value and the link of the chain."""
    return tuple(name for name in table.names if name not in (CHECK, LINK))


def text_of_row(row: Mapping[str, Any], table: Table) -> bytes:
    """Return the canonical text of one row of a table, by column."""
    return (FIELD.join([_written(row[name]) for name in hashed(table)]) + END).encode()


def _written(value: object) -> str:
    if value is None:
        return NULL_TEXT
    if isinstance(value, str):
        return re.sub(SPECIAL, rf"{ESCAPE}\1", value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return str((value - EPOCH) // MICROSECOND)
    return str((value - EPOCH.date()).days) if isinstance(value, date) else str(value)


def text_bytes(rows: pl.DataFrame, table: Table) -> tuple[memoryview, Integers]:
    """Return the canonical texts of rows, one after the other, and where each begins; the last entry is the end."""
    types = {column.name: POLARS_TYPES[column.type] for column in table.columns}
    fields = [text_of(name, types[name]) for name in hashed(table)]
    fields[-1] += END
    text, offsets = _joined(rows, fields)
    seen = np.frombuffer(text, dtype=np.uint8)
    nulls = sum(rows[name].null_count() for name in hashed(table))
    expected = rows.height * len(fields) + nulls
    if np.count_nonzero(seen < ord(" ")) == expected:
        # No other control character: so none of ours can be inside a field.
        return text, offsets
    special = ((seen & 0xFE) == ord(END)) | (seen == ord(ESCAPE)) | (seen == ord(NULL_TEXT))
    if np.count_nonzero(special) != expected:
        escaped = pl.col(pl.String).str.replace_all(SPECIAL, f"{ESCAPE}${{1}}")
        text, offsets = _joined(rows.with_columns(escaped), fields)
    return text, offsets


def _joined(rows: pl.DataFrame, fields: list[pl.Expr]) -> tuple[memoryview, Integers]:
    return joined_texts(rows.select(pl.concat_str(fields, separator=FIELD).alias("text"))["text"])
