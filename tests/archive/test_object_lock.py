"""Objects are put under a lock where the policy asks for one, and a store that keeps none is named.

The server of these tests enforces no lock, but says again what it was told: that is all that is proven here.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

import tradelake as tl
from tests.books import fill
from tests.objectstore import Faults, S3Server, faulty, s3_server
from tradelake.book import Policy
from tradelake.book.retention import months_after
from tradelake.errors import InputError, StorageError
from tradelake.store.cold_store import ColdStore
from tradelake.store.object_lock import ALGORITHM, MODE, UNTIL, Lock, lock_of

LOCKED = Policy(hot=1, cold={"trade_log": 900, "source_records": 1200}, lock="governance")
MONTH = date(2025, 12, 1)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with s3_server(tmp_path_factory.mktemp("s3") / "buckets") as running:
        yield running


@pytest.fixture
def faults(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Faults]:
    with faulty(server) as (port, planned):
        for name, value in server.environment(port).items():
            monkeypatch.setenv(name, value)
        yield planned


@pytest.fixture
def told(local_book: tl.Book) -> tl.Book:
    local_book.record([fill(1), fill(2)])
    return local_book


def test_every_object_is_put_under_the_lock_of_its_table(server, faults, told):
    told.apply_retention(LOCKED, to=server.url)
    locks = [headers for method, headers in faults.headers if method == "PUT"]
    ends = [months_after(MONTH, 1 + months) for months in (900, 1200, 1200)]
    assert [headers[UNTIL] for headers in locks] == [f"{end}T00:00:00Z" for end in ends]
    assert {headers[MODE] for headers in locks} == {"GOVERNANCE"}
    # S3 takes a lock only with a digest, some stores only with its name too, and only what is signed.
    assert all("x-amz-checksum-sha256" in headers and headers[ALGORITHM] == "SHA256" for headers in locks)
    assert all(f"{MODE};{UNTIL}" in headers["authorization"] for headers in locks)
    store = ColdStore(server.url)
    for row in told.archives().iter_rows(named=True):
        end = months_after(MONTH, 1 + LOCKED.cold[row["table_name"]])
        found = lock_of(store._store, row["object"], "")
        assert found == Lock("governance", datetime(end.year, end.month, end.day, tzinfo=UTC))


def test_an_object_that_is_there_without_a_lock_is_put_again(server, faults, told, tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"x")
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    store, lock = ColdStore(server.url), Lock("compliance", datetime(2090, 1, 1, tzinfo=UTC))
    assert store.put("x", path, digest)
    assert not store.put("x", path, digest)
    assert lock_of(store._store, "x", "") is None
    assert store.put("x", path, digest, lock)
    assert not store.put("x", path, digest, lock)
    assert not store.put("x", path, digest, Lock("governance", lock.until))


def test_a_store_that_keeps_no_lock_takes_no_month(server, faults, told):
    faults.forgotten = ("x-amz-object-lock",)
    told.fold()
    version = told.version
    with pytest.raises(StorageError, match="does not keep it under a lock"):
        told.apply_retention(LOCKED, to=server.url + "/none")
    assert (told.version, told.archives().height) == (version, 0)


def test_a_server_that_says_nothing_of_locks_is_named(server, faults, told):
    store = ColdStore(server.url)
    with pytest.raises(StorageError, match="does not say what lock"):
        lock_of(store._store, "not/there", "there")


def test_a_folder_locks_nothing(told, tmp_path):
    with pytest.raises(InputError, match="cannot lock objects"):
        told.apply_retention(LOCKED, to=tmp_path / "cold")
