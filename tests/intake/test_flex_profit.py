"""Realized profit of whole statements: ours is the broker's to the cent, wherever the file holds what it needs."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from tradelake.book import Book, create
from tradelake.errors import InputError
from tradelake.tables import LOTS, MATCHES

SAMPLE = Path(__file__).parents[2] / "data" / "sample_flex.xml"
BOOKS = ("GEN-1", "REV-1", "COM-1")
CENT = Decimal("0.005")
NOT_XML = {"activity_simple.xml"}
NO_STATEMENT = {"element_samples.xml"}
# Closing trades of statements of real accounts whose openings stand in the same file.
CLOSED_INSIDE = {"uabean.xml": [("AGG", Decimal("-5"), Decimal("4.719652"))]}


def statements(vectors: Path) -> list[Path]:
    """Return the statements of others."""
    found = sorted((vectors / "data" / "ibkr_flex").rglob("*.xml"))
    return [path for path in found if path.name not in NO_STATEMENT]


def trades_of(path: Path) -> list[Mapping[str, str]]:
    """Return the executions and bookings of stocks and options of a statement."""
    rows = [element.attrib for element in ET.parse(path).getroot().iter("Trade")]
    return [row for row in rows if row.get("assetCategory") in ("STK", "OPT") and row.get("accountId") != "-"]


def profit_by_event(book: Book) -> dict[str, Decimal]:
    """Return our realized profit per closing event."""
    matches = book.sql("SELECT * FROM matches").pl()
    return dict(matches.group_by("close_trade_id").agg(pl.col("realized_pnl").sum()).iter_rows())


def events_of(book: Book) -> pl.DataFrame:
    """Return the trade log."""
    return book.sql("SELECT * FROM trade_log WHERE kind <> 'cash'").pl()


def event_of(row: Mapping[str, str], log: pl.DataFrame) -> str:
    """Return the event that a Trade element became: by its id, or for delivered stock by what was assigned."""
    ids = [row[name] for name in ("ibExecID", "tradeID") if row.get(name)]
    found = log.filter(pl.col("broker_execution_id").is_in(ids))
    if found.is_empty():
        day = f"{row['tradeDate'][:4]}-{row['tradeDate'][4:6]}-{row['tradeDate'][6:]}"
        found = log.filter(
            pl.col("kind").is_in(["assign", "exercise"]),
            pl.col("symbol") == row["symbol"],
            pl.col("strike") == Decimal(row["tradePrice"]),
            pl.col("trade_date").cast(pl.String) == day,
        )
    assert found.height == 1, row
    return str(found["trade_id"][0])


def test_every_statement_of_others_goes_into_a_book_that_stays_derivable(vectors: Path, tmp_path: Path):
    for number, path in enumerate(statements(vectors)):
        with create(tmp_path / str(number)) as book:
            if path.name in NOT_XML:
                with pytest.raises(InputError):
                    book.ingest("ibkr-flex", path)
                assert book.sequence == 0
                continue
            receipt = book.ingest("ibkr-flex", path)
            assert receipt.conflicts == 0, path.name
            assert receipt.accepted + receipt.kept + receipt.rejects > 0, path.name
            report = book.rebuild(check=True)
            assert report.identical, (path.name, report.differences)


@pytest.mark.parametrize("name", sorted(CLOSED_INSIDE))
def test_profit_of_real_accounts_is_the_brokers_to_the_cent(vectors: Path, tmp_path: Path, name: str):
    path = vectors / "data" / "ibkr_flex" / name
    with create(tmp_path / "book") as book:
        book.ingest("ibkr-flex", path)
        log, profit = events_of(book), profit_by_event(book)
        refused = set(book.sql("SELECT trade_id FROM refusals").pl()["trade_id"])
    compared = []
    for row in trades_of(path):
        theirs = Decimal(row.get("fifoPnlRealized") or 0)
        if not theirs or event_of(row, log) in refused:
            continue
        assert abs(profit[event_of(row, log)] - theirs) < CENT, row["symbol"]
        compared.append((row["symbol"], Decimal(row["quantity"]), theirs))
    assert compared == CLOSED_INSIDE[name]


def test_an_assigned_option_of_a_real_account_realizes_nothing_and_its_premium_is_in_the_stock(
    vectors: Path, tmp_path: Path
):
    with create(tmp_path / "book") as book:
        book.ingest("ibkr-flex", vectors / "data" / "ibkr_flex" / "options_future_2025.xml")
        moved = book.sql("SELECT * FROM matches WHERE how IN ('assigned', 'exercised')").pl()
        assert moved["symbol"].to_list() == ["SA"]
        assert_premium_is_in_the_stock(book, moved)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory):
    """The sample statement in a book whose three accounts share the broker's one."""
    with create(tmp_path_factory.mktemp("sample") / "book") as book:
        book.add_accounts(
            {"account_id": name, "broker_account_id": "U7700001", "allocation_pattern": f"{name}*"} for name in BOOKS
        )
        book.ingest("ibkr-flex", SAMPLE)
        yield book


