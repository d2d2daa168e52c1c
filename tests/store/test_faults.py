"""What goes wrong around a book is said in one paragraph, loses nothing, and the next run completes."""

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

import tradelake as tl
from tests.books import Place, assert_whole, frame
from tests.store.mounts import Small, mounted, read_only, unwritable
from tests.store.victim import NOTHING_KEPT, fills
from tradelake.book import deriving, rehearse, shelf
from tradelake.errors import BookError, InputError, StorageError
from tradelake.jobs.nightly import Night, run_nights
from tradelake.store import bulk

KIB = 1 << 10
ROOMS = [int(n) * KIB for n in os.environ.get("TRADELAKE_ROOMS", "0 96").split()]


def said(error: Exception) -> str:
    """Return what an error says, which is one paragraph of it."""
    text = str(error)
    assert 20 < len(text) < 900
    assert "Traceback" not in text
    assert "\n\n" not in text
    return text


def trouble(step: Callable[[], object]) -> str:
    """Do something and return what the error of the book says; nothing where there is none."""
    try:
        step()
    except BookError as error:
        return said(error)
    return ""


@pytest.fixture
def small(tmp_path):
    """A file system of 64 MB."""
    made = Small(tmp_path / "small", "64m")
    with mounted(made):
        yield made


@pytest.mark.parametrize(("kind", "files_from"), [("sqlite", bulk.FILES_FROM), ("duckdb", 1_000_000)])
def test_a_full_disk_loses_nothing_and_the_next_run_completes(small, patterns, kind, files_from, tmp_path, monkeypatch):
    monkeypatch.setattr(bulk, "FILES_FROM", files_from)
    place = patterns.copy(kind, small.folder / "book")
    backup, number, failed = small.folder / "copies", 0, 0
    statement = tmp_path / "rows.jsonl"
    for room in ROOMS:
        for step in ("few", "many", "import", "fold", "maintain", "backup"):
            count = {"few": 3, "many": 1100, "import": 1050}.get(step, 0)
            rows = fills(number + 1, count)
            for full in (True, False):
                with place.open() as book:
                    if full:
                        small.fill(leave=room)
                    what = trouble(partial(do, book, step, rows, statement, backup))
                    assert full or not what, f"{step} fails with room on the disk: {what}"
                    failed += bool(what)
                small.empty()
            number += count
            with place.open() as book:
                assert_whole(book, number)
            if step == "backup":
                assert rehearse(max(backup.glob("*.json")), beside=tmp_path).problems == ()
                shutil.rmtree(backup)
    assert failed >= 6


def do(book: tl.Book, step: str, rows: list[dict[str, object]], file: Path, backup: Path) -> None:
    """Do one step of the test of the full disk."""
    if step in ("few", "many"):
        assert book.record(rows).ok
    elif step == "import":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        assert book.ingest("executions", file).ok
    elif step == "fold":
        book.fold()
    elif step == "maintain":
        book.maintain(upkeep=NOTHING_KEPT)
    else:
        book.backup(backup)


def test_a_fold_that_fails_leaves_a_receipt_that_says_so_and_the_next_one_repairs(local_book, monkeypatch):
    def full(*_given: object, **_named: object) -> None:
        raise StorageError("No space left on device")

    monkeypatch.setattr(deriving, "FOLD_AFTER", 5)
    monkeypatch.setattr(deriving, "replace_derived", full)
    receipt = local_book.record(fills(1, 6))
    assert (receipt.accepted, receipt.ok, len(receipt.warnings)) == (6, True, 1)
    assert "All of it is recorded" in receipt.warnings[0]
    assert "No space left on device" in receipt.warnings[0]
    assert frame(local_book.trades()).height == 6
    assert local_book.positions().height == 3
    monkeypatch.undo()
    monkeypatch.setattr(deriving, "FOLD_AFTER", 5)
    assert local_book.record(fills(7, 1)).warnings == ()
    assert local_book.sql("SELECT sequence FROM checkpoint").fetchall() == [(7,)]
    assert_whole(local_book, 7)


def test_a_fold_into_a_full_data_folder_leaves_a_receipt(small, patterns, tmp_path, monkeypatch):
    monkeypatch.setattr(deriving, "FOLD_AFTER", 5)
    with tl.create(tmp_path / "book", data=small.folder / "data") as book:
        book.add_accounts([{"account_id": "GEN-1"}])
        small.fill(leave=0)
        receipt = book.record(fills(1, 6))
        assert (receipt.accepted, len(receipt.warnings)) == (6, 1)
        small.empty()
        assert book.record(fills(7, 1)).warnings == ()
        assert_whole(book, 7)


WRITING: dict[str, Callable[[tl.Book, Path], object]] = {
    "record": lambda book, _: book.record(fills(5000, 1)),
    "fold": lambda book, _: book.fold(),
    "maintain": lambda book, _: book.maintain(upkeep=NOTHING_KEPT),
    "archive": lambda book, elsewhere: book.archive("2026-03-01", elsewhere / "cold"),
    "restore": lambda book, _: book.restore(["2026-01"]),
    "night": lambda book, _: run_nights(book, Night(until=date(2026, 3, 6))),
}


def refused(place: Place, elsewhere: Path) -> set[str]:
    """Try everything that writes to a book, and return what the errors say."""
    said = set()
    for step in WRITING.values():
        with pytest.raises(BookError) as raised, place.open() as book:
            step(book, elsewhere)
        said.add(str(raised.value))
    assert all("cannot be written" in what and "read only" in what for what in said), said
    return said


