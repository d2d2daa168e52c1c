"""Flex statements that tests make: trades and splits, with the positions, lots and profit that follow from them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

import tradelake as tl
from tests.intake.flex import ACCOUNT, PUT, STOCK, document, element

NEW_YORK = ZoneInfo("America/New_York")
SINCE, UNTIL = "20260105", "20260130"
Row = Mapping[str, str]
OTHER = {**STOCK, "symbol": "ABC", "conid": "12"}
TERMS = {"XYZ": STOCK, "ABC": OTHER, "PUT": {**PUT, "expiry": "20260320", "symbol": "XYZ   260320P00050000"}}


@dataclass(frozen=True)
class Told:
    """What a statement tells, as rows of attributes; None for a section that it does not have."""

    trades: tuple[Row, ...] = ()
    actions: tuple[Row, ...] | None = ()
    cash: tuple[Row, ...] | None = ()
    positions: tuple[Row, ...] | None = ()
    closed_lots: tuple[Row, ...] = ()
    balances: tuple[Row, ...] | None = None
    since: str = SINCE
    until: str = UNTIL
    account: str = ACCOUNT

    def changed(self, number: int, **attributes: str) -> "Told":
        """Return the statement with attributes of one trade changed."""
        rows = list(self.trades)
        rows[number] = {**rows[number], **attributes}
        return replace(self, trades=tuple(rows))

    def without(self, number: int) -> "Told":
        """Return the statement without one trade."""
        return replace(self, trades=self.trades[:number] + self.trades[number + 1 :])

    def written(self) -> bytes:
        """Return the statement as XML."""
        sections = {
            "CashReport": _rows("CashReportCurrency", self.balances),
            "OpenPositions": _rows("OpenPosition", self.positions),
            "Trades": [*(_rows("Trade", self.trades) or ()), *(_rows("Lot", self.closed_lots) or ())],
            "CorporateActions": _rows("CorporateAction", self.actions),
            "CashTransactions": _rows("CashTransaction", self.cash),
        }
        inside = "".join(f"<{name}>{''.join(rows)}</{name}>" for name, rows in sections.items() if rows is not None)
        dates = f'fromDate="{self.since}" toDate="{self.until}"'
        return document(f'<FlexStatement accountId="{self.account}" {dates}>{inside}</FlexStatement>')

    def file(self, folder: Path, name: str = "statement.xml") -> Path:
        """Write the statement to a file and return its path."""
        path = folder / name
        path.write_bytes(self.written())
        return path


def _rows(tag: str, rows: Sequence[Row] | None) -> list[str] | None:
    return None if rows is None else [element(tag, {"accountId": ACCOUNT, **row}) for row in rows]


def trade(number: int, quantity: int | str, price: str, *, of: str = "XYZ", day: str = "20260106", **more: str) -> Row:
    """Return one execution with ids of its number; a negative quantity sells."""
    sells = str(quantity).startswith("-")
    return {
        **TERMS[of],
        "currency": "USD",
        "tradeDate": day,
        "dateTime": f"{day};10{number // 60:02}{number % 60:02}",
        "quantity": str(quantity),
        "tradePrice": price,
        "ibCommission": "-1.25",
        "ibCommissionCurrency": "USD",
        "taxes": "0",
        "buySell": "SELL" if sells else "BUY",
        "transactionType": "ExchTrade",
        "levelOfDetail": "EXECUTION",
        "ibExecID": f"0000e0d5.{number:08x}.01.01",
        "tradeID": f"7{number:04}",
        **more,
    }


def split(ratio: str = "4 FOR 1", *, quantity: str, day: str = "20260115", action: str = "900") -> Row:
    """Return a forward split of XYZ, booked in the evening."""
    return {
        **STOCK,
        "currency": "USD",
        "type": "FS",
        "description": f"XYZ(US0000000001) SPLIT {ratio} (XYZ, XYZ CORP, US0000000001)",
        "dateTime": f"{day};202500",
        "reportDate": day,
        "quantity": quantity,
        "actionID": action,
        "transactionID": f"8{action}",
        "levelOfDetail": "DETAIL",
    }


def held(of: str, quantity: str, *, cost: str = "0", **more: str) -> Row:
    """Return the row of an open position."""
    given = {"position": quantity, "costBasisMoney": cost, "levelOfDetail": "SUMMARY"}
    return {**TERMS[of], "currency": "USD", **given, **more}


def lot(of: str, quantity: str, cost: str, opened: str) -> Row:
    """Return the row of an open lot."""
    return held(of, quantity, cost=cost, levelOfDetail="LOT", openDateTime=opened)


def closed_lot(of: str, quantity: str, cost: str, opened: str, closed: str, *, side: str = "SELL") -> Row:
    """Return the row of a lot that a trade closed."""
    given = {"quantity": quantity, "cost": cost, "openDateTime": opened, "dateTime": closed, "buySell": side}
    return {**TERMS[of], "currency": "USD", **given, "levelOfDetail": "CLOSED_LOT"}


def with_results(told: Told, book: tl.Book, folder: Path) -> Told:
    """Return a statement with the positions, lots, profit and cash that follow from its events, told to *book*."""
    receipt = book.ingest("ibkr-flex", replace(told, positions=None).file(folder, "events.xml"))
    assert receipt.ok, receipt.problems
    return replace(
        told,
        positions=tuple(_positions(book)),
        trades=tuple(_with_profit(book, told.trades)),
        balances=(_balance(book),),
    )


def _positions(book: tl.Book) -> list[Row]:
    terms = {row["symbol"]: name for name, row in TERMS.items()}
    rows = [
        held(terms[row["instrument_id"]], _plain(row["quantity"]), cost=_plain(row["cost_basis"]))
        for row in book.positions().iter_rows(named=True)
    ]
    for row in book.lots().iter_rows(named=True):
        opened = row["opened_at"].astimezone(NEW_YORK).strftime("%Y%m%d;%H%M%S")
        rows.append(lot(terms[row["instrument_id"]], _plain(row["quantity"]), _plain(row["cost_basis"]), opened))
    return rows


def _with_profit(book: tl.Book, trades: Sequence[Row]) -> list[Row]:
    events = book.trades().select("trade_id", "broker_execution_id")
    sums = book.matches().group_by("close_trade_id").agg(pl.col("realized_pnl").sum())
    profit = dict(
        sums.join(events, left_on="close_trade_id", right_on="trade_id")
        .select("broker_execution_id", "realized_pnl")
        .iter_rows()
    )
    return [{**row, "fifoPnlRealized": _plain(profit.get(row["ibExecID"], Decimal(0)))} for row in trades]


def _balance(book: tl.Book) -> Row:
    cash: Any = book.cash()["cash"].sum()
    return {"currency": "USD", "startingCash": "0", "endingCash": _plain(cash), "levelOfDetail": "Currency"}


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")
