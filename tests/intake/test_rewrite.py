"""An event back as its row, and the row with a correction."""

import pytest
from hypothesis import given

from tests.intake.given import BASES, CASH, CORRECT, OPTION, OSI, STOCK, Row, event, problem
from tests.intake.rows import KINDS as MADE
from tests.intake.rows import rows
from tradelake.intake import executions
from tradelake.intake.rewrite import as_row, corrected
from tradelake.tables import KINDS, TRADE_LOG

LOGGED = [name for name in event(STOCK) if name in TRADE_LOG.names]


def logged(row: Row) -> Row:
    """Return what the log keeps of a row's event."""
    return {name: value for name, value in event(row).items() if name in LOGGED}


def test_the_strategies_make_every_kind():
    assert set(MADE) == set(KINDS)


@given(rows())
def test_an_event_written_as_a_row_and_read_again_is_the_same_event(row):
    told = logged(row)
    again = as_row(told)
    assert logged(again) == told
    assert as_row(logged(again)) == again


@pytest.mark.parametrize("base", BASES)
def test_the_row_of_an_event_of_the_log_is_the_row_of_what_intake_read(base):
    told = event(BASES[base])
    assert as_row(told) == as_row({name: value for name, value in told.items() if name in LOGGED})
    assert "recorded_at" not in as_row(event({**BASES[base], "recorded_at": "2026-02-01T00:00:00Z"}))


def test_a_row_has_a_trade_date_only_where_it_is_not_the_new_york_date():
    assert "trade_date" not in as_row(event({**STOCK, "trade_date": "2026-01-05"}))
    assert as_row(event({**STOCK, "trade_date": "2026-01-06"}))["trade_date"] == "2026-01-06"


@pytest.mark.parametrize(
    ("base", "changes", "same_as"),
    [
        (STOCK, {"price": "10.1", "commission": "1"}, {**STOCK, "price": "10.1", "commission": "1"}),
        (STOCK, {"action": "SELL", "quantity": "5"}, {**STOCK, "action": "SELL", "quantity": "5"}),
        (STOCK, {"executed_at": "2026-01-07T15:00:00Z"}, {**STOCK, "executed_at": "2026-01-07T15:00:00Z"}),
        (STOCK, {"tags": ["combo"]}, {**STOCK, "tags": '["combo"]'}),
        ({**STOCK, "reason": "x", "lots": '[{"open":"T","quantity":"1"}]'}, {"reason": None, "lots": None}, STOCK),
        (STOCK, {"symbol": "ABC"}, {**STOCK, "symbol": "ABC"}),
        (STOCK, {"contract_symbol": OSI["contract_symbol"]}, OSI),
        (OPTION, {"symbol": "XYZ"}, STOCK),
        (OPTION, {"strike": "55"}, {**OPTION, "strike": "55"}),
        (OPTION, {"expiration": "2026-01-23"}, {**OPTION, "expiration": "2026-01-23"}),
        (OPTION, {"option_type": "P"}, {**OPTION, "option_type": "P"}),
        (CASH, {"amount": "7"}, {**CASH, "amount": "7"}),
        (CORRECT, {"target_id": "T-2"}, {**CORRECT, "target_id": "T-2"}),
    ],
)
def test_a_corrected_row_is_the_event_that_was_meant(base, changes, same_as):
    assert logged(corrected(as_row(event(base)), changes)) == logged(same_as)


def test_an_event_that_is_given_another_instrument_keeps_no_term_of_the_old_one():
    row = corrected(as_row(event(OPTION)), {"instrument_id": "ADJ-1"})
    assert not {"symbol", "contract_symbol", "strike", "expiration", "option_type", "multiplier"} & set(row)
    assert event(row)["instrument_id"] == "ADJ-1"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantity": "0"}, "zero_quantity"),
        ({"price": None}, "missing_field"),
        ({"executed_at": "soon"}, "bad_timestamp"),
        ({"ratio": "2/1"}, "field_not_allowed"),
        ({"action": "HOLD"}, "unknown_action"),
    ],
)
def test_a_correction_that_intake_would_refuse_is_refused_by_its_own_code(changes, code):
    assert problem(corrected(as_row(event(STOCK)), changes)).code == code


def test_what_a_correction_sets_is_written_as_intake_would_write_it():
    changes = (
        '{"price":"+10.10","action":"sell_to_close","option_type":"c","executed_at":"2026-01-05T10:00:00-05:00",'
        '"lots":[{"open":"T","quantity":"1.0"}],"tags":"[\\"a\\"]","ratio":"04/1","fees":null,"reason":null}'
    )
    assert event({**CORRECT, "set": changes})["details"] == (
        '{"set":{"action":"SELL_TO_CLOSE","executed_at":"2026-01-05T15:00:00Z","fees":"0",'
        '"lots":[{"open":"T","quantity":"1"}],"option_type":"CALL","price":"10.1","ratio":"4/1","reason":null,'
        '"tags":["a"]}}'
    )


def test_a_correction_may_be_given_as_python_values():
    given_rows = [{**CORRECT, "set": {"price": 10, "lots": [{"open": "T", "quantity": 1}], "reason": None}}]
    details = executions.from_rows(given_rows).events["details"].to_list()
    assert details == ['{"set":{"lots":[{"open":"T","quantity":"1"}],"price":"10","reason":null}}']
