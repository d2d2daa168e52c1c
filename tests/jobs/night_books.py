"""A small book of two weeks in January 2026: three books of one broker account, the wheel on two stocks and an index.

The same deals are executions for the book and a Flex statement of the broker, so that both agree unless a test takes
something out of one of them. Prices of every close come as a file of marks. Monday the 19th is a holiday.
"""

import shutil
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

import tradelake as tl
from tests.intake.flex import ACCOUNT, booking, cash, document, element, execution
from tradelake.sessions import sessions_between, trading_days_between
from tradelake.units import plain

SESSIONS = sessions_between(date(2026, 1, 5), date(2026, 1, 22))
FIRST, FRIDAY, EXPIRY, AFTER = date(2026, 1, 5), date(2026, 1, 9), date(2026, 1, 16), date(2026, 1, 20)
DEPOSIT = Decimal(200_000)
SHARE = {"GEN-1": Decimal(80_000), "REV-1": Decimal(60_000), "COM-1": Decimal(60_000)}
BOOKS = (
    {"account_id": "GEN-1", "account_type": "GEN", "allocation_pattern": "GEN-1*", "allocation_default": True},
    {"account_id": "REV-1", "account_type": "REV", "allocation_pattern": "REV-1*", "parent_account_id": "GEN-1"},
    {"account_id": "COM-1", "account_type": "COM", "allocation_pattern": "COM-1*", "parent_account_id": "GEN-1"},
)
CLOSES = {
    "KO": "70.15 70.40 70.92 70.55 71.10 70.88 70.02 69.41 68.97 68.50 68.80 69.05 69.30",
    "MSFT": "472.85 478.51 483.47 478.11 479.28 477.18 470.67 459.38 456.66 475.25 454.52 444.11 451.14",
    "SPX": "6902.05 6944.82 6920.93 6921.46 6966.28 6977.27 6963.74 6926.60 6944.47 6940.01 6796.86 6875.62 6913.35",
}
NUMBERS = {"KO": "8894", "MSFT": "272093", "SPX": "416904"}
HUNDRED = Decimal(100)
TABLES = (
    "trade_log", "source_records", "import_runs", "accounts", "instruments", "marks", "position_snapshots",
    "account_snapshots", "break_events", "nights", "positions", "lots", "matches", "position_history", "cash_flows",
    "refusals",
)  # fmt: skip
MOMENTARY = (
    "recorded_at", "import_run_id", "source_record_id", "row_check", "previous_hash", "chain_hash", "host", "report",
)  # fmt: skip


@dataclass(frozen=True)
class Contract:
    """What is traded: a stock, or an option on one with its OSI symbol."""

    symbol: str
    number: str
    osi: str = ""

    @property
    def name(self) -> str:
        return self.osi or self.symbol

    @property
    def multiplier(self) -> Decimal:
        return HUNDRED if self.osi else Decimal(1)

    @property
    def expiration(self) -> date:
        return date(2000 + int(self.osi[6:8]), int(self.osi[8:10]), int(self.osi[10:12])) if self.osi else date.max

    @property
    def strike(self) -> Decimal:
        return Decimal(self.osi[13:]) / 1000

    def close(self, day: date) -> Decimal:
        """Return its price at the close: of an option what it is worth by its strike, and a nickel for each session."""
        price = Decimal(CLOSES[self.symbol].split()[SESSIONS.index(day)])
        if not self.osi:
            return price
        worth = price - self.strike if self.osi[12] == "C" else self.strike - price
        return max(worth, Decimal(0)) + Decimal("0.05") * trading_days_between(day, self.expiration)

    @property
    def flex(self) -> dict[str, str]:
        """Return the attributes of a Flex row that say what it is about."""
        if not self.osi:
            return {"assetCategory": "STK", "symbol": self.symbol, "conid": self.number, "multiplier": "1"}
        return {
            "assetCategory": "OPT",
            "symbol": self.osi,
            "underlyingSymbol": self.symbol,
            "underlyingConid": NUMBERS[self.symbol],
            "conid": self.number,
            "multiplier": "100",
            "strike": plain(self.strike),
            "expiry": f"{self.expiration:%Y%m%d}",
            "putCall": self.osi[12],
        }


