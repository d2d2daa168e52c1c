"""Events as they count: busted ones left out, corrected ones corrected; and what became of each row of the log."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from tradelake.lots import in_effect
from tradelake.lots.effective import CureState
from tradelake.store import Catalog
from tradelake.store.cold import HOT
from tradelake.tables import CURE_KINDS, TRADE_LOG

CURES = ", ".join(f"'{kind}'" for kind in CURE_KINDS)
STATES = ("active", "cancelled", "corrected")
STATE_SCHEMA = {"trade_id": pl.String, "leg_id": pl.String, "state": pl.String}


@dataclass(frozen=True, slots=True)
class Cured:
    """Cures and their targets: the sequences of their rows in the log, and the targets that are in effect."""

    sequences: pl.Series
    effective: pl.DataFrame


def read_cured(catalog: Catalog, instruments: pl.DataFrame, *, as_known: datetime | None = None) -> Cured:
    """Return what the cures known by *as_known* have made of their targets, rows of the log in their order."""
    known, values = "", []
    if as_known is not None:
        known, values = " AND recorded_at <= CAST(? AS TIMESTAMPTZ)", [as_known.isoformat()]
    rows = catalog.frame(
        f"SELECT * FROM {TRADE_LOG.name} WHERE (kind IN ({CURES}) OR trade_id IN "
        f"(SELECT target_id FROM {TRADE_LOG.name} WHERE kind IN ({CURES}))){known}",
        list(values),
        HOT,
    )
    return Cured(rows["sequence"], in_effect(rows, instruments))


def as_they_count(events: pl.DataFrame, cured: Cured) -> pl.DataFrame:
    """Return rows of the log, or some of their columns, with the cured ones in the form in which they count."""
    others = events.filter(~pl.col("sequence").is_in(cured.sequences.implode()))
    return pl.concat([others, cured.effective.select(events.columns).cast(events.schema)])


def states(catalog: Catalog, *, as_known: datetime | None = None) -> pl.DataFrame:
    """Return the events that a cure known by *as_known* is about: trade_id, leg_id, and their state."""
    known, values = "", []
    if as_known is not None:
        known, values = " AND recorded_at <= CAST(? AS TIMESTAMPTZ)", [as_known.isoformat()]
    cures = catalog.frame(
        f"SELECT trade_id, leg_id, kind, target_id, details FROM {TRADE_LOG.name} WHERE kind IN ({CURES}){known} "
        "ORDER BY sequence",
        list(values),
        HOT,
    )
    state = CureState([])
    for cure in cures.iter_rows(named=True):
        state.active.setdefault((cure["target_id"], cure["leg_id"]), True)
        state.apply(cure)
    rows = [
        (*key, "cancelled" if not active else "corrected" if state.corrections(key) else "active")
        for key, active in state.active.items()
    ]
    return pl.DataFrame(rows, schema=STATE_SCHEMA, orient="row")
