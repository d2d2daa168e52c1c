"""Whatever is changed, left out or put in behind our back is found, and the first row of it is named."""

import shutil

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.books import fill
from tradelake.store import verify_runs
from tradelake.store.canonical import CHECK
from tradelake.store.chain import leaves_of
from tradelake.tables import ACCOUNTS, CHAINED_TABLES, HEAD, TRADE_LOG, Table

TABLES = pytest.mark.parametrize("table", CHAINED_TABLES, ids=lambda table: table.name)
OTHER = {"text": "'other'", "json": "'[1]'", "integer": "77", "boolean": "1"}


def last_value(table: Table) -> tuple[str, str]:
    """Return the last column of a table that is no key and no check value, and an SQL value for it."""
    free = [c for c in table.columns if c.name not in (*table.key, CHECK, "import_run_id", "chain_hash")]
    column = next(c for c in reversed(free) if c.type in OTHER)
    return column.name, OTHER[column.type]


def test_the_book_is_clean_before_it_is_touched(inlined, written):
    assert inlined.found(deep=True) == []
    assert written.found(deep=True) == []
    for table in CHAINED_TABLES:
        assert written.files(table.name), table.name


@TABLES
def test_a_value_changed_inside_the_catalog_names_the_row(inlined, table):
    rows, (name, value) = inlined.inlined_rows(table), last_value(table)
    with inlined.catalog() as catalog:
        (row_id,) = catalog.execute(f"SELECT row_id FROM {rows} WHERE end_snapshot IS NULL ORDER BY 1 DESC").fetchone()
        key = catalog.execute(f"SELECT {', '.join(table.key)} FROM {rows} WHERE row_id = ?", [row_id]).fetchone()
        catalog.execute(f"UPDATE {rows} SET {name} = {value} WHERE row_id = ?", [row_id])
    named = [
        (where, found_key) for _, where, found_key, what in inlined.found() if what == "it is not what was recorded"
    ]
    assert [where for where, _ in named] == [table.name]
    assert named[0][1].split(", ")[-1] == str(key[-1])


@TABLES
def test_a_row_left_out_of_the_catalog_is_found(inlined, table):
    rows = inlined.inlined_rows(table)
    with inlined.catalog() as catalog:
        commit, row_id = catalog.execute(f"SELECT import_run_id, max(row_id) FROM {rows}").fetchone()
        catalog.execute(f"DELETE FROM {rows} WHERE row_id = ?", [row_id])
    assert commit in [found for found, *_ in inlined.found()]


@TABLES
def test_a_row_put_into_the_catalog_is_found(inlined, table):
    rows = inlined.inlined_rows(table)
    with inlined.catalog() as catalog:
        names = ", ".join(name for (_, name, *_) in catalog.execute(f"PRAGMA table_info({rows})") if name != "row_id")
        commit = catalog.execute(f"SELECT import_run_id FROM {rows} ORDER BY row_id DESC").fetchone()[0]
        catalog.execute(
            f"INSERT INTO {rows} (row_id, {names}) "
            f"SELECT row_id + 1000, {names} FROM {rows} ORDER BY row_id DESC LIMIT 1"
        )
    found = inlined.found()
    assert (commit, table.name) in [(number, where) for number, where, *_ in found]
    assert "it is there more than once" in [what for *_, what in found]


@pytest.mark.parametrize("table", [TRADE_LOG, ACCOUNTS], ids=lambda table: table.name)
def test_a_file_written_again_with_one_other_value_is_found(written, table):
    file = written.files(table.name)[-1]
    rewrite(file, last_value(table))
    found = written.found()
    assert ("the file is not the one that was written: its SHA-256 differs") in [
        what for _, where, _, what in found if where == table.name
    ]


