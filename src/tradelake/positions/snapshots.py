"""What a session closed with: positions at their marks, and accounts with what they have earned to date."""

from datetime import date

import polars as pl

from tradelake.tables import ACCOUNT_SNAPSHOTS, POSITION_SNAPSHOTS
from tradelake.units import MONEY

OF_ACCOUNT = ["account_id", "currency"]
TOTALS = ("cash", "deposits", "realized_pnl", "realized_premium", "dividends", "interest", "fees")
VALUES = ("cost_basis", "premium", "market_value", "unrealized_pnl")
# What one version of a snapshot may differ in from the one before and still say the same.
OF_THE_COMMIT = ("version", "sequence", "recorded_at", "import_run_id", "row_check")
ZERO = pl.lit(0, dtype=MONEY)


def no_totals() -> pl.DataFrame:
    """Return totals of no account: account_id, currency and TOTALS."""
    return ACCOUNT_SNAPSHOTS.empty().select(*OF_ACCOUNT, *TOTALS)


def nothing_of(accounts: pl.DataFrame) -> pl.DataFrame:
    """Return totals of nothing for accounts and their currencies, so that each keeps a row."""
    return accounts.select(*OF_ACCOUNT, *(ZERO.alias(name) for name in TOTALS))


def totals_of(matches: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """Return what matches and ledger rows add up to, per account and currency."""
    realized = matches.group_by(OF_ACCOUNT).agg(
        pl.col("realized_pnl").sum(), pl.col("premium").sum().alias("realized_premium")
    )
    cash = ledger.group_by(OF_ACCOUNT).agg(
        pl.col("amount").sum().alias("cash"),
        pl.col("deposits", "dividends", "interest").sum(),
        pl.col("charges").sum().alias("fees"),
    )
    return _summed([realized, cash])


def added(before: pl.DataFrame, since: pl.DataFrame) -> pl.DataFrame:
    """Return totals with what has been added since."""
    return _summed([before, since])


def _summed(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Return the sums of totals; a part may lack some of them."""
    full = [
        part.select(
            *OF_ACCOUNT,
            *(pl.col(name) if name in part.columns else ZERO.alias(name) for name in TOTALS),
        )
        for part in parts
    ]
    return pl.concat(full).group_by(OF_ACCOUNT).agg(pl.col(TOTALS).sum()).sort(OF_ACCOUNT)


def position_snapshots(positions: pl.DataFrame, day: date) -> pl.DataFrame:
    """Return open positions with their marks as rows of `position_snapshots`, without version and commit."""
    columns = [name for name in POSITION_SNAPSHOTS.names if name in positions.columns]
    return positions.select(pl.lit(day).alias("snapshot_date"), *columns)


def account_snapshots(totals: pl.DataFrame, positions: pl.DataFrame, day: date) -> pl.DataFrame:
    """Return rows of `account_snapshots` without version and commit: totals, and what the positions of `day` are worth.

    `positions` are those of `position_snapshots`; one without a mark is counted, and is in no value.
    """
    held = positions.group_by(OF_ACCOUNT).agg(
        pl.len().cast(pl.Int64).alias("positions"),
        pl.col("market_value").null_count().cast(pl.Int64).alias("unmarked"),
        pl.col(VALUES).sum(),
    )
    joined = totals.join(held, on=OF_ACCOUNT, how="full", coalesce=True)
    return joined.with_columns(
        pl.lit(day).alias("snapshot_date"),
        pl.col("positions", "unmarked").fill_null(0),
        *(pl.col(name).fill_null(ZERO) for name in (*TOTALS, *VALUES)),
    ).sort(OF_ACCOUNT)


def differing(fresh: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return the accounts, each once, whose rows of one day differ between two frames of a snapshot table."""
    columns = [name for name in fresh.columns if name in known.columns and name not in OF_THE_COMMIT]
    ours, theirs = fresh.select(columns), known.select(columns)
    apart = [
        a.join(b, on=columns, how="anti", nulls_equal=True).select("account_id")
        for a, b in ((ours, theirs), (theirs, ours))
    ]
    return pl.concat(apart).unique().sort("account_id")