def test_every_closing_trade_of_the_sample_statement_realizes_what_the_broker_says(sample):
    log, ours = events_of(sample), profit_by_event(sample)
    theirs: dict[str, Decimal] = {}
    for row in trades_of(SAMPLE):
        event = event_of(row, log)
        theirs[event] = theirs.get(event, Decimal(0)) + Decimal(row.get("fifoPnlRealized") or 0)
    assert len(theirs) == log.height == 300
    assert len(ours) == 91
    wrong = {name: (ours.get(name, 0), told) for name, told in theirs.items() if abs(ours.get(name, 0) - told) > CENT}
    assert wrong == {}


def test_nothing_of_the_sample_statement_is_refused_and_the_book_stays_derivable(sample):
    assert sample.refusals().is_empty()
    assert sample.rebuild(check=True).identical


def test_open_positions_of_the_sample_statement_cost_what_the_broker_says(sample):
    held = ET.parse(SAMPLE).getroot().iter("OpenPosition")
    wanted = {
        row.get("symbol"): (Decimal(row.get("position", "0")), Decimal(row.get("costBasisMoney", "0")))
        for row in held
        if row.get("levelOfDetail") == "SUMMARY"
    }
    ours = sample.positions().select(pl.coalesce("contract_symbol", "symbol"), "quantity", "cost_basis").rows()
    assert {name for name, _, _ in ours} == set(wanted)
    for name, quantity, basis in ours:
        assert quantity == wanted[name][0]
        assert abs(basis - wanted[name][1]) < CENT, name


def test_the_premiums_of_the_assigned_options_of_the_sample_are_in_the_stock(sample):
    moved = sample.sql("SELECT * FROM matches WHERE how IN ('assigned', 'exercised')").pl()
    assert moved["close_trade_id"].n_unique() == 12
    assert_premium_is_in_the_stock(sample, moved)


def assert_premium_is_in_the_stock(book: Book, moved: pl.DataFrame) -> None:
    """Compare the stock that each assignment bought or sold with its strike, the premium and the charges."""
    assert moved["realized_pnl"].to_list() == [0] * moved.height
    log = events_of(book)
    matches = book.sql("SELECT * FROM matches WHERE how = 'trade'").pl().select(MATCHES.names)
    lots = book.sql("SELECT * FROM lots").pl().select(LOTS.names)
    for (event,), rows in moved.group_by("close_trade_id"):
        told = log.filter(trade_id=event).row(0, named=True)
        buys = (told["option_type"] == "PUT") == (told["kind"] == "assign")
        column, sign = ("cost", 1) if buys else ("proceeds", -1)
        traded = matches.filter((pl.col("close_trade_id") == event) | (pl.col("open_trade_id") == event))
        amount = sum([*traded[column], *(sign * basis for basis in lots.filter(open_trade_id=event)["cost_basis"])])
        strike = told["strike"] * told["multiplier"] * told["quantity"]
        premium, charges = sum(rows["proceeds"]), told["commission"] + told["fees"]
        assert amount == (strike - premium + charges if buys else strike + premium - charges)
