"""The hash chain: every commit is bound to the ones before it, and a row that was touched can be named."""

from hashlib import sha256

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tradelake as tl
from tests.books import fill, frame
from tests.strategies import column_values
from tests.tables.rows import valid_row
from tradelake.store import verify_runs
from tradelake.store.canonical import CHECK, LINK, text_bytes, text_of_row
from tradelake.store.chain import RUN, _sealed_few, _sealed_many, genesis, leaves_of, link, sealed
from tradelake.tables import CHAINED_TABLES, POLARS_TYPES, TRADE_LOG, Column, Table

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


def test_every_commit_recomputes_from_the_rows_of_all_tables(book):
    told(book)
    rows, runs = log_of(book), book.runs()
    assert rows.height == 5
    assert runs["accepted"].to_list() == [0, 2, 1, 0, 2]
    assert runs["import_run_id"].to_list() == [1, 2, 3, 4, 5]
    settings = dict(book.sql("SELECT name, value FROM book_settings").fetchall())
    chain = genesis(settings["book_id"], settings["created_at"])
    tables = {table: table.conform(book.sql(f"SELECT * FROM {table.name}").pl()) for table in CHAINED_TABLES}
    for run in runs.iter_rows(named=True):
        assert run["previous_hash"] == chain
        brought = {table: rows.filter(pl.col(RUN) == run[RUN]) for table, rows in tables.items()}
        leaves = [leaf for table, rows in brought.items() for leaf in leaves_of(rows, table).drop(RUN).rows()]
        assert brought[TRADE_LOG].height == run["accepted"]
        chain = link(chain, leaves)
        assert run["chain_hash"] == chain
    (head,) = book.sql("SELECT sequence, chain_hash, source_record_id FROM head").fetchall()
    assert head == (5, chain, book.source_records().height)
    assert book.verify(deep=True).problems == ()


@pytest.mark.parametrize("place", ["sqlite", "duckdb"], indirect=True)
def test_an_honest_book_is_clean_in_files_and_in_the_catalog(book):
    rows = [fill(n, quantity=f"{n}.5", price=f"{n}.123456789012") for n in range(1501, 2601)]
    book.record(rows)
    book.maintain()
    for number in range(3):
        book.record(fill(number))
        assert book.verify().problems == ()
    book.fold()
    book.maintain()
    verified = book.verify(deep=True)
    assert verified.problems == ()
    assert (verified.runs, verified.files > 5) == (5, True)


def test_a_commit_of_many_rows_and_commits_of_one_row_are_verified_alike(local_book):
    catalog = local_book._catalog
    local_book.record([fill(n) for n in range(1, 1200)])
    for number in range(3):
        local_book.record(fill(2000 + number))
    everything = verify_runs(catalog)
    assert everything.problems == ()
    last = verify_runs(catalog, after=2)
    assert (last.problems, last.runs, last.rows) == ((), 3, 9)
    nothing = verify_runs(catalog, after=5)
    assert (nothing.problems, nothing.runs, nothing.rows) == ((), 0, 0)


def other_value(column: Column, value: object) -> object:
    """Return another value of a column."""
    wanted = pl.Series([value], dtype=POLARS_TYPES[column.type])
    if wanted.dtype == pl.String:
        return f"{value}x"
    if wanted.dtype == pl.Boolean:
        return not value
    step = pl.duration(days=1) if wanted.dtype.is_temporal() else 1
    return pl.select(pl.lit(wanted) + step).item()


COLUMNS = [(t, c) for t in CHAINED_TABLES for c in t.columns if c.name not in (CHECK, LINK)]


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=lambda part: part.name)
def test_a_change_of_any_column_of_any_table_names_the_row(table, column):
    rows = pl.DataFrame([valid_row(table)] * 3, schema=table.schema)
    key = table.key[-1]
    numbered = [other_value(next(c for c in table.columns if c.name == key), rows[key][0]), rows[key][1], rows[key][2]]
    rows = rows.with_columns(pl.Series(key, numbered, dtype=rows.schema[key]))
    value = other_value(column, rows[column.name][1])
    changed = rows.with_columns(
        pl.Series(column.name, [rows[column.name][0], value, rows[column.name][2]], dtype=rows.schema[column.name])
    )
    differs = sealed(rows, table).checks != sealed(changed, table).checks
    assert differs.tolist() == [False, True, False]
    assert not leaves_of(rows, table).equals(leaves_of(changed, table))


def test_leaving_out_swapping_and_repeating_leaves_break_the_chain():
    leaves = [(table.name, "", 1, sha256(table.name.encode()).digest()) for table in CHAINED_TABLES[:4]]
    first = "0" * 64
    for other in (leaves[1:], leaves[:-1], [leaves[1], leaves[0], *leaves[2:]], [*leaves, leaves[-1]]):
        assert link(first, other) != link(first, leaves)
    assert link("0" * 63 + "1", leaves) != link(first, leaves)


@given(st.lists(st.text(alphabet="\x00\x1b\x1e\x1fab", max_size=4) | st.none(), min_size=2, max_size=2), st.data())
def test_two_rows_that_differ_never_have_the_same_text(one, data):
    two = data.draw(st.lists(st.text(alphabet="\x00\x1b\x1e\x1fab", max_size=4) | st.none(), min_size=2, max_size=2))
    forms = [
        pl.DataFrame([valid_row(TRADE_LOG) | {"order_id": a, "broker_order_id": b}], schema=TRADE_LOG.schema)
        for a, b in (one, two)
    ]
    texts = [bytes(text_bytes(form, TRADE_LOG)[0]) for form in forms]
    assert (texts[0] == texts[1]) == (one == two)


@pytest.mark.parametrize("table", CHAINED_TABLES, ids=lambda table: table.name)
@given(st.data())
def test_a_few_rows_and_many_have_the_same_texts_and_leaves(table: Table, data):
    row = st.fixed_dictionaries({c.name: column_values(c) for c in table.columns})
    rows = pl.DataFrame(
        data.draw(st.lists(row, min_size=1, max_size=3, unique_by=lambda r: tuple(r[k] for k in table.key))),
        schema=table.schema,
    )
    text, offsets = text_bytes(rows, table)
    assert bytes(text) == b"".join(text_of_row(each, table) for each in rows.iter_rows(named=True))
    assert offsets[-1] == len(text)
    few, many = _sealed_few(rows, table), _sealed_many(rows, table)
    assert few.frame().equals(many.frame())
    assert few.checks.tolist() == many.checks.tolist()


def test_months_of_one_commit_are_leaves_of_their_own(local_book):
    local_book.record(
        [fill(1), fill(2, executed_at="2026-03-05T15:00:00Z"), fill(3, executed_at="2026-02-05T15:00:00Z")]
    )
    leaves = leaves_of(local_book.sql("SELECT * FROM trade_log").pl(), TRADE_LOG)
    assert leaves["month"].to_list() == ["2025-12", "2026-02", "2026-03"]
    records = local_book.source_records()
    assert records["record_date"].dt.month().to_list() == [12, 3, 2]
    assert local_book.verify().clean
