"""What is in a twin against what is in the book: before the commit, by what the rows of each table add up to."""

from collections.abc import Mapping

from tradelake.errors import StorageError
from tradelake.store.twin.encode import Totals, totals_of, totals_query
from tradelake.store.twin.server import Twin
from tradelake.tables import Table

WHAT_TO_DO = "Nothing was changed. If somebody else has written there, export into a new schema (--schema NAME)."


def compare(twin: Twin, table: Table, ours: Totals, condition: str = "") -> None:
    """Raise StorageError where the rows of a table that meet a condition are not those of the book."""
    theirs = totals_of(table, twin.row(totals_query(table, twin.name(table), condition)) or ())
    different = ours.differences(theirs)
    if different:
        raise StorageError(
            f"What the twin at {twin.shown} has in {twin.schema}.{table.name} is not what the book has: {different}. "
            f"{WHAT_TO_DO}"
        )


def compare_counts(twin: Twin, ours: Mapping[Table, int]) -> None:
    """Raise StorageError where a whole table, of which a part was written, has not as many rows as in the book."""
    counts = ", ".join(f"(SELECT count(*) FROM {twin.name(table)})" for table in ours)
    for (table, here), there in zip(ours.items(), twin.row(f"SELECT {counts}") or (), strict=True):
        if here != there:
            raise StorageError(
                f"The twin at {twin.shown} has {there} rows in {twin.schema}.{table.name}, the book {here}. "
                f"{WHAT_TO_DO}"
            )
