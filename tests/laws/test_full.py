"""The laws over streams of every kind of event: corporate actions, moves, forks, merges, subscriptions."""

import itertools
from fractions import Fraction as F
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.laws.books import THOROUGH
from tests.laws.direct import Scenario, answers, instrument_frame, log_frame, match, methods_of, standing_of, total
from tests.laws.full import ACTIONS, EXERCISES, MERGERS, TRADES, full_streams
from tests.laws.streams import METHODS
from tests.laws.test_resume import TABLES, rows_of
from tests.reference.oracle import compute
from tradelake.jobs.compare import compare
from tradelake.lots import Matched, in_effect, match_events
from tradelake.lots.engine import COMPILE_FROM
from tradelake.positions import Summary, summarise
from tradelake.tables import MATCHES, REFUSALS

MANY = settings(max_examples=60 if THOROUGH else 40)
ALONE = (TRADES, TRADES, TRADES, EXERCISES, ACTIONS, MERGERS)


@MANY
@given(full_streams())
def test_law_8_every_kind_of_event_is_as_the_reference_says(scenario):
    try:
        wanted = compute({**scenario, "expected": {}})
    except AssertionError:
        assume(False)  # outside the reference's format
    wanted = {key: value for key, value in wanted.items() if key not in ("groups", "trade_dates")}
    assert compare(wanted, answers(scenario)) == []


@MANY
@given(full_streams())
def test_law_8_the_compiled_kernel_is_the_plain_one(scenario):
    _, plain = match(scenario)
    _, compiled = match(scenario, compile_from=0)
    for name in ("matches", "lots", "episodes", "cash_flows", "refusals"):
        assert getattr(plain, name).equals(getattr(compiled, name)), name


@MANY
@given(full_streams())
def test_laws_2_and_3_no_money_is_lost_or_made(scenario):
    """Cash is profit and dividends less open basis, over all accounts: what moves between them moves in pairs."""
    log, matched = match(scenario)
    refused = set(matched.refusals["sequence"])
    traded = [
        e["net_amount"] for e in log.iter_rows(named=True) if e["kind"] == "trade" and e["sequence"] not in refused
    ]
    cash = sum(map(F, traded), F(0)) + total(matched.cash_flows["amount"])
    dividends = total(matched.cash_flows.filter(pl.col("category") == "dividend")["amount"])
    assert cash == total(matched.matches["realized_pnl"]) + dividends - total(matched.lots["cost_basis"])


@MANY
@given(full_streams())
def test_both_views_of_premium_differ_by_what_open_lots_carry(scenario):
    _, matched = match(scenario)
    assert total(matched.matches["premium"]) == -total(matched.lots["premium"])


@MANY
@given(scenario=full_streams(kinds=ALONE), price=st.sampled_from(["0", "7", "12.34"]))
def test_law_10_once_flat_the_profit_is_the_same_for_every_method_and_in_both_views(scenario, price):
    for event in scenario["events"]:
        event.pop("lots", None)
        # A taxable exchange, a return of capital or a boot realizes what the lots' basis allows: their sum stays.
    profits = []
    for method in METHODS:
        scenario["accounts"] = {name: {"lot_method": method} for name in "AB"} | {"A1": {"parent": "A"}}
        told = {**scenario, "events": [*scenario["events"], *closings(scenario, price)]}
        _, matched = match(told)
        assert matched.lots.is_empty()
        assert total(matched.matches["premium"]) == 0
        profits.append([total(matched.matches.filter(pl.col("account_id") == name)["realized_pnl"]) for name in "AB"])
    assert all(profit == profits[0] for profit in profits)


def closings(scenario: Scenario, price: str) -> list[dict[str, Any]]:
    """Return a trade for every position that is left."""
    _, matched = match(scenario)
    held = matched.lots.group_by("account_id", "instrument_id", maintain_order=True).agg(pl.col("quantity").sum())
    return [
        {
            "id": f"close-{account}-{instrument}",
            "kind": "trade",
            "at": "2026-01-16T23:00:00Z",
            "account": account,
            "instrument": instrument,
            "quantity": format(-quantity, "f"),
            "price": price,
        }
        for account, instrument, quantity in held.iter_rows()
    ]


