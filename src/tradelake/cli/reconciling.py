"""Commands that hold the books against the broker's statements, and that move breaks on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradelake.cli import completing
from tradelake.cli.options import Output, Text, listing, open_book, show, takes
from tradelake.cli.streams import complain, complain_about, emit
from tradelake.errors import InputError

if TYPE_CHECKING:
    from tradelake.book import Book, Reconciliation

SETTLED = ("EXPLAINED", "ACCEPTED")
SECTIONS = {
    "executions": "execution",
    "positions": "position",
    "lots": "lot",
    "cash": "cash balance",
    "realized": "realized profit",
}
Id = Annotated[
    str,
    typer.Argument(metavar="BREAK", help="The id of the break, as B-3f9a21c07e.", autocompletion=completing.open_break),
]
Why = Annotated[str, typer.Option(metavar="TEXT", help="Why, in your own words; it stays in the history of the break.")]


@takes(output=Output)
def reconcile(
    context: typer.Context,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="IBKR Flex statements.", exists=True, dir_okay=False)
    ],
    output: Output,
    no_record: Annotated[
        bool, typer.Option("--no-record", help="Only compare: the book learns nothing of the breaks.")
    ] = False,
) -> None:
    """Compare the books with the broker's statements.

    Executions, positions, lots, cash and realized profit of each broker account are compared with the sum of its
    books, as of the end of each statement. A row is a difference that follows from no other one, with its cause where
    one explains it, and the number of events that would cure it. Breaks are kept in the book from night to night.
    Exit code 1: a break is open that nobody has explained or accepted.
    """
    form, unreadable, pending = output.form, False, False
    with open_book(context, read_only=no_record, cold=True) as book:
        for file in files:
            try:
                found = book.reconcile(file, record=not no_record)
            except InputError as error:
                complain(str(error))
                unreadable = True
                continue
            if form == "table":
                emit(_summary(found))
            if form != "table" or found.breaks.height:
                show(found.breaks, form=form, title="reconcile")
            complain_about(found.notes, rest="Book.reconcile returns all notes.")
            pending = _pending(book, found) or pending
    if unreadable or pending:
        raise typer.Exit(2 if unreadable else 1)


def _summary(found: "Reconciliation") -> str:
    lines = []
    for row in found.statements.iter_rows(named=True):
        counts = [_count(row[name], word) for name, word in SECTIONS.items() if row[name] is not None]
        breaks = _count(row["breaks"], "break") if row["breaks"] else "no break"
        lines.append(f"{found.source}: {row['broker_account_id']}, {row['since']} to {row['until']}: {breaks}\n")
        lines.append(f"  compared: {', '.join(counts) or 'nothing'}\n")
    return "".join(lines)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def _pending(book: "Book", found: "Reconciliation") -> bool:
    """Return whether one of the breaks found is not explained or accepted."""
    settled = set(book.breaks(status=SETTLED)["break_id"])
    return bool(set(found.breaks["break_id"]) - settled)


@listing("account", "as_known")
def breaks(
    book: "Book",
    *,
    status: Annotated[
        Text,
        typer.Option(
            metavar="STATUS",
            help="OPEN, EXPLAINED, ACCEPTED, RESOLVED or all; without it, not resolved.",
            autocompletion=completing.of(completing.BREAK_STATUSES),
        ),
    ] = None,
    **filters: Any,
) -> Any:
    """List the breaks with the broker, the oldest first.

    Age is in trading days. An account is the broker's, or one of ours. Events says how many events would cure the
    break; `breaks show` lists them and `breaks apply` records them.
    """
    return book.breaks(status=status, **filters)


@takes(output=Output)
def show_break(context: typer.Context, identity: Id, output: Output) -> None:
    """Show a break: its history, and what follows and is proposed."""
    from tradelake import book as books

    with open_book(context, read_only=True) as book:
        history = book.break_history(identity)
    show(history, form=output.form, title="break-history")
    if output.form == "table":
        emit(books.break_text(history.row(-1, named=True)))


def explain(context: typer.Context, identity: Id, reason: Why) -> None:
    """Note why a break is there."""
    with open_book(context, read_only=False, cold=True) as book:
        book.explain_break(identity, reason)
    emit(f"{identity}: explained\n")


def accept(context: typer.Context, identity: Id, reason: Why) -> None:
    """Accept a break; it comes back when its amounts change."""
    with open_book(context, read_only=False, cold=True) as book:
        book.accept_break(identity, reason)
    emit(f"{identity}: accepted\n")


def apply(
    context: typer.Context,
    identity: Id,
    reason: Annotated[Text, typer.Option(metavar="TEXT", help="Why, for the audit trail.")] = None,
) -> None:
    """Record the events that a break proposes.

    The next statement resolves the break, or shows what is left of it.
    """
    with open_book(context, read_only=False, cold=True) as book:
        receipt = book.apply_break(identity, reason)
    events = f"{receipt.accepted} {'event' if receipt.accepted == 1 else 'events'}"
    emit(f"{identity}: applied, {events} recorded\n")