KO = Contract("KO", NUMBERS["KO"])
EARLY_PUT = Contract("KO", "501", "KO    260109P00070000")
PUT = Contract("KO", "502", "KO    260116P00069000")
CALL = Contract("KO", "503", "KO    260116C00072000")
FAR_PUT = Contract("MSFT", "504", "MSFT  260116P00470000")
LATER = Contract("MSFT", "505", "MSFT  260130P00450000")
INDEX_CALL = Contract("SPX", "506", "SPXW  260116C06900000")
HELD_CALL = Contract("MSFT", "507", "MSFT  260116C00470000")
DELIVERED = {PUT: Decimal(200), HELD_CALL: Decimal(100)}


@dataclass(frozen=True)
class Deal:
    """One fill: in a book, of a contract, signed."""

    number: int
    day: date
    account: str
    contract: Contract
    quantity: Decimal
    price: Decimal
    commission: Decimal = Decimal("0.65")

    @property
    def broker_id(self) -> str:
        return f"0000e0d5.6960{self.number:04}.01.01"

    @property
    def cash(self) -> Decimal:
        return -self.quantity * self.price * self.contract.multiplier - self.commission

    @property
    def row(self) -> dict[str, Any]:
        """Return the execution that the order service records."""
        named = {"contract_symbol": self.contract.osi} if self.contract.osi else {}
        if self.contract.symbol == "SPX":
            named |= {"settlement": "CASH", "exercise_style": "EUROPEAN"}
        return named | {
            "trade_id": f"T-{self.number}",
            "account_id": self.account,
            "broker_execution_id": self.broker_id,
            "symbol": self.contract.symbol,
            "asset_type": "OPTION" if self.contract.osi else "STOCK",
            "action": "BUY" if self.quantity > 0 else "SELL",
            "executed_at": f"{self.day}T10:{self.number:02}:00-05:00",
            "quantity": plain(abs(self.quantity)),
            "price": plain(self.price),
            "commission": plain(self.commission),
        }

    @property
    def flex(self) -> str:
        """Return the row of the broker's statement."""
        return execution(
            **self.contract.flex,
            dateTime=f"{self.day:%Y%m%d};10{self.number:02}00",
            tradeDate=f"{self.day:%Y%m%d}",
            quantity=plain(self.quantity),
            tradePrice=plain(self.price),
            ibCommission=plain(-self.commission),
            buySell="BUY" if self.quantity > 0 else "SELL",
            ibExecID=self.broker_id,
            orderReference=f"{self.account}-W",
        )


def _deals() -> tuple[Deal, ...]:
    told = (
        (date(2026, 1, 5), "COM-1", KO, "200", "70.20"),
        (date(2026, 1, 5), "GEN-1", EARLY_PUT, "-2", "0.85"),
        (date(2026, 1, 6), "COM-1", CALL, "-2", "0.55"),
        (date(2026, 1, 7), "REV-1", FAR_PUT, "-1", "4.10"),
        (date(2026, 1, 8), "GEN-1", PUT, "-2", "0.60"),
        (date(2026, 1, 12), "REV-1", INDEX_CALL, "1", "82.40"),
        (date(2026, 1, 14), "COM-1", KO, "-50", "69.44"),
        (date(2026, 1, 15), "COM-1", HELD_CALL, "1", "2.35"),
        (date(2026, 1, 20), "REV-1", LATER, "-1", "5.20"),
    )
    return tuple(
        Deal(number, day, account, contract, Decimal(quantity), Decimal(price))
        for number, (day, account, contract, quantity, price) in enumerate(told, 1)
    )


