"""Months that go to cold storage and come back, and what a book has there."""

import re
from collections.abc import Callable, Iterable
from datetime import date
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from tradelake.book.deriving import Derivers
from tradelake.book.read import Day, day_of
from tradelake.book.shelf import facts_batch
from tradelake.errors import InputError, StorageError, TradelakeError
from tradelake.store import append
from tradelake.store.archive import Staged, added_up, bring_back, months_before, noted_of, retire, stage
from tradelake.store.cold import HOT
from tradelake.store.cold_store import ColdStore
from tradelake.store.manifest import Manifest, control_totals, entries, manifest_of, read_manifest, totals_said
from tradelake.store.object_lock import Lock
from tradelake.store.progress import Progress, no_progress
from tradelake.tables import ARCHIVES, SOURCE_RECORDS, TRADE_LOG

PROFIT = "realized_pnl"
ATTEMPTS = 3
MONTH = re.compile(r"\d{4}-\d{2}")
ARCHIVED = pl.Schema(
    {
        "month": pl.Date(),
        "archive_id": pl.String(),
        "events": pl.Int64(),
        "records": pl.Int64(),
        "bytes": pl.Int64(),
        "manifest": pl.String(),
    }
)
LockOf = Callable[[date, str | None], Lock | None]


def unlocked(_month: date, _table: str | None) -> None:
    """Return the lock of an object that needs none."""


