"""Rolls: an option bought back, and the same option sold again at another strike or date, or the other way round.

A closing by trade and an opening by trade of another contract belong together where symbol, right and side are the
same, and they were made on one order or within a window of time, whichever came first.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import polars as pl

COLUMNS = ("symbol", "option_type", "side", "instrument_id", "episode", "executed_at", "order_id", "broker_order_id")
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Fill:
    """One opening or closing of an option by a trade."""

    group: Key
    instrument_id: str
    episode: int
    at: datetime
    orders: tuple[Key, ...]


def option_fills(touches: pl.DataFrame, keys: Sequence[str]) -> tuple[list[Fill], list[Fill]]:
    """Return the closings and the openings of options by trades, in order of time; *keys* keep groups apart."""
    options = touches.filter((pl.col("asset_type") == "OPTION") & (pl.col("kind") == "trade"))
    options = options.sort("executed_at", "episode")
    closed = options.filter(~pl.col("opened") & (pl.col("how") == "trade"))
    opened = options.filter("opened")
    closings, openings = (
        [_fill(row, len(keys)) for row in rows.select(*keys, *COLUMNS).iter_rows()] for rows in (closed, opened)
    )
    return closings, openings


def _fill(row: Key, keys: int) -> Fill:
    *_, instrument, episode, at, order, broker_order = row
    group = row[: keys + 3]
    named = (("order", order), ("broker", broker_order))
    return Fill(group, instrument, episode, at, tuple((group, *name) for name in named if name[1] is not None))


def roll_links(closings: Iterable[Fill], openings: Iterable[Fill], window: timedelta) -> Iterator[tuple[int, int]]:
    """Yield pairs of episodes that a roll within the window links; one order links its episodes anyway.

    What two closings of one contract both reach is yielded once, so that the work grows with the fills and not with
    their square.
    """
    timelines = _timelines(openings)
    linked: dict[tuple[Key, str], int] = {}
    for closing in closings:
        timeline = timelines.get(closing.group)
        if timeline is None:
            continue
        first, end = timeline.reach(closing, window)
        key = (closing.group, closing.instrument_id)
        if first < end:
            yield closing.episode, timeline.fills[first].episode
        for number in range(max(first + 1, linked.get(key, 0)), end):
            if timeline.fills[number].instrument_id != closing.instrument_id:
                yield closing.episode, timeline.fills[number].episode
        linked[key] = end


def rolls_of(closings: Iterable[Fill], openings: Sequence[Fill], window: timedelta) -> dict[int, int]:
    """Return how often each chain was rolled; the first key of the fills' groups is the chain.

    Fills of one order, or within the window of the one before, are one roll: two legs, or many small fills.
    """
    timelines = _timelines(openings)
    on_orders: dict[Key, set[str]] = defaultdict(set)
    for opening in openings:
        for order in opening.orders:
            on_orders[order].add(opening.instrument_id)
    counts: dict[int, int] = defaultdict(int)
    latest: dict[int, datetime] = {}
    seen: set[Key] = set()
    for closing in closings:
        own = {closing.instrument_id}
        on_order = any(on_orders[order] - own for order in closing.orders if order in on_orders)
        timeline = timelines.get(closing.group)
        first, end = timeline.reach(closing, window) if timeline else (0, 0)
        if not on_order and first >= end:
            continue
        chain = closing.group[0]
        orders = {(chain, *order[1:]) for order in closing.orders}
        if (chain not in latest or closing.at - latest[chain] > window) and not orders & seen:
            counts[chain] += 1
        latest[chain] = closing.at
        seen |= orders
    return counts


@dataclass(frozen=True, slots=True)
class _Timeline:
    """The openings of one group in order of time; `other` is the number of the next one of another contract."""

    fills: list[Fill]
    times: list[datetime]
    other: list[int]

    def reach(self, closing: Fill, window: timedelta) -> tuple[int, int]:
        """Return the first opening of another contract within the window of a closing, and where the window ends."""
        first = bisect_left(self.times, closing.at - window)
        end = bisect_right(self.times, closing.at + window)
        if first < end and self.fills[first].instrument_id == closing.instrument_id:
            first = self.other[first]
        return first, end


def _timelines(openings: Iterable[Fill]) -> dict[Key, _Timeline]:
    groups: dict[Key, list[Fill]] = defaultdict(list)
    for opening in openings:
        groups[opening.group].append(opening)
    timelines = {}
    for group, fills in groups.items():
        other = [len(fills)] * len(fills)
        for number in range(len(fills) - 2, -1, -1):
            same = fills[number].instrument_id == fills[number + 1].instrument_id
            other[number] = other[number + 1] if same else number + 1
        timelines[group] = _Timeline(fills, [fill.at for fill in fills], other)
    return timelines
