"""Backups: one commit of a book, whole or none; and the book that is made of one again."""

import json
import threading
from pathlib import Path

import pytest

import tradelake as tl
from tests.books import assert_same_book, assert_whole
from tests.store.victim import NOTHING_KEPT, fills
from tradelake.book import BackedUp, rehearse, restore_book
from tradelake.errors import BookBusy, BookError, BookExists, BookNotFound, InputError, StorageError
from tradelake.store.cold_store import ColdStore
from tradelake.store.lease import keep_folder


def filled(book: tl.Book) -> tl.Book:
    """Record into a book: some in files, some inside the catalog, some folded."""
    book.record(fills(1, 1100))
    book.fold()
    book.record(fills(2001, 4))
    return book


def taken(book: tl.Book, to: Path) -> tuple[Path, BackedUp]:
    """Take a backup, and return its manifest with what is said of it."""
    done = book.backup(to)
    return to / done.manifest, done


@pytest.mark.parametrize("place", ["sqlite", "duckdb"], indirect=True)
def test_a_restored_book_is_the_book_at_its_backup_and_works(ready, tmp_path):
    with ready.open() as book:
        manifest, done = taken(filled(book), tmp_path / "copies")
        assert restore_book(manifest, tmp_path / "again").sequence == done.sequence == 1104
        with tl.open(tmp_path / "again") as again:
            assert_same_book(again, book)
            assert_whole(again, 1104)
            # Where the data were elsewhere, that they are beside the catalog now is one commit.
            assert again.version == book.version + (ready.data is not None)
            book.record(fills(3001, 3))
            assert again.record(fills(3001, 4)).accepted == 4
            again.maintain(upkeep=NOTHING_KEPT)
            assert_whole(again, 1108)
        assert_whole(book, 1107)
    told = json.loads(manifest.read_text())
    assert (told["kind"], told["head"]["sequence"], len(told["files"])) == ("backup", 1104, done.files)
    assert rehearse(manifest, beside=tmp_path).problems == ()
    assert not list(tmp_path.glob("rehearsal-*"))


def test_a_second_backup_copies_only_what_is_new_and_both_can_be_restored(local_book, tmp_path):
    first, one = taken(filled(local_book), tmp_path / "copies")
    assert one.files == one.files_copied > 0
    local_book.record(fills(5001, 1001))
    local_book.maintain(upkeep=NOTHING_KEPT)
    local_book.record(fills(7001, 1))
    second, two = taken(local_book, tmp_path / "copies")
    third, three = taken(local_book, tmp_path / "copies")
    assert 0 < two.files_copied < two.files
    assert three.files_copied == 0
    assert len({first, second, third}) == 3
    for manifest, count in ((first, 1104), (second, 2106)):
        assert rehearse(manifest).sequence == count
        assert rehearse(manifest).problems == ()


