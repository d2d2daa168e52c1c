"""The first export of a book to PostgreSQL with all constraints, against a bare COPY of the same rows.

Both run on a server of their own in the same run: the bare COPY writes the same rows of the same tables into tables
that have columns and nothing else, from memory; the export reads the book, writes, binds, compares and commits.
"""

import tempfile
import time
from pathlib import Path

import polars as pl
import psycopg

import tradelake as tl
from bench.data import account_ids, write_executions
from bench.figure import Figure
from tests.postgres import PostgresServer
from tradelake.store.twin import Twin, twin_at
from tradelake.tables import POSTGRES_TYPES, TABLES, Table

NEW = 1_000
TIMED = [table for table in TABLES if table.name != "file_digests"]


def run(rows: int) -> list[Figure]:
    """Measure the export of a book with *rows* executions, and of what *NEW* more have changed."""
    server = PostgresServer.start()
    try:
        with tempfile.TemporaryDirectory(prefix="tradelake-bench-") as folder:
            path = Path(folder) / "executions.parquet"
            write_executions(path, rows + NEW)
            return _measure(server, Path(folder), path, rows)
    finally:
        server.stop()


def _measure(server: PostgresServer, folder: Path, path: Path, rows: int) -> list[Figure]:
    frame = pl.read_parquet(path)
    for name, part in (("first", frame[:rows]), ("more", frame[rows:])):
        part.write_parquet(folder / f"{name}.parquet")
    url = server.create_database()
    with tl.create(folder / "book") as book:
        book.add_accounts([{"account_id": name} for name in account_ids()])
        book.ingest("executions", folder / "first.parquet")
        book.fold()
        before, copied = _bare(book, server.create_database())
        started = time.perf_counter()
        done = book.export_postgres(url)
        exported = time.perf_counter() - started
        after, _ = _bare(book, server.create_database())
        bare = (before + after) / 2
        written = sum(done.rows.values())
        if written != copied:
            raise AssertionError(f"the export has written {written} rows, the bare copy {copied}")
        book.ingest("executions", folder / "more.parquet")
        started = time.perf_counter()
        book.export_postgres(url)
        again = time.perf_counter() - started
    with psycopg.connect(url) as connection:
        size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return [
        Figure(f"export {rows:,} executions to PostgreSQL, all constraints", exported, "s", bare, "bare COPY, no keys"),
        Figure(f"export what {NEW:,} more have changed", again, "s", exported, "the whole export"),
        Figure("size of the database", size[0] / 2**30 if size else 0, "GB"),
    ]


def _bare(book: tl.Book, url: str) -> tuple[float, int]:
    """Return the seconds that a bare COPY of the rows of a book takes, and how many these are."""
    took, copied = 0.0, 0
    with twin_at(url, "bare") as twin:
        twin.execute("CREATE SCHEMA bare")
        for table in TIMED:
            frame = table.conform(book.sql(f"SELECT * FROM {table.name}").pl())
            copied += frame.height
            started = time.perf_counter()
            _create(twin, table)
            if frame.height:
                twin.copy_into(twin.name(table), frame)
            took += time.perf_counter() - started
        ended = time.perf_counter()
    return took + time.perf_counter() - ended, copied


def _create(twin: Twin, table: Table) -> None:
    columns = ", ".join(f"{column.name} {POSTGRES_TYPES[column.type]}" for column in table.columns)
    twin.execute(f"CREATE TABLE {twin.name(table)} ({columns})")
