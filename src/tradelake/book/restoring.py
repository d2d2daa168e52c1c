"""Books from backups, and the rehearsal of that."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tradelake.book.facade import Book
from tradelake.book.shelf import applied_now
from tradelake.errors import InputError, StorageError
from tradelake.store import (
    BackupManifest,
    Target,
    manifest_kind,
    migrate,
    open_catalog,
    read_manifest,
    restore_backup,
    restored_target,
    verify_runs,
)
from tradelake.store.backup import KIND, PREFIX
from tradelake.store.cold_store import ColdStore
from tradelake.store.formats import pending
from tradelake.store.progress import Progress, no_progress

MANIFEST_SUFFIX = ".json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A book that was made of a backup: where it is, the last event of its log, and how many files it has.

    `manifest` is the name of the backup. `place` has no password, and is None after a rehearsal; `problems` then say
    what is wrong with the book that came out and is gone again. `format_version` is that of the book when it was
    backed up.
    """

    manifest: str
    place: str | None
    sequence: int
    files: int
    format_version: int
    problems: tuple[str, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether the book has to be brought to the present format before it is written to."""
        return bool(pending(self.format_version))


def restore_book(
    backup: str | Path, to: str | Path, *, data: str | Path | None = None, progress: Progress | None = None
) -> Restored:
    """Make a book of a backup, when everything was found to be what was copied.

    `backup` is a manifest, as a path or a URL, or the folder or URL that has it: then the newest there. `to` is an
    empty or new folder, or the URL of an empty database of PostgreSQL with `data` as the folder or the address on S3 of
    its files. Raises
    InputError where the manifest cannot be used or the place is not empty, BookExists, StorageError where the backup is
    damaged; then there is no book, and a repeat goes on.
    """
    objects, name = _found(str(backup))
    told = _told(objects, name)
    target = restored_target(told, to, data=data)
    _restore(told, objects, target, progress or no_progress)
    place = target.shown if target.kind == "postgres" else str(Path(target.catalog).parent)
    return Restored(
        manifest=name,
        place=place,
        sequence=int(told.head["sequence"]),
        files=len(told.files),
        format_version=told.format_version,
    )


def rehearse(backup: str | Path, *, beside: str | Path | None = None, progress: Progress | None = None) -> Restored:
    """Make a book of a backup in a temporary folder, compare it with a rebuild from its first event, and remove it.

    That of an earlier format is brought to the present one there.

    The folder is made in `beside`, or where the system keeps such folders; a book on PostgreSQL becomes one with a
    DuckDB catalog there. Raises as `restore_book` does.
    """
    objects, name = _found(str(backup))
    told = _told(objects, name)
    if beside is not None and not Path(beside).is_dir():
        raise InputError(f"{beside} is not a folder: name one that is there, to rehearse in it.")
    with tempfile.TemporaryDirectory(dir=beside, prefix="rehearsal-") as scratch:
        target = restored_target(told, Path(scratch) / "book")
        _restore(told, objects, target, progress or no_progress)
        catalog = open_catalog(target, migrating=True)
        migrate(catalog, applied_now())
        with Book(catalog) as book:
            report = book.rebuild(check=True, progress=progress)
            with catalog.transaction():
                chain = verify_runs(catalog).problems
    problems = (*chain, *report.differences)
    return Restored(
        manifest=name,
        place=None,
        sequence=report.sequence,
        files=len(told.files),
        format_version=told.format_version,
        problems=problems,
    )


def is_backup(source: str) -> bool:
    """Tell whether a manifest, or a folder or URL of some, is that of a backup; InputError where it cannot be read."""
    if "://" not in source and not Path(source).exists():
        return False
    objects, name = _found(source)
    return manifest_kind(_text(objects, name), where=name) == KIND


def _restore(told: BackupManifest, objects: ColdStore, target: Target, progress: Progress) -> None:
    try:
        restore_backup(told, objects, target, progress=progress)
    except OSError as error:
        raise StorageError(f"{target.data} cannot be written: {error.strerror}. Make room, and repeat it.") from error


def _found(backup: str) -> tuple[ColdStore, str]:
    """Return the store of a backup and the name of its manifest; InputError where there is none."""
    local = "://" not in backup
    path = str(Path(backup).expanduser().absolute()) if local else backup
    if path.endswith(MANIFEST_SUFFIX):
        folder, _, name = path.rpartition("/")
        if local and not Path(path).is_file():
            raise InputError(f"{backup} cannot be read as a manifest: there is no such file.")
        return ColdStore(folder or "/"), name
    if local and not Path(path).is_dir():
        raise InputError(f"{backup} is neither the manifest of a backup, which ends in .json, nor a folder of backups.")
    objects = ColdStore(path)
    names = objects.names(PREFIX)
    if not names:
        raise InputError(f"There is no backup at {objects.url}. Name the folder that `tradelake backup` was given.")
    return objects, names[-1]


def _told(objects: ColdStore, name: str) -> BackupManifest:
    return read_manifest(_text(objects, name), where=f"{objects.url}/{name}")


def _text(objects: ColdStore, name: str) -> str:
    try:
        return objects.read(name).decode()
    except UnicodeDecodeError as error:
        raise InputError(f"{objects.url}/{name} cannot be read as a manifest: {error}.") from error