def test_a_book_whose_data_were_elsewhere_is_restored_beside_its_catalog(tmp_path):
    with tl.create(tmp_path / "book", data=tmp_path / "elsewhere") as book:
        book.add_accounts([{"account_id": "GEN-1"}])
        manifest, _ = taken(filled(book), tmp_path / "copies")
        restore_book(manifest, tmp_path / "again")
        before = sorted((tmp_path / "elsewhere").rglob("*"))
        with tl.open(tmp_path / "again") as again:
            again.record(fills(3001, 1200))
            assert_whole(again, 2304)
        assert sorted((tmp_path / "elsewhere").rglob("*")) == before
        assert_whole(book, 1104)


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_backup_while_others_write_is_one_commit(ready, tmp_path):
    stop = threading.Event()

    def write() -> None:
        with ready.open() as other:
            number = 10_000
            while not stop.is_set():
                other.record(fills(number, 3))
                other.maintain()
                number += 3

    with ready.open() as book:
        filled(book)
        writer = threading.Thread(target=write)
        writer.start()
        try:
            manifests = [taken(book, tmp_path / "copies")[0] for _ in range(3)]
        finally:
            stop.set()
            writer.join()
    for manifest in manifests:
        restored = rehearse(manifest)
        assert restored.problems == ()
        assert (restored.sequence - 1104) % 3 == 0


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
@pytest.mark.parametrize("damage", ["byte", "short", "missing", "manifest", "no manifest", "later"])
def test_a_damaged_backup_is_found_and_makes_no_book(ready, tmp_path, damage):
    with ready.open() as book:
        manifest, _ = taken(filled(book), tmp_path / "copies")
    told = json.loads(manifest.read_text())
    kept = told["files"][0]
    file = tmp_path / "copies" / "objects" / kept["sha256"][:2] / kept["sha256"]
    content = bytearray(file.read_bytes())
    error: type[BookError | InputError] = StorageError
    match = r"The backup cannot be restored: main/.* Nothing was written"
    if damage == "byte":
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif damage == "short":
        file.write_bytes(content[:-1])
    elif damage == "missing":
        file.unlink()
    elif damage == "manifest":
        error, match = InputError, "was changed since it was written"
        manifest.write_text(manifest.read_text().replace('"sequence": 1104', '"sequence": 1105'))
    elif damage == "no manifest":
        error, match = InputError, "is not a manifest"
        manifest.write_text(manifest.read_text()[:-30])
    else:
        error, match = InputError, "is the manifest of something else than a backup: archive"
        manifest.write_text(json.dumps({**told, "kind": "archive"}))
    for attempt in (rehearse, lambda m: restore_book(m, tmp_path / "again")):
        with pytest.raises(error, match=match):
            attempt(manifest)
    with pytest.raises(BookNotFound):
        tl.open(tmp_path / "again")
    assert not list((tmp_path / "again").rglob("*.parquet"))
    if damage in ("short", "missing"):
        with ready.open() as book:
            manifest, done = taken(book, tmp_path / "copies")
        assert done.files_copied == 1
        assert rehearse(manifest).problems == ()


def test_a_restore_that_broke_off_makes_no_book_and_goes_on(local_book, tmp_path, monkeypatch):
    manifest, done = taken(filled(local_book), tmp_path / "copies")
    copied: list[Path] = []

    def get(self, name, digest, to):
        if len(copied) == done.files // 2:
            raise StorageError("the power went")
        copied.append(to)
        whole(self, name, digest, to)

    whole = ColdStore.get
    monkeypatch.setattr(ColdStore, "get", get)
    with pytest.raises(StorageError, match="the power went"):
        restore_book(manifest, tmp_path / "again")
    with pytest.raises(BookNotFound):
        tl.open(tmp_path / "again")
    monkeypatch.undo()
    copied[0].with_name(f"{copied[0].name}.77.part").write_bytes(b"left by the attempt that broke off")
    for name in ("draft-catalog.sqlite", "draft-catalog.sqlite.77.part", "draft-catalog.sqlite-wal"):
        (tmp_path / "again" / name).write_bytes(b"left by the attempt that broke off")
    restore_book(manifest, tmp_path / "again")
    assert sorted(file.name for file in (tmp_path / "again").iterdir()) == ["catalog.sqlite", "data", "writer.lock"]
    with tl.open(tmp_path / "again") as again:
        assert_same_book(again, local_book)
    with pytest.raises(BookExists):
        restore_book(manifest, tmp_path / "again")


def test_a_folder_with_something_else_is_no_place_for_a_book(local_book, tmp_path):
    manifest, _ = taken(filled(local_book), tmp_path / "copies")
    (tmp_path / "full" / "data").mkdir(parents=True)
    (tmp_path / "full" / "data" / "mine.parquet").write_text("mine")
    with pytest.raises(InputError, match=r"is not empty: mine\.parquet is there"):
        restore_book(manifest, tmp_path / "full")
    assert [file.name for file in (tmp_path / "full").rglob("*.*") if file.name != "writer.lock"] == ["mine.parquet"]


def test_who_may_not_back_up_is_told(ready, tmp_path):
    busy = pytest.raises(BookBusy, match="Another process is writing to")
    with ready.open() as book, keep_folder(tmp_path / "copies"), busy:
        book.backup(tmp_path / "copies")
    (tmp_path / "file").write_text("x")
    with ready.open() as book, pytest.raises(StorageError, match="file"):
        book.backup(tmp_path / "file")
