"""The writers of a book."""

import hashlib
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from tradelake.book.allocation import allocate_blocks, allocate_option_events
from tradelake.book.cures import LoggedCures
from tradelake.book.endings import known_endings
from tradelake.book.marks import marks_of_statement
from tradelake.book.outcome import receipt_of, with_rejects
from tradelake.book.read import Filter
from tradelake.book.receipt import Receipt
from tradelake.book.receive import Received, receive
from tradelake.book.registry import Registered, account_rows, instrument_rows
from tradelake.book.reported import position_differences
from tradelake.book.retention import Retainers
from tradelake.book.shelf import author, now
from tradelake.book.sources import parse_rows, parse_source, read_file
from tradelake.intake.parsed import Parsed
from tradelake.lots import prepare as prepare_kernel
from tradelake.store import Appended, Batch, Head, References, append
from tradelake.store.archived import ArchivedTarget
from tradelake.store.progress import Progress, no_progress
from tradelake.tables import ACCOUNTS, CORPORATE_KINDS, INCOMING, INSTRUMENTS, POSITIONS, RECORDS

if TYPE_CHECKING:
    from tradelake.intake.model import Execution

LARGE_FILE_BYTES = 2_000_000


class Writers(Retainers):
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
        executions: "Iterable[Mapping[str, Any] | Execution] | Mapping[str, Any] | Execution | pl.DataFrame",
        *,
        source: str = "record",
        reason: str | None = None,
    ) -> Receipt:
        """Record executions and other events: models, dicts or a frame; durable when this returns.

        Each row is accepted, a duplicate, a conflict or a reject; the good rows go in whatever the others are.
        """
        receipt = self._receive(parse_rows(executions, name=source), source=source, reason=reason)
        return self._fold_when_long(receipt)

    def ingest(
        self,
        source: str,
        path: str | Path,
        *,
        reason: str | None = None,
        allocation: str | Path | None = None,
        progress: Progress | None = None,
        more: bool = False,
    ) -> Receipt:
        """Import a file: `executions` (JSONL, CSV, Parquet by its suffix) or `ibkr-flex` (XML).

        `allocation` names a CSV file (broker_execution_id, account_id, quantity) that splits block fills over books.
        Say that `more` files follow, and what follows from long ones is derived once, with the last or by `fold`.
        Raises InputError where the file as a whole cannot be read; then nothing is changed.
        """
        report = progress or no_progress
        report("read", 0, 3)
        file = Path(path)
        content = read_file(file)
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
        receipt = self._fold_when_long(receipt, more=more)
        report("done", 3, 3)
        return receipt

    def _receive(
        self, parsed: Parsed, *, source: str, reason: str | None, name: str | None = None, digest: str | None = None
    ) -> Receipt:
        self._writable()
        teller, received = name or source, list[Received]()

        def prepare(head: Head) -> Batch:
            recorded_at = now()
            references = self._references(head.import_run_id)
            events = known_endings(self._catalog, parsed.events, references)
            events = allocate_option_events(self._catalog, events, references)
            received.append(receive(events, references, source=teller, recorded_at=recorded_at))
            cures = LoggedCures(self._catalog, references, received[-1], source=teller, recorded_at=recorded_at)
            known = (references.instruments, received[-1].new_instruments)
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
                facts=marks_of_statement(self._catalog, parsed, known, source=teller, digest=digest, at=recorded_at),
            )

        with self._catalog.lease.hold():
            appended = self._append_with_targets(prepare)
            version = self.version
        self._remember(appended)
        receipt = receipt_of(parsed, received[-1], appended, version=version, source=teller)
        if digest is None or not appended.rows["kind"].is_in(CORPORATE_KINDS).any():
            return receipt
        with self._catalog.transaction():
            accounts = self._references(appended.head.import_run_id).accounts
            found = position_differences(self._held_before, accounts, appended.rows, source=teller)
        return replace(receipt, problems=(*receipt.problems, *found))

    def _append_with_targets(self, prepare: Callable[[Head], Batch]) -> Appended:
        """Append a delivery; what one of its cures is about comes back from cold storage first, where it is there."""
        while True:
            try:
                with self._catalog.cold.including():
                    return append(self._catalog, prepare, self._index, last_seen=self._head)
            except ArchivedTarget as target:
                self._restore_part(target.archive_id)

    def _held_before(self, at: datetime, instruments: list[str]) -> pl.DataFrame:
        """Return the positions in some instruments right before an instant; the caller holds a transaction."""
        wanted = Filter(symbol=instruments)
        past = self._past(at - timedelta(microseconds=1), None, wanted)
        return self._at(POSITIONS, wanted, None, past)

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
