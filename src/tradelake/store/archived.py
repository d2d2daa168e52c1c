"""Archived events by their keys, without their rows."""

import polars as pl

from tradelake.errors import ArchivedError
from tradelake.store.catalog import Catalog
from tradelake.store.keys import key_checks
from tradelake.tables import ARCHIVED_KEYS

SELECT = f"SELECT k.sequence, k.archive_id, k.execution_key, k.trade_key FROM {ARCHIVED_KEYS.name} k"


class ArchivedTarget(ArchivedError):
    """An event that is to be cured is archived; it has to be hot first. `archive_id` is the part that has it."""

    def __init__(self, archive_id: str) -> None:
        super().__init__(f"The event is in the archived part {archive_id}; restore it first.")
        self.archive_id = archive_id


def archived_candidates(catalog: Catalog, events: pl.DataFrame, candidates: pl.DataFrame) -> pl.DataFrame:
    """Return the archived ones of *candidates* (sequence) that share a key with an event.

    Columns: sequence, archive_id, execution_key, trade_key.
    """
    with catalog.joined(candidates=candidates):
        found = catalog.frame(f"{SELECT} SEMI JOIN candidates USING (sequence)")
    return found.filter(_share(key_checks(events))) if found.height else found


def known_by_key(events: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    """Return the events that have a key of deleted ones, of which nothing but these *keys* is known."""
    return events.filter(key_checks(events).select(_share(keys)).to_series())


def _share(keys: pl.DataFrame) -> pl.Expr:
    """Return whether a row has one of the keys."""
    names = ("execution_key", "trade_key")
    shared = pl.any_horizontal(pl.col(name).is_in(keys[name].drop_nulls().implode()) for name in names)
    return shared.fill_null(value=False)


def archive_of(catalog: Catalog, trade_id: str, leg_id: str) -> str | None:
    """Return the archived part that has an event; None where it is not archived."""
    if catalog.cold.is_empty(catalog.transaction_number):
        return None
    nothing = {"natural_key": None, "broker_account_id": None, "broker_execution_id": None}
    schema = dict.fromkeys(("trade_id", "leg_id", *nothing), pl.String)
    row = pl.DataFrame([{"trade_id": trade_id, "leg_id": leg_id, **nothing}], schema=schema)
    check = key_checks(row)["trade_key"].item()
    found = catalog.frame(f"{SELECT} WHERE trade_key = ?", [check])
    return found["archive_id"].item() if found.height else None
