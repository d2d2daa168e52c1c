"""The SQL door: every table of the book at its head, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import tradelake as tl
from tests.books import Patterns, fill, frame
from tradelake.errors import InputError, ReadOnlyError
from tradelake.tables import TABLES


@pytest.fixture(scope="module")
def half_folded(patterns: Patterns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tl.Book]:
    """A book with a checkpoint and a tail: the position of ACME is carried on, that of LATE replayed."""
    with patterns.copy("sqlite", tmp_path_factory.mktemp("sql") / "book").open() as made:
        made.record([fill(1), fill(2, "5", symbol="LATE"), fill(3, "-4"), fill(4, "-7", symbol="DONE")])
        made.fold()
        made.record([fill(5, "-3"), fill(0, "1", symbol="LATE"), fill(6, "7", symbol="DONE"), fill(7, symbol="NEW")])
        made.record({"kind": "cash", "account_id": "GEN-1", "amount": "100", "cash_category": "deposit"} | fill_time(8))
        yield made


def fill_time(number: int) -> dict[str, object]:
    """Return the effective time of a fill."""
    return {"executed_at": fill(number)["executed_at"]}


@pytest.mark.parametrize("table", [table.name for table in TABLES])
def test_every_table_can_be_read(half_folded, table):
    assert half_folded.sql(f"SELECT * FROM {table}").columns


@pytest.mark.parametrize(
    ("table", "reader"),
    [
        ("positions", "positions"),
        ("lots", "lots"),
        ("matches", "matches"),
        ("history", "history"),
        ("position_history", "history"),
        ("refusals", "refusals"),
        ("accounts", "accounts"),
        ("instruments", "instruments"),
        ("strategies", "strategies"),
        ("import_runs", "runs"),
        ("source_records", "source_records"),
    ],
)
def test_a_table_says_what_its_reader_says_though_the_tail_is_not_folded(half_folded, table, reader):
    told = frame(getattr(half_folded, reader)())
    read = half_folded.sql(f"SELECT * FROM {table}").pl()
    assert_frame_equal(read, told.select(read.columns), check_exact=True, check_row_order=False)


def test_trades_are_the_log_without_cash(half_folded):
    read = half_folded.sql("SELECT * FROM trades ORDER BY executed_at, sequence").pl()
    told = frame(half_folded.trades())
    assert_frame_equal(read, told.select(read.columns), check_exact=True)
    assert half_folded.sql("SELECT count(*) FROM trade_log").fetchone() == (9,)


def test_a_query_leaves_the_readers_and_the_fold_as_they_were(local_book):
    local_book.record(fill(1))
    local_book.fold()
    local_book.record(fill(2, "-3"))
    for _ in range(2):
        assert local_book.sql("SELECT count(*) FROM matches").fetchone() == (1,)
        assert frame(local_book.matches()).height == 1
    with pytest.raises(InputError, match="cannot be run"):
        local_book.sql("SELECT CAST(symbol AS INTEGER) FROM positions")
    local_book.record(fill(3, "-1"))
    assert frame(local_book.positions())["quantity"].to_list() == [6]
    local_book.fold()
    assert local_book.sql("SELECT quantity FROM positions").fetchall() == [(6,)]
    assert local_book.rebuild(check=True).identical


def test_a_result_stays_what_it_was_whatever_is_written_later(local_book):
    local_book.record([fill(1), fill(2, "-3")])
    result = local_book.sql("SELECT quantity FROM matches")
    local_book.fold()
    local_book.record(fill(3, "-2"))
    local_book.sql("SELECT 1")
    assert result.fetchall() == result.pl().rows() == [(3,)]
    assert result.aggregate("count(*)").fetchone() == (1,)


@pytest.mark.parametrize(
    "query",
    [
        "WITH a AS (SELECT * FROM trades), b AS (SELECT symbol FROM a) SELECT count(*) FROM b",
        "WITH trades AS (SELECT 9 AS n) SELECT n FROM trades",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT max(n) FROM r",
        "SELECT (SELECT count(*) FROM trades t WHERE t.symbol = p.symbol) FROM positions p",
        "SELECT * FROM TRADES JOIN accounts USING (account_id)",
        "SELECT * FROM trades, LATERAL (SELECT price * 2)",
        "SELECT * FROM trades PIVOT (sum(quantity) FOR symbol IN ('ACME', 'LATE'))",
        "SELECT unnest([1, 2]), * FROM range(3)",
        "FROM trades SELECT symbol, sum(quantity) OVER (PARTITION BY symbol) QUALIFY row_number() OVER () = 1",
        "SELECT sum(quantity) FROM trades UNION ALL SELECT 1",
        "DESCRIBE trades",
        "SUMMARIZE positions",
        "VALUES (1)",
        "TABLE trades",
    ],
)
def test_a_select_of_any_shape_is_answered(half_folded, query):
    assert half_folded.sql(query).pl().height


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO trade_log SELECT * FROM trade_log",
        "UPDATE trade_log SET price = 1",
        "DELETE FROM trade_log",
        "TRUNCATE trade_log",
        "MERGE INTO head USING (SELECT 1 AS sequence) s USING (sequence) WHEN MATCHED THEN DELETE",
        "CREATE TABLE a AS SELECT 1",
        "CREATE OR REPLACE TEMP VIEW positions AS SELECT 1",
        "DROP TABLE trade_log",
        "ALTER TABLE trade_log ADD COLUMN a INTEGER",
        "COPY trades TO 'out.csv'",
        "COPY (SELECT 1) TO 'out.csv'",
        "COPY trade_log FROM 'given.csv'",
        "EXPORT DATABASE 'out'",
        "ATTACH 'given.csv' AS other",
        "DETACH lake",
        "USE memory",
        "PRAGMA database_list",
        "CALL lake.set_option('data_inlining_row_limit', 1)",
        "CALL ducklake_expire_snapshots('lake', older_than => now())",
        "SET threads = 3",
        "LOAD json",
        "INSTALL httpfs",
        "BEGIN",
        "COMMIT",
        "CHECKPOINT",
        "EXPLAIN ANALYZE DELETE FROM head",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE trade_log",
    ],
)
def test_what_is_no_select_is_refused_and_changes_nothing(half_folded, query, in_folder_with_a_file):
    version = half_folded.version
    with pytest.raises(ReadOnlyError, match=r"book\.sql (reads only|runs one SELECT)"):
        half_folded.sql(query)
    assert half_folded.version == version
    assert sorted(path.name for path in in_folder_with_a_file.iterdir()) == ["given.csv"]


@pytest.fixture
def in_folder_with_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with one CSV file in it."""
    folder = tmp_path / "here"
    folder.mkdir()
    pl.DataFrame({"secret": [1]}).write_csv(folder / "given.csv")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM 'given.csv'",
        'SELECT * FROM "given.csv"',
        "FROM 'given.csv'",
        "TABLE 'given.csv'",
        "SUMMARIZE 'given.csv'",
        "DESCRIBE 'given.csv'",
        "SELECT (SELECT count(*) FROM 'given.csv')",
        "SELECT 1 WHERE 1 IN (FROM 'given.csv')",
        "SELECT * FROM trades, LATERAL (SELECT * FROM 'given.csv')",
        "SELECT list_transform([1], x -> (SELECT count(*) FROM 'given.csv'))",
        'WITH "given.csv" AS (SELECT * FROM "given.csv") SELECT * FROM "given.csv"',
        'WITH RECURSIVE "given.csv" AS (SELECT * FROM "given.csv") SELECT * FROM "given.csv"',
        'WITH RECURSIVE "given.csv" AS (FROM "given.csv" UNION FROM "given.csv") SELECT * FROM "given.csv"',
        'WITH a AS (SELECT * FROM "given.csv"), "given.csv" AS (SELECT 1) SELECT * FROM a',
        'SELECT * FROM (WITH "given.csv" AS (SELECT 1) SELECT * FROM "given.csv"), "given.csv"',
        "SELECT * FROM read_csv('given.csv')",
        "SELECT * FROM read_csv_auto('given.csv')",
        "SELECT * FROM READ_CSV('given.csv')",
        "SELECT * FROM read_parquet('given.csv')",
        "SELECT * FROM parquet_metadata('given.csv')",
        "SELECT * FROM read_json('given.csv')",
        "SELECT * FROM read_text('given.csv')",
        "SELECT * FROM read_blob('given.csv')",
        "SELECT * FROM glob('*')",
        "SELECT * FROM sniff_csv('given.csv')",
        "SELECT * FROM histogram('given.csv', secret)",
        "SELECT * FROM sqlite_scan('catalog.sqlite', 'ducklake_table')",
        "SELECT * FROM postgres_query('lake', 'SELECT 1')",
        "SELECT * FROM query('SELECT 1')",
        "SELECT * FROM query_table('given.csv')",
        "SELECT * FROM json_execute_serialized_sql('{}')",
        "SELECT * FROM ducklake_snapshots('lake')",
        "SELECT * FROM duckdb_settings()",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM duckdb_tables",
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM pg_catalog.pg_class",
        "SELECT * FROM pg_class",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM lake.main.trade_log",
        "SELECT * FROM __ducklake_metadata_lake.main.ducklake_table",
        "SELECT * FROM temp.main.positions_tail",
        "SELECT * FROM positions_tail",
        "SHOW TABLES",
        "SHOW ALL TABLES",
        "SHOW DATABASES",
        "SELECT getenv('HOME')",
        "SELECT current_setting('temp_directory')",
        "SELECT getvariable('a')",
        "SELECT nextval('a')",
        "SELECT write_log('a')",
        "SELECT * FROM nothing",
    ],
)
def test_what_is_outside_the_book_is_refused(half_folded, query, in_folder_with_a_file):
    with pytest.raises(ReadOnlyError, match=r"^book\.sql reads the book only: "):
        half_folded.sql(query).fetchall()


@pytest.mark.parametrize(
    "query", ["", "SELEC 1", "SELECT", "SELECT nocolumn FROM trades", "SELECT ?", "SELECT 'a'::INT"]
)
def test_a_query_that_is_no_sql_or_fails_is_an_error_of_the_input(half_folded, query):
    with pytest.raises(InputError, match="The query "):
        half_folded.sql(query)
