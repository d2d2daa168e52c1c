"""What the log says of families and of everything that is linked with them, all of it or a stretch of time at once.

A correct may move an event from one stretch into another. So all cures come with every stretch, and the events that
corrects are about; what counts there is known when they have had their effect.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from tradelake.book.derive import SELECT, matched_kinds
from tradelake.book.groups import Roots
from tradelake.book.reach import Reach, Reaching
from tradelake.store import Catalog
from tradelake.store.cold import Span
from tradelake.store.fold import family_events
from tradelake.store.literals import instant


@dataclass(frozen=True, slots=True)
class Linked:
    """Families (account_id, symbol) with all that is linked with them, and the same as nodes (account_id, root)."""

    families: pl.DataFrame
    nodes: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Stretch:
    """The time from an instant on, up to before another one; None is no bound."""

    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_all(self) -> bool:
        """Whether it has no bound."""
        return self.since is None and self.until is None

    def holds(self, column: str) -> pl.Expr:
        """Return whether an instant is in the stretch."""
        held = pl.lit(value=True)
        if self.since is not None:
            held &= pl.col(column) >= self.since
        return held if self.until is None else held & (pl.col(column) < self.until)

    def condition(self, column: str) -> str:
        """Return the same as SQL."""
        bounds = [(">=", self.since), ("<", self.until)]
        return " AND ".join(f"{column} {sign} {instant(at)}" for sign, at in bounds if at is not None) or "TRUE"


ALL_TIME = Stretch()


class LinkedEvents:
    """Reads the events that matching looks at; *standing* are the accounts whose cash movements it wants too.

    To read in stretches, `reaching` has to know all cures of the log.
    """

    def __init__(self, catalog: Catalog, reaching: Reaching, roots: Roots, standing: Collection[str]) -> None:
        self._catalog = catalog
        self._reaching = reaching
        self._roots = roots
        self._standing = standing
        self._corrected: tuple[Linked, list[pl.DataFrame]] | None = None

    def told(self, linked: Linked, stretch: Stretch = ALL_TIME) -> pl.DataFrame:
        """Return what the log says of families, with the events that reach them; of a stretch at least what it needs.

        What happened outside of the stretch is among it, and is left out once cures have had their effect.
        """
        cash = pl.DataFrame(
            {"account_id": sorted(set(linked.nodes["account_id"]) & set(self._standing))},
            schema={"account_id": pl.String},
        )
        found = [self._reaching_rows(linked), *self._read(linked, cash, stretch.condition("executed_at"))]
        if not stretch.is_all:
            if self._corrected is None or self._corrected[0] is not linked:
                self._corrected = linked, self._corrected_events(linked, cash, found[0])
            found += self._corrected[1]
        return matched_kinds(pl.concat(found).unique("sequence", maintain_order=True), self._standing)

    def _read(self, linked: Linked, cash: pl.DataFrame, where: str) -> list[pl.DataFrame]:
        found = [family_events(self._catalog, linked.families, SELECT, where)]
        if cash.height:
            with self._catalog.joined(movable=cash):
                text = f"{SELECT} SEMI JOIN movable USING (account_id) WHERE kind = 'cash' AND {where}"
                found.append(self._catalog.frame(text, span=Span(families=cash, closed=True)))
        return found

    def _corrected_events(self, linked: Linked, cash: pl.DataFrame, reaching: pl.DataFrame) -> list[pl.DataFrame]:
        """Return the events that corrects among the *reaching* ones are about, whenever they happened."""
        corrected = reaching.filter(pl.col("kind") == "correct").select(pl.col("target_id").alias("trade_id")).unique()
        if not corrected.height:
            return []
        with self._catalog.joined(corrected=corrected):
            return self._read(linked, cash, "trade_id IN (SELECT trade_id FROM corrected)")

    def _reaching_rows(self, linked: Linked) -> pl.DataFrame:
        accounts, roots = set(linked.nodes["account_id"]), set(linked.nodes["root"])
        there = set(linked.nodes.iter_rows())
        wanted = [
            n
            for reach in self._reaching.reaches
            if self._reaches(reach, there, accounts, roots)
            for n in reach.sequences
        ]
        return self._reaching.rows.filter(pl.col("sequence").is_in(wanted))

    def _reaches(self, reach: Reach, nodes: set[tuple[str, str]], accounts: set[str], roots: set[str]) -> bool:
        own = self._roots.of(reach.symbols)
        if reach.everywhere:
            return not own.isdisjoint(roots)
        if not reach.whole.isdisjoint(accounts):
            return True
        return any((account, root) in nodes for account in reach.accounts for root in own)
