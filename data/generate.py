#!/usr/bin/env python3
"""Write the sample data of this folder: `sample_flex.xml` and `sample_fills.jsonl`.

Everything follows from the seed below, so that a second run writes the same bytes. Prices are fictitious.
Realized profit and cost come from a first-in first-out ledger of this script, in exact fractions: it shares
no code with the package, and its figures are meant to be compared with what the package derives.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from xml.sax.saxutils import quoteattr
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
ACCOUNT, STAR_ACCOUNT = "U7700001", "U7700002"
FIRST, LAST = date(2026, 1, 2), date(2026, 6, 30)
HOLIDAYS = {date(2026, *day) for day in ((1, 19), (2, 16), (4, 3), (5, 25), (6, 19))}
CENT = Decimal("0.01")
BOOKED_AT = time(16, 20)
CONTRACT = 100


class Dice:
    """A generator of repeatable numbers that no release of Python changes."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def between(self, low: int, high: int) -> int:
        """Return a whole number from low to high."""
        self._state = (self._state * 6364136223846793005 + 1442695040888963407) % 2**64
        return low + (self._state >> 33) % (high - low + 1)


@dataclass(frozen=True)
class Instrument:
    """A share, or an option on one (`strike` and the fields after it)."""

    symbol: str
    description: str
    conid: int
    isin: str = ""
    exchange: str = "NASDAQ"
    underlying: "Instrument | None" = None
    expiry: date = LAST
    right: str = ""
    strike: Decimal = Decimal(0)

    @property
    def multiplier(self) -> int:
        """Units per contract."""
        return CONTRACT if self.underlying else 1


NVDA = Instrument("NVDA", "NVIDIA CORP", 4815747, "US67066G1040")
KO = Instrument("KO", "COCA-COLA CO/THE", 8894, "US1912161007", "NYSE")
MSFT = Instrument("MSFT", "MICROSOFT CORP", 272093, "US5949181045")
XSP = Instrument("XSP", "MINI-SPX INDEX", 137851301, "", "CBOE")
PATHS = {NVDA: (18240, 210), KO: (7010, 75), MSFT: (47850, 110), XSP: (66900, 60)}


