"""An event that is delivered again, whole or in part, alone or with others, is in the log once."""

from pathlib import Path

import polars as pl
import pytest

import tradelake as tl
from tests.books import (
    SAMPLE_FILLS,
    SAMPLE_FLEX,
    assert_same_book,
    assert_whole,
    fill,
    frame,
    shared_accounts,
    without_ids,
)

FILLS = [fill(n, quantity) for n, quantity in enumerate(["10", "5", "-3", "-12", "-4", "20", "-1", "-15"])]


def counts(receipt: tl.Receipt) -> tuple[int, int, int, int]:
    """Return accepted, duplicates, conflicts and rejects."""
    return receipt.accepted, receipt.duplicates, receipt.conflicts, receipt.rejects


def test_the_same_fills_twice_add_nothing_and_write_nothing(book):
    assert counts(book.record(FILLS)) == (8, 0, 0, 0)
    version, runs = book.version, book.runs()
    again = book.record(FILLS)
    assert counts(again) == (0, 8, 0, 0)
    assert again.ok
    assert again.outcomes["trade_id"].to_list() == [row["trade_id"] for row in FILLS]
    assert book.version == again.version == version
    assert book.runs().equals(runs)
    assert_whole(book, 8)


def test_overlapping_halves_are_the_whole(book, local_book):
    assert counts(book.record(FILLS[:5])) == (5, 0, 0, 0)
    assert counts(book.record(FILLS[3:])) == (3, 2, 0, 0)
    local_book.record(FILLS)
    assert_same_book(book, local_book)


def test_one_by_one_with_folds_between_is_the_same_as_at_once(local_book, other_book):
    other_book.record(FILLS)
    for number, row in enumerate(FILLS):
        local_book.record(row)
        if number % 3 == 1:
            local_book.fold()
    assert_same_book(local_book, other_book)
    assert_whole(local_book, 8)


def test_a_fill_twice_in_one_delivery_is_one_fill(local_book):
    receipt = local_book.record([*FILLS[:2], FILLS[0], FILLS[1] | {"reason": "said otherwise"}])
    assert counts(receipt) == (2, 2, 0, 0)
    assert receipt.outcomes["outcome"].to_list() == ["accepted", "accepted", "duplicate", "duplicate"]


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_identical_fills_without_ids_stay_as_many_and_the_file_twice_adds_nothing(local_book, tmp_path, suffix):
    rows = pl.DataFrame([without_ids(fill(1))] * 3 + [without_ids(fill(2))])
    file = tmp_path / f"fills.{suffix}"
    if suffix == "parquet":
        rows.write_parquet(file)
    else:
        file.write_text(rows.write_ndjson() if suffix == "jsonl" else rows.write_csv())
    assert counts(local_book.ingest("executions", file)) == (4, 0, 0, 0)
    version = local_book.version
    assert counts(local_book.ingest("executions", file)) == (0, 4, 0, 0)
    assert local_book.version == version
    assert counts(local_book.record([without_ids(fill(1))] * 5)) == (2, 3, 0, 0)
    assert frame(local_book.positions())["quantity"].to_list() == [60]
    assert_whole(local_book, 6)


def test_an_event_without_ids_has_the_same_id_in_every_book(local_book, other_book):
    rows = [without_ids(fill(n)) for n in (1, 1, 2)]
    ids = [frame(b.trades())["trade_id"].to_list() for b in (local_book, other_book) if b.record(rows)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"price": "99"}, "price", "price: 101.25 in the log, 99 now"),
        ({"quantity": "11"}, "quantity", "quantity: 10 in the log, 11 now"),
        ({"commission": "2"}, "commission", "commission: 1.0035 in the log, 2 now"),
        ({"fees": "-0.01"}, "fees", "fees: 0 in the log, -0.01 now"),
        ({"action": "SELL"}, "side", "side: BUY in the log, SELL now"),
        ({"symbol": "OTHER"}, "instrument_id", "instrument_id: ACME in the log, OTHER now"),
        ({"executed_at": "2026-01-01T00:01:00.000001Z"}, "executed_at", "executed_at: 2026-01-01T00:01:00Z in"),
    ],
)
def test_the_same_id_with_other_content_is_a_conflict_that_names_the_field(local_book, change, field, words):
    local_book.record([fill(1), fill(2)])
    before = frame(local_book.trades())
    receipt = local_book.record([fill(1) | change, fill(3)])
    assert counts(receipt) == (1, 0, 1, 0)
    assert not receipt.ok
    (problem,) = receipt.problems
    assert (problem.code, problem.row, problem.trade_id) == ("conflicting_duplicate", 1, "T1")
    assert words in problem.message
    assert frame(local_book.trades()).filter(pl.col("trade_id") != "T3").equals(before)
    (kept,) = local_book.source_records(outcome="conflict").iter_rows(named=True)
    assert field in kept["message"]


