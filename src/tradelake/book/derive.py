"""From events to the derived tables: the pure rooms joined, a full rebuild, a past state, linked families."""

import json
from datetime import datetime

import polars as pl

from tradelake.lots import in_effect, match_events
from tradelake.positions import summarise
from tradelake.store import Catalog, Checkpoint, Derived, References
from tradelake.store.fold import no_families
from tradelake.tables import HEAD, LOTS, MATCHES, POSITIONS, TRADE_LOG

FAMILY = ["account_id", "symbol"]
EVENT_COLUMNS = (
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


def linked_families(instruments: pl.DataFrame, firsts: pl.DataFrame) -> pl.DataFrame:
    """Return families with the first event of each and their group, and those that contracts link with them.

    A contract may deliver shares of another symbol than its own: what happens to one family then reaches the other, so
    linked families have one `root` and are folded together, from the earliest event of any of them.
    """
    groups = linked_symbols(instruments)
    linked = [(symbol, min(group)) for group in groups for symbol in group]
    roots = pl.DataFrame(linked, schema={"symbol": pl.String, "root": pl.String}, orient="row")
    touched = firsts.join(roots, on="symbol", how="left").with_columns(pl.coalesce("root", "symbol").alias("root"))
    reached = (
        touched.group_by("account_id", "root")
        .agg(pl.col("first_at").min())
        .join(roots, on="root")
        .select(touched.columns)
    )
    return pl.concat([touched.join(reached, on=FAMILY, how="anti"), reached])


def linked_symbols(instruments: pl.DataFrame) -> list[set[str]]:
    """Return the groups of symbols that contracts link with what they deliver, each with more than one symbol."""
    options = instruments.filter(pl.col("asset_type") == "OPTION")
    stocks = instruments.filter(pl.col("asset_type") != "OPTION").select(
        pl.col("instrument_id").alias("underlying_instrument_id"), pl.col("symbol").alias("delivered")
    )
    named_otherwise = (
        options.join(stocks, on="underlying_instrument_id")
        .filter(pl.col("symbol") != pl.col("delivered"))
        .select("symbol", "delivered")
        .unique(maintain_order=True)
    )
    links = [set(pair) for pair in named_otherwise.iter_rows()]
    adjusted = options.drop_nulls("deliverable").select("symbol", "deliverable")
    symbols = dict(stocks.iter_rows()) if adjusted.height else {}
    for symbol, deliverable in adjusted.iter_rows():
        parts = [part["instrument_id"] for part in json.loads(deliverable) if "instrument_id" in part]
        links.append({symbol, *(symbols.get(part, part) for part in parts)})
    groups: list[set[str]] = []
    for link in links:
        joined = [group for group in groups if group & link]
        groups = [group for group in groups if not group & link] + [link.union(*joined)]
    return [group for group in groups if len(group) > 1]


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
        f"SELECT {', '.join(EVENT_COLUMNS)} FROM {TRADE_LOG.name} WHERE {' AND '.join(conditions)}", list(parameters)
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
