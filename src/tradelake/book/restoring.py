"""Books from backups, and the rehearsal of that."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tradelake.book.facade import Book
from tradelake.book.shelf import Progress, no_progress
from tradelake.errors import InputError, StorageError
from tradelake.store import (
    BackupManifest,
    Folder,
    open_catalog,
    read_manifest,
    restore_backup,
    restored_target,
    verify_runs,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A book that was made of a backup: where it is, the last event of its log, and how many files it has.

    `folder` is None after a rehearsal; `problems` then say what is wrong with the book that came out and is gone again.
    """

    folder: Path | None
    sequence: int
    files: int
    problems: tuple[str, ...] = ()


def restore_book(manifest: str | Path, to: str | Path, *, progress: Progress | None = None) -> Restored:
    """Make a book of a backup in an empty or new folder, when everything was found to be what was copied.

    Raises InputError where the manifest cannot be used or the folder is not empty, BookExists, StorageError where the
    backup is damaged; then there is no book, and a repeat goes on.
    """
    file, folder = Path(manifest), Path(to).expanduser().absolute()
    told = read_manifest(manifest_text(file), where=str(file))
    _restore(told, file, folder, progress or no_progress)
    return Restored(folder=folder, sequence=int(told.head["sequence"]), files=len(told.files))


def rehearse(manifest: str | Path, *, beside: str | Path | None = None, progress: Progress | None = None) -> Restored:
    """Make a book of a backup in a temporary folder, compare it with a rebuild from its first event, and remove it.

    The folder is made in `beside`, or where the system keeps such folders. Raises as `restore_book` does.
    """
    file = Path(manifest)
    told = read_manifest(manifest_text(file), where=str(file))
    with tempfile.TemporaryDirectory(dir=beside, prefix="rehearsal-") as scratch:
        folder = Path(scratch) / "book"
        _restore(told, file, folder, progress or no_progress)
        catalog = open_catalog(restored_target(told, folder))
        with Book(catalog) as book:
            report = book.rebuild(check=True, progress=progress)
            with catalog.transaction():
                chain = verify_runs(catalog).problems
    problems = (*chain, *report.differences)
    return Restored(folder=None, sequence=report.sequence, files=len(told.files), problems=problems)


def manifest_text(file: Path) -> str:
    """Return the text of a manifest; InputError where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read as a manifest: {error}.") from error


def _restore(told: BackupManifest, file: Path, folder: Path, progress: Progress) -> None:
    try:
        restore_backup(told, Folder(file.absolute().parent), restored_target(told, folder), progress=progress)
    except OSError as error:
        raise StorageError(f"{folder} cannot be written: {error.strerror}. Make room, and repeat it.") from error
