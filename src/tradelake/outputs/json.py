"""Frames as JSON."""

import polars as pl

from tradelake.outputs.values import as_text


def render_json(frame: pl.DataFrame) -> str:
    """Return *frame* as a JSON array of objects, one line per row.

    Integers and booleans are JSON's own, null is null; everything else is text, decimals included, so that
    no reader turns money into a float.
    """
    lines = as_text(frame).write_ndjson().rstrip("\n")
    return "[\n" + lines.replace("\n", ",\n") + "\n]\n" if lines else "[]\n"
