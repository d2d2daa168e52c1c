"""Settlement prices of options that settle in cash, derived from the money that moved.

The money stands, in the order in which it is believed: in the OptionEAE row `Cash Settlement`, in a line
"Option Cash Settlement for" of the statement of funds, in the price or proceeds of the option's own row, in
the broker's realized profit and cost of that row (where it has no charges, so that the two differ by exactly
the money). A price is taken only where contracts x multiplier x distance from the strike gives back exactly
that money.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from tradelake import units
from tradelake.intake import ibkr_values as values
from tradelake.intake.ibkr_decisions import Decision, reject
from tradelake.intake.ibkr_rows import TRADE_TYPES_OF_MARKET, Booked
from tradelake.intake.ibkr_terms import terms_of
from tradelake.intake.ibkr_values import Clock
from tradelake.intake.ibkr_xml import Row

_LINE = "option cash settlement for"
_BASE = "BaseCurrency"
_CENT = units.MONEY_UNIT // 100

_Place = tuple[str, str, str | None]
_LineKey = tuple[str, str, str | None, str]


class Settlements:
    """The money of all settlements of one document."""

    def __init__(
        self, trades: Sequence[Booked], exercises: Sequence[Booked], funds: Iterable[Row], clock: Clock
    ) -> None:
        self._contracts: set[tuple[str, str]] = set()
        self._told: dict[_Place, int] = defaultdict(int)
        self._told_contracts: dict[_Place, int] = defaultdict(int)
        self._booked_contracts: dict[_Place, int] = defaultdict(int)
        for given in exercises:
            word = given.kind.lower()
            if word == "cash settlement":
                self._contracts.add((given.account, given.terms.key))
                amount = values.exact(given.row.get("proceeds", "amount"), units.MONEY_SCALE)
                self._told[_place(given)] += amount or 0
            elif word in ("exercise", "assignment"):
                self._told_contracts[_place(given)] += abs(given.quantity or 0)
        for given in trades:
            if given.price == 0 and given.kind not in TRADE_TYPES_OF_MARKET and "Ep" not in given.codes:
                self._booked_contracts[_place(given)] += abs(given.quantity or 0)
        self._lines = _lines(funds, clock)

    def in_cash(self, given: Booked) -> bool:
        """Return whether the contract settles in cash: an index option, or one whose money is told."""
        return given.terms.settlement == "CASH" or (given.account, given.terms.key) in self._contracts

    def price(self, given: Booked) -> str | Decision:
        """Return the settlement price of the underlying, or refuse the row where it is not told."""
        place = _place(given)
        quantity = abs(given.quantity or 0)
        contracts = self._told_contracts.get(place) or self._booked_contracts.get(place) or quantity
        currency = given.row.get("currency").upper() or "USD"
        line = self._lines.get((*place, currency)) or self._lines.get((place[0], place[1], None, currency), 0)
        sources = (
            (abs(self._told.get(place, 0)), contracts),
            (abs(line), self._booked_contracts.get(place) or contracts),
            (_of_row(given), quantity),
            (_of_profit(given), quantity),
        )
        for amount, count in sources:
            if amount:
                return _price(given, amount, count) or _missing(
                    given, f"{_text(amount)} for {_contracts(count)} contracts is no exact price"
                )
        return _missing(given, "no row says how much money moved")


def _place(given: Booked) -> _Place:
    return (given.account, given.terms.key, given.day)


def _lines(funds: Iterable[Row], clock: Clock) -> dict[_LineKey, int]:
    """Return the money of the statement of funds by account, contract, day (None: any day) and currency."""
    per_currency: dict[_LineKey, int] = defaultdict(int)
    in_base: dict[_LineKey, int] = defaultdict(int)
    for row in funds:
        amount = values.exact(row.get("amount"), units.MONEY_SCALE)
        if amount is None or not row.get("activityDescription").lower().startswith(_LINE):
            continue
        terms, currency = terms_of(row, clock), row.get("currency").upper()
        money = in_base if row.get("levelOfDetail") == _BASE else per_currency
        for day in {clock.day(row.get("date", "reportDate")), None}:
            money[row.account, terms.key, day, currency] += amount
    return {**in_base, **per_currency}


def _of_row(given: Booked) -> int:
    if given.row.section == "OptionEAE":
        return abs(values.exact(given.row.get("proceeds"), units.MONEY_SCALE) or 0)
    multiplier = values.exact(given.terms.multiplier or "100", units.QUANTITY_SCALE) or 0
    paid = units.product(abs(given.quantity or 0), abs(given.price or 0), multiplier)
    return paid or abs(values.exact(given.row.get("proceeds"), units.MONEY_SCALE) or 0)


def _of_profit(given: Booked) -> int:
    row = given.row
    profit = values.exact(row.get("fifoPnlRealized"), units.MONEY_SCALE)
    cost = values.exact(row.get("cost"), units.MONEY_SCALE)
    charged = any(values.number(row.get(name)) not in ("", "0") for name in ("ibCommission", "taxes"))
    if profit is None or cost is None or charged or not given.quantity:
        return 0
    received = profit - cost
    expected_sign = received > 0 if given.quantity < 0 else received < 0
    return abs(received) if expected_sign and received % _CENT == 0 else 0


def _price(given: Booked, amount: int, contracts: int) -> str | None:
    strike = values.exact(given.terms.strike or "", units.MONEY_SCALE)
    multiplier = values.exact(given.terms.multiplier or "100", units.QUANTITY_SCALE)
    if not strike or not multiplier or not contracts:
        return None
    distance = units.unit_price(amount, contracts, multiplier)
    if units.product(contracts, distance, multiplier) != amount:
        return None
    price = strike + distance if given.terms.option_type == "CALL" else strike - distance
    return _text(price) if price >= 0 else None


def _text(amount: int) -> str:
    return units.plain(units.to_decimal(amount, units.MONEY_SCALE))


def _contracts(count: int) -> str:
    return units.plain(units.to_decimal(count, units.QUANTITY_SCALE))


def _missing(given: Booked, why: str) -> Decision:
    return reject(
        "missing_settlement_price",
        f"{given.terms.contract_symbol or given.terms.symbol} was settled in cash on {given.day}, but {why}.",
        field="proceeds",
        value=given.row.get("proceeds"),
        action="Add the section Option Exercises, Assignments and Expirations with Proceeds to the Flex"
        " query, or record a cash_settle with the settlement price of the underlying.",
    )
