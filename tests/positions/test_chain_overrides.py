"""Joined, split and named by people: what a reference means, and what becomes of one that means nothing."""

import pytest

from tests.positions.chained import chained, trade, wish

STOCK, PUT, CALL = trade("05T15:00", "ABC", "10"), trade("06T15:00", "JP45", "-1"), trade("07T15:00", "JC55", "-1")
ABC, JP45, JC55 = (f"A:{told['instrument']}:{told['id']}" for told in (STOCK, PUT, CALL))
THREE = [["ABC"], ["JP45"], ["JC55"]]


def test_a_join_makes_one_chain_of_several_and_may_name_it():
    answer = chained(STOCK, PUT, CALL, wish("chain_join", "09T15:00", chains=[JC55, ABC], name="Mine"))
    assert answer.together() == [["ABC", "JC55"], ["JP45"]]
    assert answer.rows("chain_id", "name", "label") == [(ABC, "Mine", "long_stock"), (JP45, None, "short_put")]


def test_a_name_is_given_and_changed_and_refers_to_its_chain():
    named = wish("chain_name", "08T15:00", chain=JP45, name="W")
    answer = chained(STOCK, PUT, CALL, named, wish("chain_join", "09T15:00", chains=["W", JC55]))
    assert answer.rows("name", "positions") == [(None, 1), ("W", 2)]
    again = wish("chain_name", "10T15:00", chain="W", name="V")
    assert chained(PUT, named, again).rows("name") == [("V",)]
    gone = chained(PUT, named, again, wish("chain_name", "11T15:00", chain="W", name="U"))
    assert gone.problems() == [("chain_name@11T15:00", "unknown_chain", "W")]


def test_a_tag_is_a_name_that_refers_to_its_chain_whatever_it_is_called_now():
    tagged = trade("06T15:00", "JP45", "-1", tags=["chain:T"])
    named = wish("chain_name", "08T15:00", chain="T", name="N")
    answer = chained(tagged, CALL, named, wish("chain_join", "09T15:00", chains=["T", JC55]))
    assert answer.rows("name", "positions") == [("N", 2)]


def test_overrides_apply_in_effective_order_whenever_they_came():
    split = wish("chain_split", "10T15:00", trades=[CALL["id"]])
    joined = wish("chain_join", "09T15:00", chains=[ABC, JP45, JC55])
    assert chained(STOCK, PUT, CALL, split, joined).together() == [["ABC", "JP45"], ["JC55"]]


def test_a_split_takes_positions_out_of_all_their_chains_into_one():
    joined = [wish("chain_join", "09T15:00", chains=[ABC, JP45], name="J"), trade("08T15:00", "MC60", "1")]
    split = wish("chain_split", "10T15:00", trades=[STOCK["id"], CALL["id"]])
    answer = chained(STOCK, PUT, CALL, *joined, split)
    assert answer.together() == [["ABC", "JC55"], ["JP45"], ["MC60"]]
    assert answer.rows("chain_id", "name") == [(ABC, None), (JP45, "J"), ("A:MC60:MC60@08T15:00", None)]


def test_a_split_of_a_whole_chain_leaves_it_with_its_name():
    told = [STOCK, wish("chain_name", "08T15:00", chain=ABC, name="N")]
    assert chained(*told, wish("chain_split", "09T15:00", trades=[STOCK["id"]])).rows("name") == [("N",)]


def test_a_split_of_whole_chains_joins_them_and_a_split_again_parts_them():
    both = wish("chain_split", "09T15:00", trades=[STOCK["id"], PUT["id"]])
    answer = chained(STOCK, PUT, CALL, both)
    assert answer.together() == [["ABC", "JP45"], ["JC55"]]
    more = [wish("chain_join", "10T15:00", chains=[JC55, ABC]), wish("chain_split", "11T15:00", trades=[STOCK["id"]])]
    assert chained(STOCK, PUT, CALL, both, *more).together() == [["ABC"], ["JC55", "JP45"]]


def test_a_split_parts_a_roll_and_it_counts_no_more():
    rolled = [PUT, trade("08T15:00", "JP45", "1"), trade("08T15:01", "FP44", "-1")]
    assert chained(*rolled).rows("rolls") == [(1,)]
    parted = chained(*rolled, wish("chain_split", "09T15:00", trades=["FP44@08T15:01"]))
    assert parted.rows("positions", "rolls") == [(1, 0), (1, 0)]


def test_a_reference_survives_when_a_late_event_becomes_the_first_of_its_chain():
    joined = wish("chain_join", "09T15:00", chains=[JP45, ABC], name="J")
    late = [trade("02T15:00", "FP44", "-1"), trade("06T14:50", "FP44", "1")]
    answer = chained(STOCK, PUT, joined, *late)
    assert answer.rows("chain_id", "name", "rolls") == [("A:FP44:FP44@02T15:00", "J", 1)]
    assert answer.problems() == []


