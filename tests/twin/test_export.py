"""A book that was told a half year goes to PostgreSQL: all of it, what has changed, and nothing by halves."""

import re
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest

import tradelake as tl
from tests.books import fill, frame
from tests.twin.twins import assert_twin, log_rows, one
from tradelake.errors import ArchivedError, BookVersionError, InputError, StorageError
from tradelake.store import Catalog, Upkeep
from tradelake.tables import DERIVED_TABLES

Prepare = Callable[[], str]
DERIVED = {table.name for table in DERIVED_TABLES}


@pytest.fixture(scope="module")
def exported(told_folder: Path, tmp_path_factory: pytest.TempPathFactory, postgres_server):
    """A book with the twin that its export has made from nothing."""
    url = postgres_server.create_database()
    folder = tmp_path_factory.mktemp("exported") / "book"
    shutil.copytree(told_folder, folder)
    with tl.open(folder) as book:
        yield book, url, book.export_postgres(url)


def test_a_whole_book_is_in_its_twin_row_by_row(exported):
    book, url, done = exported
    assert_twin(book, url)
    assert done.since is None
    assert done.rows["trade_log"] == book.sequence == done.sequence
    assert one(url, "SELECT count(*) FROM tradelake.trade_log_keys") == book.sequence
    assert one(url, "SELECT sequence FROM tradelake.twin_exports") == book.sequence


def test_the_twin_that_an_export_makes_is_the_one_of_the_schema_file(exported, prepared_url: Prepare):
    _, url, _ = exported
    facts = """
        SELECT string_agg(fact, chr(10) ORDER BY fact) FROM (
            SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || ' ' || convalidated
            FROM pg_constraint WHERE connamespace = 'tradelake'::regnamespace
            AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = conrelid AND c.relispartition) AND conparentid = 0
            UNION SELECT indexdef FROM pg_indexes WHERE schemaname = 'tradelake' AND tablename !~ '_[0-9]{4}_[0-9]{2}$'
            UNION SELECT tgname || ' ' || tgrelid::regclass || ' ' || tgenabled::text FROM pg_trigger
            WHERE NOT tgisinternal
        ) AS facts(fact)"""
    ours, theirs = one(url, facts), one(prepared_url(), facts)
    assert ours == theirs
    assert "FOREIGN KEY" in str(ours)


def test_an_export_that_is_repeated_writes_nothing(exported):
    book, url, done = exported
    again = book.export_postgres(url)
    assert (again.rows, again.since, again.version) == ({}, done.version, done.version)
    assert one(url, "SELECT count(*) FROM tradelake.twin_exports") == 1


def test_later_exports_write_what_has_changed_and_nothing_else(told, prepared_url: Prepare):
    url = prepared_url()
    told.export_postgres(url)
    version = told.version
    told.add_accounts([{"account_id": "NEW-1"}])
    told.record([fill(1, account_id="NEW-1"), fill(2, "-4", account_id="NEW-1")])
    done = told.export_postgres(url, since=version)
    assert done.since == version
    assert {name: count for name, count in done.rows.items() if name in ("trade_log", "lots", "matches")} == {
        "trade_log": 2,
        "lots": 1,
        "matches": 1,
    }
    assert_twin(told, url)
    told.record(fill(3, account_id="NEW-1"))
    told.fold()
    told.maintain(upkeep=Upkeep(versions=timedelta(0)))
    assert told._catalog.frame("SELECT min(snapshot_id) FROM ducklake_snapshots('lake')").item() > version
    done = told.export_postgres(url, since=version)
    assert {name: count for name, count in done.rows.items() if name in DERIVED} == {"positions": 1, "lots": 1}
    assert_twin(told, url)


def test_of_what_follows_from_the_log_only_the_rows_that_differ_are_read_and_written(told, prepared_url, monkeypatch):
    """A fill reaches its account and symbol: these are read, no other one, and of their rows two are new."""
    url = prepared_url()
    told.fold()
    told.export_postgres(url)
    account = frame(told.positions())["account_id"][0]
    told.record(fill(1, account_id=account, symbol="KO", executed_at="2026-07-02T15:00:00Z"))
    told.fold()
    asked: list[str] = []
    ask = Catalog.frame

    def noting(catalog: Catalog, sql: str, *parameters: Any, **span: Any) -> pl.DataFrame:
        asked.append(sql)
        return ask(catalog, sql, *parameters, **span)

    monkeypatch.setattr(Catalog, "frame", noting)
    done = told.export_postgres(url)
    monkeypatch.undo()
    whole = [sql for sql in asked if re.match(r"SELECT (\*|t\.\*) FROM (positions|lots|matches|\w*_history)", sql)]
    assert len(whole) == len([sql for sql in whole if "SEMI JOIN families" in sql]) > 0
    assert {name: count for name, count in done.rows.items() if name in DERIVED} == {"positions": 1, "lots": 1}
    assert_twin(told, url)


def test_since_a_version_that_the_twin_has_not_reached_is_refused(local_book, prepared_url: Prepare):
    url = prepared_url()
    with pytest.raises(InputError, match="there is no version 3 to go on from"):
        local_book.export_postgres(url, since=3)
    version = local_book.export_postgres(url).version
    local_book.record(fill(1))
    with pytest.raises(InputError, match=f"stands at version {version}"):
        local_book.export_postgres(url, since=local_book.version)
    assert log_rows(url) == 0


