"""Fills against lots: flips, parts, fractions, and which lot goes first."""

from fractions import Fraction as F

import pytest

from tests.lots.told import D, event, told, trade


def test_a_sale_of_more_than_is_held_closes_and_opens_short_with_charges_pro_rata():
    book = told(trade("t1", "100", "10"), trade("t2", "-150", "12", commission="3"))
    assert book.closed() == [("t1", "t2", D(100), D("198"))]
    assert book.open_lots() == [("XYZ", "t2", D(-50), D("-599"))]


def test_a_purchase_of_more_than_is_short_closes_and_opens_long():
    book = told(trade("t1", "-10", "10"), trade("t2", "25", "8", fees="2.5"))
    assert book.closed() == [("t1", "t2", D(10), D("19"))]
    assert book.open_lots() == [("XYZ", "t2", D(15), D("121.5"))]


def test_a_lot_sold_in_thirds_gives_all_its_basis_and_no_more():
    book = told(trade("t1", "3", "10", fees="0.01"), *(trade(f"t{n}", "-1", "10") for n in (2, 3, 4)))
    costs = book.matched.matches.sort("close_sequence")["cost"].to_list()
    assert costs == [D("10.00333333"), D("10.00333334"), D("10.00333333")]
    assert sum(costs) == D("30.01")
    assert book.matched.lots.is_empty()


def test_a_hundred_millionth_of_a_share_is_a_share_like_any_other():
    book = told(trade("t1", "0.00000003", "100"), trade("t2", "-0.00000002", "200"))
    assert book.open_lots() == [("XYZ", "t1", D("0.00000001"), D("0.000001"))]
    assert book.closed() == [("t1", "t2", D("0.00000002"), D("0.000002"))]


def test_one_fill_closes_several_lots_and_shares_its_charges_by_quantity():
    book = told(trade("t1", "1", "10"), trade("t2", "2", "20"), trade("t3", "-3", "30", commission="1"))
    assert book.closed() == [("t1", "t3", D(1), D("19.66666667")), ("t2", "t3", D(2), D("19.33333333"))]


@pytest.mark.parametrize(
    ("method", "order"),
    [("FIFO", ["t1", "t2", "t3"]), ("LIFO", ["t3", "t2", "t1"]), ("HIFO", ["t2", "t1", "t3"])],
)
def test_the_method_says_which_lot_goes_first(method, order):
    book = told(
        trade("t1", "10", "11"), trade("t2", "10", "12"), trade("t3", "10", "10"), trade("t4", "-30", "15"),
        method=method,
    )  # fmt: skip
    assert [row[0] for row in book.closed()] == order


def test_highest_cost_counts_charges_per_unit():
    book = told(trade("t1", "100", "10"), trade("t2", "1", "10", fees="0.01"), trade("t3", "-1", "9"), method="HIFO")
    assert book.closed() == [("t2", "t3", D(1), D("-1.01"))]


def test_of_equally_dear_lots_the_oldest_goes_first():
    lots = [trade("t1", "2", "10"), trade("t2", "20", "10"), trade("t3", "3", "10")]
    book = told(*lots, trade("t4", "-3", "11"), method="HIFO")
    assert [(row[0], row[2]) for row in book.closed()] == [("t1", D(2)), ("t2", D(1))]


def test_equally_dear_is_exact_where_a_rounded_unit_cost_is_not():
    third = [trade("t1", "3", "0.3333", fees="0.0001"), trade("t2", "3", "0.33333333", fees="0.00000002")]
    book = told(*third, trade("t3", "-1", "1"), method="HIFO")
    assert book.closed()[0][0] == "t2"


def test_the_dearest_short_is_the_one_with_the_highest_credit():
    shorts = [trade("t1", "-1", "10"), trade("t2", "-1", "12"), trade("t3", "-1", "11", fees="2")]
    book = told(*shorts, trade("t4", "3", "9"), method="HIFO")
    assert [row[0] for row in book.closed()] == ["t2", "t1", "t3"]


def test_an_average_pool_is_one_lot_named_by_a_star():
    book = told(trade("t1", "1", "10"), trade("t2", "2", "13"), trade("t3", "-1", "20"), method="AVERAGE")
    assert book.closed() == [("*", "t3", D(1), D("8"))]
    assert book.open_lots() == [("XYZ", "*", D(2), D(24))]
    assert book.positions("open_trade_id", "average_price") == [("t1", D(12))]


