"""The index of keys: a new process searches two columns of integers, one that goes on holds them in memory.

There recording one fill reads nothing but the tail of the log.
"""

import numpy as np
import polars as pl

from tradelake.store.catalog import Catalog
from tradelake.store.cold import HOT
from tradelake.store.keys import DIGEST_COLUMNS
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
    those of what was recorded since.
    """

    def __init__(self) -> None:
        self._sequence = 0
        self._searched = 0
        self._searches = 0
        self._digests = np.empty(0, dtype=np.int64)
        self._owners = np.empty(0, dtype=np.int64)
        self._tail: dict[int, list[int]] = {}

    def refresh(self, catalog: Catalog, head: int) -> None:
        """Learn of the rows of the log after the last one that is known."""
        if head <= self._sequence:
            return
        if not self._sequence and head > SEARCHED_FROM:
            self._sequence = self._searched = head
            return
        source = f"{DIGESTS} {TRADE_LOG.name}" if catalog.cold.is_empty(catalog.transaction_number) else SELECT
        rows = catalog.frame(f"{source} WHERE sequence > ? ORDER BY sequence", [self._sequence], HOT)
        self._add(rows)

    def add_own(self, rows: pl.DataFrame) -> None:
        """Take in rows that this process has just committed, where they follow what is known."""
        if rows.height and int(rows["sequence"].to_numpy().min()) == self._sequence + 1:
            self._add(rows)

    def candidates(self, catalog: Catalog, events: pl.DataFrame) -> list[int]:
        """Return the sequences of log rows that may share a key with one of the events, which have their digests."""
        if not events.height or not (self._searched or self._digests.size or self._tail):
            return []
        values = np.sort(np.concatenate([events[name].drop_nulls().to_numpy() for name in DIGEST_COLUMNS]))
        values = values[np.diff(values, prepend=-1) != 0]
        found = self._stored(catalog, values) if self._searched else []
        if self._digests.size and values.size:
            left = np.searchsorted(self._digests, values, "left")
            right = np.searchsorted(self._digests, values, "right")
            # A key has one owner but for the allocations of one execution, so the runs are short.
            for step in range(int((right - left).max(initial=0))):
                hit = left + step < right
                found.extend(self._owners[left[hit] + step].tolist())
        if self._tail:
            for value in values.tolist():
                found.extend(self._tail.get(value, ()))
        return sorted(set(found))

    def _stored(self, catalog: Catalog, values: "np.ndarray") -> list[int]:
        """Search the log that was there at first; after a few times, take it into memory instead."""
        self._searches += 1
        if self._searches > SEARCHES_MAX:
            searched, self._searched = self._searched, 0
            self._add(catalog.frame(f"{SELECT} WHERE sequence <= ?", [searched], HOT))
            return []
        with catalog.parallel(), catalog.joined(wanted_digests=pl.DataFrame({"digest": values})):
            rows = catalog.frame(
                f"SELECT sequence FROM {KEYS} WHERE sequence <= ? AND "
                "(execution_digest IN (SELECT digest FROM wanted_digests) "
                "OR trade_digest IN (SELECT digest FROM wanted_digests))",
                [self._searched],
                HOT,
            )
        return rows["sequence"].to_list()

    def _add(self, rows: pl.DataFrame) -> None:
        owners = np.concatenate([rows["sequence"].to_numpy()] * 2)
        values = np.concatenate([rows["execution_digest"].to_numpy(), rows["trade_digest"].to_numpy()])
        if values.size < SORTED_FROM:
            for value, owner in zip(values.tolist(), owners.tolist(), strict=True):
                self._tail.setdefault(value, []).append(owner)
        else:
            fresh = np.argsort(values, kind="stable")
            # Both parts are in order then, and a stable sort goes through them once.
            merged = np.concatenate([self._digests, values[fresh]])
            order = np.argsort(merged, kind="stable")
            self._digests, self._owners = merged[order], np.concatenate([self._owners, owners[fresh]])[order]
        if rows.height:
            self._sequence = max(self._sequence, int(rows["sequence"].to_numpy().max()))
