"""The derived tables of a past moment as files: those that readers give, of a book of any size."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import tradelake as tl
from tests.books import fill
from tests.laws.books import BOOKS, empty_book
from tests.reference.fuzz import Gen
from tradelake.book import parts
from tradelake.errors import InputError
from tradelake.jobs.scenario import executions, feed
from tradelake.tables import LOTS, MATCHES, POSITION_HISTORY, POSITIONS, Table

READERS = {POSITIONS: "positions", LOTS: "lots", MATCHES: "matches", POSITION_HISTORY: "history"}


def written(folder, table: Table) -> pl.DataFrame:
    """Return the rows of a table in a folder."""
    files = sorted((folder / table.name).glob("*.parquet"))
    rows = pl.concat([pl.read_parquet(file) for file in files]) if files else table.empty()
    return rows.cast({name: table.schema[name] for name in rows.columns}).sort(*table.sort, *table.key)


@settings(max_examples=BOOKS - 1)
@given(seed=st.integers(0, 10**9), moment=st.integers(0, 40), most=st.sampled_from([5, 1000]), known=st.booleans())
def test_what_is_written_of_a_past_moment_is_what_readers_say(tmp_path_factory, seed, moment, most, known):
    scenario = Gen(seed, 40, "full", 0.0).run()
    with empty_book() as book, pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "PART_EVENTS", most)
        feed(book, {**scenario, "events": []})
        told = executions(scenario["events"])
        book.record(told[:25])
        learnt = book.sql("SELECT recorded_at FROM head").fetchall()[0][0]
        book.record(told[25:])
        book.fold()
        when = {"as_of": book.trades()["executed_at"].sort()[min(moment, book.trades().height - 1)]}
        if known:
            when |= {"as_known": learnt}
        folder = tmp_path_factory.mktemp("past") / "new"
        report = book.export_past(folder, **when)
        for table, reader in READERS.items():
            there = written(folder, table)
            assert report.rows[table.name] == there.height
            asked = getattr(book, reader)(**when).select(table.names).sort(*table.sort, *table.key)
            assert_frame_equal(there, asked, check_exact=True)


def test_a_folder_with_something_in_it_is_left_alone(local_book, tmp_path):
    local_book.record(fill(1))
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="is there and not an empty folder"):
        local_book.export_past(tmp_path, as_of="2026-02-01")
    assert [file.name for file in tmp_path.iterdir() if file.is_file()] == ["mine.txt"]


def test_a_book_that_one_process_can_open_says_so(tmp_path):
    with tl.create(f"duckdb:{tmp_path}/one") as book, pytest.raises(InputError, match="one process only"):
        book.export_past(tmp_path / "new", as_of="2026-02-01")
