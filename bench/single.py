"""One durable fill at a time, and the positions right after it."""

import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import tradelake as tl
from bench.figure import Figure

FILLS = 60


def run(_rows: int) -> list[Figure]:
    """Measure `record` of a single fill and `positions` after it, on a SQLite and on a DuckDB catalog."""
    with tempfile.TemporaryDirectory(prefix="tradelake-bench-") as folder:
        floor = _sqlite_commit(Path(folder) / "floor.sqlite")
        figures = []
        for name, target in (("SQLite", f"{folder}/sqlite"), ("DuckDB", f"duckdb:{folder}/duckdb")):
            record, positions = _record(target)
            figures += [
                Figure(f"record one fill, {name} catalog, median", record, "ms", floor, "one synced SQLite commit"),
                Figure(f"positions right after it, {name} catalog, median", positions, "ms"),
            ]
    return figures


def _record(target: str) -> tuple[float, float]:
    recorded, read = [], []
    with tl.create(target) as book:
        book.add_accounts([{"account_id": "GEN-1"}])
        for number in range(FILLS):
            fill = {
                "trade_id": f"t{number}",
                "broker_execution_id": f"0000e0d5.{number:08x}.01.01",
                "account_id": "GEN-1",
                "contract_symbol": "NVDA  260116P00150000",
                "action": "SELL_TO_OPEN",
                "executed_at": f"2026-01-05T15:{number // 60:02d}:{number % 60:02d}Z",
                "quantity": "1",
                "price": "3.25",
                "commission": "0.65",
            }
            recorded.append(_milliseconds(lambda fill=fill: book.record(fill)))
            read.append(_milliseconds(book.positions))
            held = book.positions()["quantity"][0]
            if held != -(number + 1):
                raise AssertionError(f"the position does not show the fill: {held}")
    return statistics.median(recorded[1:]), statistics.median(read[1:])


def _milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000


def _sqlite_commit(path: Path) -> float:
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE fill (body TEXT)")
        times = [_milliseconds(lambda: connection.execute("INSERT INTO fill VALUES ('x')")) for _ in range(FILLS)]
    connection.close()
    return statistics.median(times)
