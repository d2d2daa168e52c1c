"""Maintenance: nothing that is read changes, for nobody, and what is no longer needed goes."""

import os
from contextlib import ExitStack
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tradelake as tl
from tests.books import SHARED, DataFiles, assert_same_book, assert_whole, catalog_rows
from tests.store.victim import NOTHING_KEPT, fills
from tradelake.book import Maintained, Upkeep
from tradelake.errors import InvariantError
from tradelake.tables import TRADE_LOG

module = import_module("tradelake.store.maintain")


def settled(book: tl.Book) -> list[Maintained]:
    """Maintain until there is nothing left to do, and return what was done each time."""
    done = [book.maintain(upkeep=NOTHING_KEPT)]
    while done[-1].anything:
        done.append(book.maintain(upkeep=NOTHING_KEPT))
        assert len(done) < 6
    return done


ALL = "SELECT * FROM {} AT (VERSION => {}) ORDER BY ALL"


def parquet(folder: str | Path) -> list[Path]:
    """Return the Parquet files under a folder, sorted."""
    return sorted(Path(folder).rglob("*.parquet"))


def busy(book: tl.Book, *, times: int = 2) -> int:
    """Record and fold some times, so that there are files to merge and rows that are deleted; return the events."""
    book.add_accounts([{"account_id": "REV-1"}])
    for n in range(times):
        book.record(fills(1 + n * 1100, 1100))
        if n == 0:
            book.record([row | {"account_id": "REV-1"} for row in fills(80_001, 15)])
        book.fold()
    book.record(fills(90_001, 5))
    return times * 1100 + 20


def test_what_a_dry_run_says_is_done_and_nothing_is_left_to_do(book, bucket):
    count = busy(book)
    files = DataFiles(book.data, bucket)
    before = files.parquet()
    files.put("main/trade_log/orphan.parquet", b"left by a writer that was killed")
    files.put("main/notes.txt", b"not a file of ours")
    said = book.maintain(upkeep=NOTHING_KEPT, dry_run=True)
    assert len(files.parquet()) == len(before) + 1
    done = book.maintain(upkeep=NOTHING_KEPT)
    assert (said.dry_run, done.dry_run) == (True, False)
    for name in ("orphans_removed", "rows_flushed", "files_rewritten", "files_removed"):
        assert getattr(said, name) == getattr(done, name), name
    assert done.orphans_removed == 1
    assert done.rows_flushed >= 5
    assert done.files_rewritten > 0
    assert 0 < said.files_merged <= done.files_merged
    assert done.versions_expired == said.versions_expired + 1 > 1
    assert done.bytes_removed == 32
    later = settled(book)
    assert sum(each.files_removed for each in later) > 10
    assert sum(each.bytes_removed for each in later) > 10_000
    assert sum(each.rows_flushed + each.files_merged + each.files_rewritten for each in later) == 0
    assert len(files.parquet()) < len(before)
    assert "main/notes.txt" in files.names()
    assert_whole(book, count)


def test_what_is_young_is_kept(local_book):
    busy(local_book)
    folder = local_book._catalog.data_folder
    orphan = Path(folder, "main", "trade_log", "orphan.parquet")
    orphan.write_bytes(b"of a writer that is about to commit")
    before = set(parquet(folder))
    done = local_book.maintain()
    assert (done.versions_expired, done.files_removed, done.orphans_removed, done.bytes_removed) == (0, 0, 0, 0)
    assert before <= set(parquet(folder))
    done = local_book.maintain(upkeep=Upkeep(versions=timedelta(0)))
    assert done.versions_expired > 0
    assert before <= set(parquet(folder))
    assert local_book.maintain(upkeep=Upkeep(files=timedelta(0))).files_removed > 0
    assert orphan.exists()


def test_files_are_kept_for_hours_where_hours_are_asked_for(book, bucket):
    busy(book, times=1)
    book.maintain(upkeep=Upkeep(versions=timedelta(0)))
    book.maintain(upkeep=Upkeep(versions=timedelta(0)))
    files = DataFiles(book.data, bucket)
    there = files.parquet()
    scheduled = book._catalog.frame("CALL ducklake_cleanup_old_files('lake', dry_run => true, cleanup_all => true)")
    assert scheduled.height
    for hours in (0.5, 5, 12):
        done = book.maintain(upkeep=Upkeep(versions=timedelta(hours=hours), files=timedelta(hours=hours)))
        assert (done.versions_expired, done.files_removed) == (0, 0)
    assert files.parquet() == there
    assert book.maintain(upkeep=Upkeep(files=timedelta(0))).files_removed == scheduled.height


def test_a_file_that_a_killed_run_has_removed_already_is_no_obstacle(local_book):
    count = busy(local_book)
    local_book.maintain(upkeep=Upkeep(versions=timedelta(0)))
    catalog = local_book._catalog
    paths = catalog.frame("CALL ducklake_cleanup_old_files('lake', dry_run => true, cleanup_all => true)")["path"]
    Path(paths[0]).unlink()
    assert sum(each.files_removed for each in settled(local_book)) >= paths.len() - 1
    assert_whole(local_book, count)


