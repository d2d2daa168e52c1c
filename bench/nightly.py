"""The nightly job on a short and on a long history, with the same day in both: what a night costs is what its day has.

Both books have the same accounts, the same open positions and the same years; one has ten times the executions. The
night imports a statement of 1,000 of them, takes the snapshot, reconciles, maintains and verifies.
"""

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from bench.data import CENTS
from bench.figure import Figure

ACCOUNTS, SYMBOLS = 200, 40
FAMILIES = ACCOUNTS * SYMBOLS
ROUND = 2 * FAMILIES
CHUNK = 1_000_000
DAY = 1_000
START, END = datetime(2022, 1, 3, 15, tzinfo=UTC), datetime(2026, 1, 8, 20, tzinfo=UTC)
NIGHT = datetime(2026, 1, 9, 15, tzinfo=UTC)
EXPIRY = "2027-01-15"

BUILD = """
import json, sys
import tradelake as tl
from datetime import date
from pathlib import Path
from tradelake.jobs.nightly import Night, run_nights
book_path, files, accounts, marks = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4]
with tl.create(book_path) as book:
    book.add_accounts([{"account_id": name} for name in accounts])
    for file in files:
        assert book.ingest("executions", file).ok
    book.fold()
    assert not book.ingest_marks(marks).problems
    run_nights(book, Night(until=date(2026, 1, 8)))
"""
RUN = """
import json, sys, time, resource
started = time.perf_counter()
import tradelake as tl
from datetime import date
from pathlib import Path
from tradelake.jobs.nightly import Night, run_nights
with tl.open(sys.argv[1]) as book:
    report = run_nights(book, Night(until=date(2026, 1, 9), statements=[Path(sys.argv[2])]))[-1]
took = time.perf_counter() - started
print(json.dumps({
    "took": took, "new": report.imports[0].accepted, "breaks": report.breaks.height, "positions": report.position_count,
    "steps": {step.name: str(step.seconds) for step in report.steps},
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
}))
"""


def run(rows: int) -> list[Figure]:
    """Measure a night on *rows* executions and on ten times as many."""
    # Whole rounds of all families end with the same positions.
    rows = max(1, round(rows / ROUND)) * ROUND
    nights = [_night(count) for count in (rows, 10 * rows)]
    for night in nights:
        if night["new"] != DAY or night["positions"] != nights[0]["positions"]:
            raise AssertionError(f"the nights are not alike: {nights}")
    short, long = (float(night["took"]) for night in nights)
    figures = [
        Figure(f"a night with {DAY:,} new on {10 * rows:,} executions", long, "s", short, f"the same on {rows:,}"),
        Figure("peak memory of that night", float(nights[1]["peak"]), "GB"),
    ]
    for name in nights[0]["steps"]:
        before, after = (float(night["steps"][name]) for night in nights)
        if before > 0.05:
            figures.append(Figure(f"  {name}", after, "s", before, f"the same on {rows:,}"))
    return figures


def _night(rows: int) -> dict:
    with tempfile.TemporaryDirectory(prefix="tradelake-bench-") as folder:
        place = Path(folder)
        files = []
        for first in range(0, rows, CHUNK):
            files.append(str(place / f"{first}.parquet"))
            executions(first, min(CHUNK, rows - first), rows).write_parquet(files[-1])
        marks = place / "marks.csv"
        lines = [f"S{n:02},2026-01-0{day},{100 + n}.25" for n in range(SYMBOLS) for day in (8, 9)]
        marks.write_text("\n".join(["symbol,mark_date,price", *lines]) + "\n")
        statement = place / "statement.xml"
        statement.write_text(_statement(executions(rows, DAY, rows)))
        python(BUILD, f"{folder}/book", json.dumps(files), json.dumps(accounts()), str(marks))
        return json.loads(python(RUN, f"{folder}/book", str(statement)).splitlines()[-1])


def python(code: str, *arguments: str) -> str:
    """Run code in a process of its own, and return what it printed."""
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr)
    return done.stdout


def accounts() -> list[str]:
    """Return the names of the accounts."""
    return [f"ACC-{number:03}" for number in range(ACCOUNTS)]


