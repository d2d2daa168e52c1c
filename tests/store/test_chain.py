"""The hash chain: every commit is bound to the ones before it, and a row that was touched can be named."""

from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest

import tradelake as tl
from tests.books import fill, frame
from tradelake.store.chain import GENESIS, link, row_digests
from tradelake.tables import TRADE_LOG

ALL_KINDS = ("trade", "cash", "expire")


def told(book: tl.Book) -> None:
    """Record in several commits: trades, an option, cash, a rejected row, a commit without events."""
    option = {"asset_type": "OPTION", "strike": "50", "expiration": "2026-02-20", "option_type": "PUT"}
    book.record([fill(1), fill(2, "-3.25", reason="Übernahme")])
    book.record([fill(3, **option, delta="-0.25", tags='["combo"]'), fill(4, quantity="0")])
    book.fold()
    book.add_accounts([{"account_id": "REV-1"}])
    cash = {"kind": "cash", "account_id": "GEN-1", "amount": "-12.5", "cash_category": "fee"}
    expiry = fill(3, **option, trade_id="E3", kind="expire", executed_at="2026-02-20T21:00:00Z")
    for name in ("action", "quantity", "price", "commission", "broker_execution_id"):
        del expiry[name]
    book.record([cash | {"executed_at": "2026-01-05T12:00:00.000001Z"}, expiry])


def log_of(book: tl.Book) -> pl.DataFrame:
    """Return the log, in order."""
    return TRADE_LOG.conform(frame(book.trades(kinds=ALL_KINDS))).sort("sequence")


def test_every_commit_recomputes_from_its_rows(book):
    told(book)
    rows, runs = log_of(book), book.runs()
    assert rows.height == 5
    assert runs["accepted"].to_list() == [0, 2, 1, 0, 2]
    assert runs["import_run_id"].to_list() == [1, 2, 3, 4, 5]
    chain = GENESIS
    for run in runs.iter_rows(named=True):
        assert run["previous_hash"] == chain
        mine = rows.filter(pl.col("import_run_id") == run["import_run_id"])
        assert mine.height == run["accepted"]
        assert run["first_sequence"] == mine["sequence"].min()
        chain = link(chain, row_digests(mine))
        assert run["chain_hash"] == chain
    (head,) = book.sql("SELECT sequence, chain_hash, source_record_id FROM head").fetchall()
    assert head == (5, chain, book.source_records().height)


def test_the_chain_is_the_same_from_parquet_as_from_the_catalog(local_book, tmp_path):
    rows = [fill(n, quantity=f"{n}.5", price=f"{n}.123456789012") for n in range(1501, 2601)]
    local_book.record(rows)
    local_book.record(fill(1))
    assert list(tmp_path.rglob("data/main/trade_log/**/*.parquet"))
    log = log_of(local_book)
    chain = GENESIS
    for run in local_book.runs()["import_run_id"]:
        chain = link(chain, row_digests(log.filter(pl.col("import_run_id") == run)))
    assert local_book.runs()["chain_hash"].to_list()[-1] == chain


def changed(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return the rows with another value of *column* in the second one."""
    value, other = rows[column][1], "changed"
    kinds = {pl.Date: rows["trade_date"][0], pl.Decimal: Decimal(1), pl.Int64: 1}
    if rows.schema[column] != pl.String:
        step = timedelta(days=1) if rows.schema[column].is_temporal() else 1
        other = kinds[rows.schema[column].base_type()] if value is None else value + step
    touched = pl.Series(column, [other], dtype=rows.schema[column])
    return pl.concat([rows[:1], rows[1:2].with_columns(touched), rows[2:]])


@pytest.fixture(scope="module")
def log(patterns, tmp_path_factory) -> pl.DataFrame:
    """The log of a book."""
    with patterns.copy("sqlite", tmp_path_factory.mktemp("chain") / "book").open() as made:
        told(made)
        return log_of(made)


@pytest.mark.parametrize("column", [name for name in TRADE_LOG.names if name != "row_check"])
def test_a_change_of_any_column_names_the_row(log, column):
    digests = row_digests(changed(log, column))
    touched = [
        n for n, (digest, told) in enumerate(zip(digests, log["row_check"], strict=True)) if digest.hex()[:16] != told
    ]
    assert touched == [1]
    assert link(GENESIS, digests) != link(GENESIS, row_digests(log))


def test_leaving_out_and_swapping_rows_break_the_chain(log):
    whole = row_digests(log)
    for other in (whole[1:], whole[:-1], [*whole[:2], whole[3], whole[2], whole[4]], [*whole, whole[-1]]):
        assert link(GENESIS, other) != link(GENESIS, whole)
    assert link("0" * 63 + "1", whole) != link(GENESIS, whole)


def test_nothing_and_empty_text_and_a_moved_letter_are_not_the_same(log):
    row = log[:1]
    forms = [
        row.with_columns(order_id=pl.lit(one, pl.String), broker_order_id=pl.lit(two, pl.String))
        for one, two in ((None, None), ("", None), (None, ""), ("AB", "C"), ("A", "BC"), ("ABC", None))
    ]
    assert len({row_digests(form)[0] for form in forms}) == len(forms)
