"""The end of an option that a book knows before its broker tells it: known where it is the same, told otherwise."""

import pytest

import tradelake as tl
from tests.books import fill

PUT = "ACME  260109P00100000"
OPTION = {"contract_symbol": PUT, "asset_type": "OPTION"}
AT = "2026-01-09T21:00:00Z"
LATER = "2026-01-09T21:20:00Z"


def end(kind: str = "expire", quantity: str = "2", **fields: object) -> dict[str, object]:
    """Return the end of the put as somebody tells it."""
    return {"kind": kind, "contract_symbol": PUT, "executed_at": AT, "quantity": quantity} | fields


def told_by_broker(kind: str = "expire", quantity: str = "2", **fields: object) -> dict[str, object]:
    """Return the end of the put as the broker tells it: at another time of the day, under an id of its own."""
    return end(kind, quantity, broker_account_id="U1", broker_execution_id="7001", executed_at=LATER) | fields


@pytest.fixture
def book(local_book: tl.Book) -> tl.Book:
    """A book that has written two puts, which have expired."""
    assert local_book.record(fill(1, "-2", **OPTION)).ok
    return local_book


@pytest.mark.parametrize("ours", [{"trade_id": "E-1"}, {}], ids=["under an id", "without an id"])
def test_the_same_end_again_is_a_duplicate_every_time(book, ours):
    assert book.record(end(account_id="GEN-1", **ours)).accepted == 1
    for _ in range(2):
        receipt = book.record(told_by_broker())
        assert (receipt.accepted, receipt.duplicates, receipt.ok) == (0, 1, True)
    assert book.refusals().height == book.positions().height == 0


def test_several_rows_of_the_broker_tell_of_one_end(book):
    book.record(end(account_id="GEN-1", trade_id="E-1"))
    rows = [told_by_broker(quantity="1", broker_execution_id=f"700{number}") for number in range(2)]
    receipt = book.record(rows)
    assert (receipt.accepted, receipt.duplicates) == (0, 2)


def test_one_row_of_the_broker_tells_of_the_ends_in_several_books(broker_book):
    broker_book.record([fill(1, "-2", **OPTION), fill(2, "-1", account_id="REV-1", **OPTION)])
    ours = [end(account_id="GEN-1", trade_id="E-1"), end(quantity="1", account_id="REV-1", trade_id="E-2")]
    assert broker_book.record(ours).accepted == 2
    receipt = broker_book.record(told_by_broker(quantity="3"))
    assert (receipt.accepted, receipt.rejects, receipt.ok) == (0, 0, True)
    assert broker_book.refusals().height == 0


@pytest.mark.parametrize(
    "told",
    [told_by_broker(quantity="1"), told_by_broker("assign"), told_by_broker(executed_at="2026-01-12T21:20:00Z")],
    ids=["another quantity", "another kind", "another day"],
)
def test_another_end_comes_in_and_says_why_it_has_no_effect(book, told):
    book.record(end(account_id="GEN-1", trade_id="E-1"))
    assert book.record(told).accepted == 1
    assert book.refusals().height == 1


def test_an_end_that_was_cancelled_leaves_the_broker_its_own(book):
    book.record(end(account_id="GEN-1", trade_id="E-1"))
    book.record({"kind": "cancel", "trade_id": "C-1", "target_id": "E-1", "executed_at": "2026-01-10T15:00:00Z"})
    assert book.record(told_by_broker()).accepted == 1
    assert book.positions().height == book.refusals().height == 0


def test_an_end_that_the_broker_told_first_is_known_by_its_id(book):
    assert book.record(told_by_broker()).accepted == 1
    assert book.record(end(account_id="GEN-1", trade_id="E-1")).accepted == 1
    receipt = book.record(told_by_broker())
    assert (receipt.accepted, receipt.duplicates) == (0, 1)
    assert book.refusals().height == 1
