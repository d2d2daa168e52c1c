"""The writers of marks: rows, frames, files, and a function that is asked for prices."""

import hashlib
import socket
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tradelake.book.marks import OUTCOMES, Judged, MarkReaders, judge
from tradelake.book.read import day_of
from tradelake.book.reading import Readers
from tradelake.book.receipt import MarkReceipt
from tradelake.book.shelf import author, now
from tradelake.book.sources import FORMATS, read_file
from tradelake.book.writing import Writers
from tradelake.errors import InputError, Problem
from tradelake.intake.parsed import records_of
from tradelake.sessions import session_close, trade_date
from tradelake.store import Batch, Head, append
from tradelake.tables import INCOMING, MARKS

if TYPE_CHECKING:
    from tradelake.intake.marks import ParsedMarks

SECTION = "mark"
Prices = Mapping[str, Decimal | str | None] | pl.DataFrame
PriceSource = Callable[[pl.DataFrame, date], Prices]


class MarkWriters(MarkReaders, Readers, Writers):
    """Everything that tells a book prices."""

    def mark(
        self,
        rows: Iterable[Mapping[str, Any]] | Mapping[str, Any] | pl.DataFrame,
        *,
        source: str = "mark",
        reason: str | None = None,
    ) -> MarkReceipt:
        """Record prices at the close of sessions, one per row.

        Fields: instrument_id, contract_symbol or symbol; mark_date; price as text, Decimal or whole number; and
        currency where it is not that of the instrument. A price that is known is a duplicate; another one for that day
        is a revision, and the earlier one stays as it was known. Bad rows are rejects, and the others are recorded.
        """
        return self._record_marks(_parsed(rows, source, trade_date(now())), source=source, reason=reason)

    def ingest_marks(self, path: str | Path, *, reason: str | None = None) -> MarkReceipt:
        """Import a file of prices, CSV, Parquet or JSONL by its suffix; fields as in `mark`.

        A file that was imported before changes nothing. Raises InputError where it cannot be read as a whole.
        """
        from tradelake.intake.marks import parse_marks

        file = Path(path)
        suffix = file.suffix.lower()
        if suffix not in FORMATS:
            raise InputError(
                f"{file.name}: marks come as {', '.join(FORMATS)}, not as {suffix or 'a file without a suffix'}."
            )
        content = read_file(file)
        parsed = parse_marks(content, name=file.name, format=FORMATS[suffix], today=trade_date(now()))
        digest = hashlib.sha256(content).hexdigest()
        return self._record_marks(parsed, source=file.name, reason=reason, digest=digest)

    def mark_with(
        self, prices: PriceSource, mark_date: str | date, *, source: str = "mark_with", reason: str | None = None
    ) -> MarkReceipt:
        """Ask a function for the prices of what is open at the close of a session, and record its answers.

        It is called once, with the instruments (rows of that table) and the day, and returns prices by instrument_id,
        or a frame with the fields of `mark`, where mark_date may be left out. None is no price, and no mark. Raises
        InputError for a day that is no session or has not been, and for an answer of another type.
        """
        day, today = day_of(mark_date), trade_date(now())
        session_close(day)
        if day > today:
            raise InputError(f"{day} has not been yet: today is {today}. Ask for prices of a day that has been.")
        held = self.positions(as_of=day)["instrument_id"].unique()
        if not held.len():
            return self._record_marks(_parsed([], source, today), source=source, reason=reason)
        answer = prices(self.instruments().filter(pl.col("instrument_id").is_in(held.implode())), day)
        return self.mark(_rows_of(answer, day), source=source, reason=reason)

    def _record_marks(
        self, parsed: "ParsedMarks", *, source: str, reason: str | None, digest: str | None = None
    ) -> MarkReceipt:
        self._writable()
        found: list[Judged] = []

        def prepare(head: Head) -> Batch:
            instruments = self._references(head.import_run_id).instruments
            found.append(judge(self._catalog, parsed.marks, instruments, source=source, digest=digest))
            rejected = _in_order(parsed.problems, found[-1].problems)
            texts = parsed.texts.filter(pl.col("row_number").is_in([problem.row for problem in rejected]))
            return Batch(
                events=INCOMING.empty(),
                records=records_of(texts, rejected, section=SECTION),
                source="marks",
                author=author(),
                host=socket.gethostname(),
                recorded_at=now(),
                file_name=source if digest else None,
                file_sha256=digest,
                reason=reason,
                facts={MARKS.name: found[-1].fresh},
            )

        with self._catalog.lease.hold():
            appended = append(self._catalog, prepare, self._index, last_seen=self._head)
            version = self.version
        self._remember(appended)
        return _receipt(found[-1], _in_order(parsed.problems, found[-1].problems), source=source, version=version)


def _parsed(rows: object, source: str, today: date) -> "ParsedMarks":
    from tradelake.intake.marks import marks_of_frame, marks_of_rows

    if isinstance(rows, pl.DataFrame):
        return marks_of_frame(rows, name=source, today=today)
    if isinstance(rows, Mapping):
        return marks_of_rows([rows], name=source, today=today)
    if isinstance(rows, Iterable) and not isinstance(rows, (str, bytes)):
        return marks_of_rows(rows, name=source, today=today)
    raise InputError(f"mark takes rows by name or a frame, not {type(rows).__name__}.")


def _rows_of(answer: object, day: date) -> list[dict[str, Any]] | pl.DataFrame:
    """Return the marks of a function's answer: those that have a price."""
    if isinstance(answer, pl.DataFrame):
        rows = answer if "mark_date" in answer.columns else answer.with_columns(pl.lit(day).alias("mark_date"))
        return rows.filter(pl.col("price").is_not_null()) if "price" in rows.columns else rows
    if isinstance(answer, Mapping):
        return [
            {"instrument_id": instrument, "mark_date": day, "price": price}
            for instrument, price in answer.items()
            if price is not None
        ]
    raise InputError(f"The prices have to be a mapping or a frame, not {type(answer).__name__}. Nothing was recorded.")


def _in_order(*problems: Iterable[Problem]) -> list[Problem]:
    return sorted((problem for some in problems for problem in some), key=lambda problem: problem.row or 0)


def _receipt(found: Judged, problems: list[Problem], *, source: str, version: int) -> MarkReceipt:
    rejects = pl.DataFrame(
        [(p.row, "reject", None, None, None, p.code, str(p)) for p in problems], schema=OUTCOMES, orient="row"
    )
    return MarkReceipt(
        source=source,
        accepted=found.fresh.height,
        revised=int((found.fresh["revision"] > 1).sum()),
        duplicates=int((found.outcomes["outcome"] == "duplicate").sum()),
        rejects=len(problems),
        version=version,
        problems=tuple(problems),
        outcomes=pl.concat([found.outcomes, rejects]).sort("row"),
    )
