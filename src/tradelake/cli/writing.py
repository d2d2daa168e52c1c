"""Commands that make a book, add accounts, and renew what follows from the log."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer

from tradelake.cli import completing
from tradelake.cli.options import Text, open_book, takes, target_of
from tradelake.cli.streams import complain, complain_about, emit, progress_bar
from tradelake.errors import InputError


def init(
    context: typer.Context,
    data: Annotated[
        Text,
        typer.Option(
            metavar="PLACE",
            help="Where the Parquet files go, if not beside the catalog: a folder, or s3://BUCKET/FOLDER.",
        ),
    ] = None,
) -> None:
    """Create an empty book."""
    from tradelake import book

    with book.create(target_of(context), data=data) as created:
        emit(f"created {created.url}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """One account to be added; its fields are columns of accounts."""

    account_id: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Our name of the account.")]
    broker_account_id: Annotated[
        Text,
        typer.Option("--broker", metavar="ID", help="The brokerage account that holds it; else its own name."),
    ] = None
    account_type: Annotated[Text, typer.Option("--type", metavar="TYPE", help="GEN, REV, COM or another role.")] = None
    parent_account_id: Annotated[
        Text, typer.Option("--parent", metavar="ACCOUNT", help="The account that it was forked from.")
    ] = None
    lot_method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="METHOD",
            help="Which lot a sale closes first.",
            autocompletion=completing.of(completing.METHODS),
        ),
    ] = "FIFO"
    allocation_pattern: Annotated[
        Text, typer.Option("--pattern", metavar="GLOB", help="Order references that belong here, as GEN-*.")
    ] = None
    allocation_default: Annotated[
        bool, typer.Option("--default", help="Takes the broker's rows that no pattern claims.")
    ] = False
    base_currency: Annotated[str, typer.Option("--currency", metavar="CURRENCY", help="Currency of the account.")] = (
        "USD"
    )


@takes(account=NewAccount)
def add_account(context: typer.Context, account: NewAccount) -> None:
    """Add an account; several may share one brokerage account."""
    row = {name: value for name, value in asdict(account).items() if value is not None}
    with open_book(context, read_only=False) as book:
        receipt = book.add_accounts([row])
    if not receipt.problems:
        emit(f"{account.account_id}: {'added' if receipt.accepted else 'is in the book already, unchanged'}\n")
    complain_about(receipt.problems, rest="")
    if not receipt.ok:
        raise typer.Exit(1)


def fold(context: typer.Context) -> None:
    """Bring the stored positions up to the end of the log.

    Reading never needs it: what is recorded after the last fold is folded in on the way.
    """
    with open_book(context, read_only=False) as book:
        book.fold()
        emit(f"folded up to sequence {book.sequence}\n")


def rebuild(
    context: typer.Context,
    check: Annotated[
        bool,
        typer.Option("--check", help="Only compare a rebuild with what is stored; exit 1 where they differ."),
    ] = False,
    cluster: Annotated[
        str | None,
        typer.Option("--cluster", metavar="ADDRESS", help="Let the workers of this Dask scheduler do it."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="FOLDER", help="Write the tables as Parquet there, and leave the book as it is."),
    ] = None,
    as_of: Annotated[str | None, typer.Option(metavar="WHEN", help="With --to: as things stood then.")] = None,
    as_known: Annotated[str | None, typer.Option(metavar="WHEN", help="With --to: as it was known then.")] = None,
) -> None:
    """Compute positions, lots and matches from the log anew."""
    if to is None and (as_of or as_known):
        raise InputError("--as-of and --as-known need a folder to write to: give --to FOLDER.")
    if to is not None and check:
        raise InputError("--check compares what is stored, and --to writes elsewhere: leave one of them out.")
    with open_book(context, read_only=check or to is not None) as book, progress_bar() as progress:
        if to is not None and cluster is None:
            report = book.export_past(to, as_of=as_of, as_known=as_known, progress=progress)
        elif cluster is None:
            report = book.rebuild(check=check, progress=progress)
        else:
            from tradelake.jobs.cluster import past_on, rebuild_on

            if to is None:
                report = rebuild_on(cluster, book, check=check, progress=progress)
            else:
                report = past_on(cluster, book, to, as_of=as_of, as_known=as_known, progress=progress)
    rows = ", ".join(f"{count:,} {table}" for table, count in report.rows.items())
    verdict = ("identical" if report.identical else "different") if check else "written" if to else "rebuilt"
    emit(f"{verdict} up to sequence {report.sequence}\n  {rows}\n")
    for note in report.notes:
        complain(note)
    complain_about(report.differences, rest="`tradelake rebuild` stores the tables anew.")
    if check and not report.identical:
        raise typer.Exit(1)


def scenario(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Scenario files or folders.", exists=True)],
) -> None:
    """Run scenario files.

    Each scenario is recorded in a book of its own, and what comes out is compared with what it expects.
    """
    from tradelake.jobs.scenario import run

    raise typer.Exit(run(paths))
