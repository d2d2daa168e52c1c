"""Ours against the broker's: what differs, why, and what becomes of it. Pure: frames in, frames out."""

from dataclasses import dataclass

from tradelake.reconcile.causes import Explaining, Root
from tradelake.reconcile.circumstances import Beginning, Circumstances, Contract, Opening, Part, Row, Split, Suppose
from tradelake.reconcile.compare import Compared, compare
from tradelake.reconcile.differences import DIFFERENCES, Difference, frame_of
from tradelake.reconcile.facts import CASH, EXECUTIONS, LOTS, POSITIONS, REALIZED, UNREAD, Side
from tradelake.reconcile.histories import of_histories
from tradelake.reconcile.names import of_names
from tradelake.reconcile.options import of_options
from tradelake.reconcile.splits import of_splits, stale_split

__all__ = [
    "CASH",
    "DIFFERENCES",
    "EXECUTIONS",
    "LOTS",
    "POSITIONS",
    "REALIZED",
    "UNREAD",
    "Beginning",
    "Circumstances",
    "Compared",
    "Contract",
    "Difference",
    "Explained",
    "Opening",
    "Part",
    "Root",
    "Row",
    "Side",
    "Split",
    "Suppose",
    "compare",
    "explain",
    "frame_of",
    "stale_split",
]


@dataclass(frozen=True, slots=True)
class Explained:
    """The roots of all differences, each with what follows from it, and notes on what cannot be compared."""

    roots: tuple[Root, ...] = ()
    notes: tuple[str, ...] = ()


def explain(compared: Compared, theirs: Side, circumstances: Circumstances, suppose: Suppose) -> Explained:
    """Say which differences follow from which; *suppose* answers what our side were if some events were recorded."""
    explaining = Explaining(compared, theirs, circumstances, suppose)
    for find in (Explaining.of_events, of_splits, of_names, of_options, of_histories, Explaining.left):
        if explaining.rest:
            find(explaining)
    return Explained(tuple(explaining.roots), tuple(explaining.notes))
