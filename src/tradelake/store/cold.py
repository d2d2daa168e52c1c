"""The archived part of the log: which of it a statement needs, and how it comes beside what is hot.

Problem. Archived events are gone from the tables of the book. A statement that reads those tables answers less, and
nothing would tell.

Decision. Every statement that names an archived table is taken to need everything that was ever archived, unless its
reader has said what it reaches (`Span`): days of trading, knowledge, families, or what is never archived
at all. Where that leaves anything, the statement is refused (ArchivedError), or, where the book includes its archive,
the files are fetched, proven by their SHA-256, and a view of the table's name puts them beside the hot rows.

What was deleted when its retention was over is not fetched any more: a statement that needs it is refused
(DeletedError), unless its reader starts from where the book was closed (`Span.closed`).

What is never archived: events of kinds that reach beyond their own row, cures and what they cure, records that brought
no event, and whatever came after the checkpoint. So readers of those reach nothing that is cold.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import file_digest
from pathlib import Path

import polars as pl

from tradelake.errors import ArchivedError, DeletedError
from tradelake.store.cold_store import ColdStore
from tradelake.store.literals import literal
from tradelake.tables import ARCHIVE_TOTALS, ARCHIVED_TABLES, ARCHIVES, HEAD, TRADE_LOG

NAMED = re.compile(rf"\b({'|'.join(table.name for table in ARCHIVED_TABLES)})\b", re.IGNORECASE)
NEWEST = (
    f"SELECT * FROM {ARCHIVES.name} QUALIFY row_number() OVER "
    "(PARTITION BY archive_id, table_name ORDER BY import_run_id DESC) = 1"
)
LATER = "Ask from {since} on (since), or for positions, lots, matches and history, which are kept for all time."
Run = Callable[..., pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Span:
    """What a statement can reach: `hot` is nothing of the archive, None is no bound.

    `since` and `until` are trade dates, both included; `known_after` leaves out what was known by then, and `after` the
    events up to a sequence; `families` is a frame of account_id and symbol (empty: events without one), or one of them;
    `archives` are the ids of archived parts. `closed` says that the reader starts from where the book was closed, and
    does without what was deleted.
    """

    since: date | None = None
    until: date | None = None
    known_after: datetime | None = None
    after: int | None = None
    families: pl.DataFrame | None = None
    archives: Collection[str] | None = None
    hot: bool = False
    closed: bool = False


EVERYTHING = Span()
HOT = Span(hot=True)
CLOSED = Span(closed=True)


class Cold:
    """The archived files of one book, as one session sees them."""

    def __init__(self, run: Run, place: Path) -> None:
        self.included = False
        self._run = run
        self._place = place
        self._stood: tuple[int, int] | None = None
        self._read_at = 0
        self._parts = self._deleted = ARCHIVES.empty()
        self._proven: dict[str, Path] = {}
        self._visible: dict[str, tuple[Path, ...]] = {}
        self._visible_at = 0
        self._doubted = False

    @contextmanager
    def including(self) -> Iterator[None]:
        """Let the statements of the block read what is archived, as far as they reach it."""
        before, self.included = self.included, True
        try:
            yield
        finally:
            self.included = before

    def stand(self, transaction: int, archive_run_id: int) -> None:
        """Take over where the archive stands in a transaction from whoever has read the head."""
        self._stood = transaction, archive_run_id

    def rolled_back(self) -> None:
        """Take note that a transaction was undone, and with it views that it had made, or hidden."""
        self._doubted = True

    def is_empty(self, transaction: int | None) -> bool:
        """Return whether nothing was ever archived, as far as it was read in this transaction."""
        return transaction is not None and self._stood == (transaction, 0)

    def parts(self, transaction: int | None) -> pl.DataFrame:
        """Return the files that hold archived rows now, one row of `archives` each, by table and month."""
        if transaction is None or self._stood is None or self._stood[0] != transaction:
            read = self._run(f"SELECT archive_run_id FROM {HEAD.name}")["archive_run_id"].item()
            self._stood = (transaction or 0), read
        reached = self._stood[1]
        if reached != self._read_at:
            rows = self._run(NEWEST) if reached else ARCHIVES.empty()
            rows = rows.sort("table_name", "month", "archive_id")
            self._parts, self._deleted = rows.filter(step="archived"), rows.filter(step="deleted")
            self._read_at = reached
        return self._parts

    def deleted(self, transaction: int | None = None) -> pl.DataFrame:
        """Return the files that were deleted, one row of `archives` each, by table and month."""
        self.parts(transaction)
        return self._deleted

    def statements(self, sql: str, span: Span, transaction: int | None) -> list[str]:
        """Return the statements that put beside the hot rows what a query needs of the archive.

        Raises ArchivedError where the archive is not included.
        """
        names = {name.lower() for name in NAMED.findall(sql)}
        if not names or (span.hot and not self._visible and not self._doubted):
            return []
        parts = self.parts(transaction)
        # Views of what was archived once hold rows that may be hot again.
        made = self.hide() if self._doubted or self._visible_at != self._read_at else []
        if span.hot:
            return made
        if self._deleted.height and not span.closed:
            gone = self._reached(self._deleted.filter(pl.col("table_name").is_in(names)), span)
            if gone.height:
                raise deleted_error(gone)
        if not parts.height:
            return made
        wanted = self._reached(parts.filter(pl.col("table_name").is_in(names)), span)
        if not wanted.height:
            return made
        if not self.included:
            raise _not_included(wanted)
        self._visible_at = self._read_at
        for name in sorted(names):
            rows = wanted.filter(table_name=name)
            files = {self.file(row) for row in rows.iter_rows(named=True)}
            there = set(self._visible.get(name, ()))
            if not files <= there:
                self._visible[name] = tuple(sorted(there | files))
                made.append(self._view(name))
        return made

    def _view(self, name: str) -> str:
        """Return the statement that puts archived files beside the hot rows of a table."""
        return (
            f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT * FROM lake.main.{name} "
            f"UNION ALL BY NAME SELECT * FROM {parquet(self._visible[name])}"
        )

    def hide(self) -> list[str]:
        """Return the statements that leave only hot rows to be seen: what was archived has changed."""
        self._visible, self._visible_at, self._doubted = {}, self._read_at, False
        return [f"DROP VIEW IF EXISTS temp.main.{table.name}" for table in ARCHIVED_TABLES]

    def files(self, name: str, *, after: int = 0) -> list[Path]:
        """Return the archived files of a table, proven, of the parts that have events after a sequence."""
        parts = self.parts(None)
        logs = pl.concat([parts, self._deleted]).filter(table_name=TRADE_LOG.name)
        late = logs.filter(pl.col("last_key") > after)["archive_id"]
        rows = parts.filter((pl.col("table_name") == name) & pl.col("archive_id").is_in(late.implode()))
        return [self.file(row) for row in rows.iter_rows(named=True)]

    def _reached(self, parts: pl.DataFrame, span: Span) -> pl.DataFrame:
        month = pl.col("month")
        if span.since is not None:
            parts = parts.filter(month >= span.since.replace(day=1))
        if span.until is not None:
            parts = parts.filter(month <= span.until)
        if span.known_after is not None:
            parts = parts.filter(pl.col("last_known_at") > span.known_after)
        if span.after is not None:
            parts = parts.filter(pl.col("last_key") > span.after)
        if span.archives is not None:
            parts = parts.filter(pl.col("archive_id").is_in(list(span.archives)))
        if span.families is not None and parts.height:
            names = span.families.columns
            families = span.families.with_columns(pl.col(name).fill_null("") for name in names)
            ids = self._run(
                f"SELECT DISTINCT archive_id FROM {ARCHIVE_TOTALS.name} SEMI JOIN reached USING ({', '.join(names)})",
                reached=families.unique(),
            )
            parts = parts.join(ids, on="archive_id", how="semi", maintain_order="left")
        return parts

    def forget(self, digest: str) -> None:
        """Remove the copy of an archived file from this machine."""
        self._proven.pop(digest, None)
        (self._place / f"{digest}.parquet").unlink(missing_ok=True)

    def file(self, row: dict[str, str]) -> Path:
        """Return an archived file on this machine, proven once in this process."""
        digest = row["file_sha256"]
        if digest not in self._proven:
            objects = ColdStore(row["url"])
            here = objects.path(row["object"]) or self._place / f"{digest}.parquet"
            if not _is(here, digest):
                # A local archive has no other copy: fetching it says what is wrong.
                objects.get(row["object"], digest, self._place / f"{digest}.parquet")
                here = self._place / f"{digest}.parquet"
            self._proven[digest] = here
        return self._proven[digest]


def parquet(files: Iterable[Path]) -> str:
    """Return the rows of files, as a query names them."""
    return f"read_parquet([{', '.join(literal(str(path)) for path in files)}], hive_partitioning => false)"


def _is(path: Path, digest: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest() == digest


def _months(parts: pl.DataFrame) -> str:
    months = sorted(f"{month:%Y-%m}" for month in parts["month"])
    return months[0] if months[0] == months[-1] else f"{months[0]} to {months[-1]}"


def _not_included(parts: pl.DataFrame) -> ArchivedError:
    return ArchivedError(
        f"The answer needs {parts['rows'].sum():,} rows of {_months(parts)}, which are archived. Open the book with "
        "cold=True (--include-archive), or ask for a later time only."
    )


def deleted_error(parts: pl.DataFrame, instead: str = LATER) -> DeletedError:
    """Return why a question has no answer, which reaches some deleted parts, and what to ask *instead*."""
    last: date = max(parts["month"])
    since = (last.replace(day=1) + timedelta(days=31)).replace(day=1)
    return DeletedError(
        f"The answer needs {parts['rows'].sum():,} rows of {_months(parts)}, which were deleted when their retention "
        "was over.",
        instead.format(since=since),
        since,
    )