@TABLES
def test_a_forger_who_adjusts_the_catalog_as_well_still_leaves_the_row(written, table):
    file = written.files(table.name)[-1]
    rewrite(file, last_value(table))
    size = file.stat().st_size
    footer = int.from_bytes(file.read_bytes()[-8:-4], "little")
    with written.catalog() as catalog:
        name = catalog.execute("SELECT path FROM ducklake_data_file WHERE path LIKE ?", [f"%{file.name}"]).fetchone()[0]
        catalog.execute(
            "UPDATE ducklake_data_file SET file_size_bytes = ?, footer_size = ? WHERE path = ?", [size, footer, name]
        )
        forget_digests(written, catalog)
    found = written.found()
    touched = [where for _, where, _, what in found if what == "it is not what was recorded"]
    assert set(touched) == {table.name}


def rewrite(file, change: tuple[str, str]) -> None:
    """Write a Parquet file again with another value in its rows, one of them."""
    name, value = change
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE kept AS SELECT * FROM read_parquet('{file}')")
        fields = connection.execute(f"SELECT name, field_id FROM parquet_schema('{file}') WHERE field_id IS NOT NULL")
        ids = ", ".join(f'"{field}": {number}' for field, number in fields.fetchall())
        connection.execute(f"UPDATE kept SET {name} = {value} WHERE rowid = 0")
        connection.execute(f"COPY kept TO '{file}' (FORMAT parquet, FIELD_IDS {{{ids}}})")


def forget_digests(book, catalog) -> None:
    """Leave no digest of any file."""
    (rows,) = catalog.execute(
        "SELECT i.table_name FROM ducklake_inlined_data_tables i JOIN ducklake_table t USING (table_id) "
        "WHERE t.table_name = 'file_digests'"
    ).fetchone()
    catalog.execute(f"DELETE FROM {rows}")


@settings(
    max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.floats(0, 1, exclude_max=True), which=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_one_bit_in_any_file_is_found(flushed, place, which, bit):
    file = flushed.files()[which % len(flushed.files())]
    whole = file.read_bytes()
    offset = int(place * len(whole))
    file.write_bytes(whole[:offset] + bytes([whole[offset] ^ 1 << bit]) + whole[offset + 1 :])
    try:
        findings = flushed.found()
    finally:
        file.write_bytes(whole)
    assert file.name in " ".join(key for _, _, key, _ in findings)


def test_a_file_that_is_cut_or_missing_is_found(written):
    (cut, *_), (gone, *_) = written.files("trade_log"), written.files("matches")
    cut.write_bytes(cut.read_bytes()[:-100])
    gone.unlink()
    found = {(where, what.partition(" ")[0]) for _, where, _, what in written.found()}
    assert ("trade_log", "the") in found
    assert any("missing" in what for _, where, _, what in written.found() if where == "matches")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ducklake_file_column_stats SET max_value = '1' WHERE column_id = 1",
        "UPDATE ducklake_file_column_stats SET null_count = null_count + 1",
        "UPDATE ducklake_data_file SET record_count = record_count + 1",
        "UPDATE ducklake_data_file SET file_size_bytes = file_size_bytes + 1",
        "UPDATE ducklake_file_partition_value SET partition_value = '2020' WHERE partition_key_index = 0",
        "UPDATE ducklake_column SET column_type = 'varchar' WHERE column_type = 'int64'",
    ],
)
@pytest.mark.parametrize("noted", [True, False], ids=["noted", "not noted"])
def test_a_value_of_the_catalog_about_a_file_is_found(written, statement, noted):
    with written.catalog() as catalog:
        if not noted:
            forget_digests(written, catalog)
        catalog.execute(statement)
    assert written.found()


@pytest.mark.parametrize("column", HEAD.names)
def test_a_head_that_was_moved_is_found(inlined, column):
    rows = inlined.inlined_rows(HEAD)
    with inlined.catalog() as catalog:
        value = "'2020-01-01 00:00:00+00'" if column == "recorded_at" else "'3'"
        catalog.execute(f"UPDATE {rows} SET {column} = {value} WHERE end_snapshot IS NULL")
    assert ("head", column) in [(where, key) for _, where, key, _ in inlined.found()]


