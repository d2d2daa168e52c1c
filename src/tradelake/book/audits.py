"""The audit of a book: is all as it was told, and where does one event come from."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import polars as pl

from tradelake.book.checking import Comparison
from tradelake.book.closing import changed_final
from tradelake.book.clustered import BucketRebuilders
from tradelake.book.derive import latest_event
from tradelake.book.reading import Readers
from tradelake.book.shelf import asked_again
from tradelake.errors import DeletedError, InputError, StorageError
from tradelake.outputs import render
from tradelake.store import (
    Anchor,
    Finding,
    Verified,
    anchor_of,
    check_anchor,
    check_files,
    read_standing,
    verify_runs,
)
from tradelake.store.closing import closed_until, was_deleted
from tradelake.store.cold import CLOSED, HOT, Span
from tradelake.store.engine import Engine
from tradelake.store.progress import Progress, no_progress
from tradelake.tables import CHECKPOINT, IMPORT_RUNS, KINDS, NIGHTS, SOURCE_RECORDS, TRADE_LOG

CLOSED_PAST = (
    "positions, lots, matches, position_history, cash_flows and refusals up to {} cannot be derived again: events by "
    "then were deleted when their retention was over. They were compared with the closing of the book, and what came "
    "later with a rebuild from there."
)
PARTS = pl.Schema({"part": pl.String, "row": pl.Int64, "field": pl.String, "value": pl.String})


@dataclass(frozen=True, slots=True)
class Told:
    """One event with what it comes from and what came of it, each a frame.

    `event` are its rows of the log, one per leg; `records` what the source said, as it said it; `commits` who recorded
    it, when, from which file; `cures` the cancels and corrects that name it; `matches` the closures that it is part of.
    """

    event: pl.DataFrame
    records: pl.DataFrame
    commits: pl.DataFrame
    cures: pl.DataFrame
    matches: pl.DataFrame

    def parts(self) -> Mapping[str, pl.DataFrame]:
        """Return the frames by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def frame(self) -> pl.DataFrame:
        """Return all that is not null as one row per field: part, row (from 1), field, value as text."""
        rows = [
            (part, number, name, value if isinstance(value, str) else json.dumps(value))
            for part, frame in self.parts().items()
            for number, row in enumerate(json.loads(render(frame, form="json")), start=1)
            for name, value in row.items()
            if value is not None
        ]
        return pl.DataFrame(rows, schema=PARTS, orient="row")

    def json(self) -> str:
        """Return the frames as one JSON object, a list of objects each."""
        lists = {part: json.loads(render(frame, form="json")) for part, frame in self.parts().items()}
        return json.dumps(lists, indent=2, ensure_ascii=False) + "\n"


