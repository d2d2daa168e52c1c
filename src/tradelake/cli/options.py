"""What the commands share: options as records, the listing commands' switches, and the book they open.

A record of options is a dataclass whose fields carry their typer annotation. `takes` and `listing` turn a
function into a command with one option per field, so that every listing has the same switches.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from tradelake.cli import completing
from tradelake.cli.streams import complain, emit, screen

if TYPE_CHECKING:
    from tradelake.book import Book

Text = str | None
Frame = Any  # a Polars frame, which this room only hands from the book to `book.render`
Command = Callable[..., None]
Form = Literal["table", "json", "csv"]

PERIOD = ("since", "until")
WAITING = (
    "Another process is writing to {}: this waits for it, a minute at most. `tradelake doctor` says which one it is."
)
EMPTY = (
    "The log of this book is empty. Record something first: tradelake import ibkr-flex STATEMENT.xml, or "
    "tradelake import executions fills.csv."
)
STATE = ("as_of", "as_known")
VIEW = "view"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which rows a listing shows; every listing takes those that make sense for it."""

    account: Annotated[
        Text, typer.Option(metavar="ACCOUNT", help="Only this account.", autocompletion=completing.account)
    ] = None
    symbol: Annotated[
        Text,
        typer.Option(
            metavar="SYMBOL",
            help="Only this stock or underlying, with its options.",
            autocompletion=completing.symbol,
        ),
    ] = None
    strategy: Annotated[
        Text, typer.Option(metavar="STRATEGY", help="Only this strategy.", autocompletion=completing.strategy)
    ] = None
    since: Annotated[Text, typer.Option(metavar="DATE", help="Only from this trading day on, as YYYY-MM-DD.")] = None
    until: Annotated[
        Text, typer.Option(metavar="DATE", help="Only up to and with this trading day, as YYYY-MM-DD.")
    ] = None
    as_of: Annotated[
        Text, typer.Option(metavar="WHEN", help="As things stood then: a date, or an instant with offset.")
    ] = None
    as_known: Annotated[
        Text, typer.Option(metavar="WHEN", help="From what the book had been told by then, nothing later.")
    ] = None
    view: Annotated[
        str,
        typer.Option(
            metavar="VIEW",
            help="tax: premium of exercised options is in the stock; economic: the option has earned it.",
            autocompletion=completing.of(completing.VIEWS),
        ),
    ] = "tax"
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="At most so many rows.")] = None
    include_archive: Annotated[
        bool, typer.Option("--include-archive", help="Read what is archived too, where the answer reaches it.")
    ] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """How a listing is printed."""

    json: Annotated[bool, typer.Option("--json", help="Print a JSON array of objects, all columns.")] = False
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV, all columns.")] = False

    @property
    def form(self) -> Form:
        """The form that was asked for; asking for two is misuse."""
        if self.json and self.csv:
            raise typer.BadParameter("--json and --csv exclude each other: give one of them.")
        if self.json:
            return "json"
        return "csv" if self.csv else "table"


def takes(**records: type) -> Callable[[Command], Command]:
    """Return a decorator: each parameter named here, a record of options, becomes one option per field."""

    def decorate(function: Command) -> Command:
        @functools.wraps(function)
        def command(**given: Any) -> None:
            built = {
                name: record(**{field.name: given.pop(field.name) for field in fields(record)})
                for name, record in records.items()
            }
            function(**given, **built)

        own = [p for p in inspect.signature(function).parameters.values() if p.name not in records]
        options = [option for record in records.values() for option in _options(record)]
        return _signed(command, [*own, *options])

    return decorate


def listing(*filters: str) -> Callable[[Callable[..., Frame]], Command]:
    """Return a decorator: a function of an open book and filters becomes a command that prints its frame.

    The command has the function's own keyword-only options, the *filters* and the output switches. It opens
    the book for reading. The name of the function is the title of the listing.
    """

    def decorate(function: Callable[..., Frame]) -> Command:
        @functools.wraps(function)
        def command(*, context: typer.Context, json: bool, csv: bool, include_archive: bool, **given: Any) -> None:
            if context.invoked_subcommand is not None:
                return
            form = Output(json=json, csv=csv).form
            with open_book(context, read_only=True, cold=include_archive) as book:
                frame = function(book, **given)
                show(frame, form=form, title=function.__name__.replace("_", "-"))
                if form == "table" and frame.is_empty() and (said := _why_empty(book, function.__name__, given)):
                    complain(said)

        context = inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
        own = [p for p in inspect.signature(function).parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY]
        chosen = [option for option in _options(Filters) if option.name in (*filters, "include_archive")]
        return _signed(command, [context, *own, *chosen, *_options(Output)])

    return decorate


def open_book(context: typer.Context, *, read_only: bool, cold: bool = False) -> "Book":
    """Open the book that the command line names; with *cold* its answers include what is archived."""
    from tradelake import book

    opened = book.open_book(target_of(context), read_only=read_only, cold=cold)
    if not read_only:
        opened.when_waiting(lambda: complain(WAITING.format(opened.url)))
    return opened


def target_of(context: typer.Context) -> str:
    """Return the path or URL of the book that the command line names."""
    return str(context.find_root().obj)


def show(frame: Frame, *, form: Form, title: str) -> None:
    """Print a frame on standard output; colours and the screen's own width only on a terminal."""
    from tradelake import book

    terminal, width = screen()
    emit(book.render(frame, form=form, title=title, width=width, color=terminal))


def _why_empty(book: "Book", title: str, given: dict[str, Any]) -> str:
    """Return what to say of a listing without rows: an empty log, or a filter that names nothing; or empty."""
    from tradelake.cli.unknown import unknown

    if not book.sequence:
        return "" if title == "accounts" else EMPTY
    return unknown(book, given)


def _options(record: type) -> list[inspect.Parameter]:
    hints = get_type_hints(record, include_extras=True)
    signature = inspect.signature(record)
    return [p.replace(annotation=hints[name]) for name, p in signature.parameters.items()]


def _signed(command: Command, parameters: list[inspect.Parameter]) -> Command:
    """Give *command* the signature that typer reads its options from."""
    keywords = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    command.__dict__["__signature__"] = inspect.Signature(keywords)
    command.__annotations__ = {p.name: p.annotation for p in keywords}
    return command
