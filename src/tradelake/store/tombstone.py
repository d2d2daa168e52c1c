"""The tombstone of archived rows that were deleted: a text that says, without the book, what they were and why.

It has the leaves of the hash chain that stood over the rows. Whoever has them can prove the commits without the rows.
An object of that name alone proves no deletion: the book's own `archives` says what was deleted.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import polars as pl

from tradelake.store.catalog import Catalog
from tradelake.store.chain import RUN, month_number
from tradelake.store.deleted import KEY, said_leaves
from tradelake.store.manifest import Manifest, control_totals, totals_with
from tradelake.tables import ARCHIVE_TOTALS, ARCHIVED_TABLES, ARCHIVES

KIND, FORMAT = "tombstone", 1
OF_THE_COMMIT = ("recorded_at", "import_run_id", "row_check")
FILE = ("table_name", "object", "file_sha256", "bytes", "rows", "first_key", "last_key")


def tombstone_of(
    catalog: Catalog,
    book_id: str,
    going: pl.DataFrame,
    leaves: pl.DataFrame,
    *,
    policy: Mapping[str, str],
    author: str,
    at: datetime,
) -> Manifest:
    """Return the tombstone of the files of one archived part, rows of `archives`, with its `deleted_leaves`."""
    first = going.row(0, named=True)
    totals = catalog.frame(f"SELECT * FROM {ARCHIVE_TOTALS.name} WHERE archive_id = ?", [first["archive_id"]])
    totals = ARCHIVE_TOTALS.conform(totals).sort(*ARCHIVE_TOTALS.sort)
    said: dict[str, Any] = {
        "kind": KIND,
        "format": FORMAT,
        "book_id": book_id,
        "archive_id": first["archive_id"],
        "month": f"{first['month']:%Y-%m}",
        "deleted_by": author,
        "deleted_at": at.isoformat(),
        "policy": dict(policy),
        "manifest": first["manifest"],
        "manifest_sha256": first["manifest_sha256"],
        "files": going.select(FILE).to_dicts(),
        "control_totals": totals_with(totals, control_totals(totals)),
        "leaves": said_leaves(leaves),
    }
    data = (json.dumps(said, indent=1) + "\n").encode()
    name = f"{book_id}/{said['month']}/{first['archive_id']}-deleted-{sha256(data).hexdigest()[:16]}.json"
    return Manifest(name, data, {})


def leaves_of_part(catalog: Catalog, going: pl.DataFrame, noted: pl.DataFrame) -> pl.DataFrame:
    """Return those of noted leaves that rows of some archived files are in."""
    found = []
    for row in going.iter_rows(named=True):
        table = next(table for table in ARCHIVED_TABLES if table.name == row["table_name"])
        rows = table.conform(pl.read_parquet(catalog.cold.file(row), glob=False))
        number = month_number(table)
        month = pl.format("{}-{}", (number // 12).cast(pl.String), (number % 12 + 1).cast(pl.String).str.zfill(2))
        keys = rows.select(pl.lit(table.name).alias("table_name"), pl.col(RUN).alias("of_run_id"), month.alias("month"))
        found.append(noted.join(keys.unique(), on=KEY, how="semi"))
    return pl.concat(found).sort(KEY)


def deleted_entries(going: pl.DataFrame, tombstone: Manifest) -> pl.DataFrame:
    """Return the rows of `archives` that say that files were deleted."""
    names = [name for name in ARCHIVES.names if name not in OF_THE_COMMIT]
    return going.select(names).with_columns(
        pl.lit("deleted").alias("step"),
        pl.lit(tombstone.name).alias("manifest"),
        pl.lit(tombstone.sha256).alias("manifest_sha256"),
    )