@pytest.mark.parametrize("place", SHARED, indirect=True)
def test_a_reader_that_stands_on_an_old_version_reads_on(ready):
    with ready.open() as book, ready.open(read_only=True) as reader, ExitStack() as stack:
        busy(book)
        names = ("trade_log", "matches", "lots", "positions")
        catalog = reader._catalog
        stack.enter_context(catalog.transaction())
        version = catalog.version()
        before = {name: catalog.frame(ALL.format(name, version)) for name in names}
        plain = catalog.frame("SELECT count(*) AS rows, sum(quantity) AS total FROM trade_log")
        book.record(fills(50_000, 1200))
        book.fold()
        book.maintain(upkeep=Upkeep(versions=timedelta(0), orphans=timedelta(0)))
        book.record(fills(60_000, 3))
        for name in names:
            assert before[name].equals(catalog.frame(ALL.format(name, version))), name
        assert plain.equals(catalog.frame("SELECT count(*) AS rows, sum(quantity) AS total FROM trade_log"))
        assert reader.positions().height


@pytest.mark.slow
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_readers_in_other_processes_see_whole_commits_while_maintenance_runs(ready, start):
    reader = start(ready)
    reader.ready()
    reader.order(read=sum(-7 if n % 5 == 0 else 4 for n in range(1, 1801)))
    with ready.open() as book:
        for n in range(6):
            book.record(fills(1 + n * 300, 300))
            if n % 4 == 3:
                book.fold()
            book.maintain(upkeep=Upkeep(versions=timedelta(0), orphans=timedelta(0)))
        assert_whole(book, 1800)
    seen = reader.answers()
    assert len(seen) > 1
    for line in seen:
        assert line["trades"] % 300 == 0
        assert line["seen"][0] == line["seen"][2] == line["seen"][3]


CHANGES = {
    "a number": "UPDATE {} SET quantity = quantity + 1 WHERE sequence = 3",
    "two numbers with the same sum": "UPDATE {} SET quantity = quantity + sequence - 4 WHERE sequence IN (3, 5)",
    "a date": "UPDATE {} SET trade_date = trade_date + 1 WHERE sequence = 3",
    "a row less": "DELETE FROM {} WHERE sequence = 3",
    "a row twice": "INSERT INTO {} SELECT * FROM lake.main.trade_log WHERE sequence = 3",
    "a row instead of another": "UPDATE {} SET sequence = 4 WHERE sequence = 3",
}


@pytest.mark.parametrize("in_files", [False, True])
@pytest.mark.parametrize("change", CHANGES)
def test_a_step_that_would_change_what_is_read_is_rolled_back(local_book, change, in_files):
    count = busy(local_book, times=1)
    if in_files:
        local_book.maintain()
    catalog, version = local_book._catalog, local_book.version
    folder = parquet(catalog.data_folder)
    with pytest.raises(InvariantError, match="maintenance would have changed trade_log: count and control total"):
        module._step(catalog, TRADE_LOG, CHANGES[change], "Count")
    assert local_book.version == version
    assert parquet(catalog.data_folder) >= folder
    assert_whole(local_book, count)


steps = st.lists(st.sampled_from(["few", "many", "late", "fold", "maintain", "remove"]), min_size=3, max_size=7)


@settings(deadline=None, max_examples=int(os.environ.get("TRADELAKE_EXAMPLES", "3")))
@given(told=steps)
def test_maintenance_in_any_place_leaves_all_answers_equal(told, patterns, tmp_path_factory):
    folder = tmp_path_factory.mktemp("law")
    with (
        patterns.copy("sqlite", folder / "kept").open() as book,
        patterns.copy("sqlite", folder / "plain").open() as plain,
    ):
        number = 1
        for step in [*told, "maintain"]:
            count = {"few": 7, "many": 1300, "late": 3}.get(step, 0)
            if count:
                rows = fills(number, count)
                if step == "late":
                    rows = [row | {"executed_at": "2026-01-02T15:00:00Z"} for row in rows]
                number += count
                assert book.record(rows).accepted == plain.record(rows).accepted == count
            elif step == "fold":
                book.fold()
            else:
                book.maintain(upkeep=NOTHING_KEPT if step == "remove" else None)
        assert_same_book(book, plain)
        assert_whole(book, number - 1)
        assert book.runs().height == plain.runs().height


def test_every_file_of_the_catalog_is_there_afterwards(local_book):
    busy(local_book)
    settled(local_book)
    folder = Path(local_book._catalog.data_folder)
    local_book.close()
    named = catalog_rows(
        folder.parent,
        "SELECT 'main/' || t.path || f.path FROM ducklake_data_file f JOIN ducklake_table t USING (table_id)",
    )
    assert sorted(str(folder / path) for (path,) in named) == [str(path) for path in parquet(folder)]
