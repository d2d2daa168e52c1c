"""Flex statements: the document as a whole, its sections, and plain trades."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.flex import (
    ACCOUNT,
    CALL,
    STOCK,
    counts,
    document,
    element,
    events,
    execution,
    only_problem,
    outcomes,
    read,
    statement,
)
from tradelake.errors import InputError
from tradelake.intake.ibkr_flex import parse

BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<FlexQueryResponse queryName="&b;"><FlexStatements/></FlexQueryResponse>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><FlexQueryResponse/>"""
BUSY = b"""<FlexStatementResponse timestamp="x"><Status>Warn</Status><ErrorCode>1019</ErrorCode>
<ErrorMessage>Statement generation in progress.</ErrorMessage></FlexStatementResponse>"""


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "flex.xml is empty"),
        (b" \n", "flex.xml is empty"),
        (b"date,symbol\n2026-01-05,XYZ\n", "is not XML"),
        (b"PK\x03\x04\x00\x00", "is not XML"),
        (b"<html><body>Sign in</body></html>", "first element html"),
        (b"<FlexQueryResponse/>", "holds no FlexStatement"),
        (b'<FlexQueryResponse><FlexStatements count="0"/></FlexQueryResponse>', "holds no FlexStatement"),
        (b"<FlexQueryResponse><a></b></FlexQueryResponse>", "not well-formed"),
        (b'<?xml version="1.0" encoding="x-none"?><FlexQueryResponse/>', "encoding"),
        (BUSY, "Warn 1019 Statement generation in progress."),
        (BOMB, "declares a document type"),
        (OUTSIDE, "declares a document type"),
    ],
)
def test_a_document_that_is_no_statement_is_one_clear_error(data, says):
    with pytest.raises(InputError) as caught:
        parse(data, name="flex.xml")
    assert says in str(caught.value)
    assert str(caught.value).startswith("flex.xml")


