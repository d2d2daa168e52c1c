"""A step of maintenance changes where rows are, and nothing else: how that is seen before it is committed.

Problem: comparing whole tables before and after a step makes a night cost what the history costs. And a transaction
that has written files cannot be asked what was there before: `AT (VERSION => …)` shows its own files too.

Decision: the files that hold the rows are compared first, by name and number of rows: a file is written once, and what
is deleted of it only grows, so that the same number is the same rows; nothing of a value is read for that. What only
one side has is then scanned: rows, and a control total over their keys, numbers and dates. The side before is read by a
session of its own, which sees what is committed.
"""

from collections.abc import Collection

import polars as pl

from tradelake.errors import InvariantError
from tradelake.store.catalog import Catalog
from tradelake.store.literals import literal
from tradelake.tables import Table

Place = tuple[str, int]
Control = tuple[int, int]


def prove_unchanged(catalog: Catalog, table: Table) -> None:
    """Compare a table as the transaction leaves it with what is committed; the caller holds the lease.

    Raises InvariantError where a row or a value would be another.
    """
    before, after = (_places(catalog, table, committed=committed) for committed in (True, False))
    gone, new = before - after, after - before
    was, will_be = control(catalog, table, gone, committed=True), control(catalog, table, new)
    if was != will_be:
        raise InvariantError(
            f"maintenance would have changed {table.name}: count and control total of what it moved were {was}, and "
            f"{will_be} after it; nothing was changed"
        )


def control(catalog: Catalog, table: Table, places: Collection[Place], *, committed: bool = False) -> Control:
    """Return the number of rows in some files of a table, by scan, and a control total of keys, numbers and dates."""
    if not places:
        return 0, 0
    columns = ", ".join(c.name for c in table.columns if c.name in (*table.key, *table.sort) or c.type != "text")
    files = ", ".join(literal(name) for name, _ in sorted(places))
    query = (
        f"SELECT count(*) AS rows, coalesce(sum(hash({columns})), 0) AS total FROM lake.main.{table.name} "
        f"WHERE filename IN ({files})"
    )
    rows, total = catalog.stored(query, committed=committed).row(0)
    return int(rows), int(total)


def _places(catalog: Catalog, table: Table, *, committed: bool) -> set[Place]:
    """Return the files of a table, and what of it is inside the catalog: name and rows."""
    query = f"SELECT filename, count(*) AS rows FROM lake.main.{table.name} GROUP BY ALL"
    found: pl.DataFrame = catalog.stored(query, committed=committed)
    return {(name, int(rows)) for name, rows in found.iter_rows()}
