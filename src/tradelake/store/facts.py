"""Rows of tables that only grow beside the log: marks, snapshots, steps of breaks, nights."""

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from tradelake.store.chain import HASH, with_hashes
from tradelake.tables import BY_NAME


def facts_of(
    given: Mapping[str, pl.DataFrame], run: int, recorded_at: datetime
) -> tuple[dict[str, pl.DataFrame], list[bytes]]:
    """Return the facts with their commit, sorted, and the digests of those that the chain binds."""
    facts, digests = {}, []
    for name, rows in given.items():
        table = BY_NAME[name]
        committed = rows.with_columns(
            pl.lit(recorded_at).cast(table.schema["recorded_at"]).alias("recorded_at"),
            pl.lit(run, dtype=pl.Int64).alias("import_run_id"),
        )
        facts[name] = table.conform(committed.with_columns(pl.lit("").alias(HASH))).sort(*table.sort)
        if HASH in table.names:
            facts[name], found = with_hashes(facts[name], table)
            digests += found
    return facts, digests
