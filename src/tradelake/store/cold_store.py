"""A folder of archives or backups: a local folder, or S3, Google Cloud or Azure behind one interface.

An object is there when what was read back has the SHA-256 of what was put; before that nobody may count on it. What
is fetched is compared in the same way, so that an object which was cut, damaged or exchanged is never read as data.
Servers that do not answer are asked again for a while; endpoint and credentials come from the environment or the usual
files of each service (`AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID` and so on; `s3.py`), never from the book.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from hashlib import file_digest, sha256
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tradelake.errors import InputError, StorageError
from tradelake.store.durable import sync_folder
from tradelake.store.object_lock import CHECKSUM, LOCK_MODES, Lock, lock_of
from tradelake.store.s3 import bucket_at, hidden
from tradelake.store.target import without_password

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

SCHEMES = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl")
S3_SCHEMES = ("s3://", "s3a://")
ATTEMPTS = 5
RETRIES_MAX = 100
RETRY_SECONDS = 60
CHUNK_BYTES = 8_000_000


class _BrokenOffError(StorageError):
    """An answer that had begun did not end."""


class ColdStore:
    """The objects under one URL; a path without a scheme is a local folder."""

    def __init__(self, url: str) -> None:
        scheme, separator, rest = url.partition("://")
        self._folder: Path | None = None
        if not separator or scheme == "file":
            self._folder = Path(unquote(rest) if separator else url).expanduser().absolute()
            self.url = self._folder.as_uri()
        elif scheme in SCHEMES:
            self.url = without_password(url).rstrip("/")
        else:
            raise InputError(
                f"{without_password(url)!r} is no place for an archive or a backup. Give a folder, or a URL that "
                "begins with s3://, gs:// or az://."
            )
        self._given = url
        self._opened: ObjectStore | None = None

    @property
    def _store(self) -> "ObjectStore":
        if self._opened is None:
            self._opened = self._open()
        return self._opened

    def _open(self, lock: Lock | None = None) -> "ObjectStore":
        from obstore.exceptions import BaseError
        from obstore.store import LocalStore, from_url

        try:
            if self._folder is not None:
                return LocalStore(self._folder, mkdir=True)
            waiting = timedelta(seconds=RETRY_SECONDS)
            options: ClientConfig = {"timeout": waiting}
            retries: RetryConfig = {"max_retries": RETRIES_MAX, "retry_timeout": waiting}
            if not self.url.startswith(S3_SCHEMES):
                return from_url(self._given, client_options=options, retry_config=retries)
            if lock is not None:
                options["default_headers"] = lock.headers
            checksum = CHECKSUM if lock is not None else None
            return bucket_at(self._given, options=options, retries=retries, checksum=checksum)
        except (BaseError, OSError, ValueError) as error:
            raise self._failed("opened", "", error) from error

    def path(self, name: str) -> Path | None:
        """Return where an object is on this machine; None for one of another store."""
        return None if self._folder is None else self._folder / name

    def put(self, name: str, path: Path, digest: str, lock: Lock | None = None) -> bool:
        """Put a file and read it back; return False where it was there already. *digest* is its SHA-256.

        Raises StorageError where the store does not keep what it was given, or not under the lock.
        """
        import obstore

        if self.has(name, digest) and (lock is None or self._is_locked(name, lock)):
            return False
        store = self._store if lock is None else self._locking(lock)
        for _ in range(ATTEMPTS):
            try:
                # Of several parts each would have to ask for the lock.
                obstore.put(store, name, path, use_multipart=None if lock is None else False)
            except (obstore.exceptions.BaseError, OSError) as error:
                advice = "" if lock is None else f" It was to be put under a lock. {LOCKING}"
                raise self._failed("written", name, error, advice) from error
            if self._folder is not None:
                sync_folder(str(self._folder))
            if self.has(name, digest):
                if lock is not None and not self._is_locked(name, lock):
                    raise StorageError(f"{self.url}/{name} {UNLOCKED}")
                return True
        raise StorageError(f"{self.url}/{name}: what was read back is not what was written, {ATTEMPTS} times.")

    def _locking(self, lock: Lock) -> "ObjectStore":
        """Return the store as it is opened for what is put under a lock; InputError where there are no locks."""
        if not self.url.startswith(S3_SCHEMES):
            raise InputError(
                f"{self.url} cannot lock objects: only S3 and its like do when they are put. Take `lock` out of "
                "[retention], and lock the bucket itself."
            )
        return self._open(lock)

    def _is_locked(self, name: str, lock: Lock) -> bool:
        found = lock_of(self._store, name, f"{self.url}/{name}")
        return found is not None and found.until >= lock.until and found.mode in (lock.mode, LOCK_MODES[-1])

    def has(self, name: str, digest: str) -> bool:
        """Return whether an object is there, whole and as it should be."""
        broken: _BrokenOffError | None = None
        for _ in range(ATTEMPTS):
            found = sha256()
            try:
                for chunk in self._chunks(name):
                    found.update(chunk)
            except FileNotFoundError:
                return False
            except _BrokenOffError as error:
                broken = error
            else:
                return found.hexdigest() == digest
        raise broken or StorageError(f"{self.url}/{name} cannot be read.")

    def get(self, name: str, digest: str, to: Path) -> None:
        """Fetch an object into a local file, which is there only when it is whole; StorageError otherwise."""
        partial = to.with_name(f"{to.name}.{os.getpid()}.part")
        to.parent.mkdir(parents=True, exist_ok=True)
        try:
            for _ in range(ATTEMPTS):
                if self._fetch(name, partial) == digest:
                    partial.replace(to)
                    return
        except FileNotFoundError as error:
            raise StorageError(f"{self.url}/{name}: there is no such object. {RESTORE}") from error
        except OSError as error:
            raise StorageError(f"{to}: {error.strerror or error}") from error
        finally:
            partial.unlink(missing_ok=True)
        raise StorageError(f"{self.url}/{name}: its SHA-256 is not {digest}: the object was damaged or cut. {RESTORE}")

    def _fetch(self, name: str, to: Path) -> str | None:
        """Write an object to a file and return its SHA-256; None where the answer broke off."""
        found = sha256()
        with to.open("wb") as file:
            try:
                for chunk in self._chunks(name):
                    file.write(chunk)
                    found.update(chunk)
            except _BrokenOffError:
                return None
        return found.hexdigest()

    def read(self, name: str) -> bytes:
        """Return an object whole; StorageError where there is none."""
        try:
            return b"".join(self._chunks(name))
        except FileNotFoundError as error:
            raise StorageError(f"{self.url}/{name}: there is no such object.") from error

    def names(self, prefix: str) -> list[str]:
        """Return the names of the objects that begin so and have no slash, sorted."""
        import obstore

        found = self._listed("", lambda: obstore.list_with_delimiter(self._store)["objects"])
        return sorted(each["path"] for each in found if each["path"].startswith(prefix))

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the bytes of all objects below a folder of the store, by name."""
        import obstore

        found = self._listed(folder, lambda: obstore.list(self._store, folder).collect())
        return {each["path"]: each["size"] for each in found}

    def _listed(self, folder: str, ask: "Callable[[], Sequence[ObjectMeta]]") -> "Sequence[ObjectMeta]":
        """Return what a listing has; an answer that breaks off is asked for again."""
        from obstore.exceptions import BaseError

        failed: Exception | None = None
        for _ in range(ATTEMPTS):
            try:
                return ask()
            except (BaseError, OSError) as error:
                failed = error
        raise self._failed("listed", folder, failed or OSError("no answer")) from failed

    def delete(self, name: str) -> None:
        """Remove an object; one that is gone already is no error."""
        import obstore

        try:
            obstore.delete(self._store, name)
        except FileNotFoundError:
            return
        except (obstore.exceptions.BaseError, OSError) as error:
            raise self._failed("removed", name, error) from error

    def _chunks(self, name: str) -> Iterator[bytes]:
        import obstore

        try:
            answer = obstore.get(self._store, name)
        except FileNotFoundError:
            raise
        except (obstore.exceptions.BaseError, OSError) as error:
            raise self._failed("read", name, error) from error
        try:
            for chunk in answer.stream(min_chunk_size=CHUNK_BYTES):
                yield bytes(chunk)
        except (obstore.exceptions.BaseError, OSError) as error:
            raise _BrokenOffError(str(self._failed("read", name, error))) from error

    def _failed(self, what: str, name: str, error: Exception, advice: str = "") -> StorageError:
        reason = str(error).partition("\n\nDebug source")[0].strip()
        return StorageError(f"{self.url}/{name} cannot be {what}: {hidden(reason)}{advice}")


LOCKING = "Make a bucket with object lock, or take `lock` out of [retention]. Nothing has left the book."
UNLOCKED = f"was put, but the store does not keep it under a lock. {LOCKING}"
RESTORE = "Put it back from another copy; nothing was changed."


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a local file in hexadecimal; StorageError where it cannot be read."""
    try:
        with file.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(f"{file} cannot be read: {error.strerror}. Mend it, and repeat the command.") from error
