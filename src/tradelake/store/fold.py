"""The checkpoint: derived tables as of a log sequence, and their replacement by a fold.

A fold brings the derived tables from checkpoint S to the head. It works by family, an (account, underlying), and by
groups of families that events link: those whose new events all come after what they had are *resumed* from their open
lots, those that something late reaches are *rewound* to just before it, and where that cannot be they are *replayed*
from their first event. All write the same rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from tradelake.store.bulk import insert_rows
from tradelake.store.catalog import Catalog
from tradelake.store.cold import HOT, Span
from tradelake.store.derived import FAMILY, REPLACED, SLOT, Derived
from tradelake.store.literals import instant, literal
from tradelake.tables import ARCHIVE_TOTALS, CHECKPOINT, DERIVED_TABLES, HEAD, TRADE_LOG, Table

# So many names are listed one by one, rather than all between the first and the last.
LISTED = 40
# The rows of a position lie together, so that few positions are found by their ids.
LISTED_POSITIONS = 1_000
# The families of the log, those included of which all is archived.
NAMED = (
    f"SELECT account_id, coalesce(symbol, '') AS symbol FROM {TRADE_LOG.name} "
    f"UNION ALL SELECT account_id, symbol FROM {ARCHIVE_TOTALS.name}"
)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where the derived tables stand: their log sequence, and the latest effective time up to there."""

    sequence: int
    latest_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a book stands: the head of the log with its last commit, and the checkpoint."""

    head: int
    import_run_id: int
    checkpoint: Checkpoint


def read_standing(catalog: Catalog) -> Standing:
    """Return where the log and the derived tables stand."""
    row = catalog.frame(
        "SELECT h.sequence AS head, h.import_run_id, h.archive_run_id, c.sequence, c.latest_at "
        f"FROM {HEAD.name} h, {CHECKPOINT.name} c"
    ).row(0, named=True)
    catalog.cold.stand(catalog.begun, row["archive_run_id"])
    return Standing(row["head"], row["import_run_id"], Checkpoint(row["sequence"], row["latest_at"]))


def family_events(
    catalog: Catalog, families: pl.DataFrame, select: str, where: str = "TRUE", *, span: Span | None = None
) -> pl.DataFrame:
    """Return the rows of *select*, columns of the log, that belong to one of the families; deleted ones left out."""
    with catalog.joined(families=families.select(FAMILY)):
        return catalog.frame(
            f"{select} SEMI JOIN families USING (account_id, symbol) WHERE {_near(families)} AND {where}",
            span=span or Span(families=families.select(FAMILY), closed=True),
        )


def family_rows(catalog: Catalog, table: Table, families: pl.DataFrame, where: str = "TRUE") -> pl.DataFrame:
    """Return the rows of a derived table, as of the checkpoint, that belong to one of the families."""
    with catalog.joined(families=families.select(FAMILY)):
        return catalog.frame(
            f"SELECT t.* FROM {table.name} t SEMI JOIN families USING (account_id, symbol) "
            f"WHERE {_near(families)} AND {where}"
        )


def slot_rows(catalog: Catalog, table: Table, slots: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of positions or lots, as of the checkpoint, of some accounts and instruments."""
    with catalog.joined(slots=slots):
        return catalog.frame(f"SELECT t.* FROM {table.name} t SEMI JOIN slots USING ({', '.join(SLOT)})")


def archives_since(catalog: Catalog, families: pl.DataFrame, since: datetime) -> list[str]:
    """Return the archived parts that have events of some families at or after an instant."""
    with catalog.joined(families=families.select(FAMILY)):
        found = catalog.frame(
            f"SELECT DISTINCT archive_id FROM {ARCHIVE_TOTALS.name} SEMI JOIN families USING (account_id, symbol) "
            f"WHERE latest_at >= {instant(since)}"
        )
    return found["archive_id"].to_list()


def rows_of_positions(catalog: Catalog, table: Table, positions: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Return columns of the rows of a derived table that belong to some positions, as of the checkpoint."""
    select, ids = f"SELECT {', '.join(columns)} FROM {table.name}", positions["position_id"]
    if ids.len() <= LISTED_POSITIONS:
        return catalog.frame(f"{select} WHERE position_id IN ({', '.join(map(literal, ids)) or 'NULL'})")
    with catalog.joined(held=ids.to_frame()):
        return catalog.frame(f"{select} SEMI JOIN held USING (position_id) WHERE {_near(positions)}")


def _near(families: pl.DataFrame) -> str:
    """Return a condition on the names of families: files and row groups are skipped by it, not by a join."""
    named = {name: families[name].unique().sort().to_list() for name in FAMILY}
    if not families.height:
        return "FALSE"
    if max(map(len, named.values())) <= LISTED:
        return " AND ".join(f"{name} IN ({', '.join(map(literal, names))})" for name, names in named.items())
    accounts = named["account_id"]
    return f"account_id BETWEEN {literal(accounts[0])} AND {literal(accounts[-1])}"


def latest_of_families(
    catalog: Catalog, families: pl.DataFrame, sequence: int, since: datetime | None = None
) -> pl.DataFrame:
    """Return per family the latest effective time among the events up to *sequence*, as `latest_at`.

    With *since* hot events before it are left out: they are not looked for in the whole log.
    """
    hot = (
        f"SELECT account_id, symbol, executed_at FROM {TRADE_LOG.name} SEMI JOIN families USING (account_id, symbol) "
        "WHERE sequence <= ?"
    ) + (f" AND executed_at >= {instant(since)}" if since is not None else "")
    cold = (
        f"SELECT account_id, symbol, latest_at FROM {ARCHIVE_TOTALS.name} SEMI JOIN families USING (account_id, symbol)"
    )
    with catalog.joined(families=families):
        return catalog.frame(
            f"SELECT account_id, symbol, max(executed_at) AS latest_at FROM ({hot} UNION ALL {cold}) GROUP BY ALL",
            [sequence],
            HOT,
        )


def replace_derived(catalog: Catalog, derived: Derived, checkpoint: Checkpoint, *, everything: bool = False) -> None:
    """Write the rows of *derived* and move the checkpoint, in the caller's transaction.

    With *everything* the derived tables are emptied first: the rows are those of a full rebuild.
    """
    for table in DERIVED_TABLES:
        if everything:
            catalog.execute(f"DELETE FROM {table.name}")
        else:
            _delete_void(catalog, table, derived)
        insert_rows(catalog, table, derived.rows(table))
    move_checkpoint(catalog, checkpoint)


def _delete_void(catalog: Catalog, table: Table, derived: Derived) -> None:
    """Remove the rows that no longer hold; what is said besides of where they are tells which files to look at."""
    void = derived.void(table)
    with catalog.joined(**void.frames("void")):
        for part, condition in void.held("void").items():
            near = _near(void.families) if part == "families" else "TRUE"
            if part == "values" and table not in REPLACED:
                numbers = derived.undone["sequence"].to_numpy()
                near = f"{void.by[0]} BETWEEN {numbers.min()} AND {numbers.max()} AND {_near(derived.rewound)}"
            catalog.execute(f"DELETE FROM {table.name} WHERE {condition} AND {near}")


def move_checkpoint(catalog: Catalog, checkpoint: Checkpoint) -> None:
    """Let the checkpoint be where the derived tables are now; their files are on disk when this returns."""
    catalog.execute(
        f"UPDATE {CHECKPOINT.name} SET sequence = ?, latest_at = ?",
        [checkpoint.sequence, checkpoint.latest_at.isoformat()],
    )
    catalog.sync()
