"""A broker's corporate action against our position: what it says that its position changed by, and what ours does.

The action is recorded whatever the difference: its terms are right. But a position that differs before it will differ
after it, and a person should know while the statement is at hand.
"""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

import polars as pl

from tradelake.errors import Problem
from tradelake.tables import CORPORATE_KINDS

# Brokers round fractions of shares to four decimals.
TOLERANCE = Fraction(1, 10_000)


def position_differences(
    held_before: Callable[[datetime, list[str]], pl.DataFrame],
    accounts: pl.DataFrame,
    rows: pl.DataFrame,
    *,
    source: str,
) -> list[Problem]:
    """Return one problem for each corporate action of *rows* (trade_log) whose reported change is not ours.

    `held_before` gives the positions in some instruments right before an instant; those of all books of a broker
    account are added up. The caller holds a transaction.
    """
    told = rows.filter(pl.col("kind").is_in(CORPORATE_KINDS) & pl.col("details").str.contains('"reported_change"'))
    problems = []
    for (at,), actions in told.sort("executed_at").group_by("executed_at", maintain_order=True):
        if not isinstance(at, datetime):
            continue
        held = _of_brokers(held_before(at, actions["instrument_id"].unique().to_list()), accounts)
        for row in actions.iter_rows(named=True):
            details = json.loads(row["details"])
            ours = held.get((row["broker_account_id"], row["instrument_id"]), Fraction(0))
            changed, reported = ours * _factor(row["kind"], details), Fraction(details["reported_change"])
            if abs(changed - reported) > TOLERANCE:
                problems.append(_problem(row, reported, ours, source))
    return problems


def _of_brokers(held: pl.DataFrame, accounts: pl.DataFrame) -> dict[tuple[str, str], Fraction]:
    """Return the quantities per broker account and instrument."""
    owners = accounts.select("account_id", "broker_account_id")
    sums = held.join(owners, on="account_id").group_by("broker_account_id", "instrument_id")
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
