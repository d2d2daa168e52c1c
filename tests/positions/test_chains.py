"""What belongs together: orders, tags, rolls, assignments, covers and corporate actions, and what it earned."""

from datetime import timedelta

import pytest

from tests.positions.chained import Chained, D, chained, event, trade
from tradelake.errors import InvariantError
from tradelake.positions import chains_in_view, chains_of
from tradelake.tables import CHAIN_POSITIONS, CHAINS, INSTRUMENTS, LOTS, MATCHES, POSITION_HISTORY, POSITIONS, TRADE_LOG

EXPIRY, LATER, LAST = "2026-01-16T21:00:00Z", "2026-02-20T21:00:00Z", "2026-03-20T20:00:00Z"
FEE = {"commission": "0.65"}
PUT = trade("05T15:00", "JP45", "-1", "2", **FEE)
WHEEL = [
    PUT,
    event("assign", EXPIRY, "JP45", contracts="1"),
    trade("20T15:00", "FC47", "-1", "1", **FEE),
    event("expire", LATER, "FC47"),
    trade("2026-02-23T15:00:00Z", "MC47", "-1", "1.2", **FEE),
    event("assign", LAST, "MC47", contracts="1"),
]


def roll(minutes: int, **fields: object) -> list[dict[str, object]]:
    """Return a put that is bought back, and another sold so many minutes later."""
    bought = trade("14T15:30", "JP45", "1", "3", **fields)
    sold = trade(f"14T{15 + (30 + minutes) // 60}:{(30 + minutes) % 60:02}", "FP44", "-1", "3.5", **fields)
    return [trade("05T15:00", "JP45", "-1", "2"), bought, sold]


def test_a_roll_on_one_order_is_one_chain_however_long_it_took():
    row = chained(*roll(55, order_id="O1")).row()
    assert (row["label"], row["positions"], row["rolls"], row["status"]) == ("short_put", 2, 1, "OPEN")
    assert (row["realized_pnl"], row["cost_basis"], row["net_credit"]) == (D(-100), D(-350), D(250))
    assert row["chain_id"] == "A:JP45:JP45@05T15:00"


@pytest.mark.parametrize("minutes", [-15, -1, 0, 1, 15])
def test_a_roll_within_the_window_is_one_chain_whichever_leg_was_first(minutes):
    assert chained(*roll(minutes)).rows("positions", "rolls") == [(2, 1)]


@pytest.mark.parametrize("minutes", [-16, 16])
def test_outside_the_window_there_is_no_roll(minutes):
    assert chained(*roll(minutes)).rows("positions", "rolls") == [(1, 0), (1, 0)]


def test_the_window_is_a_matter_of_choice():
    assert len(chained(*roll(5), window=timedelta(minutes=4)).rows("chain_id")) == 2


@pytest.mark.parametrize(
    "other",
    [
        trade("14T15:31", "FC44", "-1", "3"),
        trade("14T15:31", "FP44", "1", "3"),
        trade("14T15:31", "FP44", "-1", "3", account="B"),
        trade("14T15:31", "ABC_P", "-1", "3"),
        trade("14T15:31", "JP45", "-1", "3"),
    ],
    ids=["another right", "another side", "another account", "another symbol", "the same contract"],
)
def test_what_is_no_roll(other):
    told = [trade("05T15:00", "JP45", "-1", "2"), trade("14T15:30", "JP45", "1", "3"), other]
    stranger = {"type": "option", "underlying": "ABC", "expiry": "2026-02-20", "right": "P", "strike": "44"}
    assert chained(*told, instruments={"ABC": {"type": "stock"}, "ABC_P": stranger}).rows("rolls") == [(0,), (0,)]


def test_an_expired_option_is_not_rolled():
    told = [PUT, event("expire", EXPIRY, "JP45"), trade("2026-01-16T21:01:00Z", "FP44", "-1", "3")]
    assert len(chained(*told).rows("chain_id")) == 2


def test_both_legs_of_a_spread_rolled_in_small_fills_are_one_roll():
    opened = [trade("05T15:00", "JP45", "-2", "2", order_id="O1"), trade("05T15:00", "JP40", "2", "1", order_id="O1")]
    closed = [trade(f"14T15:{n}", "JP45", "1", "3") for n in (30, 31)] + [trade("14T15:30", "JP40", "-2", "1")]
    again = [trade("14T15:32", "FP44", "-2", "3"), trade("14T15:33", "FP39", "2", "1")]
    assert chained(*opened, *closed, *again).rows("label", "positions", "rolls") == [("vertical", 4, 1)]


