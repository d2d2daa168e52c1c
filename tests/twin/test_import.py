"""A book that comes back from PostgreSQL is the one that went there."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

import tradelake as tl
from tests.books import SAMPLE_FLEX, fill, frames
from tests.twin.twins import COMPARED, of_book
from tradelake.errors import InputError, StorageError
from tradelake.store import read_head

Prepare = Callable[[], str]


@pytest.fixture
def empty(tmp_path: Path):
    with tl.create(tmp_path / "back") as book:
        yield book


def test_every_table_comes_back_as_it_was_and_the_chain_holds(told, empty, prepared_url: Prepare):
    url = prepared_url()
    told.fold()
    told.export_postgres(url)
    assert empty.import_postgres(url) == told.sequence
    ours, theirs = of_book(told), of_book(empty)
    for table in COMPARED:
        if table.name == "book_settings":
            assert ours[table.name].filter(name="book_id").equals(theirs[table.name].filter(name="book_id"))
            continue
        assert ours[table.name].equals(theirs[table.name]), table.name
    assert read_head(empty._catalog) == read_head(told._catalog)
    assert not empty.verify(deep=True).findings
    # It goes on as the same book: what is known is recognised, and the twin takes what is new.
    assert empty.ingest("ibkr-flex", SAMPLE_FLEX).accepted == 0
    empty.record(fill(1, executed_at="2026-07-01T15:00:00Z"))
    assert empty.export_postgres(url).rows["trade_log"] == 1


def test_a_book_is_back_with_what_was_archived(told, empty, prepared_url: Prepare, tmp_path):
    url = prepared_url()
    told.archive("2026-03-01", tmp_path / "cold")
    with told._catalog.cold.including():
        told.export_postgres(url)
        expected = frames(told)
    empty.import_postgres(url)
    assert not empty.archives().height
    for name, rows in frames(empty).items():
        assert rows.equals(expected[name]), name
    assert empty.runs()["source"].to_list()[-1] == "import postgres"
    assert not empty.verify(deep=True).findings


def test_only_an_empty_book_is_filled(told, local_book, prepared_url: Prepare):
    url = prepared_url()
    told.export_postgres(url)
    with pytest.raises(InputError, match=r"commits\. A twin is read into an empty book"):
        local_book.import_postgres(url)


def test_nothing_comes_from_a_schema_to_which_nothing_was_exported(empty, prepared_url: Prepare, empty_postgres_url):
    for url in (prepared_url(), empty_postgres_url):
        with pytest.raises(InputError, match="Nothing was exported to the schema tradelake"):
            empty.import_postgres(url)


def test_a_twin_that_was_touched_is_found_out(told, empty, prepared_url: Prepare):
    url = prepared_url()
    told.export_postgres(url)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE tradelake.trade_log SET price = price + 1 WHERE sequence = 7")
    with pytest.raises(StorageError, match=r"does not verify: .* Somebody has changed"):
        empty.import_postgres(url)
