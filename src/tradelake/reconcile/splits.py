"""Positions that differ by a split: one that is in the book twice, or that the broker has not booked yet."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from tradelake.reconcile.causes import Explaining, Root
from tradelake.reconcile.circumstances import Part, Row, Split
from tradelake.reconcile.proposals import cancels

WINDOW = timedelta(days=7)
TWICE = "The split {} is in the book twice: also as {}."
EARLY = "The split {} is in the book, and not yet in the broker's position."


def stale_split(
    ours: Decimal | None, theirs: Decimal | None, splits: Iterable[Split], instrument_id: str | None, as_of: datetime
) -> Split | None:
    """Return the split of an instrument within the 7 days up to *as_of* by which ours is the broker's quantity."""
    for split in splits:
        recent = as_of - WINDOW <= split.executed_at <= as_of
        if split.instrument_id == instrument_id and recent and _times(theirs, split.ratio) == Fraction(ours or 0):
            return split
    return None


def _times(quantity: Decimal | None, ratio: Fraction) -> Fraction:
    return Fraction(quantity or 0) * ratio


def doubled(splits: Iterable[Split], instrument_id: str | None) -> tuple[Split, Split] | None:
    """Return two splits of an instrument with one ratio within 7 days of each other, the earlier one first."""
    own = sorted((s for s in splits if s.instrument_id == instrument_id), key=lambda split: split.executed_at)
    for earlier, later in pairwise(own):
        if earlier.ratio == later.ratio and later.executed_at - earlier.executed_at <= WINDOW:
            return earlier, later
    return None


def of_splits(explaining: Explaining) -> None:
    """Find the positions that differ by a split."""
    circumstances = explaining.circumstances
    suspects = {}
    for each in explaining.in_section("positions"):
        twice = doubled(circumstances.splits, each.instrument_id)
        if twice is not None:
            suspects[each.key] = (each, twice[0], twice[1], _cancel(twice[1]))
    gone = explaining.gone([row for *_, rows in suspects.values() for row in rows])
    found = []
    for each, earlier, later, rows in suspects.values():
        if each in gone or _times(each.theirs, later.ratio) == Fraction(each.ours or 0):
            difference = replace(each, break_class="stale_split", cause=TWICE.format(later.text, earlier.text))
            found.append(explaining.found(Root(difference, rows)))
            explaining.believe(rows)
    explaining.follow(gone, found)
    for root in found:
        explaining.under(root, [root.difference.name])
    for each in explaining.in_section("positions"):
        split = stale_split(each.ours, each.theirs, circumstances.splits, each.instrument_id, circumstances.as_of)
        if split is not None:
            cause = EARLY.format(split.text)
            root = explaining.found(Root(replace(each, break_class="stale_split", cause=cause)))
            explaining.under(root, [each.name])


def _cancel(split: Split) -> tuple[Row, ...]:
    part = Part(split.trade_id, split.leg_id, None, None, Decimal(0), Decimal(0))
    return cancels([part], split.executed_at.isoformat())
