"""One verification of the chain: what it has read, and what it found on the way."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import uuid4

import numpy as np
import polars as pl

from tradelake.errors import StorageError
from tradelake.store.canonical import CHECK
from tradelake.store.catalog import Catalog
from tradelake.store.chain import RUN, sealed
from tradelake.store.cold import HOT, parquet
from tradelake.store.deleted import as_leaves, newest_leaves
from tradelake.store.engine import Engine, each_once
from tradelake.store.findings import Finding
from tradelake.store.keys import Integers
from tradelake.store.leaves import COMPACT, ORDER, Leaves, compact
from tradelake.store.opening import open_catalog
from tradelake.store.progress import Progress
from tradelake.store.target import Target
from tradelake.tables import ARCHIVED_TABLES, BY_NAME, CHAINED_TABLES, DELETED_LEAVES, IMPORT_RUNS, TRADE_LOG, Table

COMMITS_AT_ONCE = 200_000
SHOWN_MAX = 20


@dataclass
class Walk:
    """What is known so far: the commits after one with the last sequence of each, leaves, and findings.

    `version` is the commit of the catalog that is read: every query stands on its own, since one that fails would take
    a transaction with it.

    `base` is the last sequence before these commits; `unread` names tables of which something could not be read.
    """

    catalog: Catalog
    version: int
    after: int
    base: int
    commits: Integers
    lasts: Integers
    findings: list[Finding] = field(default_factory=list)
    leaves: list[pl.DataFrame] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    rows: int = 0

    def place(self, table: Table) -> str:
        """Return a table, as it is at the version, as a query names it: with its archived rows, which are fetched."""
        hot = at_version(table, self.version)
        files = self.catalog.cold.files(table.name, after=self.base) if table in ARCHIVED_TABLES else ()
        return hot if not files else f"(SELECT * FROM {hot} UNION ALL BY NAME SELECT * FROM {parquet(files)})"

    def found(self, commit: int | None, where: str, key: object, what: str) -> None:
        """Note one finding."""
        self.findings.append(Finding(commit, where, str(key), what))

    def read(self, engine: Engine | None, progress: Progress) -> None:
        """Read the rows of all tables that the commits brought, piece by piece, and keep their leaves.

        An engine is given the pieces as jobs; without one they are read here.
        """
        if engine is None:
            for number, table in enumerate(CHAINED_TABLES):
                progress(table.name, number, len(CHAINED_TABLES) + 1)
                for label, condition in self._pieces(table):
                    self.read_piece(table, label, condition)
            return
        whole = [(table.name, *piece) for table in CHAINED_TABLES for piece in self._pieces(table)]
        job, target = uuid4().hex[:8], self.catalog.target
        jobs = [
            Piece(job, number, target, self.version, self.after, self.base, self.commits, self.lasts, *piece)
            for number, piece in enumerate(whole)
        ]
        for got in each_once(engine, read_piece, jobs, "rows", progress):
            self.rows += got.rows
            self.leaves += got.leaves
            self.findings += got.findings
            self.unread |= got.unread

    def read_piece(self, table: Table, label: str, condition: str) -> None:
        """Read some rows of a table, keep their leaves, and note what is wrong with them."""
        names = ", ".join(table.names)
        try:
            rows = self.catalog.frame(f"SELECT {names} FROM {self.place(table)} WHERE {condition}", span=HOT)
        except StorageError as error:
            self.unread.add(table.name)
            self.found(None, table.name, label, f"it cannot be read: {error}")
            return
        if rows.height:
            self._take(table, rows)

    def _pieces(self, table: Table) -> Iterator[tuple[str, str]]:
        """Yield the parts to read a table in, each with its name and its condition."""
        if self.after:
            yield "", f"{RUN} > {self.after}"
            return
        if table.partition_date:
            yield from self._months(table)
            return
        top = int(self.commits[-1]) if self.commits.size else 0
        starts = [-(2**63), *range(COMMITS_AT_ONCE, top, COMMITS_AT_ONCE)]
        ends = [*starts[1:], 2**63 - 1]
        for start, end in zip(starts, ends, strict=True):
            last = "<=" if end == 2**63 - 1 else "<"
            yield f"commits from {max(start, 1)}", f"{RUN} >= {start} AND {RUN} {last} {end}"

    def _months(self, table: Table) -> Iterator[tuple[str, str]]:
        day = table.partition_date
        try:
            months = self.catalog.frame(
                f"SELECT DISTINCT year({day}) AS year, month({day}) AS month FROM {self.place(table)} ORDER BY ALL",
                span=HOT,
            )
        except StorageError as error:
            self.unread.add(table.name)
            self.found(None, table.name, "", f"its months cannot be read: {error}")
            return
        for year, month in months.iter_rows():
            following = f"{year + month // 12:04}-{month % 12 + 1:02}"
            label = f"{year:04}-{month:02}"
            yield label, f"{day} >= DATE '{label}-01' AND {day} < DATE '{following}-01'"

    def _take(self, table: Table, rows: pl.DataFrame) -> None:
        """Seal rows, keep their leaves, and note rows that are not what they were."""
        seal = sealed(rows, table)
        self.rows += rows.height
        self.leaves.append(compact(seal.frame()))
        number = rows[RUN].to_numpy()
        known = np.isin(number, self.commits)
        self._note(table, rows, pl.Series(rows[CHECK].to_numpy() != seal.checks), "it is not what was recorded")
        self._note(table, rows, pl.Series(~known), "no commit brought it")
        doubled = rows.select(table.key).is_duplicated()
        self._note(table, rows, doubled, "it is there more than once")
        if table == TRADE_LOG:
            sequence = rows["sequence"].to_numpy()
            place = np.clip(np.searchsorted(self.commits, number), 0, max(self.commits.size - 1, 0))
            firsts = np.concatenate([[self.base], self.lasts])
            strange = known & ((sequence <= firsts[place]) | (sequence > firsts[place + (self.commits.size > 0)]))
            self._note(table, rows, pl.Series(strange), "its commit has no such sequence")

    def _note(self, table: Table, rows: pl.DataFrame, wrong: pl.Series, what: str) -> None:
        """Note the first rows for which something is wrong, and how many more there are."""
        bad = rows.filter(wrong)
        if not bad.height:
            return
        bad = bad.select(RUN, *(key for key in table.key if key != RUN)).sort(pl.all())
        for row in bad.head(SHOWN_MAX).iter_rows(named=True):
            self.found(row[RUN], table.name, ", ".join(str(row[key]) for key in table.key), what)
        if bad.height > SHOWN_MAX:
            text = f"{bad.height - SHOWN_MAX:,} more rows: {what}"
            self.found(bad[RUN][SHOWN_MAX], table.name, "", text)

    def by_commit(self, given: pl.DataFrame | None) -> Leaves:
        """Return all leaves in the order of the chain, with those that are given, and those of deleted rows."""
        found = [*self.leaves, compact(given)] if given is not None else self.leaves
        self.leaves = []
        leaves = pl.concat(found) if found else pl.DataFrame(schema=COMPACT)
        return Leaves(self._with_deleted(leaves).sort(RUN, "table", "month"))

    def _with_deleted(self, leaves: pl.DataFrame) -> pl.DataFrame:
        """Return leaves with those of deleted rows, where what stays of their rows is what stayed."""
        try:
            noted = newest_leaves(self.catalog, self.place(DELETED_LEAVES))
        except StorageError:
            return leaves
        known = pl.col("table_name").is_in(list(ORDER)) & (pl.col("of_run_id") > self.after)
        known &= pl.col("month").str.contains(r"^\d{4}-\d{2}$") & ~pl.col("table_name").is_in(list(self.unread))
        noted = noted.filter(known)
        if not noted.height:
            return leaves
        whole, rest = compact(as_leaves(noted)), compact(as_leaves(noted, "rest_"))
        of_leaf = [RUN, "table", "month"]
        there = rest.join(leaves, on=of_leaf, how="left", suffix="_there")
        same = pl.col("rows") == pl.col("rows_there").fill_null(0)
        same &= (pl.col("rows") == 0) | (pl.col("digest") == pl.col("digest_there"))
        names = [table.name for table in CHAINED_TABLES]
        for run, table, month, rows, _, found, _ in there.filter(~same).head(SHOWN_MAX).iter_rows():
            what = f"{rows} rows of the commit stayed when others were deleted, and {found or 0} are there or others"
            self.found(run, names[table], f"{month // 100:04}-{month % 100:02}", what)
        return pl.concat([leaves.join(whole, on=of_leaf, how="anti"), whole])


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a table of a book at a version, to be read by anybody; the rest is as in `Walk`."""

    job: str
    number: int
    target: Target = field(repr=False)
    version: int
    after: int
    base: int
    commits: Integers
    lasts: Integers
    table: str
    label: str
    condition: str


