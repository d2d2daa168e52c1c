"""An order of tables in which each comes after those that it refers to."""

from collections.abc import Sequence

from tradelake.errors import InvariantError
from tradelake.tables.columns import Table


def dependency_order(tables: Sequence[Table]) -> list[Table]:
    """Return *tables* so that each follows those that it refers to, otherwise in the order given.

    A table may refer to itself. InvariantError where tables refer to each other in a circle.
    """
    waiting = list(tables)
    known = {table.name for table in tables}
    ordered: list[Table] = []
    while waiting:
        placed = {table.name for table in ordered}
        ready = [t for t in waiting if (_referred(t) & known) - {t.name} <= placed]
        if not ready:
            raise InvariantError(f"tables refer to each other in a circle: {', '.join(t.name for t in waiting)}")
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return ordered


def _referred(table: Table) -> set[str]:
    return {column.references.partition(".")[0] for column in table.columns if column.references}
