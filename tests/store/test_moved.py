"""A book is a folder: it may be moved or copied as a whole."""

import shutil

import pytest

import tradelake as tl

FILLS = [
    {
        "trade_id": f"t{number}",
        "account_id": "GEN-1",
        "symbol": "KO",
        "action": "BUY",
        "executed_at": "2026-01-05T15:00:00Z",
        "quantity": "1",
        "price": "70.25",
    }
    for number in range(1_200)
]
SALE = FILLS[0] | {"trade_id": "sale", "action": "SELL", "quantity": "1200", "executed_at": "2026-01-06T15:00:00Z"}


@pytest.fixture(params=["", "duckdb:"], ids=["sqlite", "duckdb"])
def made(request, tmp_path):
    """A closed book whose log is in Parquet files."""
    with tl.create(f"{request.param}{tmp_path / 'made'}") as book:
        book.add_accounts([{"account_id": "GEN-1"}])
        assert book.record(FILLS).accepted == len(FILLS)
        book.fold()
    return tmp_path / "made"


def test_a_moved_book_reads_and_writes_where_it_is(made, tmp_path):
    made.rename(tmp_path / "moved")
    with tl.open(tmp_path / "moved") as book:
        assert book.trades().height == len(FILLS)
        assert book.record(SALE).accepted == 1
        book.fold()
        assert book.positions().height == 0
        assert book.rebuild(check=True).identical


def test_a_copy_never_touches_the_original(made, tmp_path):
    shutil.copytree(made, tmp_path / "copy")
    before = sorted((made / "data").rglob("*"))
    with tl.open(tmp_path / "copy") as book:
        book.record(SALE)
        book.fold()
    assert sorted((made / "data").rglob("*")) == before
    with tl.open(made) as book:
        assert book.positions()["quantity"].to_list() == [1_200]


def test_a_book_whose_data_is_elsewhere_finds_it_there(tmp_path):
    with tl.create(tmp_path / "book", data=tmp_path / "elsewhere") as book:
        book.add_accounts([{"account_id": "GEN-1"}])
        book.record(FILLS)
        book.fold()
    assert list((tmp_path / "elsewhere").rglob("*.parquet"))
    with tl.open(tmp_path / "book") as book:
        assert book.trades().height == len(FILLS)
