"""Rows of tables that only grow beside the log: marks, snapshots, steps of breaks, nights."""

from collections.abc import Mapping

import polars as pl


def without_unused(
    given: Mapping[str, pl.DataFrame], proposed: pl.DataFrame, learnt: pl.DataFrame
) -> dict[str, pl.DataFrame]:
    """Return the facts without those of instruments that were proposed and do not come into the book after all."""
    about = "instrument_id"
    unused = proposed.join(learnt, on=about, how="anti")
    return {
        name: rows.join(unused, on=about, how="anti", maintain_order="left") if about in rows.columns else rows
        for name, rows in given.items()
    }
