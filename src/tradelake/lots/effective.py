"""Which events are in effect, and their total order.

A cancel takes an event out at every effective time, from the moment it is known; a correct sets fields of it. Both
are events of the log and may be cured themselves: the cancel of a cancel reinstates, the cancel of a correct undoes
it, and a correct of a correct means the event that was corrected first. Corrections apply in the order of their
arrival, field by field, so the later one wins; a corrected event keeps its id and its place in the log.

The order is effective time, then phase, then arrival. At one instant corporate actions come first, so that a fill
stamped at the ex-instant counts in new units; executions and moves come before exercises, assignments and cash
settlements, and expiries last. Arrival is the log sequence.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from tradelake.lots.corrected import corrected_rows
from tradelake.tables import CORPORATE_KINDS, CURE_KINDS

PHASES = {
    **dict.fromkeys(CORPORATE_KINDS, 0),
    **dict.fromkeys(("trade", "subscribe", "cash", "transfer", "fork", "merge", "lot_method"), 1),
    **dict.fromkeys(("exercise", "assign", "cash_settle"), 2),
    "expire": 3,
    **dict.fromkeys(("chain_join", "chain_split", "chain_name"), 4),
}
Key = tuple[str, str]


def phase() -> pl.Expr:
    """Return the phase of an event from its column `kind`."""
    return pl.col("kind").replace_strict(PHASES, return_dtype=pl.Int64)


def in_effect(events: pl.DataFrame, instruments: pl.DataFrame) -> pl.DataFrame:
    """Return the events of the log that are in effect, in total order, with their `phase`.

    Table in and out: `trade_log` or some of its columns, one row per event; *instruments* gives the terms where a
    correction names another instrument. The result is sorted by (executed_at, phase, sequence), without cancels and
    corrects. A cure whose target is not among the events, or is not active at its turn, has no effect.
    """
    cures = events.filter(pl.col("kind").is_in(CURE_KINDS))
    if cures.height:
        events = _cured(events, cures, instruments)
    return events.with_columns(phase().alias("phase")).sort("executed_at", "phase", "sequence")


def _cured(events: pl.DataFrame, cures: pl.DataFrame, instruments: pl.DataFrame) -> pl.DataFrame:
    targets = events.filter(pl.col("trade_id").is_in(cures["target_id"].unique().implode()))
    state = CureState(targets.select("trade_id", "leg_id", "kind").rows())
    for row in cures.sort("sequence").iter_rows(named=True):
        state.apply(row)
    cured = pl.DataFrame(
        [(*key, not state.active[key], key in state.sets) for key in state.active],
        schema={"trade_id": pl.String, "leg_id": pl.String, "inactive": pl.Boolean, "set": pl.Boolean},
        orient="row",
    )
    keys = ["trade_id", "leg_id"]
    plain = events.filter(~pl.col("kind").is_in(CURE_KINDS))
    inactive, changed = cured.filter("inactive"), cured.filter(pl.col("set") & ~pl.col("inactive"))
    kept = plain.join(inactive, on=keys, how="anti", maintain_order="left")
    bases = kept.join(changed, on=keys, how="semi", maintain_order="left")
    if not bases.height:
        return kept
    rows = corrected_rows(bases, {key: state.corrections(key) for key in state.sets}, instruments)
    return pl.concat([kept.join(changed, on=keys, how="anti", maintain_order="left"), rows])


class CureState:
    """What the cures seen so far have made of their targets."""

    def __init__(self, targets: Sequence[tuple[str, str, str]]) -> None:
        self.active: dict[Key, bool] = {(trade_id, leg): True for trade_id, leg, kind in targets}
        self._kinds: dict[Key, str] = {(trade_id, leg): kind for trade_id, leg, kind in targets}
        # A cure counts from its own turn on.
        for key, kind in self._kinds.items():
            if kind in CURE_KINDS:
                del self.active[key]
        self._cancels: dict[Key, Key] = {}
        self._roots: dict[Key, Key] = {}
        self.sets: dict[Key, list[tuple[Key, str]]] = {}

    def apply(self, cure: Mapping[str, str]) -> None:
        """Let a cancel or correct have its effect, if its target allows it."""
        own, target = (cure["trade_id"], cure["leg_id"]), (cure["target_id"], cure["leg_id"])
        if target not in self.active:
            return
        if cure["kind"] == "cancel":
            if not self.active[target]:
                return
            self.active[target] = False
            if target in self._cancels:
                self.active[self._cancels[target]] = True
            self._cancels[own] = target
        else:
            root = self._roots.get(target, target)
            if self._kinds.get(target) == "cancel" or not self.active[root]:
                return
            self._roots[own] = root
            self.sets.setdefault(root, []).append((own, cure["details"]))
        self.active[own] = True
        self._kinds[own] = cure["kind"]

    def corrections(self, root: Key) -> list[str]:
        """Return the details of the corrections of an event that are active, in the order of their arrival."""
        return [details for own, details in self.sets.get(root, ()) if self.active[own]]
