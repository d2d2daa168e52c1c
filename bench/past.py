"""Positions as of past moments, in a process that has answered before; against the positions of now."""

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import tradelake as tl
from bench.figure import Figure
from bench.nightly import CHUNK, END, ROUND, START, SYMBOLS, accounts, executions, python

MOMENTS = 20
ACCOUNT, SYMBOL = "ACC-003", "S05"
ASKED = {
    "a position": {"account": ACCOUNT, "symbol": SYMBOL},
    "those of an account": {"account": ACCOUNT},
    "those of all accounts": {},
}
BUILD = """
import json, sys
import tradelake as tl
with tl.create(sys.argv[1]) as book:
    book.add_accounts([{"account_id": name} for name in json.loads(sys.argv[3])])
    for file in json.loads(sys.argv[2]):
        assert book.ingest("executions", file).ok
    assert not book.ingest_marks(sys.argv[4]).problems
    book.fold()
    book.maintain()
"""


def run(rows: int) -> list[Figure]:
    """Measure positions as of moments over the whole of four years, on a book of *rows* executions."""
    # Half a round more than whole rounds leaves a position open in every second family.
    rows = max(1, round(rows / ROUND)) * ROUND + ROUND // 4
    with tempfile.TemporaryDirectory(prefix="tradelake-bench-") as folder:
        files = []
        for first in range(0, rows, CHUNK):
            files.append(f"{folder}/{first}.parquet")
            executions(first, min(CHUNK, rows - first), rows).write_parquet(files[-1])
        marks = Path(folder) / "marks.csv"
        marks.write_text(
            "\n".join(["symbol,mark_date,price", *(f"S{n:02},2024-01-03,{100 + n}.25" for n in range(SYMBOLS))])
        )
        python(BUILD, f"{folder}/book", json.dumps(files), json.dumps(accounts()), str(marks))
        with tl.open(Path(folder) / "book", read_only=True) as book:
            return [_figure(book, rows, what, filters) for what, filters in ASKED.items()]


def _figure(book: tl.Book, rows: int, what: str, filters: dict[str, str]) -> Figure:
    step = (END - START) / (MOMENTS + 1)
    moments = [START + step * number for number in range(1, MOMENTS + 1)]
    seen, times = set(), []
    book.positions(as_of=moments[0], **filters)
    for moment in moments:
        found, taken = _timed(lambda moment=moment: book.positions(as_of=moment, **filters))
        seen.add(found.height)
        times.append(taken)
    if seen == {0}:
        raise AssertionError(f"there never was a position: {filters}")
    now = statistics.median(_timed(lambda: book.positions(**filters))[1] for _ in range(MOMENTS))
    return Figure(
        f"{what} as of a past moment, {rows:,} executions", statistics.median(times), "ms", now, "the same now"
    )


def _timed(call: Callable) -> tuple:
    started = time.perf_counter()
    found = call()
    return found, (time.perf_counter() - started) * 1000
