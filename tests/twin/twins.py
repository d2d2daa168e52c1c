"""What a twin has, read as it is there."""

import polars as pl
import psycopg

from tradelake.book import Book
from tradelake.store.literals import literal
from tradelake.store.session import extension_path
from tradelake.tables import DERIVED_TABLES, FILE_DIGESTS, TABLES, TRADE_LOG, Table

COMPARED = [table for table in TABLES if table is not FILE_DIGESTS]


def read(book: Book, url: str, tables: list[Table], *, schema: str = "tradelake") -> dict[str, pl.DataFrame]:
    """Return the rows of tables of a database by name, in the order of their keys, as DuckDB reads them."""
    catalog = book._catalog
    catalog.execute(f"LOAD {literal(str(extension_path('postgres_scanner')))}")
    catalog.execute(f"ATTACH {literal(url)} AS read_twin (TYPE postgres, READ_ONLY)")
    try:
        return {
            table.name: catalog.connection.execute(f'SELECT * FROM read_twin."{schema}".{table.name}')
            .pl()
            .sort(table.key)
            for table in tables
        }
    finally:
        catalog.execute("DETACH read_twin")


def of_book(book: Book) -> dict[str, pl.DataFrame]:
    """Return the rows of every table of a book by name, in the order of their keys, derived ones at the head."""
    catalog = book._catalog
    with catalog.transaction():
        return {
            table.name: (
                book._rows(table) if table in DERIVED_TABLES else catalog.frame(f"SELECT * FROM {table.name}")
            ).sort(table.key)
            for table in COMPARED
        }


def assert_twin(book: Book, url: str) -> None:
    """Assert that a database has every row of a book, and nothing else."""
    theirs = read(book, url, COMPARED)
    for name, ours in of_book(book).items():
        if name == "checkpoint":
            assert theirs[name]["sequence"].to_list() == [book.sequence]
            continue
        assert ours.equals(theirs[name]), name


def one(url: str, query: str) -> object:
    """Return the only value of the answer to a query."""
    with psycopg.connect(url) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


def log_rows(url: str) -> object:
    """Return how many events a twin has; None where there is no twin."""
    there = one(url, f"SELECT to_regclass('tradelake.{TRADE_LOG.name}') IS NOT NULL")
    return one(url, f"SELECT count(*) FROM tradelake.{TRADE_LOG.name}") if there else None
