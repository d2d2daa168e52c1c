"""Law 11: event, frame, Parquet, DuckLake and back is the identity, for every column and its extremes."""

import io
import json
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.books import FEW
from tests.strategies import column_values, ids, prices, trade_quantities
from tests.tables.rows import extreme_rows
from tradelake.book import Book, create
from tradelake.store import bulk
from tradelake.tables import TABLES, TRADE_LOG, Table

FINEST_CHARGES = st.integers(-(10**15), 10**17).map(lambda units: f"{units // 10**12}.{units % 10**12:012}")
INSTANTS = st.datetimes(datetime(1971, 1, 2), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=300)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory):
    with create(tmp_path_factory.mktemp("identity") / "book") as book:
        book.add_accounts([{"account_id": "A"}])
        yield book


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory):
    """A book whose tables are filled with rows of every kind, true or not."""
    with create(tmp_path_factory.mktemp("scratch") / "book") as book:
        yield book


def rows_of(table: Table) -> st.SearchStrategy[pl.DataFrame]:
    """Frames of a table: the extremes of every type, and rows of random values."""
    row = st.fixed_dictionaries({column.name: column_values(column) for column in table.columns})
    drawn = st.lists(row, min_size=1, max_size=4)
    return drawn.map(lambda rows: pl.concat([extreme_rows(table), pl.DataFrame(rows, schema=table.schema)]))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@given(data=st.data())
def test_a_frame_comes_back_from_parquet_as_it_went_in(table: Table, data: st.DataObject):
    frame = data.draw(rows_of(table))
    file = io.BytesIO()
    frame.write_parquet(file)
    back = pl.read_parquet(io.BytesIO(file.getvalue()))
    assert back.schema == table.schema
    assert back.equals(frame)


@settings(max_examples=FEW)
@given(data=st.data())
def test_a_log_row_comes_back_from_a_book_as_it_went_in(scratch: Book, data: st.DataObject):
    frame = data.draw(rows_of(TRADE_LOG)).with_columns(sequence=pl.int_range(pl.len(), dtype=pl.Int64))
    catalog = scratch._catalog
    catalog.execute("DELETE FROM trade_log")
    with mock.patch.object(bulk, "FILES_FROM", data.draw(st.sampled_from((1, bulk.FILES_FROM)))):
        bulk.insert_rows(catalog, TRADE_LOG, frame)
    assert catalog.frame("SELECT * FROM trade_log ORDER BY sequence").equals(frame)
    catalog.execute("CALL ducklake_flush_inlined_data('lake', table_name => 'trade_log')")
    assert catalog.frame("SELECT * FROM trade_log ORDER BY sequence").equals(frame)


@st.composite
def executions(draw: st.DrawFn) -> dict[str, Any]:
    """A stock execution with every free field drawn, as text."""
    return {
        "account_id": "A",
        "symbol": "XYZ",
        "action": draw(st.sampled_from(["BUY", "SELL", "BUY_TO_OPEN", "SELL_TO_CLOSE"])),
        "executed_at": draw(INSTANTS).isoformat(),
        "quantity": format(draw(trade_quantities()), "f"),
        "price": format(draw(prices()), "f"),
        "commission": draw(FINEST_CHARGES),
        "fees": draw(FINEST_CHARGES),
        "order_id": draw(ids()),
        "broker_order_id": draw(ids()),
        "strategy_id": draw(ids()),
        "reason": draw(WORDS.filter(lambda text: text.strip() == text and text != "")),
        "tags": json.dumps(draw(st.lists(ids(), max_size=3, unique=True))),
    }


TEXTS = ("account_id", "symbol", "action", "order_id", "broker_order_id", "strategy_id", "reason")
NUMBERS = ("quantity", "price", "commission", "fees")


@settings(max_examples=FEW)
@given(rows=st.lists(executions(), min_size=1, max_size=5))
def test_an_execution_is_read_from_a_book_as_it_was_told(book: Book, rows: list[dict[str, Any]]):
    start = book.sequence
    for number, row in enumerate(rows):
        row["trade_id"] = f"T{start}-{number}"
    receipt = book.record(rows)
    assert receipt.accepted == len(rows), receipt.problems
    back = book.sql(f"SELECT * FROM trade_log WHERE sequence > {start} ORDER BY sequence").pl()
    for row, read in zip(rows, back.iter_rows(named=True), strict=True):
        assert [read[name] for name in TEXTS] == [row[name] for name in TEXTS]
        assert [pl.Series([row[name]]).cast(pl.Decimal(38, 12))[0] for name in NUMBERS] == [read[n] for n in NUMBERS]
        assert read["executed_at"] == datetime.fromisoformat(row["executed_at"])
        assert json.loads(read["details"] or "{}").get("tags", []) == json.loads(row["tags"])
        side = -1 if row["action"].startswith("BUY") else 1
        assert read["net_amount"] == side * read["gross_amount"] - read["commission"] - read["fees"]
