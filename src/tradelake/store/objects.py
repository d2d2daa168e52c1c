"""Where copies are kept, behind one small interface: put, get, read back. Here a local folder.

An object is put whole under its name or not at all, and never changed afterwards.
"""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from tradelake.errors import BookBusy, StorageError
from tradelake.store.durable import sync_folder

LOCK = "copies.lock"


class Objects(Protocol):
    """A store of objects by name, as `objects/ab/abcd...`."""

    def put(self, name: str, source: Path) -> None:
        """Copy a file to an object; an object of that name is replaced."""

    def write(self, name: str, content: bytes) -> None:
        """Make an object of some bytes, when everything that was put before is safe."""

    def get(self, name: str, into: Path) -> None:
        """Copy an object to a file."""

    def size(self, name: str) -> int | None:
        """Return the bytes of an object; None where there is none."""

    def digest(self, name: str) -> str:
        """Return the SHA-256 of an object as it is read back, in hexadecimal."""

    def names(self, prefix: str) -> list[str]:
        """Return the names of the objects that begin so and have no further slash, sorted."""

    def read(self, name: str) -> bytes:
        """Return the bytes of an object."""


class Folder:
    """Objects as files of a local folder. Every method raises StorageError where the system refuses."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the folder, made where there is none, for this process; BookBusy where another keeps it."""
        with _translated(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(str(self._folder / LOCK))
            try:
                lock.acquire(timeout=0)
            except Timeout as error:
                raise BookBusy(f"Another process is writing to {self._folder}. Wait for its end.") from error
            try:
                yield
            finally:
                lock.release()

    def put(self, name: str, source: Path) -> None:
        """Copy a file under another name first, so that a copy that is broken off is none."""
        copy_file(source, self._folder / name)

    def write(self, name: str, content: bytes) -> None:
        """Write bytes under another name first, and return when they and all objects are on disk."""
        with _translated(self._folder / name) as file:
            sync_folder(str(self._folder))
            draft = unfinished(file)
            draft.write_bytes(content)
            sync_folder(str(self._folder))
            draft.replace(file)
            sync_folder(str(self._folder))

    def get(self, name: str, into: Path) -> None:
        """Copy an object to a file, under another name first."""
        copy_file(self._folder / name, into)

    def size(self, name: str) -> int | None:
        """Return the bytes of an object; None where there is none."""
        file = self._folder / name
        return file.stat().st_size if file.is_file() else None

    def digest(self, name: str) -> str:
        """Return the SHA-256 of an object."""
        return file_digest(self._folder / name)

    def names(self, prefix: str) -> list[str]:
        """Return the names of the objects that begin so."""
        place = self._folder / prefix
        found = place.parent.glob(f"{place.name}*") if place.parent.is_dir() else ()
        return sorted(str(file.relative_to(self._folder)) for file in found if file.is_file())

    def read(self, name: str) -> bytes:
        """Return the bytes of an object."""
        with _translated(self._folder / name) as file:
            return file.read_bytes()


def file_digest(file: Path) -> str:
    """Return the SHA-256 of a local file in hexadecimal; StorageError where it cannot be read."""
    with _translated(file), file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def copy_file(source: Path, target: Path) -> None:
    """Copy a local file so that the target is there whole or not at all; StorageError where that fails."""
    with _translated(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = unfinished(target)
        try:
            shutil.copyfile(source, draft)
            draft.replace(target)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


@contextmanager
def _translated(place: Path) -> Iterator[Path]:
    """Yield the place; what the system refuses there becomes StorageError."""
    try:
        yield place
    except OSError as error:
        raise StorageError(
            f"{error.filename or place} cannot be read or written: {error.strerror}. Make room or mend it, and repeat "
            "the command."
        ) from error


def unfinished(file: Path) -> Path:
    """Return the name that a file has until it is whole."""
    return file.with_name(f".{file.name}.part")
