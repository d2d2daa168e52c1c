"""An export: a whole book into an empty schema, or what has changed since the export before.

Decision. The first export creates the tables, fills them, and adds keys, indexes and references to each when it is
filled: so each constraint reads its table once, instead of being asked row by row, and the server works on it while the
next rows are read. Nothing is committed that they do not hold for. Later exports find the constraints on.

Every table is compared with ours before the commit; a difference undoes all of it.

Limit: `file_digests` is about the files of one place and stays empty. Archived rows are in a twin as all others.
"""

from dataclasses import dataclass, field
from datetime import datetime

from tradelake.errors import InputError
from tradelake.store.catalog import FORMAT_VERSION
from tradelake.store.progress import Progress
from tradelake.store.twin.catch_up import catch_up
from tradelake.store.twin.comparing import compare
from tradelake.store.twin.encode import Totals, add_to
from tradelake.store.twin.sending import Sending
from tradelake.store.twin.server import Noted, Twin
from tradelake.store.twin.source import Source
from tradelake.tables import FILE_DIGESTS, HEAD, IMPORT_RUNS, TABLES, TWIN_EXPORTS, dependency_order


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
            rows = catch_up(source, twin, noted, progress)
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
    with source.catalog.parallel(), Sending(twin) as sending:
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
            sending.add(0, compare, twin, table, totals)
        for done, count in sending.rest():
            progress("compare", done, count)
    if fresh:
        for table in (FILE_DIGESTS, TWIN_EXPORTS):
            twin.bind(table)
        twin.close()
    return loaded


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
