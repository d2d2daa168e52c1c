"""What tables show of the keeping of a book: steps between formats, and settings."""

import polars as pl

from tradelake.outputs.columns import Shown

KEEPING_LAYOUTS: dict[str, tuple[Shown, ...]] = {
    "migrations": (
        Shown("format", pl.col("format_version"), "number"),
        Shown("step", pl.col("name")),
        Shown("state", pl.col("state")),
        Shown("when", pl.col("applied_at"), "instant"),
        Shown("by", pl.col("author"), width_min=4),
        Shown("at", pl.col("host"), width_min=4, drop=1),
        Shown("what", pl.col("what"), "prose", width_min=24),
    ),
    "settings": (
        Shown("setting", pl.col("setting"), width_min=30),
        Shown("value", pl.col("value"), width_min=12),
        Shown("from", pl.col("source"), width_min=24),
    ),
}
