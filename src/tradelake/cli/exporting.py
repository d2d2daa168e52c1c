"""Commands that give a book to other programs, and take it back from there."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tradelake.cli.options import open_book
from tradelake.cli.streams import complain, emit, progress_bar

if TYPE_CHECKING:
    from tradelake.book import Exported

SCHEMA = "tradelake"
Schema = Annotated[str, typer.Option(metavar="SCHEMA", help="The schema of the database that is the twin.")]


def export_postgres(
    context: typer.Context,
    url: Annotated[
        str,
        typer.Argument(metavar="URL", help="The database: postgresql://... A password may come from ~/.pgpass."),
    ],
    since: Annotated[
        int | None,
        typer.Option(metavar="VERSION", help="Only what changed since; the twin has to stand there or later."),
    ] = None,
    schema: Schema = SCHEMA,
    include_archive: Annotated[
        bool, typer.Option("--include-archive", help="Export what is archived too, fetched where it is.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Make, or bring up to date, the twin of the book in PostgreSQL.

    The first export loads every table, with keys, references, checks, indexes and comments; each later one applies what
    has changed since. All of it is one transaction, and every table is compared with the book (rows, sums of all
    numbers, digests of the keys) before it is committed: a twin is never half a book, and an interrupted export is
    simply repeated. Credentials come from the URL, PGPASSWORD, ~/.pgpass or a service file.
    """
    with open_book(context, read_only=True, cold=include_archive) as book, progress_bar() as progress:
        done = book.export_postgres(url, schema=schema, since=since, progress=progress)
    for note in done.notes:
        complain(note)
    if json:
        from json import dumps

        emit(dumps(asdict(done)) + "\n")
        return
    emit(exported_text(done) + "\n")


def exported_text(done: "Exported") -> str:
    """Return what an export did in words."""
    if done.since == done.version:
        return f"{done.schema} has all of it already, up to event {done.sequence:,}, version {done.version:,}"
    rows = ", ".join(f"{count:,} {table}" for table, count in done.rows.items())
    since = "" if done.since is None else f", from version {done.since:,} on"
    return f"{done.schema} is the book up to event {done.sequence:,}, version {done.version:,}{since}\n  {rows}"


def import_postgres(context: typer.Context, urls: list[str], *, schema: str) -> None:
    """Fill an empty book with its twin."""
    if len(urls) != 1:
        raise typer.BadParameter("a book comes from one database: give one URL.")
    with open_book(context, read_only=False) as book, progress_bar() as progress:
        sequence = book.import_postgres(urls[0], schema=schema, progress=progress)
    emit(f"the log ends at {sequence:,}, and every commit is what it was\n")
