"""A part of the log that is too long to be derived at once, one stretch of time after the other.

Problem. The busiest account and symbol, and what transfers or forks have linked, is one part however much has happened
there, and what it takes to derive it grows with that.

Decision. Its events are read stretch by stretch. Each goes on from the lots and positions that the one before has
left, as a fold goes on from a checkpoint, and from what these positions had realized: the sums, not the matches. What a
stretch has closed is final. So memory holds the events of a stretch and what is open, however long the log is.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import polars as pl

from tradelake.book.derive import Stand, derive
from tradelake.book.linked import ALL_TIME, Linked, Stretch
from tradelake.book.start import Start
from tradelake.positions import NOTHING_REALIZED, REALIZED
from tradelake.store import Catalog, Derived, References
from tradelake.store.closing import read_closing
from tradelake.store.fold import family_events
from tradelake.tables import LOTS, POSITIONS, TRADE_LOG

DAYS = f"SELECT date_trunc('day', executed_at) AS day, count(*) AS events FROM {TRADE_LOG.name}"
AMOUNTS = [name for name in REALIZED if name not in ("position_id", "how")]


def stretches_of(catalog: Catalog, linked: Linked, events: int, most: int) -> list[Stretch]:
    """Return stretches of about equally many events, at *most* so many where whole days allow that."""
    count = -(-events // most)
    if count < 2:
        return [ALL_TIME]
    days = family_events(catalog, linked.families, DAYS, "TRUE GROUP BY ALL").sort("day")
    closing = read_closing(catalog)
    if closing is not None:
        # What happened up to the closing of a book is in its closing.
        days = days.filter(pl.col("day") > closing.until)
    before = (pl.col("events").cum_sum() - pl.col("events")) * count // pl.col("events").sum()
    firsts = days.with_columns(before.alias("stretch")).unique("stretch", keep="first", maintain_order=True)
    return [Stretch(*bounds) for bounds in pairwise([None, *firsts["day"].to_list()[1:], None])]


class GoingOn:
    """Derives the stretches of one part in their order."""

    def __init__(self, references: References, families: pl.DataFrame) -> None:
        self._references = references
        self._families = families
        self._start: Start | None = None
        self._lots, self._positions = LOTS.empty(), POSITIONS.empty()
        self._realized = NOTHING_REALIZED

    def first(self, run: Callable[[], Stand], *, last: bool) -> Derived:
        """Return what the first stretch gives; where it is not the *last*, what is open goes on to the next one."""
        return self._taken(run(), last=last)

    def then(self, events: pl.DataFrame, *, last: bool) -> Derived:
        """Return what the events of the next stretch give, which are in effect."""
        if self._start is None:
            raise RuntimeError("no stretch was derived before")
        run = derive(
            self._references,
            events,
            start=self._start,
            families=self._families,
            lots=self._lots,
            positions=self._positions,
            prior=lambda _: self._realized,
        )
        return self._taken(run, last=last)

    def _taken(self, stand: Stand, *, last: bool) -> Derived:
        derived = stand.derived
        if last:
            return derived
        self._start, self._lots, self._positions = stand.end, derived.lots, derived.positions
        realized = pl.concat([self._realized, derived.matches.select(REALIZED)])
        held = realized.join(derived.positions, on="position_id", how="semi")
        self._realized = held.group_by("position_id", "how").agg(pl.col(AMOUNTS).sum()).select(REALIZED)
        return replace(derived, lots=LOTS.empty(), positions=POSITIONS.empty())
