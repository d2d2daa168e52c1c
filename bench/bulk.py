"""A bulk import with all derived tables, in a process of its own so that its memory is its own."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

from bench.data import account_ids, write_executions
from bench.figure import Figure

CHILD = """
import json, resource, sys, time
import tradelake as tl
path, book_path, accounts = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
with tl.create(book_path) as book:
    book.add_accounts([{"account_id": name} for name in accounts])
    started = time.perf_counter()
    receipt = book.ingest("executions", path)
    imported = time.perf_counter() - started
    started = time.perf_counter()
    again = book.ingest("executions", path)
    repeated = time.perf_counter() - started
    started = time.perf_counter()
    positions = book.positions(account=accounts[0]).height
    read = time.perf_counter() - started
    check = book.rebuild(check=True)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "linux" else 2**30)
print(json.dumps({
    "imported": imported, "repeated": repeated, "read": read, "peak": peak, "accepted": receipt.accepted,
    "duplicates": again.duplicates, "identical": check.identical, "rebuilt": check.seconds,
}))
"""


def run(rows: int) -> list[Figure]:
    """Measure the import of *rows* executions from Parquet into an empty book."""
    with tempfile.TemporaryDirectory(prefix="tradelake-bench-") as folder:
        path = Path(folder) / "executions.parquet"
        write_executions(path, rows)
        floor = _floor(path)
        command = [sys.executable, "-c", CHILD, str(path), f"{folder}/book", json.dumps(account_ids())]
        finished = subprocess.run(command, check=True, capture_output=True, text=True)
    got = json.loads(finished.stdout.splitlines()[-1])
    if (got["accepted"], got["duplicates"], got["identical"]) != (rows, rows, True):
        raise AssertionError(f"the import is not what it should be: {got}")
    what = "read and group-sum the same file"
    return [
        Figure(f"import {rows:,} executions, all tables derived", got["imported"], "s", floor, what),
        Figure("the same file again: all duplicates", got["repeated"], "s", floor, what),
        Figure("rebuild from the first event and compare", got["rebuilt"], "s", floor, what),
        Figure("positions of one account", got["read"] * 1000, "ms"),
        Figure("peak memory of the process", got["peak"], "GB"),
    ]


def _floor(path: Path) -> float:
    started = time.perf_counter()
    pl.read_parquet(path).group_by("account_id", "symbol").agg(pl.col("quantity", "commission").sum())
    return time.perf_counter() - started
