"""A book from a backup: everything is checked before anything is written, and the catalog gets its name last."""

import sqlite3
from dataclasses import asdict
from pathlib import Path

from tradelake.errors import InputError, StorageError
from tradelake.store.append import read_head
from tradelake.store.backup import BackupManifest, Kept, Progress
from tradelake.store.catalog import Catalog
from tradelake.store.lease import Lease
from tradelake.store.objects import Objects, file_digest, unfinished
from tradelake.store.opening import DATA_BESIDE, discard, draft_of, publish, refuse_existing
from tradelake.store.place import make_folder
from tradelake.store.session import METADATA
from tradelake.store.target import DATA_FOLDER, DUCKDB_FILE, SQLITE_FILE, Target
from tradelake.tables import BOOK_SETTINGS

FILES = {"sqlite": SQLITE_FILE, "duckdb": DUCKDB_FILE}


def restored_target(manifest: BackupManifest, folder: Path) -> Target:
    """Return where the book of a backup will be: the folder, with a catalog of its kind."""
    folder = folder.expanduser().absolute()
    return Target(manifest.catalog_kind, str(folder / FILES[manifest.catalog_kind]), f"{folder / DATA_FOLDER}/")


def damaged(manifest: BackupManifest, objects: Objects, *, progress: Progress) -> tuple[str, ...]:
    """Return what is wrong with the objects of a backup, a sentence for each: missing, or not what was copied."""
    kept = (manifest.catalog, *manifest.files)
    found = []
    for number, file in enumerate(kept):
        progress("check", number, len(kept))
        if objects.size(file.object) is None:
            found.append(f"{file.path}: {file.object} is missing")
        elif objects.digest(file.object) != file.sha256:
            found.append(f"{file.path}: {file.object} is not what was copied")
    return tuple(found)


def restore_backup(manifest: BackupManifest, objects: Objects, target: Target, *, progress: Progress) -> None:
    """Make the book of a backup at *target*, whose folder is empty, or has what an earlier attempt left.

    Raises StorageError where an object is missing or damaged, or the book that comes out stands elsewhere than the
    manifest says; InputError and BookExists where the folder is not free. Then there is no book, and a repeat goes on.
    """
    wrong = damaged(manifest, objects, progress=progress)
    if wrong:
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise StorageError(
            f"The backup cannot be restored: {wrong[0]}{more}. Nothing was written. Take another backup."
        )
    folder, data = Path(target.catalog).parent, Path(str(target.data))
    refuse_existing(folder)
    make_folder(data)
    with Lease(target).hold():
        refuse_existing(folder)
        draft = draft_of(target)
        discard(draft)
        _refuse_strangers(folder, {Path(draft.catalog), *(data / file.path for file in manifest.files)})
        for number, file in enumerate(manifest.files):
            progress("restore", number, len(manifest.files))
            _get(objects, file, data / file.path)
        _get(objects, manifest.catalog, Path(draft.catalog))
        if target.kind == "sqlite":
            with sqlite3.connect(draft.catalog) as catalog:
                catalog.execute("PRAGMA journal_mode = WAL")
            catalog.close()
        _settle(draft, manifest)
        publish(draft, target)
    progress("done", len(manifest.files), len(manifest.files))


def _settle(draft: Target, manifest: BackupManifest) -> None:
    """Tell the catalog where its files are now; StorageError where it does not stand where the manifest says."""
    catalog = Catalog(draft, read_only=False, attach_data=draft.data)
    try:
        catalog.execute(f"UPDATE {METADATA}.ducklake_metadata SET value = ? WHERE key = 'data_path'", [draft.data])
        if catalog.settings().get("data") != DATA_BESIDE:
            catalog.execute(f"UPDATE {BOOK_SETTINGS.name} SET value = ? WHERE name = 'data'", [DATA_BESIDE])
        found = {name: str(v) if name == "recorded_at" else v for name, v in asdict(read_head(catalog)).items()}
    finally:
        catalog.close()
    if found != manifest.head:
        raise StorageError(
            f"The catalog of the backup ends with event {found['sequence']} and {found['chain_hash']}, its manifest "
            f"says {manifest.head['sequence']} and {manifest.head['chain_hash']}. There is no book."
        )


def _get(objects: Objects, file: Kept, into: Path) -> None:
    if not (into.is_file() and into.stat().st_size == file.bytes and file_digest(into) == file.sha256):
        objects.get(file.object, into)
        if file_digest(into) != file.sha256:
            raise StorageError(f"{into} is not what was copied to it. Look at the disk, and repeat the command.")


def _refuse_strangers(folder: Path, files: set[Path]) -> None:
    """Raise InputError where the folder has files that no earlier attempt at this backup has left."""
    left = files | {unfinished(file) for file in files} | {folder / "writer.lock", folder / "night.lock"}
    strange = [file for file in folder.rglob("*") if file.is_file() and file not in left]
    if strange:
        raise InputError(f"{folder} is not empty: {strange[0].name} is there. Name a folder that is, or a new one.")
