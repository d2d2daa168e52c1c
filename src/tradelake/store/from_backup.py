"""A book from a backup: everything is looked at before anything is written, and the catalog is there last.

A local catalog gets its name when all of it is on disk; in PostgreSQL it is written in one transaction. Objects on this
machine are read before anything is written; of those elsewhere only the sizes are looked at, since each is proven by
its SHA-256 when it is fetched, and would be fetched twice. What an attempt that broke off has fetched is proven, and
kept.
"""

import re
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from tradelake.errors import InputError, StorageError
from tradelake.store.backup import OBJECTS, BackupManifest, Kept
from tradelake.store.catalog import Catalog
from tradelake.store.cold_store import ColdStore, digest_of
from tradelake.store.durable import sync_folder
from tradelake.store.foreign import not_synced
from tradelake.store.frozen import told_head
from tradelake.store.lease import Lease
from tradelake.store.opening import (
    DATA_BESIDE,
    DATA_ELSEWHERE,
    discard,
    draft_of,
    lake_on_server,
    publish,
    refuse_existing,
)
from tradelake.store.place import make_folder
from tradelake.store.progress import Progress
from tradelake.store.session import METADATA
from tradelake.store.target import (
    DATA_FOLDER,
    DUCKDB_FILE,
    POSTGRES_PREFIXES,
    SQLITE_FILE,
    Target,
    is_remote,
    parse_target,
)
from tradelake.store.transcribe import transcribe, types_of
from tradelake.tables import BOOK_SETTINGS

FILES = {"sqlite": SQLITE_FILE, "duckdb": DUCKDB_FILE}
UNFINISHED = re.compile(r"\.\d+\.part$")


def restored_target(manifest: BackupManifest, to: str | Path, *, data: str | Path | None = None) -> Target:
    """Return where the book of a backup will be: a folder, with a catalog of its kind, or a database and a data folder.

    InputError for a database without a data folder, for a folder with one, and for a place of another kind.
    """
    if str(to).startswith(POSTGRES_PREFIXES):
        if data is None:
            raise InputError(
                "A book on PostgreSQL needs a folder for its files: give data=FOLDER (--data FOLDER), or "
                "data=s3://BUCKET/FOLDER."
            )
        return parse_target(str(to), data=data)
    if data is not None:
        raise InputError("The data of a local book are restored beside its catalog: leave data=FOLDER (--data) out.")
    if "://" in str(to):
        parse_target(str(to))
    folder = Path(to).expanduser().absolute()
    return Target(manifest.catalog_kind, str(folder / FILES[manifest.catalog_kind]), f"{folder / DATA_FOLDER}/")


def damaged(manifest: BackupManifest, objects: ColdStore, *, progress: Progress) -> tuple[str, ...]:
    """Return what is wrong with the objects of a backup, a sentence for each: missing, or not what was copied."""
    kept = (manifest.catalog, *manifest.files)
    sizes, local, found = objects.sizes(OBJECTS), objects.path("") is not None, []
    for number, file in enumerate(kept):
        progress("check", number, len(kept))
        if file.object not in sizes:
            found.append(f"{file.path}: {file.object} is missing")
        elif sizes[file.object] != file.bytes or (local and not objects.has(file.object, file.sha256)):
            found.append(f"{file.path}: {file.object} is not what was copied")
    return tuple(found)


def restore_backup(manifest: BackupManifest, objects: ColdStore, target: Target, *, progress: Progress) -> None:
    """Make the book of a backup at *target*, which is empty, or has what an earlier attempt left.

    Raises StorageError where an object is missing or damaged, or the book that comes out stands elsewhere than the
    manifest says; InputError and BookExists where the place is not free. Then there is no book, and a repeat goes on.
    """
    wrong = damaged(manifest, objects, progress=progress)
    if wrong:
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise StorageError(
            f"The backup cannot be restored: {wrong[0]}{more}. Nothing was written. Take another backup."
        )
    if target.kind == "postgres":
        _restore_on_server(manifest, objects, target, progress)
    else:
        _restore_locally(manifest, objects, target, progress)
    progress("done", len(manifest.files), len(manifest.files))


def _restore_locally(manifest: BackupManifest, objects: ColdStore, target: Target, progress: Progress) -> None:
    folder, data = Path(target.catalog).parent, Path(str(target.data))
    refuse_existing(folder)
    make_folder(data)
    with Lease(target).hold():
        refuse_existing(folder)
        draft = draft_of(target)
        discard(draft)
        _refuse_strangers(manifest, folder, data)
        _get_files(manifest, objects, data, progress)
        _get_catalog(manifest, objects, draft, DATA_BESIDE)
        publish(draft, target)


