"""The rules of a row: every code with its smallest input, and what is derived from good rows."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.given import BASES, CASH, EX, OPTION, OSI, STOCK, TRADE, Row, event, problem, text_frame
from tests.strategies import prices, trade_quantities
from tradelake import units
from tradelake.errors import InvariantError
from tradelake.intake import executions, recheck, validate
from tradelake.intake.fields import REMARK_LENGTH_MAX
from tradelake.tables import INCOMING
from tradelake.units import plain

REFUSALS = yaml.safe_load(Path(__file__).with_name("refusals.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", REFUSALS, ids=[f"{c['code']}-{c['field']}" for c in REFUSALS])
def test_a_bad_row_says_what_was_asked_what_there_was_and_what_to_do(case):
    found = problem({**BASES[case["given"]], **case["change"]})
    assert found.code == case["code"]
    assert found.field == case["field"]
    assert found.message == case["message"]
    assert found.action == case["action"]


@pytest.mark.parametrize("base", BASES)
def test_the_rows_that_the_cases_start_from_are_good(base):
    row = BASES[base]
    assert event(row)["account_id"] == row.get("account_id")


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-inf", "", "ten", "1e2", "1E-2", " 5", "5 ", "1,000", ".5", "5.", "0x1", "٣", "1_0"],
)
@pytest.mark.parametrize("field", ["quantity", "price", "commission", "fees", "delta"])
def test_only_plain_decimals_are_numbers(field, text):
    found = problem({**STOCK, field: text})
    assert (found.code, found.field, found.value) == ("bad_number", field, text)
    assert found.message == f"{field} asks for a plain decimal number, and '{text}' is none."


def test_a_bad_row_does_not_touch_the_good_rows_beside_it():
    rows = [{**STOCK, "trade_id": "T1"}]
    for number, case in enumerate(REFUSALS):
        rows += [{**BASES[case["given"]], **case["change"]}, {**OPTION, "trade_id": f"G{number}"}]
    parsed = executions.from_rows(rows)
    assert [found.code for found in parsed.problems] == [case["code"] for case in REFUSALS]
    assert [found.row for found in parsed.problems] == list(range(2, len(rows) + 1, 2))
    assert parsed.events["source_row"].to_list() == list(range(1, len(rows) + 1, 2))
    alone = executions.from_rows([row for row in rows if row.get("trade_id", "").startswith(("T", "G"))]).events
    assert parsed.events.drop("source_row").equals(alone.drop("source_row"))


@pytest.mark.parametrize(
    ("field", "length"), [("reason", 500), ("description", 500), ("lots", 10_000), ("tags", 10_000)]
)
def test_long_texts_are_refused_and_shown_shortened(field, length):
    found = problem({**STOCK, field: "x" * (length + 1)})
    assert found.code == "text_too_long"
    assert found.message == f"{field} has at most {length} characters, and there were {length + 1}."
    assert len(found.value) == 80


def test_a_remark_may_fill_its_length_and_have_lines():
    assert event({**STOCK, "reason": "a\n" * (REMARK_LENGTH_MAX // 2)})["reason"] == "a\n" * (REMARK_LENGTH_MAX // 2)


def test_the_first_broken_rule_in_the_stated_order_is_reported():
    rows: list[Row] = [{**OPTION, "quantity": "-1.5", "price": "x", "executed_at": "soon", "kind": "teleport"}]
    for cure in (
        {"kind": "trade"},
        {"executed_at": "2026-01-17T15:00:00Z"},
        {"price": "-1"},
        {"quantity": "1.5"},
    ):
        rows.append({**rows[-1], **cure})
    rows += [{**rows[-1], "quantity": "1"}, {**rows[-1], "quantity": "1", "price": "1"}]
    codes = [found.code for found in executions.from_rows(rows).problems]
    assert codes == [
        "unknown_kind",
        "bad_timestamp",
        "bad_number",
        "nonpositive_quantity",
        "fractional_contracts",
        "negative_price",
        "trade_after_expiry",
    ]


def test_a_stock_row_is_completed():
    found = event(STOCK)
    assert found["kind"] == "trade"
    assert found["leg_id"] == "1"
    assert found["asset_type"] == "STOCK"
    assert found["instrument_id"] == "XYZ"
    assert found["currency"] == "USD"
    assert (found["multiplier"], found["commission"], found["fees"]) == (1, 0, 0)
    assert found["executed_at"] == datetime(2026, 1, 5, 15, tzinfo=UTC)
    assert found["trade_date"] == date(2026, 1, 5)
    assert found["underlying_instrument_id"] is None


def test_an_option_row_and_its_osi_symbol_are_the_same_event():
    spelled, named = event(OPTION), event(OSI)
    assert spelled == named
    assert named == event({**TRADE, "contract_symbol": OSI["contract_symbol"]})
    assert named["instrument_id"] == "XYZ   260116C00050000"
    assert (named["symbol"], named["asset_type"], named["option_type"]) == ("XYZ", "OPTION", "CALL")
    assert (named["strike"], named["expiration"]) == (Decimal(50), date(2026, 1, 16))
    assert (named["multiplier"], named["underlying_instrument_id"]) == (100, "XYZ")
    assert (named["settlement"], named["exercise_style"]) == (None, None)


def test_a_contract_in_the_place_of_a_symbol_is_not_taken_for_a_stock():
    row = {**STOCK, "symbol": OSI["contract_symbol"]}
    assert (problem(row).code, problem(row).field) == ("invalid_instrument", "symbol")


def test_another_currency_is_part_of_the_instrument_id():
    assert event({**STOCK, "currency": "eur"})["instrument_id"] == "XYZ:EUR"
    option = event({**OPTION, "currency": "EUR"})
    assert (option["instrument_id"], option["underlying_instrument_id"]) == (
        "XYZ   260116C00050000:EUR",
        "XYZ:EUR",
    )


@pytest.mark.parametrize(
    ("symbol", "root"),
    [("SPX", "SPXW"), ("NVDA", "NVDA1"), ("OLD", "NEW1"), ("BRK B", "BRKB"), ("BRK.B", "BRKB")],
)
def test_a_root_that_belongs_to_the_symbol_is_no_contradiction(symbol, root):
    row = {**OSI, "symbol": symbol, "contract_symbol": f"{root:<6}260116C00050000"}
    assert event(row)["symbol"] == symbol


@pytest.mark.parametrize(
    ("at", "kind", "style", "good"),
    [
        ("2026-01-16T04:59:59Z", "expire", "AMERICAN", False),
        ("2026-01-16T05:00:00Z", "expire", "AMERICAN", True),
        ("2026-01-16T04:59:59Z", "exercise", "EUROPEAN", False),
        ("2026-01-16T05:00:00Z", "exercise", "EUROPEAN", True),
        ("2026-01-05T15:00:00Z", "assign", "AMERICAN", True),
    ],
)
def test_days_of_option_events_are_new_york_days(at, kind, style, good):
    parsed = executions.from_rows([{**EX, "kind": kind, "exercise_style": style, "executed_at": at}])
    assert parsed.events.height == good


def test_a_trade_after_midnight_utc_is_still_on_the_day_of_expiry():
    assert event({**OPTION, "executed_at": "2026-01-17T00:30:00Z"})["trade_date"] == date(2026, 1, 16)


def test_a_leg_of_a_combination_may_have_a_negative_price():
    found = event({**OPTION, "price": "-0.05", "tags": '[ "combo", "roll" ]'})
    assert found["details"] == '{"tags":["combo","roll"]}'
    assert (found["gross_amount"], found["net_amount"]) == (Decimal(-5), Decimal(5))


def test_details_are_written_in_one_way():
    lots = '[{"quantity": "1.50", "open": "T-1"}]'
    assert event({**STOCK, "lots": lots})["details"] == '{"lots":[{"open":"T-1","quantity":"1.5"}]}'
    assert event({**STOCK, "lots": "[]", "tags": "[]"})["details"] is None
    deliverable = '[{"quantity": 150, "instrument_id": "XYZ"}, {"cash": "-2.50"}]'
    written = '[{"instrument_id":"XYZ","quantity":"150"},{"cash":"-2.5"}]'
    assert event({**OPTION, "deliverable": deliverable})["deliverable"] == written


def test_cash_and_option_events_have_their_own_amounts():
    assert event({**CASH, "amount": "-5.5"})["net_amount"] == Decimal("-5.5")
    assert event(CASH)["instrument_id"] is None
    settled = event({**EX, "kind": "cash_settle", "price": "60", "settlement": "CASH", "quantity": None})
    assert (settled["quantity"], settled["gross_amount"], settled["net_amount"]) == (None, None, None)
    mixed = executions.from_rows([STOCK, CASH, EX]).events
    assert mixed["gross_amount"].to_list() == [10, None, None]
    assert mixed["net_amount"].to_list() == [-10, 5, None]


def test_an_instrument_with_its_own_id_is_completed_and_checked_later():
    row = {**TRADE, "instrument_id": "ADJ-1", "quantity": "1.5"}
    found = event(row)
    assert [found[name] for name in ("symbol", "asset_type", "multiplier", "gross_amount", "net_amount")] == [None] * 5
    incoming = executions.from_rows([row, {**row, "quantity": "2"}]).events
    completed = incoming.with_columns(
        symbol=pl.lit("XYZ"),
        asset_type=pl.lit("OPTION"),
        strike=pl.lit(50).cast(units.MONEY),
        expiration=pl.lit(date(2026, 1, 16)),
        option_type=pl.lit("CALL"),
        multiplier=pl.lit(150).cast(units.QUANTITY),
    )
    good, problems = recheck(completed, source="book")
    assert [(p.code, p.row) for p in problems] == [("fractional_contracts", 1)]
    assert good.schema == INCOMING.schema
    assert good["net_amount"].to_list() == [Decimal(-3000)]
    _, unknown = recheck(incoming, source="book")
    assert {p.code for p in unknown} == {"invalid_instrument"}


def test_a_second_check_takes_open_settlement_as_physical_and_keeps_combinations():
    settled = executions.from_rows([{**EX, "kind": "cash_settle", "price": "60"}]).events
    assert [p.code for p in recheck(settled, source="book")[1]] == ["wrong_settlement"]
    leg = executions.from_rows([{**OPTION, "price": "-1", "tags": '["combo"]'}]).events
    assert recheck(leg, source="book")[0].equals(leg)


@given(quantity=trade_quantities(), price=prices(), commission=prices(), sell=st.booleans())
def test_numbers_arrive_exactly_and_amounts_follow(quantity, price, commission, sell):
    action = "SELL_TO_CLOSE" if sell else "BUY_TO_OPEN"
    row = {
        **STOCK,
        "quantity": plain(quantity),
        "price": f"{price:f}",
        "commission": f"{commission:f}",
        "action": action,
    }
    found = event(row)
    assert (found["quantity"], found["price"], found["commission"]) == (quantity, price, commission)
    gross = units.product(units.to_units(quantity, 8), units.to_units(price, 12), units.to_units(1, 8))
    assert found["gross_amount"] == units.to_decimal(gross, 12)
    assert found["net_amount"] == (gross if sell else -gross) * Decimal("1e-12") - commission


@given(st.from_regex(r"[+-]?0{0,3}[0-9]{1,15}(\.[0-9]{1,12}0{0,40})?", fullmatch=True))
def test_any_allowed_number_is_read_exactly(text):
    assert event({**STOCK, "fees": text})["fees"] == Decimal(text)


@given(st.text(max_size=12))
def test_any_other_text_is_no_number(text):
    parsed = executions.from_rows([{**STOCK, "fees": text}])
    if parsed.problems:
        assert parsed.problems[0].code in ("bad_number", "price_scale")
    else:
        assert parsed.events["fees"].to_list() == [Decimal(text)]
        assert "e" not in text.lower()


@given(
    root=st.from_regex(r"[A-Z][A-Z0-9]{0,5}", fullmatch=True),
    day=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    right=st.sampled_from(["CALL", "PUT"]),
    thousandths=st.integers(1, 99_999_999),
)
def test_terms_to_osi_and_back_is_the_identity(root, day, right, thousandths):
    strike = units.to_decimal(thousandths, 3)
    row = {
        **TRADE,
        "executed_at": "2000-01-01T17:00:00Z",
        "symbol": root,
        "strike": f"{strike:f}",
        "option_type": right,
    }
    built = event({**row, "expiration": day.isoformat()})
    assert built["contract_symbol"] == f"{root:<6}{day:%y%m%d}{right[0]}{thousandths:08d}"
    parsed = event({**TRADE, "executed_at": row["executed_at"], "contract_symbol": built["contract_symbol"]})
    assert parsed == built


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (text_frame([STOCK]), "no integer column"),
        (
            text_frame([{**STOCK, "pirce": "1"}]).with_columns(_row=pl.lit(1, dtype=pl.Int64)),
            "pirce is no field",
        ),
        (
            text_frame([STOCK]).with_columns(_row=pl.lit(1, dtype=pl.Int64), price=pl.lit(0.5)),
            "no exact number",
        ),
        (text_frame([STOCK]).with_columns(_row=pl.lit(1, dtype=pl.Int64), symbol=pl.lit(1)), "no text"),
    ],
)
def test_a_frame_that_no_source_may_make_is_our_own_mistake(frame, message):
    with pytest.raises(InvariantError, match=message):
        validate(frame, source="x")
