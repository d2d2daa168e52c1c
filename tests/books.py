"""Books for tests: real DuckLakes in temporary folders, and the executions that go into them.

A test says `place` for somewhere to make and open books, `book` for an empty book with the account GEN-1 on every
kind of catalog, `local_book` for one on the default catalog alone. The data of `place` are in a local folder; with the
mark `also_on_s3`, or as `--places` says, the test runs once more with its data on a real S3 server.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import psycopg
import pytest
from polars.testing import assert_frame_equal
from psycopg import sql

import tradelake as tl
from tests.objectstore import S3Server
from tests.postgres import PostgresServer
from tradelake.book import KINDS

CATALOGS = ("sqlite", "duckdb", "postgres")
SHARED = ("sqlite", "postgres")  # catalogs that several processes may write to
DERIVED = ("positions", "lots", "matches", "history", "refusals")
OF_THE_COMMIT = ("recorded_at", "import_run_id", "source_record_id", "row_check")
SAMPLE_FLEX = Path(__file__).parents[1] / "data" / "sample_flex.xml"
SAMPLE_FILLS = Path(__file__).parents[1] / "data" / "sample_fills.jsonl"


@dataclass(frozen=True)
class Place:
    """Where a book is or may be: what `create` and `open` are given."""

    kind: str
    target: str
    data: str | None = None

    @property
    def on_s3(self) -> bool:
        return (self.data or "").startswith("s3://")

    def create(self) -> tl.Book:
        return tl.create(self.target, data=self.data)

    def open(self, *, read_only: bool = False) -> tl.Book:
        return tl.open(self.target, data=self.data, read_only=read_only)


@dataclass(frozen=True)
class DataFiles:
    """The data files of a book as they are seen from outside: names below the data folder."""

    folder: str
    bucket: S3Server | None = None

    def names(self) -> set[str]:
        if self.bucket:
            return {name.removeprefix(self.folder) for name in self.bucket.names(self.folder)}
        files = (path for path in Path(self.folder).rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)) for path in files}

    def parquet(self) -> set[str]:
        return {name for name in self.names() if name.endswith(".parquet")}

    def get(self, name: str) -> bytes:
        return self.bucket.get(self.folder + name) if self.bucket else Path(self.folder, name).read_bytes()

    def put(self, name: str, content: bytes) -> None:
        if self.bucket:
            self.bucket.put(self.folder + name, content)
        else:
            Path(self.folder, name).write_bytes(content)

    def delete(self, name: str) -> None:
        if self.bucket:
            self.bucket.delete(self.folder + name)
        else:
            Path(self.folder, name).unlink()


def place_in(kind: str, folder: Path, postgres: PostgresServer | None = None, bucket: S3Server | None = None) -> Place:
    """Return a place for a new book with a catalog of this kind."""
    data = bucket.new_folder() if bucket else None
    if postgres is not None:
        return Place(kind, postgres.create_database(), data or str(folder / "data"))
    return Place(kind, f"{kind}:{folder}", data)


@pytest.fixture(params=CATALOGS)
def place(request: pytest.FixtureRequest, tmp_path: Path, bucket: S3Server | None) -> Place:
    """A place without a book; parametrise it indirectly for some kinds of catalog only."""
    server = request.getfixturevalue("postgres_server") if request.param == "postgres" else None
    return place_in(request.param, tmp_path / "book", server, bucket)


class Patterns:
    """An empty book of each kind with the account GEN-1, to be copied: much faster than making one for each test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[str, Place] = {}

    def copy(
        self, kind: str, folder: Path, server: PostgresServer | None = None, bucket: S3Server | None = None
    ) -> Place:
        """Return a place with a new copy, whose data are in *folder*, or on S3."""
        of = f"{kind}-s3" if bucket else kind
        if of not in self._made:
            self._made[of] = place_in(kind, self._folder / of, server, bucket)
            (self._folder / of).mkdir(exist_ok=True)
            with self._made[of].create() as made:
                made.add_accounts([{"account_id": "GEN-1", "broker_account_id": "U1"}])
        pattern = self._made[of]
        shutil.copytree(self._folder / of, folder)
        data = bucket.copied_folder(pattern.data or "") if bucket else None
        repoint = f"UPDATE ducklake_metadata SET value = '{data or f'{folder}/data'}/' WHERE key = 'data_path'"
        if kind == "sqlite":
            with sqlite3.connect(folder / "catalog.sqlite") as catalog:
                catalog.execute(repoint)
            catalog.close()
        elif kind == "duckdb":
            with duckdb.connect(str(folder / "catalog.duckdb")) as file:
                file.execute(repoint)
        elif server is not None:
            database = f"copy_{next(server.numbers)}"
            names = sql.Identifier(database), sql.Identifier(pattern.target.split("@/")[1].split("?")[0])
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
            with psycopg.connect(server.url(database), autocommit=True) as connection:
                connection.execute(repoint)
            return Place(kind, server.url(database), data or f"{folder}/data")
        return Place(kind, f"{kind}:{folder}", data)


