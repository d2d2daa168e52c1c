"""Labels: what a chain is called by the legs that were opened together first, and by its stock."""

from typing import Any

import pytest

from tests.positions.chained import Event, chained, event, trade, wish

EXPIRY = "2026-01-16T21:00:00Z"


def opened(*legs: tuple[str, str], **fields: Any) -> list[Event]:
    """Return legs opened on one order, a minute apart."""
    return [trade(f"05T15:{n:02}", *leg, order_id="O1", **fields) for n, leg in enumerate(legs)]


@pytest.mark.parametrize(
    ("label", "legs"),
    [
        ("long_stock", [("XYZ", "100")]),
        ("short_stock", [("XYZ", "-100")]),
        ("short_put", [("JP45", "-1")]),
        ("long_put", [("JP45", "1")]),
        ("short_call", [("JC45", "-1")]),
        ("long_call", [("JC45", "1")]),
        ("covered_call", [("XYZ", "100"), ("JC50", "-1")]),
        ("covered_call", [("XYZ", "200"), ("JC50", "-1"), ("JC55", "-1")]),
        ("protective_put", [("JP45", "1"), ("XYZ", "100")]),
        ("collar", [("JC50", "-1"), ("XYZ", "100"), ("JP45", "1")]),
        ("vertical", [("JP45", "-1"), ("JP40", "1")]),
        ("vertical", [("JC45", "3"), ("JC50", "-3")]),
        ("ratio_spread", [("JC45", "1"), ("JC50", "-2")]),
        ("calendar", [("JC45", "-1"), ("FC45", "1")]),
        ("diagonal", [("JC50", "-1"), ("FC45", "1")]),
        ("straddle", [("JC50", "-1"), ("JP50", "-1")]),
        ("strangle", [("JC55", "2"), ("JP45", "2")]),
        ("iron_condor", [("JP40", "1"), ("JP45", "-1"), ("JC55", "-1"), ("JC60", "1")]),
        ("iron_condor", [("JC60", "-2"), ("JP45", "2"), ("JP40", "-2"), ("JC55", "2")]),
        ("iron_butterfly", [("JP45", "1"), ("JP50", "-1"), ("JC50", "-1"), ("JC55", "1")]),
        ("butterfly", [("JC45", "1"), ("JC50", "-2"), ("JC60", "1")]),
        ("condor", [("JC45", "1"), ("JC50", "-1"), ("JC55", "-1"), ("JC60", "1")]),
        ("custom", [("JC45", "1"), ("JC50", "1")]),
        ("custom", [("JC45", "1"), ("JP50", "-1")]),
        ("custom", [("JC45", "-1"), ("JP45", "-2")]),
        ("custom", [("JC45", "-1"), ("FP45", "-1")]),
        ("custom", [("JC45", "1"), ("FC50", "-2")]),
        ("custom", [("JC45", "1"), ("JC50", "-1"), ("JC60", "1")]),
        ("custom", [("JP40", "1"), ("JP45", "-1"), ("JC55", "-2"), ("JC60", "2")]),
        ("custom", [("JP40", "1"), ("JP45", "-1"), ("JC55", "1"), ("JC60", "-1")]),
        ("custom", [("JP40", "1"), ("JP55", "-1"), ("JC50", "-1"), ("JC60", "1")]),
        ("custom", [("JC45", "1"), ("JC50", "-1"), ("JP55", "-1"), ("JP60", "1")]),
        ("custom", [("JC40", "1"), ("JC45", "-1"), ("JC50", "1"), ("JC55", "-1"), ("JC60", "1")]),
        ("custom", [("XYZ", "-100"), ("JP45", "-1")]),
        ("custom", [("XYZ", "100"), ("JP45", "-1")]),
        ("custom", [("XYZ", "100"), ("ABC", "1")]),
        ("custom", [("RIGHT", "10")]),
    ],
)
def test_legs_of_one_order_make(label, legs):
    assert chained(*opened(*legs), instruments={"RIGHT": {"type": "right"}}).rows("label") == [(label,)]


def test_small_fills_of_one_order_count_together():
    legs = opened(("JC45", "1"), ("JC50", "-1"), ("JC55", "1"))
    more = trade("05T15:10", "JC50", "-1", order_id="O1")
    assert chained(*legs, more).rows("label") == [("butterfly",)]


