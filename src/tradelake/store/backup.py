"""A backup: a copy of a book at one commit, taken while writers work, and the book that is made of it again.

Problem: catalog and Parquet files have to belong to the same commit, and copying all files under the lease would keep
writers waiting.

Decision: under the lease only the catalog is copied, with the list of the files that it names. Those never change, and
maintenance leaves them for longer than a copy takes, so they are copied afterwards. Every object is kept under its
SHA-256, so that a file that an earlier backup has is not copied again. The manifest comes last, when all else is on
disk: a backup without one is none. A restore checks every object before it writes anything, and gives the catalog its
name at the end: a book that was restored in part does not open.

Limit: what a writer commits after the lease was given back is not in the backup. A SQLite catalog is copied by another
process, because closing a second handle to the file in this one would release the locks of the first. Books on
PostgreSQL are left to the tools of the server.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from tradelake.errors import InputError, StorageError
from tradelake.store.append import read_head
from tradelake.store.catalog import FORMAT_VERSION, Catalog
from tradelake.store.literals import literal
from tradelake.store.objects import Objects, file_digest
from tradelake.store.session import METADATA

KIND = "backup"
MANIFEST_VERSION = 1
PREFIX = "backup-"
LocalKind = Literal["sqlite", "duckdb"]
Progress = Callable[[str, int, int], None]
COPY_SQLITE = (
    "import sqlite3, sys; a = sqlite3.connect(sys.argv[1]); b = sqlite3.connect(sys.argv[2]); "
    "a.backup(b); b.execute('PRAGMA journal_mode = DELETE'); b.close(); a.close()"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of a backup: its path below the data folder, its bytes and its SHA-256, which names the object."""

    path: str
    bytes: int
    sha256: str

    @property
    def object(self) -> str:
        """The name of the object that has its content."""
        return f"objects/{self.sha256[:2]}/{self.sha256}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupManifest:
    """What a backup consists of: the head of the log, the catalog, and the files that it names."""

    created_at: str
    format_version: int
    book_id: str | None
    catalog_kind: LocalKind
    head: Mapping[str, str | int]
    catalog: Kept
    files: tuple[Kept, ...]

    def text(self) -> str:
        """Return the manifest as JSON, with the SHA-256 of all the rest of it."""
        told = {"kind": KIND, "manifest_version": MANIFEST_VERSION, **asdict(self)}
        return json.dumps({**told, "manifest_sha256": _own_digest(told)}, indent=1) + "\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackedUp:
    """A backup that was taken: the name of its manifest, where the log stood, and what had to be copied."""

    manifest: str
    sequence: int
    files: int
    bytes: int
    files_copied: int
    bytes_copied: int


def back_up(catalog: Catalog, objects: Objects, *, scratch: Path, created_at: str, progress: Progress) -> BackedUp:
    """Copy a book into a store of objects; writers wait only while the catalog is copied.

    `scratch` is a folder for the copy of the catalog; `created_at` is an instant as ISO 8601. Raises InputError for a
    book on PostgreSQL, StorageError where something cannot be read or written, or a file was removed
    meanwhile.
    """
    kind = catalog.target.kind
    if kind == "postgres":
        raise InputError(
            f"{catalog.target.shown} is not a local book. Copy its database with pg_dump first, and its data folder "
            "afterwards, within a day: files are not changed, and are removed a day after nothing needs them."
        )
    known = _known(objects)
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".") as folder:
        copy = Path(folder) / "catalog"
        with catalog.lease.hold():
            _copy_catalog(catalog, kind, copy)
            head = {name: str(v) if name == "recorded_at" else v for name, v in asdict(read_head(catalog)).items()}
            settings, paths = catalog.settings(), data_paths(catalog)
        kept_catalog = Kept("catalog", copy.stat().st_size, file_digest(copy))
        copied = [kept_catalog] if objects.size(kept_catalog.object) != kept_catalog.bytes else []
        for new in copied:
            _put(objects, new, copy)
    files = []
    for number, path in enumerate(paths):
        progress("copy", number, len(paths))
        kept = known.get(path)
        if kept is None or objects.size(kept.object) != kept.bytes:
            kept, put = _copied(catalog, path, objects, scratch)
            copied += [kept] if put else []
        files.append(kept)
    manifest = BackupManifest(
        created_at=created_at,
        format_version=int(settings["format_version"]),
        book_id=settings.get("book_id"),
        catalog_kind=kind,
        head=head,
        catalog=kept_catalog,
        files=tuple(files),
    )
    name = PREFIX + created_at.replace("-", "").replace(":", "").replace("+0000", "Z") + ".json"
    objects.write(name, manifest.text().encode())
    progress("done", len(paths), len(paths))
    return BackedUp(
        manifest=name,
        sequence=int(head["sequence"]),
        files=len(files),
        bytes=sum(kept.bytes for kept in (kept_catalog, *files)),
        files_copied=len([kept for kept in copied if kept is not kept_catalog]),
        bytes_copied=sum(kept.bytes for kept in copied),
    )


