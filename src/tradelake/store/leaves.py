"""Leaves of the hash chain in the order of the chain: what each commit brought to each month of each table."""

import numpy as np
import polars as pl

from tradelake.store.chain import RUN, Leaf
from tradelake.tables import CHAINED_TABLES, Table

ORDER = {table.name: number for number, table in enumerate(CHAINED_TABLES)}
COMPACT = pl.Schema({RUN: pl.Int64, "table": pl.Int8, "month": pl.Int32, "rows": pl.Int64, "digest": pl.Binary})


class Leaves:
    """Leaves in the order of the chain, to be taken commit by commit."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame
        self._starts = frame[RUN].to_numpy()

    def count(self, table: Table) -> int:
        """Return how many rows of a table there are."""
        return int(self._frame.filter(pl.col("table") == ORDER[table.name])["rows"].sum())

    def between(self, first: int, last: int) -> dict[int, list[Leaf]]:
        """Return the leaves of the commits from one to another, by commit."""
        start, end = np.searchsorted(self._starts, [first, last + 1])
        names = [table.name for table in CHAINED_TABLES]
        found: dict[int, list[Leaf]] = {}
        for run, table, month, rows, digest in self._frame[int(start) : int(end)].iter_rows():
            text = f"{month // 100:04}-{month % 100:02}" if month else ""
            found.setdefault(run, []).append((names[table], text, rows, digest))
        return found


def compact(leaves: pl.DataFrame) -> pl.DataFrame:
    """Return leaves (LEAVES) with numbers in the place of names: a book may have millions of them."""
    return leaves.select(
        RUN,
        pl.col("table_name").replace_strict(ORDER, return_dtype=pl.Int8).alias("table"),
        pl.col("month").str.replace("-", "", literal=True).replace("", "0").cast(pl.Int32),
        "rows",
        "digest",
    )
