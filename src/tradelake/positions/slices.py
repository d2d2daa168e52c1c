"""Positions at a past instant, from what they are made of today.

A slice is what one closing event took from a lot: it was open from the opening of the lot until then. So what was open
at an instant is what is open today of lots that were there, and the slices that were closed afterwards.
"""

import polars as pl

from tradelake.positions.summary import open_positions
from tradelake.tables import HOWS_OF_OPEN_LOTS, POSITION_HISTORY, POSITIONS

HELD = ("quantity", "cost_basis", "charges", "premium")
LOT_COLUMNS = ("account_id", "symbol", "position_id", *HELD)
SLICE_COLUMNS = (
    "account_id",
    "symbol",
    "position_id",
    "closed_at",
    "side",
    "how",
    "quantity",
    "proceeds",
    "cost",
    "realized_pnl",
    "premium",
    "left_basis",
    "left_charges",
    "left_premium",
)
SUMMED = ("status", "closed_at", "realized_pnl", "realized_premium")
SHARED = [name for name in POSITIONS.names if name in POSITION_HISTORY.names and name not in SUMMED]


def positions_at(
    positions: pl.DataFrame, history: pl.DataFrame, lots: pl.DataFrame, slices: pl.DataFrame, earned: pl.DataFrame
) -> pl.DataFrame:
    """Return the rows of `positions` as they were at an instant.

    `positions` are those of today that were open, `history` the closed ones that were, both with the columns SHARED;
    `lots` the lots of today that were there, with LOT_COLUMNS; `slices` the matches, with SLICE_COLUMNS, that were
    closed afterwards of lots that were there, `earned` those that these positions had by then. Holds where nothing but
    trades and option events happened since.
    """
    episodes = pl.concat([positions, history]).with_columns(
        pl.lit(None, dtype=POSITIONS.schema["closed_at"]).alias("closed_at")
    )
    units = pl.when(pl.col("side") == "LONG").then("quantity").otherwise(-pl.col("quantity"))
    closed_later = slices.filter(~pl.col("how").is_in(HOWS_OF_OPEN_LOTS)).select(
        "position_id",
        units.alias("quantity"),
        pl.col("left_basis").alias("cost_basis"),
        pl.col("left_charges").alias("charges"),
        pl.col("left_premium").alias("premium"),
    )
    held = pl.concat([lots.select("position_id", *HELD), closed_later])
    held = held.join(episodes, on="position_id", how="semi", maintain_order="left")
    return open_positions(episodes, held, earned)
