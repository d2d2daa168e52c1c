"""A rebuild whose parts somebody else derives: each is a bucket, a task that can be run on any machine.

Problem. A log of a billion events is more than one machine derives in a night.

Decision. A bucket is one part of the log (`parts.py`). Whoever derives it reads a book that stands still at one
version, writes files that nobody sees, and says their names. So it may be run anywhere, twice, or again after its
machine has died. Which engine runs the buckets is nothing to this module: it is given one.

Limit. One group is never divided: a book whose accounts are all forks of one another, holding the same symbols, is
derived no faster by many machines than by one.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

from tradelake.book.derive import latest_event
from tradelake.book.deriving import Derivers
from tradelake.book.parts import Part, parts_of
from tradelake.book.receipt import RebuildReport
from tradelake.book.shelf import Progress, no_progress
from tradelake.book.tail import TailFold
from tradelake.errors import InputError, InvariantError, StorageError
from tradelake.store import Catalog, Target, open_catalog, read_standing
from tradelake.store.pieces import Piece, replace_by_pieces, write_pieces

ONE_PROCESS = "A book in duckdb: can be opened by one process only. Rebuild it without a cluster."
MOVED_ON = (
    "The book was at version {} when its rebuild began, and is at version {} now. Nothing was changed by the rebuild; "
    "repeat it."
)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One part of the log of a book at a version."""

    job: str
    number: int
    version: int
    target: Target = field(repr=False)
    part: Part = field(repr=False)


@dataclass(frozen=True, slots=True)
class Written:
    """What one attempt at a bucket has written, and the processor time that it took, in seconds."""

    number: int
    seconds: float
    pieces: tuple[Piece, ...]


Task = Callable[[Bucket], Written]
Engine = Callable[[Task, Sequence[Bucket]], Iterable[Written]]


def derive_bucket(bucket: Bucket) -> Written:
    """Derive the tables of a bucket and write them to files; nothing of the book changes.

    Raises StorageError where the book does not stand at the version of the bucket.
    """
    started = time.process_time()
    catalog = open_catalog(bucket.target, read_only=True)
    try:
        with catalog.parallel(), catalog.cold.including(), catalog.transaction():
            _check_version(catalog, bucket.version)
            pieces = _Replayer(catalog).write(bucket)
    finally:
        catalog.close()
    return Written(bucket.number, time.process_time() - started, pieces)


def _check_version(catalog: Catalog, version: int) -> None:
    there = catalog.version()
    if there != version:
        raise StorageError(MOVED_ON.format(version, there))


class _Replayer(Derivers):
    """A book that somebody else rebuilds, as one bucket needs it."""

    def write(self, bucket: Bucket) -> tuple[Piece, ...]:
        standing = read_standing(self._catalog)
        references = self._references(standing.import_run_id)
        derived = self._derivation(self._planner(standing, references), references, bucket.part)()
        name = f"rebuild-{bucket.job}-{bucket.number}-{uuid4().hex}"
        return write_pieces(self._catalog, derived, name)


class BucketRebuilders(Derivers):
    """A rebuild whose parts are run by somebody else."""

    def rebuild_in_buckets(self, engine: Engine, *, buckets: int, progress: Progress | None = None) -> RebuildReport:
        """Derive all tables from the first event, in about *buckets* parts that *engine* runs, in one commit.

        Of a book with more than PART_EVENTS in each there are more parts, of one with few groups fewer. The engine
        is given a function and its arguments, which can be pickled, and returns what it returned for each, in any
        order; for an argument that it ran more than once any of the results. The lease is held meanwhile.
        Raises InputError for a catalog that only one process can open, StorageError where the book has moved on.
        """
        self._writable()
        if self._catalog.target.kind == "duckdb":
            raise InputError(ONE_PROCESS)
        report = progress or no_progress
        started = time.perf_counter()
        with self._catalog.lease.hold(), self._catalog.cold.including():
            with self._catalog.parallel(), self._catalog.transaction():
                version = self._catalog.version()
                standing = read_standing(self._catalog)
                references = self._references(standing.import_run_id)
                reaching = self._tail.reaching_of(standing, references)
                job = uuid4().hex[:8]
                parts = [
                    Bucket(job, number, version, self._catalog.target, part)
                    for number, part in enumerate(parts_of(self._catalog, references, reaching, buckets))
                ]
                reached = latest_event(self._catalog, references)
                notes = self._cold_notes()
            written = _each_once(engine, parts, report)
            with self._catalog.transaction():
                _check_version(self._catalog, version)
                report("write", len(parts), len(parts) + 1)
                rows = replace_by_pieces(self._catalog, [p for part in written for p in part.pieces], reached)
        # What was read of the old rows is void, even where the checkpoint stays where it was.
        self._tail = TailFold(self._catalog)
        report("done", len(parts) + 1, len(parts) + 1)
        busy = sum(part.seconds for part in written)
        size = sum(piece.size_bytes for part in written for piece in part.pieces)
        done = f"{len(parts)} buckets, {busy:,.1f} seconds of processor time in them, {size:,} bytes written"
        return RebuildReport(
            identical=True,
            sequence=reached.sequence,
            differences=(),
            rows=dict(rows),
            seconds=time.perf_counter() - started,
            notes=(done, *notes),
        )


def _each_once(engine: Engine, parts: Sequence[Bucket], report: Progress) -> list[Written]:
    """Return what became of each bucket, by one of its attempts."""
    done: dict[int, Written] = {}
    report("derive", 0, len(parts) + 1)
    for written in engine(derive_bucket, parts):
        done.setdefault(written.number, written)
        report("derive", len(done), len(parts) + 1)
    if set(done) != {part.number for part in parts}:
        raise InvariantError(f"the engine has returned {len(done)} of {len(parts)} buckets")
    return [done[part.number] for part in parts]
