"""Work on a whole log that an engine shares out: rebuilds, their comparison with what is stored, and a past moment."""

import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from tradelake.book.buckets import Bucket, Written, check_version, compare_bucket, derive_bucket
from tradelake.book.checking import Comparison
from tradelake.book.derive import latest_event
from tradelake.book.deriving import Derivers
from tradelake.book.parts import parts_of
from tradelake.book.read import Instant, instant_of
from tradelake.book.receipt import RebuildReport
from tradelake.book.tail import TailFold
from tradelake.errors import InputError
from tradelake.store import Checkpoint
from tradelake.store.engine import Engine, each_once, in_turn
from tradelake.store.pieces import replace_by_pieces
from tradelake.store.place import place_of
from tradelake.store.progress import Progress, no_progress
from tradelake.store.target import is_remote
from tradelake.tables import BY_NAME, DERIVED_TABLES

ONE_PROCESS = "A book in duckdb: can be opened by one process only. Do it without a cluster."


class BucketRebuilders(Derivers):
    """Work whose parts are run by somebody else."""

    def rebuild_in_buckets(self, engine: Engine, *, buckets: int, progress: Progress | None = None) -> RebuildReport:
        """Derive all tables from the first event, in about *buckets* parts that *engine* runs, in one commit.

        Of a book with more than PART_EVENTS in each there are more parts, of one with few groups fewer. The engine
        is given a function and its arguments, which can be pickled, and returns what it returned for each, in any
        order; for an argument that it ran more than once any of the results. The lease is held meanwhile.
        Raises InputError for a catalog that only one process can open, StorageError where the book has moved on.
        """
        self._writable()
        report = progress or no_progress
        started = time.perf_counter()
        with self._catalog.lease.hold(), self._catalog.cold.including():
            with self._catalog.parallel(), self._catalog.transaction():
                parts, reached = self._buckets(buckets)
                notes = self._cold_notes()
            written = each_once(engine, derive_bucket, parts, "derive", report)
            with self._catalog.transaction():
                check_version(self._catalog, parts[0].version)
                report("write", len(parts), len(parts) + 1)
                rows = replace_by_pieces(self._catalog, [p for part in written for p in part.pieces], reached)
        # What was read of the old rows is void, even where the checkpoint stays where it was.
        self._tail = TailFold(self._catalog)
        report("done", len(parts) + 1, len(parts) + 1)
        return _report(reached, rows, started, (_done(written), *notes))

    def compare_in_buckets(self, engine: Engine, *, buckets: int, progress: Progress | None = None) -> RebuildReport:
        """Compare the stored tables with what follows from the first event, in parts that *engine* runs.

        The answer is that of `rebuild` with `check`; arguments and errors are those of `rebuild_in_buckets`.
        """
        started = time.perf_counter()
        comparison, rows, reached, notes = self._compared_by(engine, buckets, progress or no_progress)
        return _report(reached, rows, started, notes, comparison.lines())

    def _compared_by(
        self, engine: Engine, buckets: int, report: Progress
    ) -> tuple[Comparison, Mapping[str, int], Checkpoint, tuple[str, ...]]:
        """Return what `compare_in_buckets` finds, the rows that follow by table, their checkpoint and notes."""
        with self._catalog.cold.including():
            with self._catalog.parallel(), self._catalog.transaction():
                parts, reached = self._buckets(buckets)
                notes = self._cold_notes()
            compared = each_once(engine, compare_bucket, parts, "compare", report)
        comparison, rows = Comparison(), dict.fromkeys((table.name for table in DERIVED_TABLES), 0)
        for part in compared:
            for name, count in part.rows.items():
                rows[name] += count
                comparison.take(BY_NAME[name], part.differences[name])
        report("done", len(parts) + 1, len(parts) + 1)
        return comparison, rows, reached, notes

    def export_past(
        self,
        to: str | Path,
        *,
        as_of: Instant = None,
        as_known: Instant = None,
        engine: Engine = in_turn,
        buckets: int = 1,
        progress: Progress | None = None,
    ) -> RebuildReport:
        """Write positions, lots, matches and the other derived tables of a past moment as Parquet into a new folder.

        They are those of all accounts, derived part by part: memory does not grow with the book. *to* is a folder, or
        `s3://BUCKET/FOLDER`, that has nothing in it; there is a folder in it for each table that has rows. Instants
        as everywhere; `engine` and `buckets` as of `rebuild_in_buckets`. The book itself is only read.
        Raises InputError where the folder is not empty, and for a catalog that only one process can open.
        """
        folder = _new_folder(str(to))
        report = progress or no_progress
        started = time.perf_counter()
        with self._catalog.cold.including():
            with self._catalog.parallel(), self._catalog.transaction():
                at = None if as_of is None else instant_of(as_of)
                known = None if as_known is None else instant_of(as_known)
                parts, reached = self._buckets(buckets, as_of=at, as_known=known, folder=folder)
                notes = self._cold_notes()
            written = each_once(engine, derive_bucket, parts, "derive", report)
        rows = dict.fromkeys((table.name for table in DERIVED_TABLES), 0)
        for part in written:
            for piece in part.pieces:
                rows[piece.table] += piece.rows
        report("done", len(parts) + 1, len(parts) + 1)
        return _report(reached, rows, started, (_done(written), *notes))

    def _shareable(self) -> None:
        """Raise InputError where only one process can open the book."""
        if self._catalog.target.kind == "duckdb":
            raise InputError(ONE_PROCESS)

    def _buckets(
        self, count: int, *, as_of: datetime | None = None, as_known: datetime | None = None, folder: str | None = None
    ) -> tuple[list[Bucket], Checkpoint]:
        """Return the log in buckets, and the checkpoint that they reach; the caller holds a transaction."""
        self._shareable()
        version = self._catalog.version()
        planner = self._planner()
        job = uuid4().hex[:8]
        parts = parts_of(self._catalog, planner.references, planner.reaching, count)
        found = [
            Bucket(job, number, version, self._catalog.target, part, as_of, as_known, folder)
            for number, part in enumerate(parts)
        ]
        return found, latest_event(self._catalog, planner.references)


def _new_folder(to: str) -> str:
    folder = to if to.endswith("/") else f"{to}/"
    if is_remote(folder):
        place_of(folder).make()
        return folder
    path = Path(folder).resolve()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(f"{to} is there and not an empty folder. Name one that is, or that is not there yet.")
    place_of(f"{path}/").make()
    return f"{path}/"


def _done(written: list[Written]) -> str:
    busy = sum(part.seconds for part in written)
    size = sum(piece.size_bytes for part in written for piece in part.pieces)
    return f"{len(written)} buckets, {busy:,.1f} seconds of processor time in them, {size:,} bytes written"


def _report(
    reached: Checkpoint,
    rows: Mapping[str, int],
    started: float,
    notes: tuple[str, ...],
    differences: tuple[str, ...] = (),
) -> RebuildReport:
    return RebuildReport(
        identical=not differences,
        sequence=reached.sequence,
        differences=differences,
        rows=dict(rows),
        seconds=time.perf_counter() - started,
        notes=notes,
    )
