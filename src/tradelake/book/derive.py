"""From events to the derived tables: the pure rooms joined, a full rebuild, a past state."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from tradelake.book.groups import FAMILY
from tradelake.book.reach import OPENING_KINDS, Reaching
from tradelake.book.start import Start, following, standing_accounts
from tradelake.lots import in_effect, match_events
from tradelake.positions import REALIZED, summarise
from tradelake.store import Catalog, Checkpoint, Derived, References, read_standing
from tradelake.store.cold import CLOSED, HOT
from tradelake.tables import CASH_FLOWS, CHAIN_KINDS, CURE_KINDS, HEAD, LOTS, POSITIONS, REFUSALS, TRADE_LOG

EVENT_COLUMNS = (
    "sequence",
    "trade_id",
    "leg_id",
    "kind",
    "account_id",
    "broker_account_id",
    "to_account_id",
    "target_id",
    "instrument_id",
    "new_instrument_id",
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
EVENT_SCHEMA = {name: TRADE_LOG.schema[name] for name in EVENT_COLUMNS}
SELECT = f"SELECT {', '.join(EVENT_COLUMNS)} FROM {TRADE_LOG.name}"
NEVER = "TIMESTAMPTZ '1900-01-01 00:00:00+00'"


def matched_kinds(events: pl.DataFrame, standing: Collection[str]) -> pl.DataFrame:
    """Return the events that matching looks at: of cash movements those of accounts that may not be open."""
    kind = pl.col("kind")
    cash = kind == "cash"
    if standing:
        cash &= ~pl.col("account_id").is_in(list(standing))
    return events.filter(~cash & ~kind.is_in(CHAIN_KINDS))


@dataclass(frozen=True, slots=True)
class Stand:
    """What a run of events has given, and how accounts stand after it."""

    derived: Derived
    end: Start


def derive(
    references: References,
    events: pl.DataFrame,
    *,
    start: Start,
    families: pl.DataFrame | None = None,
    lots: pl.DataFrame | None = None,
    positions: pl.DataFrame | None = None,
    prior: Callable[[pl.DataFrame], pl.DataFrame] | None = None,
) -> Stand:
    """Match events that are in effect on top of carried lots and positions, and summarise.

    `prior` gives, of the episodes of the run, the matches that carried positions had before, with columns REALIZED;
    *families*, where they are given, are those whose rows are wanted.
    """
    matched = match_events(
        events,
        references.instruments,
        start.methods,
        lots=LOTS.empty() if lots is None else lots,
        positions=POSITIONS.empty() if positions is None else positions,
        standing=start.standing,
        brokers=dict(references.accounts.select("account_id", "broker_account_id").iter_rows()),
    )
    matches = matched.matches
    if prior is not None:
        matches = pl.concat([prior(matched.episodes).select(REALIZED), matches.select(REALIZED)])
    summary = summarise(matched.episodes, matched.lots, matches)
    flows, refusals = matched.cash_flows, matched.refusals
    if families is not None and flows.height + refusals.height:
        # An event that reaches further than these families gives rows for the others where they are folded.
        flows, refusals = (rows.join(families, on=FAMILY, how="semi") for rows in (flows, refusals))
    derived = Derived(
        positions=summary.positions,
        lots=matched.lots,
        matches=matched.matches,
        position_history=summary.history,
        cash_flows=CASH_FLOWS.conform(flows),
        refusals=REFUSALS.conform(refusals),
    )
    return Stand(derived, following(start, events, matched.refusals))


def events_at(
    catalog: Catalog, references: References, *, as_of: datetime | None = None, as_known: datetime | None = None
) -> pl.DataFrame:
    """Return the events in effect that matching looks at, in their order: known by *as_known*, happened by *as_of*.

    What is said to happen after *as_of* counts too where a correction brings it before. Events that were deleted are
    left out: what follows starts from the closing of the book.
    """
    known = [] if as_known is None else [("recorded_at <= CAST(? AS TIMESTAMPTZ)", as_known.isoformat())]
    matched = [*known, ("kind <> 'cash'", None)]
    cures = ", ".join(f"'{kind}'" for kind in CURE_KINDS)
    happened = f"(executed_at <= CAST(? AS TIMESTAMPTZ) OR kind IN ({cures}))"
    told = _read(catalog, matched if as_of is None else [*matched, (happened, as_of.isoformat())])
    cured = bool(told["kind"].is_in(CURE_KINDS).any())
    if cured and as_of is not None:
        told = _read(catalog, matched)
    standing = standing_accounts(references, _moving(told, references))
    if standing or cured:
        told = pl.concat([told, _read(catalog, [*known, ("kind = 'cash'", None)])])
    events = matched_kinds(in_effect(told, references.instruments), standing)
    return events if as_of is None else events.filter(pl.col("executed_at") <= as_of)


def _read(catalog: Catalog, conditions: list[tuple[str, str | None]]) -> pl.DataFrame:
    texts = " AND ".join(text for text, _ in conditions)
    return catalog.frame(f"{SELECT} WHERE {texts}", [value for _, value in conditions if value is not None], CLOSED)


def _moving(told: pl.DataFrame, references: References) -> Reaching:
    """Return how far the forks and merges among some events reach, and what their cures make of them."""
    reaching = Reaching(EVENT_SCHEMA)
    moves = told.filter(pl.col("kind").is_in((*OPENING_KINDS, *CURE_KINDS)))
    reaching.add(moves.sort("sequence"), references.instruments, reached=0)
    return reaching


def latest_event(catalog: Catalog, references: References) -> Checkpoint:
    """Return the checkpoint that a rebuild reaches: the head, and the latest effective time of the log.

    That is the latest of what was told, whatever its kind, and of what corrections made of it.
    """
    cured = catalog.frame(f"{SELECT} WHERE kind IN ('fork', 'merge', 'cancel', 'correct') ORDER BY sequence", span=HOT)
    reaching = Reaching(EVENT_SCHEMA)
    reaching.add(cured, references.instruments, reached=0)
    latest = f"SELECT coalesce(max(executed_at), {NEVER}) AS latest_at FROM {TRADE_LOG.name}"
    row = catalog.frame(latest, span=CLOSED)
    times = [row["latest_at"].item(), *(at for reach in reaching.reaches for at in reach.times)]
    if catalog.cold.deleted(catalog.transaction_number).height:
        # Of what was deleted, only the checkpoint knows.
        times.append(read_standing(catalog).checkpoint.latest_at)
    head = int(catalog.frame(f"SELECT sequence FROM {HEAD.name}")["sequence"][0])
    return Checkpoint(head, max(times))
