"""How accounts stand where a fold starts: open, not open yet or closed, and with which lot method."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from tradelake.book.reach import OPENING_KINDS, Reaching
from tradelake.lots import in_effect
from tradelake.store import Catalog, References
from tradelake.tables import CURE_KINDS, REFUSALS

DECIDING = (*OPENING_KINDS, "lot_method")


@dataclass(frozen=True, slots=True)
class Start:
    """What a run of events starts from, per account: `standing` names those that are NOT_OPEN or CLOSED."""

    methods: Mapping[str, str]
    standing: Mapping[str, str]


def first_start(references: References) -> Start:
    """Return how accounts stand before the first event: a child is not open before its fork."""
    accounts = references.accounts
    children = accounts.filter(pl.col("parent_account_id").is_not_null())["account_id"]
    return Start(
        dict(accounts.select("account_id", "lot_method").iter_rows()),
        dict.fromkeys(children.to_list(), "NOT_OPEN"),
    )


def start_at(catalog: Catalog, references: References, reaching: Reaching, sequence: int) -> Start:
    """Return how accounts stand after the events of the log up to *sequence*, where the checkpoint is."""
    first = first_start(references)
    rows = reaching.between(0, sequence)
    deciding = rows.filter(pl.col("kind").is_in(DECIDING))
    if not deciding.height:
        return first
    told = in_effect(pl.concat([deciding, rows.filter(pl.col("kind").is_in(CURE_KINDS))]), references.instruments)
    return start_after(catalog, references, told)


def start_after(catalog: Catalog, references: References, events: pl.DataFrame) -> Start:
    """Return how accounts stand after events that are in effect, all of which the stored refusals know."""
    told = events.filter(pl.col("kind").is_in(DECIDING))
    with catalog.joined(deciding=told.select("sequence")):
        refused = catalog.frame(f"SELECT DISTINCT sequence FROM {REFUSALS.name} SEMI JOIN deciding USING (sequence)")
    return following(first_start(references), told, refused)


def following(start: Start, events: pl.DataFrame, refused: pl.DataFrame) -> Start:
    """Return how accounts stand after more events in effect; `refused` has the sequence of those that failed."""
    told = events.filter(pl.col("kind").is_in(DECIDING))
    if not told.height:
        return start
    methods, standing = dict(start.methods), dict(start.standing)
    for row in told.join(refused, on="sequence", how="anti", maintain_order="left").iter_rows(named=True):
        if row["kind"] == "merge":
            standing[row["account_id"]] = "CLOSED"
        elif row["kind"] == "lot_method":
            methods[row["account_id"]] = _method(row["details"])
        elif row["kind"] == "fork" and standing.get(row["to_account_id"]) == "NOT_OPEN":
            del standing[row["to_account_id"]]
    return Start(methods, standing)


def _method(details: str) -> str:
    return str(json.loads(details)["method"])


def standing_accounts(references: References, reaching: Reaching) -> set[str]:
    """Return the accounts whose cash movements may be refused: children, and those that forks and merges are about."""
    children = references.accounts.filter(pl.col("parent_account_id").is_not_null())["account_id"]
    return set(children.to_list()) | reaching.moving_accounts()
