"""Which of the lots that one exercise or assignment opened a slice was taken from.

Every lot of the option becomes a lot of shares, so that one event opens several, and a match names only the event.
Where the account closes first in, first out, slices leave these lots in their order: the first lot is used up before
the second is touched, also where a closing names the event. How large they were says what was taken of the option: its
matches are in the same order, and each contract delivers the same number of shares. Where any of this is not so, or the
sums do not agree, nothing is said.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import polars as pl

from tradelake.units import QUANTITY_SCALE, to_units

RANKS = {"match_id": pl.String, "lot_rank": pl.Int64}
ORDER = ("closed_at", "close_sequence", "match_rank")
Row = dict[str, Any]


def ranks_of(made: pl.DataFrame, taken: pl.DataFrame, lots: pl.DataFrame) -> pl.DataFrame:
    """Return match_id and lot_rank of slices of lots that exercises and assignments opened, where that is known.

    Rows of matches: `made` those of the events, `taken` all slices of what they opened; `lots` are what is left.
    """
    contracts, slices, left = _by(made, "close_sequence"), _by(taken, "open_sequence"), _by(lots, "open_sequence")
    found = list[tuple[str, int]]()
    for event, own in slices.items():
        found += _ranks(contracts.get(event, []), own, left.get(event, []))
    return pl.DataFrame(found, schema=RANKS, orient="row")


def _by(rows: pl.DataFrame, column: str) -> dict[int, list[Row]]:
    groups = defaultdict[int, list[Row]](list)
    for row in rows.iter_rows(named=True):
        groups[row[column]].append(row)
    return groups


def _ranks(contracts: Sequence[Row], slices: Sequence[Row], left: Sequence[Row]) -> list[tuple[str, int]]:
    """Return the ranks of the slices of one event, or nothing."""
    if len({row["position_id"] for row in (*slices, *left)}) != 1:
        return []
    # What closed shares as well, before it opened any, has fewer lots than it took of the option.
    shares = slices[0]["instrument_id"]
    if (
        not contracts
        or len({row["instrument_id"] for row in contracts}) != 1
        or contracts[0]["instrument_id"] == shares
    ):
        return []
    if len({row["closed_at"] for row in slices}) != len({row["close_sequence"] for row in slices}):
        return []
    sizes = _sizes(contracts, sum(_units(row) for row in (*slices, *left)))
    found, rank = [], 0
    for row in sorted(slices, key=lambda row: tuple(row[name] for name in ORDER)):
        while rank < len(sizes) and not sizes[rank]:
            rank += 1
        if rank == len(sizes) or _units(row) > sizes[rank]:
            return []
        sizes[rank] -= _units(row)
        found.append((row["match_id"], rank))
    agreed = {number: size for number, size in enumerate(sizes) if size} == {
        row["lot_rank"]: _units(row) for row in left
    }
    return found if agreed else []


def _sizes(contracts: Sequence[Row], shares: int) -> list[int]:
    """Return what each lot of the option has become; empty where the shares cannot be divided so."""
    units = [_units(row) for row in sorted(contracts, key=lambda row: row["match_rank"])]
    if any(shares * count % sum(units) for count in units):
        return []
    return [shares * count // sum(units) for count in units]


def _units(row: Row) -> int:
    return abs(to_units(row["quantity"], QUANTITY_SCALE))
