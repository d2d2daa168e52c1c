"""What keeps the derived tables: the fold that brings them to the head, and the rebuild that proves them."""

import time
from dataclasses import replace
from uuid import uuid4

import polars as pl

from tradelake.book.checking import Comparison, differing
from tradelake.book.derive import latest_event
from tradelake.book.groups import FAMILY
from tradelake.book.linked import ALL_TIME, Stretch
from tradelake.book.parts import Part, PartDerivers, Step
from tradelake.book.receipt import RebuildReport, Receipt
from tradelake.book.shelf import asked_again
from tradelake.book.tail import TailFold
from tradelake.errors import ReadOnlyError, TradelakeError
from tradelake.store import Checkpoint, Standing, read_standing, replace_derived
from tradelake.store.closing import closed_until
from tradelake.store.pieces import Piece, replace_by_pieces, write_pieces
from tradelake.store.progress import Progress, no_progress
from tradelake.tables import DERIVED_TABLES, MATCHES, POSITION_HISTORY, TRADE_LOG, Table

FOLD_AFTER = 2_000
CLOSED_TABLES = (MATCHES, POSITION_HISTORY)
Waiting = dict[Table, list[pl.DataFrame]]
UNFOLDED = (
    "All of it is recorded; only the stored positions could not be brought up to it. The next fold does that, and "
    "readers see it meanwhile. What went wrong: {}"
)

ARCHIVED = "{:,} of the events are archived and were read from cold storage; their months: {:,}"
CLOSED = (
    "events up to {} were deleted when their retention was over: the rebuild began with the closing of that instant"
)


class Derivers(PartDerivers):
    """Everything that writes what follows from the log."""

    def _writable(self) -> None:
        if self._catalog.read_only:
            raise ReadOnlyError("The book was opened read only. Open it without read_only to write.")

    def _fold_when_long(self, receipt: Receipt, *, more: bool = False) -> Receipt:
        """Fold when the tail has grown past its bound; the checkpoint only ever moves forward.

        The events of the receipt are recorded by then: where the fold fails, the receipt says so and is given all the
        same. Where *more* deliveries follow, a fold that would derive the whole log waits for them.
        """
        head = receipt.sequence
        if head - self._checkpoint_sequence < FOLD_AFTER:
            return receipt
        try:
            checkpoint = read_standing(self._catalog).checkpoint
            self._checkpoint_sequence = checkpoint.sequence
            tail = head - checkpoint.sequence
            if tail >= FOLD_AFTER and not (more and self._is_long(tail)):
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
            standing = self._standing()
            if self._is_long(standing.head - standing.checkpoint.sequence):
                # What so many events bring, and the families that those among them that are late have replayed,
                # would not fit in memory.
                self._rederive(standing, no_progress)
            elif standing.head != standing.checkpoint.sequence:
                tail = self._folded()
                replace_derived(self._catalog, tail.derived, tail.reached)
        return standing.head

    @asked_again
    def rebuild(self, *, check: bool = False, progress: Progress | None = None) -> RebuildReport:
        """Derive all tables from the first event; with `check` only compare them with what is stored and folded.

        A long log is derived part by part, so that memory does not grow with it.
        """
        report = progress or no_progress
        started = time.perf_counter()
        report("derive", 0, 2)
        found: tuple[str, ...] = ()
        with self._catalog.parallel(), self._catalog.cold.including():
            if check:
                with self._catalog.transaction():
                    standing = self._standing()
                    comparison, rows = self._compared(standing, report)
                    reached = latest_event(self._catalog, self._references(standing.import_run_id))
                    notes, found = self._cold_notes(), comparison.lines()
            else:
                self._writable()
                with self._catalog.lease.hold(), self._catalog.transaction():
                    reached, rows = self._rederive(self._standing(), report)
                    notes = self._cold_notes()
        report("done", 2, 2)
        return RebuildReport(
            identical=not found,
            sequence=reached.sequence,
            differences=found,
            rows=rows,
            seconds=time.perf_counter() - started,
            notes=notes,
        )

    def _rederive(self, standing: Standing, report: Progress) -> tuple[Checkpoint, dict[str, int]]:
        """Replace the derived tables by what follows from the whole log; return the checkpoint and the rows of each."""
        references = self._references(standing.import_run_id)
        reached = latest_event(self._catalog, references)
        pieces: list[Piece] = []
        rows: dict[str, int] = {}
        job = uuid4().hex
        for number, step in enumerate(self._derived_parts(standing, references)):
            if step.part is None:
                report("write", 1, 2)
                replace_derived(self._catalog, step.derived, reached, everything=True)
                rows = {table.name: step.derived.rows(table).height for table in DERIVED_TABLES}
            else:
                report("derive", step.done, step.count + 1)
                pieces += write_pieces(self._catalog, step.derived, f"rebuild-{job}-{number}")
        if not rows:
            rows = dict(replace_by_pieces(self._catalog, pieces, reached))
        # What was read of the old rows is void, even where the checkpoint stays where it was.
        self._tail = TailFold(self._catalog)
        return reached, rows

    def _compared(self, standing: Standing, report: Progress) -> tuple[Comparison, dict[str, int]]:
        """Compare the derived tables with what follows from the whole log; return also how many rows do."""
        references = self._references(standing.import_run_id)
        comparison, rows = Comparison(), dict.fromkeys((table.name for table in DERIVED_TABLES), 0)
        waiting = Waiting()
        for step in self._derived_parts(standing, references):
            report("compare", step.done if step.part else 1, step.count + 1)
            self._compare_step(step, waiting, comparison, rows)
        return comparison, rows

    def _compare_step(self, step: Step, waiting: Waiting, comparison: Comparison, rows: dict[str, int]) -> None:
        """Compare what is stored with what follows from a step, and count that.

        What is closed is told apart by time; the rest of a part is `waiting` for its last stretch.
        """
        for table in DERIVED_TABLES:
            derived, stretch = step.derived.rows(table), step.stretch
            rows[table.name] += derived.height
            if table not in CLOSED_TABLES:
                waiting.setdefault(table, []).append(derived)
                if not step.last:
                    continue
                derived, stretch = pl.concat(waiting.pop(table)), ALL_TIME
            comparison.take(table, differing(table, self._stored_part(table, step.part, stretch), derived))

    def _stored_part(self, table: Table, part: Part | None, stretch: Stretch) -> pl.DataFrame:
        """Return the rows of a derived table at the head, of some families or all; closed ones of a stretch."""
        if part is None:
            return self._rows(table)
        accounts = part.families["account_id"]
        first, last = str(accounts.min()), str(accounts.max())
        texts, keep = ["account_id BETWEEN ? AND ?"], pl.col("account_id").is_between(pl.lit(first), pl.lit(last))
        if not stretch.is_all:
            texts, keep = [*texts, stretch.condition("closed_at")], keep & stretch.holds("closed_at")
        near = self._rows(table, texts, [first, last], keep)
        return near.join(part.families, on=FAMILY, how="semi", maintain_order="left")

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
