"""The fixtures of the tests that need books, and databases that have an empty twin already."""

from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql

from tests.books import book, broker_book, local_book, other_book, patterns, place, ready
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
