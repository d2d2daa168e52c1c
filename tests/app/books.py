"""A book with a bit of everything for the app: forks, hostile names, breaks, nights, archived months."""

from datetime import date
from pathlib import Path
from typing import Any

import tradelake as tl
from tests.books import SAMPLE_FILLS, SAMPLE_FLEX
from tradelake.jobs.nightly import Night, run_nights

# A book refuses such a symbol; the names of accounts and strategies, and reasons, are free.
HOSTILE = "<script>alert(1)</script>"
HOSTILE_STRATEGY = "*S*<img src=x onerror=alert(2)>"
SYMBOL = "A&B^C~D"
NIGHTS = ("2026-06-29", "2026-06-30")
ARCHIVED_BEFORE = "2026-03-01"
ACCOUNTS: tuple[dict[str, Any], ...] = (
    {"account_id": "GEN-1", "broker_account_id": "U7700001", "account_type": "GEN", "allocation_pattern": "GEN-*"},
    {"account_id": "REV-1", "broker_account_id": "U7700001", "account_type": "REV", "allocation_pattern": "REV-*"},
    {
        "account_id": "COM-1",
        "broker_account_id": "U7700001",
        "account_type": "COM",
        "allocation_pattern": "COM-*",
        "allocation_default": True,
    },
    {"account_id": "STAR-1", "broker_account_id": "U7700002", "account_type": "STAR"},
    {"account_id": "COM-2", "broker_account_id": "U7700001", "account_type": "COM", "parent_account_id": "COM-1"},
    {"account_id": HOSTILE, "broker_account_id": "U7700003"},
)


def bought(trade_id: str, account: str, symbol: str, quantity: str, at: str, **more: str) -> dict[str, str]:
    """Return an execution that buys stock at 10.01."""
    return {
        "trade_id": trade_id,
        "account_id": account,
        "symbol": symbol,
        "asset_type": "STOCK",
        "action": "BUY",
        "executed_at": at,
        "quantity": quantity,
        "price": "10.01",
        "commission": "0.3512345",
        **more,
    }


def full_book(folder: Path) -> str:
    """Make the book, and return where it is."""
    target = str(folder / "book")
    with tl.create(target) as book:
        book.add_accounts(ACCOUNTS)
        book.ingest("ibkr-flex", SAMPLE_FLEX)
        book.ingest("executions", SAMPLE_FILLS)
        rows: list[dict[str, Any]] = [
            bought("H-1", HOSTILE, SYMBOL, "7", "2026-06-01T15:00:00Z", reason=HOSTILE, strategy_id=HOSTILE_STRATEGY),
            # The broker has no such trade: a break.
            bought("B-1", "COM-1", "ZZZ", "3", "2026-06-15T15:00:00Z"),
            {
                "trade_id": "F-1",
                "kind": "fork",
                "account_id": "COM-1",
                "to_account_id": "COM-2",
                "executed_at": "2026-06-16T15:00:00Z",
                "moves": [{"instrument_id": "ZZZ", "quantity": "1"}],
                "cash": "500",
            },
        ]
        receipt = book.record(rows)
        assert not receipt.problems, receipt.problems
        for day in NIGHTS:
            run_nights(book, Night(until=date.fromisoformat(day), statements=(SAMPLE_FLEX,)))
        book.archive(ARCHIVED_BEFORE, folder / "cold")
    return target


def empty_book(folder: Path) -> str:
    """Make a book that has nothing in it, and return where it is."""
    target = str(folder / "empty")
    tl.create(target).close()
    return target