@pytest.fixture(scope="session")
def patterns(tmp_path_factory: pytest.TempPathFactory) -> Patterns:
    """Empty books to copy."""
    return Patterns(tmp_path_factory.mktemp("patterns"))


@pytest.fixture
def ready(
    request: pytest.FixtureRequest, place: Place, patterns: Patterns, tmp_path: Path, bucket: S3Server | None
) -> Place:
    """A place with an empty book that nobody has open; its account is GEN-1."""
    server = request.getfixturevalue("postgres_server") if place.kind == "postgres" else None
    return patterns.copy(place.kind, tmp_path / "ready", server, bucket)


@pytest.fixture
def book(ready: Place) -> Iterator[tl.Book]:
    """An empty book with the account GEN-1."""
    with ready.open() as made:
        yield made


@pytest.fixture
def local_book(patterns: Patterns, tmp_path: Path) -> Iterator[tl.Book]:
    """An empty book on the default catalog with the account GEN-1."""
    with patterns.copy("sqlite", tmp_path / "local").open() as made:
        yield made


@pytest.fixture
def other_book(patterns: Patterns, tmp_path: Path) -> Iterator[tl.Book]:
    """Another one."""
    with patterns.copy("sqlite", tmp_path / "other").open() as made:
        yield made


@pytest.fixture
def broker_book(other_book: tl.Book) -> tl.Book:
    """A book whose three accounts GEN-1, REV-1 and COM-1 share the broker account U1; patterns tell the last two."""
    other_book.add_accounts(shared_accounts("U1")[1:])
    return other_book


def shared_accounts(broker: str, *, default: str | None = None) -> list[dict[str, Any]]:
    """Return GEN-1, REV-1 and COM-1 of one broker account, each with the pattern of its own name."""
    return [
        {
            "account_id": name,
            "broker_account_id": broker,
            "allocation_pattern": f"{name}*",
            "allocation_default": name == default,
        }
        for name in ("GEN-1", "REV-1", "COM-1")
    ]


def fill(number: int, quantity: str = "10", **fields: object) -> dict[str, Any]:
    """Return one execution of GEN-1 with the ids of its number: a buy, or with a negative quantity a sale, of ACME."""
    side = "SELL" if quantity.startswith("-") else "BUY"
    return {
        "trade_id": f"T{number}",
        "account_id": "GEN-1",
        "broker_execution_id": f"X{number}",
        "symbol": "ACME",
        "asset_type": "STOCK",
        "action": side,
        "executed_at": f"2026-01-{1 + number // 1440 % 28:02}T{number // 60 % 24:02}:{number % 60:02}:00Z",
        "quantity": quantity.removeprefix("-"),
        "price": f"{100 + number % 7}.25",
        "commission": "1.0035",
    } | fields


def without_ids(row: dict[str, Any]) -> dict[str, Any]:
    """Return an execution as a source that gives no ids would."""
    return {name: value for name, value in row.items() if name not in ("trade_id", "broker_execution_id")}


def frame(rows: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    """Return the rows of a listing."""
    return rows.lazy().collect()


def frames(book: tl.Book) -> dict[str, pl.DataFrame]:
    """Return everything that the readers of a book say of trades and what follows from them."""
    return {"trades": frame(book.trades(kinds=None))} | {name: frame(getattr(book, name)()) for name in DERIVED}


def assert_same_book(book: tl.Book, other: tl.Book) -> None:
    """Assert that two books say the same, ids included, and differ at most in when and how they were told."""
    theirs = frames(other)
    for name, ours in frames(book).items():
        assert_frame_equal(
            *(rows.drop([c for c in OF_THE_COMMIT if c in rows.columns]) for rows in (ours, theirs[name])),
            check_exact=True,
        )
    assert_frame_equal(book.cash(), other.cash())


def assert_whole(book: tl.Book, count: int) -> None:
    """Assert that the log has *count* events without gap or double, and that all tables are what follows from it."""
    log = frame(book.trades(kinds=KINDS)).sort("sequence")
    assert log["sequence"].to_list() == list(range(1, count + 1))
    for key in (["natural_key"], ["trade_id", "leg_id"]):
        assert not log.select(key).is_duplicated().any()
    assert book.sequence == count
    report = book.rebuild(check=True)
    assert report.identical, report.differences


def catalog_rows(book_folder: Path, query: str) -> list[tuple[Any, ...]]:
    """Return rows of a SQLite catalog, read without tradelake."""
    with sqlite3.connect(book_folder / "catalog.sqlite") as catalog:
        rows = catalog.execute(query).fetchall()
    catalog.close()
    return rows


def empty_duckdb(file: Path) -> None:
    """Make an empty DuckDB file."""
    duckdb.connect(str(file)).close()
