"""Laws of chains: they are a partition of the positions, and what they earned is what the account earned."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.direct import instrument_frame, match
from tests.laws.streams import streams
from tests.positions.chained import Chained, of_matched, override_row
from tests.reference.fuzz import Gen
from tradelake.lots import in_effect
from tradelake.positions.links import Union
from tradelake.positions.rolls import Fill, roll_links
from tradelake.tables import TRADE_LOG

START = datetime(2026, 1, 5, 15, tzinfo=UTC)
MONEY = ("realized_pnl", "realized_premium", "cost_basis", "premium")
MARKS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 5)), min_size=1, max_size=60)
Scenario = dict[str, Any]


def marked(log: pl.DataFrame, marks: list[tuple[int, int]]) -> pl.DataFrame:
    """Return the log with some orders and tags, and with overrides that refer to something or to nothing."""
    rows = []
    for number, row in enumerate(log.iter_rows(named=True)):
        order, tag = marks[number % len(marks)]
        details = json.loads(row["details"]) if row["details"] else {}
        if tag == 0 and row["kind"] == "trade":
            details["tags"] = [f"chain:{number % 2}"]
        rows.append(row | {"order_id": f"o{order}" if order < 3 else None, "details": json.dumps(details)})
    names = [row["trade_id"] for row in rows]
    for number, (order, tag) in enumerate(marks[:4]):
        account = rows[0]["account_id"] or "A"
        named = [names[n % len(names)] for n in (order, tag)]
        wanted = [
            ("chain_split", {"trades": named}),
            ("chain_join", {"chains": ["0", "1", *named]}),
            ("chain_name", {"chain": "0", "name": "1"}),
        ][tag % 3]
        event = {"id": f"w{number}", "kind": wanted[0], "at": "2026-06-01T15:00:00Z", "account": account}
        rows.append(override_row(event | {"chain": wanted[1]}, 10**6 + number))
    return pl.DataFrame(rows, schema=TRADE_LOG.schema)


def chains_of_marked(scenario: Scenario, marks: list[tuple[int, int]]) -> Chained:
    log, matched = match(scenario)
    instruments = instrument_frame(scenario)
    return of_matched(matched, in_effect(marked(log, marks), instruments), instruments)


def assert_laws(answer: Chained) -> None:
    """Every position and match in one chain; every sum of the chains is that of the account."""
    chains, positions = answer.chains.chains, answer.chains.positions
    summary, matches, lots = answer.summary, answer.matched.matches, answer.matched.lots
    held = [*summary.positions["position_id"], *summary.history["position_id"]]
    assert sorted(positions["position_id"]) == sorted(held)
    assert set(chains["chain_id"]) == set(positions["chain_id"])
    assert chains["chain_id"].n_unique() == chains.height
    in_chains = matches.join(positions.select("position_id", "chain_id"), on="position_id")
    assert in_chains.height == matches.height
    per_chain = dict(in_chains.group_by("chain_id").agg(pl.col("realized_pnl").sum()).iter_rows())
    for chain in chains.iter_rows(named=True):
        own = positions.filter(pl.col("chain_id") == chain["chain_id"])
        assert {(chain["account_id"], chain["currency"])} == set(own.select("account_id", "currency").rows())
        assert chain["realized_pnl"] == per_chain.get(chain["chain_id"], 0)
        assert chain["positions"] == own.height
        assert (chain["status"] == "CLOSED") == (own["status"] == "CLOSED").all()
        first = own.sort("opened_at", "position_id").row(0, named=True)
        assert (chain["chain_id"], chain["opened_at"]) == (first["position_id"], first["opened_at"])
    totals = [chains[name].sum() for name in MONEY]
    amounts = (matches["realized_pnl"], matches["premium"], lots["cost_basis"], lots["premium"])
    assert totals == [column.sum() for column in amounts]
    option = pl.col("asset_type") == "OPTION"
    earned = matches.filter(option).select(pl.col("realized_pnl") + pl.col("premium")).sum().item()
    assert chains["net_credit"].sum() == earned - lots.filter(option)["cost_basis"].sum()


@given(streams(), MARKS)
def test_chains_of_streams_full_of_refusals_are_a_partition_that_adds_up(scenario, marks):
    assert_laws(chains_of_marked(scenario, marks))


@settings(max_examples=20)
@given(st.integers(0, 10**9), MARKS)
def test_chains_of_all_kinds_of_events_are_a_partition_that_adds_up(seed, marks):
    assert_laws(chains_of_marked(Gen(seed, 50, "full").run(), marks))


@given(
    st.lists(st.tuples(st.integers(0, 60), st.sampled_from("XYZ"), st.integers(0, 9), st.booleans()), max_size=30),
    st.integers(0, 20),
)
def test_rolls_link_what_comparing_every_pair_of_fills_links(told, minutes):
    fills = [(Fill(("A",), name, number, START + timedelta(minutes=at), ()), opens) for at, name, number, opens in told]
    fills.sort(key=lambda fill: fill[0].at)
    closings, openings = ([fill for fill, opens in fills if opens is wanted] for wanted in (False, True))
    window = timedelta(minutes=minutes)
    every = [
        (one.episode, other.episode)
        for one in closings
        for other in openings
        if one.instrument_id != other.instrument_id and abs(one.at - other.at) <= window
    ]
    fast, slow = Union(10), Union(10)
    fast.join(roll_links(closings, openings, window))
    slow.join(every)
    assert [fast.root(n) for n in range(10)] == [slow.root(n) for n in range(10)]