def test_a_cut_off_statement_is_an_error_wherever_it_ends():
    whole = statement(Trades=[execution(ibExecID=str(number)) for number in range(20)])
    assert parse(whole, name="flex.xml").events.height == 20
    for tenth in range(1, 10):
        with pytest.raises(InputError, match=r"cut off|not XML"):
            parse(whole[: len(whole) * tenth // 10], name="flex.xml")
    with pytest.raises(InputError, match="cut off"):
        parse(whole[:-1], name="flex.xml")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_statement_or_an_input_error(data):
    with pytest.raises(InputError):
        parse(data, name="noise")


def test_a_plain_execution_carries_all_that_the_broker_says():
    parsed = read(
        Trades=[
            execution(
                ibExecID="0001.02.01.01",
                tradeID="7",
                transactionID="8",
                ibOrderID="9",
                orderReference="GEN-1",
                isin="US0000000001",
                description="XYZ INC",
                taxes="-0.05",
                openCloseIndicator="O",
                levelOfDetail="EXECUTION",
            )
        ]
    )
    assert outcomes(parsed) == ["event"]
    row = parsed.events.to_dicts()[0]
    assert row["broker_account_id"] == ACCOUNT
    assert row["broker_execution_id"] == "0001.02.01.01"
    assert (row["broker_order_id"], row["order_reference"], row["leg_id"]) == ("9", "GEN-1", "1")
    assert (row["broker_contract_id"], row["isin"], row["description"]) == ("11", "US0000000001", "XYZ INC")
    assert (row["instrument_id"], row["asset_type"], row["action"]) == ("XYZ", "STOCK", "BUY_TO_OPEN")
    assert (row["quantity"], row["price"], row["currency"]) == (Decimal(100), Decimal(50), "USD")
    assert (row["commission"], row["fees"], row["net_amount"]) == (
        Decimal("1.25"),
        Decimal("0.05"),
        Decimal("-5001.3"),
    )
    assert row["executed_at"] == datetime(2026, 1, 5, 15, 30, tzinfo=UTC)
    assert row["trade_date"] == date(2026, 1, 5)


def test_the_record_is_the_element_with_every_attribute_in_file_order():
    parsed = read(Trades=[execution(somethingNew="x & y")])
    record = parsed.records.to_dicts()[0]
    told = json.loads(record["text"])
    assert list(told)[:3] == ["tag", "accountId", "assetCategory"]
    assert told["somethingNew"] == "x & y"
    assert (record["row_number"], record["section"], record["broker_account_id"]) == (1, "Trades", ACCOUNT)


@pytest.mark.parametrize(
    ("ids", "named"),
    [
        ({"ibExecID": "e", "tradeID": "t", "transactionID": "x"}, "e"),
        ({"execID": "e", "tradeID": "t"}, "e"),
        ({"ibExecID": "-", "tradeID": "t", "transactionID": "x"}, "t"),
        ({"transactionID": "x"}, "transactionID:x"),
        ({}, None),
    ],
)
def test_an_execution_is_named_by_the_first_id_it_has(ids, named):
    assert events(read(Trades=[execution(**ids)]), "broker_execution_id") == [(named,)]


@pytest.mark.parametrize(
    ("quantity", "side", "indicator", "action"),
    [
        ("100", "BUY", "O", "BUY_TO_OPEN"),
        ("100", "BUY", "C", "BUY_TO_CLOSE"),
        ("-100", "SELL", "O", "SELL_TO_OPEN"),
        ("-100", "SELL", "C", "SELL_TO_CLOSE"),
        ("-100", "SELL", "C;O", "SELL"),
        ("100", "BUY", "-", "BUY"),
        ("100", "", "", "BUY"),
        ("-100", "", "O", "SELL_TO_OPEN"),
    ],
)
def test_the_action_follows_side_and_indicator(quantity, side, indicator, action):
    parsed = read(Trades=[execution(quantity=quantity, buySell=side, openCloseIndicator=indicator)])
    assert events(parsed, "action", "quantity") == [(action, Decimal(100))]


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("20260105;103000", datetime(2026, 1, 5, 15, 30, tzinfo=UTC)),
        ("20260705;103000", datetime(2026, 7, 5, 14, 30, tzinfo=UTC)),
        ("2026-01-05;10:30:00", datetime(2026, 1, 5, 15, 30, tzinfo=UTC)),
        ("2026-01-05, 10:30:00", datetime(2026, 1, 5, 15, 30, tzinfo=UTC)),
        ("2026-01-05T10:30:00", datetime(2026, 1, 5, 15, 30, tzinfo=UTC)),
        ("20260105 103000", datetime(2026, 1, 5, 15, 30, tzinfo=UTC)),
        ("20260105103000", datetime(2026, 1, 5, 15, 30, tzinfo=UTC)),
        ("20260105;103000 EST", datetime(2026, 1, 5, 15, 30, tzinfo=UTC)),
        ("20260105;103000 EDT", datetime(2026, 1, 5, 14, 30, tzinfo=UTC)),
        ("2026-01-05;10:30:00-05:00", datetime(2026, 1, 5, 15, 30, tzinfo=UTC)),
        ("2026-01-05;10:30:00 +0100", datetime(2026, 1, 5, 9, 30, tzinfo=UTC)),
        ("20260105", datetime(2026, 1, 5, 21, 0, tzinfo=UTC)),
        ("05-JAN-26;103000", datetime(2026, 1, 5, 15, 30, tzinfo=UTC)),
        ("01/31/2026;103000", datetime(2026, 1, 31, 15, 30, tzinfo=UTC)),
        ("31/01/26;10:30:00", datetime(2026, 1, 31, 15, 30, tzinfo=UTC)),
        ("20260308;013000", datetime(2026, 3, 8, 6, 30, tzinfo=UTC)),
        ("20260308;033000", datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),
        ("20261101;013000 EST", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_in_every_format_that_a_query_offers(written, at):
    assert events(read(Trades=[execution(dateTime=written, tradeDate="")]), "executed_at") == [(at,)]


@pytest.mark.parametrize(
    "written",
    ["yesterday", "20261301;100000", "20260105;250000", "2026-1-5", "03/04/2026", "20260105;103000 XYZ"],
)
def test_a_time_that_cannot_be_read_is_a_reject_and_never_a_guess(written):
    parsed = read(Trades=[execution(dateTime=written, tradeDate=""), execution()])
    assert outcomes(parsed) == ["bad_timestamp", "event"]
    assert only_problem(parsed).value == written


def test_other_days_of_the_document_tell_whether_the_day_comes_first():
    parsed = read(
        Trades=[
            execution(dateTime="03/04/2026;103000", tradeDate="03/04/2026"),
            execution(dateTime="25/04/2026"),
        ]
    )
    assert events(parsed, "trade_date")[0] == (date(2026, 4, 3),)


def test_a_trade_date_that_differs_from_the_time_is_kept():
    parsed = read(Trades=[execution(dateTime="20260104;210000", tradeDate="20260105")])
    assert events(parsed, "trade_date", "executed_at") == [(date(2026, 1, 5), datetime(2026, 1, 5, 2, tzinfo=UTC))]


def test_an_old_statement_gives_the_time_in_an_attribute_of_its_own():
    parsed = read(Trades=[execution(dateTime="", tradeTime="103000")])
    assert events(parsed, "executed_at") == [(datetime(2026, 1, 5, 15, 30, tzinfo=UTC),)]


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"assetCategory": "FUT"}, "unsupported_asset_type", "assetCategory"),
        ({"assetCategory": "BOND"}, "unsupported_asset_type", "assetCategory"),
        ({"assetCategory": "", "multiplier": "50"}, "unsupported_asset_type", "assetCategory"),
        ({"buySell": "SELL"}, "contradicting_side", "quantity"),
        ({"ibCommissionCurrency": "EUR"}, "commission_currency", "ibCommissionCurrency"),
        ({"dateTime": "", "tradeDate": ""}, "missing_field", "dateTime"),
        ({"tradeDate": "soon"}, "bad_timestamp", "tradeDate"),
        ({"levelOfDetail": "SOMETHING"}, "unknown_level", "levelOfDetail"),
        ({"quantity": "many"}, "bad_number", "quantity"),
        ({"quantity": "NaN"}, "bad_number", "quantity"),
        ({"quantity": "0"}, "zero_quantity", "quantity"),
        ({"tradePrice": "abc"}, "bad_number", "price"),
        ({"tradePrice": ""}, "missing_field", "price"),
        ({"tradePrice": "-50"}, "negative_price", "price"),
        ({"ibCommission": "free"}, "bad_number", "commission"),
        ({"symbol": "X'; DROP TABLE"}, "bad_symbol", "symbol"),
        ({"symbol": "", "conid": ""}, "missing_field", "symbol"),
        ({"currency": "DOLLAR", "ibCommissionCurrency": ""}, "unknown_currency", "currency"),
        ({"assetCategory": "IND"}, "not_tradable", "asset_type"),
        ({**CALL, "expiry": "20250117", "symbol": "XYZ CALL"}, "trade_after_expiry", "trade_date"),
        ({**CALL, "strike": "51"}, "contradicting_terms", "strike"),
        ({**CALL, "quantity": "1.5"}, "fractional_contracts", "quantity"),
        ({"assetCategory": "OPT", "symbol": "XYZ"}, "invalid_instrument", ""),
    ],
)
def test_an_odd_value_rejects_its_row_and_no_other(changed, code, field):
    parsed = read(Trades=[execution(ibExecID="1"), execution(**changed), execution(ibExecID="3")])
    assert counts(parsed) == {"event": 2, "reject": 1}
    problem = only_problem(parsed)
    assert (problem.code, problem.row, problem.source) == (code, 2, "flex.xml")
    assert problem.field == field or not field
    assert problem.action
    assert outcomes(parsed)[1] == code


