"""From the log to the derived tables: the tail folded over the checkpoint, a full rebuild, a past state."""

import json
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from tradelake.errors import InvariantError
from tradelake.lots import in_effect, match_events
from tradelake.positions import summarise
from tradelake.store import Catalog, Checkpoint, Derived, References
from tradelake.store.fold import family_events, family_rows, latest_of_families, no_families
from tradelake.tables import HEAD, LOTS, MATCHES, POSITIONS, TRADE_LOG

FAMILY = ["account_id", "symbol"]
EVENT_COLUMNS = ", ".join(
    (
        "sequence",
        "trade_id",
        "leg_id",
        "kind",
        "account_id",
        "instrument_id",
        "symbol",
        "strike",
        "option_type",
        "action",
        "executed_at",
        "trade_date",
        "quantity",
        "price",
        "multiplier",
        "gross_amount",
        "commission",
        "fees",
        "currency",
        "details",
    )
)


@dataclass(frozen=True, slots=True)
class Tail:
    """The derived tables brought to the head, and where head and checkpoint stood."""

    head: int
    checkpoint: Checkpoint
    reached: Checkpoint
    derived: Derived


def fold_tail(catalog: Catalog, head: int, checkpoint: Checkpoint, references: References) -> Tail:
    """Fold the events after the checkpoint in memory; nothing is written. The caller holds a transaction."""
    tail = catalog.frame(f"SELECT {EVENT_COLUMNS} FROM {TRADE_LOG.name} WHERE sequence > ?", [checkpoint.sequence])
    traded = tail.filter(pl.col("kind") != "cash")
    if not traded.height:
        return Tail(head, checkpoint, Checkpoint(head, checkpoint.latest_at), Derived())
    firsts = traded.group_by(FAMILY).agg(pl.col("executed_at").min().alias("first_at"))
    firsts = linked_families(references.instruments, firsts)
    resumed, replayed = _split(catalog, firsts, checkpoint)
    events = traded.join(resumed, on=FAMILY, how="semi")
    if replayed.height:
        events = pl.concat([events, family_events(catalog, replayed, EVENT_COLUMNS).filter(pl.col("kind") != "cash")])
    lots, positions, prior = LOTS.empty(), POSITIONS.empty(), MATCHES.empty()
    if resumed.height:
        lots = family_rows(catalog, LOTS, resumed)
        positions = family_rows(catalog, POSITIONS, resumed)
        if positions.height:
            prior = family_rows(catalog, MATCHES, resumed).join(positions, on="position_id", how="semi")
    derived = derive(
        references, events, lots=lots, positions=positions, prior=prior, resumed=resumed, replayed=replayed
    )
    latest = max(checkpoint.latest_at, _latest(traded))
    return Tail(head, checkpoint, Checkpoint(head, latest), derived)


def linked_families(instruments: pl.DataFrame, firsts: pl.DataFrame) -> pl.DataFrame:
    """Return families with the first event of each, and those that adjusted contracts link with them.

    An adjusted contract may deliver shares of other symbols: what happens to one family then reaches the other, so
    linked families are folded together, from the earliest event of any of them.
    """
    links = delivery_links(
        instruments.drop_nulls("deliverable").select("symbol", "deliverable"),
        instruments.filter(pl.col("asset_type") != "OPTION").select("instrument_id", "symbol"),
    )
    if not links:
        return firsts
    groups = [sorted(group) for group in links]
    roots = pl.DataFrame(
        [(symbol, group[0]) for group in groups for symbol in group], schema=["symbol", "root"], orient="row"
    )
    touched = firsts.join(roots, on="symbol", how="inner")
    reached = (
        touched.group_by("account_id", "root")
        .agg(pl.col("first_at").min())
        .join(roots, on="root")
        .select("account_id", "symbol", "first_at")
    )
    return pl.concat([firsts.join(reached, on=FAMILY, how="anti"), reached])


