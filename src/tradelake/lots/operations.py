"""From events to operations: which slots there may be, and which of them an event reaches.

A slot is one (account, instrument). An event of one account is one operation on its slot; a corporate action is one
for every account with a slot of its instrument, in order of the accounts; another lot method is one for every
slot of its account. A slot exists where an event, a carried lot or a delivery names it, or where lots may arrive:
by a corporate action into another instrument, or by a move into another account.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tradelake.tables import CORPORATE_KINDS

Slot = tuple[str, str]
KEYS = ["account_id", "instrument_id"]
SPREADING = (*CORPORATE_KINDS, "transfer", "fork", "merge", "subscribe")


def slots_of(
    events: pl.DataFrame, carried: pl.DataFrame, delivered: pl.DataFrame, brokers: Mapping[str, str]
) -> pl.DataFrame:
    """Return the slots with their number, in order of (account, instrument)."""
    named = events.select(KEYS).drop_nulls()
    slots = pl.concat([named, carried.select(KEYS), delivered]).unique()
    spreading = events.filter(pl.col("kind").is_in(SPREADING))
    if spreading.height:
        reached = _reached(set(slots.iter_rows()), spreading.to_dicts(), brokers)
        slots = pl.DataFrame(sorted(reached), schema=dict.fromkeys(KEYS, pl.String), orient="row")
    return slots.sort(KEYS).with_row_index("slot").with_columns(pl.col("slot").cast(pl.Int64))


def _reached(slots: set[Slot], events: Sequence[Mapping[str, Any]], brokers: Mapping[str, str]) -> set[Slot]:
    """Return *slots* and all that lots in them may reach by the events, whatever their order."""
    while True:
        accounts, instruments = defaultdict(set), defaultdict(set)
        for account, instrument in slots:
            accounts[instrument].add(account)
            instruments[account].add(instrument)
        found: set[Slot] = set()
        for event in events:
            new, to = event["new_instrument_id"], event["to_account_id"]
            if event["kind"] == "subscribe":
                found.add((event["account_id"], new))
            elif event["kind"] in CORPORATE_KINDS:
                broker = event["broker_account_id"]
                found.update(
                    (account, new)
                    for account in accounts[event["instrument_id"]]
                    if new is not None and broker in (None, brokers.get(account, account))
                )
            elif event["kind"] == "merge":
                found.update((to, instrument) for instrument in instruments[event["account_id"]])
            else:
                moved = [move["instrument_id"] for move in moves_of(event)]
                found.update((account, name) for name in moved for account in (event["account_id"], to))
        if found <= slots:
            return slots
        slots = slots | found


def moves_of(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a transfer or fork moves: instrument_id, quantity or percent, and lots where they are named."""
    details = json.loads(event["details"]) if event["details"] else {}
    if event["kind"] == "fork":
        moves: list[dict[str, Any]] = details.get("moves", [])
        return moves
    quantity = None if event["quantity"] is None else str(event["quantity"])
    return [{"instrument_id": event["instrument_id"], "quantity": quantity, "lots": details.get("lots", [])}]


def operations_of(events: pl.DataFrame, slots: pl.DataFrame, brokers: Mapping[str, str]) -> pl.DataFrame:
    """Return the events as operations, in order, each with the account and instrument of its slot.

    A corporate action that one broker account reported is for the books of that account, any other for all.
    `shared` says that the operation is one of several of its event, so that ids made of it need the account.
    """
    kind = pl.col("kind")
    spread = kind.is_in(CORPORATE_KINDS) | (kind == "lot_method")
    if not events.select(spread.any()).item():
        return events.with_columns(pl.lit(value=False).alias("shared"))
    numbered = events.with_row_index("_order")
    pairs = slots.select(KEYS)
    owners = pairs.with_columns(
        pl.col("account_id")
        .replace_strict(brokers, default=pl.col("account_id"), return_dtype=pl.String)
        .alias("owner")
    )
    everybody = pl.col("broker_account_id").is_null()
    corporate = (
        numbered.filter(kind.is_in(CORPORATE_KINDS))
        .drop("account_id")
        .join(owners, on="instrument_id")
        .filter(everybody | (pl.col("broker_account_id") == pl.col("owner")))
    )
    methods = numbered.filter(kind == "lot_method").drop("instrument_id").join(pairs, on="account_id")
    parts = [
        numbered.filter(~spread).with_columns(pl.lit(value=False).alias("shared")),
        *(
            part.select(numbered.columns).with_columns(pl.lit(value=True).alias("shared"))
            for part in (corporate, methods)
        ),
    ]
    return pl.concat(parts).sort("_order", *KEYS, nulls_last=True).drop("_order")
