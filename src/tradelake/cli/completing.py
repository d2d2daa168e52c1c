"""Completion in the shell: the script that a shell reads, and the words that depend on the book.

The protocol is typer's: the script calls `tradelake` with the variable _TRADELAKE_COMPLETE, and what it prints are the
words. Commands and options need no book; the values of some options are looked up in it, and where it cannot be opened
there are none.
"""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tradelake.cli.streams import emit
from tradelake.errors import TradelakeError

if TYPE_CHECKING:
    from tradelake.book import Book

PROGRAM = "tradelake"
VARIABLE = "_TRADELAKE_COMPLETE"
BOOK_DEFAULT = "book"
SOURCES = {
    "executions": "a file of executions: JSONL, CSV or Parquet",
    "ibkr-flex": "a Flex statement of Interactive Brokers, XML",
    "postgres": "the twin that `tradelake export postgres` has made",
}
VIEWS = ("tax", "economic")
METHODS = ("FIFO", "LIFO", "HIFO", "AVERAGE", "SPECIFIC")
GROUPS = ("account", "month", "year", "date", "symbol", "strategy", "instrument")
CHAIN_STATUSES = ("OPEN", "CLOSED")
BREAK_STATUSES = ("OPEN", "EXPLAINED", "ACCEPTED", "RESOLVED", "all")
TABLES = (
    *("positions", "trades", "lots", "matches", "history", "chains", "chain-positions", "pnl", "bridge", "ledger"),
    *("cash", "refusals", "tax-lots", "open-tax-lots", "snapshots", "account-snapshots", "marks", "accounts"),
    *("instruments", "strategies", "runs", "records"),
)
Words = Callable[..., list[Any]]
Shell = Literal["bash", "zsh", "fish"]


def completion(
    shell: Annotated[Shell, typer.Argument(metavar="SHELL", help="bash, zsh or fish.")],
) -> None:
    """Print the script that completes commands in a shell.

    Once for this shell: eval "$(tradelake completion bash)". For every new one, put that line into ~/.bashrc; for zsh
    into ~/.zshrc, after compinit; for fish, write the script to ~/.config/fish/completions/tradelake.fish.
    """
    from typer._completion_shared import get_completion_script

    emit(get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell) + "\n")


def ready() -> None:
    """Make the shells known to typer, where this process was called to complete a line."""
    if VARIABLE in os.environ:
        from typer._completion_classes import completion_init

        completion_init()


def of(words: Iterable[str]) -> Words:
    """Return what completes one of some words."""
    known = list(words)

    def complete(incomplete: str) -> list[Any]:
        return [word for word in known if word.startswith(incomplete)]

    return complete


def listed(words: Iterable[str]) -> Words:
    """Return what completes the last word of a list with commas."""
    known = list(words)

    def complete(incomplete: str) -> list[Any]:
        before, comma, last = incomplete.rpartition(",")
        return [f"{before}{comma}{word}" for word in known if word.startswith(last) and word not in before.split(",")]

    return complete


def source(incomplete: str) -> list[Any]:
    """Complete the source of an import, each with what it is."""
    return [(name, text) for name, text in SOURCES.items() if name.startswith(incomplete)]


def account(context: typer.Context, incomplete: str) -> list[Any]:
    """Complete an account of the book."""
    return _in_book(context, incomplete, lambda book: book.accounts()["account_id"].to_list())


def symbol(context: typer.Context, incomplete: str) -> list[Any]:
    """Complete a symbol that was traded."""
    return _in_book(context, incomplete, lambda book: sorted(set(book.instruments()["symbol"].to_list())))


def strategy(context: typer.Context, incomplete: str) -> list[Any]:
    """Complete a strategy that events have named."""
    return _in_book(context, incomplete, lambda book: book.strategies()["strategy_id"].to_list())


def open_break(context: typer.Context, incomplete: str) -> list[Any]:
    """Complete the id of a break that is not resolved."""
    return _in_book(context, incomplete, lambda book: book.breaks()["break_id"].to_list())


def _in_book(context: typer.Context, incomplete: str, look: Callable[["Book"], list[str]]) -> list[Any]:
    from tradelake import book

    target = context.find_root().params.get("book") or os.environ.get("TRADELAKE_BOOK") or BOOK_DEFAULT
    try:
        with book.open_book(str(target), read_only=True) as opened:
            return [word for word in look(opened) if word.startswith(incomplete)]
    except TradelakeError:
        return []  # a line is being typed: it is no place for a message, and the command will have it
