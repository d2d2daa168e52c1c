"""Events beyond trades, option events and cash: what is kept of a good row of each kind."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from tests.intake.given import (
    ADJUST,
    AT,
    BASES,
    CANCEL,
    FORK,
    MERGE,
    MERGER,
    RENAMED,
    SPIN,
    SPLIT,
    STOCK,
    SUBSCRIBE,
    TRANSFER,
    event,
)
from tradelake import units
from tradelake.intake import executions, recheck
from tradelake.intake.kinds import ONLY, PLAIN
from tradelake.tables import CORPORATE_KINDS, KINDS

DETAILS: dict[str, Any] = {
    "SUBSCRIBE": {"shares": "6"},
    "SPLIT": {"ratio": "4/1"},
    "DIVIDEND": {"amount_per_unit": "0.5"},
    "CAPITAL": {"amount_per_unit": "0.5"},
    "SPIN": {"basis_fraction": "0.25", "ratio": "4/1"},
    "RIGHTS": {"basis_fraction": "0", "ratio": "4/1"},
    "MERGER": {"amount_per_unit": "10", "new_price": "40", "ratio": "4/1"},
    "RENAMED": None,
    "ADJUST": {"ratio": "1/1"},
    "TRANSFER": None,
    "FORK": {"moves": []},
    "MERGE": None,
    "METHOD": {"method": "LIFO"},
    "CANCEL": None,
    "CORRECT": {"set": {"price": "10.1"}},
    "JOIN": {"chain": {"chains": ["C-1", "C-2"]}},
    "CUT": {"chain": {"trades": ["T-1"]}},
    "NAMED": {"chain": {"chain": "C-1", "name": "wheel"}},
}


@pytest.mark.parametrize("base", DETAILS)
def test_what_only_a_kind_has_stands_in_its_details(base):
    found = event(BASES[base])
    assert (json.loads(found["details"]) if found["details"] else None) == DETAILS[base]
    assert (found["gross_amount"], found["net_amount"]) == (None, None)
    assert (found["commission"], found["fees"]) == (0, 0)
    assert found["trade_date"] == date(2026, 1, 5)
    assert {BASES[name]["kind"] for name in DETAILS} == set(KINDS) - set(PLAIN)


@pytest.mark.parametrize("base", DETAILS)
def test_a_kind_is_read_in_any_case_and_beside_other_kinds(base):
    row = BASES[base]
    alone = event(row)
    mixed = executions.from_rows([STOCK, {**row, "kind": row["kind"].upper()}]).events
    assert mixed.row(1, named=True) == {**alone, "source_row": 2}
    assert mixed.row(0, named=True) == event(STOCK)


def test_columns_name_what_the_event_joins():
    assert event(CANCEL)["target_id"] == "T-1"
    assert (event(MERGE)["account_id"], event(MERGE)["to_account_id"]) == ("A", "B")
    assert (event(SUBSCRIBE)["instrument_id"], event(SUBSCRIBE)["new_instrument_id"]) == ("RTS", "XYZ")
    assert (event(SUBSCRIBE)["quantity"], event(SUBSCRIBE)["price"]) == (60, 40)
    assert (event(ADJUST)["instrument_id"], event(ADJUST)["new_instrument_id"]) == (
        "XYZ   260116C00050000",
        "XYZ1~ADJ",
    )
    assert event(FORK)["instrument_id"] is None


def test_a_new_symbol_names_the_new_instrument():
    assert [event(RENAMED)[name] for name in ("new_symbol", "new_instrument_id")] == ["NEW", "NEW"]
    assert event({**SPIN, "currency": "EUR"})["new_instrument_id"] == "SPN:EUR"
    assert event({**SPIN, "new_instrument_id": "SPN-1"})["new_instrument_id"] == "SPN-1"


@pytest.mark.parametrize("kind", CORPORATE_KINDS)
def test_a_corporate_action_is_for_all_accounts_and_may_name_the_statement(kind):
    row = next(row for row in BASES.values() if row.get("kind") == kind)
    found = event({**row, "broker_account_id": "U1"})
    assert (found["account_id"], found["broker_account_id"]) == (None, "U1")


def test_numbers_and_instants_of_details_are_canonical():
    row = {**SPLIT, "ratio": "004/01", "cash_in_lieu_price": "28.50"}
    assert event(row)["details"] == '{"cash_in_lieu_price":"28.5","ratio":"4/1"}'
    row = {**BASES["DIVIDEND"], "amount_per_unit": "+0.500", "pay_at": "2026-02-01T10:00:00.25-05:00"}
    assert event(row)["details"] == '{"amount_per_unit":"0.5","pay_at":"2026-02-01T15:00:00.250000Z"}'
    merger = {**AT, "kind": "merger", "symbol": "OLD", "amount_per_unit": "0", "treatment": "TAXABLE"}
    assert event(merger)["details"] == '{"amount_per_unit":"0","treatment":"taxable"}'
    assert event({**MERGER, "amount_per_unit": None})["details"] == '{"new_price":"40","ratio":"4/1"}'


def test_a_transfer_of_lots_alone_is_of_all_that_they_are():
    lots = '[{"open":"T-1","quantity":"1.50"},{"open":"T-2","quantity":2}]'
    found = event({**TRANSFER, "quantity": None, "lots": lots, "cash": "-5.0"})
    assert found["quantity"] == Decimal("3.5")
    assert found["details"] == ('{"cash":"-5","lots":[{"open":"T-1","quantity":"1.5"},{"open":"T-2","quantity":"2"}]}')
    assert event({**TRANSFER, "lots": lots})["quantity"] == 5


def test_moves_keep_their_order_and_may_be_percentages_or_lots():
    moves = [
        {"instrument_id": "XYZ", "percent": 50},
        {"instrument_id": "ABC", "lots": [{"open": "T-1", "quantity": "1.50"}]},
        {"instrument_id": "DEF", "lots": [], "quantity": "3.0"},
    ]
    assert json.loads(event({**FORK, "moves": moves})["details"])["moves"] == [
        {"instrument_id": "XYZ", "percent": "50"},
        {"instrument_id": "ABC", "lots": [{"open": "T-1", "quantity": "1.5"}], "quantity": "1.5"},
        {"instrument_id": "DEF", "quantity": "3"},
    ]


def test_terms_that_the_book_completes_are_checked_for_these_kinds_too():
    rows = [
        {**AT, "kind": "option_adjust", "instrument_id": "C50", "new_instrument_id": "C25", "ratio": "2/1"},
        {**AT, "kind": "split", "instrument_id": "C50", "ratio": "2/1"},
        {**SUBSCRIBE, "symbol": None, "asset_type": None, "instrument_id": "C50"},
        {**FORK},
        {**CANCEL},
    ]
    incoming = executions.from_rows(rows).events
    completed = incoming.with_columns(
        pl.when(pl.col("instrument_id").is_not_null()).then(pl.lit("STOCK")).alias("asset_type"),
        pl.when(pl.col("instrument_id").is_not_null()).then(pl.lit("XYZ")).alias("symbol"),
        multiplier=pl.lit(1).cast(units.QUANTITY),
    )
    good, problems = recheck(completed, source="book")
    assert [(p.row, p.code) for p in problems] == [(1, "invalid_instrument"), (3, "invalid_instrument")]
    assert good.equals(completed.filter(pl.col("source_row").is_in([2, 4, 5])))
    assert [p.row for p in recheck(incoming, source="book")[1]] == [1, 2, 3]


def test_every_field_that_only_some_kinds_have_names_kinds_that_there_are():
    assert {kind for kinds in ONLY.values() for kind in kinds} <= set(KINDS)
