"""The log in parts that know nothing of each other, and what follows from each.

Problem. A long log does not fit in memory while it is derived, nor is it derived in a night by one machine. Most
accounts and symbols have nothing to do with each other; but forks, mergers, transfers and corporate actions move lots
from one to another.

Decision. What any event of the log links is one group, as a fold that replays a family takes it. A part is some whole
groups that stand next to each other in the order of accounts and symbols, so that what is read for it lies together in
the files of the log, and what is written for it lies together in those of the derived tables. A part is derived as a
fold replays families: from their first event, or from the closing of a book, by the same functions. A log that is one
part is derived as a whole. A group is never divided; one that is longer than a part is derived in stretches of time
(`stretches.py`).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl

from tradelake.book.closing import derivation, derive_all
from tradelake.book.folding import Planner
from tradelake.book.groups import FAMILY, NODE, NODE_SCHEMA, Nodes, Roots, group_name
from tradelake.book.linked import ALL_TIME, Stretch
from tradelake.book.past import PastReaders
from tradelake.book.reach import Reaching
from tradelake.book.read import Moment
from tradelake.book.stretches import GoingOn, stretches_of
from tradelake.errors import InvariantError
from tradelake.store import Catalog, Derived, References, Standing
from tradelake.store.cold import HOT
from tradelake.store.pieces import stored_families
from tradelake.tables import ARCHIVE_TOTALS, TRADE_LOG

# The events of a part take 3 to 4 kB of memory each while they are derived.
PART_EVENTS = 250_000
WEIGHED = (
    "SELECT account_id, symbol, sum(events)::BIGINT AS events FROM ("
    f"SELECT account_id, coalesce(symbol, '') AS symbol, count(*) AS events FROM {TRADE_LOG.name} "
    f"WHERE account_id IS NOT NULL GROUP BY ALL UNION ALL "
    f"SELECT account_id, symbol, rows FROM {ARCHIVE_TOTALS.name}) GROUP BY ALL ORDER BY ALL"
)


@dataclass(frozen=True, slots=True)
class Part:
    """Families (account_id, symbol) that nothing links with others, and about how many events they have."""

    events: int
    families: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from a stretch of a part; without a part it is that of the whole log.

    Of `count` parts so many are `done`. Only the `last` stretch of a part has its open lots and positions.
    """

    derived: Derived
    part: Part | None = None
    stretch: Stretch = ALL_TIME
    last: bool = True
    done: int = 0
    count: int = 1


class PartDerivers(PastReaders):
    """Deriving the whole log, as much at a time as fits in memory."""

    def _derived_parts(self, standing: Standing, references: References) -> Iterator[Step]:
        """Yield what follows from the log, step by step; the caller holds a transaction.

        A log that is no longer than a part comes as a whole, without its families.
        """
        if not self._is_long(standing.head):
            yield Step(derive_all(self._catalog, references))
            return
        planner = self._planner()
        parts = parts_of(self._catalog, references, planner.reaching, 1)
        with ThreadPoolExecutor(1, thread_name_prefix="tradelake-derive") as beside:
            waiting: Future[Step] | None = None
            for number, part in enumerate(parts):
                for step in self._part_steps(planner, part, Moment()):
                    running = beside.submit(partial(step, done=number, count=len(parts)))
                    # While one step is derived, the caller takes the one before, and the next one is read.
                    if waiting is not None:
                        yield waiting.result()
                    waiting = running
            if waiting is not None:
                yield waiting.result()

    def _is_long(self, events: int) -> bool:
        """Return whether so many events are more than a part."""
        return events > PART_EVENTS

    def _part_steps(self, planner: Planner, part: Part, moment: Moment) -> Iterator[Callable[..., Step]]:
        """Read the events of a part, stretch by stretch; yield what derives each, to be called in this order.

        Raises InvariantError where others are linked with its families.
        """
        linked = planner.linked_with(part.families)
        if linked.families.join(part.families, on=FAMILY, how="anti").height:
            raise InvariantError("a part of the log is linked with families of another one")
        references, families = planner.references, linked.families
        stretches = stretches_of(self._catalog, linked, part.events, PART_EVENTS)
        going_on = GoingOn(references, families)
        for number, stretch in enumerate(stretches):
            known = self._known_events(references, planner.told_of(linked, stretch), moment)
            events, last = known.filter(stretch.holds("executed_at")), number == len(stretches) - 1
            if number:
                derive = partial(going_on.then, events, last=last)
            else:
                run = derivation(self._catalog, references, events, families=families, as_of=moment.as_of)
                derive = partial(going_on.first, run, last=last)
            yield partial(_step, derive, part=part, stretch=stretch, last=last)


def _step(derive: Callable[[], Derived], **where: Any) -> Step:
    return Step(derive(), **where)


def parts_of(catalog: Catalog, references: References, reaching: Reaching, count: int) -> list[Part]:
    """Return all families of a book in parts that nothing links, in the order of accounts and symbols.

    These are *count* parts, or as many as keep to PART_EVENTS where groups allow it; never more than groups. Families
    that only stored rows name are among them.
    """
    roots = Roots(references.instruments, reaching.reaches)
    weighed = catalog.frame(WEIGHED, span=HOT)
    known = pl.concat([weighed.select(FAMILY), stored_families(catalog)])
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
    # Groups in the order of their first nodes.
    sizes = (
        named.join(weights, on=NODE, how="left", maintain_order="left")
        .group_by("group", maintain_order=True)
        .agg(pl.col("events").sum())
    )
    total = int(sizes["events"].sum())
    wanted = max(1, min(max(count, -(-total // PART_EVENTS)), sizes.height))
    before = pl.col("events").cum_sum() - pl.col("events")
    placed = named.join(
        sizes.select("group", (before * wanted // max(total, 1)).clip(0, wanted - 1).alias("part"), "events"),
        on="group",
    )
    parts = []
    for part in placed.partition_by("part", maintain_order=True):
        events = int(part.unique("group")["events"].sum())
        families = roots.families(part.select(NODE)).select(FAMILY).unique().sort(FAMILY)
        parts.append(Part(events, families))
    return parts
