"""What families looked like just before an instant, from their rows of today, and what has happened to them since.

A lot of today that was opened by then was open, and so was every slice that was closed later, with the basis that left
its lot. Which lot that was is known where one trade opened it in the position that it is still in: the event has no
other lot there; and mostly for shares that were delivered (`ranks.py`). A slice of any other lot says that one has to
go back to before its opening.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from tradelake.book.carrying import DELIVERING
from tradelake.book.derive import EVENT_COLUMNS, SELECT
from tradelake.book.groups import FAMILY
from tradelake.book.ranks import RANKS, ranks_of
from tradelake.lots.effective import PHASES
from tradelake.lots.methods import POOL_ID
from tradelake.lots.names import event_name
from tradelake.positions import NOTHING_REALIZED, SHARED, positions_at
from tradelake.store import Catalog
from tradelake.store.cold import HOT, Span
from tradelake.store.fold import archives_since, family_events, family_rows
from tradelake.store.literals import instant
from tradelake.tables import CURE_KINDS, LOTS, MATCHES, POSITION_HISTORY, POSITIONS, TRADE_LOG, Table
from tradelake.units import MONEY

LOT = ["position_id", "open_sequence"]
LEFT = {"cost_basis": "left_basis", "charges": "left_charges", "premium": "left_premium"}
HELD = ("quantity", *LEFT)
TERMS = [name for name in LOTS.names if name in MATCHES.names and name not in (*LOT, *HELD)]
OPENERS = f"SELECT sequence, trade_id, leg_id, kind, account_id, instrument_id FROM {TRADE_LOG.name}"
EARNINGS = [*FAMILY, "position_id", "realized_pnl", "realized_premium"]
NOTHING_EARNED = pl.DataFrame(
    schema={
        **{name: POSITIONS.schema[name] for name in EARNINGS[:4]},
        "premium": MONEY,
        "since": MATCHES.schema["closed_at"],
    }
)


@dataclass(frozen=True, slots=True)
class Before:
    """Some families, each just before its `since`, and what the log up to a sequence says of them from then on.

    `families` has account_id, symbol, group and since; `lots` and `positions` are rows of those tables, `earned` what
    the positions had realized, `told` events and the cures of them. `deeper` are the groups of which this is not
    known, and before which instant it may be; None where nothing says.
    """

    families: pl.DataFrame
    lots: pl.DataFrame
    positions: pl.DataFrame
    earned: pl.DataFrame
    told: pl.DataFrame
    deeper: Mapping[str, datetime | None]

    def apart_from(self, groups: pl.Series) -> "Before":
        """Return the same without some groups."""
        families = self.families.filter(~pl.col("group").is_in(groups.implode()))
        lots, positions, earned, told = (
            rows.join(families, on=FAMILY, how="semi", maintain_order="left")
            for rows in (self.lots, self.positions, self.earned, self.told)
        )
        return Before(families, lots, positions, earned, told, self.deeper)


class Befores:
    """Reads what families looked like, and remembers the last answer for as long as the checkpoint stays."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._last: tuple[int, pl.DataFrame, Before] | None = None

    def read(self, families: pl.DataFrame, sequence: int) -> Before:
        """Return what families looked like, from what the checkpoint at *sequence* has.

        `families` are account_id, symbol, group, since, shifted_at: when something may last have made several lots of
        one, and divided_at: when it may last have mattered in which order lots are closed, or how many shares they
        are; null for never.
        """
        last = self._last
        if last is None or last[0] != sequence or not last[1].equals(families):
            self._last = last = sequence, families, self._read(families, sequence)
        return last[2]

    def _read(self, families: pl.DataFrame, sequence: int) -> Before:
        since = families["since"].min()
        if not isinstance(since, datetime):
            nothing = TRADE_LOG.empty().select(EVENT_COLUMNS)
            return Before(families, LOTS.empty(), POSITIONS.empty(), NOTHING_EARNED, nothing, {})
        opened_before, closed_later = pl.col("opened_at") < pl.col("since"), pl.col("closed_at") >= pl.col("since")
        lots, positions = (self._stored(t, families).filter(opened_before) for t in (LOTS, POSITIONS))
        later, ended = (
            self._stored(t, families, f"closed_at >= {instant(since)}").filter(closed_later)
            for t in (MATCHES, POSITION_HISTORY)
        )
        slices, ended = later.filter(opened_before), ended.filter(opened_before)
        opened = self._openers(families, slices["open_sequence"].unique().to_list())
        slices = self._with_ranks(families, lots, slices, opened)
        deeper = _deeper(lots, slices)
        known = pl.col("group").is_in(list(deeper)).not_()
        families, lots, positions, slices, ended = (
            rows.filter(known) for rows in (families, lots, positions, slices, ended)
        )
        was = _restored(lots, slices)
        episodes, earned = (pl.concat([positions.select(c), ended.select(c)]) for c in (SHARED, EARNINGS))
        deeper |= _unlike(was, episodes, families)
        families = families.filter(pl.col("group").is_in(list(deeper)).not_())
        was, episodes = (rows.join(families, on=FAMILY, how="semi", maintain_order="left") for rows in (was, episodes))
        return Before(
            families=families,
            lots=LOTS.conform(was),
            positions=positions_at(episodes, episodes.clear(), was, slices.clear(), NOTHING_REALIZED),
            earned=_earned(earned, later, families),
            told=self._told(families, sequence),
            deeper=deeper,
        )

    def _stored(self, table: Table, families: pl.DataFrame, where: str = "TRUE") -> pl.DataFrame:
        """Return rows of a derived table with the group, `since` and `shifted_at` of their family."""
        return table.conform(family_rows(self._catalog, table, families, where)).join(families, on=FAMILY)

    def _openers(self, families: pl.DataFrame, sequences: list[int]) -> pl.DataFrame:
        """Return events of the log, as they were told; those that were deleted are not there."""
        wanted = f"sequence IN ({', '.join(map(str, sequences)) or 'NULL'})"
        found = family_events(self._catalog, families, OPENERS, wanted, span=HOT)
        if found.height < len(sequences):
            found = family_events(self._catalog, families, OPENERS, wanted)
        return found

    def _with_ranks(
        self, families: pl.DataFrame, lots: pl.DataFrame, slices: pl.DataFrame, opened: pl.DataFrame
    ) -> pl.DataFrame:
        """Return the slices with what opened their lots, and the rank of these; null where that is not known."""
        told = opened.select(
            pl.col("sequence").alias("open_sequence"),
            event_name_of(opened),
            pl.col("kind").alias("opened_by"),
            pl.col("account_id").alias("told_account"),
            pl.col("instrument_id").alias("told_instrument"),
        )
        slices = slices.join(told, on="open_sequence", how="left", maintain_order="left")
        there = pl.col("told_account") == pl.col("account_id")
        same = pl.col("told_instrument") == pl.col("instrument_id")
        delivered = pl.col("opened_by").is_in(DELIVERING) & there & ~same & _after("divided_at")
        events = slices.filter(delivered)["open_sequence"].unique()
        ranks = pl.DataFrame(schema=RANKS)
        if events.len():
            few = f"IN ({', '.join(map(str, events))})"
            made, taken = (
                family_rows(self._catalog, MATCHES, families, f"{column} {few}")
                for column in ("close_sequence", "open_sequence")
            )
            ranks = ranks_of(made, taken, lots)
        slices = slices.join(ranks, on="match_id", how="left", maintain_order="left")
        plain = (pl.col("opened_by") == "trade") & there & same & _after("shifted_at")
        rank = pl.when(plain).then(pl.lit(0, dtype=pl.Int64)).when(delivered).then("lot_rank")
        return slices.with_columns(rank.alias("lot_rank"))

    def _told(self, families: pl.DataFrame, sequence: int) -> pl.DataFrame:
        """Return the events of the log up to a sequence from the instants of their families on, and their cures."""
        since = families["since"].min()
        if not isinstance(since, datetime):
            return TRADE_LOG.empty().select(EVENT_COLUMNS)
        span = Span(families=families.select(FAMILY), archives=archives_since(self._catalog, families, since))
        there = f"executed_at >= {instant(since)} AND sequence <= {sequence} AND kind NOT IN {CURE_KINDS}"
        events = family_events(self._catalog, families, SELECT, there, span=span).join(
            families.select(*FAMILY, "since"), on=FAMILY
        )
        events = events.filter(pl.col("executed_at") >= pl.col("since")).drop("since")
        if not events.height:
            return events
        # A cure comes after what it is about.
        later = f"sequence > {events['sequence'].to_numpy().min()} AND sequence <= {sequence} AND kind IN {CURE_KINDS}"
        cures = family_events(self._catalog, families, SELECT, later, span=HOT)
        return pl.concat([events, cures])


