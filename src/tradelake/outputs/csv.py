"""Frames as comma-separated values."""

import polars as pl

from tradelake.outputs.values import as_text


def render_csv(frame: pl.DataFrame) -> str:
    """Return *frame* as CSV with a header line; null is an empty field, empty text a quoted one."""
    return as_text(frame).write_csv()
