"""Cash buffers, surplus and the thresholds at which an account is forked or merged, from snapshots."""

from decimal import Decimal

import polars as pl

from tradelake.tables import Column, Table
from tradelake.units import MONEY, MONEY_SCALE, QUANTUM, column_units, decimal_column, divide_half_even, to_units

# Of every account's net liquidation value this part is kept as cash.
BUFFER = Decimal("0.05")
# A generator with a larger surplus forks a child; a fork that is worth more is merged.
FORK_SURPLUS = Decimal(50_000)
MERGE_VALUE = Decimal(500_000)
DECISIONS = ("fork", "merge")

CAPITAL = Table(
    "capital",
    "What each account has to keep back and has over, and which threshold it has reached; null where that is unknown",
    (
        Column("snapshot_date", "date", "trading day at whose close it stood so"),
        Column("account_id", "text", "book"),
        Column("account_type", "text", "GEN, REV, COM or another role", null=True),
        Column("parent_account_id", "text", "account that it was forked from", null=True),
        Column("currency", "text", "currency of all amounts of the row"),
        Column("net_liquidation", "money", "cash and market value; null where a position has no mark", null=True),
        Column("cash", "money", "cash balance"),
        Column("buffer_required", "money", "cash to keep back", null=True),
        Column("buffer_surplus", "money", "cash - buffer_required; negative: short by that much", null=True),
        Column("surplus", "money", "net_liquidation - deposits: what was earned and is still there", null=True),
        Column("unmarked", "integer", "positions without a mark"),
        Column("decision", "text", "threshold that is reached", null=True, values=DECISIONS),
    ),
    key=("account_id", "currency"),
    sort=("account_id", "currency"),
)


def capital(
    snapshots: pl.DataFrame,
    accounts: pl.DataFrame,
    *,
    buffer: Decimal = BUFFER,
    fork_surplus: Decimal = FORK_SURPLUS,
    merge_value: Decimal = MERGE_VALUE,
) -> pl.DataFrame:
    """Return rows of CAPITAL from account snapshots of one day, with their `net_liquidation`.

    The buffer is a part of the net liquidation value, rounded half to even to 1e-8. An account of the type GEN whose
    surplus is above `fork_surplus` is to fork, and one that was forked and is worth `merge_value` to merge.
    """
    worth = column_units(snapshots["net_liquidation"].fill_null(0))
    part, whole = to_units(buffer, MONEY_SCALE), 10**MONEY_SCALE
    kept = [_part(amount, part, whole) for amount in worth]
    required = decimal_column("required", kept, MONEY_SCALE, MONEY)
    known = pl.col("net_liquidation").is_not_null()
    kinds = accounts.select("account_id", "account_type", "parent_account_id")
    rows = snapshots.join(kinds, on="account_id", how="left", maintain_order="left").with_columns(
        pl.when(known).then(required).alias("buffer_required"),
        (pl.col("net_liquidation") - pl.col("deposits")).alias("surplus"),
    )
    forks = (pl.col("account_type") == "GEN") & (pl.col("surplus") > fork_surplus)
    merges = pl.col("parent_account_id").is_not_null() & (pl.col("net_liquidation") >= merge_value)
    decided = rows.with_columns(
        (pl.col("cash") - pl.col("buffer_required")).alias("buffer_surplus"),
        pl.when(merges).then(pl.lit("merge")).when(forks).then(pl.lit("fork")).alias("decision"),
    )
    return CAPITAL.conform(decided).sort(*CAPITAL.sort)


def _part(amount: int, part: int, whole: int) -> int:
    sign = -1 if amount < 0 else 1
    return sign * divide_half_even(abs(amount) * part, whole * QUANTUM) * QUANTUM
