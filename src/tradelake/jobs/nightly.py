"""The nightly job: import, propose, mark, snapshot, reconcile, maintain, verify, report; one session after the other.

Files of statements and of prices are read once, before the first of the sessions is closed: what they tell of an
earlier day belongs to it, and what has become of an option follows from prices.

Every step commits by itself and is recognised when it comes again: what is known is not imported twice, a snapshot that
says nothing new is not written, a break that is seen again is the same break. So there is no state of a run that could
be half done: whoever kills the job at any moment runs it again, and a missed week is caught up day by day. A night
that has found nothing new since it was done is answered with the report that it left.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl

from tradelake.book import (
    BREAK_CLASSES,
    Book,
    ImportLine,
    NightlyReport,
    Progress,
    Step,
    equity_until,
    report_from_json,
    report_json,
    report_of,
    sessions_between,
)
from tradelake.errors import InputError
from tradelake.jobs.night_run import STEPS, Keep, Night, Run, count, judged, nobody

__all__ = ["Night", "pending", "run_nights"]


def run_nights(
    book: Book, asked: Night, *, progress: Progress | None = None, keep: Keep | None = None
) -> tuple[NightlyReport, ...]:
    """Run the nightly job for every session since the last one that is done; return a report of each, oldest first.

    What the files say is in the last report. `keep` is given each report before its night is noted as done, so that
    what it writes is there for every night that is. Raises BookBusy where another nightly job is running on the book,
    InputError for a day without a closed session.
    """
    until = book.closed_session(asked.until)
    with book.night():
        before, days = book.standing.import_run_id, pending(book, until)
        runs = [Run(book, asked, progress or nobody, day, book.now) for day in days]
        _import(runs[-1])
        return tuple(_one(run, before, keep or nobody) for run in runs)


def pending(book: Book, until: date) -> list[date]:
    """Return the sessions to close: those after the last night that is done, up to a day; that day at least."""
    done = book.nights(until=until)["nightly_date"]
    last = done.max()
    if not isinstance(last, date) or last >= until:
        return [until]
    return [day for day in sessions_between(last, until) if day > last]


def _one(run: Run, before: int, keep: Keep) -> NightlyReport:
    """Close one session; *before* is the last commit before the job began."""
    book, day = run.book, run.day
    run.steps.insert(0, Step("lease", "done", f"the night of {day} is ours", Decimal(0)))
    if len(run.steps) == 1:
        run.steps.append(Step("import", "nothing", "the files are those of a later night", Decimal(0)))
    _propose(run)
    _mark(run)
    _snapshot(run)
    _reconcile(run)
    known = _known_report(book, day)
    if known is not None and book.standing.import_run_id == before == known[1]:
        keep(known[0])
        return known[0]
    _maintain(run)
    _verify(run)
    run.progress("report", len(run.steps), len(STEPS))
    made = report_of(
        book,
        day,
        where=book.url,
        started=run.started,
        steps=tuple(run.steps),
        imports=tuple(run.imports),
        notes=tuple(run.notes),
    )
    keep(made)
    # What can be read again from snapshots is not stored twice.
    book.record_night(day, report_json(replace(made, equity=made.equity.clear())))
    return made


def _known_report(book: Book, day: date) -> tuple[NightlyReport, int] | None:
    """Return the report of the last run of a night, and its commit; None where there was none."""
    nights = book.nights(since=day, until=day)
    if not nights.height:
        return None
    row = nights.row(-1, named=True)
    return replace(report_from_json(row["report"]), equity=equity_until(book, day)), row["import_run_id"]


def _import(run: Run) -> None:
    with run.step("import") as said:
        found = [_statement(run, file) for file in run.asked.statements] + [_prices(run, f) for f in run.asked.marks]
        if found:
            accepted = sum(line.accepted for line in run.imports)
            said.append(judged(sum(found), f"{count(accepted, 'new event')} from {count(len(found), 'file')}"))


def _statement(run: Run, file: Path) -> int:
    """Import a statement, and return the number of problems."""
    try:
        receipt = run.book.ingest("ibkr-flex", file)
    except InputError as error:
        run.notes.append(str(error))
        return 1
    run.statements.append(file)
    counts = (receipt.accepted, receipt.duplicates, receipt.conflicts, receipt.rejects, receipt.kept, receipt.marks)
    run.imports.append(ImportLine(file.name, *counts))
    run.notes += [str(problem) for problem in receipt.problems]
    return len(receipt.problems)


def _prices(run: Run, file: Path) -> int:
    """Import a file of prices, and return the number of problems."""
    try:
        receipt = run.book.ingest_marks(file)
    except InputError as error:
        run.notes.append(str(error))
        return 1
    run.imports.append(ImportLine(file.name, rejects=receipt.rejects, marks=receipt.accepted))
    run.notes += [str(problem) for problem in receipt.problems]
    return len(receipt.problems)


def _propose(run: Run) -> None:
    with run.step("propose") as said:
        found = run.book.proposals(run.day)
        booked = 0
        for name in found.filter(pl.col("kind").is_in(list(run.asked.rules)))["proposal_id"]:
            receipt = run.book.apply_proposal(name, day=run.day)
            run.notes += [str(problem) for problem in receipt.problems]
            booked += receipt.accepted
        if found.height:
            waiting = found.height - booked
            text = (
                f"{count(found.height, 'option')} expired and still open: {booked} booked by rule, {waiting} proposed"
            )
            said.append(judged(waiting, text))


def _mark(run: Run) -> None:
    with run.step("mark") as said:
        if run.imports:
            said.append(("done", count(sum(line.marks for line in run.imports), "new price")))


def _snapshot(run: Run) -> None:
    with run.step("snapshot") as said:
        taken = run.book.snapshot(run.day)
        corrected = taken.corrected["snapshot_date"].n_unique()
        if taken.accounts or corrected:
            later = f"; {count(corrected, 'earlier day')} corrected" if corrected else ""
            said.append(
                ("done", f"{count(taken.accounts, 'account')}, {count(taken.positions, 'position')} written{later}")
            )


def _reconcile(run: Run) -> None:
    classes = [rule for rule in run.asked.rules if rule in BREAK_CLASSES]
    with run.step("reconcile") as said:
        problems = moved = 0
        for file in run.statements:
            sequence = run.book.sequence
            try:
                found = run.book.reconcile(file, record=True, rules=classes)
            except InputError as error:
                run.notes.append(str(error))
                problems += 1
                continue
            moved += found.recorded
            if run.book.sequence != sequence:
                # A rule has booked what a break proposed: that settles it, and changes what the day closed with.
                found = run.book.reconcile(file, record=True)
                moved += found.recorded
                run.book.snapshot(run.day)
            run.notes += found.notes
        if run.statements:
            standing = run.book.breaks(status=("OPEN", "EXPLAINED")).height
            text = f"{count(standing, 'open break')}, {count(moved, 'step')} in the life of breaks"
            said.append(judged(standing + problems, text))


def _maintain(run: Run) -> None:
    with run.step("maintain") as said:
        run.book.fold()
        done = run.book.maintain(upkeep=run.asked.upkeep)
        if done.anything:
            merged = f", {done.files_merged} small files merged into {done.files_created}" if done.files_merged else ""
            removed = done.files_removed + done.orphans_removed
            gone = f", {count(removed, 'file')} removed" if removed else ""
            said.append(("done", f"{count(done.rows_flushed, 'row')} written to files{merged}{gone}"))


def _verify(run: Run) -> None:
    with run.step("verify") as said:
        found = run.book.verify_tail()
        run.notes += found.problems
        text = f"{count(found.rows, 'row')} of {count(found.runs, 'commit')} bound by the chain"
        said.append(("failed", found.problems[0]) if found.problems else ("done", text))
