"""The nightly job with a day of the broker's statement: import, snapshot, reconciliation, maintenance, verification."""

import shutil
import time
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

import tradelake as tl
from bench import child, data
from bench.child import Numbers
from tradelake.jobs.nightly import Night, run_nights

NEW_YORK = ZoneInfo("America/New_York")
BEFORE = max(day for day in data.MARKET.sessions if day.year == 2025)
DAY = min(day for day in data.MARKET.sessions if day.year > 2025)


def prepare(folder: str, day_file: str) -> Numbers:
    """Copy the book, mark what it holds, do the night before, and write the statement of the day."""
    night = Path(folder) / "night"
    shutil.rmtree(night, ignore_errors=True)
    shutil.copytree(f"{folder}/book", night)
    closes, sessions = data.MARKET.closes, data.MARKET.sessions
    lines = [
        f"{ticker},{day},{closes[place, sessions.index(day)] / 100:.2f}"
        for place, ticker in enumerate(data.MARKET.tickers)
        for day in (BEFORE, DAY)
    ]
    marks = Path(folder) / "marks.csv"
    marks.write_text("\n".join(["symbol,mark_date,price", *lines]) + "\n")
    with tl.open(night) as book:
        # Tickers that nobody has traded are unknown to a small book; of the rest every price is taken.
        known = 2 * book.instruments().filter(pl.col("asset_type") == "STOCK").height
        if book.ingest_marks(marks).accepted != known:
            raise AssertionError("not every price was taken")
        run_nights(book, Night(until=BEFORE))
    rows = pl.read_parquet(day_file)
    rows = rows.filter(pl.col("executed_at").dt.convert_time_zone(NEW_YORK.key).dt.date() == DAY)
    (Path(folder) / "statement.xml").write_text(statement(rows, DAY))
    return {"executions": rows.height}


def run(folder: str) -> Numbers:
    """Open the book and do the night, as the scheduler would."""
    started = time.perf_counter()
    with tl.open(f"{folder}/night") as book:
        report = run_nights(book, Night(until=DAY, statements=[Path(folder) / "statement.xml"]))[-1]
    seconds = time.perf_counter() - started
    parts = {step.name: float(step.seconds or 0) for step in report.steps}
    return {"seconds": seconds, "executions": report.imports[0].accepted, "parts": parts}


def statement(rows: pl.DataFrame, day: date) -> str:
    """Return executions as an IBKR Flex statement of each account."""
    on, parts = f"{day:%Y%m%d}", []
    for (account,), mine in rows.group_by("account_id", maintain_order=True):
        trades = "".join(_trade(row) for row in mine.iter_rows(named=True))
        parts.append(
            f'<FlexStatement accountId="{account}" fromDate="{on}" toDate="{on}" '
            f'whenGenerated="{day + timedelta(days=1):%Y%m%d};020000"><Trades>{trades}</Trades></FlexStatement>'
        )
    return (
        f'<FlexQueryResponse queryName="day" type="AF"><FlexStatements count="{len(parts)}">'
        f"{''.join(parts)}</FlexStatements></FlexQueryResponse>"
    )


def _trade(row: dict) -> str:
    sign = "" if row["action"] == "BUY" else "-"
    at = row["executed_at"].astimezone(NEW_YORK)
    terms, symbol = 'assetCategory="STK" multiplier="1"', row["symbol"]
    if row["asset_type"] == "OPTION":
        right = row["option_type"][0]
        symbol = f"{row['symbol']:<6}{row['expiration']:%y%m%d}{right}{int(row['strike'] * 1000):08}"
        terms = (
            f'assetCategory="OPT" multiplier="100" underlyingSymbol="{row["symbol"]}" strike="{row["strike"]}" '
            f'expiry="{row["expiration"]:%Y%m%d}" putCall="{right}"'
        )
    return (
        f'<Trade {terms} symbol="{symbol}" currency="USD" tradeDate="{at:%Y%m%d}" dateTime="{at:%Y%m%d;%H%M%S}" '
        f'quantity="{sign}{row["quantity"]}" tradePrice="{row["price"]}" '
        f'ibCommission="-{row["commission"]}" ibCommissionCurrency="USD" buySell="{row["action"]}" '
        f'ibExecID="{row["broker_execution_id"]}" transactionType="ExchTrade" levelOfDetail="EXECUTION"/>'
    )


STEPS = {"prepare": prepare, "run": run}

if __name__ == "__main__":
    child.main(STEPS)
