"""Lots that move between accounts, by quantity, by percentage or by name, and another method from a day on."""

from decimal import Decimal
from typing import Any

import pytest

from tests.lots.told import Event, Told, event, told, trade

D = Decimal


def fork(name: str, *moves: dict[str, Any]) -> Event:
    """Return the fork of the child C from A."""
    second = int("".join(letter for letter in name if letter.isdigit()))
    at = f"2026-01-05T15:00:{second:02}Z"
    return {"id": name, "kind": "fork", "at": at, "account": "A", "to": "C", "moves": list(moves)}


def held(answer: Told) -> list[tuple[Any, ...]]:
    """Return (account, opened by, quantity, cost basis) of the open lots."""
    return answer.matched.lots.select("account_id", "open_trade_id", "quantity", "cost_basis").rows()


@pytest.mark.parametrize(
    ("quantity", "percent", "moved", "kept"),
    [
        ("151", "50", "75", "76"),
        ("1", "99", None, "1"),
        ("10.5", "50", "5.25", "5.25"),
        ("0.00000003", "50", "0.00000002", "0.00000001"),
        ("-151", "33.3333", "-50", "-101"),
        ("7", "100", "7", None),
    ],
)
def test_a_percentage_of_whole_units_is_whole_units(quantity, percent, moved, kept):
    answer = told(trade("t1", quantity, "10"), fork("t2", {"instrument": "XYZ", "percent": percent}))
    wanted = [("A", kept), ("C", moved)]
    assert [(account, size) for account, _, size, _ in held(answer)] == [
        (account, D(size)) for account, size in wanted if size is not None
    ]


def test_a_fork_takes_the_lots_that_it_names():
    lots = [{"open": "t2", "quantity": "4"}, {"open": "t1", "quantity": "1"}]
    move = {"instrument": "XYZ", "quantity": "5", "lots": lots}
    answer = told(trade("t1", "10", "10"), trade("t2", "5", "20"), fork("t3", move))
    assert held(answer) == [
        ("A", "t1", D(9), D(90)),
        ("A", "t2", D(1), D(20)),
        ("C", "t1", D(1), D(10)),
        ("C", "t2", D(4), D(80)),
    ]


def test_a_refused_move_moves_nothing_of_its_event():
    moves = [{"instrument": "XYZ", "quantity": "5"}, {"instrument": "ABC", "quantity": "1"}]
    answer = told(trade("t1", "10", "10"), fork("t2", *moves), trade("t3", "1", "10", account="C"))
    assert held(answer) == [("A", "t1", D(10), D(100))]
    assert [code for _, code, _ in answer.refusals()] == ["transfer_exceeds_position", "account_not_open"]


def test_two_moves_of_one_event_cannot_take_the_same_units():
    moves = [{"instrument": "XYZ", "quantity": "6"}, {"instrument": "XYZ", "quantity": "5"}]
    answer = told(trade("t1", "10", "10"), fork("t2", *moves))
    assert [code for _, code, _ in answer.refusals()] == ["transfer_exceeds_position"]


def test_pieces_of_one_lot_that_meet_again_are_one_lot():
    there = event("transfer", "t2", "XYZ", to="B", quantity="3.33333333")
    back = event("transfer", "t3", "XYZ", account="B", to="A", quantity="3.33333333")
    answer = told(trade("t1", "10", "9.99", fees="0.01"), there, back)
    assert held(answer) == [("A", "t1", D(10), D("99.91"))]
    assert answer.matched.lots["lot_id"].to_list() == ["A:XYZ:t1/t1-0"]


def test_average_cost_pools_what_arrives_and_forgets_what_opened_it():
    answer = told(
        trade("t1", "10", "10", account="B"),
        trade("t2", "10", "20"),
        event("transfer", "t3", "XYZ", account="B", to="A", quantity="10"),
        trade("t4", "-10", "30"),
        method="AVERAGE",
    )
    assert held(answer) == [("A", "*", D(10), D(150))]
    assert answer.matched.lots["opened_at"][0].second == 1
    assert answer.closed() == [("*", "t4", D(10), D(150))]
