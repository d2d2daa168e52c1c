"""The data files against what the catalog says of them.

Each file is there with its size and its digest; its rows can be read, are as many as the catalog says, lie inside the
statistics by which queries leave files out, and in the month of its partition.
"""

from collections.abc import Mapping
from typing import Any

import duckdb
import polars as pl

from tradelake.errors import StorageError
from tradelake.store.catalog import Catalog
from tradelake.store.digests import DataFile, data_files, noted
from tradelake.store.findings import Finding
from tradelake.store.formats import tables_of
from tradelake.store.literals import literal
from tradelake.store.place import Place
from tradelake.store.session import METADATA, file_session
from tradelake.tables import BY_NAME, DUCKDB_TYPES, Table


def check_files(catalog: Catalog) -> tuple[int, list[Finding]]:
    """Return how many data files there are, and what is wrong with them and with the tables."""
    findings: list[Finding] = []
    try:
        _check_columns(catalog, findings)
        files = data_files(catalog)
        notes = {row["file_name"]: row for row in noted(catalog).iter_rows(named=True)}
        statistics = _by_file(catalog, "file_column_stats")
        partitions = _by_file(catalog, "file_partition_value")
    except StorageError as error:
        return 0, [*findings, Finding(None, "catalog", "", f"its lists of files cannot be read: {error}")]
    with file_session(catalog.data_folder) as reader:
        for file in files:
            wrong = _of_bytes(catalog.place, file, notes.get(file.name))
            if not wrong and file.live and not file.deletes and file.table in BY_NAME:
                table = BY_NAME[file.table]
                told = statistics.get(file.identity, []), partitions.get(file.identity, [])
                wrong = _of_rows(reader, file, table, *told)
            findings += [Finding(None, file.table, file.name, what) for what in wrong]
    return len(files), findings


def _check_columns(catalog: Catalog, findings: list[Finding]) -> None:
    """Note tables whose columns in the catalog are not those of the book's format."""
    there = catalog.frame(
        f"SELECT t.table_name, c.column_name, c.column_type FROM {METADATA}.ducklake_table t "
        f"JOIN {METADATA}.ducklake_column c USING (table_id) "
        "WHERE t.end_snapshot IS NULL AND c.end_snapshot IS NULL ORDER BY c.column_order"
    )
    types = {"VARCHAR": "varchar", "BIGINT": "int64", "TIMESTAMPTZ": "timestamptz"}
    for table in tables_of(catalog.format_version):
        mine = there.filter(pl.col("table_name") == table.name)
        asked = [(c.name, DUCKDB_TYPES[c.type]) for c in table.columns]
        written = [(name, types.get(kind, kind.lower().replace(" ", ""))) for name, kind in asked]
        found = [(name, kind.replace(" ", "")) for name, kind in mine.select("column_name", "column_type").iter_rows()]
        if found != written:
            findings.append(Finding(None, table.name, "", "its columns in the catalog are not those of the table"))


def _by_file(catalog: Catalog, name: str) -> dict[int, list[dict[str, Any]]]:
    rows = catalog.frame(
        f"SELECT x.* FROM {METADATA}.ducklake_{name} x JOIN {METADATA}.ducklake_data_file f USING (data_file_id) "
        "WHERE f.end_snapshot IS NULL"
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for row in rows.iter_rows(named=True):
        found.setdefault(row["data_file_id"], []).append(row)
    return found


def _of_bytes(place: Place, file: DataFile, note: Mapping[str, str] | None) -> list[str]:
    """Return what is wrong with a file without looking into it."""
    size = place.size(file.path)
    if size is None:
        return ["the file is missing"] if file.live else []
    wrong = []
    if size != file.size:
        wrong.append(f"the file has {size:,} bytes, the catalog says {file.size:,}")
    if note and (digest := place.digest(file.path)) != note["file_sha256"]:
        differs = "the file is not the one that was written: its SHA-256 differs"
        wrong.append(differs if digest else "the file cannot be read")
    if note and file.said != note["catalog_sha256"]:
        wrong.append("the catalog does not say of the file what it said when it was written")
    return wrong


def _of_rows(
    reader: duckdb.DuckDBPyConnection,
    file: DataFile,
    table: Table,
    statistics: list[dict[str, Any]],
    partitions: list[dict[str, Any]],
) -> list[str]:
    """Return how the rows of a file differ from what the catalog says of them."""
    checks = {"rows": f"count(*) = {file.rows}"}
    for told in statistics:
        number = told["column_id"] - 1
        if not 0 <= number < len(table.columns):
            continue
        name, kind = table.columns[number].name, DUCKDB_TYPES[table.columns[number].type]
        inside = f"count(*) - count({name}) = {told['null_count']}"
        for bound, sign in (("min", ">="), ("max", "<=")):
            if (value := told[f"{bound}_value"]) is not None:
                inside += (
                    f" AND coalesce({bound}({name}) {sign} TRY_CAST({literal(value)} AS {kind}), count({name}) = 0)"
                )
        checks[name] = inside
    for told in partitions if table.partition_date else ():
        part = ("year", "month")[min(told["partition_key_index"], 1)]
        value = literal(str(told["partition_value"]))
        day = table.partition_date
        checks[part] = f"CAST(min({part}({day})) AS VARCHAR) = {value} AND min({part}({day})) = max({part}({day}))"
    columns = ", ".join(f'{check} AS "{name}"' for name, check in checks.items())
    try:
        answer = reader.execute(
            f"SELECT {columns} FROM read_parquet({literal(file.path)}, hive_partitioning => false)"
        ).fetchone()
    except duckdb.Error as error:
        return [f"the file cannot be read: {str(error).splitlines()[0]}"]
    wrong = [name for name, right in zip(checks, answer or (), strict=True) if not right]
    return [f"the catalog's statistics are not those of the rows: {', '.join(wrong)}"] if wrong else []
