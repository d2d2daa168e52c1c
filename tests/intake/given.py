"""Good rows that the tests of intake start from, and how a row is read alone."""

from typing import Any

import polars as pl

from tradelake.errors import Problem
from tradelake.intake import executions

Row = dict[str, Any]

TRADE: Row = {
    "account_id": "A",
    "action": "BUY",
    "executed_at": "2026-01-05T15:00:00Z",
    "quantity": "1",
    "price": "10",
}
STOCK: Row = {**TRADE, "symbol": "XYZ"}
OPTION: Row = {**STOCK, "strike": "50", "expiration": "2026-01-16", "option_type": "C"}
OSI: Row = {**STOCK, "contract_symbol": "XYZ   260116C00050000"}
EX: Row = {name: value for name, value in OPTION.items() if name not in ("action", "price")} | {"kind": "exercise"}
CASH: Row = {
    "account_id": "A",
    "kind": "cash",
    "executed_at": "2026-01-05T15:00:00Z",
    "amount": "5",
    "cash_category": "deposit",
}
BASES = {"STOCK": STOCK, "OPTION": OPTION, "OSI": OSI, "EX": EX, "CASH": CASH}


def event(row: Row) -> Row:
    """Read one good row and return its event."""
    parsed = executions.from_rows([row])
    assert parsed.problems == ()
    return parsed.events.row(0, named=True)


def problem(row: Row) -> Problem:
    """Read one bad row and return its problem."""
    parsed = executions.from_rows([row])
    assert parsed.events.is_empty()
    (found,) = parsed.problems
    return found


def text_frame(rows: list[Row]) -> pl.DataFrame:
    """Return rows of text as a frame, with a column for each field that any of them has."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame(
        {name: [row.get(name) for row in rows] for name in names}, schema=dict.fromkeys(names, pl.String)
    )
