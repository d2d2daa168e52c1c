"""A copy of the catalog of a book as it is at one commit, and what it names."""

import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tradelake.errors import StorageError
from tradelake.store.append import read_head
from tradelake.store.catalog import Catalog
from tradelake.store.literals import literal
from tradelake.store.session import METADATA
from tradelake.store.target import Target
from tradelake.store.transcribe import transcribe, types_of

LocalKind = Literal["sqlite", "duckdb"]
COPY_SQLITE = (
    "import sqlite3, sys; a = sqlite3.connect(sys.argv[1]); b = sqlite3.connect(sys.argv[2]); "
    "a.backup(b); b.execute('PRAGMA journal_mode = DELETE'); b.close(); a.close()"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A copied catalog: its kind, the head of the log, the settings, and the files below the data folder, sorted."""

    kind: LocalKind
    head: Mapping[str, str | int]
    settings: Mapping[str, str]
    paths: tuple[str, ...]


def copy_catalog(catalog: Catalog, copy: Path) -> Frozen:
    """Copy a catalog into a new file: under the lease, or, from PostgreSQL, in one snapshot, as a catalog of DuckDB.

    StorageError where that fails, or a file of the book is outside of its data folder.
    """
    kind = catalog.target.kind
    if kind == "postgres":
        target = Target("duckdb", str(copy), catalog.data_folder)
        transcribe(catalog.target, target, types_of(catalog))
        with closing(Catalog(target, read_only=True)) as copied:
            return _frozen(copied, "duckdb")
    with catalog.lease.hold():
        _copy_local(catalog, kind, copy)
        return _frozen(catalog, kind)


def _frozen(catalog: Catalog, kind: LocalKind) -> Frozen:
    return Frozen(kind=kind, head=told_head(catalog), settings=catalog.settings(), paths=_data_paths(catalog))


def told_head(catalog: Catalog) -> dict[str, str | int]:
    """Return the head of the log of a book as a manifest says it."""
    return {name: str(v) if name == "recorded_at" else v for name, v in asdict(read_head(catalog)).items()}


def _data_paths(catalog: Catalog) -> tuple[str, ...]:
    """Return the paths, below the data folder, of all files that a version of the catalog needs; sorted.

    StorageError where one is elsewhere.
    """
    places = catalog.frame(
        "SELECT DISTINCT s.path AS schema_path, t.path AS table_path, f.path, "
        "s.path_is_relative AND t.path_is_relative AND f.path_is_relative AS inside "
        f"FROM (SELECT table_id, path, path_is_relative FROM {METADATA}.ducklake_data_file UNION ALL "
        f"SELECT table_id, path, path_is_relative FROM {METADATA}.ducklake_delete_file) f "
        f"JOIN {METADATA}.ducklake_table t USING (table_id) JOIN {METADATA}.ducklake_schema s USING (schema_id)"
    )
    paths = []
    for schema, table, file, inside in places.iter_rows():
        if not inside:
            raise StorageError(f"The catalog names a file outside of its data folder, {file}: it cannot be backed up.")
        paths.append(f"{schema}{table}{file}")
    return tuple(sorted(paths))


def _copy_local(catalog: Catalog, kind: LocalKind, copy: Path) -> None:
    if kind == "duckdb":
        catalog.execute(f"ATTACH {literal(str(copy))} AS backup_copy")
        try:
            catalog.execute(f"COPY FROM DATABASE {METADATA} TO backup_copy")
        finally:
            catalog.execute("DETACH backup_copy")
        return
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", COPY_SQLITE, catalog.target.catalog, str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it was killed"])[-1]
        raise StorageError(f"The catalog {catalog.target.shown} cannot be copied: {why}.")
