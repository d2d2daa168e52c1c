"""What the store asks of cures: cancels and corrects are judged by whoever knows what an event may be.

The store finds out which events are new; whether a cancel or correct of them may be recorded, and what a corrected
event looks like, is said by the book, which knows the checks of intake and the rules of cures.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from tradelake.errors import Problem
from tradelake.store.catalog import Catalog
from tradelake.store.cold import HOT
from tradelake.store.index import KeyIndex
from tradelake.tables import CURE_KINDS, TRADE_LOG

Row = Mapping[str, Any]
Earlier = Callable[[str, str], Row | None]


@dataclass(frozen=True, slots=True)
class Judged:
    """A cure as the log will hold it, or why it is refused."""

    row: Row | None
    problem: Problem | None = None


class Cures(Protocol):
    """What is known of the cures of the log and of those that the delivery has brought so far."""

    @property
    def new_instruments(self) -> pl.DataFrame:
        """Instruments that accepted corrections have made, rows of that table."""

    def expect(self, targets: pl.DataFrame, found: pl.DataFrame) -> None:
        """Learn of `targets` (trade_id, leg_id) which of them the log has, as hot rows of the log."""

    def judge(self, row: Row, earlier: Earlier) -> Judged:
        """Judge a cancel or correct at its turn; an accepted one counts from then on.

        `earlier` finds an accepted event of the same delivery by trade id and leg.
        """

    def version(self, trade_id: str, leg_id: str, *, by: tuple[str, str] | None = None) -> Row | None:
        """Return an event of the log or the delivery as it is now corrected, or as the correction *by* left it.

        Cancels do not count: an event that was cancelled is known all the same. None where nothing corrects it.
        """

    def root(self, trade_id: str, leg_id: str) -> tuple[str, str]:
        """Return the event that a correct cures in the end; the id itself for anything else."""

    def says_the_same(self, row: Row, known: Row) -> bool:
        """Whether two deliveries of one correct set the same values, however they are written."""


def tell_targets(cures: Cures, catalog: Catalog, events: pl.DataFrame, index: KeyIndex) -> None:
    """Let the cures know at once what the log has of the targets that some events name."""
    named = events.filter(pl.col("kind").is_in(CURE_KINDS)).drop_nulls("target_id")
    targets = named.select(pl.col("target_id").alias("trade_id"), "leg_id").unique()
    if not targets.height:
        return
    sequences = index.named(catalog, targets)
    there = f"sequence BETWEEN {sequences[0]} AND {sequences[-1]}" if sequences else "FALSE"
    with catalog.joined(targets=pl.DataFrame({"sequence": sequences}, schema={"sequence": pl.Int64})):
        # The table itself: the delivery may have put archived events beside it already.
        rows = f"SELECT * FROM lake.main.{TRADE_LOG.name} SEMI JOIN targets USING (sequence) WHERE {there}"
        cures.expect(targets, catalog.frame(rows, span=HOT))
