"""Commands that keep a book: maintenance, backup and restore."""

import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tradelake.cli.options import open_book, target_of
from tradelake.cli.streams import complain, complain_about, emit, progress_bar

if TYPE_CHECKING:
    from tradelake.book import Maintained

MONTH = re.compile(r"\d{4}-\d{2}")
Json = Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")]


def maintain(
    context: typer.Context,
    keep_versions: Annotated[
        float | None,
        typer.Option(metavar="DAYS", min=0, help="Give up versions of the catalog that are older; 7 by default."),
    ] = None,
    keep_files: Annotated[
        float | None,
        typer.Option(metavar="DAYS", min=0, help="Remove files that no version has needed for longer; 1 by default."),
    ] = None,
    keep_orphans: Annotated[
        float | None,
        typer.Option(metavar="HOURS", min=0, help="Remove files of writers that died that are older; 1 by default."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    json: Json = False,
) -> None:
    """Write rows to files, merge small ones, remove old ones.

    Rows inside the catalog become files, small files and files with many deleted rows are written anew, old versions
    are given up, and files are removed that no version needs, or that a writer left that was killed. Readers and
    writers go on meanwhile, and nothing that is read changes: rows and control totals are compared at each step. What
    is kept can be set in tradelake.toml, in [maintenance].
    """
    from tradelake.jobs.settings import upkeep_of

    upkeep = upkeep_of(target_of(context), versions=keep_versions, files=keep_files, orphans=keep_orphans)
    with open_book(context, read_only=False) as book:
        done = book.maintain(upkeep=upkeep, dry_run=dry_run)
    if json:
        from json import dumps

        emit(dumps(asdict(done)) + "\n")
        return
    emit(("would be done: " if dry_run else "") + maintained_text(done) + "\n")


def maintained_text(done: "Maintained") -> str:
    """Return what maintenance did as one line."""
    return (
        f"{done.rows_flushed:,} rows written to files, {done.files_merged:,} small files merged, "
        f"{done.files_rewritten:,} rewritten, {done.versions_expired:,} versions given up, "
        f"{done.files_removed:,} files and {done.orphans_removed:,} orphans removed ({done.bytes_removed:,} bytes)"
    )


def backup(
    context: typer.Context,
    to: Annotated[str, typer.Option(metavar="URL", help="A folder, or s3://, gs:// or az:// with a folder.")],
    json: Json = False,
) -> None:
    """Copy the book to a folder, while others work on it.

    The folder keeps any number of backups: what an earlier one has is not copied again, and all is read back. The
    backup is the manifest that is written last, and named; `tradelake restore` makes a book of it.
    """
    with open_book(context, read_only=True) as book, progress_bar() as progress:
        done = book.backup(to, progress=progress)
    manifest = f"{to.rstrip('/')}/{done.manifest}"
    if json:
        from json import dumps

        emit(dumps({**asdict(done), "manifest": manifest}) + "\n")
        return
    emit(
        f"{manifest}\n  the log ends at {done.sequence:,}; {done.files:,} files, {done.bytes:,} bytes, "
        f"of which {done.files_copied:,} files and {done.bytes_copied:,} bytes were copied\n"
    )


def restore(
    context: typer.Context,
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="Archived months (2026-01) or manifests; or a backup's, or a folder or URL of backups.",
        ),
    ],
    to: Annotated[
        str | None,
        typer.Option(metavar="PATH_OR_URL", help="Of a backup: an empty or new folder, or postgresql://..."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="PATH_OR_URL", help="Of a backup that goes to PostgreSQL: where its files go."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Rehearse: compare all of it in a temporary folder; change nothing.")
    ] = False,
) -> None:
    """Bring archived months back, or make a book of a backup.

    A backup is named by its manifest, or by its folder or URL for the newest there, and --to. Everything is compared
    with the manifests before the book is there; a book that was restored in part does not open, and a month that was
    broken off is not there: repeat the command. With --check a backup becomes a book in a temporary folder (made in the
    folder --to where it is given) and is compared with a rebuild; the files of archived months are fetched, proven and
    added up. Exit code 1: the rehearsal has found a difference.
    """
    if to is not None or data is not None or _is_backup(source):
        if len(source) != 1:
            raise typer.BadParameter("--to makes a book of one backup: give the manifest of one.")
        _restore_backup(source[0], to, data, check=check)
        return
    with open_book(context, read_only=check) as book, progress_bar() as progress:
        if check:
            problems = book.check_archives(source, progress=progress)
            complain_about(problems, rest="")
            emit("different\n" if problems else "every file is what its manifest says\n")
            if problems:
                raise typer.Exit(1)
            return
        found = book.restore(source, progress=progress)
    events = found.filter(table_name="trade_log")
    emit(f"{events['rows'].sum():,} events of {events.height:,} months are in the book again\n")


def _is_backup(source: list[str]) -> bool:
    from tradelake import book

    return len(source) == 1 and not MONTH.fullmatch(source[0]) and book.is_backup(source[0])


def _restore_backup(source: str, to: str | None, data: str | None, *, check: bool) -> None:
    from tradelake import book

    with progress_bar() as progress:
        if check:
            if data is not None or "://" in (to or ""):
                raise typer.BadParameter(
                    "--check makes the book in a temporary folder: --to may name one to make it in."
                )
            done = book.rehearse(source, beside=to, progress=progress)
        elif to is None:
            raise typer.BadParameter("--to says where the book is to be made; --check needs none.")
        else:
            done = book.restore_book(source, to, data=data, progress=progress)
    if done.place is not None:
        emit(f"restored to {done.place}\n")
    emit(f"  {done.manifest}: the log ends at {done.sequence:,}; {done.files:,} files\n")
    if done.place is not None and done.pending:
        complain(
            f"The book has format {done.format_version}, as when it was backed up: bring it to the present one with "
            f"`tradelake --book {done.place} migrations apply`."
        )
    if check:
        emit("different\n" if done.problems else "the same as a rebuild, and the chain holds\n")
    complain_about(done.problems, rest="")
    if done.problems:
        raise typer.Exit(1)