def executions(first: int, count: int, whole: int, *, start: datetime = START) -> pl.DataFrame:
    """Return executions by number: every family opens and closes in turn, so that few positions are open at a time."""
    number = np.arange(first, first + count)
    family, turn = number % FAMILIES, number // FAMILIES
    pair = turn // 2
    mixed = np.random.default_rng(1).integers(0, 2**31, FAMILIES)[family] + pair * 2_654_435_761
    seconds = (END - start).total_seconds()
    at = np.where(number < whole, number * (seconds / whole), 0).astype(np.int64)
    option, opens = family % 2 == 1, turn % 2 == 0
    frame = pl.DataFrame(
        {
            "number": number,
            "account": family // SYMBOLS,
            "symbol": family % SYMBOLS,
            "option": option,
            "buy": opens != option,
            "at": at,
            "late": number - whole,
            "quantity": 1 + mixed % 20,
            "price": 100 + (mixed // 7 + turn * 13) % 20_000,
            "commission": mixed % 200,
            "strike": 5_000 * (1 + pair % 4),
        }
    )
    instant = (
        pl.when(pl.col("late") < 0)
        .then(pl.lit(start) + pl.duration(seconds=pl.col("at")))
        .otherwise(pl.lit(NIGHT) + pl.duration(seconds=pl.col("late")))
    )
    only = pl.col("option")
    return frame.select(
        pl.format("0000e0d5.{}.01.01", pl.col("number").cast(pl.String).str.zfill(9)).alias("broker_execution_id"),
        pl.format("ACC-{}", pl.col("account").cast(pl.String).str.zfill(3)).alias("account_id"),
        pl.format("S{}", pl.col("symbol").cast(pl.String).str.zfill(2)).alias("symbol"),
        pl.when(only).then(pl.lit("OPTION")).otherwise(pl.lit("STOCK")).alias("asset_type"),
        pl.when("buy").then(pl.lit("BUY")).otherwise(pl.lit("SELL")).alias("action"),
        instant.alias("executed_at"),
        pl.col("quantity").cast(CENTS).alias("quantity"),
        *((pl.col(name).cast(CENTS) / 100).cast(CENTS).alias(name) for name in ("price", "commission")),
        pl.when(only).then((pl.col("strike").cast(CENTS) / 100).cast(CENTS)).alias("strike"),
        pl.when(only).then(pl.lit(EXPIRY).str.to_date()).alias("expiration"),
        pl.when(only).then(pl.lit("PUT")).alias("option_type"),
    )


def _statement(rows: pl.DataFrame) -> str:
    """Return executions as an IBKR Flex statement of each account."""
    parts = []
    for (account,), mine in rows.group_by("account_id", maintain_order=True):
        trades = "".join(_trade(row) for row in mine.iter_rows(named=True))
        parts.append(
            f'<FlexStatement accountId="{account}" fromDate="20260109" toDate="20260109" '
            f'whenGenerated="20260110;020000"><Trades>{trades}</Trades></FlexStatement>'
        )
    return (
        f'<FlexQueryResponse queryName="day" type="AF"><FlexStatements count="{len(parts)}">'
        f"{''.join(parts)}</FlexStatements></FlexQueryResponse>"
    )


def _trade(row: dict) -> str:
    sign = "" if row["action"] == "BUY" else "-"
    # New York is five hours behind in January.
    at = (row["executed_at"] - timedelta(hours=5)).strftime("%Y%m%d;%H%M%S")
    terms = 'assetCategory="STK" multiplier="1"'
    symbol = row["symbol"]
    if row["asset_type"] == "OPTION":
        strike = row["strike"].normalize()
        symbol = f"{row['symbol']:<6}270115P{int(row['strike'] * 1000):08}"
        terms = (
            f'assetCategory="OPT" multiplier="100" underlyingSymbol="{row["symbol"]}" strike="{strike:f}" '
            f'expiry="20270115" putCall="P"'
        )
    return (
        f'<Trade {terms} symbol="{symbol}" currency="USD" tradeDate="20260109" dateTime="{at}" '
        f'quantity="{sign}{row["quantity"].normalize():f}" tradePrice="{row["price"]}" '
        f'ibCommission="-{row["commission"]}" ibCommissionCurrency="USD" buySell="{row["action"]}" '
        f'ibExecID="{row["broker_execution_id"]}" transactionType="ExchTrade" levelOfDetail="EXECUTION"/>'
    )