def event_name_of(opened: pl.DataFrame) -> pl.Series:
    """Return the names that lots have of their opening events, as `open_name`."""
    return opened.with_columns(pl.lit(value=False).alias("shared")).select(event_name().alias("open_name"))["open_name"]


def _after(column: str) -> pl.Expr:
    """Return whether lots were opened after all that may have happened to them up to an instant, null for never."""
    return (pl.col("opened_at") > pl.col(column)).fill_null(value=True)


def _deeper(lots: pl.DataFrame, slices: pl.DataFrame) -> dict[str, datetime | None]:
    """Return the groups of which slices may be of any of several lots, and the first opening of such lots."""
    unclear = slices.filter(pl.col("lot_rank").is_null())
    found: dict[str, datetime | None] = dict(unclear.group_by("group").agg(pl.col("opened_at").min()).iter_rows())
    pooled = pl.col("open_trade_id") == POOL_ID
    unknown = [unclear.filter(pl.col("opened_by").is_null()), *(rows.filter(pooled) for rows in (lots, slices))]
    return found | dict.fromkeys(pl.concat(rows["group"] for rows in unknown).to_list())


def _restored(lots: pl.DataFrame, slices: pl.DataFrame) -> pl.DataFrame:
    """Return the lots as they were: slices are put back into the lots that they were taken from."""
    back = slices.select(
        pl.format("{}/{}-{}", "position_id", "open_name", "lot_rank").alias("lot_id"),
        *LOT,
        *TERMS,
        pl.when(pl.col("side") == "LONG").then("quantity").otherwise(-pl.col("quantity")).alias("quantity"),
        *(pl.col(left).alias(name) for name, left in LEFT.items()),
        pl.col("opened_by").replace_strict(PHASES, return_dtype=pl.Int64).alias("open_phase"),
        "lot_rank",
    )
    both = pl.concat([LOTS.conform(lots), LOTS.conform(back)])
    first = pl.exclude("lot_id", *HELD).first()
    return LOTS.conform(both.group_by("lot_id", maintain_order=True).agg(first, pl.col(*HELD).sum()))


