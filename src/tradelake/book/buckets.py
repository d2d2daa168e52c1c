"""Parts of the log that somebody else derives: each is a bucket, a task that can be run on any machine.

Problem. A log of a billion events is more than one machine derives in a night.

Decision. A bucket is one part of the log (`parts.py`). Whoever derives it reads a book that stands still at one
version, and writes files that nobody sees and says their names, or compares what is stored with what follows. So it
may be run anywhere, twice, or again after its machine has died. Which engine runs the buckets is nothing to this
module: it is given one.

Limit. One group is never divided: a book whose accounts are all forks of one another, holding the same symbols, is
derived no faster by many machines than by one.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from tradelake.book.checking import Comparison, Difference
from tradelake.book.deriving import Derivers, Waiting
from tradelake.book.parts import Part
from tradelake.book.read import Moment
from tradelake.errors import StorageError
from tradelake.store import Catalog, Target, open_catalog
from tradelake.store.pieces import Piece, write_pieces
from tradelake.tables import DERIVED_TABLES

MOVED_ON = (
    "The book was at version {} when its rebuild began, and is at version {} now. Nothing was changed by the rebuild; "
    "repeat it."
)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One part of the log of a book at a version; of a past moment where one is given.

    Its tables are written to a folder of their own where one is given, else beside those of the book.
    """

    job: str
    number: int
    version: int
    target: Target = field(repr=False)
    part: Part = field(repr=False)
    as_of: datetime | None = None
    as_known: datetime | None = None
    folder: str | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What one attempt at a bucket has written, and the processor time that it took, in seconds."""

    number: int
    seconds: float
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """What one attempt at a bucket has found: by table the rows that follow from it, and the differences."""

    number: int
    seconds: float
    rows: dict[str, int]
    differences: dict[str, list[Difference]]


def derive_bucket(bucket: Bucket) -> Written:
    """Derive the tables of a bucket and write them to files; nothing of the book changes.

    Raises StorageError where the book does not stand at the version of the bucket.
    """
    started = time.process_time()
    with _replayer(bucket) as book:
        pieces = book.write(bucket)
    return Written(bucket.number, time.process_time() - started, pieces)


def compare_bucket(bucket: Bucket) -> Compared:
    """Compare the stored tables of a bucket with what follows from its events; errors as of `derive_bucket`."""
    started = time.process_time()
    with _replayer(bucket) as book:
        rows, differences = book.compare(bucket)
    return Compared(bucket.number, time.process_time() - started, rows, differences)


@contextmanager
def _replayer(bucket: Bucket) -> "Iterator[_Replayer]":
    catalog = open_catalog(bucket.target, read_only=True)
    try:
        with catalog.parallel(), catalog.cold.including(), catalog.transaction():
            check_version(catalog, bucket.version)
            yield _Replayer(catalog)
    finally:
        catalog.close()


def check_version(catalog: Catalog, version: int) -> None:
    """Raise StorageError where a book is not at a version any more."""
    there = catalog.version()
    if there != version:
        raise StorageError(MOVED_ON.format(version, there))


class _Replayer(Derivers):
    """A book that somebody else derives, as one bucket needs it."""

    def write(self, bucket: Bucket) -> tuple[Piece, ...]:
        moment = self._moment(bucket.as_of, bucket.as_known)
        pieces: list[Piece] = []
        for number, step in enumerate(self._part_steps(self._planner(), bucket.part, moment)):
            name = f"rebuild-{bucket.job}-{bucket.number}-{number}-{uuid4().hex}"
            pieces += write_pieces(self._catalog, step().derived, name, folder=bucket.folder)
        return tuple(pieces)

    def compare(self, bucket: Bucket) -> tuple[dict[str, int], dict[str, list[Difference]]]:
        comparison, rows = Comparison(), dict.fromkeys((table.name for table in DERIVED_TABLES), 0)
        waiting = Waiting()
        for step in self._part_steps(self._planner(), bucket.part, Moment()):
            self._compare_step(step(), waiting, comparison, rows)
        differences = comparison.differences()
        return rows, {table.name: differences.get(table, []) for table in DERIVED_TABLES}
