"""From events to matches, open lots and episodes: compile, run the kernel, and name its numbers again."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from tradelake.lots import state
from tradelake.lots.engine import COMPILE_FROM, Carried, Run, run_program
from tradelake.lots.methods import POOL_ID
from tradelake.lots.names import episodes_of, event_name, ints, openings_of, slot_terms
from tradelake.lots.program import build_program
from tradelake.lots.refusals import refusal_rows
from tradelake.tables import CASH_FLOWS, HOWS, LOTS, MATCHES, POSITIONS, REFUSALS
from tradelake.units import MONEY, QUANTITY, QUANTITY_SCALE, decimal_column


@dataclass(frozen=True, slots=True)
class Matched:
    """What a run of events gave.

    `matches` and `lots` are rows of those tables, `lots` all that is open afterwards; `episodes` has one row per
    position from flat to flat that the run touched, open ones with a null `close_sequence`.
    """

    matches: pl.DataFrame
    lots: pl.DataFrame
    episodes: pl.DataFrame
    cash_flows: pl.DataFrame
    refusals: pl.DataFrame


def match_events(
    events: pl.DataFrame,
    instruments: pl.DataFrame,
    methods: Mapping[str, str],
    *,
    lots: pl.DataFrame | None = None,
    positions: pl.DataFrame | None = None,
    compile_from: int = COMPILE_FROM,
) -> Matched:
    """Match events in total order, on top of open `lots` and `positions` of an earlier run.

    `events` are rows of `trade_log` with their `phase`, as `in_effect` gives them, complete for their families
    (account and underlying); `instruments` rows of that table; `methods` the lot method of each account.
    """
    events = events.filter(pl.col("kind") != "cash")
    lots = (LOTS.empty() if lots is None else lots).sort(*LOTS.sort)
    positions = (POSITIONS.empty() if positions is None else positions).sort(*POSITIONS.sort)
    opened = _opening_codes(events, lots)
    program = build_program(events, instruments, lots, opened)
    carried = Carried(lots, positions, [opened[trade_id] for trade_id in lots["open_trade_id"]])
    run = run_program(program, carried, methods, compile_from=compile_from)
    openings = openings_of(events, lots)
    slots = slot_terms(program.slots, instruments)
    episodes = episodes_of(run, events, positions, slots)
    return Matched(
        matches=_matches(run, events, openings, slots, episodes),
        lots=_lots(run, openings, slots, episodes),
        episodes=episodes.drop("episode", "slot"),
        cash_flows=_cash_flows(run, events),
        refusals=REFUSALS.conform(refusal_rows(ints(run.book.results[state.RESULT_REFUSAL]), events)),
    )


def _opening_codes(events: pl.DataFrame, lots: pl.DataFrame) -> dict[str, int]:
    """Return the kernel's code of every opening trade: its first operation, or a negative number for a carried one.

    The legs of one trade have one code: who names the trade names what any of its legs opened.
    """
    carried = lots["open_trade_id"].unique(maintain_order=True)
    codes = {trade_id: -2 - number for number, trade_id in enumerate(carried)}
    if events["details"].null_count() < events.height:
        for number, trade_id in enumerate(events["trade_id"]):
            codes.setdefault(trade_id, number)
    return codes


def _matches(
    run: Run, events: pl.DataFrame, openings: pl.DataFrame, slots: pl.DataFrame, episodes: pl.DataFrame
) -> pl.DataFrame:
    count = int(run.book.control[state.MATCH_COUNT])
    origins = ints(run.book.lots[state.LOT_OPERATION])[ints(run.book.matches[state.MATCH_LOT, :count])]
    rows = pl.DataFrame(
        {
            "slot": ints(run.book.matches[state.MATCH_SLOT, :count]),
            "origin": origins,
            "operation": ints(run.book.matches[state.MATCH_OPERATION, :count]),
            "episode": ints(run.book.matches[state.MATCH_EPISODE, :count]),
            "how": ints(run.book.matches[state.MATCH_HOW, :count]),
            "side": np.where(ints(run.book.matches[state.MATCH_SIDE, :count]) > 0, "LONG", "SHORT"),
        },
        schema_overrides={"side": pl.String},
    ).with_columns(
        decimal_column("quantity", _amounts(run.book.matches[state.MATCH_QUANTITY, :count]), QUANTITY_SCALE, QUANTITY),
        decimal_column("proceeds", _amounts(run.book.matches[state.MATCH_PROCEEDS, :count]), run.scale, MONEY),
        decimal_column("cost", _amounts(run.book.matches[state.MATCH_COST, :count]), run.scale, MONEY),
        pl.int_range(pl.len(), dtype=pl.Int64).over("operation").alias("match_rank"),
        pl.col("how").replace_strict(dict(enumerate(HOWS)), return_dtype=pl.String),
    )
    closings = events.select(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("operation"),
        event_name().alias("close_name"),
        pl.col("trade_id").alias("close_trade_id"),
        pl.col("sequence").alias("close_sequence"),
        pl.col("executed_at").alias("closed_at"),
        pl.col("trade_date").alias("close_date"),
    )
    named = (
        rows.join(openings, on="origin", how="left", maintain_order="left")
        .join(closings, on="operation", how="left", maintain_order="left")
        .join(slots, on="slot", how="left", maintain_order="left")
        .join(episodes.select("episode", "position_id"), on="episode", how="left", maintain_order="left")
    )
    return MATCHES.conform(
        named.with_columns(
            (pl.col("proceeds") - pl.col("cost")).alias("realized_pnl"),
            pl.concat_str("close_name", "match_rank", separator="-").alias("match_id"),
            _pool_id(run),
            term().alias("term"),
        )
    )


def _amounts(values: "np.ndarray") -> "np.ndarray | list[int]":
    """Return amounts as 64-bit integers, or as Python's where the plain kernel made them."""
    return values if values.dtype == np.int64 else values.tolist()


