"""Profit by account, time and strategy: what is added up, and what never is."""

from datetime import date

import polars as pl
import pytest

from tests.lots.told import D, told, trade
from tradelake.errors import InputError, InvariantError
from tradelake.positions import BY_COLUMNS, cash_ledger, profit, summarise
from tradelake.tables import CASH_FLOWS, MATCHES, REFUSALS, TRADE_LOG

DAY = date(2026, 1, 5)


def event(sequence: int, **fields: object) -> dict[str, object]:
    """Return one row of the log: a deposit of 100 unless told otherwise."""
    row: dict[str, object] = dict.fromkeys(TRADE_LOG.names)
    row |= {"sequence": sequence, "trade_id": f"e{sequence}", "kind": "cash", "account_id": "A", "currency": "USD"}
    row |= {"trade_date": DAY, "commission": D(0), "fees": D(0), "net_amount": D(100), "cash_category": "deposit"}
    return row | fields


def ledger(*events: dict[str, object]) -> pl.DataFrame:
    """Return the cash ledger of some events, none of them refused."""
    return cash_ledger(pl.DataFrame(list(events), schema=TRADE_LOG.schema), CASH_FLOWS.empty(), REFUSALS.empty())


def matches(*rows: dict[str, object]) -> pl.DataFrame:
    """Return matches as `profit` takes them."""
    return pl.DataFrame(list(rows), schema={**MATCHES.schema, "strategy_id": pl.String()})


def test_cash_by_category_goes_where_it_belongs():
    rows = ledger(
        event(1),
        event(2, net_amount=D(-3), cash_category="fee"),
        event(3, net_amount=D(7), cash_category="interest"),
        event(4, net_amount=D(5), cash_category="dividend"),
    )
    answer = profit(matches(), rows, ["account"]).row(0, named=True)
    measures = {name: answer[name] for name in ("realized_pnl", "dividends", "interest", "fees", "cash")}
    assert measures == {"realized_pnl": 0, "dividends": 5, "interest": 7, "fees": 3, "cash": 109}


def test_a_fee_that_is_paid_back_is_a_negative_fee():
    answer = profit(matches(), ledger(event(1, net_amount=D(2), cash_category="fee")), ["account"])
    assert answer["fees"].to_list() == [D(-2)]


def test_currencies_are_never_added_up():
    answer = profit(matches(), ledger(event(1), event(2, currency="EUR")), ["account"])
    assert answer.select("account_id", "currency", "cash").rows() == [("A", "EUR", D(100)), ("A", "USD", D(100))]


def test_a_match_counts_on_the_day_of_its_close_and_cash_on_the_day_of_its_event():
    row: dict[str, object] = dict.fromkeys([*MATCHES.names, "strategy_id"])
    row |= {"account_id": "A", "currency": "USD", "close_date": date(2026, 2, 1), "realized_pnl": D(9)}
    answer = profit(matches(row), ledger(event(1)), ["month"])
    assert answer.select("month", "realized_pnl", "cash", "matches").rows() == [
        ("2026-01", D(0), D(100), 0),
        ("2026-02", D(9), D(0), 1),
    ]


@pytest.mark.parametrize("name", BY_COLUMNS)
def test_profit_can_be_grouped_by(name):
    answer = profit(matches(), ledger(event(1, symbol="XYZ", instrument_id="XYZ", strategy_id="S")), [name])
    assert answer.height == 1
    assert answer["cash"].to_list() == [D(100)]


def test_no_grouping_gives_one_row_a_currency():
    assert profit(matches(), ledger(event(1), event(2)), [])["cash"].to_list() == [D(200)]


def test_an_unknown_grouping_is_refused_with_the_known_ones():
    text = "cannot group profit by 'week'; choose from account, month, year, date, symbol, strategy, instrument"
    with pytest.raises(InputError, match=text):
        profit(matches(), ledger(event(1)), ["week"])


def test_average_prices_are_by_unit_and_multiplier_and_rounded_for_display():
    book = told(trade("t1", "3", "10", fees="0.01"), trade("t2", "-2", "1.5", "P45", fees="0.5"))
    assert book.positions("instrument_id", "average_price", "average_price_ex_fees") == [
        ("P45", D("1.4975"), D("1.5")),
        ("XYZ", D("10.00333333"), D(10)),
    ]


def test_open_lots_without_a_position_stop_the_derivation():
    book = told(trade("t1", "3", "10")).matched
    with pytest.raises(InvariantError, match="open lots do not belong to open positions"):
        summarise(book.episodes.clear(), book.lots, book.matches)