def test_a_conflict_that_comes_again_is_stored_once(local_book):
    local_book.record(fill(1))
    assert counts(local_book.record(fill(1, price="9"))) == (0, 0, 1, 0)
    version = local_book.version
    assert counts(local_book.record(fill(1, price="9"))) == (0, 0, 1, 0)
    assert local_book.version == version
    assert local_book.source_records(outcome="conflict").height == 1


def test_a_refused_row_changes_no_reference_table(local_book):
    local_book.record(fill(1))
    tables = [local_book.accounts(), local_book.instruments(), local_book.strategies()]
    receipt = local_book.record([fill(1, symbol="NEWCO", strategy_id="S-9"), fill(1, strategy_id="S-8")])
    assert counts(receipt) == (0, 1, 1, 0)
    assert receipt.new_instruments == ()
    now = [local_book.accounts(), local_book.instruments(), local_book.strategies()]
    assert all(after.equals(before) for after, before in zip(now, tables, strict=True))


def test_a_trade_id_that_another_event_has_is_refused(local_book):
    local_book.record(fill(1))
    receipt = local_book.record([fill(2, trade_id="T1"), fill(3, trade_id="T1", leg_id="2")])
    assert counts(receipt) == (1, 0, 1, 0)
    assert receipt.problems[0].code == "trade_id_taken"
    assert "T1" in receipt.problems[0].message


def test_a_rejected_row_may_come_right_later(local_book):
    bad = fill(1, account_id="NOBODY")
    assert counts(local_book.record(bad)) == (0, 0, 0, 1)
    version = local_book.version
    assert counts(local_book.record(bad)) == (0, 0, 0, 1)
    assert local_book.version == version
    local_book.add_accounts([{"account_id": "NOBODY", "broker_account_id": "U2"}])
    assert counts(local_book.record(bad)) == (1, 0, 0, 0)


def test_allocations_of_one_execution_may_not_exceed_it(broker_book):
    whole = fill(1, "100", trade_id=None)
    assert counts(broker_book.record(whole)) == (1, 0, 0, 0)
    receipt = broker_book.record(whole | {"account_id": "REV-1"})
    assert counts(receipt) == (0, 0, 1, 0)
    assert receipt.problems[0].code == "allocation_exceeds_execution"
    assert "execution_quantity" in receipt.problems[0].message


def test_several_allocations_fill_an_execution_and_not_more(broker_book):
    part = fill(1, "60", trade_id=None, execution_quantity="100")
    rows = [part, part | {"account_id": "REV-1", "quantity": "30"}, part | {"account_id": "COM-1", "quantity": "11"}]
    assert counts(broker_book.record(rows)) == (2, 0, 1, 0)
    assert counts(broker_book.record(rows[2] | {"quantity": "10"})) == (1, 0, 0, 0)
    assert counts(broker_book.record([*rows[:2], rows[2] | {"quantity": "10"}])) == (0, 3, 0, 0)


def test_one_allocation_larger_than_its_execution_is_refused(local_book):
    receipt = local_book.record(fill(1, "150", execution_quantity="100"))
    assert receipt.accepted == 0
    assert not receipt.ok


def test_the_sample_statement_twice_is_all_duplicates_and_writes_nothing(book, tmp_path: Path):
    renamed = [row | {"account_id": f"{row['account_id']}x"} for row in shared_accounts("U7700001", default="GEN-1")]
    book.add_accounts(renamed)
    assert counts(book.ingest("executions", SAMPLE_FILLS)) == (0, 0, 0, 52)
    book.add_accounts([{"account_id": "STAR-1", "broker_account_id": "U7700002"}])
    first = [book.ingest("ibkr-flex", SAMPLE_FLEX), book.ingest("executions", SAMPLE_FILLS)]
    assert [counts(receipt) for receipt in first] == [(315, 0, 0, 0), (52, 0, 0, 0)]
    version = book.version
    again = [book.ingest("ibkr-flex", SAMPLE_FLEX), book.ingest("executions", SAMPLE_FILLS)]
    assert [counts(receipt) for receipt in again] == [(0, 315, 0, 0), (0, 52, 0, 0)]
    copy = tmp_path / "other_name.xml"
    copy.write_bytes(SAMPLE_FLEX.read_bytes())
    assert counts(book.ingest("ibkr-flex", copy)) == (0, 315, 0, 0)
    assert book.version == version
    assert_whole(book, 367)
