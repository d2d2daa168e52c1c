"""Which families something late reaches go back to just before it only, and not to their first event.

Problem: what arrives late changes its family from its time on. To derive the family from its first event costs as much
as its history is long, and it is the busiest families that late fills are in.

Decision: from just before the late event on the family is matched again, on top of what it looked like then
(`before.py`). That is known where nothing but trades and option events has happened to it since. A cancel or correct
goes back to before what it is about. Everything else is replayed from the first event: what a corporate action, a move
or another lot method has reached since, families with an average cost, and what was linked with others by a correction.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import polars as pl

from tradelake.book.before import Before, Befores
from tradelake.book.groups import FAMILY, NODE, Node, Roots
from tradelake.book.lateness import INSTANT
from tradelake.book.reach import Reach, Reaching
from tradelake.store import Catalog, Checkpoint
from tradelake.store.closing import read_closing
from tradelake.store.cold import HOT
from tradelake.store.fold import family_events
from tradelake.tables import CURE_KINDS, TRADE_LOG

ROUNDS = 4
# What a cure is about is looked for in so many events first, then in all.
RECENT = 100_000
TARGETS = f"SELECT trade_id, leg_id, kind, target_id, executed_at FROM {TRADE_LOG.name}"
TARGET_COLUMNS = ("trade_id", "leg_id", "kind", "target_id", "executed_at")
# What happens to lots, and leaves one lot one.
KEEPING = ("split", "cash_dividend", "return_of_capital", "lot_method")
# What changes neither how many shares a lot has, nor which lot is closed first.
PAYING = ("cash_dividend", "return_of_capital")
INSTANTS = ("since", "shifted_at", "divided_at")
REWOUND = {**dict.fromkeys((*FAMILY, "group"), pl.String()), **dict.fromkeys(INSTANTS, INSTANT)}
Key = tuple[str, str]


class Rewinder:
    """Finds out, for one fold of the `tail`, which late groups of families can be rewound.

    `in_order` are the accounts that close their lots first in, first out, where no change of method says otherwise.
    """

    def __init__(
        self,
        catalog: Catalog,
        reaching: Reaching,
        roots: Roots,
        tail: pl.DataFrame,
        checkpoint: Checkpoint,
        befores: Befores,
        *,
        in_order: Collection[str],
    ) -> None:
        self._catalog = catalog
        self._reaching = reaching
        self._roots = roots
        self._tail = tail
        self._checkpoint = checkpoint
        self._befores = befores
        self._in_order = in_order

    def rewound(self, late: pl.DataFrame) -> Before:
        """Return the families of the groups of *late* that can be rewound, with what they looked like.

        `late` has account_id, root, group and first_at, one row per node.
        """
        starts, closing = self._starts(late), read_closing(self._catalog)
        nodes: dict[str, set[Node]] = {group: set() for group in starts}
        for account, root, group in late.select(*NODE, "group").iter_rows():
            if group in nodes:
                nodes[group].add((account, root))
        for _ in range(ROUNDS):
            if closing is not None:
                starts = {group: at for group, at in starts.items() if at > closing.until}
            starts = {group: at for group, at in starts.items() if self._is_plain(nodes[group], at)}
            before = self._befores.read(self._families(late, starts, nodes), self._checkpoint.sequence)
            if not before.deeper:
                break
            deeper = {group: before.deeper.get(group, at) for group, at in starts.items()}
            starts = {group: at for group, at in deeper.items() if at is not None}
        return before

    def _families(
        self, late: pl.DataFrame, starts: Mapping[str, datetime], nodes: Mapping[str, set[Node]]
    ) -> pl.DataFrame:
        """Return the families of groups, with the instant to go back to and when lots were last shifted before."""
        rows = [
            (group, at, self._last(nodes[group], KEEPING), self._divided_at(nodes[group], at))
            for group, at in starts.items()
        ]
        groups = pl.DataFrame(rows, schema={name: REWOUND[name] for name in ("group", *INSTANTS)}, orient="row")
        families = self._roots.families(late.select(*NODE, "group")).select(*FAMILY, "group")
        return families.join(groups, on="group").select(*REWOUND).unique().sort(FAMILY)

    def _starts(self, late: pl.DataFrame) -> dict[str, datetime]:
        """Return the first instant that changes in each group, where it is known."""
        starts: dict[str, datetime | None] = dict(late.select("group", "first_at").iter_rows())
        groups = {(account, root): group for account, root, group in late.select(*NODE, "group").iter_rows()}
        for node, at in self._cured_at().items():
            group = groups.get(node)
            if group is not None:
                first = starts[group]
                starts[group] = None if at is None or first is None else min(first, at)
        return {group: at for group, at in starts.items() if at is not None}

    def _cured_at(self) -> dict[Node, datetime | None]:
        """Return per node when the first event happened that a cure of the tail is about; None where none is found."""
        cures = self._tail.filter(pl.col("kind").is_in(CURE_KINDS)).drop_nulls("account_id")
        waiting: dict[Key, set[Key]] = {}
        for account, symbol, target, leg in cures.select(*FAMILY, "target_id", "leg_id").iter_rows():
            waiting.setdefault((target, leg), set()).add((account, symbol or ""))
        first: dict[Key, datetime | None] = {}
        while waiting:
            found = self._find({trade_id for trade_id, _ in waiting}, set().union(*waiting.values()))
            further: dict[Key, set[Key]] = {}
            for key, families in waiting.items():
                if key not in found:
                    first |= dict.fromkeys(families)
                    continue
                kind, target, at = found[key]
                if kind in CURE_KINDS:
                    further.setdefault((target, key[1]), set()).update(families)
                    continue
                for family in families:
                    known = first.setdefault(family, at)
                    first[family] = known and min(known, at)
            waiting = further
        nodes: dict[Node, datetime | None] = {}
        for (account, symbol), when in first.items():
            (root,) = self._roots.of({symbol})
            earlier = nodes.setdefault((account, root), when)
            nodes[account, root] = earlier and when and min(earlier, when)
        return nodes

    def _find(self, trade_ids: set[str], families: Iterable[Key]) -> dict[Key, tuple[str, str, datetime]]:
        """Return the events with some trade ids, by trade id and leg: kind, target and time, as they were told."""
        named = pl.DataFrame(sorted(families), schema=dict.fromkeys(FAMILY, pl.String), orient="row")
        own = self._tail.filter(pl.col("trade_id").is_in(sorted(trade_ids))).select(TARGET_COLUMNS)
        found = {(row[0], row[1]): row[2:] for row in own.iter_rows()}
        last = self._checkpoint.sequence
        for first in (last - RECENT, 0):
            missing = sorted(trade_ids - {trade_id for trade_id, _ in found})
            if not missing:
                break
            with self._catalog.joined(wanted_trades=pl.DataFrame({"trade_id": missing})):
                where = f"sequence > {first} AND trade_id IN (SELECT trade_id FROM wanted_trades)"
                rows = family_events(self._catalog, named, TARGETS, where, span=HOT)
            found |= {(row[0], row[1]): row[2:] for row in rows.iter_rows()}
        return found

    def _is_plain(self, nodes: set[Node], since: datetime) -> bool:
        """Whether nothing but trades and option events has happened to some nodes from an instant on."""
        if any(not root for _, root in nodes):
            return False
        for reach in self._reaching.reaches:
            if not self._hits(reach, nodes):
                continue
            if reach.kind is not None:
                if max(reach.times) >= since:
                    return False
            elif reach.sequences[-1] <= self._checkpoint.sequence and (
                len(self._named(reach)) > 1 or any(at >= since for at in reach.times)
            ):
                # Of what a correction moved long ago, the log says where and when it was told.
                return False
        return True

    def _last(self, nodes: set[Node], harmless: Collection[str]) -> datetime | None:
        """Return when something else than what is harmless has last happened to some nodes, if it ever has."""
        reaches = (r for r in self._reaching.reaches if r.kind is not None and r.kind not in harmless)
        return max((max(reach.times) for reach in reaches if self._hits(reach, nodes)), default=None)

    def _divided_at(self, nodes: set[Node], since: datetime) -> datetime | None:
        """Return when the order or the size of lots may last have changed: always, unless all close first in first."""
        if any(account not in self._in_order for account, _ in nodes):
            return since
        return self._last(nodes, PAYING)

    def _named(self, reach: Reach) -> set[Node]:
        return {(account, root) for account in reach.accounts for root in self._roots.of(reach.symbols)}

    def _hits(self, reach: Reach, nodes: set[Node]) -> bool:
        """Whether an event may reach one of some nodes."""
        roots = self._roots.of(reach.symbols)
        if reach.everywhere:
            return any(root in roots for _, root in nodes)
        if reach.kind == "merge":
            return any(account in reach.accounts for account, _ in nodes)
        return any(account in reach.whole or (account in reach.accounts and root in roots) for account, root in nodes)
