"""What goes wrong around a book is said in one paragraph, loses nothing, and the next run completes."""

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

import tradelake as tl
from tests.books import Place, assert_whole, frame
from tests.store.mounts import Small, mounted, read_only
from tests.store.victim import NOTHING_KEPT, fills
from tradelake.book import deriving, rehearse, shelf, writing
from tradelake.errors import BookError, StorageError

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


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_full_disk_loses_nothing_and_the_next_run_completes(small, patterns, kind, tmp_path):
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


def write_to(place: Place, step: str) -> None:
    """Open a book and do something that writes."""
    with place.open() as book:
        if step == "record":
            book.record(fills(5000, 1))
        else:
            getattr(book, step)()


@pytest.mark.parametrize("place", ["sqlite", "duckdb"], indirect=True)
def test_a_read_only_place_is_said_to_be_one_and_is_read(ready):
    folder = Path(ready.target.partition(":")[2])
    with ready.open() as book:
        book.record(fills(1, 1100))
        book.fold()
    with read_only(folder):
        found = [trouble(partial(write_to, ready, step)) for step in ("record", "fold", "maintain")]
        assert all(found)
    with ready.open() as book:
        assert book.record(fills(5000, 1)).accepted == 1
        assert_whole(book, 1101)


def test_a_clock_that_jumps_back_never_moves_knowledge_back_nor_removes_anything(local_book, monkeypatch):
    real = shelf.now()
    local_book.record(fills(1, 3))
    for module in (writing,):
        monkeypatch.setattr(module, "now", lambda: datetime(2020, 1, 1, tzinfo=UTC))
    monkeypatch.setattr("tradelake.book.nights.now", lambda: datetime(2020, 1, 1, tzinfo=UTC))
    local_book.record(fills(4, 3))
    local_book.fold()
    done = local_book.maintain(upkeep=NOTHING_KEPT)
    assert (done.versions_expired, done.files_removed, done.orphans_removed) == (0, 0, 0)
    monkeypatch.undo()
    local_book.record(fills(7, 3))
    times = frame(local_book.trades()).sort("sequence")["recorded_at"].to_list()
    assert times == sorted(times)
    assert times[0] >= real - timedelta(seconds=1)
    assert_whole(local_book, 9)
