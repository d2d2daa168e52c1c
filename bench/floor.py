"""The floor: what Polars and DuckDB take to read the same bytes, to group them, and to write as many. Nothing else.

No row is checked, nothing is matched, remembered or synced. The floor of an import reads the delivered files and
writes all tables of the book again; that of a rebuild reads the log and writes the derived tables; that of a question
is the answer from the book's own Parquet files, where somebody has derived them before.
"""

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from bench import child
from bench.child import Numbers
from bench.ours import ACCOUNT, DERIVED, MONTH, PAST_DAY, SYMBOL, TOLD, table_files


def polars(folder: str, read: list[str], write: list[str]) -> Numbers:
    """Read files, group and sum them; then read the tables of a book file by file and write them again."""
    out, started = _empty(folder), time.perf_counter()
    source = pl.scan_parquet(read, missing_columns="insert", extra_columns="ignore")
    keys = [name for name in ("account_id", "symbol") if name in source.collect_schema()]
    source.group_by(keys).agg(pl.col("quantity").cast(pl.Decimal(38, 8)).sum(), pl.len()).collect(engine="streaming")
    for number, file in enumerate(write):
        pl.read_parquet(file).write_parquet(out / f"{number}.parquet")
    return {"seconds": time.perf_counter() - started, "written": child.bytes_in(list(out.iterdir()))}


def duck(folder: str, read: list[str], write: list[str]) -> Numbers:
    """Do the same with DuckDB, a statement for each file."""
    out, started = _empty(folder), time.perf_counter()
    with duckdb.connect() as connection:
        names = f"read_parquet({read}, union_by_name=true)"
        connection.execute(f"SELECT account_id, symbol, sum(quantity), count(*) FROM {names} GROUP BY ALL").fetchall()
        for number, file in enumerate(write):
            target = out / f"{number}.parquet"
            connection.execute(f"COPY (FROM read_parquet('{file}')) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    return {"seconds": time.perf_counter() - started, "written": child.bytes_in(list(out.iterdir()))}


def queries(folder: str) -> Numbers:
    """Ask DuckDB the named questions, of the Parquet files of the book as they lie there."""
    files = {name: [str(file) for file in table_files(folder, name)] for name in (*TOLD, *DERIVED)}

    def of(name: str) -> str:
        return f"read_parquet({files[name]}, union_by_name=true)"

    when = "executed_at < TIMESTAMPTZ '2024-03-01 05:00:00+00'"
    # Quantities only, as no lot is known of a past date; events that are no trades count with the sign of their trade.
    held = f"SELECT account_id, instrument_id, sum(quantity) FROM {of('trade_log')} WHERE kind = 'trade' AND {when}"
    span = f"trade_date BETWEEN '{MONTH[0]}' AND '{MONTH[1]}'"
    asked = {
        "positions now": f"FROM {of('positions')}",
        "positions as of a past date": f"{held} GROUP BY ALL",
        "positions of one account as of a past date": f"{held} AND account_id = '{ACCOUNT}' GROUP BY ALL",
        "history of one symbol": f"FROM {of('position_history')} WHERE symbol = '{SYMBOL}'",
        "realized P&L by month and account": (
            f"SELECT account_id, date_trunc('month', close_date), sum(realized_pnl) FROM {of('matches')} GROUP BY ALL"
        ),
        "trades of one account in a month": f"FROM {of('trade_log')} WHERE account_id = '{ACCOUNT}' AND {span}",
    }
    found = {}
    for name, query in asked.items():
        if not any(files[table] for table in files if f"{files[table]}" in query):
            continue
        found[name] = child.cold_and_warm(_connected, lambda connection, query=query: connection.execute(query).pl())
    return {"questions": found, "as_of": PAST_DAY}


@contextmanager
def _connected() -> Any:
    with duckdb.connect() as connection:
        yield connection


def day(folder: str, file: str) -> Numbers:
    """Read the file of a day, group it, write it, and sync what was written."""
    out, started = _empty(folder), time.perf_counter()
    frame = pl.read_parquet(file)
    frame.group_by("account_id", "symbol").agg(pl.col("quantity").sum())
    with (out / "day.parquet").open("wb") as written:
        frame.write_parquet(written)
        written.flush()
        os.fsync(written.fileno())
    return {"seconds": time.perf_counter() - started}


def single(folder: str, count: int) -> Numbers:
    """Insert one row at a time into a SQLite table, each synced."""
    connection = sqlite3.connect(_empty(folder) / "floor.sqlite", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE fill (body TEXT)")
    insert = "INSERT INTO fill VALUES ('x')"
    times = [child.seconds_of(lambda: connection.execute(insert)) for _ in range(count)]
    connection.close()
    return {"record": child.percentiles(times[1:])}


def _empty(folder: str) -> Path:
    out = Path(folder) / "floor"
    out.mkdir(exist_ok=True)
    for file in out.iterdir():
        file.unlink()
    return out


STEPS: dict[str, Callable[..., Numbers]] = {
    "polars": polars, "duckdb": duck, "queries": queries, "day": day, "single": single,
}  # fmt: skip

if __name__ == "__main__":
    child.main(STEPS)
