"""Profit and loss and cash, by account, month, symbol or strategy; never summed over currencies."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from tradelake.errors import InputError
from tradelake.sessions import trade_date_of
from tradelake.tables import CHAIN_KINDS, CURE_KINDS, MOVE_KINDS, TRADE_LOG
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
AMOUNTS = ("kind", "amount", "charges", "dividends", "interest", "deposits")
ONLY_BY_FLOWS = (*MOVE_KINDS, *CURE_KINDS, *CHAIN_KINDS, "lot_method")
OF_ONE_EVENT = ["sequence", "account_id"]
ZERO = pl.lit(0, dtype=MONEY)


def check_by(by: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names that profit is grouped by; InputError for one that there is not."""
    wanted = (by,) if isinstance(by, str) else tuple(by)
    for name in wanted:
        if name not in BY_COLUMNS:
            raise InputError(f"cannot group profit by {name!r}; choose from {', '.join(BY_COLUMNS)}")
    return wanted


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
    return expressions[name]


def cash_ledger(
    events: pl.DataFrame, cash_flows: pl.DataFrame, refusals: pl.DataFrame, *, as_of: datetime | None = None
) -> pl.DataFrame:
    """Return one row per event and account that moved cash or cost a charge, refused events left out.

    *events* are those in effect. Columns: sequence, trade_id, account_id, symbol, instrument_id, strategy_id, currency,
    trade_date, kind, amount (into the account), charges (commission and fees, and fees charged on their own),
    dividends, interest, deposits (withdrawals are negative; cash that a transfer, fork or merge moves is one). A
    dividend counts on its ex-date and moves its cash when it is paid: two rows where that is
    another day, and no cash where it is after *as_of*.
    """
    own = events.filter(pl.col("account_id").is_not_null() & ~pl.col("kind").is_in(ONLY_BY_FLOWS))
    flows = cash_flows.select(*OF_ONE_EVENT, "amount")
    effective = own.join(refusals.select(OF_ONE_EVENT), on=OF_ONE_EVENT, how="anti")
    rows = _of_events(effective.join(flows, on=OF_ONE_EVENT, how="left"))
    others = cash_flows.join(own, on=OF_ONE_EVENT, how="anti")
    return pl.concat([rows, _of_flows(others, events, as_of)]) if others.height else rows


def with_sums(ledger: pl.DataFrame, sums: pl.DataFrame) -> pl.DataFrame:
    """Return a ledger with rows for many events each, and the number of `events` of every row.

    *sums* are rows of the log that were not refused, added up: account_id, currency, kind, cash_category, commission,
    fees, net_amount, the `amount` that was moved, events, and other columns of the ledger that all in a row share.
    """
    types = {name: TRADE_LOG.schema[name] for name in LEDGER_COLUMNS if name not in sums.columns}
    own = sums.filter(~pl.col("kind").is_in(ONLY_BY_FLOWS)).with_columns(
        *(pl.lit(None, dtype=dtype).alias(name) for name, dtype in types.items()),
        *(pl.col(name).cast(MONEY) for name in ("commission", "fees", "net_amount", "amount")),
    )
    one = pl.lit(1, dtype=pl.Int64).alias("events")
    return pl.concat([ledger.with_columns(one), _of_events(own).with_columns(own["events"])])


def _of_events(events: pl.DataFrame) -> pl.DataFrame:
    """Return the ledger rows of events in their own accounts; `amount` is that of their cash flow, if any."""
    category = pl.col("cash_category").fill_null("")
    return events.select(
        *LEDGER_COLUMNS,
        "kind",
        pl.coalesce("amount", "net_amount", ZERO).alias("amount"),
        pl.when(category == "fee")
        .then(pl.col("commission") + pl.col("fees") - pl.col("net_amount"))
        .otherwise(pl.col("commission") + pl.col("fees"))
        .alias("charges"),
        pl.when(category == "dividend").then("net_amount").otherwise(ZERO).alias("dividends"),
        pl.when(category == "interest").then("net_amount").otherwise(ZERO).alias("interest"),
        pl.when(category == "deposit").then("net_amount").otherwise(ZERO).alias("deposits"),
    )


