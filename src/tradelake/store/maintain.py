"""Maintenance: what is kept inside the catalog becomes files, and small files of one partition become one.

Both run under the writer's lease, each in a transaction of its own: an update or delete that overlapped a merge of the
same table would be lost silently. Tables whose rows are updated in place are left alone. What a step is to keep is
counted by a scan before and after it, inside its transaction, so that a step that lost a row is rolled back.
"""

from dataclasses import dataclass

from tradelake.errors import InvariantError
from tradelake.store.catalog import Catalog
from tradelake.tables import FACT_TABLES, REFERENCE_TABLES, TOLD_TABLES, Table

GROWING = (*REFERENCE_TABLES, *TOLD_TABLES, *FACT_TABLES)
# Larger files than this are left as they are, so that a night does not write a month again.
SMALL_FILE_BYTES = 8_000_000
METADATA = "__ducklake_metadata_lake"


@dataclass(frozen=True, slots=True)
class Maintained:
    """What maintenance did: rows that became files, and small files that were merged into how many."""

    rows_flushed: int
    files_merged: int
    files_created: int

    @property
    def anything(self) -> bool:
        """Whether there was something to do."""
        return bool(self.rows_flushed or self.files_merged)


def maintain(catalog: Catalog) -> Maintained:
    """Flush the rows that are inside the catalog to files, and merge small files; nothing that is read changes."""
    flushed = merged = created = 0
    with catalog.lease.hold():
        for table in _inlined(catalog):
            flushed += _step(catalog, table, _FLUSH, "rows_flushed")[0]
        for table in GROWING:
            taken, made = _step(catalog, table, _MERGE, "files_processed", "files_created")
            merged, created = merged + taken, created + made
    return Maintained(flushed, merged, created)


_FLUSH = "CALL ducklake_flush_inlined_data('lake', table_name => '{}')"
_MERGE = f"CALL ducklake_merge_adjacent_files('lake', '{{}}', max_file_size => {SMALL_FILE_BYTES})"


def _inlined(catalog: Catalog) -> list[Table]:
    """Return the growing tables that have rows inside the catalog."""
    inside = catalog.frame(
        f"SELECT i.table_name AS rows_in, t.table_name FROM {METADATA}.ducklake_inlined_data_tables i "
        "JOIN ducklake_table_info('lake') t USING (table_id)"
    )
    there = {
        name
        for rows_in, name in inside.iter_rows()
        if catalog.frame(f"SELECT count(*) AS rows FROM {METADATA}.{rows_in}")["rows"].item()
    }
    return [table for table in GROWING if table.name in there]


def _step(catalog: Catalog, table: Table, statement: str, *counts: str) -> tuple[int, ...]:
    """Run one step on one table and return what it counts; raise InvariantError where it would change what is read."""
    version = catalog.version()
    with catalog.transaction():
        done = catalog.frame(statement.format(table.name))
        result = tuple(int(done[name].sum() or 0) for name in counts)
        if any(result):
            before, after = (_control(catalog, table, place) for place in (f" AT (VERSION => {version})", ""))
            if before != after:
                raise InvariantError(
                    f"maintenance would have changed {table.name}: count and control total were {before}, and {after} "
                    "after it; nothing was changed"
                )
            catalog.sync()
    return result


def _control(catalog: Catalog, table: Table, place: str) -> tuple[int, ...]:
    """Return a count by scan, and a control total, of the rows of a table at a version."""
    column = "import_run_id" if "import_run_id" in table.names else table.key[0]
    total = f"sum({column})" if column == "import_run_id" else f"count(DISTINCT {column})"
    row = catalog.frame(f"SELECT count({column}) AS rows, coalesce({total}, 0) AS total FROM {table.name}{place}").row(
        0
    )
    return tuple(int(value) for value in row)
