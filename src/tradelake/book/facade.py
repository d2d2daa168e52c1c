"""The book: the facade that users hold. It joins storage with the pure rooms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from tradelake.book.audits import Audits
from tradelake.book.chains import ChainReaders
from tradelake.book.changes import ChangeReaders
from tradelake.book.exporting import Exporters
from tradelake.book.filing import Filing, ReportFiling
from tradelake.book.marking import MarkWriters
from tradelake.book.notebook import Notebook
from tradelake.book.shelf import applied_now, now
from tradelake.errors import BookError
from tradelake.store import create_catalog, open_catalog, parse_target, read_standing
from tradelake.store.health import Health, health


def create(target: str | Path, *, data: str | Path | None = None) -> Book:
    """Create a book and return it open.

    `target` is a folder (SQLite catalog), `duckdb:FOLDER`, or a `postgresql://` URL; `data` is the folder of the
    Parquet files, or `s3://bucket/folder`, needed for PostgreSQL. Raises BookExists, InputError, StorageError.
    """
    place = parse_target(target, data=data)
    return Book(create_catalog(place, made=applied_now()))


def open_book(
    target: str | Path, *, data: str | Path | None = None, read_only: bool = False, cold: bool = False
) -> Book:
    """Open a book; with `cold` its answers include what is archived, fetched as far as a question reaches it.

    One of an earlier format is opened read only until `migrate` was called. Raises BookNotFound, BookBusy,
    BookVersionError, StorageError. A question that reaches archived events of a book
    that was opened without `cold` raises ArchivedError.
    """
    catalog = open_catalog(parse_target(target, data=data), read_only=read_only)
    catalog.cold.included = cold
    return Book(catalog)


class Book(Filing, Notebook, Exporters, ReportFiling, MarkWriters, Audits, ChainReaders, ChangeReaders):
    """A trade log with everything that follows from it.

    Writers: `record`, `ingest`, `mark`, `ingest_marks`, `mark_with`, `snapshot`, `record_breaks` and what moves a
    break on, `add_accounts`, `add_instruments`, `fold`, `rebuild`, `rebuild_in_buckets`, `maintain`; `backup` copies
    the book, and `export_postgres` makes its twin in PostgreSQL, from which `import_postgres` fills an empty one.
    Readers return Polars frames with exact decimals and UTC instants, and always stand at the head of the log, or
    where they are asked to stand.
    """

    def __enter__(self) -> Book:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        if self._catalog.closed:
            return f"<Book {self.url}, closed>"
        try:
            with self._catalog.transaction():  # in a transaction nobody waits for a server that is gone
                return f"<Book {self.url} at sequence {self.sequence}>"
        except BookError:
            return f"<Book {self.url}, which does not answer>"

    def close(self) -> None:
        """Close the book; closing twice is harmless."""
        self._catalog.close()

    def when_waiting(self, tell: Callable[[], None]) -> None:
        """Have *tell* called when a writer of this book has waited for another one for two seconds."""
        self._catalog.lease.when_waiting = tell

    @property
    def url(self) -> str:
        """Where the book is, without credentials."""
        return self._catalog.target.shown

    @property
    def data(self) -> str:
        """Where the Parquet files of the book are: a folder, or an address of S3."""
        return self._catalog.data_folder

    def check_data(self) -> None:
        """Look whether the place of the Parquet files answers; StorageError or InputError where it does not."""
        self._catalog.place.check()

    def health(self) -> tuple[Health, ...]:
        """Return what there is to say of the server of the catalog, this role, the lease and the place of the data."""
        return tuple(health(self._catalog, now=now()))

    @property
    def sequence(self) -> int:
        """The head of the log."""
        return read_standing(self._catalog).head
