"""Option events of Flex statements: one event each, however many rows tell it."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.intake.flex import (
    CALL,
    INDEX_CALL,
    PUT,
    STOCK,
    booking,
    counts,
    element,
    events,
    execution,
    exercise,
    only_problem,
    outcomes,
    read,
)

INDEX_PUT = {**INDEX_CALL, "symbol": "SPXW  260116P06000000"}
AT_BOOKING = datetime(2026, 1, 16, 21, 20, tzinfo=UTC)


def delivered(quantity: str, **changed: str) -> str:
    return booking(STOCK, **{"quantity": quantity, "tradePrice": "50", "ibCommission": "-0.0166", **changed})


def test_an_assignment_takes_over_its_shares_with_their_commission():
    parsed = read(
        Trades=[
            booking(PUT, quantity="2", notes="A", tradeID="7"),
            delivered("200", notes="A", taxes="-0.01"),
        ]
    )
    assert outcomes(parsed) == ["event", "stock_of_option_event"]
    names = (
        "kind",
        "quantity",
        "price",
        "action",
        "commission",
        "fees",
        "broker_execution_id",
        "executed_at",
    )
    assert events(parsed, *names) == [
        ("assign", Decimal(2), None, None, Decimal("0.0166"), Decimal("0.01"), "7", AT_BOOKING)
    ]


@pytest.mark.parametrize(
    ("terms", "quantity", "code", "shares", "kind"),
    [
        (PUT, "1", "A", "100", "assign"),
        (CALL, "1", "A", "-100", "assign"),
        (PUT, "-1", "Ex", "-100", "exercise"),
        (CALL, "-1", "Ex", "100", "exercise"),
        (CALL, "-1", "AEx", "100", "exercise"),
        (CALL, "-1", "MEx;P", "100", "exercise"),
        (CALL, "-1", "GEA", "100", "exercise"),
        (PUT, "1", "GEA", "100", "assign"),
        (PUT, "1", "", "100", "assign"),
        (CALL, "-1", "", "100", "exercise"),
    ],
)
def test_shares_are_matched_by_side_and_strike(terms, quantity, code, shares, kind):
    parsed = read(Trades=[delivered(shares), booking(terms, quantity=quantity, notes=code)])
    assert outcomes(parsed) == ["stock_of_option_event", "event"]
    assert events(parsed, "kind") == [(kind,)]


@pytest.mark.parametrize(("quantity", "notes"), [("3", "Ep"), ("-3", "Ep;P"), ("-3", "")])
def test_what_is_booked_out_at_nothing_on_the_last_day_is_an_expiry(quantity, notes):
    parsed = read(Trades=[booking(PUT, quantity=quantity, notes=notes)])
    assert events(parsed, "kind", "quantity", "executed_at") == [("expire", Decimal(3), AT_BOOKING)]


def test_booked_out_at_nothing_before_the_last_day_is_ambiguous():
    parsed = read(Trades=[booking(PUT, quantity="1", tradeDate="20260109", dateTime="20260109;162000")])
    assert outcomes(parsed) == ["ambiguous_option_event"]
    assert "Notes/Codes" in only_problem(parsed).action


def test_an_old_saturday_expiry_is_booked_on_friday_and_ends_with_the_contract():
    terms = {**PUT, "symbol": "XYZ   110917P00050000", "expiry": "20110917"}
    parsed = read(Trades=[booking(terms, quantity="1", tradeDate="20110916", dateTime="20110916;162000")])
    assert events(parsed, "kind", "trade_date") == [("expire", date(2011, 9, 17))]


def test_the_word_of_an_option_row_is_lent_to_the_trade_that_it_repeats():
    parsed = read(
        Trades=[
            booking(PUT, quantity="1", tradeID="7", tradeDate="20260109", dateTime="20260109;162000"),
            booking(CALL, quantity="-1"),
        ],
        OptionEAE=[
            exercise(PUT, quantity="1", transactionType="Assignment", tradeID="7"),
            exercise(CALL, quantity="-1", transactionType="Expiration"),
        ],
    )
    assert outcomes(parsed) == ["event", "event", "repeats_trade", "repeats_trade"]
    assert events(parsed, "kind") == [("assign",), ("expire",)]


def test_a_market_trade_is_never_taken_for_an_option_event_or_its_shares():
    parsed = read(
        Trades=[
            execution(tradeDate="20260116", dateTime="20260116;150000"),
            execution(**{**PUT, "quantity": "1", "tradePrice": "0"}),
            booking(PUT, quantity="1", notes="A"),
        ],
        OptionEAE=[exercise(STOCK, quantity="100", transactionType="Buy", tradePrice="50")],
    )
    assert outcomes(parsed) == ["event", "event", "event", "stock_of_option_event"]
    assert events(parsed, "kind") == [("trade",), ("trade",), ("assign",)]


def test_several_events_of_one_day_find_their_own_shares():
    other = {**PUT, "symbol": "XYZ   260116P00045000", "strike": "45"}
    parsed = read(
        Trades=[
            booking(PUT, quantity="1", notes="A"),
            booking(other, quantity="2", notes="A"),
            booking(PUT, quantity="2", notes="A"),
            delivered("200", notes="A", tradePrice="45", ibCommission="-3"),
            delivered("300", notes="A", ibCommission="-5"),
        ]
    )
    assert outcomes(parsed) == ["event"] * 3 + ["stock_of_option_event"] * 2
    assert events(parsed, "commission") == [(Decimal(5),), (Decimal(3),), (Decimal(0),)]


def test_partial_deliveries_are_taken_over_together():
    parsed = read(
        Trades=[
            booking(PUT, quantity="3", notes="A"),
            delivered("100", notes="A"),
            delivered("200", notes="A;P"),
        ]
    )
    assert outcomes(parsed) == ["event", "stock_of_option_event", "stock_of_option_event"]
    assert events(parsed, "commission") == [(Decimal("0.0332"),)]


def test_the_option_on_a_share_with_a_blank_in_its_name_finds_its_shares():
    option = {**PUT, "symbol": "BRKB  260116P00050000", "underlyingSymbol": "BRK B"}
    parsed = read(Trades=[booking(option, quantity="1", notes="A"), delivered("100", symbol="BRK B", notes="A")])
    assert outcomes(parsed) == ["event", "stock_of_option_event"]


def test_shares_without_their_option_event_are_a_plain_trade_at_the_strike():
    parsed = read(Trades=[delivered("100", notes="A", tradeID="9")])
    assert events(parsed, "kind", "price", "commission", "broker_execution_id") == [
        ("trade", Decimal(50), Decimal("0.0166"), "9")
    ]


def test_shares_of_another_account_are_not_taken_over():
    parsed = read(Trades=[booking(PUT, quantity="1", notes="A"), delivered("100", notes="A", accountId="U2")])
    assert events(parsed, "kind") == [("assign",), ("trade",)]


@pytest.mark.parametrize(("shares", "price"), [("150", "50"), ("150", "33.333333333333"), ("200", "25")])
def test_a_delivery_that_the_contract_does_not_explain_is_refused_whole(shares, price):
    parsed = read(
        Trades=[
            booking(PUT, quantity="1", notes="A"),
            delivered(shares, notes="A", tradePrice=price),
            execution(),
        ]
    )
    assert outcomes(parsed) == ["unmatched_delivery", "unmatched_delivery", "event"]


def test_a_booking_of_shares_at_another_price_is_no_delivery():
    parsed = read(Trades=[booking(PUT, quantity="1", notes="A"), delivered("100", tradePrice="20")])
    assert events(parsed, "kind") == [("assign",), ("trade",)]


def test_shares_of_a_rejected_event_are_rejected_with_it():
    parsed = read(Trades=[booking(PUT, quantity="1", notes="A", ibCommission="x"), delivered("100", notes="A")])
    assert outcomes(parsed) == ["bad_number", "rejected_option_event"]
    assert "row 1" in parsed.problems[1].action


def test_option_rows_alone_are_events_with_their_shares():
    parsed = read(
        OptionEAE=[
            exercise(PUT, quantity="2", transactionType="Assignment", tradeID="7", proceeds="0.00"),
            exercise(STOCK, quantity="200", transactionType="Buy", tradePrice="50.00", commisionsAndTax="-0.03"),
            exercise(CALL, quantity="-1", transactionType="Exercise"),
            exercise(STOCK, quantity="100", transactionType="Buy", tradePrice="50.00"),
            exercise(
                {**CALL, "symbol": "XYZ   260116C00060000", "strike": "60"},
                quantity="-4",
                transactionType="Expiration",
            ),
            exercise(STOCK, quantity="-300", transactionType="Sell", tradePrice="1,070.00"),
        ]
    )
    shares = "stock_of_option_event"
    assert outcomes(parsed) == ["event", shares, "event", shares, "event", "event"]
    assert events(parsed, "kind", "quantity", "commission", "broker_execution_id", "action", "price") == [
        ("assign", Decimal(2), Decimal("0.03"), "7", None, None),
        ("exercise", Decimal(1), Decimal(0), None, None, None),
        ("expire", Decimal(4), Decimal(0), None, None, None),
        ("trade", Decimal(300), Decimal(0), None, "SELL", Decimal(1070)),
    ]


def test_one_event_told_by_two_files_is_the_same_event_in_both():
    from_trades = read(Trades=[booking(PUT, quantity="1", notes="A", tradeID="7")])
    from_options = read(OptionEAE=[exercise(PUT, quantity="1", transactionType="Assignment", tradeID="7")])
    dropped = ["source_row", "broker_contract_id"]
    assert from_trades.events.drop(dropped).equals(from_options.events.drop(dropped))


def test_a_sum_in_one_section_repeats_the_parts_in_the_other():
    parsed = read(
        Trades=[
            booking(PUT, quantity="1", tradeDate="20260109", dateTime="20260109;162000"),
            booking(PUT, quantity="2", tradeDate="20260109", dateTime="20260109;162000"),
            delivered("300", tradeDate="20260109", dateTime="20260109;162000"),
        ],
        OptionEAE=[
            exercise(PUT, quantity="3", transactionType="Assignment", date="20260109"),
            exercise(STOCK, quantity="100", transactionType="Buy", tradePrice="50", date="20260109"),
            exercise(STOCK, quantity="200", transactionType="Buy", tradePrice="50", date="20260109"),
        ],
    )
    shares, again = "stock_of_option_event", "repeats_trade"
    assert outcomes(parsed) == ["event", "event", shares, again, again, again]
    assert events(parsed, "kind", "quantity") == [("assign", Decimal(1)), ("assign", Decimal(2))]


def test_a_statement_without_transaction_types_confuses_no_sale_with_a_delivery():
    sale = execution(quantity="-100", buySell="SELL", tradeDate="20260116", tradePrice="55", transactionType="")
    parsed = read(
        Trades=[sale, booking(CALL, quantity="1", transactionType="")],
        OptionEAE=[
            exercise(CALL, quantity="1", transactionType="Assignment"),
            exercise(STOCK, quantity="-100", transactionType="Sell", tradePrice="50"),
        ],
    )
    assert outcomes(parsed) == ["event", "event", "repeats_trade", "stock_of_option_event"]
    assert events(parsed, "kind") == [("trade",), ("assign",)]


def test_a_word_is_lent_to_every_copy_of_a_trade():
    row = booking(PUT, quantity="1", tradeID="7", tradeDate="20260109", dateTime="20260109;162000")
    parsed = read(Trades=[row, row], OptionEAE=[exercise(PUT, quantity="1", transactionType="Exercise", tradeID="7")])
    assert outcomes(parsed) == ["event", "event", "repeats_trade"]


def test_options_on_futures_are_refused_once():
    terms = {**CALL, "assetCategory": "FOP", "symbol": "4SFV5 C1265"}
    parsed = read(
        Trades=[booking(terms, quantity="-1", notes="Ex")],
        OptionEAE=[
            exercise(terms, quantity="-1", transactionType="Exercise"),
            exercise(terms, quantity="-2", transactionType="Exercise"),
        ],
    )
    assert outcomes(parsed) == ["unsupported_asset_type", "repeats_trade", "unsupported_asset_type"]


def test_an_unknown_word_is_a_reject():
    parsed = read(OptionEAE=[exercise(PUT, quantity="1", transactionType="Lapse")])
    assert outcomes(parsed) == ["unknown_option_event"]


@pytest.mark.parametrize(
    ("terms", "quantity", "word", "proceeds", "price"),
    [
        (INDEX_CALL, "-2", "Exercise", "14,440.00", "6072.2"),
        (INDEX_PUT, "-2", "Exercise", "14,440.00", "5927.8"),
        (INDEX_CALL, "3", "Assignment", "-3000.03", "6010.0001"),
        (INDEX_PUT, "40", "Assignment", "-6386160", "4403.46"),
    ],
)
def test_the_settlement_price_follows_from_the_money(terms, quantity, word, proceeds, price):
    parsed = read(
        Trades=[booking(terms, quantity=quantity, notes=word[0] if word[0] == "A" else "Ex")],
        OptionEAE=[
            exercise(terms, quantity=quantity, transactionType=word, proceeds="0"),
            exercise(terms, quantity="0", transactionType="Cash Settlement", proceeds=proceeds),
        ],
    )
    assert outcomes(parsed) == ["event", "repeats_trade", "settlement_amount"]
    assert events(parsed, "kind", "price", "settlement") == [("cash_settle", Decimal(price), "CASH")]


def test_the_money_of_a_settlement_is_shared_by_all_rows_of_the_contract():
    parsed = read(
        Trades=[
            booking(INDEX_CALL, quantity="-1", notes="Ex"),
            booking(INDEX_CALL, quantity="-2", notes="Ex"),
        ],
        OptionEAE=[exercise(INDEX_CALL, quantity="0", transactionType="Cash Settlement", proceeds="30000")],
    )
    assert events(parsed, "kind", "price") == [("cash_settle", Decimal(6100))] * 2


@pytest.mark.parametrize(
    "told",
    [
        {"tradePrice": "100"},
        {"proceeds": "10000"},
        {"cost": "-500.5", "fifoPnlRealized": "9499.5"},
    ],
)
def test_the_money_may_stand_in_the_row_itself(told):
    parsed = read(Trades=[booking(INDEX_CALL, quantity="-1", notes="Ex", **told)])
    assert events(parsed, "kind", "price") == [("cash_settle", Decimal(6100))]


def test_the_money_may_stand_in_the_statement_of_funds():
    line = {
        **INDEX_CALL,
        "date": "20260116",
        "activityDescription": "Option Cash Settlement for: Exercise ( SPXW 16JAN26 6000 C )",
        "amount": "10000",
    }
    funds = [
        element("StatementOfFundsLine", {**line, "levelOfDetail": level}) for level in ("Currency", "BaseCurrency")
    ]
    parsed = read(Trades=[booking(INDEX_CALL, quantity="-1", notes="Ex")], StmtFunds=funds)
    assert events(parsed, "kind", "price") == [("cash_settle", Decimal(6100))]
    assert counts(parsed) == {"event": 1}


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"proceeds": "100.0000000001", "quantity": "-3"},
        {"cost": "-500.5", "fifoPnlRealized": "-500.5"},
        {"cost": "-500.5", "fifoPnlRealized": "9499.5", "ibCommission": "-0.2"},
        {"cost": "-500.333333", "fifoPnlRealized": "9499.4"},
    ],
)
def test_a_settlement_without_exact_money_is_refused_and_not_guessed(told):
    parsed = read(Trades=[booking(INDEX_CALL, **{"quantity": "-1", "notes": "Ex", **told})])
    assert outcomes(parsed) == ["missing_settlement_price"]
    assert "Exercises, Assignments and Expirations" in only_problem(parsed).action


def test_an_index_option_that_expires_needs_no_price():
    parsed = read(Trades=[booking(INDEX_CALL, quantity="1", notes="Ep")])
    assert events(parsed, "kind", "price") == [("expire", None)]


def test_a_settlement_row_makes_any_contract_one_that_settles_in_cash():
    parsed = read(
        OptionEAE=[
            exercise(CALL, quantity="-1", transactionType="Exercise"),
            exercise(CALL, quantity="0", transactionType="Cash Settlement", proceeds="250"),
        ]
    )
    assert events(parsed, "kind", "price", "settlement") == [("cash_settle", Decimal("52.5"), "CASH")]