def test_two_rolls_are_two():
    told = [*roll(1), trade("27T15:30", "FP44", "1", "3"), trade("27T15:30", "MP43", "-1", "3")]
    assert chained(*told).rows("positions", "rolls") == [(3, 2)]


@pytest.mark.parametrize("field", ["order_id", "broker_order_id"])
def test_one_order_of_one_account_is_one_chain(field):
    pair = [("05T15:00", "JP45", "-1"), ("05T15:07", "JC55", "-1")]
    told = [trade(*leg, **{field: "O1"}, account=account) for account in "AB" for leg in pair]
    for number, leg in enumerate(told):
        leg["id"] = f"t{number}"
    assert chained(*told).together() == [["JC55", "JP45"], ["JC55", "JP45"]]


def test_an_order_that_closes_one_position_and_opens_another_links_them():
    told = [trade("05T15:00", "JP45", "-1"), trade("06T15:00", "JP45", "1", order_id="O2")]
    assert chained(*told, trade("06T16:00", "ABC", "7", order_id="O2")).together() == [["ABC", "JP45"]]


def test_a_tag_links_and_names_and_the_first_name_holds():
    told = [
        trade("05T15:00", "JP45", "-1", tags=["chain:W1"]),
        trade("06T15:00", "ABC", "7", tags=["x", "chain:W1", "chain:W2"]),
        trade("07T15:00", "JC55", "-1", tags=["chain:W2"]),
        trade("08T15:00", "JC55", "-1", tags=["chain:W1"], account="B"),
        trade("09T15:00", "MP45", "-1", tags=["chain:", "combo"]),
    ]
    answer = chained(*told)
    assert answer.rows("account_id", "name", "positions") == [("A", "W1", 3), ("B", "W1", 1), ("A", None, 1)]


def test_a_wheel_from_put_to_called_away_to_the_cent():
    answer = chained(*WHEEL)
    row = answer.row()
    assert (row["label"], row["status"], row["positions"], row["assignments"], row["rolls"]) == (
        "wheel",
        "CLOSED",
        4,
        2,
        0,
    )
    # 199.35 - 4500 + 99.35 + 119.35 + 4700, all cash that moved.
    assert (row["realized_pnl"], row["realized_premium"]) == (D("618.05"), D(0))
    assert (row["net_credit"], row["cost_basis"], row["premium"]) == (D("418.05"), D(0), D(0))
    assert row["closed_at"].isoformat() == "2026-03-20T20:00:00+00:00"
    names = ("instrument_id", "realized_pnl", "realized_premium")
    assert answer.chains.positions.sort("instrument_id").select(names).rows() == [
        ("FC47", D("99.35"), D(0)),
        ("JP45", D(0), D("199.35")),
        ("MC47", D(0), D("119.35")),
        ("XYZ", D("518.70"), D("-318.70")),
    ]


def test_a_wheel_on_its_way_shows_both_views():
    row = chained(*WHEEL[:4]).row()
    assert (row["label"], row["status"], row["closed_at"]) == ("wheel", "OPEN", None)
    assert (row["realized_pnl"], row["realized_premium"]) == (D("99.35"), D("199.35"))
    assert (row["cost_basis"], row["premium"], row["net_credit"]) == (D("4300.65"), D("-199.35"), D("298.70"))
    chains = chained(*WHEEL[:4]).chains.chains
    assert chains_in_view(chains, "tax").equals(chains)
    economic = chains_in_view(chains, "economic").row(0, named=True)
    assert (economic["realized_pnl"], economic["cost_basis"]) == (D("298.70"), D(4500))


def test_a_put_that_was_assigned_is_no_wheel_before_a_call_is_written():
    assert chained(*WHEEL[:2]).rows("label", "positions") == [("short_put", 2)]


def test_the_stock_of_an_average_cost_pool_is_in_the_chain_of_its_put():
    told = [trade("02T15:00", "XYZ", "100", "44"), *WHEEL[:2]]
    assert chained(*told, method="AVERAGE").together() == [["JP45", "XYZ"]]
    bought = [trade("06T15:00", "XYZ", "10", "44", order_id="O1"), trade("06T16:00", "ABC", "1", order_id="O1")]
    assert chained(told[0], *bought, method="AVERAGE").together() == [["ABC", "XYZ"]]


@pytest.mark.parametrize(
    ("stock", "option", "size", "together"),
    [
        ("100", "JC50", "-1", True),
        ("100", "JP45", "1", True),
        ("100", "JC50", "1", False),
        ("100", "JP45", "-1", False),
        ("-100", "JP45", "-1", True),
        ("-100", "JC50", "1", True),
        ("-100", "JC50", "-1", False),
    ],
)
def test_options_that_go_with_open_stock_are_in_its_chain(stock, option, size, together):
    answer = chained(trade("05T15:00", "XYZ", stock), trade("06T15:00", option, size))
    assert (len(answer.rows("chain_id")) == 1) == together