def test_a_commission_of_nothing_has_no_currency_to_quarrel_about():
    assert outcomes(read(Trades=[execution(ibCommission="0", ibCommissionCurrency="EUR")])) == ["event"]


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("1,234.5", "1234.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("1E2", "100"),
        ("+7", "7"),
        ("0.00000001", "0.00000001"),
    ],
)
def test_numbers_are_read_exactly_as_the_broker_writes_them(written, read_as):
    assert events(read(Trades=[execution(quantity=written)]), "quantity") == [(Decimal(read_as),)]


def test_a_tiny_commission_with_an_exponent_and_a_rebate_are_exact():
    parsed = read(Trades=[execution(ibCommission="-1.25E-7"), execution(ibCommission="0.37")])
    assert events(parsed, "commission") == [(Decimal("0.000000125"),), (Decimal("-0.37"),)]


@pytest.mark.parametrize(
    ("changed", "terms"),
    [
        (STOCK, ("XYZ", None, "STOCK")),
        ({"assetCategory": ""}, ("XYZ", None, "STOCK")),
        ({"assetCategory": "WAR", "symbol": "ABC WS"}, ("ABC WS", None, "WARRANT")),
        ({**CALL}, ("XYZ", "XYZ   260116C00050000", "OPTION")),
        ({**CALL, "symbol": "XYZ 260116C00050000"}, ("XYZ", "XYZ   260116C00050000", "OPTION")),
        ({**CALL, "assetCategory": "", "putCall": ""}, ("XYZ", "XYZ   260116C00050000", "OPTION")),
        ({**CALL, "symbol": "C XYZ  JAN 26 50"}, ("XYZ", "XYZ   260116C00050000", "OPTION")),
        (
            {"assetCategory": "OPT", "symbol": "XYZ1  260116C00050000"},
            ("XYZ", "XYZ1  260116C00050000", "OPTION"),
        ),
        (
            {**CALL, "symbol": "BRKB  260116C00050000", "underlyingSymbol": "BRK B"},
            ("BRK B", "BRKB  260116C00050000", "OPTION"),
        ),
        (
            {
                "assetCategory": "OPT",
                "symbol": "?",
                "underlyingSymbol": "XYZ",
                "description": "XYZ 16JAN26 50 C",
            },
            ("XYZ", "XYZ   260116C00050000", "OPTION"),
        ),
    ],
)
def test_the_instrument_is_named_whatever_the_broker_leaves_out(changed, terms):
    parsed = read(Trades=[execution(**{**changed, "quantity": "1"})])
    assert events(parsed, "symbol", "contract_symbol", "asset_type") == [terms]


