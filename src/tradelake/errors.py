"""Everything that can go wrong, as one tree and one record.

TradelakeError
├── InputError          what was given cannot be read at all: the caller mends the file or the argument
├── BookError           the book cannot do what was asked
│   ├── BookNotFound        nothing at that path or URL
│   ├── BookExists          there is a book already
│   ├── BookVersionError    the book was written by a newer release, or has steps pending
│   ├── BookBusy            another writer holds the lease, or another process the catalog file
│   ├── ArchivedError       the answer needs events that are in cold storage
│   │   └── DeletedError        the answer needs events that were deleted when their retention was over
│   ├── ReadOnlyError       a read-only door was asked to write
│   └── StorageError        the catalog or the data files answered with an error
└── InvariantError      our own mistake: frames that break a promise between rooms

Bad *data* is never an exception: it is a `Problem`, one per row, and travels beside the good rows.
"""

from dataclasses import dataclass
from datetime import date


class TradelakeError(Exception):
    """The base of every exception that tradelake raises on purpose."""


class InputError(TradelakeError):
    """The input as a whole cannot be read: not the format that it was announced as, truncated, empty."""


class BookError(TradelakeError):
    """The book cannot do what was asked."""


class BookNotFound(BookError):
    """There is no book at the path or URL."""


class BookExists(BookError):
    """A book exists already where a new one was to be created."""


class BookVersionError(BookError):
    """The book was written by a newer release of tradelake, or by an earlier one and was not migrated yet."""


class BookBusy(BookError):
    """Another process holds the writer's lease or the catalog file."""


class ReadOnlyError(BookError):
    """A read-only door was asked to write, or to read outside the book."""


class ArchivedError(BookError):
    """The answer needs events that are in cold storage, and the book was not opened with it."""


class DeletedError(ArchivedError):
    """The answer needs events that were deleted when their retention was over.

    `what` says which, `since` is the first trade date from which on nothing that the question reaches was deleted.
    """

    def __init__(self, what: str, instead: str = "", since: date | None = None) -> None:
        super().__init__(f"{what} {instead}".rstrip())
        self.what = what
        self.since = since


class StorageError(BookError):
    """The catalog or the data files answered with an error."""


class InvariantError(TradelakeError):
    """A promise between two rooms is broken: a defect of tradelake, not of the data."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One row that could not be used, or one event that was refused, and what to do about it.

    `code` is stable and meant for programs; `message` is a sentence for people; `source` is the file or
    caller; `row` counts from 1 inside the source; `field` and `value` name what was wrong; `action` says
    what to do.
    """

    code: str
    message: str
    source: str = ""
    row: int | None = None
    field: str = ""
    value: str = ""
    action: str = ""
    trade_id: str = ""

    def __str__(self) -> str:
        where = ", ".join(
            part
            for part in (
                self.source,
                f"row {self.row}" if self.row is not None else "",
                f"field {self.field}" if self.field else "",
            )
            if part
        )
        text = f"{where}: {self.message}" if where else self.message
        shown = f"{text} (got {self.value!r})" if self.value and self.value not in self.message else text
        return f"{shown} [{self.code}]" + (f" {self.action}" if self.action else "")
