"""What our books say was done: executions, cash movements and corporate actions as one side of a comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import polars as pl

from tradelake.reconcile import EXECUTIONS
from tradelake.reconcile.matching import WINDOW_OF_ACTIONS
from tradelake.store import Derived
from tradelake.tables import CORPORATE_KINDS, OPTION_KINDS, TRADE_KINDS

EXECUTED = (*TRADE_KINDS, *OPTION_KINDS)
PART = pl.concat_str("trade_id", "leg_id", separator="\x1f")
SIGNED = pl.when(pl.col("action").str.starts_with("SELL")).then(-pl.col("quantity")).otherwise("quantity")
OF_A_BREAK = r"^B-[0-9a-f]{10}\.[0-9]+$"


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose events a comparison is about, and of which time.

    `since` and `until` are the days of the period, `as_of` its last instant, `first` the day of the earliest event that
    the broker tells of; `beyond` is how far around them events are looked for.
    """

    broker_account_id: str
    books: Sequence[str]
    since: date
    until: date
    as_of: datetime
    first: date
    beyond: timedelta = WINDOW_OF_ACTIONS

    def mine(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of these books."""
        return rows.filter(pl.col("account_id").is_in(list(self.books)))

    @property
    def inside(self) -> pl.Expr:
        """Whether a row belongs to the period."""
        return pl.col("trade_date").is_between(self.since, self.until)

    @property
    def near(self) -> pl.Expr:
        """Whether a row may be what the broker tells of."""
        return pl.col("trade_date").is_between(self.first - self.beyond, self.until + self.beyond)

    @property
    def own(self) -> pl.Expr:
        """Whether a corporate action is for these books."""
        return pl.col("broker_account_id").is_null() | (pl.col("broker_account_id") == self.broker_account_id)


def conformed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with exactly the columns of EXECUTIONS; charges that are missing are 0, and all else is null."""
    zero = pl.lit(0, dtype=EXECUTIONS["charges"])
    missing = {name: zero if name == "charges" else pl.lit(None) for name in EXECUTIONS.names()}
    return rows.select(
        (pl.col(name) if name in rows.columns else missing[name].alias(name)).cast(dtype)
        for name, dtype in EXECUTIONS.items()
    )


def parts_of(scope: Scope, events: pl.DataFrame) -> pl.DataFrame:
    """Return the executions of the scope row by row, each with the `ref` of its execution.

    Allocations of one execution share it; it names the first of them.
    """
    rows = scope.mine(events).filter(pl.col("kind").is_in(EXECUTED))
    one = ["kind", "broker_execution_id", "leg_id", "instrument_id"]
    alone = pl.when(pl.col("broker_execution_id").is_null()).then("sequence")
    return rows.with_columns(PART.first().over([*one, alone], order_by="sequence").alias("ref"))


def near_parts(scope: Scope, events: pl.DataFrame) -> pl.DataFrame:
    """Return those parts that the broker may tell of."""
    return parts_of(scope, events.filter(scope.near & (pl.col("executed_at") <= scope.as_of + scope.beyond)))


def our_events(scope: Scope, events: pl.DataFrame, derived: Derived) -> pl.DataFrame:
    """Return everything that the broker may tell of, rows of EXECUTIONS; *events* are those in effect."""
    frames = [
        executions_of(scope, near_parts(scope, events), derived),
        _cash_events(scope, events, derived),
        _actions(scope, events, derived),
    ]
    return pl.concat(frames)


def executions_of(scope: Scope, parts: pl.DataFrame, derived: Derived) -> pl.DataFrame:
    """Return executions, each with the sum of its parts; an event without effect says why."""
    refused = derived.refusals.select("sequence", pl.concat_str("code", "message", separator=": ").alias("idle"))
    # An opening that a break has proposed stands for a lot of the broker's, and for no execution of the period.
    for_a_lot = pl.col("trade_id").str.contains(OF_A_BREAK) & pl.col("broker_execution_id").is_null()
    due = scope.inside & (pl.col("executed_at") <= scope.as_of) & ~for_a_lot
    known = parts.join(refused.unique("sequence"), on="sequence", how="left", maintain_order="left")
    signed = pl.when(pl.col("kind") == "trade").then(SIGNED).otherwise("quantity")
    executions = known.group_by("ref", maintain_order=True).agg(
        pl.lit("executions").alias("section"),
        pl.col("kind", "broker_execution_id", "instrument_id", "currency").first(),
        pl.col("executed_at", "trade_date").min(),
        # Nothing means all that is open, also as a part of a sum.
        pl.when(pl.col("quantity").is_null().any()).then(None).otherwise(signed.sum()).alias("quantity"),
        pl.col("price", "multiplier").first(),
        (pl.col("commission") + pl.col("fees")).sum().alias("charges"),
        due.first().alias("due"),
        pl.col("idle").drop_nulls().first(),
    )
    return conformed(executions)


def _cash_events(scope: Scope, events: pl.DataFrame, derived: Derived) -> pl.DataFrame:
    """Return cash movements, and dividends that follow from an event, which the broker may tell as one."""
    refused = scope.mine(derived.refusals)["sequence"].implode()
    moved = scope.mine(events).filter((pl.col("kind") == "cash") & scope.near & ~pl.col("sequence").is_in(refused))
    told = moved.select(
        PART.alias("ref"),
        pl.lit("cash").alias("section"),
        pl.col("cash_category").alias("kind"),
        *("broker_execution_id", "currency", "executed_at", "trade_date"),
        pl.col("net_amount").alias("quantity"),
        scope.inside.alias("due"),
    )
    paid = scope.mine(derived.cash_flows).filter((pl.col("category") == "dividend") & scope.near)
    flows = paid.select(
        pl.concat_str(pl.lit("flow"), "sequence", "account_id", separator="\x1f").alias("ref"),
        pl.lit("cash").alias("section"),
        pl.lit("dividend").alias("kind"),
        "currency",
        pl.col("effective_at").alias("executed_at"),
        "trade_date",
        pl.col("amount").alias("quantity"),
        pl.lit(value=False).alias("due"),
    )
    return pl.concat([conformed(told), conformed(flows)])


def _actions(scope: Scope, events: pl.DataFrame, derived: Derived) -> pl.DataFrame:
    """Return corporate actions for the scope; due are splits that one of its books held through."""
    known = pl.col("kind").is_in(CORPORATE_KINDS) & scope.own & scope.near & (pl.col("executed_at") <= scope.as_of)
    rows = events.filter(known)
    held = pl.concat(
        frame.cast({"closed_at": EXECUTIONS["executed_at"]})
        for frame in (
            scope.mine(derived.lots).select("instrument_id", "opened_at", pl.lit(scope.as_of).alias("closed_at")),
            scope.mine(derived.matches).select("instrument_id", "opened_at", "closed_at"),
        )
    )
    through = rows.join(held, on="instrument_id").filter(
        (pl.col("opened_at") < pl.col("executed_at")) & (pl.col("closed_at") > pl.col("executed_at"))
    )
    touched = pl.col("sequence").is_in(through["sequence"].implode())
    actions = rows.select(
        PART.alias("ref"),
        pl.lit("executions").alias("section"),
        "kind",
        pl.col("trade_id").alias("broker_execution_id"),
        *("instrument_id", "currency", "executed_at", "trade_date"),
        pl.col("details").str.json_path_match("$.ratio").alias("ratio"),
        (scope.inside & touched & (pl.col("kind") == "split")).alias("due"),
    )
    return conformed(actions)
