"""Events in a few words, matched in memory: what the tests of lots and positions share."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl

from tests.laws.direct import match
from tradelake.lots import Matched
from tradelake.positions import Summary, summarise
from tradelake.tables import CORPORATE_KINDS

Event = dict[str, Any]
CALL: Event = {"type": "option", "underlying": "XYZ", "expiry": "2026-01-16", "right": "C", "strike": "50"}
INSTRUMENTS: dict[str, Event] = {
    "XYZ": {"type": "stock"},
    "ABC": {"type": "stock"},
    "IDX": {"type": "index"},
    "C50": CALL,
    "C55": {**CALL, "strike": "55"},
    "P45": {**CALL, "right": "P", "strike": "45"},
    "ODD": {**CALL, "right": "P", "strike": "47.123456789012", "multiplier": "10.12345678"},
    "I_ODD": {**CALL, "underlying": "IDX", "strike": "5800", "settlement": "cash", "multiplier": "10.12345678"},
    "I5800": {**CALL, "underlying": "IDX", "strike": "5800", "settlement": "cash", "style": "european"},
}
D = Decimal


@dataclass(frozen=True, slots=True)
class Told:
    """What was matched, and the positions that follow."""

    matched: Matched
    summary: Summary

    def open_lots(self) -> list[tuple[Any, ...]]:
        """Return (instrument, opened by, quantity, cost basis) of the open lots, oldest first."""
        return self.matched.lots.select("instrument_id", "open_trade_id", "quantity", "cost_basis").rows()

    def closed(self) -> list[tuple[Any, ...]]:
        """Return (opened by, closed by, quantity, profit) of the matches, in order of their closing."""
        rows = self.matched.matches.sort("close_sequence", "match_rank")
        return rows.select("open_trade_id", "close_trade_id", "quantity", "realized_pnl").rows()

    def history(self, *columns: str) -> list[tuple[Any, ...]]:
        """Return columns of the closed positions, in order of their opening."""
        return self.summary.history.sort("opened_at").select(columns).rows()

    def positions(self, *columns: str) -> list[tuple[Any, ...]]:
        """Return columns of the open positions."""
        return self.summary.positions.select(columns).rows()

    def refusals(self) -> list[tuple[Any, ...]]:
        """Return (event, code, message) of what has no effect."""
        return self.matched.refusals.select("trade_id", "code", "message").rows()


def trade(name: str, quantity: str, price: str, instrument: str = "XYZ", **fields: Any) -> Event:
    """Return a trade; its time is in its name, as `event` says."""
    return event("trade", name, instrument, quantity=quantity, price=price, **fields)


def event(kind: str, name: str, instrument: str, **fields: Any) -> Event:
    """Return an event of account A on 5 January 2026, at the second that the digits of its name say."""
    second = int("".join(letter for letter in name if letter.isdigit()))
    at = f"2026-01-05T15:00:{second:02}Z"
    owner = {} if kind in CORPORATE_KINDS else {"account": "A"}
    return {"id": name, "kind": kind, "at": at, **owner, "instrument": instrument, **fields}


def told(*events: Event, method: str = "FIFO") -> Told:
    """Match events of the accounts A and B, and of C, a child of A, in the order of their time."""
    accounts = {"A": {"lot_method": method}, "B": {}, "C": {"parent": "A"}}
    scenario = {"accounts": accounts, "instruments": INSTRUMENTS, "events": list(events)}
    _, matched = match(scenario)
    return Told(matched, summarise(matched.episodes, matched.lots, matched.matches))


def single(frame: pl.DataFrame) -> dict[str, Any]:
    """Return the one row of a frame."""
    assert frame.height == 1
    return frame.row(0, named=True)
