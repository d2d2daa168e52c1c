"""What the broker says again under another id, or of an execution that is allocated over several books."""

import json

import pytest

import tradelake as tl
from tests.books import assert_whole, frame

FILL = {
    "broker_execution_id": "0000e0d5.6ac91958.01.01",
    "broker_account_id": "U1",
    "account_id": "GEN-1",
    "symbol": "KO",
    "action": "BUY",
    "executed_at": "2026-01-05T15:00:00Z",
    "quantity": "100",
    "price": "70.25",
}


def version(number: int, **fields: str) -> dict[str, str]:
    """Return the fill as the broker tells it under the last part *number*."""
    return FILL | {"broker_execution_id": f"0000e0d5.6ac91958.01.{number:02}"} | fields


@pytest.fixture
def book(tmp_path):
    with tl.create(tmp_path / "book") as made:
        made.add_accounts([{"account_id": name, "broker_account_id": "U1"} for name in ("GEN-1", "REV-1")])
        yield made


@pytest.mark.parametrize("together", [True, False], ids=["in one delivery", "in two"])
def test_a_higher_last_part_corrects_the_execution(book, together):
    corrected = version(2, price="70.20", commission="1.25")
    receipts = [book.record([FILL, corrected])] if together else [book.record(FILL), book.record(corrected)]
    assert all(receipt.ok for receipt in receipts)
    first, cure = frame(book.trades()).sort("sequence").iter_rows(named=True)
    assert (first["state"], first["price"]) == ("corrected", 70.25)
    assert (cure["kind"], cure["target_id"], cure["account_id"]) == ("correct", first["trade_id"], "GEN-1")
    assert cure["broker_execution_id"] == corrected["broker_execution_id"]
    assert json.loads(cure["details"]) == {"set": {"commission": "1.25", "price": "70.2"}}
    (lot,) = frame(book.lots()).iter_rows(named=True)
    assert (lot["quantity"], lot["cost_basis"], lot["charges"]) == (100, 7021.25, 1.25)
    assert book.cash()["cash"].to_list() == [-7021.25]
    assert_whole(book, 2)


def test_every_version_that_comes_again_is_a_duplicate(book):
    versions = [FILL, version(2, price="70.20"), version(3, price="70.30", quantity="90")]
    for row in versions:
        assert book.record(row).accepted == 1
    again = book.record(versions)
    assert (again.accepted, again.duplicates, again.ok) == (0, 3, True)
    assert book.record(version(2, price="70.21")).conflicts == 1
    assert frame(book.lots())["cost_basis"].to_list() == [6327]


def test_an_older_version_that_arrives_late_is_old_news(book):
    assert book.record(version(3, price="70.30")).accepted == 1
    receipt = book.record([FILL, version(2, price="70.20")])
    assert (receipt.accepted, receipt.duplicates, receipt.ok) == (0, 2, True)
    assert frame(book.lots())["cost_basis"].to_list() == [7030]


def test_a_newer_version_with_the_same_content_is_a_duplicate(book):
    assert book.record([FILL, version(2)]).duplicates == 1
    assert book.record(version(3, price="70.20")).accepted == 1


def test_a_version_of_another_instrument_is_left_to_a_person(book):
    receipt = book.record([FILL, version(2, symbol="PEP")])
    (problem,) = receipt.problems
    assert problem.code == "broker_correction"
    assert "0000e0d5.6ac91958.01.01" in problem.message
    assert frame(book.positions())["quantity"].to_list() == [100]


def test_a_version_for_another_account_is_left_to_a_person(book):
    receipt = book.record([FILL, version(2, account_id="REV-1")])
    assert [problem.code for problem in receipt.problems] == ["broker_correction"]


def test_a_version_of_what_was_busted_is_refused(book):
    book.record(FILL | {"trade_id": "T1"})
    bust = {"trade_id": "B1", "kind": "cancel", "target_id": "T1", "executed_at": "2026-01-06T15:00:00Z"}
    receipt = book.record([bust, version(2, price="70.20")])
    assert (receipt.accepted, receipt.rejects) == (1, 1)
    assert [problem.code for problem in receipt.problems] == ["target_cancelled"]
    assert frame(book.positions()).is_empty()


def test_the_side_may_be_corrected_and_the_word_for_it_is_kept(book):
    book.record(FILL | {"action": "BUY_TO_OPEN"})
    assert book.record(version(2, price="70.20")).accepted == 1
    cure = frame(book.trades(kinds=["correct"])).row(0, named=True)
    assert json.loads(cure["details"]) == {"set": {"price": "70.2"}}
    book.record(version(3, action="SELL", price="70.20"))
    assert frame(book.positions())["quantity"].to_list() == [-100]


def test_ids_that_differ_before_their_last_dot_are_executions_of_their_own(book):
    other = FILL | {"broker_execution_id": "0000e0d5.6ac91958.02.01"}
    assert book.record([FILL, other]).accepted == 2


def test_ids_of_another_form_are_not_taken_for_corrections(book):
    named = [FILL | {"broker_execution_id": name} for name in ("exec.1", "exec.2")]
    assert book.record(named).accepted == 2


def test_a_later_allocation_cannot_enlarge_the_execution(book):
    part = FILL | {"quantity": "60", "execution_quantity": "100"}
    rest = FILL | {"account_id": "REV-1", "quantity": "50", "execution_quantity": "200"}
    assert book.record(part).accepted == 1
    refused = book.record(rest)
    assert [problem.code for problem in refused.problems] == ["allocation_exceeds_execution"]
    assert book.record(rest | {"quantity": "40"}).accepted == 1
    assert book.trades()["details"].to_list() == ['{"execution_quantity":"100"}', '{"execution_quantity":"200"}']


def test_each_allocation_of_an_execution_is_corrected_on_its_own(book):
    part = {"execution_quantity": "100"}
    book.record([version(1, quantity="60", **part), version(1, quantity="40", account_id="REV-1", **part)])
    rows = [version(2, quantity="55", **part), version(2, quantity="45", account_id="REV-1", **part)]
    assert book.record(rows).accepted == 2
    held = dict(frame(book.positions()).select("account_id", "quantity").iter_rows())
    assert held == {"GEN-1": 55, "REV-1": 45}
    assert book.record(rows).duplicates == 2
