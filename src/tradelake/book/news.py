"""What events after a sequence have changed, and from when on: the accounts whose past is not what it was."""

from datetime import UTC, datetime

import polars as pl

from tradelake.book.derive import EVENT_SCHEMA, SELECT
from tradelake.book.folding import Planner
from tradelake.book.reach import Reaching
from tradelake.store import Catalog, Checkpoint, References
from tradelake.store.cold import HOT, Span
from tradelake.tables import CURE_KINDS, TRADE_LOG

EVER = datetime(1900, 1, 1, tzinfo=UTC)
FIRST_AT = pl.Schema({"account_id": pl.String(), "first_at": EVENT_SCHEMA["executed_at"]})


def reached_accounts(catalog: Catalog, references: References, reaching: Reaching, since: int) -> pl.DataFrame:
    """Return the accounts that events after the sequence *since* reach, each with the first instant that they change.

    `reaching` covers the whole log. The caller holds a transaction. One row per account: account_id, first_at.
    """
    tail = catalog.frame(f"{SELECT} WHERE sequence > ? ORDER BY sequence", [since], Span(after=since, closed=True))
    if not tail.height:
        return pl.DataFrame(schema=FIRST_AT)
    planner = Planner(catalog, references, reaching, tail, Checkpoint(since, EVER))
    nodes = planner.first_reached()
    cured = _first_cured(catalog, reaching, tail)
    if cured is not None:
        first = pl.when("forced").then(pl.min_horizontal("first_at", pl.lit(cured))).otherwise("first_at")
        nodes = nodes.with_columns(first.alias("first_at"))
    cash = tail.filter(pl.col("kind") == "cash").select("account_id", pl.col("executed_at").alias("first_at"))
    found = pl.concat([nodes.select("account_id", "first_at"), cash])
    return found.group_by("account_id").agg(pl.col("first_at").min()).sort("account_id")


def _first_cured(catalog: Catalog, reaching: Reaching, tail: pl.DataFrame) -> datetime | None:
    """Return the earliest time at which an event that the tail cures was said to have happened; None without cures."""
    targets = set(tail.filter(pl.col("kind").is_in(CURE_KINDS))["target_id"])
    if not targets:
        return None
    cures = dict(reaching.rows.filter(pl.col("kind").is_in(CURE_KINDS)).select("trade_id", "target_id").iter_rows())
    waiting = list(targets)
    while waiting:
        further = cures.get(waiting.pop())
        if further is not None and further not in targets:
            targets.add(further)
            waiting.append(further)
    named = pl.DataFrame({"trade_id": sorted(targets)}, schema={"trade_id": pl.String()})
    with catalog.joined(cured_events=named):
        found = catalog.frame(
            f"SELECT min(executed_at) AS first_at FROM {TRADE_LOG.name} SEMI JOIN cured_events USING (trade_id)",
            span=HOT,
        )
    first = found["first_at"].item()
    return first if isinstance(first, datetime) else None
