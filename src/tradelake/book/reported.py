"""A broker's corporate action against our position: what it says that its position changed by, and what ours does.

The action is recorded whatever the difference: its terms are right. But a position that differs before it will differ
after it, and a person should know while the statement is at hand.
"""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import polars as pl

from tradelake.book.derive import derive_all
from tradelake.errors import Problem
from tradelake.store import Catalog, References
from tradelake.tables import CORPORATE_KINDS, LOTS

# Brokers round fractions of shares to four decimals.
TOLERANCE = Fraction(1, 10_000)


def position_differences(catalog: Catalog, references: References, rows: pl.DataFrame, *, source: str) -> list[Problem]:
    """Return one problem for each corporate action of *rows* (trade_log) whose reported change is not ours.

    The caller holds a transaction. Positions are those right before the action, over all books of its broker account.
    """
    told = rows.filter(pl.col("kind").is_in(CORPORATE_KINDS) & pl.col("details").str.contains('"reported_change"'))
    problems = []
    for (at,), actions in told.sort("executed_at").group_by("executed_at", maintain_order=True):
        held = _held_before(catalog, references, at)
        for row in actions.iter_rows(named=True):
            details = json.loads(row["details"])
            ours = held.get((row["broker_account_id"], row["instrument_id"]), Fraction(0))
            changed, reported = ours * _factor(row["kind"], details), Fraction(details["reported_change"])
            if abs(changed - reported) > TOLERANCE:
                problems.append(_problem(row, reported, ours, source))
    return problems


def _held_before(catalog: Catalog, references: References, at: object) -> dict[tuple[str, str], Fraction]:
    """Return the quantities per broker account and instrument right before an instant."""
    if not isinstance(at, datetime):
        return {}
    lots = derive_all(catalog, references, as_of=at - timedelta(microseconds=1)).rows(LOTS)
    owners = references.accounts.select("account_id", "broker_account_id")
    sums = lots.join(owners, on="account_id").group_by("broker_account_id", "instrument_id")
    rows = sums.agg(pl.col("quantity").sum()).iter_rows()
    return {(broker, instrument): Fraction(quantity) for broker, instrument, quantity in rows}


def _factor(kind: str, details: dict[str, str]) -> Fraction:
    """Return what a position changes by under an action, as a part of it: an exchange takes all of it away."""
    return Fraction(details["ratio"]) - 1 if kind == "split" else Fraction(-1)


def _problem(row: dict[str, str], reported: Fraction, ours: Fraction, source: str) -> Problem:
    return Problem(
        "position_differs",
        f"the broker's {row['kind']} of {row['instrument_id']} changed its position by {_plain(reported)}, "
        f"and our position was {_plain(ours)} before it",
        source,
        field="reported_change",
        value=_plain(reported),
        action="The action is recorded; look for executions that are missing here or there.",
        trade_id=str(row["trade_id"]),
    )


def _plain(number: Fraction) -> str:
    return format((Decimal(number.numerator) / Decimal(number.denominator)).normalize(), "f")