DEALS = _deals()


def deals_of(since: date = FIRST, until: date = SESSIONS[-1]) -> list[Deal]:
    """Return the fills of a span of days."""
    return [deal for deal in DEALS if since <= deal.day <= until]


def tell(book: tl.Book, *, until: date, without: Collection[int] = ()) -> None:
    """Record what the order service has reported by the end of a day: capital, and fills without some of them."""
    capital: list[dict[str, Any]] = [
        {
            "trade_id": "D-1",
            "broker_execution_id": "transactionID:9001",
            "kind": "cash",
            "cash_category": "deposit",
            "amount": plain(DEPOSIT),
        },
        *(
            {"trade_id": f"F-{name}", "kind": "fork", "to_account_id": name, "moves": [], "cash": plain(SHARE[name])}
            for name in ("REV-1", "COM-1")
        ),
    ]
    rows = [{"account_id": "GEN-1", "executed_at": "2026-01-05T14:00:00Z", **row} for row in capital]
    receipt = book.record([*rows, *(deal.row for deal in deals_of(until=until) if deal.number not in without)])
    assert receipt.ok, receipt.problems


def wheel(folder: Path, *, until: date = FIRST, without: Collection[int] = ()) -> tl.Book:
    """Return a new book in *folder* with everything until a day."""
    book = tl.create(folder)
    assert book.add_accounts([{"broker_account_id": ACCOUNT, **row} for row in BOOKS]).ok
    tell(book, until=until, without=without)
    return book


def copied(book: Path, folder: Path) -> Path:
    """Copy a book that nobody has open to *folder*, and return that."""
    shutil.copytree(book, folder)
    with sqlite3.connect(folder / "catalog.sqlite") as catalog:
        catalog.execute(f"UPDATE ducklake_metadata SET value = '{folder}/data/' WHERE key = 'data_path'")
    catalog.close()
    return folder


def worth(account: str, day: date) -> tuple[Decimal, Decimal]:
    """Return cash and net liquidation value of a book at a close, with options that have expired still open."""
    capital = DEPOSIT - SHARE["REV-1"] - SHARE["COM-1"] if account == "GEN-1" else SHARE[account]
    own = [deal for deal in deals_of(until=day) if deal.account == account]
    cash_held = capital + sum((deal.cash for deal in own), Decimal(0))
    values = (d.quantity * d.contract.multiplier * d.contract.close(min(day, d.contract.expiration)) for d in own)
    return cash_held, cash_held + sum(values, Decimal(0))


def broker_side(until: date, *, without: Collection[int] = ()) -> tuple[dict[Contract, Decimal], Decimal]:
    """Return what the broker holds at the end of a day, all books together, and its cash; expired options are booked.

    Those on the index are not: a test that goes beyond their day leaves their deal out.
    """
    held: dict[Contract, Decimal] = {}
    money = DEPOSIT
    for deal in deals_of(until=until):
        if deal.number not in without:
            held[deal.contract] = held.get(deal.contract, Decimal(0)) + deal.quantity
            money += deal.cash
    for contract in [each for each in held if each.expiration <= until]:
        shares = DELIVERED.get(contract, Decimal(0))
        if held.pop(contract) and shares:
            stock = Contract(contract.symbol, NUMBERS[contract.symbol])
            held[stock] = held.get(stock, Decimal(0)) + shares
            money -= shares * contract.strike
    return {contract: quantity for contract, quantity in held.items() if quantity}, money


