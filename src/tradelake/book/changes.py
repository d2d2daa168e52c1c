"""What has changed since a reader looked last, for services that keep a state of their own."""

from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from tradelake.book.derive import EVENT_SCHEMA, SELECT
from tradelake.book.folding import Planner
from tradelake.book.groups import FAMILY
from tradelake.book.listing import Listing
from tradelake.book.reach import REACHING_KINDS, Reaching
from tradelake.book.shelf import asked_again
from tradelake.store import Catalog, Checkpoint, References, read_standing
from tradelake.store.cold import HOT, Span
from tradelake.store.derived import no_families
from tradelake.tables import POSITIONS

# Any event may be late for what a reader has seen: how late its families go is looked up.
NOT_KNOWN = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Changes:
    """What events after a sequence have reached.

    `sequence` is the head of the log, to ask from next time. `families` are the accounts and symbols whose positions
    may have changed, one row each; `positions` are the open positions of these, as `Book.positions` gives them. A
    position of a family that is not there is closed.
    """

    sequence: int
    families: pl.DataFrame
    positions: pl.DataFrame


class ChangeReaders(Listing):
    """Everything that asks for what is new."""

    @asked_again
    def changes(self, since: int = 0) -> Changes:
        """Return what the events after the log sequence *since* have reached, with its open positions."""
        with self._catalog.transaction():
            standing = read_standing(self._catalog)
            if since >= standing.head:
                return Changes(standing.head, no_families(), self._marked(POSITIONS.empty(), None, None))
            reached = reached_since(self._catalog, self._references(standing.import_run_id), since)
            families = reached.filter(pl.col("symbol") != "")
            positions = self._rows(POSITIONS).join(families, on=FAMILY, how="semi", maintain_order="left")
            positions = self._marked(positions, None, None)
        return Changes(standing.head, families, positions)


def reached_since(catalog: Catalog, references: References, since: int) -> pl.DataFrame:
    """Return the families that events after a log sequence reach; the caller holds a transaction."""
    tail = catalog.frame(f"{SELECT} WHERE sequence > ? ORDER BY sequence", [since], Span(after=since))
    reaching = Reaching(EVENT_SCHEMA)
    kinds = ", ".join(f"'{kind}'" for kind in REACHING_KINDS)
    told = catalog.frame(f"{SELECT} WHERE kind IN ({kinds}) ORDER BY sequence", span=HOT)
    reaching.add(told, references.instruments, reached=int(tail["sequence"].to_list()[-1]))
    return Planner(catalog, references, reaching, tail, Checkpoint(since, NOT_KNOWN)).touched_families()
