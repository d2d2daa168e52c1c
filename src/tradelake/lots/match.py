"""From events to matches, open lots and episodes: compile, run the kernel, and name its numbers again."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from tradelake.lots import state
from tradelake.lots.engine import COMPILE_FROM, Carried, Run, run_program
from tradelake.lots.flows import cash_flows_of
from tradelake.lots.methods import POOL_ID
from tradelake.lots.names import amounts_of, episodes_of, event_name, ints, openings_of, places_of, slot_terms, taken
from tradelake.lots.program import build_program
from tradelake.lots.refusals import refusal_rows
from tradelake.sessions import anniversary_of
from tradelake.tables import CHAIN_KINDS, HOWS, LOTS, MATCHES, POSITIONS, REFUSALS
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
    standing: Mapping[str, str] | None = None,
    brokers: Mapping[str, str] | None = None,
    compile_from: int = COMPILE_FROM,
) -> Matched:
    """Match events in total order, on top of open `lots` and `positions` of an earlier run.

    `events` are rows of `trade_log` with their `phase`, as `in_effect` gives them, complete for all that they reach;
    `instruments` rows of that table. `methods` is the lot method of each account at the start, `standing` says which
    accounts are NOT_OPEN or CLOSED then, `brokers` gives the broker account of every account. Cash movements only tell
    whether their account took them.
    """
    events = events.filter(~pl.col("kind").is_in(CHAIN_KINDS))
    lots = (LOTS.empty() if lots is None else lots).sort(*LOTS.sort, "lot_id")
    positions = (POSITIONS.empty() if positions is None else positions).sort(*POSITIONS.sort)
    opened = _opening_codes(events, lots)
    program = build_program(events, instruments, lots, opened, brokers or {})
    opening = [opened[trade_id] for trade_id in lots["open_trade_id"]]
    carried = Carried(lots, positions, opening, methods, standing or {})
    run = run_program(program, carried, compile_from=compile_from)
    operations = program.operations
    openings = openings_of(operations, lots)
    slots = slot_terms(program.slots, instruments)
    episodes = episodes_of(run, operations, positions, slots)
    return Matched(
        matches=_matches(run, operations, openings, slots, episodes),
        lots=_lots(run, operations, openings, slots, episodes),
        episodes=episodes.drop("episode", "slot"),
        cash_flows=cash_flows_of(run, operations),
        refusals=REFUSALS.conform(refusal_rows(ints(run.book.results[:, state.RESULT_REFUSAL]), operations)),
    )


def _opening_codes(events: pl.DataFrame, lots: pl.DataFrame) -> dict[str, int]:
    """Return the kernel's code of every opening trade: its first operation, or a negative number for a carried one.

    The legs of one trade have one code: who names the trade names what any of its legs opened.
    """
    carried = lots["open_trade_id"].unique(maintain_order=True)
    codes = {trade_id: -2 - number for number, trade_id in enumerate(carried)}
    if codes or events["details"].null_count() < events.height:
        for number, trade_id in enumerate(events["trade_id"]):
            codes.setdefault(trade_id, number)
        codes[POOL_ID] = state.POOL
    return codes


def _matches(
    run: Run, operations: pl.DataFrame, openings: pl.DataFrame, slots: pl.DataFrame, episodes: pl.DataFrame
) -> pl.DataFrame:
    count = int(run.book.control[state.MATCH_COUNT])
    written = run.book.matches[:count].T
    rows = pl.DataFrame(
        {
            "pooled": ints(written[state.MATCH_OPEN]) == state.POOL,
            "operation": ints(written[state.MATCH_OPERATION]),
            "how": ints(written[state.MATCH_HOW]),
            "side": np.where(ints(written[state.MATCH_SIDE]) > 0, "LONG", "SHORT"),
        },
        schema_overrides={"side": pl.String},
    ).with_columns(
        decimal_column("quantity", amounts_of(written[state.MATCH_QUANTITY]), QUANTITY_SCALE, QUANTITY),
        *(
            decimal_column(name, amounts_of(written[row]), run.scale, MONEY)
            for name, row in (
                ("proceeds", state.MATCH_PROCEEDS),
                ("cost", state.MATCH_COST),
                ("premium", state.MATCH_PREMIUM),
                ("left_basis", state.MATCH_LEFT_BASIS),
                ("left_charges", state.MATCH_LEFT_CHARGES),
                ("left_premium", state.MATCH_LEFT_PREMIUM),
            )
        ),
        pl.int_range(pl.len(), dtype=pl.Int64).over("operation").alias("match_rank"),
        pl.col("how").replace_strict(dict(enumerate(HOWS)), return_dtype=pl.String),
    )
    closings = operations.select(
        event_name().alias("close_name"),
        pl.col("trade_id").alias("close_trade_id"),
        pl.col("sequence").alias("close_sequence"),
        pl.col("executed_at").alias("closed_at"),
        pl.col("trade_date").alias("close_date"),
    )
    named = pl.concat(
        [
            rows,
            taken(openings, places_of(written[state.MATCH_ORIGIN], operations)),
            taken(closings, written[state.MATCH_OPERATION]),
            taken(slots, written[state.MATCH_SLOT]),
            taken(episodes.select("position_id"), written[state.MATCH_EPISODE]),
        ],
        how="horizontal",
    )
    return MATCHES.conform(
        named.with_columns(
            (pl.col("proceeds") - pl.col("cost")).alias("realized_pnl"),
            pl.concat_str("close_name", "match_rank", separator="-").alias("match_id"),
            _opening_id(),
            term().alias("term"),
        )
    )


def _opening_id() -> pl.Expr:
    """Return the opening trade id: `*` for what was pooled, whose opening is no single event."""
    return pl.when("pooled").then(pl.lit(POOL_ID)).otherwise("open_trade_id").alias("open_trade_id")


def term() -> pl.Expr:
    """Return LT where a long lot was held past the first anniversary of its opening, else ST (Rev. Rul. 66-7)."""
    long_term = (pl.col("side") == "LONG") & (pl.col("close_date") > anniversary_of(pl.col("open_date")))
    return pl.when(long_term).then(pl.lit("LT")).otherwise(pl.lit("ST"))


def _lots(
    run: Run, operations: pl.DataFrame, openings: pl.DataFrame, slots: pl.DataFrame, episodes: pl.DataFrame
) -> pl.DataFrame:
    """Return the open lots; one event's lots are numbered by their rank, pieces of one lot in a slot by their order."""
    held = run.book.lots[: int(run.book.control[state.LOT_COUNT])].T
    rows = pl.DataFrame(
        {
            "rank": ints(held[state.LOT_RANK]),
            "pooled": ints(held[state.LOT_OPEN]) == state.POOL,
        }
    ).with_columns(
        decimal_column("quantity", amounts_of(held[state.LOT_QUANTITY]), QUANTITY_SCALE, QUANTITY),
        *(
            decimal_column(name, amounts_of(held[row]), run.scale, MONEY)
            for name, row in (
                ("cost_basis", state.LOT_BASIS),
                ("charges", state.LOT_CHARGES),
                ("premium", state.LOT_PREMIUM),
            )
        ),
    )
    fresh_rank = (pl.col("rank").rank("dense").over("open_sequence") - 1).cast(pl.Int64)
    piece = pl.int_range(pl.len(), dtype=pl.Int64).over("position_id", "open_sequence", "lot_rank")
    opened = pl.concat([rows, taken(openings, places_of(held[state.LOT_OPERATION], operations))], how="horizontal")
    is_open = ints(held[state.LOT_QUANTITY] != 0) == 1
    named = pl.concat(
        [
            opened.with_columns(pl.coalesce("lot_rank", fresh_rank).alias("lot_rank")).filter(is_open),
            taken(slots, held[state.LOT_SLOT][is_open]),
            taken(episodes.select("position_id"), held[state.LOT_EPISODE][is_open]),
        ],
        how="horizontal",
    ).with_columns(_opening_id(), piece.alias("piece"))
    suffix = pl.when(pl.col("piece") > 0).then(pl.lit("~") + pl.col("piece").cast(pl.String)).otherwise(pl.lit(""))
    opening = pl.concat_str("open_name", "lot_rank", separator="-")
    return LOTS.conform(
        named.with_columns((pl.concat_str("position_id", opening, separator="/") + suffix).alias("lot_id"))
    ).sort(*LOTS.sort, "lot_id")
