"""Commands of the audit: verify a book, and show where one event comes from."""

from pathlib import Path
from typing import Annotated

import typer

from tradelake.cli.options import Output, open_book, show, takes
from tradelake.cli.streams import complain, emit, progress_bar


@takes(output=Output)
def verify(
    context: typer.Context,
    output: Output,
    deep: Annotated[
        bool, typer.Option("--deep", help="Also compare positions, lots and matches with a rebuild of everything.")
    ] = False,
    tail: Annotated[
        bool, typer.Option("--tail", help="Only the commits since the last night, as the nightly job does.")
    ] = False,
    anchor: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The chain must pass through this head, which --export-head wrote before."),
    ] = None,
    cluster: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Let the workers of this Dask scheduler read and derive.")
    ] = None,
    export_head: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the head of the chain, to be kept elsewhere.")
    ] = None,
) -> None:
    """Verify that all is there as it was told.

    The hash chain is computed again from the first commit, over every table of what was told; the data files are
    compared with the catalog. Each finding names the commit, the table or file, and the row. The head is written only
    where nothing was found. Exit code 1: something was found.
    """
    if tail and (deep or anchor or export_head or cluster):
        raise typer.BadParameter(
            "--tail reads the last commits only: leave --deep, --anchor, --cluster and --export-head out."
        )
    form = output.form
    with open_book(context, read_only=True) as book, progress_bar() as progress:
        if cluster is None:
            found = book.verify_tail() if tail else book.verify(deep=deep, anchor=anchor, progress=progress)
        else:
            from tradelake.jobs.cluster import verify_on

            found = verify_on(cluster, book, deep=deep, anchor=anchor, progress=progress)
        if export_head is not None and found.clean:
            book.export_head(export_head)
    if form != "table" or not found.clean:
        show(found.frame(), form=form, title="findings")
    if form == "table":
        files = "" if tail else f", {_count(found.files, 'file')}"
        verdict = "as they were told" if found.clean else _count(len(found.findings), "finding")
        emit(f"{_count(found.runs, 'commit')}, {_count(found.rows, 'row')}{files}: {verdict}\n")
    for note in found.notes:
        complain(note)
    if not found.clean:
        raise typer.Exit(1)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"


@takes(output=Output)
def show_trade(
    context: typer.Context,
    trade: Annotated[str, typer.Argument(metavar="ID", help="The trade id of the event.")],
    output: Output,
) -> None:
    """Show one event, the source of it, and what came of it.

    Its rows of the log, the broker's own record, the commits with author, host, reason and file, the cancels and
    corrects that name it, and the lot closures that it is part of.
    """
    form = output.form
    with open_book(context, read_only=True, cold=True) as book:
        told = book.trade(trade)
    if form == "json":
        emit(told.json())
        return
    show(told.frame(), form=form, title="trade")
