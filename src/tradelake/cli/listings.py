"""Commands that print rows: each is one reading method of the book."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradelake.cli.options import PERIOD, STATE, Frame, Text, listing

if TYPE_CHECKING:
    from tradelake.book import Book

WHERE = ("account", "symbol", "strategy")


def names(text: str) -> list[str]:
    """Return the parts of a list that is written with commas."""
    return [part.strip() for part in text.split(",")]


@listing()
def accounts(book: "Book") -> Frame:
    """List the accounts, or add one."""
    return book.accounts()


@listing("symbol")
def instruments(book: "Book", **filters: Any) -> Frame:
    """List what has been traded: stocks, options and their terms."""
    return book.instruments(**filters)


@listing(*WHERE, *PERIOD, *STATE, "limit")
def trades(
    book: "Book",
    *,
    kinds: Annotated[
        Text,
        typer.Option(metavar="LIST", help="Any of trade, exercise, assign, cash_settle, expire, cash; by commas."),
    ] = None,
    **filters: Any,
) -> Frame:
    """List the trade log, leg by leg.

    It has executions and option events; cash movements only with --kinds. Quantity is positive, the direction
    is in the action; the table says BTO, STO, BTC, STC for buy or sell to open or close. Net is the cash that
    came in (+) or went out (-), after charges.
    """
    return book.trades(kinds=None if kinds is None else names(kinds), **filters)


@listing(*WHERE, *PERIOD, *STATE, "limit")
def positions(book: "Book", **filters: Any) -> Frame:
    """List the open positions.

    One row per account and instrument that is not flat; the quantity of a short position is negative.
    """
    return book.positions(**filters)


@listing(*WHERE, *PERIOD, *STATE, "limit")
def lots(book: "Book", **filters: Any) -> Frame:
    """List the open lots.

    One row per opening event and what is still open of it, oldest first.
    """
    return book.lots(**filters)


@listing(*WHERE, *PERIOD, *STATE, "limit")
def matches(book: "Book", **filters: Any) -> Frame:
    """List the lot closures and what each realized.

    One row per slice of an opening event against a closing event.
    """
    return book.matches(**filters)


@listing(*WHERE, *PERIOD, *STATE, "limit")
def history(book: "Book", **filters: Any) -> Frame:
    """List the closed positions, each from flat to flat."""
    return book.history(**filters)


@listing(*WHERE, *PERIOD, *STATE)
def pnl(
    book: "Book",
    *,
    by: Annotated[
        str,
        typer.Option(
            metavar="LIST", help="Any of account, month, year, date, symbol, strategy, instrument; by commas."
        ),
    ] = "account,month",
    **filters: Any,
) -> Frame:
    """Sum up realized profit and loss, income and fees."""
    return book.pnl(by=names(by), **filters)


@listing()
def runs(book: "Book") -> Frame:
    """List the commits to the log, and who made them.

    One row per file or batch that was recorded, and what became of its rows.
    """
    return book.runs()


@listing(*WHERE, *STATE, "limit")
def refusals(book: "Book", **filters: Any) -> Frame:
    """List the events that have no effect, and why.

    They are in the log, but the position at their time did not allow them.
    """
    return book.refusals(**filters)


@listing()
def records(
    book: "Book",
    *,
    outcome: Annotated[
        Text, typer.Option(metavar="OUTCOME", help="Only these: event, kept, conflict or reject.")
    ] = None,
) -> Frame:
    """List the rows of the sources as they were read.

    Rejects could not be used and conflicts are known ids that came with other content, each with the reason;
    kept rows are no events, but stored.
    """
    return book.source_records(outcome=outcome)


@listing()
def sql(
    book: "Book",
    *,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="One SELECT statement; - reads it from stdin.")],
) -> Frame:
    """Run a query over the book's tables.

    Nothing can be written, and no other file can be read.
    """
    return book.sql(sys.stdin.read() if query == "-" else query).pl()
