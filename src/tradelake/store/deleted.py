"""What the hash chain knows of rows that were deleted.

Problem: a leaf of the chain is the SHA-256 over all rows that one commit brought to one month of a table. Of these some
may be deleted, while others stay: corporate actions, cured events, months under a hold.

Decision: at a deletion the leaf is noted as it was, and beside it the leaf of the rows that stay. The commit of the
deletion binds both. So the old link is proven by the first, and the rows that stay by the second.

Limit: a leaf takes about as much as the rows of a commit with one event; such commits do not get smaller by deletion.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tradelake.store.catalog import Catalog
from tradelake.store.chain import LEAVES, RUN, leaves_of, month_number
from tradelake.store.cold import HOT, parquet
from tradelake.tables import DELETED_LEAVES, Table

KEY = ["table_name", "of_run_id", "month"]
NEWEST = f"QUALIFY row_number() OVER (PARTITION BY {', '.join(KEY)} ORDER BY {RUN} DESC) = 1"
NOTED = pl.Schema({name: DELETED_LEAVES.schema[name] for name in DELETED_LEAVES.names[:7]})


def newest_leaves(catalog: Catalog, place: str = DELETED_LEAVES.name) -> pl.DataFrame:
    """Return what counts of `deleted_leaves`, one row per commit and month of a table."""
    return catalog.frame(f"SELECT {', '.join(NOTED)} FROM {place} {NEWEST} ORDER BY ALL")


def leaves_to_note(
    catalog: Catalog, table: Table, going: Sequence[Path], staying: Sequence[Path], key: str
) -> pl.DataFrame:
    """Return rows of `deleted_leaves` for the rows of archived files that go; the caller holds a transaction.

    *staying* are the archived files of the table that stay; *key* is the column that tells its rows apart.
    """
    gone = table.conform(pl.read_parquet(list(going), glob=False))
    pairs = gone.select(RUN, month_number(table).alias("number")).unique()
    files = f"UNION ALL BY NAME SELECT * FROM {parquet(staying)}" if staying else ""
    with catalog.joined(gone_pairs=pairs.select(RUN).unique()):
        rest = table.conform(
            catalog.frame(
                f"SELECT * FROM (SELECT * FROM lake.main.{table.name} {files}) SEMI JOIN gone_pairs USING ({RUN})",
                span=HOT,
            )
        )
    rest = rest.join(gone.select(key), on=key, how="anti").with_columns(month_number(table).alias("number"))
    rest = table.conform(rest.join(pairs, on=[RUN, "number"], how="semi").drop("number"))
    whole, left = (_named(leaves_of(rows, table)) for rows in (pl.concat([gone, rest]), rest))
    left = left.rename({"rows": "rest_rows", "digest": "rest_digest"})
    noted = whole.join(left, on=KEY, how="left").with_columns(
        pl.col("rest_rows").fill_null(0), pl.col("rest_digest").fill_null("")
    )
    # Of a leaf that has lost rows before, the whole is known from then.
    known = newest_leaves(catalog).select(*KEY, "rows", "digest")
    noted = noted.join(known, on=KEY, how="left", suffix="_known")
    return noted.select(
        *KEY,
        *(pl.coalesce(f"{name}_known", name).alias(name) for name in ("rows", "digest")),
        "rest_rows",
        "rest_digest",
    ).sort(KEY)


def _named(leaves: pl.DataFrame) -> pl.DataFrame:
    return leaves.select(
        "table_name",
        pl.col(RUN).alias("of_run_id"),
        "month",
        "rows",
        pl.col("digest").bin.encode("hex"),
    )


def as_leaves(noted: pl.DataFrame, prefix: str = "") -> pl.DataFrame:
    """Return noted leaves as the chain takes them (LEAVES); with the prefix `rest_` those of the rows that stay."""
    return noted.select(
        pl.col("of_run_id").alias(RUN),
        "table_name",
        "month",
        pl.col(f"{prefix}rows").alias("rows"),
        pl.col(f"{prefix}digest").str.decode("hex", strict=False).fill_null(b"").alias("digest"),
    ).cast(LEAVES)


def said_leaves(noted: pl.DataFrame) -> list[dict[str, Any]]:
    """Return noted leaves as a tombstone says them."""
    return noted.drop("rest_rows", "rest_digest").rename({"of_run_id": RUN}).to_dicts()
