"""Executions are matched by id, then by content within a window, then by what nearly agrees."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradelake.reconcile.facts import Fact
from tradelake.reconcile.matching import match

NOON = datetime(2026, 1, 6, 17, tzinfo=UTC)


def fact(ref: str, *, minutes: float = 0, **more: Any) -> Fact:
    at = NOON + timedelta(minutes=minutes)
    told = {
        "section": "executions",
        "kind": "trade",
        "broker_execution_id": None,
        "instrument_id": "XYZ",
        "currency": "USD",
        "executed_at": at,
        "trade_date": at.date(),
        "quantity": Decimal(10),
        "price": Decimal(50),
        "charges": Decimal(1),
        "multiplier": Decimal(1),
        "ratio": None,
        "due": True,
        "idle": None,
    }
    return Fact(ref, **{**told, **more})


def pairs(ours: list[Fact], theirs: list[Fact]) -> list[tuple[str, str, str]]:
    return sorted((pair.ours.ref, pair.theirs.ref, pair.by) for pair in match(ours, theirs).pairs)


BUSTED = "0000e0d5.00000001.01.0"
CASES = [
    ("one id, other content", {"broker_execution_id": "E1", "price": Decimal(1)}, {"broker_execution_id": "E1"}, "id"),
    (
        "a broker's correction",
        {"broker_execution_id": BUSTED + "1"},
        {"broker_execution_id": BUSTED + "2"},
        "id",
    ),
    ("no ids", {}, {}, "content"),
    ("an id on one side", {}, {"broker_execution_id": "E1"}, "content"),
    ("two ids and one content", {"broker_execution_id": "E1"}, {"broker_execution_id": "E2"}, "content"),
    ("within the window", {}, {"minutes": 1440}, "content"),
    ("outside the window", {}, {"minutes": 1441}, None),
    ("other charges", {}, {"charges": Decimal(2)}, "content"),
    ("another quantity without ids", {}, {"quantity": Decimal(11)}, "near"),
    ("another price without ids", {}, {"price": Decimal(51)}, "near"),
    ("another quantity and price", {}, {"price": Decimal(51), "quantity": Decimal(11)}, None),
    (
        "another quantity under two ids",
        {"broker_execution_id": "E1"},
        {"broker_execution_id": "E2", "quantity": 11},
        None,
    ),
    ("the other side", {}, {"quantity": Decimal(-10)}, None),
    ("another instrument", {}, {"instrument_id": "ABC"}, None),
    ("another currency", {}, {"currency": "EUR"}, None),
    ("expired here, assigned there", {"kind": "expire"}, {"kind": "assign"}, "near"),
    ("no instant", {"executed_at": None}, {}, None),
    (
        "cash within five days",
        {"section": "cash", "kind": "fee"},
        {"section": "cash", "kind": "fee", "minutes": 7000},
        "content",
    ),
    (
        "splits within seven days",
        {"kind": "split", "ratio": "4/1", "quantity": None},
        {"kind": "split", "ratio": "4/1", "quantity": None, "minutes": 10000},
        "content",
    ),
    (
        "splits of another ratio",
        {"kind": "split", "ratio": "4/1", "quantity": None},
        {"kind": "split", "ratio": "2/1", "quantity": None},
        None,
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "by"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_two_rows_are_one_execution(ours, theirs, by):
    found = pairs([fact("o", **ours)], [fact("t", **theirs)])
    assert found == ([] if by is None else [("o", "t", by)])


def test_the_nearest_of_equal_rows_is_taken():
    ours = [fact("early"), fact("late", minutes=30)]
    assert pairs(ours, [fact("t", minutes=29)]) == [("late", "t", "content")]
    assert pairs(ours, [fact("t", minutes=30), fact("u", minutes=20)]) == [
        ("early", "u", "content"),
        ("late", "t", "content"),
    ]


def test_what_is_left_is_left_on_its_side():
    found = match([fact("a"), fact("b")], [fact("x"), fact("y", instrument_id="ABC")])
    assert (len(found.pairs), len(found.ours), [each.ref for each in found.theirs]) == (1, 1, ["y"])


ROWS = st.lists(
    st.builds(
        lambda number, minutes, quantity: (number, minutes, Decimal(quantity)),
        st.sampled_from((None, "E1", "E2", "E3")),
        st.integers(0, 3000),
        st.sampled_from((5, 10, -5)),
    ),
    max_size=8,
)


def facts(side: str, rows: list[tuple[str | None, int, Decimal]]) -> list[Fact]:
    ordered = sorted(rows, key=lambda row: row[1])
    return [
        fact(f"{side}{n}", broker_execution_id=name, minutes=minutes, quantity=quantity)
        for n, (name, minutes, quantity) in enumerate(ordered)
    ]


@given(ours=ROWS, theirs=ROWS)
def test_every_row_is_matched_at_most_once_and_none_is_lost(ours, theirs):
    mine, other = facts("o", ours), facts("t", theirs)
    found = match(mine, other)
    assert sorted([*(p.ours.ref for p in found.pairs), *(f.ref for f in found.ours)]) == sorted(f.ref for f in mine)
    assert sorted([*(p.theirs.ref for p in found.pairs), *(f.ref for f in found.theirs)]) == sorted(
        f.ref for f in other
    )


@given(rows=ROWS)
def test_a_side_is_matched_with_itself(rows):
    found = match(facts("o", rows), facts("t", rows))
    assert not found.ours
    assert not found.theirs


def test_of_fills_that_are_alike_those_that_cost_the_same_are_one():
    ours, theirs = fact("1", charges=Decimal("0.83")), [fact("2", charges=Decimal("1.53"))]
    theirs.append(fact("3", charges=Decimal("0.83")))
    assert pairs([ours], theirs) == [("1", "3", "content")]
