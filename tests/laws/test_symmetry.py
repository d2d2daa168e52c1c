"""Laws 6, 9 and 10: arrival, side and lot method change only what they should."""

from fractions import Fraction as F
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.direct import Scenario, answers, match, total
from tests.laws.streams import METHODS, streams

PLAIN_OPTIONS = ("CALL", "PUT", "ADJUSTED", "SETTLED")
SWAPPED = {"exercise": "assign", "assign": "exercise"}
CODES = {
    "exercise_exceeds_long": "assignment_exceeds_short",
    "assignment_exceeds_short": "exercise_exceeds_long",
}
HOWS = {"exercised": "assigned", "assigned": "exercised"}


def negated(text: str) -> str:
    """Return the number with the other sign."""
    return text.removeprefix("-") if text.startswith("-") else "-" + text


def mirror(scenario: Scenario) -> Scenario:
    """Return the scenario seen from the other side of every trade: who paid is paid."""
    events = []
    for event in scenario["events"]:
        other = {**event, "kind": SWAPPED.get(event["kind"], event["kind"])}
        for name in ("quantity", "commission", "fees"):
            if name in event:
                other[name] = negated(event[name])
        events.append(other)
    return {**scenario, "events": events}


def matches_of(answer: dict[str, list[dict[str, str]]]) -> set[tuple[Any, ...]]:
    """Return the matches without their sides' amounts: what was closed by what, and the profit."""
    names = ("account", "instrument", "open", "close", "how", "quantity", "pnl")
    return {tuple(row[name] for name in names) for row in answer["closed"]}


@given(streams())
def test_law_9_the_other_side_of_every_trade_has_the_negative_of_everything(scenario):
    ours, theirs = answers(scenario), answers(mirror(scenario))
    swapped = {(e["event"], CODES.get(e["code"], e["code"])) for e in theirs["errors"]}
    assert {(e["event"], e["code"]) for e in ours["errors"]} == swapped
    assert [(p["account"], p["instrument"], p["quantity"], p["cost_basis"]) for p in ours["positions"]] == [
        (p["account"], p["instrument"], -p["quantity"], -p["cost_basis"]) for p in theirs["positions"]
    ]
    assert matches_of(ours) == {
        (*row[:4], HOWS.get(str(row[4]), row[4]), row[5], -row[6]) for row in matches_of(theirs)
    }
    for account, totals in ours["totals"].items():
        assert {name: -amount for name, amount in totals.items()} == theirs["totals"][account]


@given(scenario=streams(options=PLAIN_OPTIONS), price=st.sampled_from(["0", "7", "12.34"]))
def test_law_10_once_flat_the_profit_is_the_same_for_every_method(scenario, price):
    for event in scenario["events"]:
        event.pop("lots", None)
    close_everything(scenario, price)
    profits = []
    for method in METHODS:
        scenario["accounts"] = {name: {"lot_method": method} for name in "AB"}
        _, matched = match(scenario)
        assert matched.lots.is_empty()
        profits.append(
            [total(matched.matches.filter(matched.matches["account_id"] == name)["realized_pnl"]) for name in "AB"]
        )
    assert all(profit == profits[0] for profit in profits)


def close_everything(scenario: Scenario, price: str) -> None:
    """Add a trade for every position that is left, options before what they cannot deliver any more."""
    for position in answers(scenario)["positions"]:
        scenario["events"].append(
            {
                "id": f"close-{position['account']}-{position['instrument']}",
                "kind": "trade",
                "at": "2026-01-16T23:00:00Z",
                "account": position["account"],
                "instrument": position["instrument"],
                "quantity": format(-position["quantity"], "f"),
                "price": price,
                "fees": "0.03",
            }
        )


@given(scenario=streams(), order=st.randoms(use_true_random=False))
def test_law_6_the_order_of_arrival_changes_nothing_when_no_two_events_share_an_instant(scenario, order):
    for number, event in enumerate(scenario["events"]):
        event["at"] = event["at"].replace(":00:00Z", f":{number:02}:00Z")
    shuffled = {**scenario, "events": list(scenario["events"])}
    order.shuffle(shuffled["events"])
    told, later = answers(scenario), answers(shuffled)
    assert by_name(told["positions"]) == by_name(later["positions"])
    assert by_name(told["closed"]) == by_name(later["closed"])
    assert told["totals"] == later["totals"]
    assert by_name(told["errors"]) == by_name(later["errors"])


def by_name(rows: list[dict[str, object]]) -> list[str]:
    """Return rows as text in a fixed order."""
    return sorted(str(row) for row in rows)


@pytest.mark.parametrize("method", METHODS)
def test_law_10_holds_for_a_repeating_decimal(method):
    buys = [("e0", "1", "10", "0.01"), ("e1", "2", "9.99", "0.02"), ("e2", "-1", "11", "0"), ("e3", "-2", "11", "0.05")]
    events = [
        {
            "id": name,
            "kind": "trade",
            "at": f"2026-01-05T15:0{n}:00Z",
            "account": "A",
            "instrument": "XYZ",
            "quantity": quantity,
            "price": price,
            "fees": fees,
        }
        for n, (name, quantity, price, fees) in enumerate(buys)
    ]
    scenario = {"accounts": {"A": {"lot_method": method}}, "instruments": {"XYZ": {"type": "stock"}}, "events": events}
    _, matched = match(scenario)
    assert total(matched.matches["realized_pnl"]) == F("33") - F("29.98") - F("0.08")
    assert matched.lots.is_empty()