def _copied(catalog: Catalog, path: str, objects: Objects, scratch: Path) -> tuple[Kept, bool]:
    """Return a data file as it is kept, and whether it had to be put."""
    source = catalog.data_folder + path
    size = catalog.place.size(source)
    if size is None:
        raise StorageError(f"{source} was removed while it was to be copied. Take the backup again.")
    with tempfile.TemporaryDirectory(dir=scratch, prefix=".") as folder:
        here = Path(source)
        if not catalog.place.local:
            here = Path(folder) / "file"
            catalog.place.copy(source, here)
        kept = Kept(path, size, file_digest(here))
        if objects.size(kept.object) == kept.bytes:
            return kept, False
        _put(objects, kept, here)
        return kept, True


def data_paths(catalog: Catalog) -> list[str]:
    """Return the paths, below the data folder, of all files that a version of the catalog needs; sorted.

    StorageError where one is elsewhere.
    """
    places = catalog.frame(
        "SELECT DISTINCT s.path AS schema_path, t.path AS table_path, f.path, "
        "s.path_is_relative AND t.path_is_relative AND f.path_is_relative AS inside "
        f"FROM (SELECT table_id, path, path_is_relative FROM {METADATA}.ducklake_data_file UNION ALL "
        f"SELECT table_id, path, path_is_relative FROM {METADATA}.ducklake_delete_file) f "
        f"JOIN {METADATA}.ducklake_table t USING (table_id) JOIN {METADATA}.ducklake_schema s USING (schema_id)"
    )
    paths = []
    for schema, table, file, inside in places.iter_rows():
        if not inside:
            raise StorageError(f"The catalog names a file outside of its data folder, {file}: it cannot be backed up.")
        paths.append(f"{schema}{table}{file}")
    return sorted(paths)


def manifest_kind(text: str, *, where: str) -> str:
    """Return the kind of a manifest, as its field `kind` says; InputError where it is none."""
    try:
        told = json.loads(text)
    except ValueError as error:
        raise InputError(f"{where} is not a manifest: {error}.") from error
    if not isinstance(told, dict) or not isinstance(told.get("kind"), str):
        raise InputError(f"{where} is not a manifest: it does not say of which kind.")
    return str(told["kind"])


def read_manifest(text: str, *, where: str) -> BackupManifest:
    """Return the manifest of a backup; InputError where it is none, was changed, or is of another release."""
    if (kind := manifest_kind(text, where=where)) != KIND:
        raise InputError(f"{where} is the manifest of something else than a backup: {kind}.")
    told: dict[str, Any] = json.loads(text)
    own = told.pop("manifest_sha256", None)
    if own != _own_digest(told):
        raise InputError(f"{where} was changed since it was written: it is not what its own SHA-256 says.")
    if told["manifest_version"] != MANIFEST_VERSION or told["format_version"] != FORMAT_VERSION:
        raise InputError(
            f"{where} is of a book of format {told['format_version']}; this release knows format {FORMAT_VERSION}."
        )
    if told["catalog_kind"] not in get_args(LocalKind):
        raise InputError(f"{where}: there is no catalog of the kind {told['catalog_kind']!r}.")
    del told["kind"], told["manifest_version"]
    files = tuple(Kept(**file) for file in told.pop("files"))
    return BackupManifest(**{**told, "catalog": Kept(**told["catalog"]), "files": files})


def _own_digest(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _known(objects: Objects) -> dict[str, Kept]:
    """Return the files of all backups that are there, by path: the name of a data file is never given twice."""
    known: dict[str, Kept] = {}
    for name in objects.names(PREFIX):
        try:
            manifest = read_manifest(objects.read(name).decode(errors="replace"), where=name)
        except InputError:
            # Of another release, or damaged: what it names is copied again.
            continue
        known |= {kept.path: kept for kept in manifest.files}
    return known


def _put(objects: Objects, kept: Kept, source: Path) -> None:
    objects.put(kept.object, source)
    if objects.digest(kept.object) != kept.sha256:
        raise StorageError(f"The copy of {source} is not what was copied. Look at the disk, and take the backup again.")


def _copy_catalog(catalog: Catalog, kind: LocalKind, copy: Path) -> None:
    if kind == "duckdb":
        catalog.execute(f"ATTACH {literal(str(copy))} AS backup_copy")
        try:
            catalog.execute(f"COPY FROM DATABASE {METADATA} TO backup_copy")
        finally:
            catalog.execute("DETACH backup_copy")
        return
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", COPY_SQLITE, catalog.target.catalog, str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it was killed"])[-1]
        raise StorageError(f"The catalog {catalog.target.shown} cannot be copied: {why}.")
