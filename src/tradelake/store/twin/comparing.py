"""What is in a twin against what is in the book: before the commit, by what the rows of each table add up to."""

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


def compare_count(twin: Twin, table: Table, ours: int) -> None:
    """Raise StorageError where a whole table, of which a part was written, has not as many rows as in the book."""
    (theirs,) = twin.row(f"SELECT count(*) FROM {twin.name(table)}") or (0,)
    if ours != theirs:
        raise StorageError(
            f"The twin at {twin.shown} has {theirs} rows in {twin.schema}.{table.name}, the book {ours}. {WHAT_TO_DO}"
        )
