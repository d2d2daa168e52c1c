"""Backups of a book."""

from contextlib import nullcontext
from datetime import UTC
from pathlib import Path

from tradelake.book.deriving import Derivers
from tradelake.book.shelf import now
from tradelake.store import BackedUp, back_up
from tradelake.store.cold_store import ColdStore
from tradelake.store.lease import keep_folder
from tradelake.store.progress import Progress, no_progress


class Backups(Derivers):
    """What copies a book."""

    def backup(self, to: str | Path, *, progress: Progress | None = None) -> BackedUp:
        """Copy the book as it is now into a folder, and return what was copied; writers and readers go on meanwhile.

        `to` is a folder or the URL of one in an object store. It may hold earlier backups, also of other books: what
        the newest of this book has is not copied again. A backup that was interrupted is none; a repeat copies what is
        missing. A book that was opened read only, as one of an earlier format is, can be backed up too. Raises
        BookBusy where another process is writing to a local folder, StorageError, and InputError for a URL that is no
        such place.
        """
        objects = ColdStore(str(to))
        folder = objects.path("")
        with nullcontext() if folder is None else keep_folder(folder):
            return back_up(
                self._catalog,
                objects,
                created_at=now().astimezone(UTC).isoformat(timespec="microseconds"),
                progress=progress or no_progress,
            )
