"""A log of executions for the benchmarks: seeded, the same every time, shaped like a book of the wheel."""

from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl

ACCOUNTS, SYMBOLS = 200, 40
START = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
CENTS = pl.Decimal(18, 2)


def write_executions(path: Path, rows: int) -> None:
    """Write *rows* executions to a Parquet file: half stock, half options of a dozen series per symbol and quarter."""
    random = np.random.default_rng(20260105)
    account, symbol = random.integers(0, ACCOUNTS, rows), random.integers(0, SYMBOLS, rows)
    option = random.random(rows) < 0.5
    second = np.sort(random.integers(0, 600 * 86_400, rows))
    expiries = pl.Series([date(2024, 12, 20), date(2025, 6, 20), date(2025, 12, 19)])
    quarter = np.where(second < 200 * 86_400, 0, np.where(second < 400 * 86_400, 1, 2))
    strike = random.integers(1, 5, rows) * 5_000
    frame = pl.DataFrame(
        {
            "number": np.arange(rows),
            "account": account,
            "symbol": symbol,
            "option": option,
            "buy": random.random(rows) < 0.5,
            "second": second,
            "quantity": random.integers(1, 20, rows) * 100,
            "price": random.integers(100, 30_000, rows),
            "commission": random.integers(0, 200, rows),
            "strike": strike,
            "call": random.random(rows) < 0.5,
        }
    ).with_columns(expiries.gather(quarter).alias("expiration"))
    cents = {
        name: (pl.col(name).cast(CENTS) / 100).cast(CENTS).alias(name) for name in ("price", "commission", "strike")
    }
    only = pl.col("option")
    frame.select(
        pl.format("T{}", pl.col("number").cast(pl.String).str.zfill(9)).alias("trade_id"),
        pl.format("0000e0d5.{}.01.01", pl.col("number").cast(pl.String).str.zfill(9)).alias("broker_execution_id"),
        pl.format("ACC-{}", pl.col("account").cast(pl.String).str.zfill(3)).alias("account_id"),
        pl.format("S{}", pl.col("symbol").cast(pl.String).str.zfill(2)).alias("symbol"),
        pl.when(only).then(pl.lit("OPTION")).otherwise(pl.lit("STOCK")).alias("asset_type"),
        pl.when("buy").then(pl.lit("BUY")).otherwise(pl.lit("SELL")).alias("action"),
        (pl.lit(START) + pl.duration(seconds=pl.col("second"))).alias("executed_at"),
        (pl.col("quantity").cast(CENTS) / 100).cast(CENTS).alias("quantity"),
        cents["price"],
        cents["commission"],
        pl.when(only).then(cents["strike"]).alias("strike"),
        pl.when(only).then(pl.col("expiration")).alias("expiration"),
        pl.when(only).then(pl.when("call").then(pl.lit("CALL")).otherwise(pl.lit("PUT"))).alias("option_type"),
    ).write_parquet(path)


def account_ids() -> list[str]:
    """Return the accounts of the log."""
    return [f"ACC-{number:03d}" for number in range(ACCOUNTS)]
