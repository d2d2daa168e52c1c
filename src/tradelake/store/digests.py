"""Digests of data files: noted when the files are written, compared when they are verified.

Problem: a byte of a Parquet file may change without changing a row: in its statistics, a Bloom filter, the name of its
writer. Some of these hide rows from queries.

Decision: right after the commit that names new files, the digest of each is noted, and that of what the catalog says
of it. A file without a note is no fault: the process may have ended between the two. The next writer of files notes it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

import polars as pl
from polars import selectors as cs

from tradelake.errors import StorageError
from tradelake.store.session import METADATA
from tradelake.tables import CHECKPOINT, FILE_DIGESTS

if TYPE_CHECKING:
    from tradelake.store.catalog import Catalog

NOTED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class DataFile:
    """One data or delete file, as the catalog has it; `said` is the digest of all that.

    A file that is not `live` holds rows of older versions only.
    """

    identity: int
    name: str
    path: str
    table: str
    rows: int
    size: int
    said: str
    deletes: bool
    live: bool


def data_files(catalog: "Catalog", *, unnoted: bool = False) -> list[DataFile]:
    """Return the data and delete files that the catalog knows, or only the *unnoted*, by table and name."""
    only = f" AND f.path NOT IN (SELECT file_name FROM {FILE_DIGESTS.name})" if unnoted else ""
    found = [*_listed(catalog, only, deletes=False), *_listed(catalog, only, deletes=True)]
    return sorted(found, key=lambda file: (file.table, file.name))


def _listed(catalog: "Catalog", only: str, *, deletes: bool) -> Iterator[DataFile]:
    kind, rows = ("delete", "delete_count") if deletes else ("data", "record_count")
    files = catalog.frame(
        f"SELECT t.table_name AS of_table, t.path AS table_path, s.path AS schema_path, f.* "
        f"FROM {METADATA}.ducklake_{kind}_file f JOIN {METADATA}.ducklake_table t USING (table_id) "
        f"JOIN {METADATA}.ducklake_schema s USING (schema_id) "
        f"WHERE t.end_snapshot IS NULL AND s.end_snapshot IS NULL{only}"
    )
    if not files.height:
        return
    identity = f"{kind}_file_id"
    said = _texts(files.drop("end_snapshot"), identity)
    if not deletes:
        for name in ("file_column_stats", "file_partition_value"):
            with catalog.joined(listed_files=files.select(identity)):
                more = catalog.frame(
                    f"SELECT * FROM {METADATA}.ducklake_{name} SEMI JOIN listed_files USING ({identity})"
                )
            for key, text in _texts(more, identity).items():
                said[key] = said.get(key, "") + "\x1d" + text
    for row in files.iter_rows(named=True):
        folder = f"{catalog.data_folder}{row['schema_path']}{row['table_path']}"
        yield DataFile(
            identity=row[identity],
            name=row["path"],
            path=folder + row["path"] if row["path_is_relative"] else row["path"],
            table=row["of_table"],
            rows=row[rows],
            size=row["file_size_bytes"],
            said=sha256(said[row[identity]].encode()).hexdigest(),
            deletes=deletes,
            live=row["end_snapshot"] is None,
        )


def _texts(rows: pl.DataFrame, identity: str) -> dict[int, str]:
    """Return all values of rows as one text per file, the same whatever database has the catalog."""
    # What is a boolean for one database is a number for another.
    rows = rows.with_columns(cs.boolean().cast(pl.Int64))
    values = [pl.col(name).cast(pl.String).fill_null("\x00") for name in rows.columns]
    texts = rows.select(identity, pl.concat_str(values, separator="\x1f").alias("text")).sort("text")
    return dict(texts.group_by(identity, maintain_order=True).agg(pl.col("text").str.join("\x1e")).iter_rows())


def noted(catalog: "Catalog") -> pl.DataFrame:
    """Return the digests that were noted, one row per file."""
    return catalog.frame(f"SELECT {', '.join(FILE_DIGESTS.names)} FROM {FILE_DIGESTS.name}")


def note_files(catalog: "Catalog") -> None:
    """Note the digests of the data files that have none, in a transaction of its own.

    The commit that named the files is done and stays done: what cannot be noted now is left to the next writer. So is
    the one file that a new book has, its checkpoint.
    """
    try:
        _mend_months(catalog)
        with catalog.transaction():
            fresh = data_files(catalog, unnoted=True)
            if {file.table for file in fresh} == {CHECKPOINT.name}:
                return
            rows = [
                (file.name, file.table, digest, file.said)
                for file in fresh
                if (digest := catalog.place.digest(file.path)) is not None
            ]
            for start in range(0, len(rows), NOTED_AT_ONCE):
                piece = rows[start : start + NOTED_AT_ONCE]
                catalog.insert(FILE_DIGESTS.name, pl.DataFrame(piece, schema=FILE_DIGESTS.schema, orient="row"))
    except StorageError:
        return


def _mend_months(catalog: "Catalog") -> None:
    """Let the year of a file that was taken in be its first partition value: DuckLake 1.5 calls it the second as well.

    It leaves out no file by these values; a later DuckLake may. A year has four digits, and a month has not.
    """
    catalog.update(
        f"UPDATE {METADATA}.ducklake_file_partition_value SET partition_key_index = 0 "
        "WHERE partition_key_index = 1 AND length(partition_value) = 4",
        [],
    )