def test_a_reference_survives_when_a_late_event_becomes_the_first_of_its_position():
    joined = wish("chain_join", "09T15:00", chains=[JP45, ABC], name="J")
    answer = chained(STOCK, PUT, joined, trade("02T15:00", "JP45", "-1"))
    assert answer.rows("chain_id", "name") == [("A:JP45:JP45@02T15:00", "J")]


def test_a_reference_survives_when_its_event_opens_nothing_any_more():
    joined = wish("chain_join", "09T15:00", chains=[JP45, ABC], name="J")
    answer = chained(STOCK, PUT, joined, trade("02T15:00", "JP45", "3"))
    assert answer.rows("chain_id", "name") == [("A:JP45:JP45@02T15:00", "J")]
    closed = [trade("02T15:00", "JP45", "3"), trade("05T15:00", "JP45", "-3")]
    moved = {**PUT, "at": "2026-01-01T15:00:00Z"}
    assert chained(STOCK, moved, joined, *closed, CALL).problems() == []


@pytest.mark.parametrize("name", ["t#1", "t:1", "50%", "t%3A"])
def test_a_reference_may_have_any_signs(name):
    put = {**PUT, "id": name}
    quoted = name.replace("%", "%25").replace("#", "%23")
    told = [STOCK, put, wish("chain_join", "09T15:00", chains=[f"A:JP45:{quoted}", ABC])]
    assert chained(*told).problems() == []
    assert chained(*told, trade("02T15:00", "JP45", "-1")).together() == [["ABC", "JP45"]]


@pytest.mark.parametrize(
    ("override", "code", "value"),
    [
        (wish("chain_join", "09T15:00", chains=[ABC, "nothing", JP45]), "unknown_chain", "nothing"),
        (wish("chain_join", "09T15:00", chains=[ABC, "A:ABC:no"]), "unknown_chain", "A:ABC:no"),
        (wish("chain_join", "09T15:00", chains=[ABC, "A:ABC:OLD@04T15:00"]), "unknown_chain", "A:ABC:OLD@04T15:00"),
        (wish("chain_name", "09T15:00", chain="B:ABC:b", name="N"), "unknown_chain", "B:ABC:b"),
        (wish("chain_name", "09T15:00", chain="B:XYZ:b", name="N"), "unknown_chain", "B:XYZ:b"),
        (wish("chain_split", "09T15:00", trades=["none"]), "unknown_trade", "none"),
        (wish("chain_split", "09T15:00", trades=["b"]), "unknown_trade", "b"),
        (wish("chain_name", "09T15:00", chain="D", name="N"), "ambiguous_chain", "D"),
    ],
)
def test_what_an_override_refers_to_in_vain_is_told(override, code, value):
    twice = [wish("chain_name", "08T15:00", chain=JP45, name="D"), wish("chain_name", "08T15:01", chain=JC55, name="D")]
    other = {**trade("05T15:00", "ABC", "1", account="B"), "id": "b"}
    answer = chained(trade("04T15:00", "OLD", "1"), STOCK, PUT, CALL, other, *twice, override)
    assert answer.problems() == [(override["id"], code, value)]


def test_what_can_be_joined_is_joined_beside_a_problem_that_says_what_to_do():
    answer = chained(STOCK, PUT, CALL, wish("chain_join", "09T15:00", chains=[ABC, "nothing", JP45]))
    assert answer.together() == [["ABC", "JP45"], ["JC55"]]
    (problem,) = answer.chains.problems
    text = "The chain_join chain_join@09T15:00 names 'nothing', and account A has no such position or chain."
    assert problem.message == text
    assert problem.action == "Name a position_id of one of its positions."


def test_currencies_are_never_in_one_chain():
    euro = {"EUR_X": {"type": "stock", "currency": "EUR"}}
    both = [trade("05T15:00", "ABC", "1", order_id="O", tags=["chain:T"]), trade("05T15:01", "EUR_X", "1")]
    both[1] |= {"order_id": "O", "tags": ["chain:T"]}
    ids = [f"A:{told['instrument']}:{told['id']}" for told in both]
    assert chained(*both, instruments=euro).rows("currency", "name") == [("USD", "T"), ("EUR", "T")]
    joined = chained(*both, CALL, wish("chain_join", "09T15:00", chains=[ids[0], ids[1], JC55]), instruments=euro)
    assert joined.rows("currency", "positions") == [("USD", 2), ("EUR", 1)]
    (problem,) = joined.chains.problems
    assert (problem.code, problem.value) == ("other_currency", ids[1])
    assert problem.message.endswith(f"names '{ids[1]}', which is in EUR, while the chains before it are in USD.")
    split = wish("chain_split", "09T15:00", trades=[both[0]["id"], both[1]["id"], CALL["id"]])
    parted = chained(*both, CALL, split, instruments=euro)
    assert parted.rows("currency", "positions", "name") == [("USD", 2, None), ("EUR", 1, "T")]


def test_a_split_of_what_there_is_stands_beside_a_problem():
    answer = chained(STOCK, PUT, wish("chain_split", "09T15:00", trades=["none", STOCK["id"]]))
    assert answer.together() == THREE[:2]
    assert len(answer.problems()) == 1
