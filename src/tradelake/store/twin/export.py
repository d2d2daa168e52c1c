"""An export: a whole book into an empty schema, or what has changed since the export before.

Decision. The first export creates the tables, fills them, and only then adds keys, references and indexes, each of
which reads its table once instead of being asked row by row; nothing is committed that they do not hold for. Later
ones find the constraints on. What was told only grows, so its new rows are those of commits after the noted one. Of
what follows from it, the rows of the families that later events reach are replaced.

Every table is compared with ours before the commit; a difference undoes all of it.

Limit: `file_digests` is about the files of one place and stays empty. Archived rows are in a twin as all others.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from tradelake.errors import InputError, StorageError
from tradelake.store.catalog import FORMAT_VERSION
from tradelake.store.cold import Span
from tradelake.store.fold import FAMILY, Checkpoint
from tradelake.store.twin.encode import Totals, add_to, totals_of, totals_query
from tradelake.store.twin.sending import Sending
from tradelake.store.twin.server import Noted, Twin
from tradelake.store.twin.source import Source
from tradelake.tables import (
    BY_NAME,
    CHAINED_TABLES,
    CHECKPOINT,
    DERIVED_TABLES,
    FILE_DIGESTS,
    HEAD,
    IMPORT_RUNS,
    INTERNAL_TABLES,
    SOURCE_RECORDS,
    TABLES,
    TWIN_EXPORTS,
    Table,
    dependency_order,
)

CHUNK_ROWS = 200_000
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export did: rows written by table, where the twin stands now, and where it stood before (None: nowhere).

    `notes` say what the server had to remark, such as a role that it may not create.
    """

    schema: str
    sequence: int
    version: int
    since: int | None
    rows: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def export_book(source: Source, twin: Twin, *, since: int | None, at: datetime, progress: Progress) -> Exported:
    """Bring a twin to where the book stands; nothing is written where it stands there already.

    Raises InputError where the schema cannot be the twin of this book or stands before the version *since*,
    ArchivedError where rows are needed that are archived and not included, StorageError.
    """
    noted = twin.noted(source.book_id)
    _refuse_gap(twin, noted, since)
    rows: dict[str, int] = {}
    if noted is None or noted.version != source.version:
        if noted is None:
            rows = _load(source, twin, progress)
        else:
            _refuse_stranger(source, twin, noted)
            rows = _catch_up(source, twin, noted, progress)
        _note(source, twin, at)
    progress("done", 1, 1)
    return Exported(
        schema=twin.schema,
        sequence=source.head.sequence,
        version=source.version,
        since=None if noted is None else noted.version,
        rows={name: count for name, count in rows.items() if count},
        notes=tuple(twin.notes),
    )


def _refuse_gap(twin: Twin, noted: Noted | None, since: int | None) -> None:
    if since is None:
        return
    if noted is None:
        raise InputError(
            f"Nothing of this book was exported to the schema {twin.schema} at {twin.shown} so far: there is no "
            f"version {since} to go on from. Export all of it, without since (--since)."
        )
    if since > noted.version:
        raise InputError(
            f"The twin at {twin.shown} stands at version {noted.version}: what changed between that and {since} would "
            f"be missing. Give since={noted.version} (--since {noted.version}), or leave it out."
        )


def _refuse_stranger(source: Source, twin: Twin, noted: Noted) -> None:
    """Raise InputError where the twin knows commits that this book does not have, as after a restored backup."""
    (theirs,) = twin.row(f"SELECT chain_hash FROM {twin.name(HEAD)}") or ("",)
    ours = source.catalog.frame(
        f"SELECT chain_hash FROM {IMPORT_RUNS.name} WHERE import_run_id = ?", [noted.import_run_id]
    )
    if noted.import_run_id and [theirs] != ours["chain_hash"].to_list():
        raise InputError(
            f"The twin at {twin.shown} ends with commit {noted.import_run_id} and {theirs}, which this book does not "
            "have. Export into another schema (--schema NAME)."
        )


def _load(source: Source, twin: Twin, progress: Progress) -> dict[str, int]:
    """Load a whole book, into new tables or into empty ones that are there."""
    fresh = not twin.has(TWIN_EXPORTS)
    if fresh:
        twin.create()
    tables = [table for table in dependency_order(TABLES) if table is not FILE_DIGESTS]
    loaded: dict[str, int] = {}
    with Sending(twin) as sending:
        for number, table in enumerate(tables):
            progress(table.name, number, len(tables))
            totals = Totals()
            for chunk in source.rows(table):
                rows = table.conform(chunk)
                add_to(totals, table, rows, source.catalog)
                sending.add(rows.height, twin.copy, table, rows)
            loaded[table.name] = totals.rows
            if fresh:
                sending.add(0, twin.bind, table)
            sending.add(0, _compare, twin, table, totals)
        for done, count in sending.rest():
            progress("compare", done, count)
    if fresh:
        for table in (FILE_DIGESTS, TWIN_EXPORTS):
            twin.bind(table)
        twin.close()
    return loaded