@pytest.mark.parametrize(
    ("root", "symbol", "settlement", "style"),
    [
        ("SPXW", "SPX", "CASH", "EUROPEAN"),
        ("VIX", "VIX", "CASH", "EUROPEAN"),
        ("VIXW", "VIX", "CASH", "EUROPEAN"),
        ("NDXP", "NDX", "CASH", "EUROPEAN"),
        ("RUTW", "RUT", "CASH", "EUROPEAN"),
        ("XSP", "XSP", "CASH", "EUROPEAN"),
        ("OEX", "OEX", "CASH", "AMERICAN"),
        ("XEO", "XEO", "CASH", "EUROPEAN"),
        ("SPY", "SPY", "PHYSICAL", "AMERICAN"),
        ("DAX", "DAX", "PHYSICAL", "AMERICAN"),
    ],
)
def test_options_on_indexes_settle_in_cash(root, symbol, settlement, style):
    row = execution(assetCategory="OPT", symbol=f"{root:<6}260116C00050000", quantity="1", multiplier="100")
    parsed = read(Trades=[row])
    assert events(parsed, "symbol", "settlement", "exercise_style") == [(symbol, settlement, style)]


def test_an_option_that_has_no_osi_symbol_goes_by_the_brokers_contract_id():
    row = execution(**{**CALL, "symbol": "C LONGNAME", "underlyingSymbol": "LONGNAME", "quantity": "1"})
    assert events(read(Trades=[row]), "instrument_id", "contract_symbol") == [("IBKR-23", None)]


def test_a_currency_conversion_is_kept():
    row = execution(assetCategory="CASH", symbol="EUR.USD", ibCommissionCurrency="EUR")
    assert outcomes(read(Trades=[row, execution(assetCategory="", symbol="USD.CHF")])) == ["currency_conversion"] * 2


def test_rows_that_sum_executions_up_are_kept():
    levels = ["ORDER", "SYMBOL_SUMMARY", "ASSET_SUMMARY", "CLOSED_LOT", "WASH_SALE"]
    tags = ["Order", "SymbolSummary", "AssetSummary", "Lot", "WashSale"]
    rows = [execution(levelOfDetail=level) for level in levels] + [element(tag, {"symbol": "XYZ"}) for tag in tags]
    assert outcomes(read(Trades=[*rows, execution()])) == ["summary"] * 10 + ["event"]


def test_sections_that_are_only_kept_and_sections_that_are_skipped():
    parsed = read(
        TradeConfirms=[element("TradeConfirm", {"symbol": "XYZ"})],
        Transfers=[element("Transfer", {"type": "ACATS"})],
        OpenPositions=[element("OpenPosition", {"symbol": "XYZ"})],
        NewSection=[element("Anything", {"x": "1"})],
    )
    assert outcomes(parsed) == [
        "repeats_trade",
        "broker_transfer",
        "broker_position",
    ]
    assert parsed.events.is_empty()


def test_a_row_without_an_account_belongs_to_its_statement():
    rows = execution(accountId="-") + execution(accountId="") + execution(accountId="U3")
    parsed = parse(
        document(
            f'<FlexStatement accountId="U1"><Trades>{rows}</Trades></FlexStatement>'
            f'<FlexStatement accountId="U2"><Trades>{execution(accountId="")}</Trades></FlexStatement>'
        ),
        name="flex.xml",
    )
    assert parsed.events["broker_account_id"].to_list() == ["U1", "U1", "U3", "U2"]


def test_rows_directly_under_the_statement_are_read():
    assert outcomes(parse(document(f'<FlexStatement accountId="U1">{execution()}</FlexStatement>'), name="f")) == [
        "event"
    ]


def test_the_same_row_twice_stays_two_rows():
    assert outcomes(read(Trades=[execution(ibExecID="1"), execution(ibExecID="1")])) == ["event", "event"]
