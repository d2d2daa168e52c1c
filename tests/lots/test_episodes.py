"""Positions from flat to flat: where they begin and end, and what they add up to."""

import pytest

from tests.lots.told import D, event, single, told, trade
from tradelake.tables import POSITION_HISTORY, POSITIONS


def test_a_position_begins_with_its_first_opening_and_ends_with_the_fill_that_makes_it_flat():
    book = told(trade("t1", "10", "10"), trade("t2", "5", "11"), trade("t3", "-8", "12"), trade("t4", "-7", "13"))
    links = ("open_trade_id", "open_sequence", "close_trade_id", "close_sequence", "quantity_closed", "side", "status")
    assert book.history(*links) == [("t1", 1, "t4", 4, D(15), "LONG", "CLOSED")]
    assert book.history("proceeds", "cost", "realized_pnl") == [(D(187), D(155), D(32))]
    assert book.summary.positions.is_empty()


def test_after_flat_a_new_position_begins():
    book = told(*(trade(f"t{n}", quantity, "10") for n, quantity in enumerate(["1", "-1", "2", "-2", "3"], start=1)))
    assert book.history("open_trade_id", "close_trade_id") == [("t1", "t2"), ("t3", "t4")]
    assert book.positions("open_trade_id", "quantity", "status") == [("t5", D(3), "OPEN")]


def test_a_flip_ends_one_position_and_begins_the_other_with_the_same_fill():
    book = told(trade("t1", "10", "10"), trade("t2", "-15", "11"), trade("t3", "5", "9"))
    links = ("open_trade_id", "close_trade_id", "side", "quantity_closed", "realized_pnl")
    assert book.history(*links) == [("t1", "t2", "LONG", D(10), D(10)), ("t2", "t3", "SHORT", D(5), D(10))]


def test_an_open_position_carries_what_it_has_realized():
    book = told(trade("t1", "10", "10"), trade("t2", "-4", "11"))
    row = single(book.summary.positions)
    assert (row["quantity"], row["realized_pnl"], row["cost_basis"]) == (D(6), D(4), D(60))
    assert (row["unrealized_pnl"], row["closed_at"]) == (None, None)


def test_an_exercise_ends_the_option_and_begins_the_stock():
    book = told(trade("t1", "1", "2", "C50"), event("exercise", "x2", "C50", contracts="1"))
    assert book.history("instrument_id", "open_trade_id", "close_trade_id", "realized_pnl") == [
        ("C50", "t1", "x2", D(0))
    ]
    assert book.positions("instrument_id", "open_trade_id", "cost_basis") == [("XYZ", "x2", D(5200))]


def test_the_stock_of_two_lots_of_an_exercised_option_is_one_position():
    options = [trade("t1", "1", "2", "C50"), trade("t2", "1", "3", "C50")]
    book = told(trade("t0", "-150", "60"), *options, event("exercise", "x3", "C50", contracts="2"))
    assert book.history("instrument_id", "close_trade_id")[0] == ("XYZ", "x3")
    assert book.positions("instrument_id", "quantity", "open_trade_id") == [("XYZ", D(50), "x3")]


def test_positions_of_trades_and_legs_with_likeable_names_stay_apart():
    first = [trade("t2", "10", "10", trade_id="t.2"), trade("c3", "-10", "11")]
    second = [trade("t4", "10", "20", trade_id="t", leg="2"), trade("d5", "-10", "19")]
    book = told(*first, *second)
    assert book.history("open_trade_id", "quantity_closed", "realized_pnl") == [
        ("t.2", D(10), D(10)),
        ("t", D(10), D(-10)),
    ]
    assert book.summary.history["position_id"].n_unique() == 2


def test_an_expired_option_ends_by_its_expiry():
    at = "2026-01-16T22:00:00Z"
    book = told(trade("t1", "-2", "1", "P45"), event("expire", "e2", "P45", at=at))
    assert book.history("close_trade_id", "realized_pnl", "side") == [("e2", D(200), "SHORT")]
    assert book.matched.matches["how"].to_list() == ["expired"]


def test_rows_come_in_the_shape_and_order_of_their_tables():
    book = told(trade("t1", "1", "1", "ABC"), trade("t2", "1", "1"), trade("t3", "-1", "1", "ABC"))
    assert book.summary.positions.schema == POSITIONS.schema
    assert book.summary.history.schema == POSITION_HISTORY.schema
    both = told(trade("t1", "1", "1"), trade("t2", "1", "1", "ABC"))
    assert both.positions("instrument_id") == [("ABC",), ("XYZ",)]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"trade_id": "t#", "leg": "2"}, {"trade_id": "t", "leg": "#2"}),
        ({"trade_id": "t#2"}, {"trade_id": "t", "leg": "2"}),
        ({"trade_id": "t%232"}, {"trade_id": "t#2"}),
    ],
)
def test_no_two_events_give_one_position_id(first, second):
    book = told(
        trade("t1", "1", "10", **first),
        trade("c2", "-1", "11"),
        trade("t3", "1", "10", **second),
        trade("c4", "-1", "9"),
    )
    assert book.summary.history["position_id"].n_unique() == 2
    assert sorted(row[0] for row in book.history("realized_pnl")) == [D(-1), D(1)]
