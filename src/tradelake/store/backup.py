"""A backup: a copy of a book at one commit, taken while writers work, and the book that is made of it again.

Problem: catalog and Parquet files have to belong to the same commit, and copying all files under the lease would keep
writers waiting.

Decision: the catalog is copied first, as it is at one commit: a local one under the lease, one in PostgreSQL in one
snapshot, for which nobody waits, as a file of DuckDB. What it names is the backup: its head, and its files. Those never
change, and maintenance leaves them for longer than a copy takes, so they are copied afterwards. Every object is kept
under its SHA-256 and read back, so that a file that the newest backup of the book has is not copied again; what a
backup that was broken off has put there is read before it counts. The manifest comes last, when all else is there: a
backup without one is none. A restore looks at every object before it writes anything, and gives the catalog its name at
the end: a book that was restored in part does not open.

Limit: what a writer commits after the catalog was copied is not in the backup. A SQLite catalog is copied by another
process, because closing a second handle to the file in this one would release the locks of the first.
"""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from tradelake.errors import BookVersionError, InputError, StorageError
from tradelake.store.catalog import Catalog
from tradelake.store.cold_store import ColdStore, digest_of
from tradelake.store.formats import is_known, unknown_format
from tradelake.store.frozen import LocalKind, copy_catalog
from tradelake.store.progress import Progress

KIND = "backup"
MANIFEST_VERSION = 1
PREFIX = "backup-"
OBJECTS = "objects"


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of a backup: its path below the data folder, its bytes and its SHA-256, which names the object."""

    path: str
    bytes: int
    sha256: str

    @property
    def object(self) -> str:
        """The name of the object that has its content."""
        return f"{OBJECTS}/{self.sha256[:2]}/{self.sha256}"


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


def back_up(catalog: Catalog, objects: ColdStore, *, created_at: str, progress: Progress) -> BackedUp:
    """Copy a book into a store of objects; writers of a local book wait only while its catalog is copied.

    `created_at` is an instant as ISO 8601. Raises StorageError where something cannot be read or written, or a file was
    removed meanwhile.
    """
    with tempfile.TemporaryDirectory(dir=objects.path(""), prefix=".") as folder:
        file = Path(folder) / "catalog"
        frozen = copy_catalog(catalog, file)
        kept_catalog = Kept("catalog", file.stat().st_size, digest_of(file))
        new = [kept_catalog] if objects.put(kept_catalog.object, file, kept_catalog.sha256) else []
        known, sizes = _known(objects, frozen.settings.get("book_id")), objects.sizes(OBJECTS)
        files = []
        for number, path in enumerate(frozen.paths):
            progress("copy", number, len(frozen.paths))
            kept = known.get(path)
            if kept is None or sizes.get(kept.object) != kept.bytes:
                kept, put = _put(catalog, path, objects)
                new += [kept] if put else []
            files.append(kept)
        manifest = BackupManifest(
            created_at=created_at,
            format_version=int(frozen.settings["format_version"]),
            book_id=frozen.settings.get("book_id"),
            catalog_kind=frozen.kind,
            head=frozen.head,
            catalog=kept_catalog,
            files=tuple(files),
        )
        name = PREFIX + created_at.replace("-", "").replace(":", "").replace("+0000", "Z") + ".json"
        text = Path(folder) / "manifest"
        text.write_text(manifest.text(), encoding="utf-8")
        objects.put(name, text, digest_of(text))
    progress("done", len(frozen.paths), len(frozen.paths))
    return BackedUp(
        manifest=name,
        sequence=int(frozen.head["sequence"]),
        files=len(files),
        bytes=sum(kept.bytes for kept in (kept_catalog, *files)),
        files_copied=len([kept for kept in new if kept is not kept_catalog]),
        bytes_copied=sum(kept.bytes for kept in new),
    )


def _put(catalog: Catalog, path: str, objects: ColdStore) -> tuple[Kept, bool]:
    """Return a data file as it is kept, and whether it had to be put there."""
    source = catalog.data_folder + path
    size = catalog.place.size(source)
    if size is None:
        raise StorageError(f"{source} was removed while it was to be copied. Take the backup again.")
    with tempfile.TemporaryDirectory(dir=objects.path(""), prefix=".") as folder:
        here = catalog.place.here(source, Path(folder))
        kept = Kept(path, size, digest_of(here))
        return kept, objects.put(kept.object, here, kept.sha256)


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
    """Return the manifest of a backup; InputError where it is none or was changed, BookVersionError of another release.

    A book of an earlier format comes back as it was, and is brought to the present one like any other.
    """
    if (kind := manifest_kind(text, where=where)) != KIND:
        raise InputError(f"{where} is the manifest of something else than a backup: {kind}.")
    told: dict[str, Any] = json.loads(text)
    own = told.pop("manifest_sha256", None)
    if own != _own_digest(told):
        raise InputError(f"{where} was changed since it was written: it is not what its own SHA-256 says.")
    if told["manifest_version"] != MANIFEST_VERSION or not is_known(told["format_version"]):
        raise unknown_format(f"The book of the backup {where}", told["format_version"])
    if told["catalog_kind"] not in get_args(LocalKind):
        raise InputError(f"{where}: there is no catalog of the kind {told['catalog_kind']!r}.")
    del told["kind"], told["manifest_version"]
    files = tuple(Kept(**file) for file in told.pop("files"))
    return BackupManifest(**{**told, "catalog": Kept(**told["catalog"]), "files": files})


def _own_digest(told: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _known(objects: ColdStore, book_id: str | None) -> dict[str, Kept]:
    """Return the files of the newest backup of a book, by path: the name of a data file is never given twice."""
    for name in reversed(objects.names(PREFIX)):
        try:
            manifest = read_manifest(objects.read(name).decode(errors="replace"), where=name)
        except (InputError, BookVersionError):
            # Of another release, or damaged: what it names is read again.
            continue
        if manifest.book_id == book_id:
            return {kept.path: kept for kept in manifest.files}
    return {}