@pytest.fixture
def some_archived(ready: Place, tmp_path: Path) -> Place:
    """A closed book with months of files, of which one is archived, and an event inside the catalog."""
    with ready.open() as book:
        book.record(fills(1, 1100))
        book.archive("2026-02-01", tmp_path / "cold")
        book.record(fills(1101, 1))
    return ready


def assert_unharmed(place: Place, elsewhere: Path) -> None:
    """Assert that a book is whole, and that everything that was refused can be done."""
    with tl.open(place.target, cold=True) as book:
        assert_whole(book, 1101)
        for step in WRITING.values():
            step(book, elsewhere)
        assert_whole(book, 1102)
        assert book.verify(deep=True).findings == ()


@pytest.mark.parametrize("place", ["sqlite", "duckdb"], indirect=True)
def test_a_read_only_file_system_is_said_to_be_one(some_archived, tmp_path):
    folder = Path(some_archived.target.partition(":")[2])
    with read_only(folder):
        refused(some_archived, tmp_path)
        if some_archived.kind == "sqlite":
            with pytest.raises(StorageError, match="SQLite needs to write beside the catalog even to read it"):
                some_archived.open(read_only=True)
        else:
            with some_archived.open(read_only=True) as book:
                assert book.positions().height == 3
                assert book.trades(since="2026-02-01").height == 734
                assert book.verify(deep=True).findings == ()
    assert_unharmed(some_archived, tmp_path)


@pytest.mark.parametrize("place", ["sqlite", "duckdb"], indirect=True)
def test_a_catalog_that_may_not_be_written_is_read_and_nothing_else(some_archived, tmp_path):
    folder = Path(some_archived.target.partition(":")[2])
    with unwritable(folder / f"catalog.{some_archived.kind}"):
        refused(some_archived, tmp_path)
        with some_archived.open(read_only=True) as book:
            assert book.positions().height == 3
            assert book.trades(since="2026-02-01").height == 734
    assert_unharmed(some_archived, tmp_path)


def test_an_archive_on_a_full_disk_loses_nothing_and_completes_when_there_is_room(
    small, patterns, tmp_path, monkeypatch
):
    place, failed = patterns.copy("sqlite", small.folder / "book"), 0
    with place.open() as book:
        book.record(fills(1, 1200))
        book.fold()
    steps: tuple[Callable[[tl.Book], object], ...] = (
        lambda book: book.archive("2026-03-01", small.folder / "cold"),
        lambda book: book.restore(book.archives()["month"].dt.strftime("%Y-%m").unique().sort()),
    )
    for step in steps:
        for room, scratch in ((0, tmp_path), (0, small.folder), (160 * KIB, small.folder), (None, tmp_path)):
            monkeypatch.setattr(tempfile, "tempdir", str(scratch))
            with tl.open(place.target, cold=True) as book:
                if room is not None:
                    small.fill(leave=room)
                what = trouble(partial(step, book))
                assert what or room != 0
                assert room is not None or not what
                failed += bool(what)
            small.empty()
            with tl.open(place.target, cold=True) as book:
                assert_whole(book, 1200)
        with tl.open(place.target, cold=True) as book:
            assert book.verify().findings == ()
            assert book.check_archives() == ()
    assert failed >= 4


def stopped(moment: datetime) -> type[datetime]:
    """Return a clock that stands at an instant."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return moment

    return Stopped


def test_a_clock_that_jumps_back_never_moves_knowledge_back_nor_removes_anything(local_book, tmp_path, monkeypatch):
    real = shelf.now()
    local_book.record(fills(1, 1100))
    for moment in (real - timedelta(hours=3), datetime(2020, 1, 1, tzinfo=UTC)):
        monkeypatch.setattr(shelf, "datetime", stopped(moment))
        assert shelf.now() == moment
        local_book.record(fills(local_book.sequence + 1, 3))
        local_book.fold()
        done = local_book.maintain(upkeep=NOTHING_KEPT)
        assert (done.versions_expired, done.files_removed, done.orphans_removed) == (0, 0, 0)
        assert local_book.archive("2026-03-01", tmp_path / "cold").height == 2
        assert local_book.restore(["2026-02"]).height == 2
        night = Night(until=date(2026, 3, 6), upkeep=NOTHING_KEPT)
        if moment.year == 2020:
            with pytest.raises(InputError, match="has not closed"):
                run_nights(local_book, night)
        else:
            assert len(run_nights(local_book, night)) == 1
        local_book.restore(["2026-01"])
        manifest = local_book.backup(tmp_path / f"copies {moment.year}").manifest
        assert rehearse(tmp_path / f"copies {moment.year}" / manifest).problems == ()
    monkeypatch.undo()
    local_book.record(fills(local_book.sequence + 1, 3))
    assert len(run_nights(local_book, Night(until=date(2026, 3, 9), upkeep=NOTHING_KEPT))) == 1
    times = frame(local_book.trades()).sort("sequence")["recorded_at"].to_list()
    assert times == sorted(times)
    assert times[0] >= real - timedelta(seconds=1)
    known = local_book.runs()["recorded_at"].to_list()
    assert known == sorted(known)
    assert_whole(local_book, 1109)
    assert local_book.verify(deep=True).findings == ()
