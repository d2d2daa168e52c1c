"""What readers and writers of a book share: the catalog, the index of keys, the folded tail, the clock."""

from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl

from tradelake.book.derive import Tail, fold_tail
from tradelake.store import Appended, Catalog, KeyIndex, References, read_checkpoint
from tradelake.tables import HEAD, Table

FAMILY = ["account_id", "symbol"]
Progress = Callable[[str, int, int], None]


def now() -> datetime:
    """Read the clock: the only place that does."""
    return datetime.now(UTC)


def no_progress(stage: str, done: int, total: int) -> None:
    """Report progress to nobody."""


class Shelf:
    """An open catalog with what is remembered between calls."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._index = KeyIndex()
        self._tail: Tail | None = None
        self._known: References | None = None
        self._checkpoint_sequence = 0

    @property
    def version(self) -> int:
        """The newest commit of the catalog."""
        return self._catalog.version()

    def _references(self, import_run_id: int | None = None) -> References:
        """Return the reference tables; they change with commits only, so those of the last commit are remembered."""
        run = import_run_id
        if run is None:
            run = int(self._catalog.frame(f"SELECT import_run_id FROM {HEAD.name}")["import_run_id"][0])
        if self._known is None or self._known.import_run_id != run:
            self._known = References.read(self._catalog, run)
        return self._known

    def _remember(self, appended: Appended) -> None:
        """Take over what this process has just committed, so that the next call need not read it again."""
        if appended.import_run_id is None:
            return
        self._index.add_own(appended.rows)
        if self._known is not None and self._known.import_run_id == appended.import_run_id - 1:
            self._known = self._known.with_new(appended.batch, appended.import_run_id)

    def _folded(self) -> Tail:
        """Return the tail folded over the checkpoint; the caller holds a transaction."""
        head, checkpoint = read_checkpoint(self._catalog)
        self._checkpoint_sequence = checkpoint.sequence
        known = self._tail
        if known is None or known.head != head or known.checkpoint != checkpoint:
            self._tail = known = fold_tail(self._catalog, head, checkpoint, self._references())
        return known

    def _rows(
        self, table: Table, where: str = "", values: list[object] | None = None, keep: pl.Expr | None = None
    ) -> pl.DataFrame:
        """Return the rows of a derived table at the head, in its order: the checkpoint's and the tail's.

        `where` restricts the former, `keep` the latter; both say the same.
        """
        folded = self._folded()
        derived = folded.derived
        # A book that was never folded has nothing stored, and need not be asked.
        stored = table.empty()
        if folded.checkpoint.sequence:
            stored = self._catalog.frame(f"SELECT * FROM {table.name}{where}", values)
        void = derived.dropped(table)
        if void.height:
            stored = stored.join(void, on=FAMILY, how="anti")
        fresh = derived.rows(table)
        if keep is not None:
            fresh = fresh.filter(keep)
        return pl.concat([table.conform(stored), fresh]).sort(*table.sort, *table.key)
