"""What goes wrong around a book is said in one paragraph, loses nothing, and the next run completes."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import tradelake as tl
from tests.books import assert_whole, frame
from tests.store.mounts import Small, mounted, read_only
from tests.store.victim import NOTHING_KEPT, fills
from tradelake.book import deriving, rehearse, shelf, writing
from tradelake.errors import BookError, StorageError

KIB = 1 << 10
ROOMS = [int(n) * KIB for n in os.environ.get("TRADELAKE_ROOMS", "0 24 96 400").split()]


def one_paragraph(error: BaseException) -> bool:
    """Tell whether an error says what it is without a trace or a riddle."""
    text = str(error)
    return 20 < len(text) < 900 and "Traceback" not in text and "\n\n" not in text


@pytest.fixture
def small(tmp_path):
    """A file system of 16 MB."""
    made = Small(tmp_path / "small", "16m")
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
            statement.write_text("".join(line + "\n" for line in map(_json, rows)))
            manifest = None
            for full in (True, False):
                with place.open() as book:
                    (small.fill(leave=room) if full else small.empty())
                    try:
                        if step in ("few", "many"):
                            assert book.record(rows).ok
                        elif step == "import":
                            assert book.ingest("executions", statement).ok
                        elif step == "fold":
                            book.fold()
                        elif step == "maintain":
                            book.maintain(upkeep=NOTHING_KEPT)
                        else:
                            manifest = backup / book.backup(backup).manifest
                    except BookError as error:
                        assert full, f"{step} fails with room on the disk: {error}"
                        assert one_paragraph(error), str(error)
                        failed += 1
                small.empty()
            number += count
            with place.open() as book:
                assert_whole(book, number)
            if manifest is not None:
                assert rehearse(manifest, beside=tmp_path).problems == ()
                shutil.rmtree(backup)
    assert failed >= 6


def _json(row: dict[str, object]) -> str:
    import json

    return json.dumps(row)


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


@pytest.mark.parametrize("place", ["sqlite", "duckdb"], indirect=True)
def test_a_read_only_place_is_said_to_be_one_and_is_read(ready):
    folder = Path(ready.target.partition(":")[2])
    with ready.open() as book:
        book.record(fills(1, 1100))
        book.fold()
    with read_only(folder):
        try:
            with ready.open() as book:
                for write in (lambda b: b.record(fills(5000, 1)), lambda b: b.fold(), lambda b: b.maintain()):
                    with pytest.raises(StorageError) as error:
                        write(book)
                    assert one_paragraph(error.value)
        except StorageError as error:
            assert one_paragraph(error), str(error)
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
