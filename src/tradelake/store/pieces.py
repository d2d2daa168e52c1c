"""Parts of the derived tables that other processes write as files, and the one commit that takes them all in.

Problem: the parts of a rebuild are written by processes that may die at any point, run twice, or finish after another
did the same work. Decision: every attempt writes files under a name of its own into the folder of the table, brings
them to disk on its machine, and only then says their names. The commit names the files of exactly one attempt of each
part, empties the tables before, and counts afterwards that the rows are those that were said. What no commit names is
an orphan, which maintenance finds beside all others.

Limit: a file must not be taken in twice, so that this commit is never repeated by itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb
import polars as pl

from tradelake.errors import InvariantError
from tradelake.store.catalog import Catalog
from tradelake.store.derived import Derived
from tradelake.store.durable import sync_folder
from tradelake.store.fold import Checkpoint, move_checkpoint
from tradelake.store.parquet import parquet_writer
from tradelake.store.place import place_of
from tradelake.tables import DERIVED_TABLES, LOTS


@dataclass(frozen=True, slots=True)
class Piece:
    """A file with rows of a derived table that no commit names yet."""

    table: str
    path: str
    rows: int
    size_bytes: int


def write_pieces(catalog: Catalog, derived: Derived, name: str, *, folder: str | None = None) -> tuple[Piece, ...]:
    """Write derived rows to new files, one per table that has any; they are on disk when this returns.

    A file is called by *name* and the table; it is put beside those of the book, or below another *folder*.
    """
    pieces = []
    base, place = (f"{catalog.data_folder}main/", catalog.place) if folder is None else (folder, place_of(folder))
    try:
        with parquet_writer(base) as write:
            for table in DERIVED_TABLES:
                rows = derived.rows(table)
                if rows.height:
                    # The digest of a file is noted under its name alone.
                    path = f"{base}{table.name}/{name}-{table.name}.parquet"
                    write(table.conform(rows).sort(*table.sort), path)
                    pieces.append(Piece(table.name, path, rows.height, place.size(path) or 0))
    except duckdb.Error as error:
        raise catalog.failed(error) from error
    sync_folder(base)
    return tuple(pieces)


def replace_by_pieces(catalog: Catalog, pieces: Iterable[Piece], checkpoint: Checkpoint) -> Mapping[str, int]:
    """Let the derived tables be the rows of some files, in the caller's transaction; return the rows by table.

    Raises InvariantError where a table then has other rows than were said to be written.
    """
    files: dict[str, list[Piece]] = defaultdict(list)
    for piece in pieces:
        files[piece.table].append(piece)
    counts = {}
    for table in DERIVED_TABLES:
        catalog.execute(f"DELETE FROM {table.name}")
        catalog.take_in(table.name, [piece.path for piece in files[table.name]])
        counts[table.name] = sum(piece.rows for piece in files[table.name])
        # By a column, so that the rows are counted where they are and not in what the catalog says.
        there = catalog.frame(f"SELECT count(symbol || '') AS there FROM {table.name}")["there"].item()
        if there != counts[table.name]:
            raise InvariantError(f"{table.name}: {counts[table.name]:,} rows were written and {there:,} are there")
    move_checkpoint(catalog, checkpoint)
    return counts


def stored_families(catalog: Catalog) -> pl.DataFrame:
    """Return the families that have derived rows: account_id and symbol."""
    each = [f"SELECT account_id, symbol FROM {table.name}" for table in DERIVED_TABLES]
    found = catalog.frame(f"SELECT DISTINCT * FROM ({' UNION ALL '.join(each)})")
    return found.cast({name: LOTS.schema[name] for name in found.columns})