def business_days(first: date, last: date) -> list[date]:
    """Return the days on which the exchanges are open."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [day for day in days if day.weekday() < 5 and day not in HOLIDAYS]


DAYS = business_days(FIRST, LAST)


def friday_of(day: date, weeks: int = 0) -> date:
    """Return the last business day of the week, so many weeks later."""
    friday = day + timedelta(days=4 - day.weekday() + 7 * weeks)
    return friday - timedelta(days=1) if friday in HOLIDAYS else friday


def closes(dice: Dice) -> dict[Instrument, dict[date, Decimal]]:
    """Return a closing price per share and day: a walk in basis points around a slow wave."""
    found: dict[Instrument, dict[date, Decimal]] = {}
    for share, (cents, swing) in PATHS.items():
        price, found[share] = Decimal(cents) * CENT, {}
        for number, day in enumerate(DAYS):
            drift = 12 if number // 17 % 2 else -9
            price = (price * (10000 + dice.between(-swing, swing) + drift) / 10000).quantize(CENT)
            found[share][day] = price
    return found


def plain(number: Decimal | Fraction | int, decimals: int = 9) -> str:
    """Write a number without exponent and trailing zeros."""
    exact = Fraction(number)
    text = f"{Decimal(exact.numerator) / Decimal(exact.denominator):.{decimals}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


@dataclass
class Lot:
    """What one opening left: signed units and their signed basis."""

    units: Fraction
    basis: Fraction
    opened: datetime
    transaction: int


@dataclass
class Ledger:
    """First in, first out, per book and instrument."""

    lots: dict[tuple[str, Instrument], list[Lot]] = field(default_factory=lambda: defaultdict(list))
    holder: dict[Instrument, str] = field(default_factory=dict)

    def held(self, book: str, instrument: Instrument) -> Fraction:
        """Return the signed units that a book holds."""
        return sum((lot.units for lot in self.lots[book, instrument]), Fraction(0))

    def book_trade(
        self, book: str, instrument: Instrument, units: Fraction, cash: Fraction, given: Lot
    ) -> Fraction | None:
        """Open or close; return the basis that was closed, None for an opening. No trade does both."""
        held = self.held(book, instrument)
        if held * units >= 0:
            # Each instrument has one book, so first in first out is the same for book and account.
            assert self.holder.setdefault(instrument, book) == book, (instrument, book)
            self.lots[book, instrument].append(Lot(units, -cash, given.opened, given.transaction))
            return None
        assert abs(units) <= abs(held), (book, instrument, units, held)
        return self.take(book, instrument, abs(units))

    def take(self, book: str, instrument: Instrument, size: Fraction) -> Fraction:
        """Remove so many units from the oldest lots and return their basis."""
        basis, lots = Fraction(0), self.lots[book, instrument]
        while size:
            lot = lots[0]
            part = min(size, abs(lot.units))
            share = lot.basis * part / abs(lot.units)
            lot.units -= part if lot.units > 0 else -part
            lot.basis -= share
            basis, size = basis + share, size - part
            if not lot.units:
                lots.pop(0)
        return basis


@dataclass
class Broker:
    """The account: what happened so far, as the rows of the statement."""

    dice: Dice
    prices: dict[Instrument, dict[date, Decimal]]
    ledger: Ledger = field(default_factory=Ledger)
    trades: list[tuple[tuple[object, ...], str]] = field(default_factory=list)
    option_rows: list[str] = field(default_factory=list)
    cash_rows: list[str] = field(default_factory=list)
    cash: Fraction = Fraction(0)
    executions: int = 0
    options: dict[tuple[Instrument, date, str, Decimal], Instrument] = field(default_factory=dict)
    next_id: int = 0

    def option(self, share: Instrument, expiry: date, right: str, strike: Decimal) -> Instrument:
        """Return the contract, listing it on first use."""
        key = (share, expiry, right, strike)
        if key not in self.options:
            thousandths = int(strike * 1000)
            symbol = f"{share.symbol:<6}{expiry:%y%m%d}{right}{thousandths:08d}"
            name = f"{share.symbol} {expiry:%d%b%y} {plain(strike)} {right}".upper()
            conid = 790000001 + 137 * len(self.options)
            self.options[key] = Instrument(symbol, name, conid, "", "CBOE", share, expiry, right, strike)
        return self.options[key]

    def value(self, contract: Instrument, day: date) -> Decimal:
        """Return a fictitious premium: intrinsic value and a time value that fades with time and distance."""
        assert contract.underlying
        spot = self.prices[contract.underlying][day]
        sign = 1 if contract.right == "C" else -1
        intrinsic = max(Decimal(0), sign * (spot - contract.strike))
        left = Decimal(max((contract.expiry - day).days, 0) + 1)
        at_the_money = spot * Decimal("0.0085") * (left / 5).sqrt()
        distance = abs(spot - contract.strike) / (at_the_money * 4)
        return (intrinsic + at_the_money * max(Decimal("0.02"), (1 - distance)) ** 2).quantize(CENT) + CENT

    def ids(self) -> tuple[int, int]:
        """Return a trade id and a transaction id."""
        self.next_id += 1
        return 8100000000 + self.next_id * 7, 35000000000 + self.next_id * 31

    def order(
        self,
        book: str,
        moment: datetime,
        legs: list[tuple[Instrument, int | Decimal, Decimal]],
        *,
        parts: int = 1,
    ) -> None:
        """Fill an order of legs (instrument, signed quantity, price), each in so many parts."""
        self.next_id += 1
        order = 5100000000 + self.next_id * 3
        for instrument, quantity, price in legs:
            for number, part in enumerate(_split(quantity, parts)):
                moment += timedelta(seconds=self.dice.between(0, 2))
                improved = price + CENT * (number % 2) * (1 if part < 0 else -1)
                notes = ";".join(["P"] * (parts > 1) + ["CP"] * (len(legs) > 1) + ["FP"] * (part != int(part)))
                self._execute(book, order, moment, instrument, Fraction(part), improved, notes)
            if parts > 1:
                summary = {
                    "levelOfDetail": "ORDER",
                    "quantity": plain(quantity),
                    "ibOrderID": order,
                    "orderReference": book,
                }
                self._row("Order", instrument, moment, {"buySell": "BUY" if quantity > 0 else "SELL", **summary})

    def _execute(
        self,
        book: str,
        order: int,
        moment: datetime,
        instrument: Instrument,
        quantity: Fraction,
        price: Decimal,
        notes: str,
    ) -> None:
        trade, transaction = self.ids()
        money = quantity * Fraction(price) * instrument.multiplier
        commission = Fraction(_commission(instrument, abs(quantity), Fraction(price)))
        net = -money - commission
        self.cash += net
        self.executions += 1
        given = Lot(quantity, Fraction(0), moment, transaction)
        closed = self.ledger.book_trade(book, instrument, quantity, net, given)
        self._row("Trade", instrument, moment, {
            "tradeID": trade, "transactionType": "FracShare" if "FP" in notes else "ExchTrade",
            "exchange": ("CBOE", "PHLX", "EDGX")[trade % 3] if instrument.underlying else ("IBKRATS",
            "ARCA")[trade % 2],
            "quantity": plain(quantity), "tradePrice": plain(price), "tradeMoney": plain(money),
            "proceeds": plain(-money),
            "taxes": "0", "ibCommission": plain(-commission), "ibCommissionCurrency": "USD",
            "netCash": plain(net),
            "openCloseIndicator": "O" if closed is None else "C", "notes": notes,
            "cost": plain(-net if closed is None else -closed, 6),
            "fifoPnlRealized": "0" if closed is None else plain(net - closed, 6),
            "buySell": "BUY" if quantity > 0 else "SELL", "ibOrderID": order, "transactionID": transaction,
            "ibExecID": f"0000e{trade % 4093:03x}.{0x66A00000 + self.next_id:08x}.01.01",
            "brokerageOrderID": f"00d21b4f.00012a9e.{order % 2**32:08x}.0001", "orderReference": book,
            "levelOfDetail": "EXECUTION", "orderType": "LMT", "isAPIOrder": "Y",
        })  # fmt: skip

    def expire(self, book: str, contract: Instrument) -> None:
        """Settle what a book holds of a contract on its last day."""
        held = self.ledger.held(book, contract)
        if not held:
            return
        share = contract.underlying
        assert share
        spot = self.prices[share][contract.expiry]
        worth = (spot - contract.strike) * (1 if contract.right == "C" else -1)
        basis = self.ledger.take(book, contract, abs(held))
        if worth <= 0:
            self._booking(contract, -held, "Ep", "Expiration", cash=Fraction(0), closed=basis, realized=-basis)
        elif share is XSP:
            code, word = ("Ex", "Exercise") if held > 0 else ("A", "Assignment")
            cash = Fraction(worth) * held * CONTRACT
            self.cash += cash
            trade = self._booking(contract, -held, code, word, cash=Fraction(0), closed=basis, realized=cash - basis)
            self._option_row(contract, "Cash Settlement", Fraction(0), trade, proceeds=cash)
        else:
            self._deliver(book, contract, held, basis)

    def _deliver(self, book: str, contract: Instrument, held: Fraction, basis: Fraction) -> None:
        share, moment = contract.underlying, datetime.combine(contract.expiry, BOOKED_AT)
        assert share
        code, word = ("Ex", "Exercise") if held > 0 else ("A", "Assignment")
        self._booking(contract, -held, code, word, cash=Fraction(0), closed=basis, realized=Fraction(0))
        quantity = held * CONTRACT * (1 if contract.right == "C" else -1)
        commission = Fraction("0.0166") * abs(held) if quantity < 0 else Fraction(0)
        money = quantity * Fraction(contract.strike)
        trade, transaction = self.ids()
        self.cash += -money - commission
        given = Lot(quantity, Fraction(0), moment, transaction)
        # The premium goes into the shares: into their basis when they come, into the proceeds when they go.
        closed = self.ledger.book_trade(book, share, quantity, -money - commission - basis, given)
        realized = Fraction(0) if closed is None else -money - commission - basis - closed
        cost = money + commission + basis if closed is None else realized + money + commission
        self._row("Trade", share, moment, {
            "tradeID": trade, "transactionType": "BookTrade", "exchange": "--", "quantity": plain(quantity),
            "tradePrice": plain(contract.strike), "tradeMoney": plain(money), "proceeds": plain(-money),
            "taxes": "0",
            "ibCommission": plain(-commission), "ibCommissionCurrency": "USD",
            "netCash": plain(-money - commission),
            "openCloseIndicator": "O" if closed is None else "C", "notes": code, "cost": plain(cost, 6),
            "fifoPnlRealized": plain(realized, 6), "buySell": "BUY" if quantity > 0 else "SELL",
            "transactionID": transaction, "levelOfDetail": "EXECUTION", "isAPIOrder": "N",
        })  # fmt: skip
        side = "Buy" if quantity > 0 else "Sell"
        self._option_row(share, side, quantity, trade, price=contract.strike, proceeds=-money, day=contract.expiry)

    def _booking(
        self,
        contract: Instrument,
        quantity: Fraction,
        code: str,
        word: str,
        *,
        cash: Fraction,
        closed: Fraction,
        realized: Fraction,
    ) -> int:
        trade, transaction = self.ids()
        self._row("Trade", contract, datetime.combine(contract.expiry, BOOKED_AT), {
            "tradeID": trade, "transactionType": "BookTrade", "exchange": "--", "quantity": plain(quantity),
            "tradePrice": "0", "tradeMoney": "0", "proceeds": plain(cash), "taxes": "0", "ibCommission": "0",
            "ibCommissionCurrency": "USD", "netCash": plain(cash), "openCloseIndicator": "C", "notes": code,
            "cost": plain(-closed, 6), "fifoPnlRealized": plain(realized, 6),
            "buySell": "BUY" if quantity > 0 else "SELL",
            "transactionID": transaction, "levelOfDetail": "EXECUTION", "isAPIOrder": "N",
        })  # fmt: skip
        self._option_row(contract, word, quantity, trade)
        return trade

    def _option_row(
        self, instrument: Instrument, word: str, quantity: Fraction, trade: int, *,
        price: Decimal = Decimal(0), proceeds: Fraction = Fraction(0), day: date | None = None,
    ) -> None:  # fmt: skip
        self.option_rows.append(element("OptionEAE", {
            **_terms(instrument), "date": f"{day or instrument.expiry:%Y%m%d}", "transactionType": word,
            "quantity": plain(quantity), "tradePrice": plain(price), "proceeds": plain(proceeds, 2),
            "commisionsAndTax": "0", "realizedPnl": "0", "tradeID": trade,
        }))  # fmt: skip

    def _row(self, tag: str, instrument: Instrument, moment: datetime, told: dict[str, object]) -> None:
        when = {
            "reportDate": f"{moment:%Y%m%d}",
            "dateTime": f"{moment:%Y%m%d;%H%M%S}",
            "tradeDate": f"{moment:%Y%m%d}",
        }
        kind = 1 if instrument.underlying else 0
        key = (kind, instrument.symbol, moment, tag == "Trade", len(self.trades))
        self.trades.append((key, element(tag, {**_terms(instrument), **when, **told})))

    def move_cash(
        self, day: date, kind: str, amount: Decimal, description: str, share: Instrument | None = None
    ) -> None:
        """Book a cash transaction."""
        self.cash += Fraction(amount)
        terms = _terms(share) if share else {"accountId": ACCOUNT, "currency": "USD", "fxRateToBase": "1"}
        at = f"{day:%Y%m%d};202000" if share else f"{day:%Y%m%d}"
        self.cash_rows.append(element("CashTransaction", {
            **terms, "description": description, "dateTime": at, "settleDate": f"{day:%Y%m%d}",
            "amount": plain(amount),
            "type": kind, "transactionID": self.ids()[1], "reportDate": f"{day:%Y%m%d}",
            "levelOfDetail": "DETAIL",
        }))  # fmt: skip


def _split(quantity: int | Decimal, parts: int) -> list[int | Decimal]:
    if parts == 1 or quantity != int(quantity):
        return [quantity]
    whole, rest = divmod(abs(int(quantity)), parts)
    sign = 1 if quantity > 0 else -1
    return [sign * (whole + (number < rest)) for number in range(parts) if whole + (number < rest)]


def _commission(instrument: Instrument, size: Fraction, price: Fraction) -> Decimal:
    """Return a commission with exchange and regulatory parts, in 9 decimals as the broker prints it."""
    per_unit = Fraction("0.694295") if instrument.underlying else Fraction("0.00350125")
    value = size * price * instrument.multiplier
    exact = max(per_unit * size, Fraction("0.35") if size >= 1 else value / 100) + value * Fraction("0.0000206")
    return Decimal(plain(exact, 9))


def _terms(instrument: Instrument) -> dict[str, object]:
    share = instrument.underlying
    told: dict[str, object] = {
        "accountId": ACCOUNT, "currency": "USD", "fxRateToBase": "1",
        "assetCategory": "OPT" if share else "STK",
        "subCategory": instrument.right or "COMMON", "symbol": instrument.symbol,
        "description": instrument.description,
        "conid": instrument.conid, "isin": instrument.isin, "listingExchange": instrument.exchange,
        "underlyingConid": share.conid if share else "", "underlyingSymbol": (share or instrument).symbol,
        "multiplier": instrument.multiplier, "strike": plain(instrument.strike) if share else "",
        "expiry": f"{instrument.expiry:%Y%m%d}" if share else "", "putCall": instrument.right,
    }  # fmt: skip
    return told


def element(tag: str, attributes: dict[str, object]) -> str:
    """Return one element of XML."""
    return f"<{tag} " + " ".join(f"{name}={quoteattr(str(value))}" for name, value in attributes.items()) + " />"


def at(day: date, hour: int, minute: int) -> datetime:
    """Return a moment of a day, New York time."""
    return datetime.combine(day, time(hour, minute))


def near(price: Decimal, step: str, *, up: int = 0) -> Decimal:
    """Return the strike at or below a price, so many steps higher."""
    return (price // Decimal(step) + up) * Decimal(step)


def trade_gen(broker: Broker, day: date, week: int) -> None:
    """GEN-1: the wheel on NVDA, entered on Thursdays at the money, two contracts."""
    if day.weekday() != 3:
        return
    book, ledger, spot = "GEN-1", broker.ledger, broker.prices[NVDA][day]
    target = friday_of(day, 1)
    for contract in [c for (b, c) in list(ledger.lots) if b == book and c.underlying and c.expiry == friday_of(day)]:
        held = ledger.held(book, contract)
        lost = contract.strike - spot if contract.right == "P" else spot - contract.strike
        if held < 0 and lost > 1 and week % 3 != 1:
            step = -1 if contract.right == "P" else 1
            later = broker.option(NVDA, target, contract.right, contract.strike + step * 5)
            legs = [
                (contract, int(-held), broker.value(contract, day)),
                (later, int(held), broker.value(later, day)),
            ]
            broker.order(book, at(day, 14, 5), legs, parts=2)
            return
    shares = int(ledger.held(book, NVDA)) // CONTRACT
    if shares:
        contract = broker.option(NVDA, target, "C", near(spot, "5", up=1))
        committed = sum(-ledger.held(book, c) for (b, c) in ledger.lots if b == book and c.right == "C")
        count = shares - int(committed)
    else:
        contract, count = broker.option(NVDA, target, "P", near(spot, "5")), 2
    if count > 0 and not ledger.held(book, contract):
        broker.order(book, at(day, 10, 15), [(contract, -count, broker.value(contract, day))], parts=2)


def trade_rev(broker: Broker, day: date, week: int) -> None:
    """REV-1: the wheel on KO, early in the week, five contracts; iron condors on NVDA; index spreads."""
    book, ledger, spot = "REV-1", broker.ledger, broker.prices[KO][day]
    held = [c for (b, c) in list(ledger.lots) if b == book and c.underlying is KO and ledger.held(b, c)]
    if day.weekday() in (0, 1) and not held:
        shares = int(ledger.held(book, KO)) // CONTRACT
        right, strike = ("C", near(spot, "0.5", up=1)) if shares else ("P", near(spot, "0.5"))
        contract = broker.option(KO, friday_of(day), right, strike)
        count = shares or 5
        broker.order(book, at(day, 11, 40), [(contract, -count, broker.value(contract, day))], parts=2 + week % 3)
    elif day.weekday() == 3 and held and week % 4 == 2:
        contract = held[0]
        count = int(-ledger.held(book, contract))
        broker.order(book, at(day, 15, 20), [(contract, count, broker.value(contract, day))], parts=2)
    if day.weekday() == 1 and week in (4, 12, 20):
        expiry, middle = friday_of(day, 2), near(broker.prices[NVDA][day], "5")
        wings = [("P", -30, 1), ("P", -20, -1), ("C", 20, -1), ("C", 30, 1)]
        legs = [
            (broker.option(NVDA, expiry, right, middle + Decimal(off) + Decimal("2.5")), 3 * side)
            for right, off, side in wings
        ]
        broker.order(book, at(day, 12, 30), [(c, size, broker.value(c, day)) for c, size in legs], parts=1 + week % 3)
    if day.weekday() == 3 and week in (5, 13, 21):
        open_legs = [
            (c, int(-ledger.held(book, c))) for (b, c) in list(ledger.lots) if b == book and c.underlying is NVDA
        ]
        broker.order(book, at(day, 13, 10), [(c, size, broker.value(c, day)) for c, size in open_legs if size])
    if day in (date(2026, 3, 10), date(2026, 5, 12)):
        sold = near(broker.prices[XSP][friday_of(day, 1)], "5", up=2)
        side = -2 if day.month == 3 else 2
        legs = [
            (broker.option(XSP, friday_of(day, 1), "P", sold - off), size) for off, size in ((0, side), (15, -side))
        ]
        broker.order(book, at(day, 10, 45), [(c, size, broker.value(c, day)) for c, size in legs])


def trade_com(broker: Broker, day: date, week: int) -> None:
    """COM-1: shares of MSFT and long calls, weekly calls against them, fractional shares each month."""
    book, ledger, spot = "COM-1", broker.ledger, broker.prices[MSFT][day]
    shares = int(ledger.held(book, MSFT)) // CONTRACT
    if day == DAYS[1] or (day.weekday() == 0 and shares < 3):
        broker.order(book, at(day, 9, 45), [(MSFT, (3 - shares) * CONTRACT, spot)], parts=4)
    if day == DAYS[3]:
        leaps = broker.option(MSFT, date(2027, 1, 15), "C", near(spot, "10", up=-4))
        broker.order(book, at(day, 10, 5), [(leaps, 2, Decimal("71.35"))], parts=2)
    if day.day in (15, 16, 17) and day.weekday() in (1, 2) and day.day % 2:
        fraction = Decimal(broker.dice.between(2101, 9899)) / 10000
        broker.order(book, at(day, 10, 31), [(MSFT, fraction, spot)])
    written = [c for (b, c) in list(ledger.lots) if b == book and ledger.held(b, c) < 0]
    if day.weekday() == 2 and not written:
        contract = broker.option(MSFT, friday_of(day, 1), "C", near(spot, "5", up=2))
        broker.order(book, at(day, 10, 50), [(contract, -2, broker.value(contract, day))], parts=2)
    for contract in written:
        if day == contract.expiry - timedelta(days=1) and spot > contract.strike and week % 4:
            later = broker.option(MSFT, friday_of(day, 1), "C", contract.strike + 10)
            held = int(ledger.held(book, contract))
            legs = [(contract, -held, broker.value(contract, day)), (later, held, broker.value(later, day))]
            broker.order(book, at(day, 15, 30), legs, parts=2)


def pay(broker: Broker, day: date, owed: dict[Instrument, Decimal]) -> None:
    """Book deposits, dividends, interest and fees of a day."""
    ledger = broker.ledger
    for share, ex_date, rate in (
        (MSFT, (2, 19), "0.91"),
        (NVDA, (3, 11), "0.01"),
        (KO, (3, 13), "0.53"),
        (MSFT, (5, 21), "0.91"),
    ):
        if (day.month, day.day) == ex_date:
            owed[share] = Decimal(plain(sum(ledger.held(b, share) for b in BOOKS) * Fraction(rate), 2))
    for share, pay_date in ((MSFT, (3, 12)), (NVDA, (4, 1)), (KO, (4, 1)), (MSFT, (6, 11))):
        if (day.month, day.day) == pay_date and owed.get(share):
            text = f"{share.symbol}({share.isin}) CASH DIVIDEND USD PER SHARE (Ordinary Dividend)"
            broker.move_cash(day, "Dividends", owed.pop(share), text, share)
    for when, amount in ((DAYS[0], "350000"), (date(2026, 3, 2), "25000"), (date(2026, 5, 6), "-5000")):
        if day == when:
            text = "CASH RECEIPTS / ELECTRONIC FUND TRANSFERS" if amount[0] != "-" else "DISBURSEMENT"
            broker.move_cash(day, "Deposits/Withdrawals", Decimal(amount), text)
    if day.month > 1 and day == next(d for d in DAYS if d.month == day.month and d.day >= 4):
        interest = Decimal(broker.dice.between(1200, 6900)) * CENT
        kind, name = ("Broker Interest Received", "CREDIT") if day.month != 4 else ("Broker Interest Paid", "DEBIT")
        broker.move_cash(day, kind, interest if name == "CREDIT" else -interest, f"USD {name} INT FOR THE MONTH BEFORE")
        broker.move_cash(day, "Other Fees", Decimal("-10.5"), "P******01:MARKET DATA BUNDLE")


BOOKS = ("GEN-1", "REV-1", "COM-1")


def simulate() -> Broker:
    """Return the account after all days."""
    dice = Dice(20260102)
    broker = Broker(dice, closes(dice))
    owed: dict[Instrument, Decimal] = {}
    for day in DAYS:
        week = (day - date(2025, 12, 29)).days // 7
        pay(broker, day, owed)
        for trade in (trade_gen, trade_rev, trade_com):
            trade(broker, day, week)
        for book, contract in sorted(broker.ledger.lots, key=lambda pair: (pair[1].symbol, pair[0])):
            if contract.underlying and contract.expiry == day:
                broker.expire(book, contract)
    return broker


def open_positions(broker: Broker) -> list[str]:
    """Return the positions on the last day: one row per position, then its lots."""
    rows = []
    for (_, instrument), lots in sorted(broker.ledger.lots.items(), key=lambda item: item[0][1].symbol):
        if not lots:
            continue
        mark = broker.value(instrument, LAST) if instrument.underlying else broker.prices[instrument][LAST]
        whole = Lot(
            sum((lot.units for lot in lots), Fraction(0)),
            sum((lot.basis for lot in lots), Fraction(0)),
            lots[0].opened,
            0,
        )
        for level, lot in [("SUMMARY", whole), *(("LOT", lot) for lot in lots)]:
            value = lot.units * Fraction(mark) * instrument.multiplier
            per_unit = lot.basis / lot.units / instrument.multiplier
            rows.append(element("OpenPosition", {
                **_terms(instrument), "reportDate": f"{LAST:%Y%m%d}", "position": plain(lot.units),
                "markPrice": plain(mark),
                "positionValue": plain(value, 6), "openPrice": plain(per_unit, 9),
                "costBasisPrice": plain(per_unit, 9),
                "costBasisMoney": plain(lot.basis, 9), "fifoPnlUnrealized": plain(value - lot.basis, 6),
                "side": "Long" if lot.units > 0 else "Short", "levelOfDetail": level,
                "openDateTime": f"{lot.opened:%Y%m%d;%H%M%S}" if level == "LOT" else "",
                "originatingTransactionID": lot.transaction or "",
            }))  # fmt: skip
    return rows


def flex(broker: Broker) -> str:
    """Return the statement as XML."""
    report = element("CashReportCurrency", {
        "accountId": ACCOUNT, "currency": "USD", "levelOfDetail": "Currency", "fromDate": f"{FIRST:%Y%m%d}",
        "toDate": f"{LAST:%Y%m%d}", "startingCash": "0", "endingCash": plain(broker.cash),
    })  # fmt: skip
    sections = {
        "CashReport": [report],
        "OpenPositions": open_positions(broker),
        "Trades": [row for _, row in sorted(broker.trades, key=lambda pair: pair[0])],
        "OptionEAE": broker.option_rows,
        "CorporateActions": [],
        "CashTransactions": broker.cash_rows,
        "Transfers": [],
    }
    frame = {
        "fromDate": f"{FIRST:%Y%m%d}",
        "toDate": f"{LAST:%Y%m%d}",
        "period": "",
        "whenGenerated": "20260701;061500",
    }
    lines = [
        '<FlexQueryResponse queryName="tradelake sample" type="AF">',
        '<FlexStatements count="1">',
        element("FlexStatement", {"accountId": ACCOUNT, **frame}).replace(" />", ">"),
        element("AccountInformation", {"accountId": ACCOUNT, "currency": "USD", "accountType": "Individual"}),
    ]
    for name, rows in sections.items():
        lines += [f"<{name}>", *rows, f"</{name}>"]
    return "\n".join([*lines, "</FlexStatement>", "</FlexStatements>", "</FlexQueryResponse>", ""])


@dataclass
class Desk:
    """The STAR-LAB strategies: rows of our own JSON format."""

    dice: Dice
    rows: list[dict[str, object]] = field(default_factory=list)
    orders: int = 0

    def order(self, strategy: str, moment: datetime, reason: str, legs: list[tuple[str, str, int, str, str]]) -> None:
        """Fill an order whose legs are (OSI symbol, action, quantity, price, delta)."""
        self.orders += 1
        stamp = moment.replace(tzinfo=NEW_YORK).astimezone(UTC)
        for number, (symbol, action, quantity, price, delta) in enumerate(legs, 1):
            at_leg = stamp + timedelta(milliseconds=137 * number)
            self.rows.append({
                "trade_id": f"STAR-{self.orders:04d}", "leg_id": str(number), "account_id": "STAR-1",
                "broker_account_id": STAR_ACCOUNT, "strategy_id": strategy,
                "order_id": f"OES-{self.orders:05d}",
                "broker_order_id": str(880000 + self.orders), "contract_symbol": symbol, "action": action,
                "broker_execution_id": f"0001f4e8.{0x67B10000 + self.orders:08x}.{number:02d}.01",
                "executed_at": at_leg.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                "quantity": quantity,
                "price": price, "commission": plain(Fraction("0.65") * quantity),
                "fees": plain(Fraction("0.0453125") * quantity),
                "delta": delta, "reason": reason,
            })  # fmt: skip

    def expire(self, strategy: str, day: date, symbols: list[str]) -> None:
        """Let contracts expire worthless, all that is open."""
        stamp = datetime.combine(day, BOOKED_AT, NEW_YORK).astimezone(UTC)
        for symbol in symbols:
            self.orders += 1
            self.rows.append({
                "kind": "expire", "trade_id": f"STAR-{self.orders:04d}", "account_id": "STAR-1",
                "broker_account_id": STAR_ACCOUNT, "strategy_id": strategy, "contract_symbol": symbol,
                "executed_at": stamp.isoformat().replace("+00:00", "Z"), "reason": "expired out of the money",
            })  # fmt: skip


def osi(root: str, expiry: date, right: str, strike: int) -> str:
    """Return an OSI symbol."""
    return f"{root:<6}{expiry:%y%m%d}{right}{strike * 1000:08d}"


def star_lab() -> list[dict[str, object]]:
    """Return the fills of the daily, weekly and monthly income strategies in March and April."""
    desk = Desk(Dice(77))
    for week in range(6):
        monday = date(2026, 3, 2) + timedelta(days=7 * week)
        friday, base = friday_of(monday), 600 + 2 * week
        short, wing = osi("SPY", friday, "P", base), osi("SPY", friday, "P", base - 5)
        credit, paid = f"1.{desk.dice.between(10, 95)}", f"0.{desk.dice.between(40, 85)}"
        opening = [(short, "SELL_TO_OPEN", 4, credit, "-0.2810"), (wing, "BUY_TO_OPEN", 4, paid, "-0.1930")]
        desk.order("STARLAB-WIS-7", at(monday, 10, 20), "weekly bull put spread", opening)
        if week % 3 == 2:
            desk.expire("STARLAB-WIS-7", friday, [short, wing])
        else:
            closing = [
                (short, "BUY_TO_CLOSE", 4, "0.35", "-0.0840"),
                (wing, "SELL_TO_CLOSE", 4, "0.12", "-0.0410"),
            ]
            desk.order("STARLAB-WIS-7", at(monday + timedelta(days=2), 14, 45), "profit target reached", closing)
    for number in range(10):
        day = DAYS[DAYS.index(date(2026, 3, 3)) + 3 * number]
        contract = osi("QQQ", day, "P", 500 + number)
        price = f"0.{desk.dice.between(52, 98)}"
        desk.order(
            "STARLAB-DIS-3",
            at(day, 9, 50),
            "daily put, 15 delta",
            [(contract, "SELL_TO_OPEN", 2, price, "-0.1520")],
        )
        last = f"{desk.dice.between(2, 130) / 100:.2f}"
        desk.order(
            "STARLAB-DIS-3",
            at(day, 15, 40),
            "flat before the close",
            [(contract, "BUY_TO_CLOSE", 2, last, "-0.0210")],
        )
    expiry = date(2026, 4, 17)
    wings = [("P", 570, 1), ("P", 580, -1), ("C", 650, -1), ("C", 660, 1)]
    prices = {570: ("1.92", "0.48"), 580: ("2.63", "0.71"), 650: ("2.41", "0.66"), 660: ("1.57", "0.39")}
    for moment, step, reason in (
        (at(date(2026, 3, 9), 11, 5), 0, "monthly iron condor"),
        (at(date(2026, 4, 8), 13, 30), 1, "half of the credit kept"),
    ):
        legs = []
        for right, strike, side in wings:
            action = ("BUY" if (side > 0) != bool(step) else "SELL") + ("_TO_CLOSE" if step else "_TO_OPEN")
            legs.append(
                (
                    osi("SPY", expiry, right, strike),
                    action,
                    3,
                    prices[strike][step],
                    "0.1600" if right == "C" else "-0.1600",
                )
            )
        desk.order("STARLAB-MIS-2", moment, reason, legs)
    return sorted(
        desk.rows, key=lambda row: (str(row["executed_at"]), str(row["trade_id"]), str(row.get("leg_id", "")))
    )


def write(folder: Path) -> None:
    """Write both files into a folder."""
    broker = simulate()
    (folder / "sample_flex.xml").write_text(flex(broker), encoding="utf-8", newline="\n")
    lines = [json.dumps(row, separators=(",", ":")) + "\n" for row in star_lab()]
    (folder / "sample_fills.jsonl").write_text("".join(lines), encoding="utf-8", newline="\n")
    print(f"{broker.executions} executions, {len(broker.trades)} rows of trades, {len(lines)} fills")


if __name__ == "__main__":
    write(Path(__file__).parent)
