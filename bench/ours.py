"""What tradelake takes: the steps of one book, each run as a child of its own, on the book that the first one made."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import polars as pl

import tradelake as tl
from bench import child, data
from bench.child import Numbers

BATCH = 100
LATE_DAYS = 3
PAST_DAY, MONTH = "2024-02-29", ("2024-03-01", "2024-03-31")
TOLD = ("trade_log", "source_records")
DERIVED = ("positions", "lots", "matches", "position_history", "cash_flows", "refusals")
ACCOUNT, SYMBOL = data.MARKET.accounts[3], data.MARKET.tickers[2]
QUESTIONS: dict[str, Callable[[tl.Book], pl.DataFrame]] = {
    "positions now": lambda book: book.positions(),
    "positions as of a past date": lambda book: book.positions(as_of=PAST_DAY),
    "positions of one account as of a past date": lambda book: book.positions(as_of=PAST_DAY, account=ACCOUNT),
    "history of one symbol": lambda book: book.history(symbol=SYMBOL),
    "realized P&L by month and account": lambda book: book.pnl(["account", "month"]),
    "trades of one account in a month": lambda book: book.trades(account=ACCOUNT, since=MONTH[0], until=MONTH[1]),
}  # fmt: skip


def ingest(folder: str, files: list[str]) -> Numbers:
    """Import files into an empty book, and say apart what reading, recording and folding took."""
    spent: dict[str, float] = {}
    with tl.create(f"{folder}/book") as book:
        book.add_accounts(data.account_rows())
        started = time.perf_counter()
        accepted = 0
        for file in files:
            clock = _Clock(spent)
            receipt = book.ingest("executions", file, progress=clock, more=file != files[-1])
            if not receipt.ok:
                raise AssertionError(f"{file}: {receipt.problems[0]}")
            accepted += receipt.accepted
        fold = child.seconds_of(book.fold)
        seconds = time.perf_counter() - started
        refused = book.refusals()
    # An end of an option may be told before the log ends, and a late fill that it counts on may be told afterwards.
    if refused.height > accepted // 10**6:
        raise AssertionError(f"{refused.height} events have no effect: {refused.row(0)}")
    spent["fold"] = spent.get("fold", 0) + fold
    return {"seconds": seconds, "rows": accepted, "parts": spent}


class _Clock:
    """Adds up the time between the reports of an import, by what was begun with each."""

    def __init__(self, spent: dict[str, float]) -> None:
        self.spent, self.at, self.stage = spent, time.perf_counter(), "read"

    def __call__(self, stage: str, *_: object) -> None:
        now = time.perf_counter()
        self.spent[self.stage] = self.spent.get(self.stage, 0) + now - self.at
        self.at, self.stage = now, stage


def rebuild(folder: str) -> Numbers:
    """Derive everything from the first event."""
    with tl.open(f"{folder}/book") as book:
        report = book.rebuild()
    return {"seconds": report.seconds, "rows": report.sequence, "derived": sum(report.rows.values())}


def check(folder: str) -> Numbers:
    """Derive everything once more, and compare it with what is stored."""
    with tl.open(f"{folder}/book") as book:
        report = book.rebuild(check=True)
    if not report.identical:
        raise AssertionError(f"a rebuild differs: {report.differences[:3]}")
    return {"seconds": report.seconds, "rows": report.sequence}


def queries(folder: str) -> Numbers:
    """Ask the named questions, each of a book that was just opened, and again."""
    found = {}
    for name, ask in QUESTIONS.items():
        found[name] = child.cold_and_warm(lambda: tl.open(f"{folder}/book", read_only=True), ask)
        with tl.open(f"{folder}/book", read_only=True) as book:
            found[name]["rows"] = ask(book).height
    return {"questions": found}


def day(folder: str, file: str) -> Numbers:
    """Open the book, import a day, fold it, and ask for all positions."""
    os.sync()  # so that nobody waits for what was written before
    started = time.perf_counter()
    with tl.open(f"{folder}/book") as book:
        receipt = book.ingest("executions", file)
        recorded = time.perf_counter()
        book.fold()
        folded = time.perf_counter()
        held = book.positions().height
    ended = time.perf_counter()
    if receipt.accepted != data.DAY_ROWS or not held:
        raise AssertionError(f"the day was not taken in: {receipt}")
    return _parts(started, recorded, folded, ended) | {"rows": receipt.accepted}


def _parts(started: float, recorded: float, folded: float, ended: float) -> Numbers:
    parts = {"open and record": recorded - started, "fold": folded - recorded, "positions": ended - folded}
    return {"seconds": ended - started, "parts": parts}


def late(folder: str) -> Numbers:
    """Record a fill that comes three days late for the account and symbol with most events, fold it, and ask for it."""
    busiest = "SELECT account_id, symbol, max(executed_at) FROM trade_log GROUP BY ALL ORDER BY count(*) DESC LIMIT 1"
    with tl.open(f"{folder}/book", read_only=True) as book:
        account, symbol, last = book.sql(busiest).fetchall()[0]
    at = (last - timedelta(days=LATE_DAYS)).isoformat()
    fill = _fill("late", 0) | {"account_id": account, "symbol": symbol, "executed_at": at}
    os.sync()
    started = time.perf_counter()
    with tl.open(f"{folder}/book") as book:
        receipt = book.record(fill)
        recorded = time.perf_counter()
        book.fold()
        folded = time.perf_counter()
        held = book.positions(account=account, symbol=symbol).height
    ended = time.perf_counter()
    if not receipt.accepted or not held:
        raise AssertionError(f"the late fill was not taken in: {receipt}")
    return _parts(started, recorded, folded, ended)


def single(folder: str, count: int) -> Numbers:
    """Record one fill at a time, each durable when `record` returns, ask for the position after each; then batches."""
    recorded, read, batches = [], [], []
    with tl.open(f"{folder}/book") as book:
        for number in range(count):
            fill = _fill(f"single-{number}", number)
            recorded.append(child.seconds_of(lambda fill=fill: book.record(fill)))
            read.append(child.seconds_of(lambda: book.positions(account=ACCOUNT, symbol=SYMBOL)))
        wanted = max(count // 10, 2)
        for number in range(wanted):
            fills = [_fill(f"batch-{number}-{place}", place) for place in range(BATCH)]
            batches.append(child.seconds_of(lambda fills=fills: book.record(fills)))
        if book.trades(account=ACCOUNT, since="2026-01-06").height != count + wanted * BATCH:
            raise AssertionError("not every single fill is in the log")
    found = {"record": recorded, "positions after it": read, "batch": batches}
    return {name: child.percentiles(spent[1:]) for name, spent in found.items()}


def _fill(name: str, second: int) -> dict[str, str]:
    return {
        "trade_id": name,
        "account_id": ACCOUNT,
        "symbol": SYMBOL,
        "asset_type": "STOCK",
        "action": "BUY",
        "executed_at": f"2026-01-06T15:{second // 60:02}:{second % 60:02}Z",
        "quantity": "1",
        "price": "3.25",
        "commission": "0.01",
    }


def shell(folder: str) -> Numbers:
    """Ask for the positions of a small book from the shell, each time in a new process with compiled bytecode."""
    place = f"{folder}/small"
    with tl.create(place) as book:
        book.add_accounts(data.account_rows())
        book.record([_fill(f"small-{number}", number) for number in range(BATCH)])
        book.fold()
    command = [sys.executable, "-m", "tradelake.cli", "--book", place, "positions"]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    spent = []
    for _ in range(child.REPEATS + 2):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=variables)
        spent.append(time.perf_counter() - started)
    return child.percentiles(spent[1:])


def size(folder: str) -> Numbers:
    """Maintain the book, and count the bytes of the newest files of the tables and of the catalog."""
    from bench.round_trip import NOTHING_KEPT

    with tl.open(f"{folder}/book") as book:
        seconds = child.seconds_of(lambda: book.maintain(upkeep=NOTHING_KEPT))
        events = book.sequence
    book_folder = Path(folder) / "book"
    everything = [file for file in book_folder.rglob("*") if file.is_file()]
    return {
        "seconds": seconds,
        "events": events,
        "told": child.bytes_in(table_files(folder, *TOLD)),
        "log": child.bytes_in(table_files(folder, "trade_log")),
        "derived": child.bytes_in(table_files(folder, *DERIVED)),
        "whole": child.bytes_in(everything),
    }


def table_files(folder: str, *tables: str) -> list[Path]:
    """Return the Parquet files of tables of a book that was just maintained: the newest version, and nothing else."""
    places = [Path(folder) / "book" / "data" / "main" / name for name in tables]
    return sorted(file for place in places for file in place.rglob("*.parquet") if "delete" not in file.name)


def reference(folder: str, files: list[str], day_file: str) -> Numbers:
    """Make a book of plain fills, rebuild it, and write what peers are compared with: profit and quantity by pair."""
    shutil.rmtree(f"{folder}/book", ignore_errors=True)
    imported = ingest(folder, files)
    with tl.open(f"{folder}/book") as book:
        started = time.perf_counter()
        book.rebuild()
        rebuilt = time.perf_counter() - started
        _write_reference(book, Path(folder))
    asked = queries(folder)["questions"]
    hot = size(folder)
    found = {"rows": imported["rows"], "ingest": imported["seconds"], "rebuild": rebuilt, "questions": asked}
    return found | {"bytes": hot, "day": day(folder, day_file)["seconds"]}


def _write_reference(book: tl.Book, folder: Path) -> None:
    """Write profit by FIFO net and gross, and what is held, by account and contract, in whole cents."""
    cents = (pl.col("realized_pnl").sum() * 100).cast(pl.Int64)
    # Charges are per unit: those of a closed unit are twice its own.
    unit = pl.when(pl.col("asset_type") == "OPTION").then(data.OPTION_CENTS).otherwise(data.STOCK_CENTS)
    charged = (2 * pl.col("quantity").cast(pl.Int64) * unit).sum()
    keys = ["account_id", "instrument_id"]
    matches = book.matches().group_by(keys).agg(cents.alias("net_cents"), (cents + charged).alias("gross_cents"))
    held = book.positions().select(*keys, pl.col("quantity").cast(pl.Int64))
    both = matches.join(held, on=keys, how="full", coalesce=True).with_columns(
        pl.col("net_cents", "gross_cents", "quantity").fill_null(0)
    )
    both.select(
        pl.col("account_id").alias("account"),
        pl.col("instrument_id").str.replace_all(" ", "", literal=True).alias("contract"),
        "net_cents", "gross_cents", "quantity",
    ).sort("account", "contract").write_parquet(folder / "reference.parquet")  # fmt: skip


STEPS: dict[str, Callable[..., Numbers]] = {
    step.__name__: step for step in (ingest, rebuild, check, queries, day, late, single, shell, size, reference)
}

if __name__ == "__main__":
    child.main(STEPS)
