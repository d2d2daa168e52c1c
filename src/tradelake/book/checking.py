"""What is stored against what follows from the log."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import polars as pl

from tradelake.errors import InvariantError
from tradelake.tables import Table


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows of a table that differ in one way: how many, in which, and the key of the first."""

    rows: int
    word: str
    first: str


class Comparison:
    """The differences of some tables, added up part by part."""

    def __init__(self) -> None:
        self._found: dict[tuple[Table, str], Difference] = {}

    def take(self, table: Table, differences: Iterable[Difference]) -> None:
        """Take in the differences of a part of a table, whose rows all come before those of the next one."""
        for found in differences:
            before = self._found.get((table, found.word))
            self._found[table, found.word] = found if before is None else replace(before, rows=before.rows + found.rows)

    def differences(self) -> Mapping[Table, list[Difference]]:
        """Return the kinds of difference of each table that has some."""
        found: dict[Table, list[Difference]] = {}
        for (table, _), difference in self._found.items():
            found.setdefault(table, []).append(difference)
        return found

    def lines(self) -> tuple[str, ...]:
        """Return a line for each kind of difference."""
        return tuple(
            f"{table.name}: {found.rows} rows {found.word}, the first is {found.first}"
            for table, kinds in self.differences().items()
            for found in kinds
        )


def differing(table: Table, stored: pl.DataFrame, derived: pl.DataFrame) -> list[Difference]:
    """Return the kinds of difference between what is stored and what was derived."""
    derived = derived.sort(*table.sort, *table.key)
    if stored.equals(derived):
        return []
    keys = list(table.key)
    missing = derived.join(stored, on=keys, how="anti")
    extra = stored.join(derived, on=keys, how="anti")
    shared = stored.join(derived, on=keys, suffix="_derived")
    changed = shared.filter(
        pl.any_horizontal(pl.col(c).ne_missing(pl.col(f"{c}_derived")) for c in table.names if c not in keys)
    )
    doubled = stored.filter(stored.select(keys).is_duplicated())
    lines = []
    for frame, word in (
        (missing, "missing"), (extra, "not derivable"), (changed, "different"), (doubled, "stored more than once"),
    ):  # fmt: skip
        if frame.height:
            first = ", ".join(str(v) for v in frame.select(keys).row(0))
            lines.append(Difference(frame.height, word, first))
    if not lines:
        raise InvariantError(f"{table.name}: two frames differ, but not in any row")
    return lines