def _restore_on_server(manifest: BackupManifest, objects: ColdStore, target: Target, progress: Progress) -> None:
    data = str(target.data)
    with Lease(target).hold():
        if is_remote(data):
            there = ColdStore(data)
            _refuse_others(manifest, there)
            lake_on_server(target).close()
            _carry_files(manifest, objects, there, progress)
        else:
            _refuse_strangers(manifest, Path(data), Path(data))
            lake_on_server(target).close()
            make_folder(Path(data))
            _get_files(manifest, objects, Path(data), progress)
        with tempfile.TemporaryDirectory(prefix="tradelake-") as scratch:
            draft = Target(manifest.catalog_kind, str(Path(scratch) / "catalog"), target.data)
            _get_catalog(manifest, objects, draft, DATA_ELSEWHERE)
            with closing(Catalog(draft, read_only=True)) as settled:
                types = types_of(settled)
            try:
                sync_folder(data)
            except OSError as error:
                raise not_synced(data, error) from error
            transcribe(draft, target, types)


def _get_catalog(manifest: BackupManifest, objects: ColdStore, draft: Target, where: str) -> None:
    """Fetch the catalog and tell it where its files are now; StorageError where it is not what the manifest says."""
    _get(objects, manifest.catalog, Path(draft.catalog))
    if draft.kind == "sqlite":
        with closing(sqlite3.connect(draft.catalog)) as file:
            file.execute("PRAGMA journal_mode = WAL")
    with closing(Catalog(draft, read_only=False, attach_data=draft.data)) as catalog:
        catalog.execute(f"UPDATE {METADATA}.ducklake_metadata SET value = ? WHERE key = 'data_path'", [draft.data])
        if catalog.settings().get("data") != where:
            catalog.execute(f"UPDATE {BOOK_SETTINGS.name} SET value = ? WHERE name = 'data'", [where])
        found = told_head(catalog)
    if found != manifest.head:
        raise StorageError(
            f"The catalog of the backup ends with event {found['sequence']} and {found['chain_hash']}, its manifest "
            f"says {manifest.head['sequence']} and {manifest.head['chain_hash']}. There is no book."
        )


def _refuse_strangers(manifest: BackupManifest, folder: Path, data: Path) -> None:
    """Raise InputError where a folder has files that no attempt at this backup has left; remove what is unfinished."""
    wanted = {data / file.path for file in manifest.files}
    left = wanted | {folder / "writer.lock", folder / "night.lock"}
    files = [file for file in folder.rglob("*") if file.is_file() and file not in left]
    strange = [file for file in files if file.with_name(UNFINISHED.sub("", file.name)) not in wanted]
    if strange:
        raise InputError(f"{folder} is not empty: {strange[0].name} is there. Name a folder that is, or a new one.")
    for unfinished in files:
        unfinished.unlink()


def _get_files(manifest: BackupManifest, objects: ColdStore, data: Path, progress: Progress) -> None:
    for number, kept in enumerate(manifest.files):
        progress("restore", number, len(manifest.files))
        _get(objects, kept, data / kept.path)


def _refuse_others(manifest: BackupManifest, there: ColdStore) -> None:
    """Raise InputError where a folder of a bucket has objects that no attempt at this backup has left."""
    strange = sorted({*there.sizes("")} - {file.path for file in manifest.files})
    if strange:
        raise InputError(f"{there.url} is not empty: {strange[0]} is there. Name a folder that is, or a new one.")


def _carry_files(manifest: BackupManifest, objects: ColdStore, there: ColdStore, progress: Progress) -> None:
    """Put the files of a backup into a bucket, each proven here and read back there."""
    for number, kept in enumerate(manifest.files):
        progress("restore", number, len(manifest.files))
        with tempfile.TemporaryDirectory(prefix="tradelake-") as scratch:
            here = Path(scratch) / "file"
            if not there.has(kept.path, kept.sha256):
                objects.get(kept.object, kept.sha256, here)
                there.put(kept.path, here, kept.sha256)


def _get(objects: ColdStore, file: Kept, into: Path) -> None:
    if not (into.is_file() and into.stat().st_size == file.bytes and digest_of(into) == file.sha256):
        objects.get(file.object, file.sha256, into)