def _earned(positions: pl.DataFrame, later: pl.DataFrame, families: pl.DataFrame) -> pl.DataFrame:
    """Return what positions had realized: what they have by now, less what they have realized since."""
    since = later.group_by("position_id").agg(
        pl.col("realized_pnl").sum().alias("pnl_since"), pl.col("premium").sum().alias("premium_since")
    )
    nothing = pl.lit(0, dtype=MONEY)
    return (
        positions.join(families.select(*FAMILY, "since"), on=FAMILY)
        .join(since, on="position_id", how="left")
        .select(
            *FAMILY,
            "position_id",
            (pl.col("realized_pnl") - pl.col("pnl_since").fill_null(nothing)).alias("realized_pnl"),
            (pl.col("realized_premium") - pl.col("premium_since").fill_null(nothing)).alias("premium"),
            "since",
        )
    )


def _unlike(lots: pl.DataFrame, positions: pl.DataFrame, families: pl.DataFrame) -> dict[str, datetime | None]:
    """Return the groups of which the lots are not those of the positions: their rows of today are not whole."""
    held, known = (rows.select(*FAMILY, "position_id").unique() for rows in (lots, positions))
    odd = [held.join(known, on="position_id", how="anti"), known.join(held, on="position_id", how="anti")]
    groups = pl.concat(odd).join(families, on=FAMILY)["group"]
    return dict.fromkeys(groups.to_list())
