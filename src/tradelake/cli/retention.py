"""Commands of retention: what a policy asks for, and legal holds against it."""

from typing import TYPE_CHECKING, Annotated

import typer

from tradelake.cli.options import Frame, Output, Text, listing, open_book, show, takes, target_of
from tradelake.cli.streams import complain, emit, progress_bar

if TYPE_CHECKING:
    from tradelake.book import Book

Hot = Annotated[Text, typer.Option(metavar="TIME", help="How long months stay in the book, as '24 months'.")]
Cold = Annotated[Text, typer.Option(metavar="TIME", help="How long months are kept at all, as '7 years'.")]
Why = Annotated[str, typer.Option(metavar="TEXT", help="Why, for the audit trail.")]


@takes(output=Output)
def retention(context: typer.Context, output: Output, hot: Hot = None, cold: Cold = None) -> None:
    """Say what the retention policy asks for.

    The policy is in tradelake.toml, in [retention]. One row per month and table: archive where its hot time is over,
    delete where its cold time is, and keep where a hold prevents that. Nothing is changed: `retention apply` does it.
    """
    if context.invoked_subcommand is not None:
        return
    from tradelake.jobs.settings import policy_of

    policy = policy_of(target_of(context), hot=hot, cold=cold)
    with open_book(context, read_only=True) as book:
        found = book.retention(policy)
    _show(found, output, "nothing is due")


@takes(output=Output)
def apply_retention(
    context: typer.Context,
    output: Output,
    to: Annotated[
        Text,
        typer.Option(metavar="URL", help="Archive there what is past its hot time: a folder, s3://, gs://, az://."),
    ] = None,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete what is past its cold time, unless a hold keeps it.")
    ] = False,
    hot: Hot = None,
    cold: Cold = None,
) -> None:
    """Archive and delete what the policy of retention asks for.

    Only archived months are deleted, and for ever. A tombstone is put in their place first, and the book notes the
    leaves of the hash chain and how it stood, so that it still proves itself and answers; nothing that happened by then
    is recorded any more. An interrupted run is simply repeated.
    """
    if to is None and not delete:
        raise typer.BadParameter("give --to URL, --delete, or both; `tradelake retention` says what they would do.")
    from tradelake.jobs.settings import policy_of

    policy = policy_of(target_of(context), hot=hot, cold=cold)
    with open_book(context, read_only=False) as book, progress_bar() as progress:
        done = book.apply_retention(policy, to=to, delete=delete, progress=progress)
    _show(done, output, "nothing was due")


def _show(found: Frame, output: Output, nothing: str) -> None:
    if output.form == "table" and not found.height:
        emit(f"{nothing}\n")
        return
    show(found, form=output.form, title="retention")


@listing()
def holds(
    book: "Book",
    *,
    released: Annotated[bool, typer.Option("--released", help="Every step, those of released holds too.")] = False,
) -> Frame:
    """List the legal holds that are in force."""
    return book.holds(released=released)


def place_hold(
    context: typer.Context,
    reason: Why,
    account: Annotated[Text, typer.Option(metavar="ACCOUNT", help="Its events are kept.")] = None,
    symbol: Annotated[
        Text, typer.Option(metavar="SYMBOL", help="Events of this stock or underlying are kept, with its options.")
    ] = None,
) -> None:
    """Place a legal hold on an account, a symbol, or one in the other.

    A month with an event that is held is never deleted, as a whole, until the hold is released.
    """
    with open_book(context, read_only=False) as book:
        hold_id = book.hold(account=account, symbol=symbol, reason=reason)
    emit(f"{hold_id}\n")


def release_hold(
    context: typer.Context,
    hold_id: Annotated[str, typer.Argument(metavar="HOLD", help="The id of the hold.")],
    reason: Why,
) -> None:
    """Release a legal hold; who placed and released it, and why, stays."""
    with open_book(context, read_only=False) as book:
        book.release(hold_id, reason=reason)
    complain(f"{hold_id} is released; what it kept may be deleted when its time is over")
