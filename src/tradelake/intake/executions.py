"""Executions as files: JSON Lines, CSV and Parquet; and as rows or frames of a caller.

All of them carry the fields of an execution row (`fields.py`), and the same rows give the same events in
every format.
"""

import io

import polars as pl

from tradelake.errors import InputError
from tradelake.intake.frames import from_csv, from_frame
from tradelake.intake.parsed import Parsed
from tradelake.intake.rows import from_lines, from_rows

__all__ = ["FORMATS", "from_frame", "from_rows", "opened", "parse"]

FORMATS = ("jsonl", "csv", "parquet")


def parse(data: bytes, *, name: str, format: str) -> Parsed:
    """Read a file of executions and other events.

    *name* stands for it in messages, *format* is one of FORMATS.

    Problems: one per row that cannot be used; `row` is the line of a JSONL file, and elsewhere counts rows
    from 1. Raises InputError where the file as a whole is not of its format, is cut off, or is empty.
    """
    if format not in FORMATS:
        raise InputError(f"{name}: executions come as {', '.join(FORMATS)}, not as {format}.")
    content = opened(data, name=name, format=format)
    if isinstance(content, pl.DataFrame):
        return from_frame(content, name=name)
    return from_lines(content, name=name) if format == "jsonl" else from_csv(content, name=name)


def opened(data: bytes, *, name: str, format: str) -> pl.DataFrame | str:
    """Return the frame of a Parquet file, the text of another; InputError where it is empty, cut off, or neither."""
    if not data.strip():
        raise InputError(f"{name}: the file is empty. Check whether it was written to its end.")
    return _read_parquet(data, name) if format == "parquet" else _decoded(data, name)


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: byte {error.start + 1} is no UTF-8. Check the format, or write the file as UTF-8."
        ) from error


def _read_parquet(data: bytes, name: str) -> pl.DataFrame:
    if not (data.startswith(b"PAR1") and data.endswith(b"PAR1")):
        raise InputError(
            f"{name}: there is no Parquet file, or it is cut off. Check whether it was written to its end."
        )
    try:
        return pl.read_parquet(io.BytesIO(data))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise InputError(f"{name}: the Parquet file cannot be read: {error}. Write it again.") from error
