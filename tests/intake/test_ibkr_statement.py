"""What a Flex statement says besides its events: positions, lots, cash, profit, and what cannot be read."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tests.books import SAMPLE_FLEX
from tests.intake.flex import PUT, STOCK, booking, document, element, execution, exercise
from tradelake.errors import InputError
from tradelake.intake.ibkr_flex import parse
from tradelake.intake.ibkr_statement import BrokerStatement, read_statements

DATES = 'fromDate="20260105" toDate="20260130"'


def read(inside: str, *, dates: str = DATES, account: str = "U1") -> BrokerStatement:
    (found,) = read_statements(
        document(f'<FlexStatement accountId="{account}" {dates}>{inside}</FlexStatement>'), name="f"
    )
    return found


def position(**attributes: str) -> str:
    return element("OpenPosition", {"accountId": "U1", "currency": "USD", **STOCK, **attributes})


def test_sections_are_told_apart_from_empty_ones():
    found = read("<Trades></Trades><OpenPositions />")
    assert (found.executions, found.actions, found.cash_events, found.cash) == (True, False, False, None)
    assert found.positions is not None
    assert found.positions.is_empty()
    assert read("").positions is None


def test_the_events_are_those_of_an_import():
    data = SAMPLE_FLEX.read_bytes()
    (found,) = read_statements(data, name="f")
    assert found.events.equals(parse(data, name="f").events)
    assert (found.account, found.since, found.until) == ("U7700001", date(2026, 1, 2), date(2026, 6, 30))


def test_a_position_is_its_summary_or_else_the_sum_of_its_lots():
    lots = [position(position=n, levelOfDetail="LOT", openDateTime="20250601;100000") for n in ("10", "5")]
    put = {**PUT, "position": "-2", "costBasisMoney": "-120.5"}
    summary = position(**put, levelOfDetail="SUMMARY")
    found = read(f"<OpenPositions>{summary}{position(**put)[:-2]} levelOfDetail='LOT'/>{''.join(lots)}</OpenPositions>")
    assert found.positions is not None
    assert found.positions.select("instrument_id", "quantity").rows() == [
        (PUT["symbol"], Decimal(-2)),
        ("XYZ", Decimal(15)),
    ]


def test_lots_keep_the_instant_of_their_opening_and_their_signed_cost():
    row = position(position="-3", costBasisMoney="-1.23456789", levelOfDetail="LOT", openDateTime="20250601;100000")
    found = read(f"<OpenPositions>{row}</OpenPositions>")
    assert found.lots is not None
    assert found.lots.select("instrument_id", "opened_at", "quantity", "cost_basis").rows() == [
        ("XYZ", datetime(2025, 6, 1, 14, tzinfo=UTC), Decimal(-3), Decimal("-1.23456789"))
    ]


def test_a_closed_lot_has_the_side_that_was_held():
    rows = [
        element("Lot", {**STOCK, "currency": "USD", "buySell": side, "quantity": "5", "cost": cost, "openDateTime":
                        "20250601;100000", "dateTime": "20260106;100000", "levelOfDetail": "CLOSED_LOT"})
        for side, cost in (("SELL", "500"), ("BUY", "-500"))
    ]  # fmt: skip
    found = read(f"<Trades>{''.join(rows)}</Trades>")
    assert found.closed_lots.select("quantity", "cost_basis").rows() == [
        (Decimal(5), Decimal(500)),
        (Decimal(-5), Decimal(-500)),
    ]


def test_cash_is_per_currency_without_the_total():
    rows = [
        element("CashReportCurrency", {"accountId": "U1", "currency": c, "startingCash": "1", "endingCash": "2.5"})
        for c in ("BASE_SUMMARY", "USD", "CHF")
    ]
    found = read(f"<CashReport>{''.join(rows)}</CashReport>")
    assert found.cash is not None
    assert found.cash["currency"].to_list() == ["USD", "CHF"]


def test_profit_of_delivered_shares_belongs_to_the_option_event():
    rows = [
        booking(PUT, quantity="1", notes="A", fifoPnlRealized="0"),
        booking({**STOCK}, quantity="100", tradePrice="50", notes="A", fifoPnlRealized="12.5"),
    ]
    found = read(f"<Trades>{''.join(rows)}</Trades>")
    assert found.realized.rows() == [(1, Decimal("12.5"))]
    assert found.events["kind"].to_list() == ["assign"]


def test_what_cannot_be_read_is_kept_with_what_it_says():
    bad = execution(ibExecID="E1", quantity="-5", buySell="BUY")
    found = read(f"<Trades>{bad}</Trades>")
    assert found.unread.select("broker_execution_id", "instrument_id", "quantity", "code").rows() == [
        ("E1", "XYZ", Decimal(-5), "contradicting_side"),
    ]
    assert found.moved == {"USD": "a row that is no event here (row 1)"}
    assert found.notes[0].startswith("U1: row 1 could not be read as an event: buySell says BUY")


def test_a_transfer_is_a_note_since_it_does_not_tell_its_lots():
    row = element("Transfer", {"accountId": "U1", "currency": "USD", **STOCK, "quantity": "5", "direction": "IN"})
    assert read(f"<Transfers>{row}</Transfers>").notes == (
        "U1: row 1 is a transfer of XYZ, to be recorded with its lots.",
    )


def test_conversions_say_which_currencies_they_moved():
    row = execution(assetCategory="CASH", symbol="EUR.USD", currency="USD")
    assert read(f"<Trades>{row}</Trades>").moved == dict.fromkeys(("EUR", "USD"), "a conversion (row 1)")


def test_a_statement_of_summaries_tells_no_executions():
    found = read(f"<Trades>{execution(levelOfDetail='ORDER')}</Trades>")
    assert not found.executions
    assert found.notes == ("U1: Trades has no rows of level EXECUTION, so that executions are not compared.",)


def test_a_contract_that_an_action_brought_in_keeps_the_name_of_the_action():
    action = {"accountId": "U1", "currency": "USD", "assetCategory": "STK", "type": "IC", "actionID": "1",
              "dateTime": "20260110;202500", "description": "OLD(US1) CUSIP/ISIN CHANGE TO (US2) (OLD, OLD CORP, US1)",
              "multiplier": "1"}  # fmt: skip
    rows = [
        element("CorporateAction", {**action, "symbol": "OLD", "conid": "1", "quantity": "-5"}),
        element("CorporateAction", {**action, "symbol": "OLD.NEW", "conid": "2", "quantity": "5"}),
    ]
    later = position(symbol="ELSE", conid="2", position="5")
    found = read(f"<CorporateActions>{''.join(rows)}</CorporateActions><OpenPositions>{later}</OpenPositions>")
    assert found.positions is not None
    assert found.positions["instrument_id"].to_list() == ["OLD"]


def test_rows_of_totals_and_of_other_accounts_are_not_this_accounts():
    rows = [position(position=n, accountId=a) for n, a in (("1", "U1"), ("2", "U2"), ("3", "-"))]
    data = document(
        f'<FlexStatement accountId="U1" {DATES}><OpenPositions>{"".join(rows)}</OpenPositions></FlexStatement>'
    )
    found = read_statements(data, name="f")
    assert [(each.account, each.positions["quantity"].to_list()) for each in found if each.positions is not None] == [
        ("U1", [Decimal(1)]),
        ("U2", [Decimal(2)]),
    ]


@pytest.mark.parametrize(
    ("dates", "period"),
    [
        ('fromDate="20260101" whenGenerated="20260131;080000"', ("2026-01-01", "2026-01-31")),
        ('fromDate="20260101"', ("2026-01-01", "2026-01-05")),
        ("", ("2026-01-05", "2026-01-05")),
    ],
)
def test_a_period_that_is_not_written_is_that_of_the_trades(dates, period):
    found = read(f"<Trades>{execution()}</Trades>", dates=dates)
    assert (found.since.isoformat(), found.until.isoformat()) == period


def test_a_statement_without_a_day_or_an_account_is_refused():
    with pytest.raises(InputError, match=r"^f: the statement of U1 names no last day\. Run the Flex query again"):
        read("<Trades />", dates="")
    with pytest.raises(InputError, match=r"^f: no statement in it names its account\. Add Account ID"):
        read("<Trades />", account="")


def test_an_option_event_that_only_optioneae_tells_is_an_event_here_too():
    found = read(f"<OptionEAE>{exercise(PUT, transactionType='Expiration', quantity='1', tradeID='9')}</OptionEAE>")
    assert found.events["kind"].to_list() == ["expire"]
