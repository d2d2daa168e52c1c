"""Rows of tables that only grow beside the log: marks, snapshots, steps of breaks, nights."""

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from tradelake.store.chain import HASH, with_hashes
from tradelake.tables import FACT_TABLES


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


def facts_of(
    given: Mapping[str, pl.DataFrame], run: int, recorded_at: datetime
) -> tuple[dict[str, pl.DataFrame], list[bytes]]:
    """Return the facts with their commit, sorted, and the digests of those that the chain binds."""
    facts, digests = {}, []
    for table in FACT_TABLES:
        name = table.name
        if name not in given:
            continue
        committed = given[name].with_columns(
            pl.lit(recorded_at).cast(table.schema["recorded_at"]).alias("recorded_at"),
            pl.lit(run, dtype=pl.Int64).alias("import_run_id"),
        )
        facts[name] = table.conform(committed.with_columns(pl.lit("").alias(HASH))).sort(*table.sort)
        if HASH in table.names:
            facts[name], found = with_hashes(facts[name], table)
            digests += found
    return facts, digests