def test_the_twin_of_another_book_is_refused(local_book, other_book, prepared_url: Prepare):
    url = prepared_url()
    local_book.export_postgres(url)
    other_book.add_accounts([{"account_id": "X"}])
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE tradelake.twin_exports SET book_id = 'another'")
    with pytest.raises(InputError, match="is the twin of another book, another; this one is"):
        local_book.export_postgres(url)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE tradelake.twin_exports SET format_version = 99")
    with pytest.raises(InputError, match="another"):
        local_book.export_postgres(url)
    with psycopg.connect(url) as connection:
        book_id = local_book._catalog.settings()["book_id"]
        connection.execute("UPDATE tradelake.twin_exports SET book_id = %s", (book_id,))
    with pytest.raises(BookVersionError, match="has format 99"):
        local_book.export_postgres(url)


def test_a_twin_with_a_history_that_the_book_does_not_have_is_refused(local_book, prepared_url: Prepare):
    url = prepared_url()
    local_book.export_postgres(url)
    local_book.record(fill(1))
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE tradelake.head SET chain_hash = 'of a book that went another way'")
    with pytest.raises(InputError, match="of a book that went another way, which this book does not have"):
        local_book.export_postgres(url)


def test_a_schema_with_other_tables_is_refused(local_book, empty_postgres_url):
    with psycopg.connect(empty_postgres_url) as connection:
        connection.execute("CREATE TABLE accounts (name text)")
    with pytest.raises(InputError, match="has a table accounts, and is no twin"):
        local_book.export_postgres(empty_postgres_url, schema="public")


def test_rows_that_somebody_has_taken_out_of_a_twin_are_missed(told, prepared_url: Prepare):
    url = prepared_url()
    told.export_postgres(url)
    with psycopg.connect(url) as connection:
        connection.execute(
            "DELETE FROM tradelake.matches WHERE match_id = (SELECT max(match_id) FROM tradelake.matches)"
        )
    told.add_accounts([{"account_id": "NEW-1"}])
    with pytest.raises(StorageError, match=r"has 210 rows in tradelake.matches, the book 211\. Nothing was changed"):
        told.export_postgres(url)
    assert one(url, "SELECT count(*) FROM tradelake.accounts WHERE account_id = 'NEW-1'") == 0


def test_rows_that_do_not_add_up_are_not_committed(told, prepared_url: Prepare, monkeypatch):
    """The server changes an amount on the way in."""
    url = prepared_url()
    with psycopg.connect(url) as connection:
        connection.execute(
            "CREATE FUNCTION cheat() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.cost_basis := NEW.cost_basis + 0.000000000001; RETURN NEW; END $$"
        )
        connection.execute("CREATE TRIGGER cheat BEFORE INSERT ON tradelake.lots FOR EACH ROW EXECUTE FUNCTION cheat()")
    with pytest.raises(
        StorageError, match=r"tradelake.lots is not what the book has: the sum of cost_basis: -?\d+ here"
    ):
        told.export_postgres(url)
    assert log_rows(url) == 0


@pytest.mark.parametrize(("stage", "prepared"), [("source_records", True), ("matches", False), ("compare", True)])
def test_an_export_that_loses_its_server_leaves_nothing_and_a_repeat_completes_it(
    told, prepared_url: Prepare, empty_postgres_url, stage, prepared
):
    url = prepared_url() if prepared else empty_postgres_url

    def break_off(reached: str, done: int, total: int) -> None:
        if reached == stage:
            with psycopg.connect(url) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    with pytest.raises(StorageError, match=r"does not answer: .* Nothing was changed; repeat it"):
        told.export_postgres(url, progress=break_off)
    assert log_rows(url) == (0 if prepared else None)
    told.export_postgres(url)
    if prepared:
        assert_twin(told, url)


def test_a_password_is_in_no_message(local_book, tmp_path):
    url = f"postgresql://me:topsecret@/nothing?host={tmp_path}"
    with pytest.raises(StorageError, match="does not answer") as caught:
        local_book.export_postgres(url)
    assert "topsecret" not in str(caught.value)
    with pytest.raises(InputError, match="is no database") as misuse:
        local_book.export_postgres("mysql://me:topsecret@host/db")
    assert "topsecret" not in str(misuse.value)


def test_a_writer_needs_no_more_than_its_role(told, prepared_url: Prepare, postgres_server):
    url = prepared_url()
    with psycopg.connect(url) as connection:
        connection.execute("DROP ROLE IF EXISTS nightly")
        connection.execute("CREATE ROLE nightly LOGIN IN ROLE tradelake_writer")
    theirs = url.replace("postgres@", "nightly@")
    told.export_postgres(theirs)
    told.record(fill(1, executed_at="2031-05-05T15:00:00Z"))
    told.export_postgres(theirs)
    assert_twin(told, url)
    with pytest.raises(StorageError, match=r"does not allow it: permission denied .* tradelake_writer"):
        told.export_postgres(theirs, schema="elsewhere")
    with psycopg.connect(url) as connection:
        connection.execute("DROP ROLE nightly")


def test_an_archived_book_is_exported_with_its_archive_only(told, prepared_url: Prepare, tmp_path):
    url = prepared_url()
    told.archive("2026-03-01", tmp_path / "cold")
    with pytest.raises(ArchivedError, match="2026-01 to 2026-02, which are archived"):
        told.export_postgres(url)
    assert log_rows(url) == 0
    with told._catalog.cold.including():
        told.export_postgres(url)
        assert_twin(told, url)


def test_what_was_exported_before_it_was_archived_needs_no_archive(told, prepared_url: Prepare, tmp_path):
    url = prepared_url()
    told.export_postgres(url)
    told.archive("2026-03-01", tmp_path / "cold")
    told.record(fill(1, executed_at="2026-07-01T15:00:00Z"))
    told.export_postgres(url)
    assert log_rows(url) == told.sequence
    with told._catalog.cold.including():
        assert_twin(told, url)
