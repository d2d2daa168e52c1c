"""Every reason for which an event has no effect, word for word; and that it has none."""

import pytest

from tests.lots.told import Event, event, told, trade
from tradelake.lots.refusals import MESSAGES

BUY = trade("t1", "10", "10")
CALLS = trade("t1", "2", "3", "C50")
PUTS = trade("t1", "-2", "3", "P45")
LATE = "2026-01-16T22:00:00Z"


def named(name: str, quantity: str) -> list[dict[str, str]]:
    """Return a list of one named lot."""
    return [{"open": name, "quantity": quantity}]


CASES: dict[str, tuple[Event, Event, str]] = {
    "transfer_exceeds_position": (
        BUY,
        event("transfer", "t2", "XYZ", to="B", quantity="11"),
        (
            "transfer of XYZ has no effect: it moves more than the account holds; "
            "record the missing openings, or move less"
        ),
    ),
    "transfer_against_position": (
        BUY,
        event("transfer", "t2", "XYZ", account="B", to="A", quantity="1"),
        (
            "transfer of XYZ has no effect: the other account holds the instrument on the other side; "
            "close one of the two first"
        ),
    ),
    "account_not_open": (
        BUY,
        trade("t2", "1", "10", account="C"),
        "trade of XYZ has no effect: the account is not open at that time; record the fork that opens it",
    ),
    "account_closed": (
        BUY,
        trade("t2", "1", "10", account="C"),
        (
            "trade of XYZ has no effect: the account was merged into another one before; "
            "name the account that it went to"
        ),
    ),
    "opposite_position": (
        BUY,
        event("symbol_change", "t2", "XYZ", new_instrument="ABC"),
        (
            "symbol_change of XYZ has no effect: the account holds what comes out of it on the other side; "
            "close that position before the event"
        ),
    ),
    "rounds_to_nothing": (
        BUY,
        event("split", "t2", "XYZ", ratio="1/10000000000"),
        (
            "split of XYZ has no effect: the ratio leaves nothing of the position; "
            "correct the ratio, or record what the account was paid instead"
        ),
    ),
    "close_exceeds_open": (
        BUY,
        trade("t2", "-11", "10", effect="close"),
        (
            "trade of XYZ has no effect: it closes more than is open, or the position is on the other side; "
            "record the missing openings"
        ),
    ),
    "effect_conflict": (
        BUY,
        trade("t2", "-1", "10", effect="open"),
        (
            "trade of XYZ has no effect: it opens against a position on the other side; "
            "record the missing close, or give the side alone"
        ),
    ),
    "exercise_exceeds_long": (
        CALLS,
        event("exercise", "t2", "C50", contracts="3"),
        "exercise of C50 has no effect: it exercises more contracts than are held long; record the missing purchases",
    ),
    "assignment_exceeds_short": (
        PUTS,
        event("assign", "t2", "P45", contracts="3"),
        "assign of P45 has no effect: it assigns more contracts than are written; record the missing sales",
    ),
    "nothing_to_expire": (
        CALLS,
        event("expire", "t2", "P45", at=LATE),
        "expire of P45 has no effect: no contract is open at that time; record the missing openings",
    ),
    "contracts_exceed_open": (
        PUTS,
        event("expire", "t2", "P45", contracts="3", at=LATE),
        "expire of P45 has no effect: it names more contracts than are open; record the missing openings",
    ),
    "specific_lots_mismatch": (
        BUY,
        trade("t2", "-5", "10", lots=named("t1", "4")),
        (
            "trade of XYZ has no effect: the quantities of the named lots do not add up to what is closed; "
            "name lots for exactly that quantity"
        ),
    ),
    "specific_lot_unavailable": (
        BUY,
        trade("t2", "-5", "10", lots=named("t7", "5")),
        (
            "trade of XYZ has no effect: a named lot is not open, or not in that quantity; "
            "name lots that are open at that time"
        ),
    ),
}


# What has to have happened besides the opening, where one event is not enough.
BEFORE: dict[str, list[Event]] = {
    "transfer_against_position": [trade("t1b", "-5", "10", account="B")],
    "account_closed": [
        {"id": "t1f", "kind": "fork", "at": "2026-01-05T15:00:01Z", "account": "A", "to": "C", "moves": []},
        {"id": "t1m", "kind": "merge", "at": "2026-01-05T15:00:01Z", "account": "C", "to": "A"},
    ],
    "opposite_position": [trade("t1b", "-5", "10", "ABC")],
}


def test_every_code_has_its_case():
    assert set(CASES) == {code for code, _ in MESSAGES.values()}


@pytest.mark.parametrize("code", CASES)
def test_the_reason_is_told_in_these_words(code):
    opening, refused, message = CASES[code]
    assert told(opening, *BEFORE.get(code, ()), refused).refusals() == [("t2", code, message)]


@pytest.mark.parametrize("code", CASES)
def test_a_refused_event_has_no_effect(code):
    opening, refused, _ = CASES[code]
    before = (opening, *BEFORE.get(code, ()))
    alone, both = told(*before), told(*before, refused)
    assert both.matched.lots.equals(alone.matched.lots)
    assert both.matched.matches.is_empty()
    assert both.matched.cash_flows.is_empty()
    assert both.summary.positions.equals(alone.summary.positions)


@pytest.mark.parametrize(
    ("code", "refused"),
    [
        ("close_exceeds_open", trade("t2", "5", "10", effect="close")),
        ("close_exceeds_open", trade("t2", "-5", "10", "ABC", effect="close")),
        ("specific_lots_mismatch", trade("t2", "5", "10", lots=named("t1", "5"))),
        ("specific_lots_mismatch", trade("t2", "-15", "10", lots=named("t1", "15"))),
        ("specific_lot_unavailable", trade("t2", "-10", "10", lots=[*named("t1", "5"), *named("t2", "5")])),
    ],
)
def test_the_other_ways_to_be_refused(code, refused):
    assert [row[1] for row in told(BUY, refused).refusals()] == [code]


def test_lots_that_an_exercise_names_have_to_be_open():
    wrong = event("exercise", "t2", "C50", contracts="2", lots=named("t9", "2"))
    assert [row[1] for row in told(CALLS, wrong).refusals()] == ["specific_lot_unavailable"]


def test_lots_that_an_expiry_names_have_to_add_up():
    wrong = event("expire", "t2", "C50", at=LATE, lots=named("t1", "1"))
    assert [row[1] for row in told(CALLS, wrong).refusals()] == ["specific_lots_mismatch"]


@pytest.mark.parametrize("fraction", ["0", "0.25"])
def test_who_holds_too_little_for_anything_of_a_spin_off_keeps_it_as_it_is(fraction):
    given = event("spin_off", "t2", "XYZ", new_instrument="ABC", ratio="1/10000000000", basis_fraction=fraction)
    answer = told(BUY, given)
    assert answer.refusals() == []
    assert answer.open_lots() == told(BUY).open_lots()
