"""A book that is killed while it is made: it is none, and can be made again."""

from pathlib import Path

import psycopg
import pytest

import tradelake as tl
from tests.books import fill
from tradelake.errors import BookExists, BookNotFound, InputError
from tradelake.store.catalog import Catalog
from tradelake.store.opening import draft_of
from tradelake.store.target import parse_target
from tradelake.tables import ducklake_ddl


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_book_that_was_killed_while_it_was_made_is_none_and_can_be_made(kind, tmp_path):
    target = parse_target(f"{kind}:{tmp_path / 'book'}")
    tl.create(f"{kind}:{tmp_path / 'whole'}").close()
    draft = Path(draft_of(target).catalog)
    draft.parent.mkdir()
    whole = (tmp_path / "whole" / f"catalog.{kind}").read_bytes()
    for left in (b"", whole[: len(whole) // 2], whole):
        draft.write_bytes(left)
        draft.with_name(f"{draft.name}{'-wal' if kind == 'sqlite' else '.wal'}").write_bytes(b"left")
        with pytest.raises(BookNotFound, match="There is no book at"):
            tl.open(tmp_path / "book")
    with tl.create(f"{kind}:{tmp_path / 'book'}") as book:
        book.add_accounts([{"account_id": "GEN-1"}])
        assert book.record(fill(1)).accepted == 1
    assert not list(draft.parent.glob("draft-*"))
    with pytest.raises(BookExists):
        tl.create(f"{kind}:{tmp_path / 'book'}")
    with tl.open(tmp_path / "book") as book:
        assert book.sequence == 1


@pytest.mark.parametrize("tables", [False, True])
def test_a_server_on_which_the_making_was_broken_off_goes_on(empty_postgres_url, tmp_path, tables):
    target = parse_target(empty_postgres_url, data=tmp_path / "data")
    left = Catalog(target, read_only=False, attach_data=target.data, create=True)
    if tables:
        with left.transaction():
            for statement in ducklake_ddl():
                left.execute(statement)
    left.close()
    for read_only in (False, True):
        with pytest.raises(BookNotFound, match=r"was broken off before its end\. Run `tradelake init` there again"):
            tl.open(empty_postgres_url, read_only=read_only)
    with pytest.raises(InputError, match=rf"its data are at {tmp_path}/data/\. Give that folder as data=FOLDER"):
        tl.create(empty_postgres_url, data=tmp_path / "other")
    with tl.create(empty_postgres_url, data=tmp_path / "data") as book:
        book.add_accounts([{"account_id": "GEN-1"}])
        assert book.record(fill(1)).accepted == 1
    with pytest.raises(BookExists):
        tl.create(empty_postgres_url, data=tmp_path / "data")
    with tl.open(empty_postgres_url) as book:
        assert book.sequence == 1


def test_a_lake_of_somebody_else_is_not_made_a_book(empty_postgres_url, tmp_path):
    target = parse_target(empty_postgres_url, data=tmp_path / "data")
    theirs = Catalog(target, read_only=False, attach_data=target.data, create=True)
    theirs.execute("CREATE TABLE mine (a INTEGER)")
    theirs.close()
    with pytest.raises(BookExists, match="a lake of somebody else"):
        tl.create(empty_postgres_url, data=tmp_path / "data")
    with psycopg.connect(empty_postgres_url) as connection:
        assert connection.execute("SELECT count(*) FROM ducklake_table").fetchall() == [(1,)]