def endings(since: date, until: date, *, without: Collection[int] = ()) -> list[str]:
    """Return the rows of a statement that book the ends of options: expiries, an assignment and an exercise."""
    rows = []
    for deal in deals_of(until=until):
        contract = deal.contract
        if deal.number in without or not since <= contract.expiration <= until:
            continue
        at = {"dateTime": f"{contract.expiration:%Y%m%d};162000", "tradeDate": f"{contract.expiration:%Y%m%d}"}
        shares = DELIVERED.get(contract)
        code = "Ep" if shares is None else "A" if deal.quantity < 0 else "Ex"
        row = {**at, "quantity": plain(-deal.quantity), "notes": code, "tradeID": f"77{contract.number}"}
        rows.append(booking(contract.flex, **row))
        if shares is not None:
            stock = Contract(contract.symbol, NUMBERS[contract.symbol]).flex
            delivery = {
                "quantity": plain(shares),
                "tradePrice": plain(contract.strike),
                "tradeID": f"88{contract.number}",
            }
            rows.append(booking(stock, **at, **delivery, notes=code))
    return rows


def priced(until: date) -> list[Contract]:
    """Return what has been traded by the end of a day, and its underlyings."""
    traded = {deal.contract for deal in deals_of(until=until)}
    underlyings = {Contract(contract.symbol, NUMBERS[contract.symbol]) for contract in traded}
    return sorted(traded | underlyings, key=lambda contract: contract.name)


def marks_file(path: Path, days: Collection[date], *, contracts: Collection[Contract] = ()) -> Path:
    """Write the closes of days, of all that was traded by the last of them or of some contracts; return the path."""
    rows = [
        f"{contract.symbol},{contract.osi},{day},{plain(contract.close(day))}"
        for day in days
        for contract in contracts or priced(max(days))
        if contract.expiration >= day
    ]
    path.write_text("\n".join(["symbol,contract_symbol,mark_date,price", *rows]) + "\n")
    return path


def statement_file(path: Path, until: date, *, since: date = FIRST, without: Collection[int] = ()) -> Path:
    """Write the broker's Flex statement of a span of days, and return the path."""
    path.write_bytes(statement(until, since=since, without=without))
    return path


def statement(until: date, *, since: date = FIRST, without: Collection[int] = ()) -> bytes:
    """Return a Flex statement of a span of days: trades, ends of options, deposits, positions with prices, cash."""
    trades = [deal.flex for deal in deals_of(since, until) if deal.number not in without]
    trades += endings(since, until, without=without)
    held, money = broker_side(until, without=without)
    before = Decimal(0)
    if since > FIRST:
        before = broker_side(SESSIONS[SESSIONS.index(since) - 1], without=without)[1]
    positions = [
        element(
            "OpenPosition",
            {
                "accountId": ACCOUNT,
                "currency": "USD",
                **contract.flex,
                "position": plain(quantity),
                "markPrice": plain(contract.close(until)),
                "reportDate": f"{until:%Y%m%d}",
                "levelOfDetail": "SUMMARY",
            },
        )
        for contract, quantity in held.items()
    ]
    deposits = [cash(transactionID="9001", amount=plain(DEPOSIT), dateTime="20260105;090000")] if since <= FIRST else []
    report = {
        "accountId": ACCOUNT,
        "currency": "USD",
        "startingCash": plain(before),
        "endingCash": plain(money),
    }
    sections = {
        "Trades": trades,
        "CashTransactions": deposits,
        "OpenPositions": positions,
        "CashReport": [element("CashReportCurrency", report)],
    }
    inside = "".join(f"<{name}>{''.join(rows)}</{name}>" for name, rows in sections.items())
    told = f'accountId="{ACCOUNT}" fromDate="{since:%Y%m%d}" toDate="{until:%Y%m%d}"'
    return document(f"<FlexStatement {told}>{inside}</FlexStatement>")


def tables_of(book: tl.Book) -> dict[str, pl.DataFrame]:
    """Return every table that a night leaves, without what only says when, where and in which commit it was written."""
    found = {}
    for name in TABLES:
        rows = book._catalog.frame(f"SELECT * FROM {name}").drop(MOMENTARY, strict=False)
        found[name] = rows.sort(rows.columns, nulls_last=True)
    return found