def _catch_up(source: Source, twin: Twin, noted: Noted, progress: Progress) -> dict[str, int]:
    """Apply what has changed since the export that is noted."""
    checkpoint = Checkpoint(*(twin.row(f"SELECT sequence, latest_at FROM {twin.name(CHECKPOINT)}") or ()))
    (record, archived) = twin.row(f"SELECT source_record_id, archive_run_id FROM {twin.name(HEAD)}") or (0, 0)
    whole = checkpoint.sequence == 0
    families = source.families(checkpoint).select(FAMILY)
    twin.execute("CREATE TEMP TABLE touched (account_id text, symbol text) ON COMMIT DROP")
    if families.height:
        twin.copy_into("touched", families)
    touched = "" if whole else "WHERE (account_id, symbol) IN (SELECT account_id, symbol FROM touched)"
    written: dict[str, int] = {}
    tables = dependency_order(TABLES)
    replaced = [table for table in INTERNAL_TABLES if table not in (FILE_DIGESTS, *_archived(source, archived))]
    for table in reversed(tables):
        if table in DERIVED_TABLES:
            twin.execute(f"DELETE FROM {twin.name(table)} {touched}")
        elif table in replaced:
            twin.execute(f"DELETE FROM {twin.name(table)}")
    for number, table in enumerate(tables):
        progress(table.name, number, len(tables))
        if table in CHAINED_TABLES:
            after = record if table is SOURCE_RECORDS else noted.sequence
            new = _add(source, twin, table, source.told(table, noted.import_run_id, Span(after=after)))
            _compare(twin, table, new, f"WHERE import_run_id > {noted.import_run_id}")
        elif table in DERIVED_TABLES:
            rows = source.derived(table)
            mine = rows if whole else rows.join(families, on=FAMILY, how="semi", maintain_order="left")
            new = _add(source, twin, table, iter([mine]))
            _compare(twin, table, new, touched)
        elif table in replaced:
            new = _add(source, twin, table, source.rows(table))
            _compare(twin, table, new)
        else:
            continue
        written[table.name] = new.rows
        _compare_count(source, twin, table)
    return written


def _archived(source: Source, archive_run_id: int) -> tuple[Table, ...]:
    """Return the tables that follow from what is archived, where that has not changed since."""
    if source.head.archive_run_id != archive_run_id:
        return ()
    return BY_NAME["archive_totals"], BY_NAME["archived_keys"]


def _add(source: Source, twin: Twin, table: Table, chunks: Iterator[pl.DataFrame]) -> Totals:
    """Add rows to a table of the twin, and return what they add up to; a chunk is sent while the next is read."""
    totals = Totals()
    with ThreadPoolExecutor(1) as sender:
        sent: Future[None] | None = None
        for chunk in chunks:
            rows = table.conform(chunk)
            add_to(totals, table, rows, source.catalog)
            if sent is not None:
                sent.result()
            sent = sender.submit(twin.copy, table, rows)
        if sent is not None:
            sent.result()
    return totals


def _compare(twin: Twin, table: Table, ours: Totals, condition: str = "") -> None:
    theirs = totals_of(table, twin.row(totals_query(table, twin.name(table), condition)) or ())
    different = ours.differences(theirs)
    if different:
        raise StorageError(
            f"What the twin at {twin.shown} has in {twin.schema}.{table.name} is not what the book has: {different}. "
            "Nothing was changed. If somebody else has written there, export into a new schema (--schema NAME)."
        )


def _compare_count(source: Source, twin: Twin, table: Table) -> None:
    """Compare the rows of a whole table of which a part was written."""
    ours = source.count(table)
    (theirs,) = twin.row(f"SELECT count(*) FROM {twin.name(table)}") or (0,)
    if ours != theirs:
        raise StorageError(
            f"The twin at {twin.shown} has {theirs} rows in {twin.schema}.{table.name}, the book {ours}. Nothing was "
            "changed. If somebody else has written there, export into a new schema (--schema NAME)."
        )


def _note(source: Source, twin: Twin, at: datetime) -> None:
    twin.execute(
        f"INSERT INTO {twin.name(TWIN_EXPORTS)} SELECT coalesce(max(export_id), 0) + 1, %s, %s, %s, %s, %s, %s "
        f"FROM {twin.name(TWIN_EXPORTS)}",
        [
            source.book_id,
            FORMAT_VERSION,
            source.version,
            source.head.sequence,
            source.head.import_run_id,
            at,
        ],
    )
