"""Commands that move months of the log to cold storage and back."""

from typing import TYPE_CHECKING, Annotated

import typer

from tradelake.cli.options import Frame, Output, listing, open_book, show, takes, target_of
from tradelake.cli.streams import complain, emit, progress_bar

if TYPE_CHECKING:
    from tradelake.book import Book


@takes(output=Output)
def archive(
    context: typer.Context,
    before: Annotated[str, typer.Option(metavar="DATE", help="Months that end before this day go.")],
    to: Annotated[str, typer.Option(metavar="URL", help="A folder, or s3://, gs:// or az:// with a folder.")],
    output: Output,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; change nothing.")] = False,
) -> None:
    """Move old months of the log to cold storage.

    Each month is written, put there, read back and proven by its SHA-256, and only then leaves the book. An interrupted
    run is simply repeated. Positions, lots, matches and history stay as they are; a question that needs archived events
    says so, and answers with --include-archive. A lock that tradelake.toml asks for in [retention] is put on the files.
    """
    form = output.form
    from tradelake.jobs.settings import lock_of

    lock = lock_of(target_of(context))
    with open_book(context, read_only=False) as book, progress_bar() as progress:
        done = book.archive(before, to, dry_run=dry_run, lock=lock, progress=progress)
    if form == "table" and not done.height:
        emit(f"nothing to archive before {before}\n")
        return
    show(done, form=form, title="archive")
    if form == "table":
        what = "would go" if dry_run else "are archived"
        complain(f"{done['events'].sum():,} events of {done.height:,} months {what}")


@listing()
def archives(book: "Book") -> Frame:
    """List the files of the book in cold storage."""
    return book.archives()
