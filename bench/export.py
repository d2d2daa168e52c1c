"""The first export of a book to PostgreSQL with all constraints, against a bare COPY of the same rows.

Both run on a server of their own in the same run: the bare COPY writes the same rows of the same tables into tables
that have columns and nothing else (plain, logged), from memory, through the same encoder; the export reads the book,
writes, binds, compares and commits. Beside the clock stand the seconds of all cores, of this process and the server.
"""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

import tradelake as tl
from bench import child
from bench.child import Numbers
from tests.postgres import PostgresServer
from tradelake.store.twin import Exported, Twin, twin_at
from tradelake.tables import POSTGRES_TYPES, TABLES, Table

TIMED = [table for table in TABLES if table.name != "file_digests"]


@dataclass(frozen=True)
class Used:
    """Seconds by the clock, and of all cores by this process and a server."""

    clock: float = 0.0
    cores: float = 0.0

    @classmethod
    def now(cls, server: PostgresServer) -> "Used":
        """Read them."""
        return cls(time.perf_counter(), time.process_time() + _seconds_of(server))

    def __sub__(self, other: "Used") -> "Used":
        return Used(self.clock - other.clock, self.cores - other.cores)

    def __add__(self, other: "Used") -> "Used":
        return Used(self.clock + other.clock, self.cores + other.cores)


def measure(folder: str, day_file: str) -> Numbers:
    """Export the book of a folder, then what a day more has changed."""
    server = PostgresServer.start()
    try:
        url = server.create_database()
        with tl.open(f"{folder}/book") as book:
            book.fold()
            bare, copied = _bare(book, server)
            exported, done = _exported(book, server, url)
            written = sum(done.rows.values())
            if written != copied:
                raise AssertionError(f"the export has written {written} rows, the bare copy {copied}")
            changed = book.ingest("executions", day_file).accepted
            later, _ = _exported(book, server, url)
        with psycopg.connect(url) as connection:
            size = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return {
            "seconds": exported.clock,
            "cores": exported.cores,
            "bare": bare.clock,
            "bare_cores": bare.cores,
            "again": later.clock,
            "changed": changed,
            "rows": written,
            "database": size[0] if size else 0,
        }
    finally:
        server.stop()


def _exported(book: tl.Book, server: PostgresServer, url: str) -> tuple[Used, Exported]:
    started = Used.now(server)
    done = book.export_postgres(url)
    return Used.now(server) - started, done


def _bare(book: tl.Book, server: PostgresServer) -> tuple[Used, int]:
    """Return what a bare COPY of the rows of a book takes, and how many these are."""
    used, copied = Used(), 0
    with twin_at(server.create_database(), "bare") as twin:
        twin.execute("CREATE SCHEMA bare")
        for table in TIMED:
            frame = table.conform(book.sql(f"SELECT * FROM {table.name}").pl())
            copied += frame.height
            started = Used.now(server)
            _create(twin, table)
            if frame.height:
                twin.copy_into(twin.name(table), frame)
            used += Used.now(server) - started
        ended = Used.now(server)
    return used + (Used.now(server) - ended), copied


def _create(twin: Twin, table: Table) -> None:
    columns = ", ".join(f"{column.name} {POSTGRES_TYPES[column.type]}" for column in table.columns)
    twin.execute(f"CREATE TABLE {twin.name(table)} ({columns})")


def _seconds_of(server: PostgresServer) -> float:
    """Return the seconds of all cores that a server has used: its first process, those that run and have ended."""
    first, ticks = int((server.folder / "data" / "postmaster.pid").read_text().split()[0]), 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            _, parent, *_ = fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        own, ended = fields[11:13], fields[13:15]
        if int(folder.name) == first:
            ticks += sum(map(int, own + ended))
        elif int(parent) == first:
            ticks += sum(map(int, own))
    return ticks / os.sysconf("SC_CLK_TCK")


STEPS = {"measure": measure}

if __name__ == "__main__":
    child.main(STEPS)
