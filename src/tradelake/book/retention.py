"""How long months of the log stay in the book and in cold storage, and their deletion when their time is over.

A month is counted from its end. It is archived when its hot time is over, and an archived file may be deleted when the
cold time of its table is over, and no hold is on an event of the month: such a month stays whole.

A deletion takes four steps. The tombstones are put into cold storage and read back; then, in one transaction under the
writer's lease, the book notes the deletion, the leaves of the hash chain, and its closing; then the files are removed
from cold storage, and their copies from this machine. Whatever interrupts that, the next run completes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl

from tradelake.book.balances import Balances
from tradelake.book.closing import close_book
from tradelake.book.holds import Holders
from tradelake.book.shelf import asked_again, author, facts_batch, now
from tradelake.store import append
from tradelake.store.archive import KEY, months_before
from tradelake.store.closing import closed_until, latest_of_parts
from tradelake.store.cold_store import ColdStore
from tradelake.store.deleted import leaves_to_note
from tradelake.store.manifest import Manifest
from tradelake.store.object_lock import Lock
from tradelake.store.progress import Progress, no_progress
from tradelake.store.tombstone import deleted_entries, leaves_of_part, tombstone_of
from tradelake.tables import ARCHIVED_TABLES, ARCHIVES, CLOSINGS, DELETED_LEAVES, TRADE_LOG

RETAINED_TABLES = tuple(table.name for table in ARCHIVED_TABLES)
RETAINED = pl.Schema(
    {
        "month": pl.Date(),
        "table_name": pl.String(),
        "action": pl.String(),
        "due": pl.Date(),
        "rows": pl.Int64(),
        "holds": pl.String(),
        "archive_id": pl.String(),
    }
)
ORDER = ("month", "table_name", "archive_id")


@dataclass(frozen=True, slots=True)
class Policy:
    """How many months after its end a month stays in the book (`hot`), and its files stay in cold storage, by table.

    A table without an entry in `cold` is kept for ever, and without `hot` nothing is archived. `lock` is governance or
    compliance where objects are to be locked until their cold time is over.
    """

    hot: int | None = None
    cold: Mapping[str, int] = field(default_factory=dict)
    lock: str | None = None

    def text(self) -> dict[str, str]:
        """Return the policy in words, as a tombstone has it."""
        cold = {f"cold {name}": f"{months} months" for name, months in self.cold.items()}
        return cold if self.hot is None else {"hot": f"{self.hot} months", **cold}

    def lock_of(self, month: date, table: str | None = None) -> Lock | None:
        """Return the lock of an object of a month: until the cold time of its table is over, or of all of them."""
        kept = [self.cold.get(name) for name in (KEY if table is None else (table,))]
        months = [number for number in kept if number is not None]
        if self.lock is None or not months:
            return None
        end = months_after(month, 1 + max(months))
        return Lock(self.lock, datetime(end.year, end.month, end.day, tzinfo=UTC))


def months_after(month: date, months: int) -> date:
    """Return the first day of the month that is some months later."""
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


class Retainers(Balances, Holders):
    """Everything that follows a policy of retention."""

    @asked_again
    def retention(self, policy: Policy) -> pl.DataFrame:
        """Return what a policy asks for today, one row per month and table, by month; nothing changes.

        Columns: month, table_name, action, due, rows, holds, archive_id. The action is `archive` where the hot time is
        over since `due`, `delete` where the cold time is, and `keep` where a hold prevents that; holds names them.
        """
        with self._catalog.transaction():
            return self._retained(policy, now().date())

    def _retained(self, policy: Policy, today: date) -> pl.DataFrame:
        """Return what a policy asks for on a day; the caller holds a transaction."""
        rows: list[dict[str, Any]] = []
        if policy.hot is not None:
            before = months_after(today, -policy.hot)
            hot = months_before(self._catalog, before, self._standing().head)
            for month, events in hot.iter_rows():
                due = months_after(month, 1 + policy.hot)
                rows.append(
                    {"month": month, "table_name": TRADE_LOG.name, "action": "archive", "due": due} | {"rows": events}
                )
        held = dict(self._held().group_by("month").agg(pl.col("hold_id").str.join(", ")).iter_rows())
        for part in self._catalog.cold.parts(self._catalog.transaction_number).iter_rows(named=True):
            kept = policy.cold.get(part["table_name"])
            if kept is None or months_after(part["month"], 1 + kept) > today:
                continue
            holds = held.get(part["month"])
            wanted = {name: part[name] for name in ("month", "table_name", "rows", "archive_id")}
            action = "keep" if holds else "delete"
            rows.append(wanted | {"action": action, "due": months_after(part["month"], 1 + kept), "holds": holds})
        return pl.DataFrame(rows, schema=RETAINED).sort(*ORDER)

    def apply_retention(
        self,
        policy: Policy,
        *,
        to: str | Path | None = None,
        delete: bool = False,
        progress: Progress | None = None,
    ) -> pl.DataFrame:
        """Archive to a place what is past its hot time, and with `delete` delete what is past its cold time.

        Returns what was done and what a hold keeps, as `retention` does; the actions are `archived`, `deleted` and
        `keep`. Without `to` nothing is archived. An interrupted run is repeated as it was.
        """
        self._writable()
        done = []
        if to is not None and policy.hot is not None:
            before = months_after(now().date(), -policy.hot)
            gone = self.archive(before, to, lock=policy.lock_of, progress=progress)
            counts = gone.select(
                "month", pl.lit(TRADE_LOG.name).alias("table_name"), pl.col("events").alias("rows"), "archive_id"
            )
            done.append(counts.with_columns(pl.lit("archived").alias("action")))
        if delete:
            done.append(self._delete(policy, progress or no_progress))
        kept = self.retention(policy).filter(action="keep")
        return pl.concat([pl.DataFrame(schema=RETAINED), *done, kept], how="diagonal").sort(
            "month", "table_name", "archive_id"
        )

    def _delete(self, policy: Policy, report: Progress) -> pl.DataFrame:
        """Delete what is past its cold time and not held; return rows of RETAINED."""
        self.fold()
        report("delete", 0, 2)
        with self._catalog.lease.hold():
            with self._catalog.parallel(), self._catalog.cold.including(), self._catalog.transaction():
                due = self._retained(policy, now().date()).filter(action="delete")
                if due.height:
                    parts = self._catalog.cold.parts(self._catalog.transaction_number)
                    self._note_deletion(parts.join(due, on=["archive_id", "table_name"], how="semi"), policy)
            report("remove", 1, 2)
            self._remove_deleted()
        report("done", 2, 2)
        return due.with_columns(pl.lit("deleted").alias("action"))

    def _note_deletion(self, going: pl.DataFrame, policy: Policy) -> None:
        """Put the tombstones of files, rows of `archives`, and note in the book that they are deleted."""
        noted = pl.concat([self._leaves(going.filter(table_name=name)) for name in going["table_name"].unique()])
        facts = {DELETED_LEAVES.name: noted}
        logs = going.filter(table_name=TRADE_LOG.name)
        if logs.height:
            times = [latest_of_parts(self._catalog, logs), closed_until(self._catalog)]
            until = max(at for at in times if at is not None)
            references = self._references(self._standing().import_run_id)
            facts[CLOSINGS.name] = close_book(self._catalog, references, until, self._to_date(until))
        entries = []
        for part in going.partition_by("archive_id", maintain_order=True):
            leaves = leaves_of_part(self._catalog, part, noted)
            tombstone = tombstone_of(
                self._catalog, self._book_id, part, leaves, policy=policy.text(), author=author(), at=now()
            )
            self._put_tombstone(part["url"][0], tombstone)
            entries.append(deleted_entries(part, tombstone))
        facts[ARCHIVES.name] = pl.concat(entries)
        batch = facts_batch("retention", facts)
        self._remember(append(self._catalog, lambda _: batch, self._index))

    def _leaves(self, going: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of `deleted_leaves` of some files of one table."""
        name = going["table_name"][0]
        table = next(table for table in ARCHIVED_TABLES if table.name == name)
        parts = self._catalog.cold.parts(self._catalog.transaction_number).filter(table_name=name)
        staying = parts.join(going, on="archive_id", how="anti")
        files = [[self._catalog.cold.file(row) for row in rows.iter_rows(named=True)] for rows in (going, staying)]
        return leaves_to_note(self._catalog, table, files[0], files[1], KEY[name])

    def _put_tombstone(self, url: str, tombstone: Manifest) -> None:
        with TemporaryDirectory(prefix="tradelake-") as folder:
            path = Path(folder) / "tombstone.json"
            path.write_bytes(tombstone.data)
            ColdStore(url).put(tombstone.name, path, tombstone.sha256)

    def _remove_deleted(self) -> None:
        """Remove the objects of all that is deleted, but of months on which there is a hold by now."""
        held = self._held()["month"].implode()
        there = self._catalog.cold.parts(None)["object"].implode()
        deleted = self._catalog.cold.deleted()
        for row in deleted.filter(~pl.col("month").is_in(held) & ~pl.col("object").is_in(there)).iter_rows(named=True):
            ColdStore(row["url"]).delete(row["object"])
            self._catalog.cold.forget(row["file_sha256"])
