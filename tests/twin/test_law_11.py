"""Law 11 to its end: frame, Parquet, DuckLake, PostgreSQL and back is the identity, extremes included."""

import io

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.books import BOOKS
from tests.laws.test_identity import rows_of
from tests.twin.twins import read
from tradelake.book import Book
from tradelake.store.bulk import insert_rows
from tradelake.store.twin import twin_at
from tradelake.tables import POSTGRES_TYPES, TABLES, TRADE_LOG, Table, create_table

BARE = "bare"


@pytest.fixture(scope="module")
def bare_url(postgres_server) -> str:
    """A database with the columns of every table, and nothing that could refuse a row."""
    url: str = postgres_server.create_database()
    with twin_at(url, BARE) as twin:
        twin.execute(f"CREATE SCHEMA {BARE}")
        for table in TABLES:
            twin.execute(
                create_table(f"{BARE}.{table.name}", [f"{c.name} {POSTGRES_TYPES[c.type]}" for c in table.columns])
            )
    return url


@pytest.fixture(scope="module")
def scratch(patterns, tmp_path_factory):
    with patterns.copy("sqlite", tmp_path_factory.mktemp("scratch") / "book").open() as book:
        yield book


def numbered(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Give rows keys by which they can be put in order again, where the key is a number."""
    (key,) = table.key[:1]
    return frame.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias(key)) if table is TRADE_LOG else frame


def write(url: str, table: Table, frame: pl.DataFrame) -> None:
    with twin_at(url, BARE) as twin:
        twin.execute(f"TRUNCATE {BARE}.{table.name}")
        twin.copy_into(f"{BARE}.{table.name}", frame)


@settings(max_examples=BOOKS)
@given(data=st.data())
def test_a_log_row_comes_back_through_every_store_as_it_went_in(scratch: Book, bare_url: str, data: st.DataObject):
    frame = numbered(TRADE_LOG, data.draw(rows_of(TRADE_LOG)))
    file = io.BytesIO()
    frame.write_parquet(file)
    catalog = scratch._catalog
    catalog.execute("DELETE FROM trade_log")
    insert_rows(catalog, TRADE_LOG, pl.read_parquet(io.BytesIO(file.getvalue())))
    write(bare_url, TRADE_LOG, catalog.frame("SELECT * FROM trade_log"))
    back = read(scratch, bare_url, [TRADE_LOG], schema=BARE)["trade_log"]
    assert back.schema == TRADE_LOG.schema
    assert back.equals(frame)


@settings(max_examples=2)
@given(data=st.data())
def test_the_rows_of_every_table_come_back_from_postgres_as_they_went_in(
    scratch: Book, bare_url: str, data: st.DataObject
):
    frames = {table.name: data.draw(rows_of(table)) for table in TABLES}
    for table in TABLES:
        write(bare_url, table, frames[table.name])
    for name, back in read(scratch, bare_url, list(TABLES), schema=BARE).items():
        assert back.schema == frames[name].schema
        columns = back.columns
        assert back.sort(columns, nulls_last=True).equals(frames[name].sort(columns, nulls_last=True)), name


def test_what_a_text_format_could_misread_arrives(bare_url: str):
    texts = ["", "\\N", "\\.", "\n\\.\n", "a\tb", "\r\n", "\\", '"', "\x01\x7f\u2028", "NULL", "\ufeff", None]
    frame = pl.DataFrame({"number": range(len(texts)), "content": texts})
    with twin_at(bare_url, BARE) as twin:
        twin.execute(f"CREATE TABLE {BARE}.texts (number bigint, content text)")
        twin.copy_into(f"{BARE}.texts", frame)
        found = [twin.row(f"SELECT content FROM {BARE}.texts WHERE number = {n}") for n in range(len(texts))]
        twin.execute(f"DROP TABLE {BARE}.texts")
    assert [row and row[0] for row in found] == texts
