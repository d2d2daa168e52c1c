"""The hash chain, read again: whether commits follow each other, and which row of them was touched.

Problem: a book may have two million commits of one row, or one of two million; and months of it may be in an archive.

Decision: the tables are read month by month, or where they have no months some hundred thousand commits at a time.
Every piece gives its leaves, and is forgotten. Leaves that are given stand for rows that are elsewhere. Then the
commits are walked from the first: each must have the link that its leaves give.

Limit: in memory are the rows of one month of one table, and about 70 bytes per commit, table and month. A row that was
changed together with its check value is known by its commit.
"""

import re
from dataclasses import dataclass
from typing import Any

import polars as pl

from tradelake.errors import StorageError
from tradelake.store.catalog import Catalog
from tradelake.store.chain import RUN, genesis, link
from tradelake.store.engine import Engine
from tradelake.store.findings import Finding, Verified
from tradelake.store.formats import tables_of
from tradelake.store.leaves import ORDER, Leaves
from tradelake.store.migrate import entries_say
from tradelake.store.progress import Progress, no_progress
from tradelake.store.walk import COMMITS_AT_ONCE, Walk, at_version, commits_after
from tradelake.tables import (
    ARCHIVES,
    BOOK_SETTINGS,
    CHAINED_TABLES,
    CHECKPOINT,
    HEAD,
    IMPORT_RUNS,
    MIGRATIONS,
    SOURCE_RECORDS,
    TRADE_LOG,
)

SETTINGS = frozenset({"format_version", "created_at", "data", "book_id"})
FINDINGS_MAX = 1_000


@dataclass
class _Position:
    """Where the walk over the commits is: the last commit, its last sequence, its link and its instant."""

    commit: int
    sequence: int
    chain: str
    recorded_at: Any


def verify_runs(
    catalog: Catalog,
    *,
    after: int = 0,
    given: pl.DataFrame | None = None,
    engine: Engine | None = None,
    progress: Progress | None = None,
) -> Verified:
    """Read the commits after one, and recompute their links of the chain, all at one version of the catalog.

    Found are a commit that is missing or does not follow the one before, a gap in the sequence, a row whose check
    value is not its own, rows that no commit brought, and a head that is not where the last commit left it. `given`
    are leaves (rows of LEAVES) of months whose rows are elsewhere. An `engine` reads the rows in many processes.
    """
    findings: list[Finding] = []
    try:
        version = catalog.version()
        start = _start(catalog, version, after, findings)
        commits, lasts = commits_after(catalog, version, after)
    except StorageError as error:
        return Verified(0, 0, (Finding(None, IMPORT_RUNS.name, "", f"it cannot be read: {error}"),))
    if start is None:
        return Verified(0, 0, tuple(findings))
    walk = Walk(catalog, version, after, start.sequence, commits, lasts, findings)
    report = progress or no_progress
    walk.read(engine, report)
    leaves = walk.by_commit(given)
    report("chain", len(CHAINED_TABLES), len(CHAINED_TABLES) + 1)
    try:
        _check_standing(walk, leaves, _follow(walk, leaves, start))
    except StorageError as error:
        walk.found(None, IMPORT_RUNS.name, "", f"commits, head or checkpoint cannot be read: {error}")
    ordered = sorted(walk.findings, key=_place)
    if len(ordered) > FINDINGS_MAX:
        more = Finding(None, "", "", f"{len(ordered) - FINDINGS_MAX:,} more findings")
        ordered = [*ordered[:FINDINGS_MAX], more]
    return Verified(int(commits.size), walk.rows, tuple(ordered))


def _place(finding: Finding) -> tuple[int, int]:
    return (-1 if finding.commit is None else finding.commit, ORDER.get(finding.where, len(ORDER)))


def _start(catalog: Catalog, version: int, after: int, findings: list[Finding]) -> _Position | None:
    """Return where the chain is before the commits to verify; None with a finding where nothing says so."""
    if not after:
        settings = _settings(catalog, version, findings)
        created_at = settings.get("created_at", "")
        instant = pl.Series([created_at]).str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)[0]
        return _Position(0, 0, genesis(settings.get("book_id", ""), created_at), instant)
    rows = catalog.frame(f"SELECT * FROM {at_version(IMPORT_RUNS, version)} WHERE {RUN} = ?", [after])
    if rows.height != 1:
        findings.append(Finding(after, IMPORT_RUNS.name, str(after), f"the commit is there {rows.height} times"))
        return None
    row = rows.row(0, named=True)
    return _Position(after, row["last_sequence"], row["chain_hash"], row["recorded_at"])