class Archivers(Derivers):
    """Everything that moves rows between the book and cold storage."""

    def archives(self) -> pl.DataFrame:
        """Return the files in cold storage that hold rows of the book now, one row of `archives` each, by month."""
        parts = self._catalog.cold.parts(None)
        return parts.sort("month", "archive_id", "table_name")

    def months(self) -> pl.DataFrame:
        """Return the months of the log, one row each: month, hot and cold events, and cold bytes, nothing fetched."""
        with self._catalog.transaction():
            hot = self._catalog.frame(
                "SELECT date_trunc('month', trade_date)::DATE AS month, count(*) AS hot "
                f"FROM {TRADE_LOG.name} GROUP BY 1",
                span=HOT,
            )
            parts = self.archives()
        events = pl.when(pl.col("table_name") == TRADE_LOG.name).then("rows").otherwise(0).sum()
        cold = parts.group_by("month").agg(events.alias("cold"), pl.col("bytes").sum())
        rows = hot.join(cold, on="month", how="full", coalesce=True)
        return rows.with_columns(pl.col("hot", "cold", "bytes").fill_null(0)).sort("month")

    def archive(
        self,
        before: Day,
        to: str | Path,
        *,
        dry_run: bool = False,
        lock: LockOf = unlocked,
        progress: Progress | None = None,
    ) -> pl.DataFrame:
        """Move the events of all months that end before a day to cold storage, month by month.

        `to` is a folder or the URL of one in an object store. Each month is written, put there, read back and proven,
        and only then leaves the book. An interrupted run is repeated as it was. Columns: month, archive_id, events,
        records, bytes (of the files in cold storage) and manifest; with `dry_run` as it would be, and nothing changes.
        `lock` says under which lock objects of a month and table are put, the manifest being of no table.
        """
        self._writable()
        if before is None:
            raise InputError("archive asks for a day: the months that end before it go. For example 2024-01-01.")
        report, objects = progress or no_progress, ColdStore(str(to))
        if not dry_run:
            # Nothing goes that is not folded.
            self.fold()
        with self._catalog.transaction():
            standing = self._standing()
            until = standing.head if dry_run else standing.checkpoint.sequence
            months = months_before(self._catalog, day_of(before), until)["month"].to_list()
        done = []
        for number, month in enumerate(months):
            report(f"archive {month:%Y-%m}", number, len(months))
            archived = self._archive_month(month, until, objects, lock, dry_run=dry_run)
            done += [archived] if archived else []
        report("done", len(months), len(months))
        return pl.DataFrame(done, schema=ARCHIVED)

    def _archive_month(
        self, month: date, until: int, objects: ColdStore, lock: LockOf, *, dry_run: bool
    ) -> dict[str, Any] | None:
        """Archive a month; None where others have left nothing of it to go."""
        for _ in range(ATTEMPTS):
            with TemporaryDirectory(prefix="tradelake-") as folder:
                with self._catalog.transaction():
                    staged = stage(self._catalog, month, Path(folder), until)
                if not staged.files:
                    return None
                manifest = manifest_of(staged, self._book_id)
                if not dry_run:
                    self._put(staged, manifest, objects, Path(folder), lock)
                if dry_run or self._commit_archive(staged, manifest, objects.url):
                    return _archived(staged, f"{objects.url}/{manifest.name}")
        raise StorageError(f"{month:%Y-%m} keeps changing: events of it were cured {ATTEMPTS} times. Archive it later.")

    def _put(self, staged: Staged, manifest: Manifest, objects: ColdStore, folder: Path, lock: LockOf) -> None:
        for file in staged.files:
            objects.put(manifest.objects[file.table], file.path, file.sha256, lock(staged.month, file.table))
        # The manifest comes last: where it is, its files are.
        path = folder / "manifest.json"
        path.write_bytes(manifest.data)
        objects.put(manifest.name, path, manifest.sha256, lock(staged.month, None))

    def _commit_archive(self, staged: Staged, manifest: Manifest, url: str) -> bool:
        with self._catalog.lease.hold(), self._catalog.transaction():
            gone = retire(self._catalog, staged)
            if gone:
                self._append_archives(entries(staged, manifest, url, "archived"), "archive")
        return gone

    def _append_archives(self, rows: pl.DataFrame, source: str) -> None:
        batch = facts_batch(source, {ARCHIVES.name: rows})
        self._remember(append(self._catalog, lambda _: batch, self._index))

    def restore(self, manifests: Iterable[str | Path], *, progress: Progress | None = None) -> pl.DataFrame:
        """Bring archived months back into the book; return the rows of `archives` that this made.

        Each manifest is a path, a URL as `archive` gives it, or a month (2026-01) for all that is archived of it. A
        month's files are fetched and proven before anything changes; one that is in the book already is refused with
        InputError.
        """
        self._writable()
        report, parts = progress or no_progress, self.archives()
        wanted = [name for each in manifests for name in self._archives_named(str(each), parts)]
        found = []
        for number, archive_id in enumerate(dict.fromkeys(wanted)):
            report(f"restore {archive_id}", number, len(wanted))
            found.append(self._restore_part(archive_id))
        report("done", len(wanted), len(wanted))
        return pl.concat(found) if found else ARCHIVES.empty()

    def check_archives(
        self, manifests: Iterable[str | Path] | None = None, *, progress: Progress | None = None
    ) -> tuple[str, ...]:
        """Rehearse a restore: fetch archived months, prove their files, and add them up; return what differs.

        Without *manifests* (as in `restore`) of all that is archived. What a month adds up to is compared with its
        manifest and with what the book has noted of it.
        """
        report, parts = progress or no_progress, self.archives()
        every = parts["archive_id"].unique(maintain_order=True).to_list()
        named = () if manifests is None else manifests
        wanted = [name for each in named for name in self._archives_named(str(each), parts)] if named else every
        found: list[str] = []
        for number, archive_id in enumerate(dict.fromkeys(wanted)):
            report(f"check {archive_id}", number, len(wanted))
            try:
                found += self._check_part(archive_id, parts.filter(archive_id=archive_id))
            except StorageError as error:
                found.append(str(error))
        report("done", len(wanted), len(wanted))
        return tuple(found)

    def _check_part(self, archive_id: str, rows: pl.DataFrame) -> list[str]:
        first = rows.row(0, named=True)
        data = ColdStore(first["url"]).read(first["manifest"])
        if sha256(data).hexdigest() != first["manifest_sha256"]:
            return [f"{first['url']}/{first['manifest']}: the manifest is not what it was."]
        said = read_manifest(data, first["manifest"])
        files = {row["table_name"]: self._catalog.cold.file(row) for row in rows.iter_rows(named=True)}
        with self._catalog.transaction():
            totals, keys = added_up(self._catalog, archive_id, first["month"], files)
            noted = noted_of(self._catalog, archive_id)
        found = []
        # What late events have made of the profit since then is no fault of the archive.
        if totals_said(said, without=PROFIT) != control_totals(totals.drop(PROFIT)):
            found.append(f"{archive_id}: its rows do not add up to the control totals of its manifest.")
        if not noted[0].drop(PROFIT).equals(totals.drop(PROFIT)):
            found.append(f"{archive_id}: archive_totals is not what its rows add up to.")
        if not noted[1].equals(keys):
            found.append(f"{archive_id}: archived_keys are not the keys of its rows.")
        return found

    def _archives_named(self, manifest: str, parts: pl.DataFrame) -> list[str]:
        """Return the archived parts of this book that a manifest, or a month, is of."""
        if MONTH.fullmatch(manifest):
            ids: list[str] = parts.filter(pl.col("month").dt.strftime("%Y-%m") == manifest)["archive_id"].to_list()
            if not ids:
                gone = self._catalog.cold.deleted()["month"].dt.strftime("%Y-%m").to_list()
                why = " It was deleted when its retention was over." if manifest in gone else ""
                raise InputError(f"Nothing of {manifest} is archived in this book now.{why}")
            return ids
        folder, _, name = manifest.rpartition("/")
        said = read_manifest(ColdStore(folder or ".").read(name), manifest)
        if said["book_id"] != self._book_id:
            raise InputError(f"{manifest} is of another book, {said['book_id']}; this one is {self._book_id}.")
        archive_id = str(said["archive_id"])
        if archive_id not in parts["archive_id"].to_list():
            deleted = archive_id in self._catalog.cold.deleted()["archive_id"].to_list()
            where = "it was deleted when its retention was over" if deleted else "its rows are hot"
            raise InputError(f"{manifest}: {archive_id} is not archived in this book now; {where}.")
        return [archive_id]

    def _restore_part(self, archive_id: str) -> pl.DataFrame:
        """Bring one archived part back."""
        with self._catalog.lease.hold():
            rows = self.archives().filter(archive_id=archive_id)
            files = {row["table_name"]: self._catalog.cold.file(row) for row in rows.iter_rows(named=True)}
            with self._catalog.transaction():
                counts = bring_back(self._catalog, archive_id, files)
                expected = dict(rows.select("table_name", "rows").iter_rows())
                if counts != expected:
                    raise TradelakeError(f"{archive_id}: {counts} rows came back, {expected} were archived.")
                back = rows.drop("recorded_at", "import_run_id").with_columns(pl.lit("restored").alias("step"))
                self._append_archives(back, "restore")
        return rows

    @property
    def _book_id(self) -> str:
        return self._catalog.settings()["book_id"]


def _archived(staged: Staged, manifest: str) -> dict[str, Any]:
    """Return a row of ARCHIVED."""
    counts = {file.table: file.rows for file in staged.files}
    return {
        "month": staged.month,
        "archive_id": staged.archive_id,
        "events": counts[TRADE_LOG.name],
        "records": counts.get(SOURCE_RECORDS.name, 0),
        "bytes": sum(file.bytes for file in staged.files),
        "manifest": manifest,
    }
