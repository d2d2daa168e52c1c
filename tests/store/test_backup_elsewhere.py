"""Backups of books on PostgreSQL, backups in an object store, and books on PostgreSQL that are made of backups."""

import json
from collections.abc import Iterator
from pathlib import Path

import obstore
import psycopg
import pytest
from typer.testing import CliRunner

import tradelake as tl
from tests.books import Patterns, Place, assert_same_book, assert_whole
from tests.objectstore import BUCKET, Faults, S3Server, faulty, s3_server
from tests.postgres import PostgresServer
from tests.store.victim import NOTHING_KEPT, fills
from tradelake.book import rehearse, restore_book
from tradelake.cli.app import app
from tradelake.errors import BookExists, BookNotFound, InputError, StorageError
from tradelake.store import transcribe
from tradelake.store.cold_store import ColdStore


def filled(book: tl.Book) -> tl.Book:
    """Record into a book: some in files, some inside the catalog, with all that text may have, some folded."""
    book.record(fills(1, 1100))
    book.fold()
    odd = [{**row, "order_reference": f"über ' \" \\ {n} 漢 🐋"} for n, row in enumerate(fills(2001, 4))]
    assert book.record(odd).accepted == 4
    return book


@pytest.fixture
def server_book(patterns: Patterns, tmp_path: Path, postgres_server: PostgresServer) -> Iterator[tl.Book]:
    """A book on PostgreSQL."""
    with patterns.copy("postgres", tmp_path / "server", postgres_server).open() as made:
        yield filled(made)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3") / "buckets") as running:
        yield running


