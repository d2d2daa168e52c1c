"""Why an event of the log has no effect: the kernel's refusal codes by name, with what to do."""

import numpy as np
import polars as pl

from tradelake.lots import state
from tradelake.tables import REFUSALS

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
    state.TRANSFER_EXCEEDS_POSITION: (
        "transfer_exceeds_position",
        "it moves more than the account holds; record the missing openings, or move less",
    ),
    state.TRANSFER_AGAINST_POSITION: (
        "transfer_against_position",
        "the other account holds the instrument on the other side; close one of the two first",
    ),
    state.ACCOUNT_NOT_OPEN: (
        "account_not_open",
        "the account is not open at that time; record the fork that opens it",
    ),
    state.ACCOUNT_CLOSED: (
        "account_closed",
        "the account was merged into another one before; name the account that it went to",
    ),
    state.OPPOSITE_POSITION: (
        "opposite_position",
        "the account holds what comes out of it on the other side; close that position before the event",
    ),
    state.ROUNDS_TO_NOTHING: (
        "rounds_to_nothing",
        "the ratio leaves nothing of the position; correct the ratio, or record what the account was paid instead",
    ),
}


def refusal_rows(codes: "np.ndarray", operations: pl.DataFrame) -> pl.DataFrame:
    """Return one row per refused event and account: sequence, trade_id, account_id, symbol, code and message."""
    refused = np.flatnonzero(codes)
    if not refused.size:
        return REFUSALS.empty()
    rows = operations[refused].with_columns(pl.Series("refusal", codes[refused]))
    what = (
        pl.when(pl.col("instrument_id").is_null()).then(pl.lit("")).otherwise(pl.lit(" of ") + pl.col("instrument_id"))
    )
    code, reason = ({number: text[part] for number, text in MESSAGES.items()} for part in (0, 1))
    return rows.unique(("sequence", "account_id"), keep="first", maintain_order=True).select(
        "sequence",
        "trade_id",
        "account_id",
        pl.col("symbol").fill_null(""),
        pl.col("refusal").replace_strict(code, return_dtype=pl.String).alias("code"),
        pl.concat_str(
            pl.col("kind"),
            what.fill_null(""),
            pl.lit(" has no effect: "),
            pl.col("refusal").replace_strict(reason, return_dtype=pl.String),
        ).alias("message"),
    )
