"""Maintenance: rows inside the catalog become files, small files one, deleted rows and old versions go, and orphans.

Problem: a book that records for years collects rows inside its catalog, small files, files most of whose rows a fold
has replaced, versions that nobody will ask for, and files of writers that were killed before their commit.

Decision: each step takes the writer's lease for itself, so that writers wait for one step and not for all, and runs in
a transaction of its own: an update or delete that overlapped a merge of the same table would be lost silently. What a
step has moved is scanned before its commit (`unchanged.py`), and a step that changed any of it is rolled back. Files
are removed only when the commit that no longer names them is a while old, since a reader may still stand on the version
before.

Limit: tables whose rows are updated in place inside the catalog (head, settings) are left alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import polars as pl

from tradelake.store.catalog import Catalog
from tradelake.store.cold import HOT
from tradelake.store.session import METADATA
from tradelake.store.unchanged import prove_unchanged
from tradelake.tables import (
    ARCHIVED_TABLES,
    ARCHIVES,
    CHECKPOINT,
    DERIVED_TABLES,
    FACT_TABLES,
    REFERENCE_TABLES,
    TOLD_TABLES,
    Table,
)

GROWING = (*REFERENCE_TABLES, *TOLD_TABLES, *FACT_TABLES)
REPLACED = (*DERIVED_TABLES, CHECKPOINT)
# Larger files than this are left as they are, so that a night does not write a month again.
SMALL_FILE_BYTES = 8_000_000
# A file is written again when at least this part of its rows is deleted.
DELETED_PART = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What maintenance keeps: old versions, files that only they need, and files that no commit has named so far."""

    versions: timedelta = timedelta(days=7)
    files: timedelta = timedelta(days=1)
    orphans: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintained:
    """What maintenance did, or with a dry run would do, counted in rows, files, versions and bytes.

    `files_merged` small files became `files_created`; `files_rewritten` were written again without their deleted rows.
    `files_removed` were needed by old versions only, `orphans_removed` by no commit at all; `bytes_removed` counts
    both. A dry run does not foresee what becomes superfluous by the other steps; that
    is removed by a later run.
    """

    rows_flushed: int = 0
    files_merged: int = 0
    files_created: int = 0
    files_rewritten: int = 0
    versions_expired: int = 0
    files_removed: int = 0
    orphans_removed: int = 0
    bytes_removed: int = 0
    dry_run: bool = False

    @property
    def anything(self) -> bool:
        """Whether there was something to do."""
        return self != Maintained(dry_run=self.dry_run)


def maintain(catalog: Catalog, *, at: datetime, upkeep: Upkeep | None = None, dry_run: bool = False) -> Maintained:
    """Flush, rewrite, merge, expire and remove, as of an instant; nothing that is read changes.

    Raises BookBusy where another writer keeps the lease, InvariantError where a step would have changed what is read,
    StorageError where one fails; the steps before it are done, and a repeat goes on.
    """
    kept = upkeep or Upkeep()
    steps: tuple[Callable[[Maintained], Maintained], ...] = (
        lambda done: _flush(catalog, done),
        lambda done: _rewrite(catalog, done),
        lambda done: _merge(catalog, done),
        lambda done: _expire(catalog, done, at - kept.versions),
        lambda done: _remove_old(catalog, done, at - kept.files),
        lambda done: _remove_orphans(catalog, done, at - kept.orphans),
    )
    done = Maintained(dry_run=dry_run)
    with catalog.noted_at_the_end():
        for step in steps:
            done = catalog.again(partial(_leased, catalog, step, done))
    return done


def _leased(catalog: Catalog, step: Callable[[Maintained], Maintained], done: Maintained) -> Maintained:
    with catalog.lease.hold():
        return step(done)


def _flush(catalog: Catalog, done: Maintained) -> Maintained:
    """Write the rows of growing tables that are inside the catalog to files."""
    inside = catalog.frame(
        f"SELECT i.table_name AS rows_in, t.table_name FROM {METADATA}.ducklake_inlined_data_tables i "
        "JOIN ducklake_table_info('lake') t USING (table_id)"
    )
    counts = {
        name: int(catalog.frame(f"SELECT count(*) AS rows FROM {METADATA}.{rows_in}")["rows"].item())
        for rows_in, name in inside.iter_rows()
    }
    waiting = {table: counts[table.name] for table in GROWING if counts.get(table.name)}
    if done.dry_run:
        return replace(done, rows_flushed=sum(waiting.values()))
    for table in waiting:
        (rows,) = _step(catalog, table, _FLUSH, "rows_flushed")
        done = replace(done, rows_flushed=done.rows_flushed + rows)
    return done


def _rewrite(catalog: Catalog, done: Maintained) -> Maintained:
    """Write the files again of whose rows many are deleted: replaced by a fold, or archived."""
    found = catalog.frame(
        f"SELECT t.table_name, count(*) AS files FROM {METADATA}.ducklake_data_file f "
        f"JOIN {METADATA}.ducklake_delete_file d USING (data_file_id) "
        "JOIN ducklake_table_info('lake') t ON t.table_id = f.table_id "
        "WHERE f.end_snapshot IS NULL AND d.end_snapshot IS NULL AND d.delete_count >= f.record_count * ? GROUP BY ALL",
        [DELETED_PART],
    )
    waiting = dict(found.iter_rows())
    if not done.dry_run and catalog.frame(f"SELECT 1 FROM {ARCHIVES.name} LIMIT 1").height:
        # What was archived of a small file is noted inside the catalog, where only DuckLake sees it.
        waiting |= dict.fromkeys((table.name for table in ARCHIVED_TABLES), 0)
    for table in (*REPLACED, *ARCHIVED_TABLES):
        if table.name in waiting:
            files = waiting[table.name]
            if not done.dry_run:
                files, _ = _step(catalog, table, _REWRITE, "files_processed", "files_created")
            done = replace(done, files_rewritten=done.files_rewritten + files)
    return done


