"""The rows of a table into the lake: few as a statement, many as Parquet files that the commit takes in.

Problem. DuckLake's INSERT writes the files of all months at once, at a third of the speed of Polars. Decision. Where
the data are in a folder, many rows become one file, or one for each month of a table that has months, beside those that
DuckLake writes; the commit takes them in, and reads their statistics for itself. What no commit names is an orphan,
which maintenance finds. A file must not be taken in twice: every attempt at a commit writes its own.
"""

from collections.abc import Iterator
from itertools import pairwise
from uuid import uuid4

import numpy as np
import polars as pl

from tradelake.store.ahead import worked_ahead
from tradelake.store.catalog import Catalog
from tradelake.store.chain import month_number
from tradelake.store.parquet import parquet_writer
from tradelake.store.session import INLINE_ROWS
from tradelake.tables import Table

# From so many rows on a file is written sooner than they are inserted one by one.
FILES_FROM = 250
# Rows of an INSERT: it has the files of all its months open.
ROWS_AT_ONCE = 100_000


def insert_rows(catalog: Catalog, table: Table, rows: pl.DataFrame) -> None:
    """Append rows of a table in the order that it is sorted by, in the caller's transaction."""
    if rows.height >= FILES_FROM and can_name_files(catalog):
        _write(catalog, table, rows)
    elif rows.height > INLINE_ROWS and table.partition_date:
        _insert(catalog, table, rows)
    else:
        catalog.insert(table.name, rows.sort(*table.sort) if table.sort and rows.height > 1 else rows)


def can_name_files(catalog: Catalog) -> bool:
    """Return whether the data are in a folder, and no part of its name says `column=value`, as that of a month does."""
    return catalog.place.local and "=" not in catalog.data_folder


def _months(rows: pl.DataFrame, table: Table) -> tuple[np.ndarray, np.ndarray, list[int]]:
    """Return the places of rows by month and in order, where each month begins there, with the end, and the months."""
    keys = rows.select(month_number(table).alias("month"), *table.sort)
    order = keys.select(pl.arg_sort_by(keys.columns))[:, 0].to_numpy()
    months = keys["month"].to_numpy()[order]
    starts = np.flatnonzero(np.diff(months, prepend=-1))
    return order, np.append(starts, rows.height), months[starts].tolist()


def _insert(catalog: Catalog, table: Table, rows: pl.DataFrame) -> None:
    order, bounds, _ = _months(rows, table)
    for start, end in _batches(bounds.tolist()):
        catalog.insert(table.name, rows[order[start:end]])


def _batches(bounds: list[int]) -> Iterator[tuple[int, int]]:
    """Yield whole months together until they are ROWS_AT_ONCE."""
    start = 0
    for end, following in pairwise([*bounds[1:], bounds[-1]]):
        if end == following or following - start > ROWS_AT_ONCE:
            yield start, end
            start = end


def _write(catalog: Catalog, table: Table, rows: pl.DataFrame) -> None:
    order, bounds, months = _months(rows, table)
    base, job = f"{catalog.data_folder}main/{table.name}/", uuid4().hex
    paths = [f"{base}{_folder(month)}{job}-{month}.parquet" for month in months]
    files = zip(pairwise(bounds.tolist()), paths, strict=True)
    with parquet_writer(base) as write:
        for _ in worked_ahead(lambda file: write(rows[order[slice(*file[0])]], file[1]), files):
            pass
    catalog.take_in(table.name, paths, by_month=bool(table.partition_date))


def _folder(month: int) -> str:
    return f"year={month // 12}/month={month % 12 + 1}/" if month else ""
