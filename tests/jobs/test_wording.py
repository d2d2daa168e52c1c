"""Events of scenarios as execution rows."""

import pytest

from tradelake.jobs.wording import Event, execution, executions

AT = "2026-01-05T15:00:00Z"
TRADE = {"id": "t1", "kind": "trade", "at": AT, "account": "A", "instrument": "XYZ", "quantity": "-5", "price": "10"}
CANCEL = {"id": "x1", "kind": "cancel", "at": AT, "target": "c1"}


def correction(name: str, target: str, **changes: object) -> dict[str, object]:
    return {"id": name, "kind": "correct", "at": AT, "target": target, "set": changes}


def told(event: Event) -> dict[str, object]:
    """Return the execution row without what every row has."""
    return {name: value for name, value in execution({"id": "e", "at": AT, **event}).items() if name not in COMMON}


COMMON = {"trade_id", "executed_at", "recorded_at", "kind"}


@pytest.mark.parametrize(
    ("event", "row"),
    [
        (TRADE, {"account_id": "A", "instrument_id": "XYZ", "action": "SELL", "quantity": "5", "price": "10"}),
        (
            {"kind": "cash_settle", "account": "A", "instrument": "C50", "settlement_price": "60", "contracts": "2"},
            {"account_id": "A", "instrument_id": "C50", "price": "60", "quantity": "2"},
        ),
        (
            {"kind": "split", "account": "A", "instrument": "XYZ", "ratio": "4/2", "cash_in_lieu_price": "9"},
            {"instrument_id": "XYZ", "ratio": "4/2", "cash_in_lieu_price": "9"},
        ),
        (
            {"kind": "cash_dividend", "instrument": "XYZ", "per_share": "1", "pay_at": AT},
            {"instrument_id": "XYZ", "amount_per_unit": "1", "pay_at": AT},
        ),
        (
            {"kind": "merger", "instrument": "OLD", "new_instrument": "NEW", "ratio": "1/2", "cash_per_share": "3"}
            | {"new_price": "7", "treatment": "taxable"},
            {"instrument_id": "OLD", "new_instrument_id": "NEW", "ratio": "1/2", "amount_per_unit": "3"}
            | {"new_price": "7", "treatment": "taxable"},
        ),
        (
            {"kind": "subscribe", "account": "A", "instrument": "R", "quantity": "6", "new_instrument": "XYZ"}
            | {"shares": "2", "price": "4"},
            {"account_id": "A", "instrument_id": "R", "quantity": "6", "new_instrument_id": "XYZ"}
            | {"shares": "2", "price": "4"},
        ),
        (
            {"kind": "transfer", "account": "A", "to": "B", "instrument": "XYZ", "quantity": "5", "price": "1"},
            {"account_id": "A", "to_account_id": "B", "instrument_id": "XYZ", "quantity": "5"},
        ),
        (
            {"kind": "fork", "account": "A", "to": "B", "moves": [{"instrument": "XYZ", "quantity": "5"}], "cash": "1"},
            {
                "account_id": "A",
                "to_account_id": "B",
                "moves": [{"instrument_id": "XYZ", "quantity": "5"}],
                "cash": "1",
            },
        ),
        (
            {"kind": "fork", "account": "A", "to": "B", "moves": []},
            {"account_id": "A", "to_account_id": "B", "moves": []},
        ),
        ({"kind": "merge", "account": "B", "to": "A"}, {"account_id": "B", "to_account_id": "A"}),
        ({"kind": "cancel", "target": "t1", "account": "A", "quantity": "1"}, {"target_id": "t1"}),
    ],
)
def test_an_event_is_told_in_the_fields_of_its_kind(event, row):
    assert told(event) == row


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"price": "11"}, {"price": "11"}),
        ({"quantity": "4"}, {"quantity": "4", "action": "BUY"}),
        ({"quantity": "0"}, {"quantity": "0", "action": "BUY"}),
        ({"effect": "close"}, {"action": "SELL_TO_CLOSE"}),
        ({"at": "2026-01-06T15:00:00Z"}, {"executed_at": "2026-01-06T15:00:00Z"}),
        ({"account": "B", "instrument": "ABC"}, {"account_id": "B", "instrument_id": "ABC"}),
        ({"commission": None}, {"commission": None}),
        ({"group": "order:1"}, {"tags": ["order:1"]}),
        ({"known_at": AT, "price": "1"}, {"price": "1"}),
    ],
)
def test_a_correction_sets_the_fields_that_its_words_decide(changes, expected):
    assert executions([TRADE, correction("c1", "t1", **changes)])[1]["set"] == expected


def test_a_correction_is_read_beside_the_earlier_ones_that_stand():
    turned = correction("c1", "t1", quantity="4")
    opened = correction("c2", "c1", effect="open")
    assert executions([TRADE, turned, opened])[2]["set"] == {"action": "BUY_TO_OPEN"}
    assert executions([TRADE, turned, CANCEL, opened])[3]["set"] == {"action": "SELL_TO_OPEN"}
    back = {**CANCEL, "id": "x2", "target": "x1"}
    assert executions([TRADE, turned, CANCEL, back, opened])[4]["set"] == {"action": "BUY_TO_OPEN"}


def test_a_correction_of_nothing_that_is_known_is_told_as_it_is():
    assert executions([correction("c1", "nosuch", quantity="-4", price="1")])[0]["set"] == {
        "quantity": "4",
        "action": "SELL",
        "price": "1",
    }
    assert executions([correction("c1", "c2", price="1"), correction("c2", "c1", price="2")])[1]["set"] == {
        "price": "2"
    }
    assert "set" not in execution({"id": "c1", "kind": "correct", "at": AT, "target": "t1"})
