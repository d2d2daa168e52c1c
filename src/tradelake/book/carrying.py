"""What a fold carries on from the checkpoint: open lots and positions, and what the positions had realized by then.

Of a family that is carried on only those positions are looked at that its new events can touch. What a position had
realized is a sum of its row; only of those that end are the matches read, of which their history is made.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from tradelake.book.groups import FAMILY, NODE, Roots
from tradelake.positions import NOTHING_REALIZED, REALIZED
from tradelake.store import Catalog
from tradelake.store.derived import SLOT, no_families, no_slots
from tradelake.store.fold import family_rows, rows_of_positions, slot_rows
from tradelake.tables import LOTS, MATCHES, OPTION_KINDS, POSITIONS, TRADE_KINDS
from tradelake.units import MONEY, QUANTITY

DELIVERING = ("exercise", "assign")
PLAIN = (*TRADE_KINDS, *OPTION_KINDS, "cash")
EARNED = ["position_id", "realized_pnl", "premium"]
READ = (*REALIZED, "closed_at")
READ_SCHEMA = pl.Schema({name: MATCHES.schema[name] for name in READ})


@dataclass(frozen=True, slots=True)
class Carried:
    """Open lots and positions at the checkpoint."""

    lots: pl.DataFrame = field(default_factory=LOTS.empty)
    positions: pl.DataFrame = field(default_factory=POSITIONS.empty)


class Carrier:
    """Reads what is carried, and remembers it; one serves for as long as the checkpoint stays."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._known = Carried()
        self._families, self._slots = no_families(), no_slots()
        self._read = set[str]()
        self._matches = pl.DataFrame(schema=READ_SCHEMA)

    def carried(self, families: pl.DataFrame, events: pl.DataFrame, roots: Roots) -> Carried:
        """Return what events in effect can touch of families."""
        whole, slots = families, no_slots()
        if events["kind"].is_in(PLAIN).all():
            # Shares may have another symbol than the option that delivers them.
            options = events.filter(pl.col("kind").is_in(DELIVERING)).select(FAMILY).unique()
            whole = roots.families(roots.nodes(options).select(NODE)).select(FAMILY)
            slots = events.select(SLOT).drop_nulls().unique()
        self._learn(whole.join(self._families, on=FAMILY, how="anti"), slots.join(self._slots, on=SLOT, how="anti"))
        held = self._known.positions
        wanted = pl.concat(
            [
                held.join(whole, on=FAMILY, how="semi").select("position_id"),
                held.join(slots, on=SLOT, how="semi").select("position_id"),
            ]
        )
        lots, positions = (
            rows.join(wanted, on="position_id", how="semi", maintain_order="left") for rows in (self._known.lots, held)
        )
        return Carried(lots, positions)

    def _learn(self, families: pl.DataFrame, slots: pl.DataFrame) -> None:
        """Read the rows of families, and of accounts and instruments, that are not known yet."""
        self._families, self._slots = pl.concat([self._families, families]), pl.concat([self._slots, slots])
        known = [self._known]
        if families.height:
            known.append(Carried(*(family_rows(self._catalog, table, families) for table in (LOTS, POSITIONS))))
        if slots.height:
            known.append(Carried(*(slot_rows(self._catalog, table, slots) for table in (LOTS, POSITIONS))))
        if len(known) > 1:
            lots = pl.concat([LOTS.conform(part.lots) for part in known])
            positions = pl.concat([POSITIONS.conform(part.positions) for part in known])
            self._known = Carried(
                lots.unique("lot_id", maintain_order=True), positions.unique("position_id", maintain_order=True)
            )

    def prior(self, earned: pl.DataFrame) -> Callable[[pl.DataFrame], pl.DataFrame]:
        """Return what says, of episodes, what carried positions had realized before, as rows with REALIZED.

        `earned` has account_id, symbol, EARNED and, where that is not the checkpoint, `since`: the first instant that
        does not count.
        """

        def of(episodes: pl.DataFrame) -> pl.DataFrame:
            ended = earned.join(episodes.drop_nulls("close_sequence"), on="position_id", how="semi")
            sums = earned.join(ended, on="position_id", how="anti").select(
                "position_id",
                pl.lit("trade").alias("how"),
                pl.lit(0, dtype=QUANTITY).alias("quantity"),
                pl.col("realized_pnl").alias("proceeds"),
                pl.lit(0, dtype=MONEY).alias("cost"),
                "realized_pnl",
                "premium",
            )
            return pl.concat([sums.select(REALIZED).cast(NOTHING_REALIZED.schema), self._matches_of(ended)])

        return of

    def _matches_of(self, positions: pl.DataFrame) -> pl.DataFrame:
        """Return the matches of positions, before `since` where that is given."""
        missing = positions.filter(~pl.col("position_id").is_in(list(self._read)))
        if missing.height:
            rows = rows_of_positions(self._catalog, MATCHES, missing, READ)
            self._matches = pl.concat([self._matches, rows.select(READ).cast(READ_SCHEMA)])
            self._read |= set(missing["position_id"])
        rows = self._matches.join(positions, on="position_id", how="semi")
        if "since" in positions.columns:
            since = positions.select("position_id", "since")
            rows = rows.join(since, on="position_id").filter(pl.col("closed_at") < pl.col("since"))
        return rows.select(REALIZED)
