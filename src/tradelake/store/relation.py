"""A query over the book as DuckDB sees it: derived tables at the head, table macros for the past."""

import re
from collections.abc import Mapping

import duckdb
import polars as pl

from tradelake.store.catalog import Catalog
from tradelake.store.derived import Void
from tradelake.store.literals import distinct_names
from tradelake.store.query import INSTANTS

Relation = duckdb.DuckDBPyRelation
NAMED_VIEWS = {
    "history": "SELECT * FROM temp.main.position_history",
    "trades": "SELECT * FROM trade_log WHERE kind <> 'cash'",
}


def relation(
    catalog: Catalog,
    query: str,
    tails: Mapping[str, tuple[pl.DataFrame, Void]],
    pasts: Mapping[str, pl.DataFrame],
) -> duckdb.DuckDBPyRelation:
    """Return the rows of *query*, in which each table of *tails* is its checkpoint with the tail folded in.

    A tail is the rows to add, and which stored rows are void. *pasts* are the rows that table macros
    give, by the name of the macro, with the instants that ask for them in `_as_of` and `_as_known`. The caller
    holds a transaction: what is returned is read inside it, and no view outlives it, since it would hide the table
    of its name.
    """
    views = {name: _folded_view(name, void) for name, (_, void) in tails.items()} | NAMED_VIEWS
    frames = {f"{name}_tail": rows for name, (rows, _) in tails.items()}
    frames |= {key: rows for name, (_, void) in tails.items() for key, rows in void.frames(f"{name}_void").items()}
    frames |= {f"{name}_rows": rows for name, rows in pasts.items()}
    # The view of trades is over the log, whatever the query calls it.
    catalog.show_archived(re.sub(r"\btrades\b", "trade_log", query.lower()))
    with catalog.joined(**frames):
        try:
            for name in pasts:
                catalog.connection.execute(_past_macro(name))
            for name, select in views.items():
                catalog.connection.execute(f"CREATE TEMP VIEW {name} AS {select}")
            rows = catalog.connection.sql(query).to_arrow_table()
            for name in reversed(views):
                catalog.connection.execute(f"DROP VIEW temp.main.{name}")
            for name in pasts:
                catalog.connection.execute(f"DROP MACRO TABLE temp.main.{name}")
            return catalog.aside.from_arrow(rows.rename_columns(distinct_names(rows.column_names)))
        except duckdb.Error as error:
            raise catalog.complaint(error) from error


def _past_macro(name: str) -> str:
    """Return the statement that creates a table macro over the rows of the instants that a query asks for."""
    asked = " AND ".join(f"_{instant} IS NOT DISTINCT FROM CAST({instant} AS VARCHAR)" for instant in INSTANTS)
    return (
        f"CREATE TEMP MACRO {name}(as_of := NULL, as_known := NULL) AS TABLE "
        f"SELECT * EXCLUDE (_as_of, _as_known) FROM temp.main.{name}_rows WHERE {asked}"
    )


def _folded_view(name: str, void: Void) -> str:
    """Return the query of a derived table at the head: the checkpoint without its void rows, and the tail."""
    kept = " AND ".join(void.kept(f"temp.main.{name}_void"))
    return (
        f"SELECT * FROM lake.main.{name}{' WHERE ' + kept if kept else ''} "
        f"UNION ALL BY NAME SELECT * FROM temp.main.{name}_tail"
    )
