"""psql answers from the twin what the book answers itself."""

import io
import os
import subprocess
from collections.abc import Callable

import polars as pl
import pytest

import tradelake as tl
from tests.books import SAMPLE_FLEX, Patterns, frame
from tests.postgres import PostgresServer
from tradelake.tables import MATCHES, POSITION_HISTORY, POSITIONS, TRADE_LOG

MONEY = MATCHES.schema["realized_pnl"]


@pytest.fixture(scope="module")
def book(patterns: Patterns, tmp_path_factory: pytest.TempPathFactory):
    with patterns.copy("sqlite", tmp_path_factory.mktemp("asked") / "book").open() as book:
        book.ingest("ibkr-flex", SAMPLE_FLEX)
        yield book


@pytest.fixture(scope="module")
def asked(book: tl.Book, prepared_url: Callable[[], str], postgres_server: PostgresServer):
    """Ask the twin of the book with psql; the answer is a frame of texts."""
    url = prepared_url()
    book.export_postgres(url)

    def ask(query: str) -> pl.DataFrame:
        command = [str(postgres_server.binaries / "psql"), "--no-psqlrc", "--csv", url, "-c", query]
        environment = {**os.environ, "PGOPTIONS": "-c search_path=tradelake -c TimeZone=UTC"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return pl.read_csv(io.StringIO(done.stdout), infer_schema=False)

    return ask


def test_open_positions_by_account(book, asked):
    names = ["account_id", "instrument_id", "quantity", "cost_basis", "realized_pnl", "open_date"]
    theirs = asked(f"SELECT {', '.join(names)} FROM positions ORDER BY account_id, symbol, instrument_id")
    ours = frame(book.positions()).sort(*POSITIONS.sort).select(names)
    assert theirs.cast(dict(ours.schema)).equals(ours)
    assert ours.height == 6


def test_the_history_of_a_symbol(book, asked):
    names = ["instrument_id", "side", "quantity_closed", "open_date", "close_date", "proceeds", "cost", "realized_pnl"]
    order = ["closed_at", "position_id"]
    theirs = asked(f"SELECT {', '.join(names)} FROM position_history WHERE symbol = 'NVDA' ORDER BY {', '.join(order)}")
    ours = frame(book.history(symbol="NVDA")).sort(order).select(names)
    assert theirs.cast(dict(ours.schema)).equals(ours)
    assert set(names) < set(POSITION_HISTORY.names)
    events = asked("SELECT trade_id, quantity, price FROM trade_log WHERE symbol = 'NVDA' ORDER BY sequence")
    told = book.sql("SELECT trade_id, quantity, price FROM trade_log WHERE symbol = 'NVDA' ORDER BY sequence").pl()
    assert events.cast({name: TRADE_LOG.schema[name] for name in events.columns}).equals(told)


def test_realized_profit_by_month(book, asked):
    theirs = asked(
        "SELECT account_id, to_char(close_date, 'YYYY-MM') AS month, sum(realized_pnl) AS realized_pnl "
        "FROM matches GROUP BY 1, 2 ORDER BY 1, 2"
    )
    ours = frame(book.pnl(by=["account", "month"]))
    month = pl.col("month").cast(pl.String).str.slice(0, 7)
    ours = ours.select(pl.col("account_id"), month, pl.col("realized_pnl").cast(MONEY)).sort("account_id", "month")
    assert theirs.cast({"realized_pnl": MONEY}).equals(ours)
    assert ours.height == 6