@pytest.fixture
def faults(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    """A way to the server on which things go wrong."""
    with faulty(server) as (port, planned):
        for name, value in server.environment(port).items():
            monkeypatch.setenv(name, value)
        yield planned


def test_a_book_on_postgres_is_the_book_again_on_postgres_and_in_a_folder(server_book, tmp_path, postgres_server):
    done = server_book.backup(tmp_path / "copies")
    text = (tmp_path / "copies" / done.manifest).read_text()
    assert "postgres" not in text
    assert (done.sequence, done.files) == (1104, done.files_copied)
    rehearsed = rehearse(tmp_path / "copies", beside=tmp_path)
    assert (rehearsed.problems, rehearsed.sequence, rehearsed.manifest) == ((), 1104, done.manifest)
    again = Place("postgres", postgres_server.create_database(), str(tmp_path / "again"))
    restored = restore_book(tmp_path / "copies" / done.manifest, again.target, data=again.data)
    assert restored.place == again.target
    with again.open() as book:
        assert_same_book(book, server_book)
        assert book.version == server_book.version
        assert catalog_of(again.target) == catalog_of(server_book.url)
        assert book.record(fills(2001, 7)).accepted == 3
        book.maintain(upkeep=NOTHING_KEPT)
        assert_whole(book, 1107)
        second = book.backup(tmp_path / "copies")
    assert 0 < second.files_copied < second.files
    restore_book(tmp_path / "copies", tmp_path / "local")
    with tl.open(tmp_path / "local") as book:
        assert_whole(book, 1107)
        assert book.record(fills(2001, 8)).accepted == 1
        assert (tmp_path / "local" / "catalog.duckdb").exists()
    assert_whole(server_book, 1104)


def catalog_of(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows and the types of all tables of a catalog; where its files are is its own matter."""
    found = {}
    with psycopg.connect(url) as connection:
        for (table,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            where = " WHERE key <> 'data_path'" if table == "ducklake_metadata" else ""
            rows = connection.execute(f"SELECT * FROM public.{table}{where}")
            types = [(column.name, column.type_display) for column in rows.description or ()]
            found[table] = [*types, *sorted(rows.fetchall(), key=repr)]
    return found


def test_a_backup_of_postgres_is_one_commit_whatever_others_do_while_it_reads(
    server_book, tmp_path, postgres_server, monkeypatch
):
    """Between any two tables somebody records, folds and maintains: the backup has what was there at its beginning."""
    commits: list[int] = []

    def types_at(*given):
        if len(commits) < 3:
            with tl.open(server_book.url) as other:
                other.record(fills(9001 + 3 * len(commits), 3))
                other.maintain()
                commits.append(other.fold())
        return whole(*given)

    whole = transcribe._types_at
    monkeypatch.setattr(transcribe, "_types_at", types_at)
    done = server_book.backup(tmp_path / "copies")
    assert (commits, done.sequence) == ([1107, 1110, 1113], 1104)
    monkeypatch.undo()
    assert rehearse(tmp_path / "copies").problems == ()
    assert_whole(server_book, 1113)


def test_a_local_book_moves_to_postgres_where_there_is_no_book_yet(local_book, tmp_path, postgres_server, monkeypatch):
    done = filled(local_book).backup(tmp_path / "copies")
    url, data = postgres_server.create_database(), tmp_path / "data"
    for to, folder, match in (
        (url, None, r"needs a folder for its files: give data=FOLDER"),
        (tmp_path / "x", data, r"leave data=FOLDER \(--data\) out"),
        ("s3://bucket/book", None, r"is not a place for a book"),
    ):
        with pytest.raises(InputError, match=match):
            restore_book(tmp_path / "copies", to, data=folder)
    left = [0]

    def converted(*given):
        left[0] -= 1
        if not left[0]:
            raise StorageError("the power went")
        return whole(*given)

    whole = transcribe._converted
    monkeypatch.setattr(transcribe, "_converted", converted)
    for left[0] in (1, 300):
        with pytest.raises(StorageError, match="the power went"):
            restore_book(tmp_path / "copies", url, data=data)
        with pytest.raises(BookNotFound):
            tl.open(url)
    monkeypatch.undo()
    file = next(data.rglob("*.parquet"))
    file.write_bytes(b"cut")
    file.with_name(f"{file.name}.77.part").write_bytes(b"left")
    restore_book(tmp_path / "copies", url, data=data)
    assert not list(data.rglob("*.part"))
    with tl.open(url) as book:
        assert_same_book(book, local_book)
        book.record(fills(5001, 1100))
        assert_whole(book, 2204)
    for match, place, error in (
        ("There is a book at", url, BookExists),
        ("is not empty", postgres_server.create_database(), InputError),
    ):
        with pytest.raises(error, match=match):
            restore_book(
                tmp_path / "copies" / done.manifest, place, data=data if error is InputError else tmp_path / "n"
            )
    with tl.open(url) as book:
        assert_whole(book, 2204)


def test_a_backup_in_an_object_store_is_read_back_and_restored_from_there(server, faults, local_book, tmp_path):
    url = f"{server.url}/backups"
    faults.plan("PUT", "error", "damage", "cut", "close")
    one = filled(local_book).backup(url)
    assert one.files_copied == one.files
    assert faults.planned["PUT"] == []
    local_book.record(fills(5001, 3))
    local_book.fold()
    gets = len(faults.seen)
    two = local_book.backup(url)
    assert 0 < two.files_copied < two.files
    assert len(faults.seen) - gets < 3 * (two.files_copied + 2) + 8
    faults.plan("GET", "error", "cut")
    restored = restore_book(f"{url}/{one.manifest}", tmp_path / "first")
    assert restored.sequence == one.sequence
    assert rehearse(url).sequence == two.sequence == 1107
    with tl.open(tmp_path / "first") as book:
        assert_whole(book, 1104)
    for empty in (f"{server.url}/nowhere", f"s3://{BUCKET}"):
        with pytest.raises(InputError, match=r"There is no backup at s3://"):
            restore_book(empty, tmp_path / "second")
    assert not any(key in line for key in ("not-a-secret", "archivist") for line in open_texts(server))


def open_texts(server: S3Server) -> Iterator[str]:
    """Yield the manifests of a server."""
    return (file.read_text() for file in server.objects() if file.name.startswith("backup-"))


def test_a_backup_that_broke_off_is_none_and_what_it_left_is_proven_again(
    server, faults, local_book, tmp_path, monkeypatch
):
    url, put = f"{server.url}/broken", list[str]()

    def broken(self, name, path, digest, lock=None):
        if len(put) == 3:
            raise StorageError("the line was cut")
        put.append(name)
        return whole(self, name, path, digest, lock)

    whole = ColdStore.put
    filled(local_book)
    with monkeypatch.context() as patch:
        patch.setattr(ColdStore, "put", broken)
        with pytest.raises(StorageError, match="the line was cut"):
            local_book.backup(url)
    with pytest.raises(InputError, match="There is no backup at"):
        restore_book(url, tmp_path / "again")
    # Killed between a put that went wrong and its reading back, it leaves an object of the right size.
    store = ColdStore(url)
    content = store.read(put[2])
    obstore.put(store._store, put[2], bytes(len(content)))
    done = local_book.backup(url)
    assert done.files_copied == done.files - 1
    assert store.read(put[2]) == content
    assert rehearse(url).problems == ()
    obstore.put(store._store, put[2], bytes(len(content)))
    with pytest.raises(StorageError, match="its SHA-256 is not"):
        restore_book(url, tmp_path / "again")
    store.delete(put[2])
    with pytest.raises(StorageError, match=r"cannot be restored: main/.* is missing\. Nothing was written"):
        restore_book(url, tmp_path / "again")
    with pytest.raises(BookNotFound):
        tl.open(tmp_path / "again")
    obstore.put(store._store, put[2], content)
    restore_book(url, tmp_path / "again")
    with tl.open(tmp_path / "again") as again:
        assert_same_book(again, local_book)


def test_the_newest_backup_is_taken_and_one_that_is_damaged_is_not_passed_over(local_book, tmp_path):
    local_book.record(fills(1, 3))
    one, two = (local_book.backup(tmp_path / "copies") for _ in range(2))
    assert restore_book(tmp_path / "copies", tmp_path / "newest").manifest == two.manifest > one.manifest
    newest = tmp_path / "copies" / two.manifest
    told = json.loads(newest.read_text())
    newest.write_text(json.dumps({**told, "head": {**told["head"], "sequence": 2}}))
    with pytest.raises(InputError, match=r"was changed since it was written"):
        restore_book(tmp_path / "copies", tmp_path / "other")
    assert restore_book(tmp_path / "copies" / one.manifest, tmp_path / "other").sequence == 3
    with pytest.raises(InputError, match="neither the manifest of a backup"):
        restore_book(tmp_path / "nowhere", tmp_path / "third")
    assert not (tmp_path / "nowhere").exists()


def test_what_restore_is_not_told_right_is_misuse(local_book, tmp_path):
    local_book.record(fills(1, 3))
    copies = str(tmp_path / "copies")
    local_book.backup(copies)
    for arguments, says in (
        ([copies], "--to says where"),
        ([copies, "2026-01", "--to", "x"], "--to makes a book of one backup"),
        ([copies, "--check", "--data", "x"], "--check makes the book in a temporary folder"),
        ([copies, "--check", "--to", "postgresql:///x"], "--check makes the book in a temporary folder"),
    ):
        done = CliRunner().invoke(app, ["restore", *arguments])
        assert (done.exit_code, says in done.output) == (2, True)
    with pytest.raises(InputError, match="needs a folder for its files"):
        CliRunner().invoke(app, ["restore", copies, "--to", "postgresql:///x"], catch_exceptions=False)
    done = CliRunner().invoke(app, ["restore", copies, "--to", str(tmp_path / "again")])
    assert done.stdout.startswith(f"restored to {tmp_path / 'again'}\n  backup-")
