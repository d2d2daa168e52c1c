"""One Flex row -> one execution row: what options, cash and plain trades have in common, and plain trades.

Which broker id names a row decides whether a second delivery is recognised. An execution is named by
`ibExecID`, which is also what the live interface calls it and what a correction changes after its last dot; a
booking that never was an execution has none and is named by `tradeID`, which the OptionEAE section repeats.
`transactionID` is the last resort. It counts in another space of numbers, so it is written with its name
before it.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tradelake.intake import ibkr_values as values
from tradelake.intake.ibkr_decisions import Decision, bad_timestamp, event, kept, missing_day, reject
from tradelake.intake.ibkr_terms import CASH, OPTION, UNSUPPORTED, Terms, terms_of

if TYPE_CHECKING:
    from tradelake.intake.ibkr_values import Clock
    from tradelake.intake.ibkr_xml import Row

TRADE_TYPES_OF_MARKET = frozenset(("ExchTrade", "FracShare", "DvpTrade", "TradeCorrect"))
DAYS = ("tradeDate", "dateTime", "date", "reportDate")
CANCEL_TYPES = frozenset(("TradeCancel", "FracShareCancel"))


@dataclass(frozen=True, slots=True)
class Booked:
    """A row of Trades or OptionEAE with what matching needs; a number or day that cannot be read is None.

    `quantity` is signed, in units of 1e-8; `price` in units of 1e-12; `day`, and `report_day` on which the
    broker booked it, are YYYY-MM-DD.
    """

    row: "Row"
    terms: Terms
    quantity: int | None
    price: int | None
    day: str | None
    report_day: str | None
    codes: frozenset[str]
    kind: str

    @property
    def account(self) -> str:
        """The broker account of the row."""
        return self.row.account


def booked(row: "Row", clock: "Clock") -> Booked:
    """Read from a row what matching needs."""
    return Booked(
        row=row,
        terms=terms_of(row, clock),
        quantity=values.exact(row.get("quantity"), 8),
        price=values.exact(row.get("tradePrice", "price"), 12),
        day=clock.day(row.get(*DAYS)),
        report_day=clock.day(row.get("reportDate")),
        codes=values.codes(row.get("notes", "code")),
        kind=row.get("transactionType") or (row.get("type") if row.section == "OptionEAE" else ""),
    )


def execution_id(row: "Row") -> str | None:
    """Return the broker's id of an execution."""
    return row.get("ibExecID", "execID") or booking_id(row)


def booking_id(row: "Row") -> str | None:
    """Return the broker's id of a booking that is no execution on a market: option events."""
    return row.get("tradeID") or transaction_id(row) or row.get("ibExecID", "execID") or None


def transaction_id(row: "Row") -> str | None:
    """Return the broker's id of a transaction, with the name of its space of numbers."""
    number = row.get("transactionID")
    return f"transactionID:{number}" if number else None


def common(row: "Row", terms: Terms) -> dict[str, str | None]:
    """Return the fields that trades and option events share: account, ids, instrument, charges, currency."""
    return {
        "broker_account_id": row.account,
        "leg_id": "1",
        "broker_order_id": _order_id(row),
        "order_reference": row.get("orderReference") or None,
        "broker_contract_id": row.get("conid") or None,
        "isin": row.get("isin") or (row.get("securityID") if row.get("securityIDType") == "ISIN" else None) or None,
        "description": row.get("description") or None,
        **named(terms),
        "commission": commission_paid(row),
        "fees": fees_paid(row),
        "currency": row.get("currency") or None,
    }


def named(terms: Terms) -> dict[str, str | None]:
    """Return the fields that name an instrument and give its terms."""
    return {
        "symbol": terms.symbol or None,
        "contract_symbol": terms.contract_symbol,
        "asset_type": terms.asset_type,
        "strike": terms.strike,
        "expiration": terms.expiration,
        "option_type": terms.option_type,
        "multiplier": terms.multiplier,
        "settlement": terms.settlement,
        "exercise_style": terms.exercise_style,
        "instrument_id": terms.instrument_id,
    }


def commission_paid(row: "Row") -> str:
    """Return the commission of a row, positive when paid; the broker writes what is paid as negative."""
    return values.negated(row.get("ibCommission", "commission", "commisionsAndTax", "commissionsAndTax")) or "0"


