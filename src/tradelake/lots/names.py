"""The kernel's numbers named again: what opened a lot, what a slot is, positions from flat to flat."""

import numpy as np
import polars as pl

from tradelake.errors import InvariantError
from tradelake.lots import state
from tradelake.lots.engine import Run

# What a lot's id says after the name of its opening: its rank, and which piece of it this is.
OWN_NUMBERS = r"-[0-9]+(~[0-9]+)?$"
OPENING_COLUMNS = ("open_trade_id", "open_sequence", "opened_at", "open_date", "open_phase")


def openings_of(operations: pl.DataFrame, lots: pl.DataFrame) -> pl.DataFrame:
    """Return what a lot tells of its opening: one row per operation, then one per carried lot; see `places_of`."""
    fresh = operations.select(
        pl.col("trade_id").alias("open_trade_id"),
        pl.col("sequence").alias("open_sequence"),
        pl.col("executed_at").alias("opened_at"),
        pl.col("trade_date").alias("open_date"),
        pl.col("phase").alias("open_phase"),
        pl.lit(None, dtype=pl.Int64).alias("lot_rank"),
        event_name().alias("open_name"),
    )
    carried = lots.select(
        *OPENING_COLUMNS,
        "lot_rank",
        pl.col("lot_id").str.strip_prefix(pl.col("position_id") + "/").str.replace(OWN_NUMBERS, "").alias("open_name"),
    )
    return pl.concat([fresh, carried])


def places_of(origins: "np.ndarray", operations: pl.DataFrame) -> "np.ndarray":
    """Return where the kernel's numbers of openings stand in `openings_of`: -1 is the first carried lot."""
    numbers = ints(origins)
    return np.where(numbers >= 0, numbers, operations.height - 1 - numbers)


def taken(rows: pl.DataFrame, places: "np.ndarray") -> pl.DataFrame:
    """Return the rows at some places; InvariantError for one that is none."""
    numbers = ints(places)
    if numbers.size and int(numbers.min()) < 0:
        raise InvariantError("the kernel names a row that is not there")
    return rows[numbers]


def event_name() -> pl.Expr:
    """Return the name of an event inside other ids: its trade id, with its leg where that is not the first.

    One of several operations of an event has its account besides. Ids made of it are the same in every book that
    knows the same events, in whatever order they arrived.
    """
    trade, leg = _escaped("trade_id", "#"), _escaped("leg_id", "#")
    name = pl.when(pl.col("leg_id") == "1").then(trade).otherwise(pl.concat_str(trade, leg, separator="#"))
    return pl.when("shared").then(pl.concat_str(name, _escaped("account_id", "#"), separator="##")).otherwise(name)


def _escaped(name: str, separator: str) -> pl.Expr:
    """Return a part of an id without its separator, and never two parts as one: as addresses of the web write it."""
    percent = pl.col(name).str.replace_all("%", "%25", literal=True)
    return percent.str.replace_all(separator, f"%{ord(separator):X}", literal=True)


def slot_terms(slots: pl.DataFrame, instruments: pl.DataFrame) -> pl.DataFrame:
    """Return the slots with the terms of their instruments."""
    columns = ("instrument_id", "symbol", "contract_symbol", "asset_type", "currency", "multiplier")
    return slots.join(instruments.select(columns), on="instrument_id", how="left", maintain_order="left")


def episodes_of(run: Run, operations: pl.DataFrame, positions: pl.DataFrame, slots: pl.DataFrame) -> pl.DataFrame:
    """Return the positions from flat to flat: the carried ones first, then those that this run opened."""
    count, held = int(run.book.control[state.EPISODE_COUNT]), positions.height
    rows = pl.DataFrame(
        {
            "episode": np.arange(count),
            "slot": ints(run.book.episodes[:count, state.EPISODE_SLOT]),
            "operation": ints(run.book.episodes[:count, state.EPISODE_OPEN]),
            "closing": ints(run.book.episodes[:count, state.EPISODE_CLOSE]),
            "side": np.where(ints(run.book.episodes[:count, state.EPISODE_SIDE]) > 0, "LONG", "SHORT"),
        },
        schema_overrides={"side": pl.String},
    )
    log = operations.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("operation"),
        event_name().alias("event_name"),
        "trade_id",
        "sequence",
        "executed_at",
        "trade_date",
    )
    fresh = (
        rows[held:]
        .join(log, on="operation", how="left", maintain_order="left")
        .join(slots.select("slot", "account_id", "instrument_id"), on="slot", how="left", maintain_order="left")
    )
    names = ("open_trade_id", "open_sequence", "opened_at", "open_date")
    opening = pl.concat(
        [
            positions.select("position_id", *names),
            fresh.select(
                pl.concat_str(
                    _escaped("account_id", ":"), _escaped("instrument_id", ":"), "event_name", separator=":"
                ).alias("position_id"),
                *(
                    pl.col(old).alias(new)
                    for old, new in zip(("trade_id", "sequence", "executed_at", "trade_date"), names, strict=True)
                ),
            ),
        ]
    )
    closing = rows.select("closing").join(
        log, left_on="closing", right_on="operation", how="left", maintain_order="left"
    )
    return pl.concat(
        [
            rows.select("episode", "slot", "side"),
            opening,
            closing.select(
                pl.col("trade_id").alias("close_trade_id"),
                pl.col("sequence").alias("close_sequence"),
                pl.col("executed_at").alias("closed_at"),
                pl.col("trade_date").alias("close_date"),
            ),
            rows.select("slot").join(slots, on="slot", how="left", maintain_order="left").drop("slot"),
        ],
        how="horizontal",
    )


def ints(values: object) -> "np.ndarray":
    """Return codes and counts of either kernel as 64-bit integers."""
    return np.asarray(values, dtype=np.int64)


def amounts_of(values: "np.ndarray") -> "np.ndarray | list[int]":
    """Return amounts as 64-bit integers, or as Python's where the plain kernel made them."""
    return values if values.dtype == np.int64 else values.tolist()
