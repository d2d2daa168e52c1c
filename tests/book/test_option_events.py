"""Expiries, exercises and assignments of a shared broker account go to the books that hold the contract."""

from decimal import Decimal

import polars as pl
import pytest

from tests.books import assert_whole, fill, frame, shared_accounts

PUT = {"asset_type": "OPTION", "strike": "50", "expiration": "2026-02-20", "option_type": "PUT"}


def sold(number: int, account: str, quantity: str = "-2", **fields: object) -> dict[str, object]:
    """Return a sale of puts by an account of the broker account U1."""
    return fill(number, quantity, account_id=account, price="1.5", **PUT) | fields


def event(kind: str, number: int, quantity: str | None, **fields: object) -> dict[str, object]:
    """Return an option event that names the broker account only."""
    terms = {k: v for k, v in fill(number).items() if k in ("broker_execution_id", "symbol")} | PUT
    when = {"executed_at": "2026-02-20T21:00:00Z", "broker_account_id": "U1"}
    return {"kind": kind} | terms | when | ({} if quantity is None else {"quantity": quantity}) | fields


def ended(book) -> dict[str, int]:
    """Return what option events took, by account."""
    log = frame(book.trades()).filter(pl.col("kind") != "trade")
    return {
        account: int(quantity) if quantity else 0
        for account, quantity in log.select("account_id", "quantity").iter_rows()
    }


@pytest.mark.parametrize("quantity", ["2", None])
def test_the_only_holder_gets_it(broker_book, quantity):
    broker_book.record([sold(1, "REV-1"), sold(2, "GEN-1"), sold(3, "GEN-1", "2")])
    receipt = broker_book.record(event("expire", 9, quantity))
    assert receipt.ok
    assert ended(broker_book) == {"REV-1": 2 if quantity else 0}
    assert frame(broker_book.positions()).height == 0
    assert frame(broker_book.refusals()).height == 0


@pytest.mark.parametrize("kind", ["expire", "assign"])
def test_all_holders_get_their_part_where_it_takes_all(broker_book, kind):
    broker_book.record([sold(1, "GEN-1"), sold(2, "COM-1", "-3"), sold(3, "REV-1", "-1")])
    taken = event(kind, 9, "6", commission="1.01") if kind == "assign" else event(kind, 9, "6")
    assert broker_book.record(taken).accepted == 3
    assert ended(broker_book) == {"GEN-1": 2, "COM-1": 3, "REV-1": 1}
    log = frame(broker_book.trades()).filter(pl.col("kind") == kind)
    assert log["commission"].sum() == Decimal("1.01" if kind == "assign" else 0)
    shares = frame(broker_book.positions()).filter(pl.col("asset_type") == "STOCK")
    assert shares["quantity"].sum() == (600 if kind == "assign" else 0)
    assert frame(broker_book.positions()).filter(pl.col("asset_type") == "OPTION").height == 0
    assert_whole(broker_book, 6)


def test_a_part_that_could_be_of_several_books_is_left_to_a_person(broker_book):
    broker_book.record([sold(1, "GEN-1"), sold(2, "COM-1", "-3")])
    receipt = broker_book.record(event("assign", 9, "3"))
    assert (receipt.accepted, receipt.rejects) == (0, 1)
    assert receipt.problems[0].code == "unallocated"
    decided = broker_book.record(event("assign", 9, "3", account_id="COM-1"))
    assert decided.ok
    assert ended(broker_book) == {"COM-1": 3}


def test_the_default_book_gets_no_event_of_what_it_does_not_hold(other_book):
    other_book.add_accounts(shared_accounts("U7", default="GEN-1")[1:])
    other_book.add_accounts([{"account_id": "BASE", "broker_account_id": "U7", "allocation_default": True}])
    other_book.record([sold(1, "REV-1", broker_account_id="U7"), sold(2, "COM-1", broker_account_id="U7")])
    rows = [
        event("assign", 8, "3", broker_account_id="U7"),
        event("expire", 9, "1", broker_account_id="U7", strike="51"),
    ]
    receipt = other_book.record(rows)
    assert [(p.code, p.row) for p in receipt.problems] == [("unallocated", 1), ("unallocated", 2)]
    assert other_book.record(rows[1] | {"order_reference": "REV-1"}).accepted == 1


def test_what_nobody_holds_is_left_to_a_person(broker_book):
    broker_book.record([sold(1, "GEN-1", executed_at="2026-02-21T15:00:00Z", trade_date="2026-02-20")])
    receipt = broker_book.record([event("expire", 8, "2"), event("expire", 9, None)])
    assert [p.code for p in receipt.problems] == ["unallocated", "unallocated"]


def test_events_that_come_again_are_duplicates_whatever_happened_since(broker_book):
    first = [sold(1, "GEN-1"), sold(2, "COM-1", "-3"), event("assign", 7, "5", executed_at="2026-01-20T21:00:00Z")]
    later = [sold(3, "GEN-1", executed_at="2026-02-02T15:00:00Z"), event("expire", 8, "2")]
    assert broker_book.record(first).accepted == 4
    version = broker_book.version
    assert broker_book.record(first).duplicates == 4
    assert broker_book.version == version
    broker_book.fold()
    assert broker_book.record([*first, *later]).accepted == 2
    again = broker_book.record([*first, *later])
    assert (again.accepted, again.duplicates, again.rejects) == (0, 6, 0)
    assert_whole(broker_book, 6)


def test_trades_and_their_expiry_may_come_in_one_delivery(broker_book):
    rows = [sold(1, "GEN-1"), sold(2, "COM-1", "-3"), sold(4, "COM-1", "3"), event("expire", 8, "2")]
    assert broker_book.record(rows).accepted == 4
    assert ended(broker_book) == {"GEN-1": 2}
    assert broker_book.record(rows).duplicates == 4


def test_two_events_of_one_instant_share_out_what_is_held(broker_book):
    broker_book.record([sold(1, "GEN-1"), sold(2, "COM-1", "-3")])
    rows = [event("assign", 7, "2", account_id="GEN-1"), event("expire", 8, "3")]
    assert [broker_book.record(row).accepted for row in rows] == [1, 1]
    assert ended(broker_book) == {"GEN-1": 2, "COM-1": 3}
    assert frame(broker_book.refusals()).height == 0
    assert broker_book.record(rows).duplicates == 2