@MANY
@given(scenario=full_streams(kinds=ALONE), data=st.data())
def test_law_13_a_fork_that_is_merged_back_changes_nothing(scenario, data):
    at = data.draw(st.sampled_from(["2026-01-06T16:00:00Z", "2026-01-08T20:00:00Z"]))
    moves = []
    for position in answers({**scenario, "events": [e for e in scenario["events"] if e["at"] < at]})["positions"]:
        if position["account"] == "A":
            part = data.draw(st.sampled_from(["all", "some"]))
            size = abs(position["quantity"])
            whole = size if part == "all" or size < 1 else size // 3 or size
            moves.append({"instrument": position["instrument"], "quantity": format(whole, "f")})
    detour = [
        {"id": "fork", "kind": "fork", "at": at, "account": "A", "to": "A1", "moves": moves, "cash": "7.77"},
        {"id": "back", "kind": "merge", "at": at.replace(":00Z", ":01Z"), "account": "A1", "to": "A", "cash": "7.77"},
    ]
    straight, led_round = answers(scenario), answers({**scenario, "events": [*scenario["events"], *detour]})
    straight["totals"].pop("A1")
    led_round["totals"].pop("A1")
    assert led_round == straight


@pytest.mark.parametrize("compile_from", [COMPILE_FROM, 0], ids=["plain", "compiled"])
@MANY
@given(scenario=full_streams(), cuts=st.sets(st.integers(0, 9), max_size=3))
def test_law_8_a_run_carried_on_is_the_run_from_the_first_event(compile_from, scenario, cuts):
    whole, parts = (derived(scenario, chosen, compile_from=compile_from) for chosen in ([], sorted(cuts)))
    for table in TABLES:
        assert parts[table.name].equals(whole[table.name]), table.name


def derived(scenario: Scenario, cuts: list[int], *, compile_from: int) -> dict[str, pl.DataFrame]:
    """Derive all tables in one run, or in several: each cut is a number of instants that go before it."""
    instruments = instrument_frame(scenario)
    events = in_effect(log_frame(scenario)[0], instruments)
    instants = events["executed_at"].unique().sort().to_list()
    bounds = [None, *(instants[cut] for cut in cuts if cut < len(instants)), None]
    runs: list[tuple[Matched, Summary]] = []
    standing = standing_of(scenario)
    for first, last in itertools.pairwise(bounds):
        window = pl.lit(value=True)
        if first is not None:
            window &= pl.col("executed_at") >= first
        if last is not None:
            window &= pl.col("executed_at") < last
        told = events.filter(window)
        matched = match_events(
            told,
            instruments,
            methods_of(scenario),
            lots=runs[-1][0].lots if runs else None,
            positions=runs[-1][1].positions if runs else None,
            standing=standing,
            compile_from=compile_from,
        )
        standing = followed(standing, told, matched)
        prior = MATCHES.empty()
        if runs:
            earlier = pl.concat([run.matches for run, _ in runs])
            prior = earlier.join(runs[-1][1].positions, on="position_id", how="semi")
        runs.append((matched, summarise(matched.episodes, matched.lots, pl.concat([prior, matched.matches]))))
    return {table.name: rows_of(table, runs) for table in TABLES}


def followed(standing: dict[str, str], events: pl.DataFrame, matched: Matched) -> dict[str, str]:
    """Return which accounts are not open after the events."""
    after = dict(standing)
    effective = events.join(matched.refusals.select(REFUSALS.names[0]), on="sequence", how="anti")
    for kind, account, to in effective.select("kind", "account_id", "to_account_id").iter_rows():
        if kind == "fork" and after.get(to) == "NOT_OPEN":
            del after[to]
        if kind == "merge":
            after[account] = "CLOSED"
    return after
