"""The fixtures of the tests that need books, and databases that have an empty twin already."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

import tradelake as tl
from tests.books import (
    SAMPLE_FLEX,
    Patterns,
    book,
    broker_book,
    local_book,
    other_book,
    patterns,
    place,
    ready,
)
from tests.postgres import PostgresServer
from tradelake.tables import postgres_ddl

__all__ = ["book", "broker_book", "local_book", "other_book", "patterns", "place", "ready"]


@pytest.fixture(scope="session")
def prepared_url(postgres_server: PostgresServer) -> Callable[[], str]:
    """Return what makes a database with the empty tables of a twin, all constraints on, and gives its URL."""
    pattern = postgres_server.create_database()
    with psycopg.connect(pattern, autocommit=True) as connection:
        connection.execute("; ".join(postgres_ddl(schema="tradelake")).encode())

    def copy() -> str:
        name = f"twin_{next(postgres_server.numbers)}"
        source = pattern.split("@/")[1].split("?")[0]
        with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as connection:
            names = sql.Identifier(name), sql.Identifier(source)
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return postgres_server.url(name)

    return copy


@pytest.fixture(scope="session")
def told_folder(patterns: Patterns, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a book that was told half a year of a broker's statement; nobody has it open."""
    folder = tmp_path_factory.mktemp("told") / "book"
    with patterns.copy("sqlite", folder).open() as book:
        book.ingest("ibkr-flex", SAMPLE_FLEX)
    return folder


@pytest.fixture
def told(told_folder: Path, tmp_path: Path) -> Iterator[tl.Book]:
    """A copy of that book."""
    shutil.copytree(told_folder, tmp_path / "told")
    with tl.open(tmp_path / "told") as book:
        yield book
