"""Laws 1, 2 and 3: nothing is lost or made, neither units nor money, whatever happens to a contract."""

from collections import defaultdict
from decimal import Decimal
from fractions import Fraction as F
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.laws.direct import Scenario, match, total, total_rows
from tests.laws.streams import OPTIONS, streams
from tradelake.lots import Matched

Sums = dict[tuple[str, str], F]
DELIVERED = {
    "CALL": {"XYZ": F(100)},
    "PUT": {"XYZ": F(100)},
    "ODD": {"XYZ": F("10.12345678")},
    "ADJUSTED": {"XYZ": F(150), "ABC": F("33.5")},
    "CASH_ONLY": {},
}
BUYERS = {("CALL", "exercise"), ("ADJUSTED", "exercise"), ("PUT", "assign"), ("ODD", "assign"), ("CASH_ONLY", "assign")}
SINGLE = tuple(name for name in OPTIONS if name != "ADJUSTED")


def accepted(scenario: Scenario, matched: Matched) -> list[dict[str, Any]]:
    """Return the events that have an effect."""
    refused = set(matched.refusals["trade_id"])
    return [event for event in scenario["events"] if event["id"] not in refused]


def summed(rows: list[tuple[str, str, Any]]) -> Sums:
    """Return the sums by account and instrument, zeros left out."""
    sums: Sums = defaultdict(F)
    for account, instrument, value in rows:
        sums[account, instrument] += F(value)
    return {key: value for key, value in sums.items() if value}


@given(streams())
def test_law_1_units_in_are_units_matched_and_units_open(scenario):
    _, matched = match(scenario)
    moved = []
    for event in accepted(scenario, matched):
        account, instrument = event["account"], event["instrument"]
        if event["kind"] == "trade":
            moved.append((account, instrument, F(event["quantity"])))
        if event["kind"] in ("exercise", "assign"):
            sign = 1 if (instrument, event["kind"]) in BUYERS else -1
            for stock, each in DELIVERED[instrument].items():
                moved.append((account, stock, sign * each * F(event["contracts"])))
    for row in matched.matches.filter(matched.matches["how"] != "trade").iter_rows(named=True):
        sign = -1 if row["side"] == "LONG" else 1
        moved.append((row["account_id"], row["instrument_id"], sign * F(row["quantity"])))
    held = summed(matched.lots.select("account_id", "instrument_id", "quantity").rows())
    assert summed(moved) == held


@given(streams(options=SINGLE))
def test_law_2_basis_in_is_basis_matched_and_basis_open(scenario):
    log, matched = match(scenario)
    flows = dict(matched.cash_flows.select("sequence", "amount").iter_rows())
    refused = set(matched.refusals["sequence"])
    came = [
        (event["account_id"], event["symbol"], -(event["net_amount"] or flows.get(event["sequence"], Decimal(0))))
        for event in log.iter_rows(named=True)
        if event["sequence"] not in refused
    ]
    came += matched.matches.select("account_id", "symbol", "realized_pnl").rows()
    assert summed(came) == summed(matched.lots.select("account_id", "symbol", "cost_basis").rows())


@given(
    streams(), st.lists(st.tuples(st.sampled_from(["deposit", "fee", "interest"]), st.integers(-999, 999)), max_size=4)
)
def test_law_3_cash_is_profit_and_deposits_less_fees_and_open_basis(scenario, movements):
    for number, (category, amount) in enumerate(movements):
        event = {"id": f"c{number}", "kind": "cash", "at": "2026-01-13T15:00:00Z", "account": "A"}
        scenario["events"].append({**event, "category": category, "amount": f"{amount}.37"})
    log, matched = match(scenario)
    totals = total_rows(scenario, log, matched)
    for account, answer in totals.items():
        basis = total(matched.lots.filter(matched.lots["account_id"] == account)["cost_basis"])
        told = [F(event["amount"]) for event in scenario["events"] if event["kind"] == "cash" and account == "A"]
        assert F(answer["cash"]) == F(answer["realized_pnl"]) + F(answer["dividends"]) + sum(told) - basis


@given(streams())
def test_fees_are_all_charges_of_all_events_that_have_an_effect(scenario):
    log, matched = match(scenario)
    answers = total_rows(scenario, log, matched)
    told: Sums = defaultdict(F)
    for event in accepted(scenario, matched):
        told[event["account"], ""] += F(event["commission"]) + F(event["fees"])
    assert {account: F(answer["fees"]) for account, answer in answers.items()} == {
        account: told[account, ""] for account in answers
    }
