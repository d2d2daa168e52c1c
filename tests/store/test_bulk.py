"""Many rows: written as files that the commit takes in, they are what they are as rows of a statement."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tradelake as tl
from tests.books import assert_whole, fill, frame
from tests.store.victim import NOTHING_KEPT
from tradelake.book import parts
from tradelake.errors import StorageError
from tradelake.store import bulk
from tradelake.store.session import METADATA
from tradelake.tables import TRADE_LOG

MONTHS = ("2025-11", "2025-12", "2026-01")


@pytest.fixture
def by_file(monkeypatch):
    """Write files for ten rows, as for twenty thousand."""
    monkeypatch.setattr(bulk, "FILES_FROM", 10)


def fills(count: int, *, first: int = 0) -> list[dict[str, object]]:
    """Return fills of three months in turn."""
    return [
        fill(n, symbol=f"S{n % 4}", executed_at=f"{MONTHS[n % 3]}-{n % 27 + 1:02}T15:00:00Z")
        for n in range(first, first + count)
    ]


def files_of(book: tl.Book, table: str) -> pl.DataFrame:
    """Return the files of a table: their paths, rows and partition values in the order of the keys."""
    return book._catalog.frame(
        f"SELECT f.path, f.record_count AS rows, list(v.partition_value ORDER BY v.partition_key_index) AS said, "
        f"list(v.partition_key_index ORDER BY v.partition_key_index) AS keys FROM {METADATA}.ducklake_data_file f "
        f"JOIN ducklake_table_info('lake') t USING (table_id) LEFT JOIN {METADATA}.ducklake_file_partition_value v "
        f"USING (data_file_id) WHERE t.table_name = '{table}' GROUP BY ALL ORDER BY path"
    )


def test_a_month_is_a_file_and_the_rows_are_those_of_a_statement(book, by_file):
    assert book.record(fills(30)).ok
    found = files_of(book, TRADE_LOG.name) if book._catalog.place.local else None
    # What goes to an object store is inserted.
    assert found is None or found.select("rows", "said", "keys").rows() == [
        (10, ["2025", "11"], [0, 1]),
        (10, ["2025", "12"], [0, 1]),
        (10, ["2026", "1"], [0, 1]),
    ]
    folders = [f"year={month[:4]}/month={int(month[5:])}" for month in MONTHS]
    assert found is None or [path.rpartition("/")[0] for path in found["path"]] == folders
    assert book.record(fills(30)).duplicates == 30
    assert book.record(fills(9, first=30)).accepted == 9
    assert_whole(book, 39)
    assert book.verify().findings == ()
    book.maintain()
    assert_whole(book, 39)
    assert book.verify().findings == ()


def test_a_question_about_a_month_reads_its_file_alone(local_book, by_file):
    book = local_book
    assert book.record(fills(30)).ok
    plan = book._catalog.connection.execute(
        "EXPLAIN ANALYZE SELECT sum(row_check) FROM trade_log WHERE trade_date BETWEEN '2025-12-01' AND '2025-12-31'"
    ).fetchall()
    assert "Total Files Read: 1" in str(plan)


@pytest.mark.parametrize("name", ["a[1]b", "st*r", "x=y", "symbol=S1", "it's"])
def test_a_folder_may_have_any_name(tmp_path, by_file, monkeypatch, name):
    monkeypatch.setattr(parts, "PART_EVENTS", 12)
    with tl.create(tmp_path / name) as book:
        book.add_accounts([{"account_id": "GEN-1"}])
        assert book.record(fills(30)).ok
        assert book.rebuild().rows == book.rebuild(check=True).rows
        assert_whole(book, 30)
        assert book.verify().findings == ()
        assert set(frame(book.trades())["symbol"]) == {"S0", "S1", "S2", "S3"}


def test_a_file_that_cannot_be_written_leaves_the_book_as_it_was(local_book, by_file, monkeypatch):
    assert local_book.record(fills(3)).ok
    written = pl.DataFrame.write_parquet

    def fail(rows: pl.DataFrame, path: str, **options: Any) -> None:
        if "month=12" in str(path):
            raise OSError(28, "No space left on device")
        written(rows, path, **options)

    monkeypatch.setattr(pl.DataFrame, "write_parquet", fail)
    with pytest.raises(StorageError, match="No space left on device"):
        local_book.record(fills(30, first=3))
    monkeypatch.undo()
    assert_whole(local_book, 3)
    # What was written of the other months belongs to no commit.
    assert local_book.maintain(upkeep=NOTHING_KEPT).orphans_removed == 2
    assert local_book.record(fills(33)).accepted == 30
    assert_whole(local_book, 33)


def test_long_files_that_are_more_wait_for_the_last_with_what_follows_from_them(tmp_path, local_book, monkeypatch):
    monkeypatch.setattr(parts, "PART_EVENTS", 10)
    monkeypatch.setattr("tradelake.book.deriving.FOLD_AFTER", 5)
    names = []
    for number in range(3):
        names.append(Path(tmp_path / f"{number}.parquet"))
        pl.DataFrame(fills(20, first=20 * number)).write_parquet(names[-1])
    reached = []
    for name in names:
        assert local_book.ingest("executions", name, more=name != names[-1]).accepted == 20
        reached.append(local_book._standing().checkpoint.sequence)
    assert reached == [0, 0, 60]
    assert_whole(local_book, 60)