def test_a_call_belongs_to_stock_that_is_open_and_to_no_other():
    stock, sold = trade("05T15:00", "XYZ", "100"), trade("06T15:00", "XYZ", "-100")
    assert len(chained(stock, sold, trade("06T15:00", "JC50", "-1")).rows("chain_id")) == 2
    assert len(chained(trade("04T15:00", "JC50", "-1"), stock).rows("chain_id")) == 2
    more = [trade("04T15:00", "JC50", "-1"), stock, trade("05T16:00", "JC50", "-1")]
    assert len(chained(*more).rows("chain_id")) == 1
    assert len(chained(stock, trade("05T15:00", "JC50", "-1", account="B")).rows("chain_id")) == 2


def test_a_change_of_symbol_keeps_the_chain():
    told = [trade("05T15:00", "XYZ", "100"), trade("06T15:00", "JC50", "-1")]
    answer = chained(*told, event("symbol_change", "07T05:00", "XYZ", new_instrument="NEW"))
    assert answer.together() == [["JC50", "NEW", "XYZ"]]
    assert answer.rows("label", "status", "symbol", "cost_basis") == [("covered_call", "OPEN", "XYZ", D(0))]


def test_an_adjusted_contract_stays_in_its_chain_and_can_be_rolled():
    terms = {"ADJ": {"type": "option", "underlying": "XYZ", "expiry": "2026-01-16", "right": "P", "strike": "22.5"}}
    told = [
        trade("05T15:00", "JP45", "-1", "2"),
        event("option_adjust", "07T05:00", "JP45", new_instrument="ADJ", ratio="2/1"),
        trade("08T15:00", "ADJ", "2", "1"),
        trade("08T15:05", "FP44", "-1", "2"),
    ]
    assert chained(*told, instruments=terms).rows("positions", "rolls", "realized_pnl") == [(3, 1, D(0))]


def test_shares_that_were_spun_off_belong_to_the_chain_of_the_others_and_to_their_account():
    spin = event("spin_off", "07T05:00", "XYZ", new_instrument="CHILD", ratio="1/2", basis_fraction="0.25")
    told = [trade("05T15:00", "XYZ", "100"), {**trade("05T15:00", "XYZ", "100", account="B"), "id": "b"}, spin]
    assert chained(*told).together() == [["CHILD", "XYZ"], ["CHILD", "XYZ"]]


def test_lots_that_merge_into_stock_that_is_held_bring_their_chain():
    told = [trade("04T15:00", "NEW", "1"), trade("05T15:00", "XYZ", "100")]
    answer = chained(*told, event("symbol_change", "07T05:00", "XYZ", new_instrument="NEW"))
    assert answer.together() == [["NEW", "XYZ"]]


def test_a_transfer_links_no_accounts():
    told = [trade("05T15:00", "XYZ", "100"), trade("05T15:00", "JC50", "-1")]
    moved = event("transfer", "06T15:00", "XYZ", to="B", quantity="100")
    assert chained(*told, moved).rows("account_id", "positions") == [("A", 2), ("B", 1)]


def test_a_flip_is_two_chains():
    assert len(chained(trade("05T15:00", "XYZ", "10"), trade("06T15:00", "XYZ", "-15")).rows("chain_id")) == 2


def test_chains_are_the_same_in_whatever_order_their_events_arrived():
    first: Chained = chained(*WHEEL)
    for turn in range(len(WHEEL)):
        shuffled = [*WHEEL[turn:], *WHEEL[:turn]]
        other = chained(*shuffled[::-1] if turn % 2 else shuffled)
        assert other.chains.chains.equals(first.chains.chains)
        assert other.chains.positions.equals(first.chains.positions)


def test_no_positions_are_no_chains_in_the_shape_of_the_tables():
    tables = (POSITIONS, POSITION_HISTORY, MATCHES, LOTS, TRADE_LOG)
    answer = chains_of(*(table.empty() for table in tables), instruments=INSTRUMENTS.empty())
    assert (answer.chains.schema, answer.positions.schema) == (CHAINS.schema, CHAIN_POSITIONS.schema)
    assert answer.problems == ()


def test_matches_without_their_positions_stop_the_derivation():
    answer = chained(*WHEEL)
    with pytest.raises(InvariantError, match="4 matches do not belong to the positions given"):
        chains_of(
            POSITIONS.empty(),
            POSITION_HISTORY.empty(),
            answer.matched.matches,
            LOTS.empty(),
            TRADE_LOG.empty(),
            instruments=INSTRUMENTS.empty(),
        )