def fees_paid(row: "Row") -> str:
    """Return the taxes and fees of a row, positive when paid."""
    return values.negated(row.get("taxes", "tax")) or "0"


def trade(given: Booked, clock: "Clock") -> Decision:
    """Return the decision on a plain execution: the guards in their order, then the event."""
    row, terms = given.row, given.terms
    if terms.asset_type == CASH:
        return kept("currency_conversion", "A conversion of currency opens and closes no position.")
    if refused := unsupported(given) or _contradicting_side(row) or commission_abroad(row):
        return refused
    at = _executed_at(row, clock)
    if isinstance(at, Decision):
        return at
    quantity, price = values.number(row.get("quantity")), values.number(row.get("tradePrice", "price"))
    return event(
        {
            **common(row, terms),
            "kind": "trade",
            "broker_execution_id": execution_id(row),
            "action": _action(row, quantity),
            "executed_at": at,
            "trade_date": clock.day(row.get("tradeDate")),
            "quantity": quantity.removeprefix("-") or None,
            "price": price or None,
            "tags": '["combo"]' if terms.asset_type == OPTION and price.startswith("-") else None,
        }
    )


def unsupported(given: Booked) -> Decision | None:
    """Refuse a kind of asset that the book does not follow."""
    if given.terms.asset_type != UNSUPPORTED:
        return None
    category = given.terms.category or "without assetCategory"
    return reject(
        "unsupported_asset_type",
        f"Trades in {category} are not followed: only stocks and funds (STK), options on them and on indexes"
        " (OPT) and warrants (WAR).",
        field="assetCategory",
        value=given.terms.category,
        action="Leave this asset class out of the Flex query, or keep its positions outside this book.",
    )


def commission_abroad(row: "Row") -> Decision | None:
    """Refuse a commission in another currency than the trade: it cannot be part of the trade's amounts."""
    paid_in = row.get("ibCommissionCurrency", "commissionCurrency").upper()
    currency = row.get("currency").upper()
    paid = values.number(row.get("ibCommission", "commission"))
    if not paid_in or not currency or paid_in == currency or paid in ("", "0"):
        return None
    return reject(
        "commission_currency",
        f"The commission is in {paid_in}, the trade in {currency}: one event has one currency.",
        field="ibCommissionCurrency",
        value=paid_in,
        action="Record this trade without its commission as an execution, and the commission as a cash event"
        f" of category fee in {paid_in}.",
    )


def _contradicting_side(row: "Row") -> Decision | None:
    side = row.get("buySell").upper()[:4].strip()
    sign = values.exact(row.get("quantity"), 8)
    if not sign or side not in ("BUY", "SELL") or (sign > 0) == (side == "BUY"):
        return None
    return reject(
        "contradicting_side",
        f"buySell says {row.get('buySell')}, but the sign of the quantity {row.get('quantity')} says the opposite.",
        field="quantity",
        value=row.get("quantity"),
        action="Compare the row with the broker's trade confirmation and record the trade as an execution.",
    )


def _executed_at(row: "Row", clock: "Clock") -> str | Decision:
    field = next((name for name in ("dateTime", "tradeDate", "date") if row.get(name)), "")
    if not field:
        return missing_day("dateTime")
    text = row.get(field)
    if field == "tradeDate" and row.get("tradeTime"):
        text = f"{text};{row.get('tradeTime')}"
    given_day = row.get("tradeDate")
    if given_day and clock.day(given_day) is None:
        return bad_timestamp(row, "tradeDate")
    time_missing = values.BOOKING if row.section == "OptionEAE" else values.CLOSE
    return clock.instant(text, time_missing=time_missing) or bad_timestamp(row, field)


def _action(row: "Row", quantity: str) -> str | None:
    side = row.get("buySell", "transactionType").upper()[:4].strip()
    if side not in ("BUY", "SELL"):
        side = "SELL" if quantity.startswith("-") else "BUY"
    indicator = values.codes(row.get("openCloseIndicator"))
    if indicator == {"O"}:
        return f"{side}_TO_OPEN"
    return f"{side}_TO_CLOSE" if indicator == {"C"} else side


def _order_id(row: "Row") -> str | None:
    for name in ("ibOrderID", "orderID", "brokerageOrderID"):
        text = row.get(name)
        if text not in ("", "0"):
            return text
    return None
