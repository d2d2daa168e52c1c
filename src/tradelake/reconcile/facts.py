"""What both sides of a reconciliation are made of: executions and cash movements, positions, lots, cash, realized.

Ours and the broker's side have the same frames. A section that a side does not tell is None, and is not compared.
Quantities of trades are signed, a sale is negative; those of option events are contracts, null for all that is open.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake.units import MONEY, MONEY_SCALE, QUANTITY, plain, to_decimal, to_units

INSTANT = pl.Datetime("us", "UTC")
EXECUTIONS = pl.Schema(
    {
        "ref": pl.String(),  # the row on its own side
        "section": pl.String(),  # executions or cash
        "kind": pl.String(),
        "broker_execution_id": pl.String(),
        "instrument_id": pl.String(),
        "currency": pl.String(),
        "executed_at": INSTANT,
        "trade_date": pl.Date(),
        "quantity": MONEY,  # of a cash movement its amount
        "price": MONEY,
        "charges": MONEY,
        "multiplier": QUANTITY,
        "ratio": pl.String(),
        "due": pl.Boolean(),  # belongs to the period, so that the other side has to have it
        "idle": pl.String(),  # code and message of why it has no effect, null where it has
    }
)
POSITIONS = pl.Schema({"instrument_id": pl.String(), "quantity": QUANTITY})
LOTS = pl.Schema({"instrument_id": pl.String(), "open_date": pl.Date(), "quantity": QUANTITY, "cost_basis": MONEY})
CASH = pl.Schema({"currency": pl.String(), "change": MONEY, "ending": MONEY})
REALIZED = pl.Schema({"ref": pl.String(), "realized_pnl": MONEY})
UNREAD = pl.Schema(
    {
        "broker_execution_id": pl.String(),
        "instrument_id": pl.String(),
        "quantity": QUANTITY,
        "price": MONEY,
        "code": pl.String(),
        "message": pl.String(),
    }
)


@dataclass(frozen=True, slots=True)
class Side:
    """One side: frames of `EXECUTIONS`, `POSITIONS`, `LOTS`, `CASH`, `REALIZED`; None where it does not tell a section.

    `sections` are the sections of events that it tells whole, so that a missing one is missing: executions, cash and
    actions. `unread` are rows that could not be read as events (`UNREAD`); `until` is the last day.
    """

    until: date
    executions: pl.DataFrame
    sections: frozenset[str]
    positions: pl.DataFrame | None = None
    lots: pl.DataFrame | None = None
    cash: pl.DataFrame | None = None
    realized: pl.DataFrame | None = None
    unread: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of `EXECUTIONS`."""

    ref: str
    section: str
    kind: str
    broker_execution_id: str | None
    instrument_id: str | None
    currency: str | None
    executed_at: datetime | None
    trade_date: date | None
    quantity: Decimal | None
    price: Decimal | None
    charges: Decimal | None
    multiplier: Decimal | None
    ratio: str | None
    due: bool
    idle: str | None


def facts_of(executions: pl.DataFrame) -> list[Fact]:
    """Return the rows of a frame of `EXECUTIONS`, in order of time and content."""
    order = ["executed_at", "instrument_id", "quantity", "price", "charges", "broker_execution_id", "ref"]
    rows = executions.select(EXECUTIONS.names()).sort(order, nulls_last=True)
    return [Fact(*row) for row in rows.iter_rows()]


def minus(left: Decimal | None, right: Decimal | None) -> Decimal:
    """Return left - right, exactly; nothing counts as zero."""
    units = to_units(left or 0, MONEY_SCALE) - to_units(right or 0, MONEY_SCALE)
    return to_decimal(units, MONEY_SCALE)


def plus(left: Decimal | None, right: Decimal | None) -> Decimal:
    """Return left + right, exactly; nothing counts as zero."""
    units = to_units(left or 0, MONEY_SCALE) + to_units(right or 0, MONEY_SCALE)
    return to_decimal(units, MONEY_SCALE)


def described(fact: Fact) -> dict[str, Any]:
    """Return what a fact says, without what it does not."""
    names = ("kind", "broker_execution_id", "instrument_id", "currency", "executed_at", "trade_date")
    numbers = ("quantity", "price", "charges", "multiplier", "ratio")
    given = {name: getattr(fact, name) for name in (*names, *numbers)}
    return {name: _text(value) for name, value in given.items() if value is not None}


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else str(value)
