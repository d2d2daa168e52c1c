"""Creating and opening books: what is there, what is not, and what is something else."""

import sqlite3
from functools import partial
from pathlib import Path

import duckdb
import pytest

import tradelake as tl
from tests.books import SHARED, fill
from tradelake.errors import BookBusy, BookExists, BookNotFound, BookVersionError, InputError, StorageError
from tradelake.store.catalog import FORMAT_VERSION


def files(folder: Path) -> list[str]:
    """Return the names of all files under a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_new_book_is_empty_and_opens_again(place):
    with place.create() as book:
        assert (book.sequence, book.accounts().height, book.runs().height) == (0, 0, 0)
        version = book.version
    with place.open() as book:
        assert (book.sequence, book.version) == (0, version)
    with place.open(read_only=True) as book:
        assert book.sequence == 0


def test_a_book_is_created_once(place):
    with place.create() as book:
        book.add_accounts([{"account_id": "GEN-1"}])
    with pytest.raises(BookExists, match=r"There is a book at .* already\. Use it as it is, or name another"):
        place.create()
    with place.open() as book:
        assert book.accounts().height == 1


@pytest.mark.parametrize(("first", "second"), [("sqlite", "duckdb"), ("duckdb", "sqlite"), ("duckdb", None)])
def test_a_folder_holds_one_book_whatever_its_catalog(tmp_path, first, second):
    tl.create(f"{first}:{tmp_path}").close()
    there = files(tmp_path)
    with pytest.raises(BookExists):
        tl.create(f"{second}:{tmp_path}" if second else tmp_path)
    assert files(tmp_path) == there
    with tl.open(tmp_path) as book:
        assert book.url.endswith(first)


def test_where_nothing_is_there_is_no_book_and_none_is_made(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    for name, said in (("nothing", ""), ("empty", ""), ("file", ": that is a file, and a book is a folder")):
        with pytest.raises(BookNotFound) as error:
            tl.open(tmp_path / name)
        assert str(error.value) == (
            f"There is no book at {tmp_path / name}{said}. Make one with `tradelake init`, or name its folder with "
            "--book or TRADELAKE_BOOK."
        )
    assert files(tmp_path) == ["file"]


def foreign_sqlite(folder: Path) -> None:
    with sqlite3.connect(folder / "catalog.sqlite") as catalog:
        catalog.execute("CREATE TABLE mine (a INTEGER)")
    catalog.close()


def foreign_duckdb(folder: Path) -> None:
    duckdb.connect(str(folder / "catalog.duckdb")).close()


def foreign_empty(folder: Path) -> None:
    (folder / "catalog.sqlite").touch()


@pytest.mark.parametrize("make", [foreign_sqlite, foreign_duckdb, foreign_empty])
@pytest.mark.parametrize("read_only", [False, True])
def test_a_catalog_of_somebody_else_is_no_book_and_stays_as_it_is(tmp_path, make, read_only):
    make(tmp_path)
    (there,) = tmp_path.iterdir()
    content = there.read_bytes()
    with pytest.raises(BookNotFound, match="is there, but it is not the catalog of a book of tradelake"):
        tl.open(tmp_path, read_only=read_only)
    assert there.read_bytes() == content
    assert files(tmp_path) == [there.name]


@pytest.mark.parametrize("name", ["catalog.sqlite", "catalog.duckdb"])
def test_a_file_that_is_no_catalog_is_an_error_of_the_storage(tmp_path, name):
    (tmp_path / name).write_text("this is a letter, not a catalog\n" * 100)
    with pytest.raises(StorageError, match=name):
        tl.open(tmp_path)


def test_an_empty_database_is_no_book_and_stays_empty(empty_postgres_url, tmp_path):
    import psycopg

    for read_only in (False, True):
        with pytest.raises(BookNotFound, match="not the catalog of a book"):
            tl.open(empty_postgres_url, read_only=read_only)
    with psycopg.connect(empty_postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchall() == [(0,)]
    with pytest.raises(InputError, match="needs a folder for its Parquet files: give data=FOLDER"):
        tl.create(empty_postgres_url)
    assert files(tmp_path) == []


@pytest.mark.parametrize(("version", "advice"), [("7", "newer release.*install"), ("4", "import its sources")])
def test_a_book_of_another_format_is_not_opened(ready, version, advice):
    with ready.open() as book:
        book._catalog.execute(f"UPDATE book_settings SET value = '{version}' WHERE name = 'format_version'")
    for read_only in (False, True):
        with pytest.raises(
            BookVersionError,
            match=f"has format {version}; this release knows the formats 5 to {FORMAT_VERSION}.*{advice}",
        ):
            ready.open(read_only=read_only)


def test_a_password_is_in_no_message(tmp_path):
    for url in ("postgresql://me:s3cret@/x?host=/nowhere", "postgresql:///x?host=/nowhere&user=me&password=s3cret"):
        for attempt in (tl.open, partial(tl.create, data=tmp_path / "data")):
            with pytest.raises(StorageError) as error:
                attempt(url)
            assert "s3cret" not in str(error.value)
            assert "***" in str(error.value)


def test_a_place_of_another_kind_is_refused():
    with pytest.raises(InputError, match="'mysql://host/x' is not a place for a book"):
        tl.open("mysql://host/x")


def test_a_folder_that_cannot_be_made_is_an_error_of_the_storage(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="the folder cannot be made"):
        tl.create(tmp_path / "file" / "book")


def test_a_duckdb_file_that_this_process_has_open_is_busy(tmp_path):
    with tl.create(f"duckdb:{tmp_path}") as book:
        for read_only in (False, True):
            with pytest.raises(BookBusy, match=r"^This process has .* open already\. Use that"):
                tl.open(tmp_path, read_only=read_only)
        assert book.sequence == 0
    tl.open(tmp_path).close()


def test_a_closed_book_says_so_and_closes_twice(local_book):
    local_book.record(fill(1))
    local_book.close()
    local_book.close()
    with pytest.raises(StorageError, match="closed"):
        _ = local_book.sequence


@pytest.mark.parametrize("place", SHARED, indirect=True)
def test_the_writers_lease_is_waited_for_and_then_busy(ready):
    with ready.open() as one, ready.open() as other:
        with one._catalog.lease.hold():
            with (
                pytest.raises(BookBusy, match="Another process has been writing to"),
                other._catalog.lease.hold(wait_seconds=0.2),
            ):
                pass
            assert one.record(fill(1)).accepted == 1
        assert other.record(fill(2)).sequence == 2
