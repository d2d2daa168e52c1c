"""A book whose data are on S3: it answers as any other, and what cannot be reached is said in one paragraph."""

from functools import partial
from pathlib import Path

import pytest

import tradelake as tl
from tests.books import SAMPLE_FLEX, DataFiles, assert_same_book, assert_whole, fill
from tests.objectstore import KEY, SECRET, faulty
from tradelake.book.restoring import restore_book
from tradelake.errors import InputError, StorageError
from tradelake.store import s3
from tradelake.store.s3 import hidden, s3_access

SETTINGS = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")

on_s3 = pytest.mark.parametrize("bucket", ["s3"], indirect=True)


def of_kinds(*kinds: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("place", kinds, indirect=True)


@on_s3
@of_kinds("postgres")
def test_what_a_book_on_s3_says_is_what_a_local_one_says(bucket, ready, local_book, tmp_path):
    with ready.open() as book:
        for each, cold in ((book, tmp_path / "one"), (local_book, tmp_path / "other")):
            each.ingest("ibkr-flex", SAMPLE_FLEX)
            each.record([fill(n) for n in range(1100)])
            each.fold()
            each.maintain()
            assert each.archive("2026-02-01", cold).height == 2
        files = DataFiles(book.data, bucket)
        assert len(files.parquet()) > 5
        found = book.verify()
        assert found.problems == ()
        # What old versions need is there for a while.
        assert 5 < found.files <= len(files.parquet())
    with ready.open(read_only=True) as book:
        for name in ("positions", "lots", "matches", "history"):
            assert getattr(book, name)().equals(getattr(local_book, name)()), name
    assert SECRET.encode() not in b"".join(files.get(name) for name in files.names())


@on_s3
@of_kinds("sqlite")
def test_a_backup_of_a_book_on_s3_is_restored_to_a_folder(bucket, ready, tmp_path):
    with ready.open() as book:
        book.record([fill(n) for n in range(1100)])
        done = book.backup(tmp_path / "copies")
        assert done.files == len(DataFiles(book.data, bucket).parquet())
        assert book.backup(tmp_path / "copies").files_copied == 0
        restore_book(tmp_path / "copies" / done.manifest, tmp_path / "again")
        with tl.open(tmp_path / "again") as again:
            assert again.data == f"{tmp_path}/again/data/"
            assert_same_book(again, book)
    for file in ready_files(Path(ready.target.removeprefix("sqlite:"))):
        assert SECRET.encode() not in file.read_bytes(), file


@on_s3
@of_kinds("sqlite")
def test_a_book_on_s3_moves_to_postgres_and_another_folder_of_s3(bucket, ready, tmp_path, postgres_server):
    again, url = bucket.new_folder(), postgres_server.create_database()
    with ready.open() as book:
        book.record([fill(n) for n in range(1100)])
        book.backup(bucket.new_folder())
        done = book.backup(tmp_path / "copies")
        bucket.put(f"{again}/mine.txt", b"something else")
        with pytest.raises(InputError, match=r"is not empty: mine\.txt is there"):
            restore_book(tmp_path / "copies", url, data=again)
        bucket.delete(f"{again}/mine.txt")
        assert restore_book(tmp_path / "copies" / done.manifest, url, data=again).sequence == 1100
        with tl.open(url) as moved:
            assert moved.data == f"{again}/"
            assert_same_book(moved, book)
            assert moved.record(fill(1100)).accepted == 1
            assert_whole(moved, 1101)
            assert moved.verify(deep=True).problems == ()
        assert_whole(book, 1100)


def ready_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@on_s3
@of_kinds("postgres")
def test_verify_finds_what_happened_to_an_object(bucket, ready, monkeypatch):
    monkeypatch.setattr(s3, "RETRIES", 1)
    with ready.open() as book:
        book.record([fill(n) for n in range(1100)])
        files = DataFiles(book.data, bucket)
    name = min(name for name in files.parquet() if name.startswith("main/trade_log/"))
    content = files.get(name)
    middle = len(content) // 2
    files.put(name, content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    with ready.open() as book:
        assert any("its SHA-256 differs" in text for text in book.verify().problems)
    files.delete(name)
    with ready.open() as book:
        assert any("the file is missing" in text for text in book.verify().problems)
    files.put(name, content)
    with ready.open() as book:
        assert book.verify().problems == ()


@on_s3
@of_kinds("sqlite")
def test_a_server_that_refuses_leaves_the_book_as_it_was(bucket, ready, monkeypatch):
    monkeypatch.setattr(s3, "RETRIES", 1)
    with ready.open() as book:
        book.record([fill(n) for n in range(1100)])
        book.fold()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    with ready.open() as book:
        for attempt in (book.trades, lambda: book.record([fill(n) for n in range(1100, 2200)]), book.check_data):
            with pytest.raises(StorageError, match="Look at AWS_ENDPOINT_URL, AWS_REGION and the credentials") as error:
                attempt()
            assert "another-secret" not in str(error.value)
            assert KEY not in str(error.value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with ready.open() as book:
        assert_whole(book, 1100)


@on_s3
@of_kinds("sqlite")
def test_a_server_that_fails_now_and_then_is_asked_again(bucket, ready, monkeypatch):
    with faulty(bucket) as (port, faults):
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        with ready.open() as book:
            faults.plan("PUT", "close", "error")
            assert book.record([fill(n) for n in range(1100)]).accepted == 1100
            faults.plan("GET", "close", "error")
            assert_whole(book, 1100)
        assert not any(faults.planned.values())


@on_s3
@of_kinds("sqlite")
def test_a_folder_of_another_book_and_missing_credentials_are_refused_before_anything_is_made(
    bucket, place, tmp_path, monkeypatch
):
    place.create().close()
    with tl.open(place.target) as book:
        book.add_accounts([{"account_id": "GEN-1"}])
        book.record([fill(n) for n in range(1100)])
    with pytest.raises(InputError, match=r"books/\d+/ is not empty: main/.* is there\. Name a folder that is"):
        tl.create(tmp_path / "other", data=place.data)
    for name in SETTINGS:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    for attempt in (partial(tl.open, place.target), partial(tl.create, tmp_path / "other", data=place.data)):
        with pytest.raises(InputError, match=r"There are no credentials for s3://cold/books/.*AWS_ACCESS_KEY_ID"):
            attempt()
    assert not (tmp_path / "other" / "catalog.sqlite").exists()


@pytest.mark.parametrize(
    "url",
    ["s3://cold", "s3://", "s3://cold/x?s3_secret_access_key=hush", "gs://cold/x", "s3://cold/../x", "s3://cold/*"],
)
def test_an_address_where_a_book_cannot_be_is_refused(tmp_path, url):
    with pytest.raises(InputError, match="is no place for the data of a book") as error:
        tl.create(tmp_path, data=url)
    assert "hush" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_settings_come_from_the_environment_and_then_from_the_usual_files(tmp_path, monkeypatch):
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = one\naws_secret_access_key = first%secret\n"
        "[desk]\naws_access_key_id = two\naws_secret_access_key = second\naws_session_token = passing\n"
    )
    (tmp_path / ".aws" / "config").write_text(
        "[default]\nregion = eu-west-1\n[profile desk]\nregion = eu-west-2\nendpoint_url = http://files:9000\n"
    )
    home = {"HOME": str(tmp_path)}
    found = s3_access(home)
    assert (found.key_id, found.secret, found.token, found.region) == ("one", "first%secret", None, "eu-west-1")
    assert (found.endpoint, found.encrypted, found.virtual_hosts) == (None, True, False)
    found = s3_access({**home, "AWS_PROFILE": "desk", "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true"})
    assert (found.key_id, found.secret, found.token, found.region) == ("two", "second", "passing", "eu-west-2")
    assert (found.endpoint, found.encrypted, found.virtual_hosts) == ("http://files:9000", False, True)
    # Of the environment all three come together, so that no token of a file is sent with another key.
    own = {"AWS_ACCESS_KEY_ID": "three", "AWS_SECRET_ACCESS_KEY": "third", "AWS_ENDPOINT_URL": "https://s3.desk"}
    found = s3_access({**home, "AWS_PROFILE": "desk", **own})
    assert (found.key_id, found.secret, found.token, found.endpoint) == ("three", "third", None, "https://s3.desk")
    assert "third" not in repr(found)
    for name, value in own.items():
        monkeypatch.setenv(name, value)
    assert (
        hidden("the key three, its third, and postgresql://me:word@x")
        == "the key ***, its ***, and postgresql://me:***@x"
    )
    (tmp_path / ".aws" / "config").write_text("no section\n")
    with pytest.raises(InputError, match=r"\.aws/config cannot be read as the settings of AWS\. Mend it"):
        s3_access(home)
