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
SLOT = ("account_id", "instrument_id")
REPLACED = (POSITIONS, LOTS)
# The event that made a row of the others.
MADE_BY = {MATCHES: "close_sequence", POSITION_HISTORY: "close_sequence", CASH_FLOWS: "sequence", REFUSALS: "sequence"}


def no_families() -> pl.DataFrame:
    """Return an empty frame of families."""
    return pl.DataFrame(schema=dict.fromkeys(FAMILY, pl.String))


def no_events() -> pl.DataFrame:
    """Return an empty frame of sequences."""
    return pl.DataFrame(schema={"sequence": pl.Int64})


def no_slots() -> pl.DataFrame:
    """Return an empty frame of accounts and instruments."""
    return pl.DataFrame(schema=dict.fromkeys(SLOT, pl.String))


@dataclass(frozen=True, slots=True)
class Void:
    """Rows of a derived table that no longer hold: those of some families, and those with some values of its columns.

    `values` has the columns `by`: a position, or the event that has made the row.
    """

    families: pl.DataFrame
    by: tuple[str, ...]
    values: pl.DataFrame

    @property
    def parts(self) -> dict[str, tuple[tuple[str, ...], pl.DataFrame]]:
        """What is void, by a name: columns and their values; nothing that is empty."""
        parts = {"families": (FAMILY, self.families.select(FAMILY)), "values": (self.by, self.values)}
        return {name: part for name, part in parts.items() if part[1].height}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that tell whether a row is void."""
        return tuple(column for columns, _ in self.parts.values() for column in columns)

    def without(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows of the table, with these columns, without those that are void."""
        for columns, values in self.parts.values():
            rows = rows.join(values, on=columns, how="anti", maintain_order="left")
        return rows

    def frames(self, name: str) -> dict[str, pl.DataFrame]:
        """Return the frames that the conditions ask for, by their names, which begin with *name*."""
        return {f"{name}_{part}": values for part, (_, values) in self.parts.items()}

    def held(self, name: str) -> dict[str, str]:
        """Return per part the condition on a row that is void; the frames are known by the same *name*."""
        return {
            part: f"({', '.join(columns)}) IN (SELECT ({', '.join(columns)}) FROM {name}_{part})"
            for part, (columns, _) in self.parts.items()
        }

    def kept(self, name: str) -> list[str]:
        """Return the conditions on a row that still holds."""
        return [f"NOT {text}" for text in self.held(name).values()]


@dataclass(frozen=True, slots=True)
class Derived:
    """Rows of the derived tables for some families.

    `resumed` are positions that are carried on, by account and instrument: they and their lots are replaced, and rows
    of the other tables are added to those that the checkpoint has. `replayed` families lose all of theirs, `rewound`
    ones their positions and lots, and what the events `undone`, by their sequence, had made.
    """

    positions: pl.DataFrame = field(default_factory=POSITIONS.empty)
    lots: pl.DataFrame = field(default_factory=LOTS.empty)
    matches: pl.DataFrame = field(default_factory=MATCHES.empty)
    position_history: pl.DataFrame = field(default_factory=POSITION_HISTORY.empty)
    cash_flows: pl.DataFrame = field(default_factory=CASH_FLOWS.empty)
    refusals: pl.DataFrame = field(default_factory=REFUSALS.empty)
    resumed: pl.DataFrame = field(default_factory=no_slots)
    rewound: pl.DataFrame = field(default_factory=no_families)
    replayed: pl.DataFrame = field(default_factory=no_families)
    undone: pl.DataFrame = field(default_factory=no_events)

    def void(self, table: Table) -> "Void":
        """Return which rows of *table* at the checkpoint are void."""
        if table in REPLACED:
            return Void(pl.concat([self.rewound, self.replayed]), SLOT, self.resumed)
        return Void(self.replayed, (MADE_BY[table],), self.undone.rename({"sequence": MADE_BY[table]}))

    def rows(self, table: Table) -> pl.DataFrame:
        """Return the rows of *table*."""
        frame = getattr(self, table.name)
        if not isinstance(frame, pl.DataFrame):
            raise TypeError(table.name)
        return frame
