"""What chains are made of: positions from flat to flat, and which event opened or closed what of them.

A position is told apart by its number `episode`, in order of (opened_at, position_id), which does not depend on the
order in which events arrived.
"""

import json

import polars as pl

from tradelake.errors import InvariantError
from tradelake.units import MONEY, QUANTITY

SLOT = ["account_id", "instrument_id"]
EXERCISES = ("exercise", "assign", "subscribe")
COMMON = (
    "position_id",
    "account_id",
    "instrument_id",
    "symbol",
    "contract_symbol",
    "asset_type",
    "currency",
    "opened_at",
    "open_date",
    "closed_at",
    "status",
    "realized_pnl",
    "realized_premium",
    "open_trade_id",
    "open_sequence",
)
EVENT_COLUMNS = (
    "sequence",
    "trade_id",
    "leg_id",
    "kind",
    "order_id",
    "broker_order_id",
    "action",
    "executed_at",
    "quantity",
    "details",
)


def episodes_of(positions: pl.DataFrame, history: pl.DataFrame, instruments: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `positions` and `position_history` as episodes, numbered and with the terms of options."""
    nothing = [pl.lit(0, dtype=MONEY).alias(name) for name in ("cost_basis", "premium")]
    held = positions.select(
        *COMMON,
        pl.when(pl.col("quantity") > 0).then(pl.lit("LONG")).otherwise(pl.lit("SHORT")).alias("side"),
        "quantity",
        "cost_basis",
        "premium",
        pl.lit(None, dtype=pl.Int64).alias("close_sequence"),
    )
    flat = history.select(*COMMON, "side", pl.lit(0, dtype=QUANTITY).alias("quantity"), *nothing, "close_sequence")
    terms = instruments.select("instrument_id", "option_type", "strike", "expiration")
    return (
        pl.concat([held, flat])
        .sort("opened_at", "position_id")
        .join(terms, on="instrument_id", how="left", maintain_order="left")
        .with_row_index("episode")
        .with_columns(pl.col("episode").cast(pl.Int64))
    )


def touches_of(
    episodes: pl.DataFrame, matches: pl.DataFrame, lots: pl.DataFrame, events: pl.DataFrame, instruments: pl.DataFrame
) -> pl.DataFrame:
    """Return which event opened or closed lots of which episode of its own account, one row each.

    Columns: those of the episode and of the event, `opened`, and `how` where it closed. A lot that came with a
    transfer or a corporate action was not opened by its trade here: it is as old as the episode at most.
    """
    lone = matches.join(episodes, on="position_id", how="anti")
    if lone.height:
        raise InvariantError(f"{lone.height} matches do not belong to the positions given")
    numbers = episodes.select("position_id", "episode")
    openings = [rows.select("position_id", "open_sequence") for rows in (matches, lots, episodes)]
    opened = _opened(pl.concat(openings).rename({"open_sequence": "sequence"}).join(numbers, on="position_id"))
    closed = (
        matches.select("position_id", "close_sequence", "how")
        .join(numbers, on="position_id")
        .select("episode", pl.col("close_sequence").alias("sequence"), pl.lit(value=False).alias("opened"), "how")
    )
    seen = pl.concat([opened, closed]).unique()
    told = events.select(*EVENT_COLUMNS, pl.col("account_id").alias("event_account_id"))
    return (
        pl.concat([seen, _unseen(episodes, seen, events, instruments)])
        .join(episodes, on="episode")
        .join(told, on="sequence", suffix="_event")
        .filter(pl.col("account_id") == pl.col("event_account_id"))
        .filter(~pl.col("opened") | (pl.col("executed_at") >= pl.col("opened_at")))
    )


def _opened(rows: pl.DataFrame) -> pl.DataFrame:
    no_how = pl.lit(None, dtype=pl.String).alias("how")
    return rows.select("episode", "sequence", pl.lit(value=True).alias("opened"), no_how)


def _unseen(
    episodes: pl.DataFrame, seen: pl.DataFrame, events: pl.DataFrame, instruments: pl.DataFrame
) -> pl.DataFrame:
    """Return what events opened that no lot or match of the position tells any more.

    An average-cost pool names its oldest event alone, and lots leave by transfers and corporate actions. An event that
    is not seen in a slot that it reached opened lots of the position that was open there.
    """
    columns = ["sequence", *SLOT, "executed_at", "side"]
    buys = pl.col("action").str.starts_with("BUY")
    side = pl.when(buys).then(pl.lit("LONG")).otherwise(pl.lit("SHORT")).alias("side")
    trades = events.filter(pl.col("kind") == "trade").with_columns(side)
    exercised = events.filter(pl.col("kind").is_in(EXERCISES)).with_columns(pl.lit(None, dtype=pl.String).alias("side"))
    delivered = exercised.join(_delivered(exercised, instruments), on="instrument_id").with_columns(
        pl.col("delivered_id").alias("instrument_id")
    )
    subscribed = exercised.filter(pl.col("kind") == "subscribe").with_columns(
        pl.col("new_instrument_id").alias("instrument_id")
    )
    seen_in = seen.join(episodes.select("episode", *SLOT), on="episode").select("sequence", *SLOT)
    reached = pl.concat([rows.select(columns) for rows in (trades, delivered, subscribed)])
    unseen = reached.join(seen_in, on=["sequence", *SLOT], how="anti").sort("executed_at", "sequence")
    held = episodes.select(*SLOT, "opened_at", "closed_at", "episode", pl.col("side").alias("held"))
    found = (
        unseen.join_asof(held, left_on="executed_at", right_on="opened_at", by=SLOT, check_sortedness=False)
        .filter(pl.col("closed_at").is_null() | (pl.col("closed_at") >= pl.col("executed_at")))
        .filter(pl.col("episode").is_not_null() & (pl.col("side").is_null() | (pl.col("side") == pl.col("held"))))
    )
    return _opened(found)


def _delivered(exercised: pl.DataFrame, instruments: pl.DataFrame) -> pl.DataFrame:
    """Return the instruments that the exercised contracts deliver, one row per contract and instrument."""
    rows: list[tuple[str, str]] = []
    contracts = instruments.join(exercised, on="instrument_id", how="semi")
    for contract, underlying, deliverable in contracts.select(
        "instrument_id", "underlying_instrument_id", "deliverable"
    ).iter_rows():
        parts = json.loads(deliverable) if deliverable else [{"instrument_id": underlying}]
        rows += [(contract, part["instrument_id"]) for part in parts if part.get("instrument_id")]
    return pl.DataFrame(rows, schema={"instrument_id": pl.String, "delivered_id": pl.String}, orient="row").unique()
