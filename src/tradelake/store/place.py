"""Where the Parquet files of a book are: a local folder, or S3; what is done to files there without DuckLake.

DuckLake writes, reads and removes them by itself in either place. Here is what has to look at the bytes: the size and
the SHA-256 of a file, its content on this machine, and whether the place can be used at all.
"""

from datetime import datetime, timedelta
from functools import cached_property
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from tradelake.errors import InputError, StorageError
from tradelake.store.s3 import access_for, advice_on, bucket_at, hidden
from tradelake.store.target import is_remote

if TYPE_CHECKING:
    from obstore.store import ObjectStore

CHUNK_BYTES = 8_000_000
RETRY_SECONDS = 30
PROBE = b"whether this place can be written"
# A book that was not finished has left nothing else.
FIRST_FILES = "main/checkpoint/"


class Place(Protocol):
    """The folder of the data files of a book; its name ends with a slash, as do those of all folders."""

    local: bool

    def make(self) -> None:
        """Make the folder where there is none; StorageError or InputError where the place cannot be used."""

    def check(self) -> None:
        """Raise StorageError or InputError where the folder cannot be looked into."""

    def size(self, path: str) -> int | None:
        """Return the bytes of a file; None where there is none."""

    def digest(self, path: str) -> str | None:
        """Return the SHA-256 of a file as it is read back, in hexadecimal; None where it cannot be read."""

    def here(self, path: str, folder: Path) -> Path:
        """Return a file of this machine with its content: itself, or a copy in *folder*; StorageError without one."""


def place_of(folder: str) -> Place:
    """Return the place that the address of a data folder names."""
    return S3Place(folder) if is_remote(folder) else LocalPlace(folder)


class LocalPlace:
    """A folder of this machine."""

    local = True

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def make(self) -> None:
        """Make the folder with those above it."""
        make_folder(self._folder)

    def check(self) -> None:
        """Raise StorageError where there is no folder."""
        if not self._folder.is_dir():
            raise StorageError(f"There is no folder {self._folder}. Bring the data of the book back to it.")

    def size(self, path: str) -> int | None:
        """Return the bytes of a file."""
        return Path(path).stat().st_size if Path(path).is_file() else None

    def digest(self, path: str) -> str | None:
        """Return the SHA-256 of a file."""
        try:
            with Path(path).open("rb") as file:
                return file_digest(file, "sha256").hexdigest()
        except OSError:
            return None

    def here(self, path: str, folder: Path) -> Path:  # noqa: ARG002  nothing has to be copied
        """Return the file itself."""
        return Path(path)


class S3Place:
    """A folder of a bucket. Servers that do not answer are asked again for half a minute."""

    local = False

    def __init__(self, folder: str) -> None:
        self._folder = folder

    @cached_property
    def _store(self) -> "ObjectStore":
        waiting = timedelta(seconds=RETRY_SECONDS)
        return bucket_at(
            self._folder, options={"timeout": waiting}, retries={"max_retries": 20, "retry_timeout": waiting}
        )

    def make(self) -> None:
        """Make sure that the folder can be listed, and that no other book has its files there."""
        for name in self._first_names():
            if not name.startswith(FIRST_FILES):
                raise InputError(
                    f"{self._folder} is not empty: {name} is there. Name a folder that is, since a book removes the "
                    "files in its folder that it does not know."
                )

    def check(self) -> None:
        """Raise StorageError where the folder cannot be listed."""
        self._first_names()

    def _first_names(self) -> list[str]:
        import obstore

        access_for(self._folder)
        try:
            return [found["path"] for found in next(iter(obstore.list(self._store)), [])]
        except (obstore.exceptions.BaseError, OSError, ValueError) as error:
            raise self._failed(self._folder, "listed", error) from error

    def tried(self, *, writes: bool) -> datetime | None:
        """Look whether objects can be listed and read, and with *writes* whether one can be put and removed.

        Return when it was put, by the server's clock. Raises StorageError or InputError where something fails.
        """
        import obstore

        names, probe = self._first_names(), f"{self._folder}probe-{uuid4()}"
        doing, at = "read", None
        try:
            if writes:
                doing = "written"
                obstore.put(self._store, self._name(probe), PROBE)
                doing, at = "read", obstore.head(self._store, self._name(probe))["last_modified"]
                obstore.get(self._store, self._name(probe)).bytes()
                doing = "removed"
                obstore.delete(self._store, self._name(probe))
            elif names:
                next(iter(obstore.get(self._store, names[0]).stream(min_chunk_size=1)), None)
        except (obstore.exceptions.BaseError, OSError) as error:
            raise self._failed(probe if writes else self._folder, doing, error) from error
        return at

    def size(self, path: str) -> int | None:
        """Return the bytes of an object."""
        import obstore

        try:
            return obstore.head(self._store, self._name(path))["size"]
        except FileNotFoundError:
            return None
        except (obstore.exceptions.BaseError, OSError) as error:
            raise self._failed(path, "read", error) from error

    def digest(self, path: str) -> str | None:
        """Return the SHA-256 of an object."""
        import obstore

        found = sha256()
        try:
            for chunk in obstore.get(self._store, self._name(path)).stream(min_chunk_size=CHUNK_BYTES):
                found.update(chunk)
        except (obstore.exceptions.BaseError, OSError):
            return None
        return found.hexdigest()

    def here(self, path: str, folder: Path) -> Path:
        """Return a copy of an object."""
        import obstore

        into = folder / path.rpartition("/")[2]
        try:
            with into.open("wb") as file:
                for chunk in obstore.get(self._store, self._name(path)).stream(min_chunk_size=CHUNK_BYTES):
                    file.write(chunk)
        except (obstore.exceptions.BaseError, OSError) as error:
            raise self._failed(path, "copied", error) from error
        return into

    def _name(self, path: str) -> str:
        return path.removeprefix(self._folder)

    def _failed(self, path: str, what: str, error: Exception) -> StorageError:
        reason = " ".join(str(error).partition("\n\nDebug source")[0].split())
        return StorageError(f"{path} cannot be {what}: {hidden(reason)}. {advice_on(reason)}")


def make_folder(folder: Path) -> None:
    """Make a local folder with those above it; StorageError where that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: the folder cannot be made: {error.strerror}. Name another one.") from error
