"""Backups of a book."""

from datetime import UTC
from pathlib import Path

from tradelake.book.deriving import Derivers
from tradelake.book.shelf import Progress, no_progress, now
from tradelake.store import BackedUp, Folder, back_up


class Backups(Derivers):
    """What copies a book."""

    def backup(self, to: str | Path, *, progress: Progress | None = None) -> BackedUp:
        """Copy the book as it is now into a folder, and return what was copied; writers and readers go on meanwhile.

        The folder may hold earlier backups, also of other books: what they have is not copied again. Raises BookBusy
        where another backup is being written there, InputError for a book on PostgreSQL, ReadOnlyError, StorageError.
        """
        self._writable()
        folder = Path(to).expanduser().absolute()
        objects = Folder(folder)
        with objects.held():
            return back_up(
                self._catalog,
                objects,
                scratch=folder,
                created_at=now().astimezone(UTC).isoformat(timespec="microseconds"),
                progress=progress or no_progress,
            )
