"""Commands that close a day: the nightly job, snapshots, what has expired, what every account has over."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradelake.cli.options import Frame, Text, listing, open_book, target_of
from tradelake.cli.streams import complain, complain_about, emit, progress_bar, screen
from tradelake.errors import TradelakeError

if TYPE_CHECKING:
    from tradelake.book import Book, NightlyReport

Date = Annotated[Text, typer.Option("--date", metavar="DATE", help="The trading day; else the last that has closed.")]


def nightly(
    context: typer.Context,
    date: Date = None,
    statement: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="An IBKR Flex statement; any number of them."),
    ] = None,
    marks: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", exists=True, dir_okay=False, help="A file of prices; any number of them."),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(metavar="CLASS", help="Book the events that breaks of this class propose, or this kind of event."),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", file_okay=False, help="Where reports go; else reports/ in the book's folder."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Close the day: import, mark, snapshot, compare, report.

    What has expired is proposed, files are maintained and the hash chain is verified besides. Days that were missed are
    closed first, one after the other. A day that was closed stays as it is until something new is learnt about it. The
    report is printed, and kept as a page (HTML) and as JSON. Exit code 0: all is well; 1: something needs a look; 2: it
    could not run.
    """
    from tradelake.book import report_json, report_text, standing, verdict
    from tradelake.jobs.nightly import Night, run_nights
    from tradelake.jobs.settings import known_rules, reports_folder, rules_of, upkeep_of

    target = target_of(context)
    folder = report or reports_folder(target)
    rules = [*rules_of(target), *known_rules(rule or (), where="--rule")]
    try:
        with open_book(context, read_only=False, cold=True) as book, progress_bar() as progress:
            asked = Night(
                until=None if date is None else book.closed_session(date),
                statements=statement or (),
                marks=marks or (),
                rules=rules,
                upkeep=upkeep_of(target),
            )
            keep = None if folder is None else functools.partial(_write, folder=folder)
            reports = run_nights(book, asked, progress=progress, keep=keep)
    except TradelakeError as error:
        complain(str(error))
        raise typer.Exit(2) from error
    for each in reports[:-1]:
        complain(verdict(each))
    terminal, width = screen()
    emit(report_json(reports[-1]) if json else report_text(reports[-1], width=width, color=terminal))
    if any(standing(each) != "done" for each in reports):
        raise typer.Exit(1)


def _write(report: "NightlyReport", *, folder: Path) -> None:
    """Write the two files of a report, where they do not say the same already."""
    from tradelake.book import report_html, report_json

    folder.mkdir(parents=True, exist_ok=True)
    text = report_json(report)
    page, data = (folder / f"{report.nightly_date}.{suffix}" for suffix in ("html", "json"))
    if not page.exists() or not data.exists() or data.read_text(encoding="utf-8") != text:
        for file, content in ((page, report_html(report)), (data, text)):
            # Whoever reads it while it is written sees the one before.
            draft = file.with_name(f".{file.name}")
            draft.write_text(content, encoding="utf-8")
            draft.replace(file)


def snapshot(context: typer.Context, date: Date = None) -> None:
    """Take the snapshot of a day's close.

    Earlier ones that late events or prices have changed get a new version.
    """
    with open_book(context, read_only=False, cold=True) as book:
        taken = book.snapshot(date)
    days = taken.corrected["snapshot_date"].n_unique()
    emit(
        f"{taken.snapshot_date}: {taken.accounts:,} accounts and {taken.positions:,} positions written; "
        f"{days:,} earlier days corrected\n"
    )


@listing("account", "symbol", "since", "until", "as_known")
def snapshots(
    book: "Book",
    *,
    versions: Annotated[bool, typer.Option("--versions", help="Also what was corrected later.")] = False,
    **filters: Any,
) -> Frame:
    """List the positions at the close of trading days.

    One row per day, account and instrument. A position without a mark has no value.
    """
    return book.snapshots(versions=versions, **filters)


@listing("account", "since", "until", "as_known")
def account_snapshots(
    book: "Book",
    *,
    versions: Annotated[bool, typer.Option("--versions", help="Also what was corrected later.")] = False,
    **filters: Any,
) -> Frame:
    """List what accounts closed trading days with.

    Cash, value, what is realized and unrealized; worth is unknown where a position has no mark.
    """
    return book.account_snapshots(versions=versions, **filters)


@listing("account", "as_known")
def capital(book: "Book", *, date: Date = None, **filters: Any) -> Frame:
    """List cash buffers, and accounts to fork or to merge.

    Of the last snapshots: 5 % of each account is to be kept as cash; a generator with more than 50,000 over its
    deposits is to fork a child, and a fork that has reached 500,000 is to be merged.
    """
    return book.capital(date, **filters)


@listing()
def expiring(
    book: "Book",
    *,
    date: Date = None,
    sessions: Annotated[int, typer.Option(metavar="N", min=1, help="Within so many trading days.")] = 5,
) -> Frame:
    """List the options that expire soon after a snapshot."""
    return book.expiring(date, sessions=sessions)


@listing()
def proposals(book: "Book", *, date: Date = None) -> Frame:
    """List expired options still open, or book their end.

    What became of each follows from the close of its underlying; without that price it is undecided. Nothing is booked
    unless somebody applies it.
    """
    return book.proposals(date)


def apply_proposal(
    context: typer.Context,
    proposal: Annotated[str, typer.Argument(metavar="ID", help="The proposal, as the list names it.")],
    date: Date = None,
    reason: Annotated[Text, typer.Option(metavar="TEXT", help="Why, for the audit trail.")] = None,
) -> None:
    """Book the event of one proposal."""
    with open_book(context, read_only=False) as book:
        receipt = book.apply_proposal(proposal, day=date, reason=reason)
    if receipt.problems:
        complain_about(receipt.problems, rest="")
        raise typer.Exit(1)
    emit(f"{proposal}: {'booked' if receipt.accepted else 'was booked already'}\n")


@listing()
def nights(book: "Book") -> Frame:
    """List the days that the nightly job has closed."""
    return book.nights()
