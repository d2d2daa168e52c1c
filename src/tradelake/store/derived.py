"""What follows from the log for some families, and which rows of the checkpoint it takes the place of."""

from dataclasses import dataclass, field

import polars as pl

from tradelake.tables import (
    CASH_FLOWS,
    LOTS,
    MATCHES,
    POSITION_HISTORY,
    POSITIONS,
    REFUSALS,
    Table,
)

FAMILY = ("account_id", "symbol")
REPLACED = (POSITIONS, LOTS)
# The event that made a row of the others.
MADE_BY = {MATCHES: "close_sequence", POSITION_HISTORY: "close_sequence", CASH_FLOWS: "sequence", REFUSALS: "sequence"}


def no_families() -> pl.DataFrame:
    """Return an empty frame of families."""
    return pl.DataFrame(schema=dict.fromkeys(FAMILY, pl.String))


def no_events() -> pl.DataFrame:
    """Return an empty frame of sequences."""
    return pl.DataFrame(schema={"sequence": pl.Int64})


@dataclass(frozen=True, slots=True)
class Void:
    """Rows of a derived table that no longer hold: those of some families, and those that some events had made."""

    families: pl.DataFrame
    made_by: str = ""
    events: pl.DataFrame = field(default_factory=no_events)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that tell whether a row is void."""
        return (*(FAMILY if self.families.height else ()), *((self.made_by,) if self.events.height else ()))

    def without(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows of the table, with these columns, without those that are void."""
        if self.families.height:
            rows = rows.join(self.families, on=FAMILY, how="anti", maintain_order="left")
        if self.events.height:
            rows = rows.join(self.events, left_on=self.made_by, right_on="sequence", how="anti", maintain_order="left")
        return rows

    def frames(self, name: str) -> dict[str, pl.DataFrame]:
        """Return the frames that `sql` asks for, by their names, which begin with *name*."""
        return {f"{name}_families": self.families, f"{name}_events": self.events}

    def kept(self, name: str) -> list[str]:
        """Return the conditions on a row that still holds; the frames are known by the same *name*."""
        texts = []
        if self.families.height:
            texts.append(f"(account_id, symbol) NOT IN (SELECT (account_id, symbol) FROM {name}_families)")
        if self.events.height:
            texts.append(f"{self.made_by} NOT IN (SELECT sequence FROM {name}_events)")
        return texts


@dataclass(frozen=True, slots=True)
class Derived:
    """Rows of the derived tables for some families.

    `resumed` families keep the matches, history, cash flows and refusals that the checkpoint has, and these rows
    are added; `replayed` families lose theirs, `rewound` ones those that the events `undone`, by their sequence, had
    made. Positions and lots are replaced for all.
    """

    positions: pl.DataFrame = field(default_factory=POSITIONS.empty)
    lots: pl.DataFrame = field(default_factory=LOTS.empty)
    matches: pl.DataFrame = field(default_factory=MATCHES.empty)
    position_history: pl.DataFrame = field(default_factory=POSITION_HISTORY.empty)
    cash_flows: pl.DataFrame = field(default_factory=CASH_FLOWS.empty)
    refusals: pl.DataFrame = field(default_factory=REFUSALS.empty)
    resumed: pl.DataFrame = field(default_factory=no_families)
    rewound: pl.DataFrame = field(default_factory=no_families)
    replayed: pl.DataFrame = field(default_factory=no_families)
    undone: pl.DataFrame = field(default_factory=no_events)

    def void(self, table: Table) -> "Void":
        """Return which rows of *table* at the checkpoint are void."""
        if table in REPLACED:
            return Void(pl.concat([self.resumed, self.rewound, self.replayed]))
        return Void(self.replayed, MADE_BY[table], self.undone)

    def rows(self, table: Table) -> pl.DataFrame:
        """Return the rows of *table*."""
        frame = getattr(self, table.name)
        if not isinstance(frame, pl.DataFrame):
            raise TypeError(table.name)
        return frame
