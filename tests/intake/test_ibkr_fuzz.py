"""Whatever stands in one attribute: nothing raises, and unrelated rows stay as they were."""

from collections.abc import Mapping
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from tests.intake.flex import (
    CALL,
    INDEX_CALL,
    PUT,
    STOCK,
    booking,
    cash,
    element,
    execution,
    exercise,
    outcomes,
    read,
    statement,
)
from tradelake.intake.ibkr_flex import parse

ROWS = {
    "Trades": [
        execution(ibExecID="1", openCloseIndicator="O"),
        execution(**{**CALL, "quantity": "-1", "buySell": "SELL"}),
        execution(quantity="-100", buySell="SELL (Ca.)"),
        booking(PUT, quantity="2", notes="A", tradeID="7"),
        booking(STOCK, quantity="200", tradePrice="50", notes="A", tradeID="8"),
        booking(CALL, quantity="1"),
        booking(INDEX_CALL, quantity="-1", notes="Ex"),
    ],
    "OptionEAE": [
        exercise(PUT, quantity="2", transactionType="Assignment", tradeID="7"),
        exercise(STOCK, quantity="200", transactionType="Buy", tradePrice="50", tradeID="8"),
        exercise(INDEX_CALL, quantity="0", transactionType="Cash Settlement", proceeds="1000"),
    ],
    "CashTransactions": [cash(), cash(levelOfDetail="SUMMARY")],
}
PLACES = [
    (section, number, name)
    for section, rows in ROWS.items()
    for number, row in enumerate(rows)
    for name in [*ET.fromstring(row).attrib, "taxes", "dateTime", "origTradeID", "proceeds", "levelOfDetail"]
]
NUMBERS = ("", " ", "-", "0", "-0", "-1", "1e9", "1E-99", "9" * 60, "1,0", "NaN", "Infinity")
DAYS = ("MULTI", "20260230", "99999999", "00000000", "20260116;999999", "1/2/3", "13/13/2026", "01-XXX-26")
WORDS = ("A;Ex;Ep", "O;C", "C", "STK", "FUT", "Exercise", "BookTrade", "BUY (Ca.)")
ANYTHING = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=30)
ODD = st.one_of(st.sampled_from((*NUMBERS, *DAYS, *WORDS)), ANYTHING)


def changed(row: str, told: Mapping[str, str]) -> str:
    found = ET.fromstring(row)
    return element(found.tag, {**found.attrib, **told})


@given(st.sampled_from(PLACES), ODD)
def test_an_odd_value_never_raises_and_never_spoils_an_unrelated_row(place, odd):
    section, number, name = place
    rows = {key: list(value) for key, value in ROWS.items()}
    rows[section][number] = changed(rows[section][number], {name: odd})
    rows["Trades"].append(execution(symbol="QQQ", conid="99", ibExecID="last"))
    parsed = parse(statement(**rows), name="odd")
    assert parsed.records.height == sum(map(len, rows.values()))
    assert outcomes(parsed)[len(ROWS["Trades"])] == "event"
    assert parsed.events.height + sum(parsed.records["outcome"] != "event") == parsed.records.height
    assert {problem.row for problem in parsed.problems} == set(
        parsed.records.filter(outcome="reject")["row_number"].to_list()
    )


def test_the_rows_of_this_file_are_what_they_are_meant_to_be():
    assert outcomes(read(**ROWS)) == [
        "event",
        "event",
        "broker_cancellation",
        "event",
        "stock_of_option_event",
        "event",
        "event",
        "repeats_trade",
        "repeats_trade",
        "settlement_amount",
        "event",
        "summary",
    ]