def test_what_is_added_or_closed_later_changes_no_label():
    legs = opened(("JC45", "1"), ("JC50", "-1"))
    later = [trade("06T15:00", "JC50", "-1"), trade("07T15:00", "JC45", "-1"), trade("08T15:00", "FC60", "-1")]
    assert chained(*legs, *later).rows("label")[0] == ("vertical",)


def test_a_leg_that_turns_a_position_round_counts_with_what_it_opens():
    before, legs = trade("04T15:00", "JC50", "3"), opened(("JC45", "1"), ("JC50", "-4"))
    assert chained(before, *legs).rows("label", "positions") == [("long_call", 3)]
    apart = wish("chain_split", "09T15:00", trades=[before["id"]])
    assert chained(before, *legs, apart).rows("label", "positions") == [("long_call", 1), ("vertical", 2)]


def test_rolls_keep_the_label():
    legs = opened(("JP45", "-1"), ("JP40", "1"))
    rolled = [trade("14T15:00", "JP45", "1"), trade("14T15:01", "FP44", "-1")]
    assert chained(*legs, *rolled).rows("label", "rolls") == [("vertical", 1)]


def test_an_assigned_spread_is_still_that_spread_and_has_its_stock():
    assigned = event("assign", EXPIRY, "JP45", contracts="1")
    exercised = event("exercise", EXPIRY, "JP40", contracts="1", id="x")
    answer = chained(*opened(("JP45", "-1"), ("JP40", "1")), assigned)
    assert answer.rows("label", "positions", "assignments", "status") == [("vertical", 3, 1, "OPEN")]
    done = chained(*opened(("JP45", "-1"), ("JP40", "1")), assigned, exercised)
    assert done.rows("label", "positions", "assignments", "status") == [("vertical", 3, 2, "CLOSED")]


def test_stock_is_a_covered_call_once_a_call_is_written_on_it():
    stock = trade("05T15:00", "XYZ", "100")
    assert chained(stock, trade("06T15:00", "JC50", "-1")).rows("label") == [("covered_call",)]


@pytest.mark.parametrize(
    ("label", "later"),
    [
        ("protective_put", [("06T15:00", "JP45", "1")]),
        ("collar", [("06T15:00", "JP45", "1"), ("07T15:00", "JC50", "-1")]),
        ("collar", [("06T15:00", "JC50", "-1"), ("07T15:00", "JP45", "1")]),
        ("collar", [("06T15:00", "JC50", "-1"), ("06T15:00", "JP45", "1"), ("06T15:00", "XYZ", "5")]),
        ("covered_call", [("06T15:00", "JP45", "1"), ("07T15:00", "JP45", "-1"), ("08T15:00", "JC50", "-1")]),
        ("covered_call", [("06T15:00", "JC50", "-1"), ("07T15:00", "JC50", "1"), ("08T15:00", "JP45", "1")]),
    ],
)
def test_options_that_come_to_stock_later_make(label, later):
    assert chained(trade("05T15:00", "XYZ", "100"), *(trade(*leg) for leg in later)).rows("label") == [(label,)]


def test_a_call_written_on_exercised_stock_is_a_covered_call_and_a_put_bought_for_it_changes_nothing():
    told = [trade("05T15:00", "JC45", "1"), event("exercise", "06T15:00", "JC45", contracts="1")]
    assert chained(*told, trade("07T15:00", "JC50", "-1")).rows("label") == [("covered_call",)]
    assert chained(*told, trade("07T15:00", "JP40", "1")).rows("label") == [("long_call",)]


def test_legs_that_a_fork_brought_together_are_a_structure():
    legs = opened(("JP45", "-1"), ("JP40", "1"), ("XYZ", "100"), ("JC55", "-1"))
    moves = [{"instrument": name, "quantity": size} for name, size in (("XYZ", "100"), ("JC55", "1"))]
    fork = {"id": "f", "kind": "fork", "at": "2026-01-06T15:00:00Z", "account": "A", "to": "B", "moves": moves}
    assert chained(*legs, fork).rows("account_id", "label") == [("A", "custom"), ("B", "covered_call")]
