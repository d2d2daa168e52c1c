"""What the store asks of cures: cancels and corrects are judged by whoever knows what an event may be.

The store finds out which events are new; whether a cancel or correct of them may be recorded, and what a corrected
event looks like, is said by the book, which knows the checks of intake and the rules of cures.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import polars as pl

from tradelake.errors import Problem

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
