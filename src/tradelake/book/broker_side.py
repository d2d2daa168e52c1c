"""The broker's side of a reconciliation, from a statement."""

from typing import TYPE_CHECKING

import polars as pl

from tradelake.book.our_events import EXECUTED, SIGNED, conformed
from tradelake.reconcile import CASH, LOTS, POSITIONS, UNREAD, Side
from tradelake.reconcile.matching import CORRECTABLE
from tradelake.sessions import trade_date_of
from tradelake.tables import CORPORATE_KINDS

if TYPE_CHECKING:
    from tradelake.intake.ibkr_statement import BrokerStatement


def side_of(statement: "BrokerStatement") -> Side:
    """Return what a statement says as one side of a comparison."""
    told = {"executions": statement.executions, "actions": statement.actions, "cash": statement.cash_events}
    lots = None
    if statement.lots is not None:
        opened = trade_date_of(pl.col("opened_at")).alias("open_date")
        known = statement.lots.filter(pl.col("cost_basis").is_not_null()).group_by("instrument_id", opened)
        lots = known.agg(pl.col("quantity", "cost_basis").sum()).select(LOTS.names())
    cash = None
    if statement.cash is not None:
        change = (pl.col("ending") - pl.col("starting")).alias("change")
        cash = statement.cash.with_columns(change).select(CASH.names()).cast(CASH)
    return Side(
        until=statement.until,
        executions=_events_of(statement, told),
        sections=frozenset(name for name, is_told in told.items() if is_told),
        positions=None if statement.positions is None else statement.positions.select(POSITIONS.names()),
        lots=lots,
        cash=cash,
        realized=statement.realized.select(pl.col("source_row").cast(pl.String).alias("ref"), "realized_pnl"),
        unread=statement.unread.select(UNREAD.names()),
    )


def _events_of(statement: "BrokerStatement", told: dict[str, bool]) -> pl.DataFrame:
    """Return the events of the sections that are told, rows of EXECUTIONS."""
    kind, nothing = pl.col("kind"), pl.lit(None, dtype=pl.String)
    events = _each_once(statement.events).with_columns(
        pl.col("source_row").cast(pl.String).alias("ref"),
        pl.lit(value=True).alias("due"),
        pl.lit("executions").alias("section"),
    )
    trades = events.filter(kind.is_in(EXECUTED)).with_columns(
        pl.when(kind == "trade").then(SIGNED).otherwise("quantity").alias("quantity"),
        (pl.col("commission") + pl.col("fees")).alias("charges"),
    )
    cash = events.filter(kind == "cash").with_columns(
        pl.lit("cash").alias("section"),
        pl.col("cash_category").alias("kind"),
        pl.col("net_amount").alias("quantity"),
        nothing.alias("instrument_id"),
    )
    actions = events.filter(kind.is_in(CORPORATE_KINDS)).select(
        *("ref", "due", "section", "kind", "instrument_id", "currency", "executed_at", "trade_date"),
        pl.col("trade_id").alias("broker_execution_id"),
        pl.col("details").str.json_path_match("$.ratio").alias("ratio"),
    )
    frames = {"executions": trades, "cash": cash, "actions": actions}
    return pl.concat(conformed(rows if told[name] else rows.clear()) for name, rows in frames.items())


def _each_once(events: pl.DataFrame) -> pl.DataFrame:
    """Return events without those that repeat another one's id, and of a broker's corrections the last."""
    identity = pl.coalesce("broker_execution_id", "trade_id")
    base = identity.str.replace(CORRECTABLE.pattern, "${1}").alias("base")
    named = events.filter(identity.is_not_null()).sort(identity, "source_row", descending=[True, False])
    once = named.with_columns(base).unique(["base", "kind", "leg_id"], keep="first", maintain_order=True).drop("base")
    return pl.concat([once, events.filter(identity.is_null())]).sort("source_row")
