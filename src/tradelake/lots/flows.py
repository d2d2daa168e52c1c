"""Cash that follows from the state: option events, dividends, corporate actions, and cash that moves with lots."""

import json
from datetime import datetime
from decimal import Decimal

import polars as pl

from tradelake.lots import state
from tradelake.lots.engine import Run
from tradelake.lots.names import amounts_of, ints
from tradelake.tables import CASH_FLOWS, CORPORATE_KINDS, MOVE_KINDS
from tradelake.units import MONEY, decimal_column

INSTANT = CASH_FLOWS.schema["effective_at"]


def cash_flows_of(run: Run, operations: pl.DataFrame) -> pl.DataFrame:
    """Return the cash of the operations that have an effect, trades and cash movements left out: their log tells it."""
    moved = decimal_column("amount", amounts_of(run.book.results[:, state.RESULT_CASH_MOVED]), run.scale, MONEY)
    refusal = pl.Series("refusal", ints(run.book.results[:, state.RESULT_REFUSAL]))
    rows = operations.select(moved, refusal, *(c for c in COLUMNS), *LOOKED_AT).filter(
        ~pl.col("kind").is_in(("trade", "cash")) & (pl.col("refusal") == state.ACCEPTED)
    )
    kind = pl.col("kind")
    own = rows.filter((pl.col("amount") != 0) & ~kind.is_in(MOVE_KINDS)).with_columns(
        pl.when(kind == "cash_dividend")
        .then(pl.lit("dividend"))
        .when(kind.is_in(CORPORATE_KINDS))
        .then(pl.lit("corporate_action"))
        .otherwise(pl.lit("settlement"))
        .alias("category"),
        pl.when(kind == "cash_dividend").then("details").map_elements(_paid_at, return_dtype=INSTANT).alias("paid_at"),
    )
    flows = own.with_columns(pl.coalesce("paid_at", "executed_at").alias("effective_at"))
    return pl.concat([CASH_FLOWS.conform(flows), _with_moves(rows.filter(kind.is_in(MOVE_KINDS)))])


COLUMNS = ("sequence", "account_id", pl.col("symbol").fill_null(""), "instrument_id", "currency", "trade_date")
LOOKED_AT = ("kind", "executed_at", "details", "to_account_id")


def _paid_at(details: str) -> datetime | None:
    text = json.loads(details).get("pay_at")
    return None if text is None else datetime.fromisoformat(text)


def _with_moves(moves: pl.DataFrame) -> pl.DataFrame:
    """Return the cash that transfers, forks and merges take along: out of one account, into the other."""
    rows = []
    for row in moves.drop_nulls("details").iter_rows(named=True):
        cash = Decimal(json.loads(row["details"]).get("cash", "0"))
        if cash:
            base = row | {"category": "transfer", "effective_at": row["executed_at"]}
            rows += [base | {"amount": -cash}, base | {"amount": cash, "account_id": row["to_account_id"]}]
    return pl.DataFrame([{name: row[name] for name in CASH_FLOWS.names} for row in rows], schema=CASH_FLOWS.schema)