def test_an_average_pool_that_was_flat_begins_anew():
    book = told(
        trade("t1", "1", "10"), trade("t2", "-1", "11"), trade("t3", "2", "20"), trade("t4", "2", "10"),
        method="AVERAGE",
    )  # fmt: skip
    assert book.open_lots() == [("XYZ", "*", D(4), D(60))]
    assert book.matched.lots["open_sequence"].to_list() == [3]


def test_an_average_pool_turns_over_when_the_side_flips():
    book = told(trade("t1", "2", "10"), trade("t2", "2", "20"), trade("t3", "-6", "30"), method="AVERAGE")
    assert book.closed() == [("*", "t3", D(4), D(60))]
    assert book.open_lots() == [("XYZ", "*", D(-2), D(-60))]


@pytest.mark.parametrize("method", ["FIFO", "LIFO", "HIFO", "SPECIFIC"])
def test_named_lots_go_first_whatever_the_method(method):
    names = [{"open": "t2", "quantity": "1"}, {"open": "t1", "quantity": "2"}]
    lots = [trade("t1", "3", "10"), trade("t2", "3", "20"), trade("t3", "3", "30")]
    book = told(*lots, trade("t4", "-3", "25", lots=names), method=method)
    assert [(row[0], row[2]) for row in book.closed()] == [("t2", D(1)), ("t1", D(2))]


def test_an_average_pool_heeds_no_names():
    names = [{"open": "t9", "quantity": "7"}]
    book = told(trade("t1", "3", "10"), trade("t2", "-1", "25", lots=names), method="AVERAGE")
    assert book.closed() == [("*", "t2", D(1), D(15))]


def test_a_specific_account_without_names_closes_the_oldest():
    lots = [trade("t1", "1", "10"), trade("t2", "1", "20")]
    assert told(*lots, trade("t3", "-1", "25"), method="SPECIFIC").closed() == [("t1", "t3", D(1), D(15))]


def test_one_name_twice_counts_together():
    names = [{"open": "t1", "quantity": "1"}, {"open": "t1", "quantity": "1"}]
    book = told(trade("t1", "2", "10"), trade("t2", "-2", "11", lots=names))
    assert sum(row[2] for row in book.closed()) == D(2)


def test_the_legs_of_one_trade_are_named_together():
    legs = [trade("t1", "10", "10", leg="1"), trade("leg1", "10", "12", trade_id="t1", leg="2")]
    sale = trade("t2", "-15", "20", lots=[{"open": "t1", "quantity": "15"}])
    book = told(*legs, sale)
    assert book.refusals() == []
    assert [(row[0], row[2], row[3]) for row in book.closed()] == [("t1", D(10), D(100)), ("t1", D(5), D(40))]


def test_stock_that_an_exercise_brought_is_named_by_the_exercise():
    brought = [
        trade("t1", "2", "3", "C50"),
        trade("t2", "1", "4", "C50"),
        event("exercise", "x3", "C50", contracts="3"),
    ]
    book = told(*brought, trade("t4", "50", "40"), trade("t5", "-300", "60", lots=[{"open": "x3", "quantity": "300"}]))
    assert [(row[0], row[2]) for row in book.closed() if row[1] == "t5"] == [("x3", D(200)), ("x3", D(100))]


def test_the_premium_of_an_assigned_put_is_in_the_stock():
    book = told(trade("t1", "-1", "1.5", "P45", fees="0.5"), event("assign", "a2", "P45", contracts="1", fees="1"))
    assert book.open_lots() == [("XYZ", "a2", D(100), D("4351.5"))]
    assert [(row[2], row[3]) for row in book.closed()] == [(D(1), D(0))]
    assert book.matched.cash_flows["amount"].to_list() == [D(-4501)]


def test_the_strike_of_many_odd_contracts_is_rounded_once():
    """In two steps, first for one contract, the last digit would be another."""
    book = told(trade("t1", "824", "0", "ODD"), event("exercise", "x2", "ODD", contracts="824"))
    exact = F(824) * F("47.123456789012") * F("10.12345678")
    assert book.matched.cash_flows["amount"].to_list() == [D(round(exact * 10**8)).scaleb(-8)]


def test_a_settlement_in_cash_of_many_odd_contracts_is_rounded_once():
    late = {"at": "2026-01-16T22:00:00Z", "settlement_price": "5847.123456789012"}
    book = told(trade("t1", "-949", "0", "I_ODD"), event("cash_settle", "s2", "I_ODD", **late))
    exact = F(949) * (F("5847.123456789012") - 5800) * F("10.12345678")
    assert book.matched.cash_flows["amount"].to_list() == [-D(round(exact * 10**8)).scaleb(-8)]
