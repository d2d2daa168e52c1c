"""The tail: events after the checkpoint, folded over it in memory.

What a process has committed or read itself is remembered, so that a fill and the positions after it cost one small
query. A fold starts from the open lots and positions of the touched families, or from their first event where
something arrived late.
"""

from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from tradelake.book.derive import EVENT_COLUMNS, FAMILY, derive, linked_families
from tradelake.errors import InvariantError
from tradelake.store import Catalog, Checkpoint, Derived, References, Standing
from tradelake.store.fold import family_events, family_rows, latest_of_families, no_families
from tradelake.tables import LOTS, MATCHES, POSITIONS, TRADE_LOG

EVENTS = TRADE_LOG.empty().select(EVENT_COLUMNS)


@dataclass(frozen=True, slots=True)
class Tail:
    """The derived tables brought to the head: `standing` is where that was, `reached` the checkpoint it would be."""

    standing: Standing
    reached: Checkpoint
    derived: Derived


@dataclass(frozen=True, slots=True)
class _Carried:
    """Open lots and positions of some families at the checkpoint, and the matches of those positions."""

    families: pl.DataFrame = field(default_factory=no_families)
    lots: pl.DataFrame = field(default_factory=LOTS.empty)
    positions: pl.DataFrame = field(default_factory=POSITIONS.empty)
    matches: pl.DataFrame = field(default_factory=MATCHES.empty)


class TailFold:
    """Folds the tail of one book, and remembers what it read for as long as the checkpoint stays."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._checkpoint: Checkpoint | None = None
        self._events = EVENTS
        self._carried = _Carried()
        self._last: Tail | None = None

    def remember(self, rows: pl.DataFrame) -> None:
        """Take over rows that this process has just committed, where they follow what is known."""
        if self._checkpoint is None or not rows.height:
            return
        if rows["sequence"].to_list()[0] == self._reached() + 1:
            self._events = pl.concat([self._events, rows.select(EVENT_COLUMNS)])

    def fold(self, standing: Standing, references: References) -> Tail:
        """Return the tail folded over the checkpoint; nothing is written. The caller holds a transaction."""
        if self._last is not None and self._last.standing == standing:
            return self._last
        self._read(standing)
        self._last = self._fold(standing, references)
        return self._last

    def _reached(self) -> int:
        known = self._checkpoint.sequence if self._checkpoint is not None else 0
        return known if not self._events.height else int(self._events["sequence"].to_numpy()[-1])

    def _read(self, standing: Standing) -> None:
        if self._checkpoint != standing.checkpoint or self._reached() > standing.head:
            self._checkpoint, self._events, self._carried = standing.checkpoint, EVENTS, _Carried()
        if self._reached() < standing.head:
            more = self._catalog.frame(
                f"SELECT {', '.join(EVENT_COLUMNS)} FROM {TRADE_LOG.name} WHERE sequence > ? ORDER BY sequence",
                [self._reached()],
            )
            self._events = pl.concat([self._events, more])

    def _fold(self, standing: Standing, references: References) -> Tail:
        checkpoint = standing.checkpoint
        traded = self._events.filter(pl.col("kind") != "cash")
        if not traded.height:
            return Tail(standing, Checkpoint(standing.head, checkpoint.latest_at), Derived())
        firsts = traded.group_by(FAMILY).agg(pl.col("executed_at").min().alias("first_at"))
        resumed, replayed = self._split(linked_families(references.instruments, firsts), checkpoint)
        events = traded.join(resumed, on=FAMILY, how="semi")
        if replayed.height:
            past = family_events(self._catalog, replayed, ", ".join(EVENT_COLUMNS))
            events = pl.concat([events, past.filter(pl.col("kind") != "cash")])
        carried = self._carry(resumed, checkpoint)
        derived = derive(
            references,
            events,
            lots=carried.lots.join(resumed, on=FAMILY, how="semi"),
            positions=carried.positions.join(resumed, on=FAMILY, how="semi"),
            prior=carried.matches.join(resumed, on=FAMILY, how="semi"),
            resumed=resumed,
            replayed=replayed,
        )
        reached = Checkpoint(standing.head, max(checkpoint.latest_at, _latest(traded)))
        return Tail(standing, reached, derived)

    def _split(self, firsts: pl.DataFrame, checkpoint: Checkpoint) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the families to resume and those to replay, because something in them arrived late."""
        families = firsts.select(FAMILY)
        earliest = firsts["first_at"].min()
        if isinstance(earliest, datetime) and earliest > checkpoint.latest_at:
            return families, no_families()
        latest = latest_of_families(self._catalog, families, checkpoint.sequence)
        overtaken = firsts.join(latest, on=FAMILY).filter(pl.col("first_at") <= pl.col("latest_at"))
        late = firsts.join(overtaken, on=["account_id", "root"], how="semi").select(FAMILY)
        return families.join(late, on=FAMILY, how="anti"), late

    def _carry(self, families: pl.DataFrame, checkpoint: Checkpoint) -> _Carried:
        """Return what is carried into the fold; families that were read before are not read again."""
        missing = families.join(self._carried.families, on=FAMILY, how="anti")
        if missing.height and checkpoint.sequence:
            lots, positions = (family_rows(self._catalog, table, missing) for table in (LOTS, POSITIONS))
            matches = MATCHES.empty()
            if positions.height:
                matches = family_rows(self._catalog, MATCHES, missing).join(positions, on="position_id", how="semi")
            known = self._carried
            self._carried = _Carried(
                pl.concat([known.families, missing]),
                pl.concat([known.lots, LOTS.conform(lots)]),
                pl.concat([known.positions, POSITIONS.conform(positions)]),
                pl.concat([known.matches, MATCHES.conform(matches)]),
            )
        return self._carried


def _latest(events: pl.DataFrame) -> datetime:
    latest = events["executed_at"].max()
    if not isinstance(latest, datetime):
        raise InvariantError("events without an effective time")
    return latest