@dataclass(frozen=True, slots=True)
class Read:
    """What one attempt at a piece has found."""

    number: int
    rows: int
    leaves: list[pl.DataFrame]
    findings: list[Finding]
    unread: set[str]


def read_piece(piece: Piece) -> Read:
    """Read a piece in a session of its own."""
    catalog = open_catalog(piece.target, read_only=True)
    try:
        with catalog.parallel():
            walk = Walk(catalog, piece.version, piece.after, piece.base, piece.commits, piece.lasts)
            walk.read_piece(BY_NAME[piece.table], piece.label, piece.condition)
    finally:
        catalog.close()
    return Read(piece.number, walk.rows, walk.leaves, walk.findings, walk.unread)


def at_version(table: Table, version: int) -> str:
    """Return a table as of a commit of the catalog, as a query names it."""
    return f"lake.main.{table.name} AT (VERSION => {version})"


def commits_after(catalog: Catalog, version: int, after: int) -> tuple[Integers, Integers]:
    """Return the numbers of the commits after one, ascending, and the last sequence of each."""
    rows = catalog.frame(
        f"SELECT {RUN}, last_sequence FROM {at_version(IMPORT_RUNS, version)} WHERE {RUN} > ? ORDER BY ALL", [after]
    )
    return rows[RUN].to_numpy(), rows["last_sequence"].to_numpy()
