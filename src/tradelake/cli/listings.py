"""Commands that print rows: each is one reading method of the book."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tradelake.cli import completing
from tradelake.cli.options import PERIOD, STATE, VIEW, Frame, Text, listing
from tradelake.cli.streams import complain_about

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
    """List what was traded: stocks, options, their terms."""
    return book.instruments(**filters)


@listing(*WHERE, *PERIOD, *STATE, "limit")
def trades(
    book: "Book",
    *,
    kinds: Annotated[
        Text,
        typer.Option(metavar="LIST", help="Any kinds of event, by commas: trade, exercise, cash, split, transfer ..."),
    ] = None,
    in_effect: Annotated[
        bool, typer.Option("--in-effect", help="As the events count: without cancelled ones, with corrections applied.")
    ] = False,
    **filters: Any,
) -> Frame:
    """List the trade log, leg by leg.

    It has all that was told but cash movements, which come with --kinds. Quantity is positive, the direction
    is in the action; the table says BTO, STO, BTC, STC for buy or sell to open or close. Net is the cash that
    came in (+) or went out (-), after charges. State says what a later cancel or correct has made of an event.
    """
    return book.trades(kinds=None if kinds is None else names(kinds), in_effect=in_effect, **filters)


@listing(*WHERE, *PERIOD, *STATE, VIEW, "limit")
def positions(book: "Book", **filters: Any) -> Frame:
    """List the open positions.

    One row per account and instrument that is not flat; the quantity of a short position is negative.
    """
    return book.positions(**filters)


@listing(*WHERE, *PERIOD, *STATE, VIEW, "limit")
def lots(book: "Book", **filters: Any) -> Frame:
    """List the open lots.

    One row per opening event and what is still open of it, oldest first.
    """
    return book.lots(**filters)


@listing(*WHERE, *PERIOD, *STATE, VIEW, "limit")
def matches(book: "Book", **filters: Any) -> Frame:
    """List the lot closures and what each realized.

    One row per slice of an opening event against a closing event.
    """
    return book.matches(**filters)


@listing(*WHERE, *PERIOD, *STATE, VIEW, "limit")
def history(book: "Book", **filters: Any) -> Frame:
    """List the closed positions, each from flat to flat."""
    return book.history(**filters)


@listing(*WHERE, *PERIOD, *STATE, VIEW)
def pnl(
    book: "Book",
    *,
    by: Annotated[
        str,
        typer.Option(
            metavar="LIST",
            help="Any of account, month, year, date, symbol, strategy, instrument; by commas.",
            autocompletion=completing.listed(completing.GROUPS),
        ),
    ] = "account,month",
    **filters: Any,
) -> Frame:
    """Sum up realized profit and loss, income and fees."""
    return book.pnl(by=names(by), **filters)


STATUS = Annotated[
    Text,
    typer.Option(metavar="STATUS", help="OPEN or CLOSED.", autocompletion=completing.of(completing.CHAIN_STATUSES)),
]


@listing("account", "symbol", *STATE, VIEW)
def chains(book: "Book", *, status: STATUS = None, **filters: Any) -> Frame:
    """List chains: rolls, spreads, wheels as one campaign.

    A chain is a set of positions of one account, so the profit of all chains is the profit of the account. Credit is
    the option premium that it took in, net of what was paid and of charges.
    """
    asked = {name: filters[name] for name in ("account", "as_of", "as_known")}
    complain_about(book.chain_problems(**asked), rest="Book.chain_problems lists them.")
    return book.chains(status=status, **filters)


@listing("account", "symbol", *STATE, VIEW)
def chain_positions(
    book: "Book",
    *,
    chain: Annotated[Text, typer.Option(metavar="CHAIN", help="Only of this chain: its id or name.")] = None,
    status: STATUS = None,
    **filters: Any,
) -> Frame:
    """List the positions of chains, open and closed."""
    return book.chain_positions(chain=chain, status=status, **filters)


@listing("account", *STATE)
def bridge(book: "Book", **filters: Any) -> Frame:
    """Show what lies between the tax and the economic view.

    One row per account and currency: what each view realized, and the premium of exercised options that open lots
    still carry. Difference and carried premium sum to zero where nothing was transferred.
    """
    return book.bridge(**filters)


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
