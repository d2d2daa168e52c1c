"""Several processes on one book: nothing is lost, nothing is doubled, readers see whole commits."""

import pytest

from tests.books import SHARED, assert_whole, fill

shared = pytest.mark.parametrize("place", SHARED, indirect=True)


def assert_chained(book) -> None:
    """Assert that every commit follows from its rows and the commit before."""
    assert book.verify().problems == ()


def batches_of(numbers: list[int], size: int) -> list[list[dict[str, object]]]:
    """Return fills in batches; a fill has the same content whoever brings it."""
    rows = [fill(n, "-3" if n % 3 == 2 else "5", symbol=f"S{n % 4}") for n in numbers]
    return [rows[start : start + size] for start in range(0, len(rows), size)]


@shared
def test_three_writers_of_overlapping_fills_lose_and_double_nothing(ready, start):
    workers = [start(ready) for _ in range(3)]
    assert [worker.ready() for worker in workers] == [{"open": 0}] * 3
    shares = [list(range(40)), list(range(20, 60)), [*range(40, 60), *range(20)]]
    for worker, numbers, size in zip(workers, shares, (5, 7, 8), strict=True):
        worker.order(record=batches_of(numbers, size), fold_after=25)
    told = [worker.answers() for worker in workers]
    counted = {
        name: sum(line[name] for lines in told for line in lines) for name in ("accepted", "duplicates", "conflicts")
    }
    assert counted == {"accepted": 60, "duplicates": 60, "conflicts": 0}
    assert [worker.process.returncode for worker in workers] == [0, 0, 0]
    with ready.open() as book:
        assert_whole(book, 60)
        assert_chained(book)
        assert book.runs()["import_run_id"].to_list() == list(range(1, book.runs().height + 1))
        assert book.source_records()["source_record_id"].to_list() == list(range(1, 61))
        assert set(book.instruments()["instrument_id"]) == {"S0", "S1", "S2", "S3"}
        assert book.instruments().height == 4


@shared
def test_fills_without_ids_that_two_processes_bring_at_once_are_one_set(ready, start):
    rows = [{k: v for k, v in fill(1).items() if k not in ("trade_id", "broker_execution_id")}] * 20
    workers = [start(ready) for _ in range(2)]
    for worker in workers:
        worker.ready()
    for worker in workers:
        worker.order(record=[rows, rows])
    told = [line for worker in workers for line in worker.answers()]
    assert sorted(line["accepted"] for line in told) == [0, 0, 0, 20]
    with ready.open() as book:
        assert_whole(book, 20)


@shared
def test_an_account_that_two_processes_add_at_once_is_there_once(ready, start):
    workers = [start(ready) for _ in range(2)]
    names = [{"account_id": f"A{n}"} for n in range(5)]
    for worker in workers:
        worker.ready()
    for worker in workers:
        for account in names:
            worker.order(accounts=[account])
    told = [line for worker in workers for line in worker.answers()]
    assert sum(line["accepted"] for line in told) == 5
    assert sum(line["duplicates"] for line in told) == 5
    with ready.open() as book:
        assert book.accounts()["account_id"].to_list() == sorted(["GEN-1", *(row["account_id"] for row in names)])


@shared
def test_a_reader_at_work_while_a_writer_commits_sees_whole_commits_only(ready, start):
    reader, writer = start(ready), start(ready)
    reader.ready()
    writer.ready()
    reader.order(read=200)
    first = reader.answer()
    writer.order(record=[[fill(10 * batch + n, "1") for n in range(10)] for batch in range(20)], fold_after=60)
    acknowledged = writer.answers()
    seen = [first, *reader.answers()]
    assert [line["sequence"] for line in acknowledged] == list(range(10, 210, 10))
    assert reader.process.returncode == writer.process.returncode == 0
    assert (seen[0]["held"], seen[-1]["held"]) == (0, 200)
    last = 0
    for line in seen:
        assert len(set(line["seen"])) == 1
        assert line["seen"][0] % 10 == line["trades"] % 10 == line["held"] % 10 == 0
        assert last <= line["seen"][0] <= line["trades"] <= line["held"]
        last = line["held"]


def test_a_duckdb_file_belongs_to_one_process_and_the_second_is_told_so(patterns, tmp_path, start):
    place = patterns.copy("duckdb", tmp_path / "book")
    with place.open() as book:
        second = start(place)
        told = second.ready()
        second.end()
        assert told["error"] == "BookBusy"
        assert told["message"].startswith(f"Another process has {tmp_path / 'book' / 'catalog.duckdb'} open; ")
        assert "Close it there, or make the book on SQLite or PostgreSQL." in told["message"]
        assert book.record(fill(1)).accepted == 1
    third = start(place)
    assert third.ready() == {"open": 1}
    third.answers()
