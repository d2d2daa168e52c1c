"""What readers and writers of a book share: the catalog, the index of keys, the folded tail, the clock."""

import getpass
import socket
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import polars as pl

from tradelake.book.effective import Cured, read_cured, states
from tradelake.book.read import Instant, instant_of, where
from tradelake.book.tail import Tail, TailFold
from tradelake.store import Appended, Applied, Batch, Catalog, Head, KeyIndex, References, Standing, read_standing
from tradelake.store.lost import ServerLost
from tradelake.tables import INCOMING, MARKS, RECORDS, Table

Owner = TypeVar("Owner", bound="Shelf")
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def now() -> datetime:
    """Read the clock: the only place that does."""
    return datetime.now(UTC)


@cache
def author() -> str:
    """Return the name of the user who records."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def applied_now() -> Applied:
    """Return who makes a book or brings it to a later format now."""
    return Applied(author=author(), host=socket.gethostname(), at=now().isoformat())


def facts_batch(
    source: str, facts: Mapping[str, pl.DataFrame], *, reason: str | None = None, file_name: str | None = None
) -> Batch:
    """Return a delivery of facts alone, by who records now: rows of tables that only grow, by their names."""
    return Batch(
        events=INCOMING.empty(),
        records=RECORDS.empty(),
        source=source,
        author=author(),
        host=socket.gethostname(),
        recorded_at=now(),
        file_name=file_name,
        reason=reason,
        facts=facts,
    )


def asked_again(
    action: Callable[Concatenate[Owner, Parameters], Result],
) -> Callable[Concatenate[Owner, Parameters], Result]:
    """Let a reader, or a writer that may run twice, run again as a whole where the server of the catalog was lost."""

    @wraps(action)
    def whole(self: Owner, /, *args: Parameters.args, **named: Parameters.kwargs) -> Result:
        return self._again(lambda: action(self, *args, **named))

    return whole


class Shelf:
    """An open catalog with what is remembered between calls."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._index = KeyIndex()
        self._tail = TailFold(catalog)
        self._known: References | None = None
        self._head: Head | None = None
        self._checkpoint_sequence = 0
        self._stood: tuple[int, Standing] | None = None
        self._prices: tuple[int, pl.DataFrame] | None = None
        self._found: tuple[int, dict[str, Any]] = -1, {}

    def _again(self, action: Callable[[], Result]) -> Result:
        def once() -> Result:
            try:
                return action()
            except ServerLost:
                # What was read in part is not to be gone on with.
                self._tail, self._index = TailFold(self._catalog), KeyIndex()
                self._known = self._head = self._stood = self._prices = None
                self._found = -1, {}
                raise

        return self._catalog.again(once)

    @property
    def version(self) -> int:
        """The newest commit of the catalog."""
        return self._catalog.version()

    def _references(self, import_run_id: int) -> References:
        """Return the reference tables; they change with commits only, so those of the last commit are remembered."""
        if self._known is None or self._known.import_run_id != import_run_id:
            self._known = References.read(self._catalog, import_run_id)
        return self._known

    def _remember(self, appended: Appended) -> None:
        """Take over what this process has just committed, so that the next call need not read it again."""
        self._head = appended.head
        if not appended.written:
            return
        run = appended.head.import_run_id
        if self._prices is not None and self._prices[0] == run - 1 and MARKS.name not in appended.batch.facts:
            self._prices = run, self._prices[1]
        self._index.add_own(appended.rows)
        self._tail.remember(appended.rows)
        if self._known is not None and self._known.import_run_id == appended.head.import_run_id - 1:
            self._known = self._known.with_new(appended.batch, appended.head.import_run_id)

    def _cured(self, as_known: Instant) -> Cured:
        """Return what the cures known by an instant have made of their targets; the caller holds a transaction."""
        instruments = self._references(self._standing().import_run_id).instruments
        if as_known is not None:
            return read_cured(self._catalog, instruments, as_known=instant_of(as_known))
        return self._once("cured", lambda: read_cured(self._catalog, instruments))

    def _states(self, as_known: Instant) -> pl.DataFrame:
        """Return the events that the cures known by an instant are about; the caller holds a transaction."""
        if as_known is not None:
            return states(self._catalog, as_known=instant_of(as_known))
        return self._once("states", lambda: states(self._catalog))

    def _once(self, name: str, read: Callable[[], Result]) -> Result:
        """Return what was looked for in the whole log: it changes with commits only. The caller holds a transaction."""
        run = self._standing().import_run_id
        if self._found[0] != run:
            self._found = run, {}
        found: dict[str, Result] = self._found[1]
        if name not in found:
            found[name] = read()
        return found[name]

    def _folded(self) -> Tail:
        """Return the tail folded over the checkpoint; the caller holds a transaction."""
        standing = self._standing()
        self._checkpoint_sequence = standing.checkpoint.sequence
        with self._catalog.cold.including():
            # Lots whose openings are archived are as right as others, and never ask for a book with its archive.
            return self._tail.fold(standing, self._references(standing.import_run_id))

    def _standing(self) -> Standing:
        """Return where the book stands; the caller holds a transaction, in which that is read once."""
        if self._stood is None or self._stood[0] != self._catalog.begun:
            self._stood = self._catalog.begun, read_standing(self._catalog)
        return self._stood[1]

    def _rows(
        self,
        table: Table,
        texts: Sequence[str] = (),
        values: list[object] | None = None,
        keep: pl.Expr | None = None,
        columns: Sequence[str] | None = None,
    ) -> pl.DataFrame:
        """Return the rows of a derived table at the head: the checkpoint's and the tail's.

        All columns come in the order of the table; of some `columns` the order is that of the rows in the store.

        The conditions `texts` restrict the former, `keep` the latter; both say the same.
        """
        folded = self._folded()
        derived = folded.derived
        schema = pl.Schema({name: table.schema[name] for name in columns or table.names})
        # A book that was never folded has nothing stored, and need not be asked.
        stored = pl.DataFrame(schema=schema)
        void = derived.void(table)
        if folded.standing.checkpoint.sequence:
            names = ", ".join(dict.fromkeys((*schema, *void.columns))) if columns else "*"
            stored = void.without(self._catalog.frame(f"SELECT {names} FROM {table.name}{where(texts)}", values))
        fresh = derived.rows(table)
        if keep is not None:
            fresh = fresh.filter(keep)
        if columns:
            return pl.concat([stored.select(schema.names()).cast(schema), fresh.select(schema.names())])
        return pl.concat([table.conform(stored), fresh]).sort(*table.sort, *table.key)
