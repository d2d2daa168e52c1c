"""An archive on a real S3 server, and on one that fails: nothing is lost, and the next run completes."""

from collections.abc import Iterator

import pytest

import tradelake as tl
from tests.books import SAMPLE_FLEX
from tests.objectstore import Faults, S3Server, faulty, s3_server
from tradelake.errors import StorageError
from tradelake.store import cold_store

BEFORE = "2026-02-01"


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


@pytest.fixture
def told(local_book: tl.Book) -> tl.Book:
    local_book.ingest("ibkr-flex", SAMPLE_FLEX)
    return local_book


def url_of(server: S3Server, told: tl.Book) -> str:
    return f"{server.url}/{told.url.rpartition('/')[0].rpartition('/')[2]}"


def test_a_month_goes_to_s3_and_is_read_and_restored_from_there(server, faults, told):
    before = told.trades()
    done = told.archive(BEFORE, url_of(server, told))
    assert done["events"].sum() > 0
    assert len([path for path in server.objects() if done["archive_id"].item()[:7] in str(path)]) >= 3
    told._catalog.cold.included = True
    assert told.trades().drop("import_run_id").equals(before.drop("import_run_id"))
    told.restore([done["manifest"].item()])
    assert told.trades().equals(before)
    assert faults.seen


@pytest.mark.parametrize("fault", ["error", "close", "cut", "damage"])
@pytest.mark.parametrize("method", ["PUT", "GET"])
def test_a_server_that_fails_now_and_then_is_asked_again(server, faults, told, method, fault):
    before = told.trades()
    # The first questions are for objects that are not there yet: those answers cannot be spoilt.
    faults.plan(method, *[fault] * (2 if method == "PUT" or fault in ("error", "close") else 4))
    done = told.archive(BEFORE, url_of(server, told))
    assert done.height == 1
    assert fault in [seen for _, seen in faults.seen]
    told._catalog.cold.included = True
    faults.plan("GET", fault)
    assert told.trades().drop("import_run_id").equals(before.drop("import_run_id"))


@pytest.mark.parametrize("fault", ["cut", "damage"])
def test_a_server_that_keeps_something_else_never_takes_a_month(server, faults, told, fault):
    told.fold()
    before, version = told.trades(), told.version
    faults.plan("PUT", *[fault] * 5)
    with pytest.raises(StorageError, match="what was read back is not what was written"):
        told.archive(BEFORE, url_of(server, told))
    assert not told.archives().height
    assert told.trades().equals(before)
    assert told.version == version
    assert told.archive(BEFORE, url_of(server, told)).height == 1


def test_a_server_that_is_gone_leaves_everything_as_it_was(told, monkeypatch, tmp_path, server):
    monkeypatch.setattr(cold_store, "RETRY_SECONDS", 1)
    monkeypatch.setattr(cold_store, "RETRIES_MAX", 2)
    with s3_server(tmp_path / "gone") as other:
        for name, value in other.environment().items():
            monkeypatch.setenv(name, value)
        done = told.archive(BEFORE, url_of(other, told))
    with told._catalog.cold.including(), pytest.raises(StorageError, match="cannot be read"):
        told.trades()
    with pytest.raises(StorageError, match="cannot be"):
        told.archive("2026-03-01", url_of(other, told))
    assert told.positions().height
    assert told.archives()["archive_id"].unique().to_list() == done["archive_id"].to_list()


def test_credentials_are_neither_stored_nor_shown(server, faults, told):
    done = told.archive(BEFORE, url_of(server, told))
    text = f"{done.to_dicts()} {told.archives().to_dicts()} {told.runs().to_dicts()}"
    assert server.environment()["AWS_SECRET_ACCESS_KEY"] not in text
    assert not faults.planned.get("PUT")
