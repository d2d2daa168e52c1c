"""The writers of a book."""

import hashlib
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl

from tradelake.book.allocation import allocate_blocks, allocate_option_events
from tradelake.book.checking import differences
from tradelake.book.cures import LoggedCures
from tradelake.book.derive import derive_all, latest_event
from tradelake.book.outcome import receipt_of, with_rejects
from tradelake.book.receipt import RebuildReport, Receipt
from tradelake.book.receive import Received, receive
from tradelake.book.registry import Registered, account_rows, instrument_rows
from tradelake.book.reported import position_differences
from tradelake.book.shelf import Progress, Shelf, author, no_progress, now
from tradelake.book.sources import parse_rows, parse_source
from tradelake.book.tail import TailFold
from tradelake.errors import InputError, ReadOnlyError
from tradelake.intake.model import Execution
from tradelake.intake.parsed import Parsed
from tradelake.lots import prepare as prepare_kernel
from tradelake.store import Batch, Head, References, append, read_standing, replace_derived
from tradelake.tables import ACCOUNTS, CORPORATE_KINDS, DERIVED_TABLES, INCOMING, INSTRUMENTS, RECORDS

FOLD_AFTER = 2_000
LARGE_FILE_BYTES = 2_000_000


class Writers(Shelf):
    """Everything that changes a book."""

    def add_accounts(self, rows: Iterable[Mapping[str, Any]]) -> Receipt:
        """Add books, one per row.

        Fields: account_id, and where wanted broker_account_id (default: the account's own id), account_type,
        parent_account_id, lot_method (default FIFO), base_currency, allocation_pattern, allocation_default. An
        account that exists with the same content is a duplicate, with other content a conflict.
        """
        given = list(rows)
        return self._register("accounts", lambda known, at: account_rows(given, known.accounts, recorded_at=at))

    def add_instruments(self, rows: Iterable[Mapping[str, Any]]) -> Receipt:
        """Add instruments under ids of your own, one per row.

        Fields: instrument_id, asset_type, symbol; options also strike, expiration, option_type, and where wanted
        multiplier, settlement, exercise_style, underlying_instrument_id, deliverable.
        """
        given = list(rows)
        return self._register(
            "instruments", lambda known, at: instrument_rows(given, known.instruments, recorded_at=at)
        )

    def record(
        self,
        executions: Iterable[Mapping[str, Any] | Execution] | Mapping[str, Any] | Execution | pl.DataFrame,
        *,
        source: str = "record",
        reason: str | None = None,
    ) -> Receipt:
        """Record executions and other events: models, dicts or a frame; durable when this returns.

        Each row is accepted, a duplicate, a conflict or a reject; the good rows go in whatever the others are.
        """
        receipt = self._receive(parse_rows(executions, name=source), source=source, reason=reason)
        self._fold_when_long(receipt.sequence)
        return receipt

    def ingest(
        self,
        source: str,
        path: str | Path,
        *,
        reason: str | None = None,
        allocation: str | Path | None = None,
        progress: Progress | None = None,
    ) -> Receipt:
        """Import a file: `executions` (JSONL, CSV, Parquet by its suffix) or `ibkr-flex` (XML).

        `allocation` names a CSV file (broker_execution_id, account_id, quantity) that splits block fills over books.
        Raises InputError where the file as a whole cannot be read; then nothing is changed.
        """
        report = progress or no_progress
        report("read", 0, 3)
        file = Path(path)
        try:
            content = file.read_bytes()
        except OSError as error:
            raise InputError(f"{file}: cannot be read: {error.strerror}. Name a file that exists.") from error
        if len(content) > LARGE_FILE_BYTES:
            prepare_kernel()
        parsed = parse_source(source, content, name=file.name)
        if allocation is not None:
            parsed = allocate_blocks(parsed, Path(allocation))
        digest = hashlib.sha256(content).hexdigest()
        report("record", 1, 3)
        receipt = self._receive(parsed, source=source, reason=reason, name=file.name, digest=digest)
        # A fold of a large import needs the room that its rows take.
        del parsed, content
        report("fold", 2, 3)
        self._fold_when_long(receipt.sequence)
        report("done", 3, 3)
        return receipt

    def _receive(
        self, parsed: Parsed, *, source: str, reason: str | None, name: str | None = None, digest: str | None = None
    ) -> Receipt:
        self._writable()
        received: list[Received] = []

        def prepare(head: Head) -> Batch:
            recorded_at = now()
            references = self._references(head.import_run_id)
            events = allocate_option_events(self._catalog, parsed.events, references)
            received.append(receive(events, references, source=name or source, recorded_at=recorded_at))
            cures = LoggedCures(self._catalog, references, received[-1], source=name or source, recorded_at=recorded_at)
            return Batch(
                events=received[-1].events,
                records=with_rejects(parsed.records, received[-1].problems),
                source=source,
                author=author(),
                host=socket.gethostname(),
                recorded_at=recorded_at,
                file_name=name,
                file_sha256=digest,
                reason=reason,
                new_accounts=received[-1].new_accounts,
                new_instruments=received[-1].new_instruments,
                new_strategies=received[-1].new_strategies,
                cures=cures,
            )

        with self._catalog.lease.hold():
            appended = append(self._catalog, prepare, self._index, last_seen=self._head)
            version = self.version
        self._remember(appended)
        receipt = receipt_of(parsed, received[-1], appended, version=version, source=name or source)
        if digest is None or not appended.rows["kind"].is_in(CORPORATE_KINDS).any():
            return receipt
        with self._catalog.transaction():
            references = self._references(appended.head.import_run_id)
            found = position_differences(self._catalog, references, appended.rows, source=name or source)
        return replace(receipt, problems=(*receipt.problems, *found))

    def _register(
        self, source: Literal["accounts", "instruments"], register: Callable[[References, datetime], Registered]
    ) -> Receipt:
        self._writable()
        registered: list[Registered] = []

        def prepare(head: Head) -> Batch:
            recorded_at = now()
            registered.append(register(self._references(head.import_run_id), recorded_at))
            fresh = registered[-1][0]
            return Batch(
                events=INCOMING.empty(),
                records=RECORDS.empty(),
                source=source,
                author=author(),
                host=socket.gethostname(),
                recorded_at=recorded_at,
                new_accounts=fresh if source == "accounts" else ACCOUNTS.empty(),
                new_instruments=fresh if source == "instruments" else INSTRUMENTS.empty(),
            )

        appended = append(self._catalog, prepare, self._index, last_seen=self._head)
        self._remember(appended)
        _, outcomes, problems = registered[-1]
        counts = dict(outcomes.group_by("outcome").len().iter_rows())
        return Receipt(
            source=source,
            accepted=counts.get("accepted", 0),
            duplicates=counts.get("duplicate", 0),
            conflicts=counts.get("conflict", 0),
            rejects=counts.get("reject", 0),
            kept=0,
            version=self.version,
            sequence=appended.head.sequence,
            problems=tuple(problems),
            outcomes=outcomes,
        )

    def _writable(self) -> None:
        if self._catalog.read_only:
            raise ReadOnlyError("The book was opened read only. Open it without read_only to write.")

    def _fold_when_long(self, head: int) -> None:
        """Fold when the tail has grown past its bound; the checkpoint only ever moves forward."""
        if head - self._checkpoint_sequence < FOLD_AFTER:
            return
        checkpoint = read_standing(self._catalog).checkpoint
        self._checkpoint_sequence = checkpoint.sequence
        if head - checkpoint.sequence >= FOLD_AFTER:
            self.fold()

    def fold(self) -> int:
        """Bring the checkpoint of the derived tables to the head of the log; return its sequence."""
        self._writable()
        with self._catalog.lease.hold(), self._catalog.parallel(), self._catalog.transaction():
            tail = self._folded()
            if tail.standing.head != tail.standing.checkpoint.sequence:
                replace_derived(self._catalog, tail.derived, tail.reached)
        return tail.standing.head

    def rebuild(self, *, check: bool = False, progress: Progress | None = None) -> RebuildReport:
        """Derive all tables from the first event; with `check` only compare them with what is stored and folded."""
        report = progress or no_progress
        started = time.perf_counter()
        report("derive", 0, 2)
        if not check:
            self._writable()
            with self._catalog.lease.hold(), self._catalog.parallel(), self._catalog.transaction():
                references = self._references(read_standing(self._catalog).import_run_id)
                derived = derive_all(self._catalog, references)
                reached = latest_event(self._catalog, references)
                report("write", 1, 2)
                replace_derived(self._catalog, derived, reached, everything=True)
            # What was read of the old rows is void, even where the checkpoint stays where it was.
            self._tail = TailFold(self._catalog)
            found: tuple[str, ...] = ()
        else:
            with self._catalog.parallel(), self._catalog.transaction():
                references = self._references(read_standing(self._catalog).import_run_id)
                derived = derive_all(self._catalog, references)
                reached = latest_event(self._catalog, references)
                report("compare", 1, 2)
                found = tuple(
                    text
                    for table in DERIVED_TABLES
                    for text in differences(table, self._rows(table), derived.rows(table))
                )
        report("done", 2, 2)
        return RebuildReport(
            identical=not found,
            sequence=reached.sequence,
            differences=found,
            rows={table.name: derived.rows(table).height for table in DERIVED_TABLES},
            seconds=time.perf_counter() - started,
        )