def _pool_id(run: Run) -> pl.Expr:
    """Return the opening trade id: `*` where the slot pools its lots."""
    pooled = [slot for slot, method in enumerate(run.book.slots[state.SLOT_METHOD]) if method == state.AVERAGE]
    return pl.when(pl.col("slot").is_in(pooled)).then(pl.lit(POOL_ID)).otherwise("open_trade_id").alias("open_trade_id")


def term() -> pl.Expr:
    """Return LT where a long lot was held past the first anniversary of its opening, else ST (Rev. Rul. 66-7)."""
    opened = pl.col("open_date")
    day = pl.duration(days=1)
    month_end = opened == opened.dt.month_end()
    anniversary = pl.when(month_end).then((opened + day).dt.offset_by("1y") - day).otherwise(opened.dt.offset_by("1y"))
    long_term = (pl.col("side") == "LONG") & (pl.col("close_date") > anniversary)
    return pl.when(long_term).then(pl.lit("LT")).otherwise(pl.lit("ST"))


def _lots(run: Run, openings: pl.DataFrame, slots: pl.DataFrame, episodes: pl.DataFrame) -> pl.DataFrame:
    count = int(run.book.control[state.LOT_COUNT])
    rows = pl.DataFrame(
        {
            "slot": ints(run.book.lots[state.LOT_SLOT, :count]),
            "origin": ints(run.book.lots[state.LOT_OPERATION, :count]),
            "episode": ints(run.book.lots[state.LOT_EPISODE, :count]),
        }
    ).with_columns(
        decimal_column("quantity", _amounts(run.book.lots[state.LOT_QUANTITY, :count]), QUANTITY_SCALE, QUANTITY),
        decimal_column("cost_basis", _amounts(run.book.lots[state.LOT_BASIS, :count]), run.scale, MONEY),
        decimal_column("charges", _amounts(run.book.lots[state.LOT_CHARGES, :count]), run.scale, MONEY),
        pl.int_range(pl.len(), dtype=pl.Int64).over("origin").alias("fresh_rank"),
    )
    named = (
        rows.filter(pl.col("quantity") != 0)
        .join(openings, on="origin", how="left", maintain_order="left")
        .join(slots, on="slot", how="left", maintain_order="left")
        .join(episodes.select("episode", "position_id"), on="episode", how="left", maintain_order="left")
    )
    return LOTS.conform(
        named.with_columns(_pool_id(run), pl.coalesce("lot_rank", "fresh_rank").alias("lot_rank")).with_columns(
            pl.coalesce(
                "lot_id",
                pl.concat_str("position_id", pl.concat_str("open_name", "lot_rank", separator="-"), separator="/"),
            ).alias("lot_id")
        )
    ).sort(*LOTS.sort)


def _cash_flows(run: Run, events: pl.DataFrame) -> pl.DataFrame:
    """Return the cash of the events that are no trades, refused ones left out."""
    moved = decimal_column("amount", _amounts(run.book.results[state.RESULT_CASH_MOVED]), run.scale, MONEY)
    rows = events.with_columns(moved, pl.Series("refusal", ints(run.book.results[state.RESULT_REFUSAL])))
    return CASH_FLOWS.conform(
        rows.filter(
            (pl.col("kind") != "trade") & (pl.col("refusal") == state.ACCEPTED) & (pl.col("amount") != 0)
        ).select(
            "sequence",
            "account_id",
            "symbol",
            "currency",
            pl.col("executed_at").alias("effective_at"),
            "trade_date",
            "amount",
        )
    )
