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
AT: Row = {"executed_at": "2026-01-05T15:00:00Z"}
SUBSCRIBE: Row = {
    **AT,
    "account_id": "A",
    "kind": "subscribe",
    "symbol": "RTS",
    "asset_type": "RIGHT",
    "quantity": "60",
    "price": "40",
    "new_instrument_id": "XYZ",
    "shares": "6",
}
SPLIT: Row = {**AT, "kind": "split", "symbol": "XYZ", "ratio": "4/1"}
DIVIDEND: Row = {**AT, "kind": "cash_dividend", "symbol": "XYZ", "amount_per_unit": "0.5"}
CAPITAL: Row = {**DIVIDEND, "kind": "return_of_capital"}
SPIN: Row = {**SPLIT, "kind": "spin_off", "new_symbol": "SPN", "basis_fraction": "0.25"}
RIGHTS: Row = {**SPIN, "kind": "rights_issue", "new_symbol": "RTS", "basis_fraction": "0"}
MERGER: Row = {**SPLIT, "kind": "merger", "new_instrument_id": "NEW", "amount_per_unit": "10", "new_price": "40"}
RENAMED: Row = {**AT, "kind": "symbol_change", "symbol": "OLD", "new_symbol": "NEW"}
ADJUST: Row = {
    **AT,
    "kind": "option_adjust",
    "contract_symbol": "XYZ   260116C00050000",
    "new_instrument_id": "XYZ1~ADJ",
    "ratio": "1/1",
}
TRANSFER: Row = {**AT, "account_id": "A", "kind": "transfer", "to_account_id": "B", "symbol": "XYZ", "quantity": "5"}
FORK: Row = {**AT, "account_id": "A", "kind": "fork", "to_account_id": "B", "moves": "[]"}
MERGE: Row = {**AT, "account_id": "A", "kind": "merge", "to_account_id": "B"}
METHOD: Row = {**AT, "account_id": "A", "kind": "lot_method", "method": "LIFO"}
CANCEL: Row = {**AT, "kind": "cancel", "target_id": "T-1"}
CORRECT: Row = {**AT, "kind": "correct", "target_id": "T-1", "set": '{"price":"10.1"}'}
JOIN: Row = {**AT, "account_id": "A", "kind": "chain_join", "chain": '{"chains":["C-1","C-2"]}'}
CUT: Row = {**AT, "account_id": "A", "kind": "chain_split", "chain": '{"trades":["T-1"]}'}
NAMED: Row = {**AT, "account_id": "A", "kind": "chain_name", "chain": '{"chain":"C-1","name":"wheel"}'}
BASES = {
    "STOCK": STOCK,
    "OPTION": OPTION,
    "OSI": OSI,
    "EX": EX,
    "CASH": CASH,
    "SUBSCRIBE": SUBSCRIBE,
    "SPLIT": SPLIT,
    "DIVIDEND": DIVIDEND,
    "CAPITAL": CAPITAL,
    "SPIN": SPIN,
    "RIGHTS": RIGHTS,
    "MERGER": MERGER,
    "RENAMED": RENAMED,
    "ADJUST": ADJUST,
    "TRANSFER": TRANSFER,
    "FORK": FORK,
    "MERGE": MERGE,
    "METHOD": METHOD,
    "CANCEL": CANCEL,
    "CORRECT": CORRECT,
    "JOIN": JOIN,
    "CUT": CUT,
    "NAMED": NAMED,
}


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