@pytest.mark.parametrize("name", ["book_id", "created_at", "data", "format_version"])
def test_a_setting_that_was_left_out_or_changed_is_found(inlined, name):
    (rows,) = [table for table, columns in inlined_tables(inlined) if {"name", "value"} <= columns]
    with inlined.catalog() as catalog:
        if name in ("book_id", "created_at"):
            catalog.execute(f"UPDATE {rows} SET value = '2020-01-01T00:00:00+00:00' WHERE name = ?", [name])
        elif name == "data":
            catalog.execute(f"DELETE FROM {rows} WHERE name = ?", [name])
        else:
            catalog.execute(f"INSERT INTO {rows} SELECT * FROM {rows} WHERE name = ?", [name])
    assert inlined.found()


def inlined_tables(book) -> list[tuple[str, set[str]]]:
    """Return the catalog's tables of inlined rows with their columns."""
    with book.catalog() as catalog:
        names = [name for (name,) in catalog.execute("SELECT table_name FROM ducklake_inlined_data_tables")]
        return [(name, {row[1] for row in catalog.execute(f"PRAGMA table_info({name})")}) for name in names]


def test_a_checkpoint_beyond_the_log_is_found(written):
    with written.open() as book:
        book._catalog.execute("UPDATE checkpoint SET sequence = 1000")
    assert ("checkpoint", "sequence") in [(where, key) for _, where, key, _ in written.found()]


def test_a_derived_row_that_was_changed_is_found_by_a_deep_verification(written):
    with written.open() as book:
        book._catalog.execute("UPDATE lots SET cost_basis = cost_basis + 0.000000000001 WHERE open_trade_id = 'T3'")
        book._catalog.sync()
    assert written.found() == []
    [(commit, where, key, what)] = written.found(deep=True)
    assert (commit, where, what) == (None, "lots", "1 rows are different")
    assert "T3" in key


def test_a_tail_written_again_is_found_by_the_anchor(inlined, tmp_path):
    forged = inlined.copy(tmp_path / "forged")
    anchor = tmp_path / "anchor.json"
    with inlined.open() as book:
        book.record(fill(50))
        told = book.export_head(anchor)
        book.record(fill(51))
    with forged.open() as book:
        book.record(fill(50, price="1.5"))
        book.record(fill(51))
    assert inlined.found(anchor=anchor) == []
    assert forged.found() == []
    found = forged.found(anchor=anchor)
    assert found
    assert {(number, where) for number, where, *_ in found} == {(told.import_run_id, "import_runs")}
    assert "chain_hash" in found[0][3]


def test_a_last_commit_left_out_is_found_by_the_anchor(inlined, tmp_path):
    before, anchor = inlined.copy(tmp_path / "before"), tmp_path / "anchor.json"
    with inlined.open() as book:
        book.record(fill(50))
        told = book.export_head(anchor)
    assert before.found() == []
    assert [number for number, *_ in before.found(anchor=anchor)] == [told.import_run_id]


def test_a_file_without_a_note_is_noted_by_the_next_writer(written):
    with written.catalog() as catalog:
        forget_digests(written, catalog)
    assert written.found() == []
    with written.open() as book:
        book.record([fill(n) for n in range(2000, 3100)])
        count = len(book._catalog.frame("SELECT * FROM file_digests"))
        assert book.verify().files <= count
    file = written.files(TRADE_LOG.name)[0]
    shutil.copy(file, file.with_suffix(".kept"))
    file.write_bytes(file.read_bytes().replace(b"DuckDB", b"DuckDC"))
    assert file.name in " ".join(key for _, _, key, _ in written.found())


def test_months_may_be_proven_by_their_leaves_alone(written):
    with written.open() as book:
        january = "trade_date BETWEEN DATE '2026-01-01' AND DATE '2026-01-31'"
        rows = book._catalog.frame(f"SELECT * FROM trade_log WHERE {january}")
        leaves = leaves_of(rows, TRADE_LOG)
        assert leaves["month"].unique().to_list() == ["2026-01"]
        book._catalog.execute(f"DELETE FROM trade_log WHERE {january}")
        assert verify_runs(book._catalog).problems
        assert verify_runs(book._catalog, given=leaves).problems == ()
        wrong = leaves.with_columns(pl.lit(b"0" * 32).alias("digest"))
        assert verify_runs(book._catalog, given=wrong).problems