def _of_flows(flows: pl.DataFrame, events: pl.DataFrame, as_of: datetime | None) -> pl.DataFrame:
    """Return the ledger rows of cash that an event moves in other accounts than its own, or in all that hold."""
    named = flows.with_columns(
        pl.when(pl.col("symbol") != "").then("symbol").alias("symbol"),
        pl.when(pl.col("category") == "dividend").then("amount").otherwise(ZERO).alias("dividends"),
    ).join(events.select("sequence", "trade_id", "strategy_id", "kind", "executed_at"), on="sequence")
    paid = pl.col("effective_at") != pl.col("executed_at")
    paid_on = pl.when(paid).then(trade_date_of(pl.col("effective_at"))).otherwise("trade_date").alias("paid_on")
    named = named.with_columns(paid_on, ZERO.alias("charges"), ZERO.alias("interest"))
    if as_of is not None:
        in_time = pl.col("effective_at") <= as_of
        named = named.with_columns(pl.when(in_time).then("amount").otherwise(ZERO).alias("amount"))
    moved = pl.col("category") == "transfer"
    named = named.with_columns(pl.when(moved).then("amount").otherwise(ZERO).alias("deposits"))
    later = pl.col("paid_on") != pl.col("trade_date")
    earned = named.with_columns(pl.when(later).then(ZERO).otherwise("amount").alias("amount"))
    cash = named.filter(later & (pl.col("amount") != 0)).with_columns(
        pl.col("paid_on").alias("trade_date"), ZERO.alias("dividends"), ZERO.alias("deposits")
    )
    return pl.concat([earned, cash]).select(*LEDGER_COLUMNS, *AMOUNTS)


def profit(matches: pl.DataFrame, ledger: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return realized profit, dividends, interest, fees and cash per group and currency, sorted by the groups.

    `matches` are rows of that table, by strategy with the `strategy_id` of their closing event, or sums of them with
    their number as `matches`; `ledger` as `cash_ledger` or `with_sums` gives it. A match belongs to the day on which it
    was closed, cash to the trading day of its event.
    """
    by = check_by(by)
    number = pl.col("matches").sum() if "matches" in matches.columns else pl.len()
    realized = matches.group_by(*(_by(name, "close_date") for name in by), "currency").agg(
        pl.col("realized_pnl").sum(), number.cast(pl.Int64).alias("matches")
    )
    events = pl.col("events") if "events" in ledger.columns else pl.lit(1)
    cash = ledger.group_by(*(_by(name, "trade_date") for name in by), "currency").agg(
        pl.col("dividends", "interest").sum(),
        pl.col("charges").sum().alias("fees"),
        pl.col("amount").sum().alias("cash"),
        pl.when(pl.col("kind") == "trade").then(events).otherwise(0).sum().cast(pl.Int64).alias("trades"),
    )
    return _joined(realized, cash)


def profit_to_date(matches: pl.DataFrame, totals: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return what `profit` does, by account and currency or by currency alone, from totals to date.

    `totals` are those of `positions.TOTALS` with `trades`, per account and currency.
    """
    keys = [*(["account_id"] if "account" in by else []), "currency"]
    realized = matches.group_by(keys).agg(pl.col("realized_pnl").sum(), pl.len().cast(pl.Int64).alias("matches"))
    return _joined(realized, totals.group_by(keys).agg(pl.col(*MEASURES[1:], "trades").sum()))


def _joined(realized: pl.DataFrame, cash: pl.DataFrame) -> pl.DataFrame:
    keys = [name for name in realized.columns if name not in ("realized_pnl", "matches")]
    joined = realized.join(cash, on=keys, how="full", coalesce=True, nulls_equal=True)
    return joined.select(
        *keys,
        *(pl.col(name).fill_null(ZERO) for name in MEASURES),
        *(pl.col(name).fill_null(0) for name in ("trades", "matches")),
    ).sort(*keys, nulls_last=True)
