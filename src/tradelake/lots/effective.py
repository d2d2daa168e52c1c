"""Which events are in effect, and their total order.

The order is effective time, then phase, then arrival: at one instant executions come before exercises and
assignments, those before cash settlements' equals, and expiries last. Arrival is the log sequence.
"""

import polars as pl

PHASES = {"trade": 1, "cash": 1, "exercise": 2, "assign": 2, "cash_settle": 2, "expire": 3}


def phase() -> pl.Expr:
    """Return the phase of an event from its column `kind`."""
    return pl.col("kind").replace_strict(PHASES, return_dtype=pl.Int64)


def in_effect(events: pl.DataFrame) -> pl.DataFrame:
    """Return the events of the log that are in effect, in total order, with their `phase`.

    Table in and out: `trade_log`, one row per event; the result is sorted by (executed_at, phase, sequence).
    """
    ordered = events.with_columns(phase().alias("phase"))
    return ordered.sort("executed_at", "phase", "sequence")