class Audits(Readers, BucketRebuilders):
    """Everything that reads a book again to see whether it is as it was told."""

    def verify(
        self,
        *,
        deep: bool = False,
        anchor: str | Path | None = None,
        engine: Engine | None = None,
        buckets: int = 1,
        progress: Progress | None = None,
    ) -> Verified:
        """Read all that was told again: the hash chain from the first commit, and the files against the catalog.

        With `deep` the derived tables are compared with a rebuild in memory: of everything, or of what came after the
        closing of a book whose first events were deleted; what is final by then is compared with the closing. `anchor`
        is a file that `export_head` wrote: the chain must have passed through it. Raises InputError where that cannot
        be read. An `engine` reads and derives in other processes, the log then in about *buckets* parts, as in
        `rebuild_in_buckets`.
        """
        report = progress or no_progress
        if engine is not None:
            self._shareable()
        known = None if anchor is None else _read_anchor(Path(anchor))
        with self._catalog.parallel():
            report("files", 0, 1)
            files, findings = check_files(self._catalog)
            found = verify_runs(self._catalog, engine=engine, progress=report)
            findings += found.findings
            if known is not None:
                findings += self._against(known)
            if deep:
                report("derive", 0, 1)
                findings += self._deep(engine, buckets, touched=bool(found.findings))
        report("done", 1, 1)
        closed = closed_until(self._catalog) if deep else None
        notes = () if closed is None else (CLOSED_PAST.format(closed.isoformat()),)
        return Verified(found.runs, found.rows, tuple(findings), files, notes)

    def verify_tail(self) -> Verified:
        """Read the commits since the last night that is done again, and recompute their links of the hash chain."""
        done = self._catalog.frame(f"SELECT coalesce(max(import_run_id), 0) AS run FROM {NIGHTS.name}")
        return verify_runs(self._catalog, after=int(done["run"].item()))

    def export_head(self, path: str | Path) -> Anchor:
        """Write where the chain stands as JSON, to be signed and kept elsewhere, and return it."""
        anchor = anchor_of(self._catalog)
        try:
            Path(path).write_text(anchor.text(), encoding="utf-8")
        except OSError as error:
            raise InputError(f"{path}: it cannot be written: {error.strerror}. Name another file.") from error
        return anchor

    @asked_again
    def trade(self, trade_id: str) -> Told:
        """Return one event with its source records, commits, cures and matches; InputError where there is none."""
        with self._catalog.cold.including(), self._catalog.transaction():
            rows = self._catalog.frame(
                f"SELECT * FROM {TRADE_LOG.name} WHERE trade_id = ? ORDER BY sequence", [trade_id], CLOSED
            )
            if not rows.height:
                if was_deleted(self._catalog, trade_id):
                    raise DeletedError(
                        f"The event {trade_id!r} was deleted when its retention was over.",
                        "`tradelake matches` and `tradelake history` have what followed from it.",
                    )
                raise InputError(f"There is no event {trade_id!r}. `tradelake trades --json` lists the ids.")
            cures = self._catalog.frame(
                f"SELECT * FROM {TRADE_LOG.name} WHERE target_id = ? ORDER BY sequence", [trade_id], HOT
            )
            told, days = pl.concat([rows, cures]), rows["trade_date"].to_list()
            with self._catalog.joined(told=told.select("source_record_id", "import_run_id")):
                records = self._catalog.frame(
                    f"SELECT * FROM {SOURCE_RECORDS.name} SEMI JOIN told USING (source_record_id) "
                    "ORDER BY source_record_id",
                    span=Span(since=min(days), until=max(days)),
                )
                commits = self._catalog.frame(
                    f"SELECT * FROM {IMPORT_RUNS.name} SEMI JOIN told USING (import_run_id) ORDER BY import_run_id"
                )
        states = (
            self.trades(kinds=KINDS, since=min(days), until=max(days))
            .filter(pl.col("trade_id") == trade_id)
            .select("leg_id", "state")
        )
        matches = self.matches(account=rows["account_id"].drop_nulls().unique().to_list() or None)
        part = (pl.col("open_trade_id") == trade_id) | (pl.col("close_trade_id") == trade_id)
        event = rows.join(states, on="leg_id", how="left", maintain_order="left")
        return Told(event, records, commits, cures, matches.filter(part))

    def _against(self, anchor: Anchor) -> list[Finding]:
        try:
            return check_anchor(self._catalog, anchor)
        except StorageError as error:
            return [Finding(None, IMPORT_RUNS.name, "", f"it cannot be compared with the anchor: {error}")]

    @asked_again
    def _deep(self, engine: Engine | None, buckets: int, *, touched: bool) -> list[Finding]:
        """Compare the derived tables with a rebuild, where the events they follow from are as they were told."""
        if touched:
            return [Finding(None, "derived tables", "", "they are not compared: what they follow from was touched")]
        findings: list[Finding] = []
        try:
            with self._catalog.cold.including(), self._catalog.transaction():
                self._compare(findings, alone=engine is None)
            if engine is not None:
                comparison, *_ = self._compared_by(engine, buckets, no_progress)
                findings += _different(comparison)
        except StorageError as error:
            findings.append(Finding(None, "derived tables", "", f"they cannot be read: {error}"))
        return findings

    def _compare(self, findings: list[Finding], *, alone: bool) -> None:
        standing = read_standing(self._catalog)
        references = self._references(standing.import_run_id)
        changed = changed_final(self._catalog, references)
        findings += [Finding(None, name, "", what) for name, what in changed]
        reached, checkpoint = latest_event(self._catalog, references), standing.checkpoint
        if checkpoint.sequence == reached.sequence and checkpoint.latest_at != reached.latest_at:
            what = f"it is {checkpoint.latest_at.isoformat()}, the events say {reached.latest_at.isoformat()}"
            findings.append(Finding(None, CHECKPOINT.name, "latest_at", what))
        if alone:
            comparison, _ = self._compared(standing, no_progress)
            findings += _different(comparison)


def _different(comparison: Comparison) -> list[Finding]:
    return [
        Finding(None, table.name, difference.first, f"{difference.rows:,} rows are {difference.word}")
        for table, found in comparison.differences().items()
        for difference in found
    ]


def _read_anchor(path: Path) -> Anchor:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: it cannot be read: {error}. Name a file that --export-head wrote.") from error
    return Anchor.read(text, name=path.name)
