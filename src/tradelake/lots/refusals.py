"""Why an event of the log has no effect: the kernel's refusal codes by name, with what to do."""

import numpy as np
import polars as pl

from tradelake.lots import state

MESSAGES = {
    state.CLOSE_EXCEEDS_OPEN: (
        "close_exceeds_open",
        "it closes more than is open, or the position is on the other side; record the missing openings",
    ),
    state.EFFECT_CONFLICT: (
        "effect_conflict",
        "it opens against a position on the other side; record the missing close, or give the side alone",
    ),
    state.EXERCISE_EXCEEDS_LONG: (
        "exercise_exceeds_long",
        "it exercises more contracts than are held long; record the missing purchases",
    ),
    state.ASSIGNMENT_EXCEEDS_SHORT: (
        "assignment_exceeds_short",
        "it assigns more contracts than are written; record the missing sales",
    ),
    state.NOTHING_TO_EXPIRE: ("nothing_to_expire", "no contract is open at that time; record the missing openings"),
    state.CONTRACTS_EXCEED_OPEN: (
        "contracts_exceed_open",
        "it names more contracts than are open; record the missing openings",
    ),
    state.SPECIFIC_LOTS_MISMATCH: (
        "specific_lots_mismatch",
        "the quantities of the named lots do not add up to what is closed; name lots for exactly that quantity",
    ),
    state.SPECIFIC_LOT_UNAVAILABLE: (
        "specific_lot_unavailable",
        "a named lot is not open, or not in that quantity; name lots that are open at that time",
    ),
}


def refusal_rows(codes: "np.ndarray", events: pl.DataFrame) -> pl.DataFrame:
    """Return one row per refused event: sequence, trade_id, account_id, symbol, code and message."""
    refused = np.flatnonzero(codes)
    rows = events[refused].with_columns(pl.Series("refusal", codes[refused]))
    return rows.select(
        "sequence",
        "trade_id",
        "account_id",
        "symbol",
        pl.col("refusal").replace_strict({k: v[0] for k, v in MESSAGES.items()}, return_dtype=pl.String).alias("code"),
        pl.concat_str(
            pl.col("kind"),
            pl.lit(" of "),
            pl.col("instrument_id"),
            pl.lit(" has no effect: "),
            pl.col("refusal").replace_strict({k: v[1] for k, v in MESSAGES.items()}, return_dtype=pl.String),
        ).alias("message"),
    )
