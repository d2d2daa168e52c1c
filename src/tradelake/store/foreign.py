"""Errors of DuckDB, DuckLake and the catalog's database, as ours: none of theirs leaves this room, and no password."""

import os
from pathlib import Path

import duckdb

from tradelake.errors import BookBusy, BookError, BookNotFound, InputError, StorageError
from tradelake.store.lost import IN_DOUBT, ServerLost, is_lost, is_ruined
from tradelake.store.s3 import advice_on, hidden
from tradelake.store.target import Target

NOT_WRITABLE = ("readonly database", "Read-only file system", "Permission denied", "Operation not permitted")
LOCKED = "database is locked"
RETRYABLE = (LOCKED, "conflict", "snapshot_pkey", "serialization", "Write-write", "concurrent")


def is_retryable(error: Exception) -> bool:
    """Tell whether a failed commit may be tried again: another writer was in the way, and nothing was written."""
    return isinstance(error, StorageError) and any(word in str(error) for word in RETRYABLE)


def translated(error: duckdb.Error, target: Target) -> BookError:
    """Return DuckDB's error as one of ours."""
    text = hidden(str(error))
    if busy := _busy(text, target):
        return busy
    if "creating a new DuckLake is explicitly disabled" in text:
        return not_a_book(target)
    if any(words in text for words in NOT_WRITABLE) or _cannot_log(text, target):
        return StorageError(
            f"The book at {target.shown} cannot be written: its folder, its catalog or its file system is read only. "
            "Make it writable, or copy its folder to a place that is. A book with a DuckDB catalog can be opened read "
            "only there; SQLite needs to write beside the catalog even to read it."
        )
    if target.kind == "postgres" and "permission denied for" in text:
        return StorageError(
            f"The role of {target.shown} has not the rights in the database that this takes: {_first_line(text)}. A "
            "reader opens the book read only, and needs SELECT on all its tables; a writer has to own them."
        )
    if target.kind == "postgres" and (is_lost(text) or is_ruined(error)):
        said = f"PostgreSQL at {target.shown} does not answer, or was restarted: {_first_line(text)}"
        return ServerLost(f"{said}. {IN_DOUBT}")
    if isinstance(error, duckdb.HTTPException) or "error for HTTP" in text:
        return _no_s3(text, target)
    return StorageError(f"The book at {target.shown} answered: {text}")


def _busy(text: str, target: Target) -> BookError | None:
    """Return the error for a catalog that somebody else has; none where the text says nothing of that."""
    if "Could not set lock" in text or "being used by another process" in text:
        return BookBusy(
            f"Another process has {target.shown} open; a DuckDB catalog belongs to one process at a time. "
            f"Close it there, or make the book on SQLite or PostgreSQL. ({text.splitlines()[0]})"
        )
    if LOCKED in text and target.kind == "sqlite":
        return StorageError(
            f"Another program keeps the catalog {target.shown} to itself ({LOCKED}): it has begun to write, and goes "
            "on. This waited for it; what was not acknowledged was not done. Close what has the file open, such as a "
            "browser of SQLite databases or a copy that is being made, and do it again. `tradelake doctor` says which "
            "process it is."
        )
    if "Unique file handle conflict" in text:
        return BookBusy(f"This process has {target.shown} open already. Use that book, or close it first.")
    return None


def _no_s3(text: str, target: Target) -> StorageError:
    """Return the error for data files on S3 that could not be read, written or removed."""
    said = " ".join(text.partition("\n\nAuthentication Failure")[0].split()).removesuffix(".")
    return StorageError(
        f"The data files of {target.shown} on S3 cannot be read or written: {said}. {advice_on(text)} What was not "
        "acknowledged was not done."
    )


def _cannot_log(text: str, target: Target) -> bool:
    """Tell whether SQLite could not open a catalog for want of a place for its log."""
    folder = Path(target.catalog).parent
    return target.kind == "sqlite" and "unable to open database file" in text and not os.access(folder, os.W_OK)


def not_a_book(target: Target) -> BookNotFound:
    """Return the error for a catalog that is there, but is none of ours."""
    return BookNotFound(
        f"{target.shown} is there, but it is not the catalog of a book of tradelake. Name another place, or make a "
        "book at one with `tradelake init`."
    )


def not_synced(place: str, error: OSError, *, committed: bool = False) -> StorageError:
    """Return the error for files that the operating system could not bring to the disk."""
    what = "What was just committed may not survive a power cut" if committed else "Nothing was committed"
    return StorageError(
        f"The files at {place} cannot be brought to the disk: {error.strerror}. {what}. Make room, or mend the disk, "
        "and do it again."
    )


def half_made(target: Target) -> BookNotFound:
    """Return the error for a catalog that `create` has begun and not finished."""
    return BookNotFound(
        f"The making of the book at {target.shown} was broken off before its end. Run `tradelake init` there again, "
        "with the same --data: it goes on where it was left."
    )


def query_error(error: duckdb.Error, *, what: str) -> InputError:
    """Return DuckDB's complaint about a user's query."""
    return InputError(f"The query {what}: {hidden(str(error))}")


def _first_line(text: str) -> str:
    """Return what an error says, without the statement that it is about, which may be long and full of values."""
    before, statement, after = text.partition("Failed to execute query")
    reason = after.rpartition("ERROR:")[2] if "ERROR:" in after else ""
    told = f"{before} {reason}" if statement and reason else text.splitlines()[0]
    return " ".join(told.split()).rstrip(".")
