"""What the broker says again under another id, or of an execution that is allocated over several books."""

import pytest

import tradelake as tl

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


@pytest.fixture
def book(tmp_path):
    with tl.create(tmp_path / "book") as made:
        made.add_accounts([{"account_id": name, "broker_account_id": "U1"} for name in ("GEN-1", "REV-1")])
        yield made


@pytest.mark.parametrize("together", [True, False], ids=["in one delivery", "in two"])
def test_an_id_that_differs_after_its_last_dot_is_not_booked_beside_the_first(book, together):
    corrected = FILL | {"broker_execution_id": "0000e0d5.6ac91958.01.02", "price": "70.20"}
    receipts = [book.record([FILL, corrected])] if together else [book.record(FILL), book.record(corrected)]
    assert receipts[-1].problems[0].code == "broker_correction"
    assert "0000e0d5.6ac91958.01.01" in receipts[-1].problems[0].message
    assert book.positions()["quantity"].to_list() == [100]


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
