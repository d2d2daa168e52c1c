"""A rebuild in parts that know nothing of each other: buckets of families, and what one of them comes to.

Problem. A log of a billion events is more than one machine derives in a night. Most accounts and symbols have nothing
to do with each other; but forks, mergers, transfers and corporate actions move lots from one to another.

Decision. What any event of the log links is one group, as a fold that replays a family takes it, and a bucket is some
whole groups, chosen so that buckets have about as many events each. A bucket is derived as a fold replays families:
from their first event, or from the closing of a book, by the same functions. It reads a book that stands still at one
version, writes files that nobody sees, and says their names. So it may be run anywhere, twice, or again after its
machine has died. Which engine runs the buckets is nothing to this module: it is given one.

Limit. One group is never divided: a book whose accounts are all forks of one another, holding the same symbols, is
derived no faster by many machines than by one.
"""

import heapq
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import polars as pl

from tradelake.book.closing import derive_after
from tradelake.book.derive import latest_event
from tradelake.book.deriving import Derivers
from tradelake.book.groups import FAMILY, NODE, NODE_SCHEMA, Nodes, Roots, group_name
from tradelake.book.reach import Reaching
from tradelake.book.receipt import RebuildReport
from tradelake.book.shelf import Progress, no_progress
from tradelake.book.tail import TailFold
from tradelake.errors import InputError, InvariantError, StorageError
from tradelake.lots import in_effect
from tradelake.store import Catalog, References, Target, open_catalog, read_standing
from tradelake.store.closing import closed_until
from tradelake.store.cold import HOT
from tradelake.store.pieces import Piece, replace_by_pieces, stored_families, write_pieces
from tradelake.tables import ARCHIVE_TOTALS, TRADE_LOG

ONE_PROCESS = "A book in duckdb: can be opened by one process only. Rebuild it without a cluster."
MOVED_ON = (
    "The book was at version {} when its rebuild began, and is at version {} now. Nothing was changed by the rebuild; "
    "repeat it."
)
# The events of a bucket take 3 to 4 kB of memory each while they are derived.
BUCKET_EVENTS = 1_000_000
WEIGHED = (
    "SELECT account_id, symbol, sum(events)::BIGINT AS events FROM ("
    f"SELECT account_id, coalesce(symbol, '') AS symbol, count(*) AS events FROM {TRADE_LOG.name} "
    f"WHERE account_id IS NOT NULL GROUP BY ALL UNION ALL "
    f"SELECT account_id, symbol, rows FROM {ARCHIVE_TOTALS.name}) GROUP BY ALL ORDER BY ALL"
)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One part of a rebuild: families (account_id, symbol) of a book at a version, and about how many events."""

    job: str
    number: int
    version: int
    events: int
    target: Target = field(repr=False)
    families: pl.DataFrame = field(repr=False)


@dataclass(frozen=True, slots=True)
class Written:
    """What one attempt at a bucket has written, and the processor time that it took, in seconds."""

    number: int
    events: int
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
            written = _Replayer(catalog).write(bucket)
    finally:
        catalog.close()
    events, pieces = written
    return Written(bucket.number, events, time.process_time() - started, pieces)


def _check_version(catalog: Catalog, version: int) -> None:
    there = catalog.version()
    if there != version:
        raise StorageError(MOVED_ON.format(version, there))


class _Replayer(Derivers):
    """A book that somebody else rebuilds, as one bucket needs it."""

    def write(self, bucket: Bucket) -> tuple[int, tuple[Piece, ...]]:
        standing = read_standing(self._catalog)
        references = self._references(standing.import_run_id)
        families, told = self._planner(standing, references).everything_of(bucket.families)
        if families.join(bucket.families, on=FAMILY, how="anti").height:
            raise InvariantError(f"bucket {bucket.number} is linked with families of another one")
        events = in_effect(told, references.instruments)
        derived = derive_after(self._catalog, references, events, families=families)
        name = f"rebuild-{bucket.job}-{bucket.number}-{uuid4().hex}"
        return told.height, write_pieces(self._catalog, derived, name)


class BucketRebuilders(Derivers):
    """A rebuild whose parts are run by somebody else."""

    def rebuild_in_buckets(self, engine: Engine, *, buckets: int, progress: Progress | None = None) -> RebuildReport:
        """Derive all tables from the first event, in about *buckets* parts that *engine* runs, in one commit.

        Of a book with more than BUCKET_EVENTS in each there are more parts, of one with few groups fewer. The engine
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
                    Bucket(job, number, version, events, self._catalog.target, families)
                    for number, (events, families) in enumerate(
                        families_apart(self._catalog, references, reaching, buckets)
                    )
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


def families_apart(
    catalog: Catalog, references: References, reaching: Reaching, count: int
) -> list[tuple[int, pl.DataFrame]]:
    """Return all families in buckets that nothing links, the largest first, with their events.

    These are *count* buckets, or as many as keep to BUCKET_EVENTS where groups allow it; never more than groups.
    """
    roots = Roots(references.instruments, reaching.reaches)
    weighed = catalog.frame(WEIGHED, span=HOT)
    known = weighed.select(FAMILY)
    if closed_until(catalog) is not None:
        # Of what was deleted, only the stored rows know.
        known = pl.concat([known, stored_families(catalog)])
    nodes = Nodes(roots.nodes(known).select(NODE).unique().iter_rows(), roots)
    nodes.spread(reaching.reaches)
    for reach in reaching.reaches:
        nodes.add(sorted(nodes.reached(reach)))
    linked = nodes.groups([reach for reach in reaching.reaches if reach.links])
    groups = {(account, root): group for account, root, group in linked.iter_rows()}
    everything = nodes.everything()
    named = pl.DataFrame(everything, schema=NODE_SCHEMA, orient="row").with_columns(
        pl.Series("group", [groups.get(node, group_name(node)) for node in everything], dtype=pl.String)
    )
    weights = roots.nodes(weighed).group_by(NODE).agg(pl.col("events").sum())
    sizes = (
        named.join(weights, on=NODE, how="left")
        .group_by("group")
        .agg(pl.col("events").sum())
        .sort("events", "group", descending=[True, False])
    )
    enough = max(count, -(-int(sizes["events"].sum()) // BUCKET_EVENTS))
    bins = [(0, number) for number in range(max(1, min(enough, sizes.height)))]
    chosen, totals = [], [0] * len(bins)
    for events in sizes["events"]:
        total, number = heapq.heappop(bins)
        chosen.append(number)
        totals[number] = total + events
        heapq.heappush(bins, (totals[number], number))
    placed = named.join(sizes.select("group", pl.Series("bucket", chosen, dtype=pl.Int64)), on="group")
    families = [
        roots.families(placed.filter(pl.col("bucket") == number).select(NODE)).select(FAMILY).unique().sort(FAMILY)
        for number in range(len(totals))
    ]
    return sorted(zip(totals, families, strict=True), key=lambda part: -part[0])
