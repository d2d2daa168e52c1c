"""Profit and loss and cash, by account, month, symbol or strategy; never summed over currencies."""

from collections.abc import Sequence

import polars as pl

from tradelake.errors import InputError
from tradelake.units import MONEY

BY_COLUMNS = ("account", "month", "year", "date", "symbol", "strategy", "instrument")
MEASURES = ("realized_pnl", "dividends", "interest", "fees", "cash")
LEDGER_COLUMNS = (
    "sequence",
    "trade_id",
    "account_id",
    "symbol",
    "instrument_id",
    "strategy_id",
    "currency",
    "trade_date",
)


def _by(name: str, date: str) -> pl.Expr:
    expressions = {
        "account": pl.col("account_id"),
        "month": pl.col(date).dt.strftime("%Y-%m").alias("month"),
        "year": pl.col(date).dt.strftime("%Y").alias("year"),
        "date": pl.col(date).alias("date"),
        "symbol": pl.col("symbol"),
        "strategy": pl.col("strategy_id"),
        "instrument": pl.col("instrument_id"),
    }
    if name not in expressions:
        raise InputError(f"cannot group profit by {name!r}; choose from {', '.join(BY_COLUMNS)}")
    return expressions[name]


def cash_ledger(events: pl.DataFrame, cash_flows: pl.DataFrame, refusals: pl.DataFrame) -> pl.DataFrame:
    """Return one row per event that moved cash or cost a charge, refused events left out.

    Columns: sequence, trade_id, account_id, symbol, instrument_id, strategy_id, currency, trade_date, kind, amount
    (into the account), charges (commission and fees, and fees charged on their own), dividends, interest.
    """
    zero = pl.lit(0, dtype=MONEY)
    category = pl.col("cash_category").fill_null("")
    flows = cash_flows.select("sequence", pl.col("amount"))
    return (
        events.join(refusals.select("sequence"), on="sequence", how="anti")
        .join(flows, on="sequence", how="left")
        .select(
            *LEDGER_COLUMNS,
            "kind",
            pl.coalesce("amount", "net_amount", zero).alias("amount"),
            pl.when(category == "fee")
            .then(pl.col("commission") + pl.col("fees") - pl.col("net_amount"))
            .otherwise(pl.col("commission") + pl.col("fees"))
            .alias("charges"),
            pl.when(category == "dividend").then("net_amount").otherwise(zero).alias("dividends"),
            pl.when(category == "interest").then("net_amount").otherwise(zero).alias("interest"),
        )
    )


def profit(matches: pl.DataFrame, ledger: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return realized profit, dividends, interest, fees and cash per group and currency, sorted by the groups.

    `matches` are rows of that table with the `strategy_id` of their closing event; `ledger` as `cash_ledger` gives
    it. A match belongs to the day on which it was closed, cash to the trading day of its event.
    """
    realized = matches.group_by(*(_by(name, "close_date") for name in by), "currency").agg(
        pl.col("realized_pnl").sum(), pl.len().cast(pl.Int64).alias("matches")
    )
    cash = ledger.group_by(*(_by(name, "trade_date") for name in by), "currency").agg(
        pl.col("dividends", "interest").sum(),
        pl.col("charges").sum().alias("fees"),
        pl.col("amount").sum().alias("cash"),
        (pl.col("kind") == "trade").sum().cast(pl.Int64).alias("trades"),
    )
    keys = [name for name in realized.columns if name not in ("realized_pnl", "matches")]
    joined = realized.join(cash, on=keys, how="full", coalesce=True, nulls_equal=True)
    zero = pl.lit(0, dtype=MONEY)
    return joined.select(
        *keys,
        *(pl.col(name).fill_null(zero) for name in MEASURES),
        *(pl.col(name).fill_null(0) for name in ("trades", "matches")),
    ).sort(*keys, nulls_last=True)
