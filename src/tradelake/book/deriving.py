"""What keeps the derived tables: the fold that brings them to the head, and the rebuild that proves them."""

import time
from dataclasses import replace

from tradelake.book.checking import differences
from tradelake.book.closing import derive_all
from tradelake.book.derive import latest_event
from tradelake.book.past import PastReaders
from tradelake.book.receipt import RebuildReport, Receipt
from tradelake.book.shelf import Progress, asked_again, no_progress
from tradelake.book.tail import TailFold
from tradelake.errors import ReadOnlyError, TradelakeError
from tradelake.store import read_standing, replace_derived
from tradelake.store.closing import closed_until
from tradelake.tables import DERIVED_TABLES, TRADE_LOG

FOLD_AFTER = 2_000
UNFOLDED = (
    "All of it is recorded; only the stored positions could not be brought up to it. The next fold does that, and "
    "readers see it meanwhile. What went wrong: {}"
)

ARCHIVED = "{:,} of the events are archived and were read from cold storage; their months: {:,}"
CLOSED = (
    "events up to {} were deleted when their retention was over: the rebuild began with the closing of that instant"
)


class Derivers(PastReaders):
    """Everything that writes what follows from the log."""

    def _writable(self) -> None:
        if self._catalog.read_only:
            raise ReadOnlyError("The book was opened read only. Open it without read_only to write.")

    def _fold_when_long(self, receipt: Receipt) -> Receipt:
        """Fold when the tail has grown past its bound; the checkpoint only ever moves forward.

        The events of the receipt are recorded by then: where the fold fails, the receipt says so and is given all the
        same.
        """
        head = receipt.sequence
        if head - self._checkpoint_sequence < FOLD_AFTER:
            return receipt
        try:
            checkpoint = read_standing(self._catalog).checkpoint
            self._checkpoint_sequence = checkpoint.sequence
            if head - checkpoint.sequence >= FOLD_AFTER:
                self.fold()
        except TradelakeError as error:
            self._tail = TailFold(self._catalog)
            return replace(receipt, warnings=(*receipt.warnings, UNFOLDED.format(error)))
        return receipt

    @asked_again
    def fold(self) -> int:
        """Bring the checkpoint of the derived tables to the head of the log; return its sequence."""
        self._writable()
        with (
            self._catalog.lease.hold(),
            self._catalog.parallel(),
            self._catalog.cold.including(),
            self._catalog.transaction(),
        ):
            tail = self._folded()
            if tail.standing.head != tail.standing.checkpoint.sequence:
                replace_derived(self._catalog, tail.derived, tail.reached)
        return tail.standing.head

    @asked_again
    def rebuild(self, *, check: bool = False, progress: Progress | None = None) -> RebuildReport:
        """Derive all tables from the first event; with `check` only compare them with what is stored and folded."""
        report = progress or no_progress
        started = time.perf_counter()
        report("derive", 0, 2)
        if not check:
            self._writable()
            with (
                self._catalog.lease.hold(),
                self._catalog.parallel(),
                self._catalog.cold.including(),
                self._catalog.transaction(),
            ):
                references = self._references(read_standing(self._catalog).import_run_id)
                derived = derive_all(self._catalog, references)
                reached = latest_event(self._catalog, references)
                report("write", 1, 2)
                replace_derived(self._catalog, derived, reached, everything=True)
                notes = self._cold_notes()
            # What was read of the old rows is void, even where the checkpoint stays where it was.
            self._tail = TailFold(self._catalog)
            found: tuple[str, ...] = ()
        else:
            with self._catalog.parallel(), self._catalog.cold.including(), self._catalog.transaction():
                references = self._references(read_standing(self._catalog).import_run_id)
                derived = derive_all(self._catalog, references)
                reached = latest_event(self._catalog, references)
                report("compare", 1, 2)
                found = tuple(
                    text
                    for table in DERIVED_TABLES
                    for text in differences(table, self._rows(table), derived.rows(table))
                )
                notes = self._cold_notes()
        report("done", 2, 2)
        return RebuildReport(
            identical=not found,
            sequence=reached.sequence,
            differences=found,
            rows={table.name: derived.rows(table).height for table in DERIVED_TABLES},
            seconds=time.perf_counter() - started,
            notes=notes,
        )

    def _cold_notes(self) -> tuple[str, ...]:
        """Say what a rebuild has read of the archive, and from where it began; the caller holds its transaction."""
        archived = self._catalog.cold.parts(self._catalog.transaction_number).filter(table_name=TRADE_LOG.name)
        closed = closed_until(self._catalog)
        notes = []
        if archived.height:
            notes.append(ARCHIVED.format(archived["rows"].sum(), archived["month"].n_unique()))
        if closed is not None:
            notes.append(CLOSED.format(closed.isoformat()))
        return tuple(notes)
