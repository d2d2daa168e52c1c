"""A book in PostgreSQL whose server is killed, whose connections break, and whose readers have few rights."""

import threading
from collections.abc import Callable
from typing import Any

import duckdb
import psycopg
import pytest

import tradelake as tl
from tests.books import assert_whole, fill, without_ids
from tradelake.errors import ReadOnlyError, StorageError
from tradelake.store import Catalog
from tradelake.store.lost import ServerLost

in_postgres = pytest.mark.parametrize("place", ["postgres"], indirect=True)


@in_postgres
def test_an_open_book_goes_on_when_the_server_was_killed_and_started_again(ready, postgres_server):
    with ready.open() as book, ready.open(read_only=True) as reader:
        book.record(fill(1))
        assert reader.positions().height == 1
        postgres_server.kill()
        starting = threading.Thread(target=postgres_server.start_again)
        starting.start()
        assert book.record(fill(2)).accepted == 1
        assert reader.sql("SELECT count(*) FROM trades").fetchall() == [(2,)]
        assert reader.positions()["quantity"].to_list() == [20]
        starting.join()
        assert book.fold() == 2
        assert book.verify().problems == ()


class Ruined:
    """A connection that DuckDB has ruined: it refuses everything, and must not even be closed."""

    def __getattr__(self, name: str) -> Any:
        assert name != "close"
        raise duckdb.InternalException("INTERNAL Error: Attempted to access index 0 within vector of size 0")


def ruined_inside(catalog: Catalog) -> None:
    """Ruin a session inside a transaction, which then has no other."""
    with catalog.transaction():
        setattr(catalog, "_connection", Ruined())  # noqa: B010  it is none for the type checker
        with pytest.raises(ServerLost, match="INTERNAL"):
            catalog.version()


@in_postgres
def test_a_session_that_duckdb_has_ruined_is_replaced(ready):
    with ready.open() as book, ready.open(read_only=True) as reader:
        book.record(fill(1))
        for each in (book, reader):
            each._catalog._connection = Ruined()
        assert reader.positions()["quantity"].to_list() == [10]
        reader._catalog._connection = Ruined()
        assert reader.sql("SELECT count(*) FROM trades").fetchall() == [(1,)]
        assert book.record(fill(2)).accepted == 1
        book._catalog._connection = Ruined()
        assert book.fold() == 2
        assert_whole(reader, 2)
        catalog = reader._catalog
        real = catalog._connection
        with pytest.raises(ServerLost, match="INTERNAL"):
            ruined_inside(catalog)
        real.close()
        assert catalog.version() == book.version
        catalog._connection = Ruined()
        with pytest.raises(ServerLost, match="INTERNAL"):
            catalog.execute("SELECT 1")


@in_postgres
@pytest.mark.parametrize("answered", [False, True])
def test_a_commit_in_doubt_is_found_out_by_its_identity(ready, postgres_server, monkeypatch, answered):
    """The connections end right before the commit, or after it and before its answer; the rows have no ids."""
    plain = Catalog.execute
    ended: list[str] = []

    def execute(catalog: Catalog, sql: str, parameters: list[object] | None = None) -> None:
        if sql != "COMMIT" or ended:
            plain(catalog, sql, parameters)
            return
        ended.append(sql)
        if answered:
            plain(catalog, sql, parameters)
        postgres_server.end_connections(ready.target)
        if answered:
            raise ServerLost("server closed the connection unexpectedly")
        plain(catalog, sql, parameters)

    with ready.open() as book:
        book.record(fill(1))
        monkeypatch.setattr(Catalog, "execute", execute)
        receipt = book.record([without_ids(fill(n)) for n in (2, 3, 3)])
        assert ended
        assert (receipt.accepted, receipt.duplicates, receipt.sequence) == (3, 0, 4)
        assert book.record([without_ids(fill(n)) for n in (2, 3, 3)]).duplicates == 3
        assert_whole(book, 4)
        assert book.verify().problems == ()


def robbed(catalog: Catalog, meanwhile: Callable[[], object]) -> None:
    """Write in a transaction whose lease is lost, and taken by another, before it commits."""
    with catalog.transaction():
        catalog.execute("UPDATE head SET sequence = 77")
        assert catalog.lease._connection is not None
        catalog.lease._connection.close()
        meanwhile()


@in_postgres
def test_nothing_is_committed_under_a_lease_that_was_lost(ready, postgres_server):
    with ready.open() as book, ready.open() as other:
        catalog = book._catalog
        with catalog.lease.hold():
            with pytest.raises(ServerLost, match=r"The lease on .* was lost.*nothing is recorded twice"):
                robbed(catalog, lambda: other.record(fill(1)))
            assert other.trades().height == 1
            assert book.sequence == 1
            catalog.lease.keep()
            with pytest.raises(tl.TradelakeError, match="Another process has been writing"):
                other._catalog.lease.hold(wait_seconds=0.1).__enter__()
        assert book.record(fill(2)).accepted == 1
        assert_whole(other, 2)


READER = """
CREATE ROLE {role} LOGIN;
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {role};
"""


@in_postgres
def test_a_role_that_may_only_select_reads_the_book_and_cannot_write(ready):
    with psycopg.connect(ready.target, autocommit=True) as connection:
        role = f"reader_of_{connection.info.dbname}"  # roles are of the server, and tests share one
        connection.execute(READER.format(role=role).encode())
    url = ready.target.replace("postgres@", f"{role}@")
    with ready.open() as book:
        with tl.open(url, read_only=True) as reader:
            for number in range(3):
                book.record([fill(number * 2000 + n, "1") for n in range(1, 4)])
                assert reader.trades().height == reader.positions()["quantity"].item() == number * 3 + 3
            # Tables that come later can be read too.
            book.add_instruments([{"instrument_id": "MINE", "asset_type": "STOCK", "symbol": "MINE"}])
            book.fold()
            book.maintain()
            assert "MINE" in reader.instruments()["instrument_id"]
            assert reader.verify().problems == ()
            with pytest.raises(ReadOnlyError):
                reader.record(fill(100))
        with tl.open(url) as reader:
            assert reader.trades().height == 9
            with pytest.raises(StorageError, match=r"has not the rights .*: .* denied for table \w+\. A reader"):
                reader.record(fill(100))
        assert_whole(book, 9)
