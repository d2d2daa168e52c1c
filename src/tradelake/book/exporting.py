"""A book that leaves for PostgreSQL, and one that comes back from there."""

from datetime import UTC

import polars as pl

from tradelake.book.backups import Backups
from tradelake.book.changes import reached_since
from tradelake.book.read import where
from tradelake.book.shelf import Shelf, now
from tradelake.book.writing import Writers
from tradelake.errors import StorageError
from tradelake.store import Checkpoint, read_head, verify_runs
from tradelake.store.cold import deleted_error
from tradelake.store.derived import FAMILY, no_families
from tradelake.store.fold import family_rows
from tradelake.store.formats import not_migrated, pending
from tradelake.store.progress import Progress, no_progress
from tradelake.store.twin import SCHEMA, Exported, Source, TwinReader, export_book, twin_at
from tradelake.tables import ARCHIVES, DERIVED_TABLES, Table

NO_TWIN = (
    "A twin has every event and every record of a book, so nothing was written; a twin of before the deletion still "
    "has what was deleted: drop it if that has to go. Give other programs listings (--csv, --json) of positions, lots, "
    "matches, history and of trades from {since} on, or the book itself by a backup."
)


class Exporters(Backups, Writers):
    """What makes a twin of a book in PostgreSQL, and a book of a twin."""

    def export_postgres(
        self, url: str, *, schema: str = SCHEMA, since: int | None = None, progress: Progress | None = None
    ) -> Exported:
        """Make the twin of the book in a schema of a PostgreSQL database, or bring it to where the book stands.

        All of it is one transaction, with every key, reference and check, and is compared with the book before its
        commit. A twin that is there gets what has changed since its version; with `since` it has to stand at that
        version at least. Raises InputError where the schema is something else or the twin of another book,
        ArchivedError where archived rows are needed and the book was opened without `cold`, DeletedError where rows
        were deleted when their retention was over, StorageError.
        """
        if pending(self._catalog.format_version):
            raise not_migrated(self._catalog.target, self._catalog.format_version)
        with self._catalog.transaction():
            self._refuse_deleted()
        with self._catalog.transaction(), twin_at(url, schema) as twin:
            source = Source(
                catalog=self._catalog,
                book_id=self._catalog.settings()["book_id"],
                head=read_head(self._catalog),
                reached=self._folded().reached,
                version=self._catalog.version(),
                derived=self._of_families,
                counted=self._rows_counted,
                families=self._changed_families,
            )
            return export_book(source, twin, since=since, at=now().astimezone(UTC), progress=progress or no_progress)

    def _refuse_deleted(self) -> None:
        """Raise DeletedError where the book lacks rows that a twin has; the caller holds a transaction."""
        gone = self._catalog.cold.deleted(self._catalog.transaction_number)
        if gone.height:
            raise deleted_error(gone, NO_TWIN)

    def _of_families(self, table: Table, families: pl.DataFrame | None) -> pl.DataFrame:
        """Return the rows of a derived table at the head, of all families or of some; of these alone are they read."""
        if families is None:
            return self._rows(table)
        tail = self._folded()
        fresh = tail.derived.rows(table).join(families, on=FAMILY, how="semi")
        stored = table.conform(family_rows(self._catalog, table, families))
        return pl.concat([tail.derived.void(table).without(stored), fresh])

    def _rows_counted(self) -> dict[Table, int]:
        """Return how many rows each derived table has at the head."""
        derived = self._folded().derived
        voids = {table.name: derived.void(table) for table in DERIVED_TABLES}
        frames = {key: rows for name, void in voids.items() for key, rows in void.frames(name).items()}
        with self._catalog.joined(**frames):
            stored = self._catalog.frame(
                " UNION ALL ".join(
                    f"SELECT '{name}' AS name, count(*) AS rows FROM {name}{where(void.kept(name))}"
                    for name, void in voids.items()
                )
            )
        rows = dict(stored.iter_rows())
        return {table: rows[table.name] + derived.rows(table).height for table in DERIVED_TABLES}

    def _changed_families(self, checkpoint: Checkpoint) -> pl.DataFrame:
        """Return the families whose derived rows the events after a checkpoint may change."""
        standing = self._standing()
        if checkpoint.sequence >= standing.head:
            return no_families()
        return reached_since(self._catalog, self._references(standing.import_run_id), checkpoint.sequence)

    def import_postgres(self, url: str, *, schema: str = SCHEMA, progress: Progress | None = None) -> int:
        """Fill the book, which has to be empty, with its twin in PostgreSQL; return the sequence of the head.

        Every row comes back as it was, and the id of the book with it, so that the hash chain holds; it is verified.
        What was archived is in the book again, and one more commit says so. Raises InputError where the book has
        commits already or there is no twin, BookVersionError, StorageError.
        """
        self._writable()
        report = progress or no_progress
        with twin_at(url, schema) as twin, self._catalog.lease.hold(), self._catalog.parallel():
            reader = TwinReader(self._catalog, url, twin)
            with reader.attached(), self._catalog.transaction():
                sequence = reader.read(report)
                # All that was remembered is of the empty book.
                Shelf.__init__(self, self._catalog)
                archived = self.archives()
                if archived.height:
                    back = archived.select(ARCHIVES.names).drop("recorded_at", "import_run_id", "row_check")
                    self._append_archives(back.with_columns(pl.lit("restored").alias("step")), "import postgres")
        report("verify", 0, 1)
        found = verify_runs(self._catalog, progress=report)
        if found.problems:
            raise StorageError(
                f"The book at {self._catalog.target.shown} does not verify: {found.problems[0]}. Somebody has changed "
                "rows of the twin, or of the book before it was exported. `tradelake verify` lists all of it."
            )
        report("done", 1, 1)
        return sequence
