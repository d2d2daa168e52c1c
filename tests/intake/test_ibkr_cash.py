"""Flex statements: cash transactions, and trades that the broker cancelled."""

from datetime import date
from decimal import Decimal

import pytest

from tests.intake.flex import CALL, cash, events, execution, only_problem, outcomes, read

CONTRACT = "XYZ   260116C00050000"


@pytest.mark.parametrize(
    "cancelling",
    [
        {"buySell": "BUY (Ca.)"},
        {"buySell": "", "transactionType": "TradeCancel"},
        {"buySell": "", "notes": "Ca;P"},
        {
            "buySell": "BUY (Ca.)",
            "dateTime": "20260106;090000",
            "tradeDate": "20260106",
            "origTradeDate": "20260105",
        },
        {"buySell": "BUY (Ca.)", "tradePrice": "51", "origTradeID": "T1"},
    ],
)
def test_a_trade_and_its_cancellation_undo_each_other(cancelling):
    rows = [
        execution(tradeID="T1"),
        execution(tradeID="T2"),
        execution(quantity="-100", tradeID="T3", **cancelling),
    ]
    assert outcomes(read(Trades=rows)) == ["cancelled_by_broker", "event", "cancelled_by_broker"]


def test_a_cancellation_without_its_trade_is_a_reject():
    parsed = read(Trades=[execution(quantity="50"), execution(quantity="-100", buySell="BUY (Ca.)")])
    assert outcomes(parsed) == ["event", "broker_cancellation"]
    assert "100 XYZ" in only_problem(parsed).message


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("Deposits/Withdrawals", "deposit"),
        ("Deposits & Withdrawals", "deposit"),
        ("Broker Interest Paid", "interest"),
        ("Broker Interest Received", "interest"),
        ("Bond Interest Received", "interest"),
        ("Dividends", "dividend"),
        ("Payment In Lieu Of Dividends", "dividend"),
        ("Withholding Tax", "dividend"),
        ("871(m) Withholding", "dividend"),
        ("Other Fees", "fee"),
        ("Broker Fees", "fee"),
        ("Commission Adjustments", "fee"),
        ("Advisor Fees", "fee"),
    ],
)
def test_cash_transactions_have_four_categories(kind, category):
    parsed = read(CashTransactions=[cash(type=kind, amount="-12.345678", transactionID="5", symbol="XYZ")])
    names = ("kind", "cash_category", "net_amount", "broker_execution_id", "symbol", "trade_date")
    assert events(parsed, *names) == [
        ("cash", category, Decimal("-12.345678"), "transactionID:5", "XYZ", date(2026, 1, 5))
    ]


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({**CALL}, (CONTRACT, "XYZ", "OPTION")),
        ({"symbol": CONTRACT}, (CONTRACT, "XYZ", "OPTION")),
        ({"assetCategory": "WAR", "symbol": "XYZ WS"}, (None, "XYZ WS", "WARRANT")),
        ({"assetCategory": "OPT", "symbol": "XYZ"}, (None, None, None)),
        ({"assetCategory": "FUT", "symbol": "ESH6", "multiplier": "50"}, (None, None, None)),
        ({"assetCategory": "CASH", "symbol": "EUR.USD"}, (None, None, None)),
        ({"symbol": ""}, (None, None, None)),
    ],
)
def test_money_is_about_the_instrument_that_is_traded_and_about_none_that_is_not(said, named):
    parsed = read(CashTransactions=[cash(**{"assetCategory": "", **said})])
    assert events(parsed, "contract_symbol", "symbol", "asset_type") == [named]


def test_tax_withheld_from_interest_is_interest():
    row = cash(type="Withholding Tax", description="WITHHOLDING @ 20% ON CREDIT INT FOR MAY-2026", amount="-1")
    assert events(read(CashTransactions=[row]), "cash_category") == [("interest",)]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"type": "Realized P/L"}, "unknown_category"),
        ({"type": ""}, "unknown_category"),
        ({"amount": "0.00"}, "zero_amount"),
        ({"amount": ""}, "missing_field"),
        ({"amount": "ten"}, "bad_number"),
        ({"dateTime": ""}, "missing_field"),
        ({"dateTime": "03/04/26"}, "bad_timestamp"),
    ],
)
def test_an_odd_cash_row_stands_alone(changed, code):
    assert outcomes(read(CashTransactions=[cash(**changed), cash()])) == [code, "event"]


def test_sums_of_cash_are_events_only_where_there_is_nothing_else():
    total = cash(levelOfDetail="SUMMARY", accountId="-")
    assert outcomes(read(CashTransactions=[total, cash()])) == ["summary", "event"]
    assert outcomes(read(CashTransactions=[total, total])) == ["event", "event"]