def _merge(catalog: Catalog, done: Maintained) -> Maintained:
    """Merge the small files of each partition."""
    found = catalog.frame(
        "SELECT table_name, sum(files)::BIGINT AS files FROM (SELECT t.table_name, p.place, count(*) AS files "
        f"FROM {METADATA}.ducklake_data_file f JOIN ducklake_table_info('lake') t ON t.table_id = f.table_id "
        "LEFT JOIN (SELECT data_file_id, string_agg(partition_value, '/' ORDER BY partition_key_index) AS place "
        f"FROM {METADATA}.ducklake_file_partition_value GROUP BY ALL) p ON p.data_file_id = f.data_file_id "
        "WHERE f.end_snapshot IS NULL AND f.file_size_bytes < ? AND NOT EXISTS (FROM "
        f"{METADATA}.ducklake_delete_file d WHERE d.data_file_id = f.data_file_id AND d.end_snapshot IS NULL) "
        "GROUP BY ALL) WHERE files > 1 GROUP BY ALL",
        [SMALL_FILE_BYTES],
    )
    waiting = dict(found.iter_rows())
    for table in (*GROWING, *REPLACED):
        if waiting.get(table.name):
            taken, made = waiting[table.name], 0
            if not done.dry_run:
                taken, made = _step(catalog, table, _MERGE, "files_processed", "files_created")
            done = replace(done, files_merged=done.files_merged + taken, files_created=done.files_created + made)
    return done


def _expire(catalog: Catalog, done: Maintained, before: datetime) -> Maintained:
    """Give up the versions of the catalog from before an instant; the newest one always stays."""
    found = catalog.frame("SELECT snapshot_id, snapshot_time FROM ducklake_snapshots('lake') ORDER BY ALL")[:-1]
    old = found.filter(pl.col("snapshot_time") < before)["snapshot_id"].to_list()
    if old and not done.dry_run:
        with catalog.transaction():
            catalog.execute(f"CALL ducklake_expire_snapshots('lake', versions => {old})")
    return replace(done, versions_expired=len(old))


def _remove_old(catalog: Catalog, done: Maintained, before: datetime) -> Maintained:
    """Remove the files that no version has needed since before an instant."""
    times = catalog.frame(
        f"SELECT CAST(schedule_start AS TIMESTAMPTZ) AS at FROM {METADATA}.ducklake_files_scheduled_for_deletion"
    )["at"]
    if (times < before).all():
        which = "cleanup_all => true"
    else:
        # In a SQLite catalog DuckLake compares these times as text, and takes all of the same day for older.
        day = timedelta(days=1 if catalog.target.kind == "sqlite" else 0)
        which = _older(before - day)
    paths, sizes = _removed(catalog, "ducklake_cleanup_old_files", which, dry_run=done.dry_run)
    return replace(done, files_removed=paths, bytes_removed=done.bytes_removed + sizes)


def _remove_orphans(catalog: Catalog, done: Maintained, before: datetime) -> Maintained:
    """Remove the files that were last written before an instant, and that no commit has named."""
    paths, sizes = _removed(catalog, "ducklake_delete_orphaned_files", _older(before), dry_run=done.dry_run)
    return replace(done, orphans_removed=paths, bytes_removed=done.bytes_removed + sizes)


def _removed(catalog: Catalog, function: str, which: str, *, dry_run: bool) -> tuple[int, int]:
    """Let DuckLake remove files, and return how many these are, and their bytes."""
    with catalog.transaction():
        paths = catalog.frame(f"CALL {function}('lake', {which}, dry_run => true)")["path"].to_list()
        sizes = [catalog.place.size(path) or 0 for path in paths]
        if paths and not dry_run:
            catalog.execute(f"CALL {function}('lake', {which}, dry_run => false)")
    return len(paths), sum(sizes)


_FLUSH = "CALL ducklake_flush_inlined_data('lake', table_name => '{}')"
_MERGE = f"CALL ducklake_merge_adjacent_files('lake', '{{}}', max_file_size => {SMALL_FILE_BYTES})"
_REWRITE = f"CALL ducklake_rewrite_data_files('lake', '{{}}', delete_threshold => {DELETED_PART})"


def _older(before: datetime) -> str:
    return f"older_than => TIMESTAMPTZ '{before.isoformat()}'"


def _step(catalog: Catalog, table: Table, statement: str, *counts: str) -> tuple[int, ...]:
    """Run one step on one table and return what it counts; raise InvariantError where it would change what is read."""
    with catalog.parallel(), catalog.transaction():
        done = catalog.frame(statement.format(table.name), span=HOT)
        result = tuple(int(done[name].sum() or 0) for name in counts)
        if any(result):
            prove_unchanged(catalog, table)
            catalog.sync()
    return result