def _settings(catalog: Catalog, version: int, findings: list[Finding]) -> dict[str, str]:
    """Return the settings of the book; a finding for each that is missing, doubled, unknown or no setting."""
    rows = catalog.frame(f"SELECT name, value FROM {at_version(BOOK_SETTINGS, version)} ORDER BY ALL")
    names = rows["name"].to_list()
    for name in sorted(SETTINGS | set(names)):
        if names.count(name) != 1 or name not in SETTINGS:
            what = f"it is there {names.count(name)} times" if name in SETTINGS else "there is no such setting"
            findings.append(Finding(None, BOOK_SETTINGS.name, name, what))
    settings = dict(rows.iter_rows())
    had = catalog.format_version
    if settings.get("format_version") != str(had):
        findings.append(Finding(None, BOOK_SETTINGS.name, "format_version", f"it is not {had}"))
    if MIGRATIONS in tables_of(had) and (wrong := entries_say(catalog, at_version(MIGRATIONS, version), had)):
        findings.append(Finding(None, MIGRATIONS.name, "", wrong))
    return settings


def _follow(walk: Walk, leaves: Leaves, start: _Position) -> _Position:
    """Walk over the commits, and return where they end."""
    at = start
    top = int(walk.commits[-1]) if walk.commits.size else start.commit
    for first in range(start.commit + 1, top + 1, COMMITS_AT_ONCE):
        last = min(first + COMMITS_AT_ONCE - 1, top)
        runs = walk.catalog.frame(
            f"SELECT {RUN}, last_sequence, previous_hash, chain_hash, recorded_at FROM {walk.place(IMPORT_RUNS)} "
            f"WHERE {RUN} BETWEEN ? AND ? ORDER BY ALL",
            [first, last],
        )
        of_commit = leaves.between(first, last)
        for run in runs.iter_rows(named=True):
            number = run[RUN]
            if number > at.commit + 1:
                missing = f"{at.commit + 1}" if number == at.commit + 2 else f"{at.commit + 1} to {number - 1}"
                walk.found(at.commit + 1, IMPORT_RUNS.name, missing, f"the commit is missing; the next is {number}")
            _check_commit(walk, run, at, of_commit.get(number, []))
            at = _Position(number, run["last_sequence"], run["chain_hash"], run["recorded_at"])
    return at


def _check_commit(walk: Walk, run: dict[str, Any], at: _Position, leaves: list[tuple[str, str, int, bytes]]) -> None:
    number, previous = run[RUN], run["previous_hash"]
    if previous != at.chain:
        before = "the commit before it" if at.commit else "the id of the book and the instant at which it was made"
        walk.found(number, IMPORT_RUNS.name, number, f"the commit does not follow {before}")
    if walk.unread:
        return
    events = sum(rows for name, _, rows, _ in leaves if name == TRADE_LOG.name)
    if events != run["last_sequence"] - at.sequence:
        asked = f"{at.sequence + 1} to {run['last_sequence']}"
        walk.found(number, TRADE_LOG.name, "", f"its events should be {asked}, and {events} are there")
    if not re.fullmatch("[0-9a-f]{64}", previous) or link(previous, leaves) != run["chain_hash"]:
        walk.found(number, IMPORT_RUNS.name, number, "the chain hash of the commit is not that of its rows")


def _check_standing(walk: Walk, leaves: Leaves, reached: _Position) -> None:
    """Compare head and checkpoint with where the commits end."""
    heads = walk.catalog.frame(f"SELECT * FROM {walk.place(HEAD)}")
    if heads.height != 1:
        walk.found(None, HEAD.name, "", f"it has {heads.height} rows instead of one")
        return
    head = heads.row(0, named=True)
    told = {
        RUN: reached.commit,
        "sequence": reached.sequence,
        "chain_hash": reached.chain,
        "recorded_at": reached.recorded_at,
    }
    if not walk.after and SOURCE_RECORDS.name not in walk.unread:
        told["source_record_id"] = leaves.count(SOURCE_RECORDS)
    if ARCHIVES.name not in walk.unread:
        last = walk.catalog.frame(f"SELECT coalesce(max({RUN}), 0) AS run FROM {walk.place(ARCHIVES)}")
        told["archive_run_id"] = last["run"].item()
    for name, value in told.items():
        if head[name] != value:
            walk.found(None, HEAD.name, name, f"it says {head[name]}, and the commits end with {value}")
    checkpoints = walk.catalog.frame(f"SELECT * FROM {walk.place(CHECKPOINT)}")
    if checkpoints.height != 1:
        walk.found(None, CHECKPOINT.name, "", f"it has {checkpoints.height} rows instead of one")
    elif not 0 <= checkpoints["sequence"].item() <= reached.sequence:
        what = f"it is at {checkpoints['sequence'].item()}, and the log ends with {reached.sequence}"
        walk.found(None, CHECKPOINT.name, "sequence", what)
