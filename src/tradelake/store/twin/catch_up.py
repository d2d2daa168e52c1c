"""What has changed since the export before, and nothing else, is read and sent.

Problem. A few new events change a few rows of the tables that follow from the log; those have millions. Deleting and
adding the rows of all accounts and symbols that an event reaches asks every index and every reference for each.

Decision. What was told only grows: its new rows are those of commits after the noted one. Of what follows from it, only
the families that later events reach are read, by the rule by which a fold finds them, and go into a table that lasts as
long as the transaction. The server finds which of these rows it lacks or has differently, and which it has too many. So
nothing is asked of DuckLake's own versions, which expire: a twin may be as old as it likes.

Limit: after rows were archived or restored, the tables that know what is archived are replaced as a whole.
"""

from collections.abc import Callable

from tradelake.store.cold import Span
from tradelake.store.derived import FAMILY
from tradelake.store.fold import Checkpoint
from tradelake.store.progress import Progress
from tradelake.store.twin.comparing import compare, compare_counts
from tradelake.store.twin.encode import Totals, add_to
from tradelake.store.twin.server import Noted, Twin
from tradelake.store.twin.source import Source
from tradelake.tables import (
    BY_NAME,
    CHAINED_TABLES,
    CHECKPOINT,
    DERIVED_TABLES,
    FILE_DIGESTS,
    HEAD,
    INTERNAL_TABLES,
    SOURCE_RECORDS,
    TABLES,
    Table,
    dependency_order,
)

TOUCHED = "WHERE (account_id, symbol) IN (SELECT account_id, symbol FROM touched)"


def catch_up(source: Source, twin: Twin, noted: Noted, progress: Progress) -> dict[str, int]:
    """Apply what has changed since the export that is noted; return the rows written by table."""
    (record, archived) = twin.row(f"SELECT source_record_id, archive_run_id FROM {twin.name(HEAD)}") or (0, 0)
    tables = [table for table in dependency_order(TABLES) if table is not FILE_DIGESTS]
    told = [table for table in tables if table in CHAINED_TABLES]
    derived = [table for table in tables if table in DERIVED_TABLES]
    internal = [table for table in tables if table in INTERNAL_TABLES and table not in _archived(source, archived)]
    grown = source.grown(noted.import_run_id, noted.sequence, record)
    told = [table for table in told if grown[table].new]
    written: dict[str, int] = {}
    steps = len(told) + len(derived) + len(internal)
    for number, table in enumerate(told):
        progress(table.name, number, steps)
        written[table.name] = _grow(source, twin, table, noted, record)
    written |= _follow(source, twin, derived, lambda table, number: progress(table.name, len(told) + number, steps))
    for number, table in enumerate(internal):
        progress(table.name, len(told) + len(derived) + number, steps)
        written[table.name] = _replace(source, twin, table)
    progress("compare", steps, steps)
    compare_counts(twin, {table: count.rows for table, count in grown.items()} | source.counted())
    return written


def _archived(source: Source, archive_run_id: int) -> tuple[Table, ...]:
    """Return the tables that follow from what is archived, where that has not changed since."""
    if source.head.archive_run_id != archive_run_id:
        return ()
    return BY_NAME["archive_totals"], BY_NAME["archived_keys"]


def _grow(source: Source, twin: Twin, table: Table, noted: Noted, record: int) -> int:
    """Add the rows of later commits to a table of what was told; the twin has records up to *record*."""
    after = record if table is SOURCE_RECORDS else noted.sequence
    new = Totals()
    for chunk in source.told(table, noted.import_run_id, Span(after=after)):
        rows = table.conform(chunk)
        add_to(new, table, rows, source.catalog)
        twin.copy(table, rows)
    numbered = table.key[0] in ("sequence", "source_record_id")
    later = f"{table.key[0]} > {after}" if numbered else f"import_run_id > {noted.import_run_id}"
    compare(twin, table, new, f"WHERE {later}")
    return new.rows


def _follow(source: Source, twin: Twin, tables: list[Table], report: Callable[[Table, int], None]) -> dict[str, int]:
    """Bring what follows from the log to the head, for the families that events after the twin's checkpoint reach."""
    checkpoint = Checkpoint(*(twin.row(f"SELECT sequence, latest_at FROM {twin.name(CHECKPOINT)}") or ()))
    found = source.families(checkpoint).select(FAMILY)
    if not found.height:
        return {}
    twin.execute("CREATE TEMP TABLE touched (account_id text, symbol text) ON COMMIT DROP")
    twin.copy_into("touched", found)
    # Before its first event a twin has none of it.
    families, touched = (found, TOUCHED) if checkpoint.sequence else (None, "WHERE true")
    sent: dict[str, Totals] = {}
    for number, table in enumerate(tables):
        report(table, number)
        rows = table.conform(source.derived(table, families))
        sent[table.name] = Totals()
        add_to(sent[table.name], table, rows, source.catalog)
        twin.execute(f"CREATE TEMP TABLE {_new(table)} (LIKE {twin.name(table)}) ON COMMIT DROP")
        twin.copy_into(_new(table), rows)
    for table in reversed(tables):
        gone = f"NOT EXISTS (SELECT FROM {_new(table)} n WHERE {_same_key(table)})"
        twin.execute(f"DELETE FROM {twin.name(table)} t {touched} AND {gone}")
    written: dict[str, int] = {}
    for table in tables:
        same = f"SELECT FROM {twin.name(table)} t WHERE {_same_key(table)} AND t.* IS NOT DISTINCT FROM n.*"
        given = ", ".join(f"{name} = excluded.{name}" for name in table.names if name not in table.key)
        written[table.name] = twin.execute(
            f"INSERT INTO {twin.name(table)} SELECT * FROM {_new(table)} n WHERE NOT EXISTS ({same}) "
            f"ON CONFLICT ({', '.join(table.key)}) DO UPDATE SET {given}"
        )
        compare(twin, table, sent[table.name], touched)
    return written


def _replace(source: Source, twin: Twin, table: Table) -> int:
    """Replace all rows of a small table."""
    twin.execute(f"DELETE FROM {twin.name(table)}")
    new = Totals()
    for chunk in source.rows(table):
        rows = table.conform(chunk)
        add_to(new, table, rows, source.catalog)
        twin.copy(table, rows)
    compare(twin, table, new)
    return new.rows


def _new(table: Table) -> str:
    return f"new_{table.name}"


def _same_key(table: Table) -> str:
    return " AND ".join(f"t.{name} = n.{name}" for name in table.key)
