"""The derived tables at a past instant, or as they were known at one, without a replay of the whole log.

What a family looked like at T is in its rows of today: what is closed by then is closed, a lot of today that was opened
by then was open, and so was every slice that was closed later. That holds as long as nothing else than trades and
option events has happened to the family after T. Families that a corporate action, transfer, fork, merge or change of
method reaches after T are replayed from the log, and so are those about which something was learnt after K, those of
accounts with an average cost (their pool has forgotten what came when), and, where lots are asked for one by one, those
that have changed since.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from tradelake.book.closing import check_known, derive_after
from tradelake.book.derive import EVENT_SCHEMA
from tradelake.book.effective import as_they_count
from tradelake.book.folding import Planner
from tradelake.book.groups import FAMILY
from tradelake.book.reach import REACHING_KINDS, Reach, Reaching
from tradelake.book.read import Filter, Instant, Moment, instant_of
from tradelake.book.shelf import Shelf
from tradelake.lots import in_effect
from tradelake.positions import LOT_COLUMNS, SHARED, SLICE_COLUMNS, positions_at
from tradelake.store import Checkpoint, Derived, References
from tradelake.store.closing import read_closing
from tradelake.store.cold import Span
from tradelake.tables import (
    CASH_FLOWS,
    CURE_KINDS,
    LOTS,
    MATCHES,
    POSITION_HISTORY,
    POSITIONS,
    REFUSALS,
    TRADE_LOG,
    Table,
)

CLOSED = {MATCHES.name: "closed_at", POSITION_HISTORY.name: "closed_at"}


@dataclass(frozen=True, slots=True)
class Past:
    """Where a question stands: its moment, and the families that were replayed for it."""

    moment: Moment
    families: pl.DataFrame
    derived: Derived


class PastReaders(Shelf):
    """Everything that reads derived tables, at the head or at past instants; the caller holds a transaction."""

    def _past(self, as_of: Instant, as_known: Instant, wanted: Filter | None = None) -> Past | None:
        """Return where two instants stand for what *wanted* asks for; None for the head."""
        if as_of is None and as_known is None:
            return None
        moment = self._moment(as_of, as_known)
        standing, later = self._standing(), set(moment.later["sequence"])
        references = self._references(standing.import_run_id)
        reaching = self._tail.reaching_of(standing, references)
        reaches = [reach for reach in reaching.reaches if _reaches_past(reach, moment.as_of, later)]
        families = self._pooled(references, reaching)
        if not (reaches or moment.later.height or families.height):
            return Past(moment, families, Derived())
        planner = self._planner()
        plain = moment.later.filter(~pl.col("kind").is_in(REACHING_KINDS)).select(*FAMILY).unique()
        families = pl.concat([planner.reached_families(reaches, plain), families]).unique()
        families = (wanted or Filter()).families(families, references.instruments)
        families, derived = self._replayed(planner, families, moment)
        return Past(moment, families, derived)

    def _at(
        self, table: Table, wanted: Filter, day: str | None, past: Past | None, columns: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Return rows of a derived table at the head, or of the *past* where one is given.

        Of some `columns` the order is that of the rows in the store, as of `_rows`.
        """
        keep = wanted.expression(table.names, day)
        texts, values = wanted.conditions(table.names, day)
        if past is None:
            return self._rows(table, texts, values, keep, columns)
        if table == POSITIONS:
            # The day of opening is no property of a slice: it restricts the positions that are made of them.
            slices = Filter(wanted.account, wanted.symbol)
            with self._catalog.parallel() if slices == Filter() else nullcontext():
                stored = self._positions_at(past, slices).filter(keep)
        elif table == LOTS:
            stored = self._lots_at(past, wanted, day)
        else:
            stored = self._closed_by(table, texts, values, keep, past)
        rows = stored.join(past.families, on=FAMILY, how="anti")
        rows = pl.concat([rows, past.derived.rows(table).filter(keep)])
        return rows.select(columns) if columns else rows.sort(*table.sort, *table.key)

    def _moment(self, as_of: Instant, as_known: Instant) -> Moment:
        """Return where two instants stand; without them the head."""
        at = None if as_of is None else instant_of(as_of)
        if as_known is None:
            return Moment(at)
        known = instant_of(as_known)
        later = self._catalog.frame(
            f"SELECT sequence, account_id, coalesce(symbol, '') AS symbol, kind FROM {TRADE_LOG.name} "
            "WHERE recorded_at > CAST(? AS TIMESTAMPTZ)",
            [known.isoformat()],
            Span(known_after=known),
        )
        return Moment(at, later)

    def _planner(self) -> Planner:
        standing = self._standing()
        references = self._references(standing.import_run_id)
        reaching = self._tail.reaching_of(standing, references)
        nothing = pl.DataFrame(schema=EVENT_SCHEMA)
        return Planner(
            self._catalog, references, reaching, nothing, Checkpoint(standing.head, standing.checkpoint.latest_at)
        )

    def _pooled(self, references: References, reaching: Reaching) -> pl.DataFrame:
        """Return the families that have, or had, lots of an average cost."""
        changes = reaching.rows.filter(pl.col("kind").is_in(("lot_method", *CURE_KINDS)))
        pools = (references.accounts["lot_method"] == "AVERAGE").any()
        if not pools and not changes["details"].str.contains("AVERAGE", literal=True).any():
            return pl.DataFrame(schema=dict.fromkeys(FAMILY, pl.String))
        text, pooled = "open_trade_id = '*'", pl.col("open_trade_id") == "*"
        return pl.concat([self._rows(table, [text], [], pooled, FAMILY) for table in (LOTS, MATCHES)]).unique()

    def _replayed(self, planner: Planner, families: pl.DataFrame, moment: Moment) -> tuple[pl.DataFrame, Derived]:
        """Return some families with all that is linked with them, and their rows at a moment."""
        if not families.height:
            return families, Derived()
        linked = planner.linked_with(families)
        events = self._known_events(planner.references, planner.told_of(linked), moment)
        derived = derive_after(self._catalog, planner.references, events, families=linked.families, as_of=moment.as_of)
        return linked.families, derived

    def _known_events(self, references: References, told: pl.DataFrame, moment: Moment) -> pl.DataFrame:
        """Return the events that were in effect at a moment, among those that were ever told of some families."""
        check_known(moment.later, told, read_closing(self._catalog))
        known = told.join(moment.later, on="sequence", how="anti", maintain_order="left")
        events = in_effect(known, references.instruments)
        return events if moment.as_of is None else events.filter(pl.col("executed_at") <= moment.as_of)

    def _positions_at(self, past: Past, wanted: Filter) -> pl.DataFrame:
        """Return the open positions of families that need no replay."""
        at = past.moment.as_of
        if at is None:
            return self._rows(
                POSITIONS, *wanted.conditions(POSITIONS.names, None), wanted.expression(POSITIONS.names, None)
            )
        opened, after = pl.col("opened_at") <= at, pl.col("closed_at") > at
        before, later = "opened_at <= CAST(? AS TIMESTAMPTZ)", "closed_at > CAST(? AS TIMESTAMPTZ)"
        still = self._at_instant(at, POSITIONS, wanted, SHARED, opened, [before])
        ended = self._at_instant(at, POSITION_HISTORY, wanted, SHARED, opened & after, [before, later])
        ids = pl.concat([still["position_id"], ended["position_id"]])
        if not ids.len():
            return POSITIONS.empty()
        lots = self._at_instant(at, LOTS, wanted, LOT_COLUMNS, opened, [before])
        own = pl.col("position_id").is_in(ids.implode())
        with self._catalog.joined(open_ids=ids.to_frame()) if wanted == Filter() else nullcontext():
            texts = [before, f"({later} OR position_id IN (SELECT position_id FROM open_ids))"]
            matches = self._at_instant(at, MATCHES, wanted, SLICE_COLUMNS, opened & (after | own), texts)
        return positions_at(still, ended, lots, matches.filter(after), matches.filter(~after & own))

    def _at_instant(
        self, at: datetime, table: Table, wanted: Filter, columns: Sequence[str], there: pl.Expr, texts: list[str]
    ) -> pl.DataFrame:
        """Return what was *there* at an instant; the *texts* say the same in SQL, each with the instant as its value.

        Of some accounts or symbols all rows are read: they are few, and DuckLake asks its catalog once more for every
        column that a condition names.
        """
        asked, values = wanted.conditions(table.names, None)
        if wanted == Filter():
            asked, values = texts, [at.isoformat()] * len(texts)
        needed = [name for name in ("opened_at", "closed_at") if name in table.names and name not in columns]
        rows = self._rows(table, asked, values, wanted.expression(table.names, None), [*columns, *needed])
        return rows.filter(there).select(columns)

    def _lots_at(self, past: Past, wanted: Filter, day: str | None) -> pl.DataFrame:
        """Return the open lots; families that have changed since are replayed."""
        texts, values = wanted.conditions(LOTS.names, day)
        keep = wanted.expression(LOTS.names, day)
        rows = self._rows(LOTS, texts, values, keep)
        at = past.moment.as_of
        if at is None:
            return rows
        held = self._positions_at(past, Filter(wanted.account, wanted.symbol)).select(FAMILY).unique()
        held = held.join(past.families, on=FAMILY, how="anti")
        changed = held.join(self._changed_after(at), on=FAMILY, how="semi")
        _, derived = self._replayed(self._planner(), changed, past.moment)
        same = rows.join(held, on=FAMILY, how="semi").join(changed, on=FAMILY, how="anti")
        return pl.concat([same, derived.lots.join(changed, on=FAMILY, how="semi").filter(keep)])

    def _changed_after(self, at: datetime) -> pl.DataFrame:
        """Return the families in which a lot was opened or closed after an instant."""
        text, value = "{} > CAST(? AS TIMESTAMPTZ)", [at.isoformat()]
        opened = self._rows(LOTS, [text.format("opened_at")], list(value), pl.col("opened_at") > at, FAMILY)
        closed = self._rows(MATCHES, [text.format("closed_at")], list(value), pl.col("closed_at") > at, FAMILY)
        return pl.concat([opened, closed]).unique()

    def _closed_by(
        self, table: Table, texts: list[str], values: list[object], keep: pl.Expr, past: Past
    ) -> pl.DataFrame:
        """Return the rows of matches, history, cash flows or refusals that were there."""
        at = past.moment.as_of
        if at is None or table == REFUSALS:
            rows = self._rows(table, texts, values, keep)
            return rows if at is None else rows.join(self._happened(rows, at), on="sequence", how="semi")
        column = CLOSED.get(table.name, "effective_at")
        text, there = f"{column} <= CAST(? AS TIMESTAMPTZ)", pl.col(column) <= at
        if table == CASH_FLOWS:
            # A dividend is due from its ex-date on, and paid later.
            text, there = f"({text} OR category = 'dividend')", there | (pl.col("category") == "dividend")
        return self._rows(table, [*texts, text], [*values, at.isoformat()], keep & there)

    def _happened(self, refused: pl.DataFrame, at: datetime) -> pl.DataFrame:
        """Return the sequences of refused events that had happened by an instant, as they count now."""
        if not refused.height:
            return refused.select("sequence")
        with self._catalog.joined(refused=refused.select("sequence").unique()):
            told = self._catalog.frame(
                f"SELECT sequence, executed_at FROM {TRADE_LOG.name} SEMI JOIN refused USING (sequence)",
                span=Span(families=refused.select(FAMILY)),
            )
        events = as_they_count(told, self._cured(None))
        return events.filter(pl.col("executed_at") <= at).select("sequence")


def _reaches_past(reach: Reach, at: datetime | None, later: set[int]) -> bool:
    """Return whether an event that reaches far happened after an instant, or was learnt or cured after another."""
    if not later.isdisjoint(reach.sequences):
        return True
    return at is not None and reach.kind is not None and any(time > at for time in reach.times)