def delivery_links(adjusted: pl.DataFrame, stocks: pl.DataFrame) -> list[set[str]]:
    """Return the groups of symbols that adjusted contracts link, each with more than one symbol."""
    if not adjusted.height:
        return []
    symbols = dict(stocks.iter_rows())
    groups: list[set[str]] = []
    for symbol, deliverable in adjusted.iter_rows():
        parts = [part["instrument_id"] for part in json.loads(deliverable) if "instrument_id" in part]
        group = {symbol, *(symbols.get(part, part) for part in parts)}
        for other in [g for g in groups if g & group]:
            group |= other
            groups.remove(other)
        groups.append(group)
    return [group for group in groups if len(group) > 1]


def _latest(events: pl.DataFrame) -> datetime:
    latest = events["executed_at"].max()
    if not isinstance(latest, datetime):
        raise InvariantError("events without an effective time")
    return latest


def _split(catalog: Catalog, firsts: pl.DataFrame, checkpoint: Checkpoint) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the families to resume and those to replay, because something in them arrived late."""
    families = firsts.select(FAMILY)
    earliest = firsts["first_at"].min()
    if isinstance(earliest, datetime) and earliest > checkpoint.latest_at:
        return families, no_families()
    latest = latest_of_families(catalog, families, checkpoint.sequence)
    late = firsts.join(latest, on=FAMILY).filter(pl.col("first_at") <= pl.col("latest_at")).select(FAMILY)
    return families.join(late, on=FAMILY, how="anti"), late


def derive(
    references: References,
    events: pl.DataFrame,
    *,
    lots: pl.DataFrame,
    positions: pl.DataFrame,
    prior: pl.DataFrame,
    resumed: pl.DataFrame,
    replayed: pl.DataFrame,
) -> Derived:
    """Match events on top of carried lots and positions, and summarise; `prior` are the carried positions' matches."""
    methods = dict(references.accounts.select("account_id", "lot_method").iter_rows())
    matched = match_events(in_effect(events), references.instruments, methods, lots=lots, positions=positions)
    summary = summarise(matched.episodes, matched.lots, pl.concat([prior, matched.matches]))
    return Derived(
        positions=summary.positions,
        lots=matched.lots,
        matches=matched.matches,
        position_history=summary.history,
        cash_flows=matched.cash_flows,
        refusals=matched.refusals,
        resumed=resumed,
        replayed=replayed,
    )


def derive_all(
    catalog: Catalog, references: References, *, as_of: datetime | None = None, as_known: datetime | None = None
) -> Derived:
    """Return the derived tables of all events, or of those that happened by *as_of* and were known by *as_known*."""
    conditions, parameters = ["kind <> 'cash'"], []
    if as_of is not None:
        conditions.append("executed_at <= CAST(? AS TIMESTAMPTZ)")
        parameters.append(as_of.isoformat())
    if as_known is not None:
        conditions.append("recorded_at <= CAST(? AS TIMESTAMPTZ)")
        parameters.append(as_known.isoformat())
    events = catalog.frame(
        f"SELECT {EVENT_COLUMNS} FROM {TRADE_LOG.name} WHERE {' AND '.join(conditions)}", list(parameters)
    )
    return derive(
        references,
        events,
        lots=LOTS.empty(),
        positions=POSITIONS.empty(),
        prior=MATCHES.empty(),
        resumed=no_families(),
        replayed=no_families(),
    )


def latest_event(catalog: Catalog) -> Checkpoint:
    """Return the checkpoint that a rebuild reaches: the head, and the latest effective time of the log."""
    row = catalog.frame(
        f"SELECT coalesce(max(executed_at), TIMESTAMPTZ '1900-01-01 00:00:00+00') AS latest_at FROM {TRADE_LOG.name} "
        "WHERE kind <> 'cash'"
    ).row(0, named=True)
    head = int(catalog.frame(f"SELECT sequence FROM {HEAD.name}")["sequence"][0])
    return Checkpoint(head, row["latest_at"])
