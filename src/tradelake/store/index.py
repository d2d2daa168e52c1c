"""The index of keys: a new process searches two columns of integers, one that goes on holds them in memory.

There recording one fill reads nothing but the tail of the log. The checksums of the log have 32 bits, so that of a
million events some have that of another key; what this process records itself it knows by 64 bits, and a long import
asks the log for nothing that is not there.
"""

import numpy as np
import polars as pl

from tradelake.store.catalog import Catalog
from tradelake.store.cold import HOT
from tradelake.store.keys import DIGEST_COLUMNS, Integers, key_hashes, trade_numbers
from tradelake.tables import ARCHIVED_KEYS, TRADE_LOG

DIGESTS = f"SELECT sequence, {', '.join(DIGEST_COLUMNS)} FROM"
KEYS = f"({DIGESTS} {TRADE_LOG.name} UNION ALL {DIGESTS} {ARCHIVED_KEYS.name})"
SELECT = f"{DIGESTS} {KEYS}"
# A shorter log is read at once; a longer one is searched so often before it is.
SEARCHED_FROM = 20_000
SEARCHES_MAX = 3
SORTED_FROM = 10_000


class KeyIndex:
    """What finds the deliveries of the log that may share a key with an event.

    A process that asks a few times has the log searched by its digests. One that goes on keeps them in memory, with
    the hashes of what it has recorded since.
    """

    def __init__(self) -> None:
        self._sequence = 0
        self._searched = 0
        self._searches = 0
        self._read = tuple(_Numbers() for _ in DIGEST_COLUMNS)
        self._own = tuple(_Numbers() for _ in DIGEST_COLUMNS)

    def refresh(self, catalog: Catalog, head: int) -> None:
        """Learn of the rows of the log after the last one that is known."""
        if head <= self._sequence:
            return
        if not self._sequence and head > SEARCHED_FROM:
            self._sequence = self._searched = head
            return
        source = f"{DIGESTS} {TRADE_LOG.name}" if catalog.cold.is_empty(catalog.transaction_number) else SELECT
        rows = catalog.frame(f"{source} WHERE sequence > ? ORDER BY sequence", [self._sequence], HOT)
        self._add(self._read, rows, rows.select(DIGEST_COLUMNS))

    def add_own(self, rows: pl.DataFrame) -> None:
        """Take in rows that this process has just committed, where they follow what is known."""
        if rows.height and int(rows["sequence"].to_numpy().min()) == self._sequence + 1:
            self._add(self._own, rows, key_hashes(rows))

    def candidates(self, catalog: Catalog, events: pl.DataFrame) -> list[int]:
        """Return the sequences of log rows that may share a key with one of the events, which have their digests."""
        if not events.height:
            return []
        found = set[int]()
        digests = {name: _distinct(events[name]) for name in DIGEST_COLUMNS}
        if self._searched:
            found.update(self._stored(catalog, digests))
        for numbers, values in zip(self._read, digests.values(), strict=True):
            found.update(numbers.owners_of(values))
        if any(numbers.height for numbers in self._own):
            for numbers, hashes in zip(self._own, key_hashes(events), strict=True):
                found.update(numbers.owners_of(_distinct(hashes)))
        return sorted(found)

    def named(self, catalog: Catalog, names: pl.DataFrame) -> list[int]:
        """Return the sequences of log rows that may have one of some names: trade_id and leg_id."""
        digests, hashes = map(_distinct, trade_numbers(names))
        found = set[int]()
        if self._searched:
            found.update(self._stored(catalog, {DIGEST_COLUMNS[1]: digests}))
        found.update(self._read[1].owners_of(digests), self._own[1].owners_of(hashes))
        return sorted(found)

    def _stored(self, catalog: Catalog, digests: dict[str, Integers]) -> list[int]:
        """Search the log that was there at first; after a few times, take it into memory instead."""
        self._searches += 1
        if self._searches > SEARCHES_MAX:
            searched, self._searched = self._searched, 0
            rows = catalog.frame(f"{SELECT} WHERE sequence <= ?", [searched], HOT)
            self._add(self._read, rows, rows.select(DIGEST_COLUMNS))
            return []
        frames = {f"wanted_{name}": pl.DataFrame({name: values}) for name, values in digests.items()}
        hit = " OR ".join(f"{name} IN (SELECT {name} FROM wanted_{name})" for name in digests)
        with catalog.parallel(), catalog.joined(**frames):
            rows = catalog.frame(f"SELECT sequence FROM {KEYS} WHERE sequence <= ? AND ({hit})", [self._searched], HOT)
        return rows["sequence"].to_list()

    def _add(self, known: "tuple[_Numbers, ...]", rows: pl.DataFrame, columns: pl.DataFrame) -> None:
        owners = rows["sequence"].to_numpy()
        for numbers, values in zip(known, columns, strict=True):
            numbers.add(values, owners)
        if rows.height:
            self._sequence = max(self._sequence, int(owners.max()))


class _Numbers:
    """Numbers of keys, each with the sequence of the row that has it: most of them sorted, the last ones not yet."""

    def __init__(self) -> None:
        self.height = 0
        self._sorted = np.empty(0, dtype=np.int64)
        self._owners = np.empty(0, dtype=np.int64)
        self._tail: dict[int, list[int]] = {}

    def add(self, values: pl.Series, owners: Integers) -> None:
        there = values.is_not_null().to_numpy()
        numbers, owners = values.drop_nulls().to_numpy(), owners[there]
        self.height += numbers.size
        if numbers.size < SORTED_FROM:
            for value, owner in zip(numbers.tolist(), owners.tolist(), strict=True):
                self._tail.setdefault(value, []).append(owner)
            return
        fresh = np.argsort(numbers, kind="stable")
        # Both parts are in order then, and a stable sort goes through them once.
        merged = np.concatenate([self._sorted, numbers[fresh]])
        order = np.argsort(merged, kind="stable")
        self._sorted, self._owners = merged[order], np.concatenate([self._owners, owners[fresh]])[order]

    def owners_of(self, values: Integers) -> list[int]:
        """Return the sequences of the rows that have one of some distinct numbers, which are in order."""
        found: list[int] = []
        if self._sorted.size and values.size:
            left = np.searchsorted(self._sorted, values, "left")
            right = np.searchsorted(self._sorted, values, "right")
            # A key has one owner but for the allocations of one execution, so the runs are short.
            for step in range(int((right - left).max(initial=0))):
                hit = left + step < right
                found.extend(self._owners[left[hit] + step].tolist())
        if self._tail:
            for value in values.tolist():
                found.extend(self._tail.get(value, ()))
        return found


def _distinct(values: pl.Series) -> Integers:
    """Return the numbers of a column in order, each once."""
    numbers = np.sort(values.drop_nulls().to_numpy())
    return numbers[np.diff(numbers, prepend=numbers[0] - 1) != 0] if numbers.size else numbers
