"""A frame's values as text: plain decimals, ISO-8601 instants with Z, nothing in scientific notation."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

import polars as pl

from tradelake.units import plain

INSTANT_FORMAT = "%Y-%m-%dT%H:%M:%S%.6f"


def as_text(frame: pl.DataFrame) -> pl.DataFrame:
    """Return *frame* with the same rows and columns, every column text except integers and booleans.

    Decimals and floats become plain decimals without exponent and without trailing zeros, instants
    `2026-01-15T14:30:00Z` with microseconds where there are any, dates `2026-01-15`, lists and structs
    JSON, binary hexadecimal digits. A null stays a null.
    """
    return frame.select(column_text(frame.get_column(name)) for name in frame.columns)


def column_text(column: pl.Series) -> pl.Series:
    """Return one column as `as_text` says; integers and booleans are returned as they are."""
    dtype = column.dtype
    if dtype.is_integer() or dtype in (pl.Boolean, pl.String):
        return column
    if isinstance(dtype, pl.Decimal):
        text = column.cast(pl.String)
        return text.str.strip_chars_end("0").str.strip_chars_end(".") if dtype.scale else text
    if isinstance(dtype, pl.Datetime):
        return _instant_text(column, zone=dtype.time_zone)
    if dtype == pl.Date:
        return column.dt.strftime("%Y-%m-%d")
    return pl.Series(column.name, [None if v is None else _text(v) for v in column], dtype=pl.String)


def _instant_text(column: pl.Series, *, zone: str | None) -> pl.Series:
    utc = column.dt.cast_time_unit("us")
    if zone is not None:
        utc = utc.dt.convert_time_zone("UTC")
    text = utc.dt.strftime(INSTANT_FORMAT).str.strip_suffix(".000000")
    return text if zone is None else text + "Z"


def _text(value: object) -> str:
    simple = _simple(value)
    return simple if isinstance(simple, str) else json.dumps(simple, ensure_ascii=False)


def _simple(value: object) -> object:
    """Return *value* made of text, integers, booleans, lists and mappings only."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return plain(Decimal(repr(value)))
        case Decimal():
            return plain(value)
        case datetime() | date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case pl.Series() | Sequence():
            return [_simple(item) for item in value]
        case Mapping():
            return {str(key): _simple(item) for key, item in value.items()}
        case _:
            return str(value)
