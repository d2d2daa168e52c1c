"""psql answers from the twin what the book answers itself."""

import io
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import tradelake as tl
from tests.books import frame
from tests.postgres import PostgresServer
from tradelake.tables import MATCHES, POSITION_HISTORY, POSITIONS

MONEY = MATCHES.schema["realized_pnl"]


@pytest.fixture(scope="module")
def book(told_folder: Path, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("asked") / "book"
    shutil.copytree(told_folder, folder)
    with tl.open(folder) as book:
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


def typed(answer: pl.DataFrame, schema: pl.Schema) -> pl.DataFrame:
    """Return texts as the types that the book gives."""
    return answer.select(
        pl.col(name).str.to_date() if type_ == pl.Date else pl.col(name).cast(type_) for name, type_ in schema.items()
    )


def test_open_positions_by_account(book, asked):
    names = ["account_id", "instrument_id", "quantity", "cost_basis", "realized_pnl", "open_date"]
    theirs = asked(f"SELECT {', '.join(names)} FROM positions ORDER BY account_id, symbol, instrument_id")
    ours = frame(book.positions()).sort(*POSITIONS.sort).select(names)
    assert typed(theirs, ours.schema).equals(ours)
    assert ours.height == 6


def test_the_history_of_a_symbol(book, asked):
    names = ["instrument_id", "side", "quantity_closed", "open_date", "close_date", "proceeds", "cost", "realized_pnl"]
    order = ["closed_at", "position_id"]
    theirs = asked(f"SELECT {', '.join(names)} FROM position_history WHERE symbol = 'NVDA' ORDER BY {', '.join(order)}")
    ours = frame(book.history(symbol="NVDA")).sort(order).select(names)
    assert typed(theirs, ours.schema).equals(ours)
    assert set(names) < set(POSITION_HISTORY.names)
    events = asked("SELECT trade_id, quantity, price FROM trade_log WHERE symbol = 'NVDA' ORDER BY sequence")
    told = book.sql("SELECT trade_id, quantity, price FROM trade_log WHERE symbol = 'NVDA' ORDER BY sequence").pl()
    assert typed(events, told.schema).equals(told)


def test_realized_profit_by_month(book, asked):
    theirs = asked(
        "SELECT account_id, to_char(close_date, 'YYYY-MM') AS month, sum(realized_pnl) AS realized_pnl "
        "FROM matches GROUP BY 1, 2 ORDER BY 1, 2"
    )
    ours = frame(book.pnl(by=["account", "month"]))
    month = pl.col("month").cast(pl.String).str.slice(0, 7)
    ours = ours.select(pl.col("account_id"), month, pl.col("realized_pnl").cast(MONEY)).sort("account_id", "month")
    assert typed(theirs, ours.schema).equals(ours)
    assert ours.height == 6
