"""Corporate actions, moves and the like, as they are recorded: once, for whom, and with which instruments."""

from typing import Any

import polars as pl
import pytest

from tests.book.cures import action, move
from tests.books import assert_whole, fill, frame

AT = "2026-01-05T14:30:00Z"
SPIN = {"ratio": "1/4", "basis_fraction": "0.2"}


@pytest.fixture
def book(broker_book):
    """A book of three accounts of one broker account; two of them hold ACME."""
    broker_book.record([fill(1, "10"), fill(2, "8", account_id="REV-1")])
    return broker_book


def without_id(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as a source that gives no ids would."""
    return {name: value for name, value in row.items() if name != "trade_id"}


ROWS = [
    action("S", "split", AT, ratio="3/2", cash_in_lieu_price="20"),
    action("D", "cash_dividend", AT, amount_per_unit="0.5", pay_at="2026-02-05T14:30:00Z"),
    action("R", "return_of_capital", AT, amount_per_unit="0.25"),
    action("P", "spin_off", AT, new_symbol="BETA", **SPIN),
    action("I", "rights_issue", AT, new_symbol="ACMER", **SPIN),
    action("M", "merger", AT, amount_per_unit="4", new_symbol="OMNI", ratio="1/2", new_price="90"),
    action("N", "symbol_change", AT, new_symbol="ACMX"),
    move("T", "transfer", AT, symbol="ACME", quantity="3"),
    move("F", "fork", AT, moves=[{"instrument_id": "ACME", "quantity": "1"}], cash="100"),
    move("G", "merge", AT),
    {"trade_id": "L", "kind": "lot_method", "account_id": "GEN-1", "method": "LIFO", "executed_at": AT},
]


@pytest.mark.parametrize("row", ROWS, ids=[row["kind"] for row in ROWS])
def test_an_event_is_taken_once_with_an_id_and_without(book, row):
    assert book.record(row).accepted == 1
    version = book.version
    assert book.record(row).duplicates == 1
    assert book.version == version
    rows = [without_id(row), without_id(row | {"executed_at": "2026-03-05T14:30:00Z"})]
    assert book.record(rows).accepted == 2
    assert book.record(rows).duplicates == 2
    other = book.record(row | {"executed_at": "2026-01-06T14:30:00Z"})
    assert [problem.code for problem in other.problems] == ["conflicting_duplicate"]
    assert_whole(book, 5)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("S", {"ratio": "2/1"}),
        ("D", {"amount_per_unit": "0.6"}),
        ("P", {"new_symbol": "GAMMA"}),
        ("T", {"to_account_id": "REV-1"}),
        ("F", {"moves": []}),
    ],
)
def test_two_events_that_differ_only_in_what_their_kind_has_are_two(book, name, changes):
    row = without_id(next(row for row in ROWS if row["trade_id"] == name))
    assert book.record([row, row | changes]).accepted == 2
    named = row | {"trade_id": "Q"}
    book.record(named)
    receipt = book.record(named | changes)
    assert [problem.code for problem in receipt.problems] == ["conflicting_duplicate"]


def test_the_broker_s_id_of_a_corporate_action_recognises_it(book):
    row = without_id(ROWS[0]) | {"broker_execution_id": "CA-7"}
    assert book.record(row).accepted == 1
    assert book.record(row).duplicates == 1
    assert book.record(row | {"ratio": "2/1"}).conflicts == 1


def test_a_corporate_action_has_no_account_and_is_for_all_that_hold(book):
    book.record(ROWS[0])
    (logged,) = frame(book.trades(kinds=["split"])).iter_rows(named=True)
    assert (logged["account_id"], logged["broker_account_id"], logged["instrument_id"]) == (None, None, "ACME")
    held = dict(frame(book.positions()).select("account_id", "quantity").iter_rows())
    assert held == {"GEN-1": 15, "REV-1": 12}


def test_the_terms_of_corporate_actions_have_a_table_of_their_own(book):
    book.record(ROWS[:7])
    rows = book.sql("SELECT * FROM corporate_actions ORDER BY sequence").pl()
    assert rows["action_type"].to_list() == [row["kind"] for row in ROWS[:7]]
    assert rows["new_instrument_id"].to_list() == [None, None, None, "BETA", "ACMER", "OMNI", "ACMX"]
    assert rows["ratio_new"].to_list() == [3, None, None, 1, 1, 1, None]
    assert rows["ratio_old"].to_list() == [2, None, None, 4, 4, 2, None]
    assert rows["amount_per_unit"].cast(pl.Float64).to_list() == [None, 0.5, 0.25, None, None, 4.0, None]
    assert rows["sequence"].to_list() == list(range(3, 10))


def test_what_an_event_gives_is_made_where_its_symbol_is_new(book):
    receipt = book.record([ROWS[3], ROWS[4], fill(9, "1", symbol="ACMER", asset_type="RIGHT")])
    assert receipt.ok
    assert set(receipt.new_instruments) == {"BETA", "ACMER"}
    types = dict(book.instruments().select("instrument_id", "asset_type").iter_rows())
    assert types == {"ACME": "STOCK", "BETA": "STOCK", "ACMER": "RIGHT"}
    assert (
        book.record(action("P2", "spin_off", "2026-01-07T14:30:00Z", new_symbol="BETA", **SPIN)).new_instruments == ()
    )


def test_what_it_gives_is_in_the_currency_of_what_it_is_about(book):
    book.record(fill(5, "10", symbol="SHOP", currency="CAD"))
    book.record(action("P", "spin_off", AT, instrument_id="SHOP:CAD", symbol=None, new_symbol="BETA", **SPIN))
    assert "BETA:CAD" in book.instruments()["instrument_id"].to_list()
    assert frame(book.trades(kinds=["spin_off"])).select("currency", "new_instrument_id").row(0) == ("CAD", "BETA:CAD")


def test_what_nobody_knows_is_refused(book):
    receipt = book.record(
        [
            action("A", "symbol_change", AT, new_instrument_id="NOBODY"),
            action("B", "split", AT, symbol=None, instrument_id="NOBODY", ratio="2/1"),
            move("C", "fork", AT, moves=[{"instrument_id": "NOBODY", "quantity": "1"}]),
            move("D", "transfer", AT, symbol="ACME", quantity="3", to_account_id="NOBODY"),
            move("E", "transfer", AT, symbol="ACME", quantity="3", to_account_id="GEN-1"),
        ]
    )
    assert [problem.code for problem in receipt.problems] == [
        "unknown_instrument",
        "unknown_instrument",
        "unknown_instrument",
        "unknown_account",
        "same_account",
    ]
    assert receipt.accepted == 0
    assert book.instruments()["instrument_id"].to_list() == ["ACME"]


def test_a_dividend_counts_on_its_ex_date_and_moves_cash_when_it_is_paid(book):
    book.record(ROWS[1])
    for _ in range(2):
        months = book.pnl(["month"], account="GEN-1", since="2026-01-05").select("month", "dividends", "cash").rows()
        assert months == [("2026-01", 5, 0), ("2026-02", 0, 5)]
        before, after = (book.pnl(["account"], as_of=when) for when in ("2026-01-20T00:00:00Z", "2026-03-01T00:00:00Z"))
        assert before["dividends"].to_list() == after["dividends"].to_list() == [5, 4]
        assert (after["cash"] - before["cash"]).to_list() == [5, 4]
        book.fold()


def test_cash_that_is_transferred_leaves_one_account_and_comes_to_the_other(book):
    book.record([move("T", "transfer", AT, symbol="ACME", quantity="3", cash="250"), ROWS[8]])
    for _ in range(2):
        moved = book.ledger(since="2026-01-05").select("trade_id", "account_id", "amount").rows()
        assert moved == [("T", "COM-1", 250), ("T", "GEN-1", -250), ("F", "COM-1", 100), ("F", "GEN-1", -100)]
        assert book.cash(account="COM-1")["cash"].to_list() == [350]
        book.fold()
    assert_whole(book, 4)


def test_an_account_that_is_not_open_or_closed_takes_nothing(other_book):
    other_book.add_accounts([{"account_id": "CHILD", "parent_account_id": "GEN-1"}])
    paid = {"kind": "cash", "account_id": "CHILD", "cash_category": "deposit", "amount": "10"}
    rows = [
        fill(1, "10"),
        paid | {"trade_id": "P1", "executed_at": "2026-01-02T12:00:00Z"},
        fill(2, "1", account_id="CHILD", executed_at="2026-01-03T12:00:00Z"),
        move(
            "F",
            "fork",
            "2026-01-04T12:00:00Z",
            to_account_id="CHILD",
            moves=[{"instrument_id": "ACME", "percent": "50"}],
        ),
        paid | {"trade_id": "P2", "executed_at": "2026-01-05T12:00:00Z"},
        move("G", "merge", "2026-01-06T12:00:00Z", account_id="CHILD", to_account_id="GEN-1"),
        paid | {"trade_id": "P3", "executed_at": "2026-01-07T12:00:00Z"},
    ]
    for row in rows:
        assert other_book.record(row).ok
        other_book.fold()
        assert other_book.rebuild(check=True).identical
    refused = frame(other_book.refusals()).sort("sequence").select("trade_id", "code").rows()
    assert refused == [("P1", "account_not_open"), ("T2", "account_not_open"), ("P3", "account_closed")]
    assert other_book.cash(account="CHILD")["cash"].to_list() == [10]
    assert frame(other_book.positions()).select("account_id", "quantity").rows() == [("GEN-1", 10)]
