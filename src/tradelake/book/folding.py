"""Which families a fold carries on from their open lots, and which it derives from their first event again.

A group whose new events all come after what it had is *resumed*. One that something late reaches, or a cancel or
correct, is *rewound* to just before it where that can be (`rewinding.py`), else *replayed*, with all that any event of
the log ever linked with it. What was linked before does not matter to a group that is resumed or rewound: its lots are
where those events have put them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from tradelake.book.before import Before, Befores
from tradelake.book.derive import matched_kinds
from tradelake.book.groups import FAMILY, NODE, NODE_SCHEMA, Nodes, Roots, grouped
from tradelake.book.lateness import INSTANT, late_ones
from tradelake.book.linked import ALL_TIME, Linked, LinkedEvents, Stretch
from tradelake.book.reach import REACHING_KINDS, Reach, Reaching
from tradelake.book.rewinding import Rewinder
from tradelake.book.start import standing_accounts
from tradelake.store import Catalog, Checkpoint, References
from tradelake.store.cold import HOT
from tradelake.store.derived import no_families
from tradelake.store.fold import NAMED
from tradelake.tables import CURE_KINDS, TRADE_LOG

TOUCHED = pl.Schema({**NODE_SCHEMA, "first_at": INSTANT, "forced": pl.Boolean()})


@dataclass(frozen=True, slots=True)
class Plan:
    """The families to resume and to replay, each with its events as the log has them; those to rewind stand `before`.

    `rewound_events` are those of the log and the tail from there on.
    """

    resumed: pl.DataFrame
    resumed_events: pl.DataFrame
    replayed: pl.DataFrame
    replayed_events: pl.DataFrame
    before: Before | None = None
    rewound_events: pl.DataFrame = field(default_factory=TRADE_LOG.empty)


class Planner:
    """Plans one fold: of the `tail`, the events of the log after the checkpoint."""

    def __init__(
        self,
        catalog: Catalog,
        references: References,
        reaching: Reaching,
        tail: pl.DataFrame,
        checkpoint: Checkpoint,
        *,
        roots: Roots | None = None,
    ) -> None:
        self._catalog = catalog
        self._checkpoint = checkpoint
        self.references = references
        self.reaching = reaching
        self._fresh = [reach for reach in reaching.reaches if reach.sequences[-1] > checkpoint.sequence]
        self._roots = roots or Roots(references.instruments, reaching.reaches)
        self._standing = standing_accounts(references, reaching)
        self._events = LinkedEvents(catalog, reaching, self._roots, self._standing)
        self.tail = matched_kinds(tail, self._standing)
        plain = self.tail.filter(~pl.col("kind").is_in(REACHING_KINDS)) if self._fresh else self.tail
        self._plain = plain.with_columns(pl.col("symbol").fill_null("")) if plain["symbol"].null_count() else plain

    def touched_families(self) -> pl.DataFrame:
        """Return the families whose lots the tail may change, each once."""
        touched, late = self._split(self._nodes(self._fresh))
        nodes = pl.concat([touched.select(NODE), self._closure(late.select(NODE))])
        return self._roots.families(nodes).select(FAMILY).unique().sort(FAMILY)

    def reached_families(self, reaches: Sequence[Reach], plain: pl.DataFrame) -> pl.DataFrame:
        """Return the families that some events reach, and those of *plain*, with all that share their symbols."""
        nodes = self._nodes(reaches)
        reached = sorted({node for reach in reaches for node in nodes.reached(reach)})
        touched = pl.DataFrame(reached, schema=NODE_SCHEMA, orient="row")
        touched = pl.concat([touched, self._roots.nodes(plain).select(NODE)]).unique()
        return self._roots.families(touched).select(FAMILY).unique()

    def linked_with(self, families: pl.DataFrame) -> Linked:
        """Return families with all that is linked with them."""
        nodes = self._closure(self._roots.nodes(families).select(NODE).unique()).select(NODE)
        return Linked(self._roots.families(nodes).select(FAMILY).unique(), nodes)

    def told_of(self, linked: Linked, stretch: Stretch = ALL_TIME) -> pl.DataFrame:
        """Return all events of the log that reach some families, or those of a stretch, as `LinkedEvents.told` does."""
        return self._events.told(linked, stretch)

    def first_reached(self) -> pl.DataFrame:
        """Return the nodes that the tail reaches, with all that is linked with them, and the first time that changes.

        `forced` says that a cure is among what reaches a node.
        """
        linking = [reach for reach in self.reaching.reaches if reach.links]
        nodes = self._nodes([*linking, *self._fresh])
        return grouped(self._touched(nodes), nodes.groups(linking))

    def _split(self, nodes: Nodes) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the nodes that the tail touches, with their groups, and those that something late reaches."""
        touched = grouped(self._touched(nodes), nodes.groups(self._fresh))
        return touched, late_ones(self._catalog, self._roots, self.reaching, touched, self._checkpoint)

    def plan(self, befores: Befores) -> Plan:
        """Return what to resume, what to rewind and what to replay."""
        if not self._fresh and not self._roots.frame.height:
            # Most tails are a few fills after all that was: nothing is linked, nothing is late.
            firsts = self._plain.group_by(FAMILY).agg(pl.col("executed_at").min())
            earliest = firsts["executed_at"].min()
            if isinstance(earliest, datetime) and earliest > self._checkpoint.latest_at:
                return Plan(firsts.select(FAMILY), self._plain, no_families(), self._plain.clear())
        nodes = self._nodes(self._fresh)
        touched, late = self._split(nodes)
        before, replayed = self._rewound(late, befores)
        void = pl.concat([late.select(NODE), replayed]) if late.height else replayed
        resumed = touched.select(NODE).join(void, on=NODE, how="anti", maintain_order="left")
        families = self._roots.families(resumed).select(FAMILY)
        again = self._roots.families(replayed).select(FAMILY)
        return Plan(
            families,
            self._resumed_events(families, resumed, nodes),
            again,
            self.told_of(Linked(again, replayed)) if again.height else self.tail.clear(),
            before,
            self._rewound_events(before),
        )

    def _rewound(self, late: pl.DataFrame, befores: Befores) -> tuple[Before | None, pl.DataFrame]:
        """Return the late families to rewind, and the nodes to replay with all that was ever linked with them."""
        if not late.height:
            return None, late.select(NODE)
        in_order = self.references.accounts.filter(pl.col("lot_method") == "FIFO")["account_id"]
        rewinder = Rewinder(
            self._catalog, self.reaching, self._roots, self.tail, self._checkpoint, befores, in_order=set(in_order)
        )
        before = rewinder.rewound(late)
        replayed = late.join(before.families, on="group", how="anti").select(NODE)
        while replayed.height:
            replayed = self._closure(replayed).select(NODE)
            # What is linked with them is derived with them.
            both = late.join(replayed, on=NODE, how="semi").join(before.families, on="group", how="semi")
            if not both.height:
                break
            before = before.apart_from(both["group"])
            replayed = late.join(before.families, on="group", how="anti").select(NODE)
        return before, replayed

    def _rewound_events(self, before: Before | None) -> pl.DataFrame:
        """Return what the log and the tail say of the families to rewind from where they stand."""
        if before is None or not before.families.height:
            return self.tail.clear()
        fresh = self.tail.join(before.families, on=FAMILY, how="semi", maintain_order="left")
        return pl.concat([matched_kinds(before.told, self._standing), fresh])

    def _nodes(self, reaches: Sequence[Reach]) -> Nodes:
        """Return the nodes of the log that some events may reach."""
        accounts = {name for reach in reaches for name in reach.whole}
        symbols = {symbol for reach in reaches if reach.everywhere for symbol in reach.symbols}
        known = no_families()
        if accounts or symbols:
            wanted = self._roots.symbols(self._roots.of(symbols)) | symbols
            with self._catalog.joined(
                whole_accounts=pl.DataFrame({"account_id": sorted(accounts)}, schema={"account_id": pl.String}),
                whole_symbols=pl.DataFrame({"symbol": sorted(wanted)}, schema={"symbol": pl.String}),
            ):
                known = self._catalog.frame(
                    f"SELECT DISTINCT account_id, symbol FROM ({NAMED}) "
                    "WHERE account_id IN (SELECT account_id FROM whole_accounts) "
                    "OR (account_id IS NOT NULL AND symbol IN (SELECT symbol FROM whole_symbols))",
                    span=HOT,
                )
        nodes = Nodes(self._roots.nodes(known).select(NODE).iter_rows(), self._roots)
        nodes.spread(self.reaching.reaches if accounts or symbols else reaches)
        return nodes

    def _touched(self, nodes: Nodes) -> pl.DataFrame:
        """Return the nodes that the tail touches: when first, and whether a cure forces them to be replayed."""
        firsts = self._roots.nodes(self._plain.group_by(FAMILY).agg(pl.col("executed_at").min().alias("first_at")))
        plain = firsts.select(*NODE, "first_at", pl.lit(value=False).alias("forced"))
        if not self._fresh:
            return plain
        rows = []
        for reach in self._fresh:
            first = min(reach.times, default=self._checkpoint.latest_at)
            forced = reach.cured_at > self._checkpoint.sequence
            rows += [(*node, first, forced) for node in sorted(nodes.reached(reach))]
        return pl.concat([plain, pl.DataFrame(rows, schema=TOUCHED, orient="row")])

    def _closure(self, late: pl.DataFrame) -> pl.DataFrame:
        """Return nodes with all that any event of the log links with them."""
        linking = [reach for reach in self.reaching.reaches if reach.links]
        if not linking:
            return late
        groups = self._nodes(linking).groups(linking)
        hit = late.join(groups, on=NODE)["group"].unique()
        linked = groups.filter(pl.col("group").is_in(hit.implode())).select(NODE)
        return pl.concat([late, linked]).unique(maintain_order=True)

    def _resumed_events(self, families: pl.DataFrame, resumed: pl.DataFrame, nodes: Nodes) -> pl.DataFrame:
        plain = self._plain.join(families, on=FAMILY, how="semi", maintain_order="left")
        if not self._fresh:
            return plain
        there = set(resumed.iter_rows())
        wanted = [n for reach in self._fresh if not there.isdisjoint(nodes.reached(reach)) for n in reach.sequences]
        reaching = self.tail.filter(pl.col("sequence").is_in(wanted) & ~pl.col("kind").is_in(CURE_KINDS))
        return pl.concat([plain, reaching])
