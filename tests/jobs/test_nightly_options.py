"""Options that have expired: what each night proposes, what a rule books, and that nothing is booked twice."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

import tradelake as tl
from tests.books import fill
from tests.jobs.night_books import (
    AFTER,
    CALL,
    EARLY_PUT,
    EXPIRY,
    FAR_PUT,
    HELD_CALL,
    INDEX_CALL,
    KO,
    PUT,
    SESSIONS,
    Contract,
    copied,
    marks_file,
    statement_file,
    wheel,
)
from tradelake.errors import InputError
from tradelake.jobs.nightly import Night, run_nights
from tradelake.outputs import standing

JUNE = "2026-06-30T15:00:00Z"
STOCKS = [KO, Contract("MSFT", "")]
INDEX = [Contract("SPX", "")]
DECIDED = {
    (CALL, "COM-1"): "expire",
    (EARLY_PUT, "GEN-1"): "expire",
    (FAR_PUT, "REV-1"): "expire",
    (PUT, "GEN-1"): "assign",
    (HELD_CALL, "COM-1"): "exercise",
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book on Friday, the 16th, whose options have expired; it knows the closes of stocks; to be copied."""
    folder = tmp_path_factory.mktemp("told")
    with wheel(folder / "book", until=EXPIRY) as made:
        assert made.ingest_marks(marks_file(folder / "m.csv", SESSIONS[:10], contracts=STOCKS)).ok
    return folder / "book"


@pytest.fixture
def book(told: Path, tmp_path: Path) -> Iterator[tl.Book]:
    """A copy of it."""
    with tl.open(copied(told, tmp_path / "book")) as opened:
        yield opened


def kinds(proposals: pl.DataFrame) -> dict[tuple[str, str], str]:
    """Return what is proposed, by instrument and account."""
    rows = proposals.select("instrument_id", "account_id", "kind").rows()
    return {(instrument, account): kind for instrument, account, kind in rows}


def named(decided: dict[tuple[Contract, str], str]) -> dict[tuple[str, str], str]:
    return {(contract.name, account): kind for (contract, account), kind in decided.items()}


def held(book: tl.Book) -> dict[tuple[str, str], Decimal]:
    """Return the quantities that are open, by instrument and account."""
    rows = book.positions().select("instrument_id", "account_id", "quantity").rows()
    return {(instrument, account): quantity for instrument, account, quantity in rows}


def test_what_became_of_an_option_follows_from_the_close_of_its_underlying(book, tmp_path):
    before = book.proposals(EXPIRY)
    assert kinds(before) == named(DECIDED | {(INDEX_CALL, "REV-1"): "undecided"})
    undecided = before.row(by_predicate=pl.col("kind") == "undecided", named=True)
    assert (undecided["reason"], undecided["event"]) == ("SPX has no mark of that day", None)
    with pytest.raises(InputError, match=r"proposes nothing for SPXW  260116C06900000: SPX has no mark of that day"):
        book.apply_proposal(undecided["proposal_id"], day=EXPIRY)
    assert book.ingest_marks(marks_file(tmp_path / "index.csv", [EXPIRY], contracts=INDEX)).ok
    assert kinds(book.proposals(EXPIRY)) == named(DECIDED | {(INDEX_CALL, "REV-1"): "cash_settle"})
    assert kinds(book.proposals("2026-01-15")) == {(EARLY_PUT.name, "GEN-1"): "expire"}
    assert book.proposals("2026-01-08").height == 0


def test_applied_proposals_end_the_options_and_move_stock_and_cash(book, tmp_path):
    book.ingest_marks(marks_file(tmp_path / "index.csv", [EXPIRY], contracts=INDEX))
    cash = dict(book.cash().select("account_id", "cash").rows())
    names = book.proposals(EXPIRY)["proposal_id"].to_list()
    for name in names:
        receipt = book.apply_proposal(name, day=EXPIRY, reason="seen at the broker")
        assert (receipt.accepted, receipt.ok) == (1, True)
        with pytest.raises(InputError, match=f"^There is no proposal '{name}'. There are: "):
            book.apply_proposal(name, day=EXPIRY)
    assert book.refusals().height == 0
    assert held(book) == {("KO", "COM-1"): 150, ("KO", "GEN-1"): 200, ("MSFT", "COM-1"): 100}
    moved = {name: amount - cash[name] for name, amount in book.cash().select("account_id", "cash").rows()}
    assert moved == {"GEN-1": Decimal(-13_800), "REV-1": Decimal(4_001), "COM-1": Decimal(-47_000)}
    settled = book.matches(account="REV-1", symbol="SPX").row(0, named=True)
    assert settled["realized_pnl"] == Decimal(4_001) - Decimal("8240.65")
    basis = dict(book.positions(symbol="KO").select("account_id", "cost_basis").rows())
    assert basis["GEN-1"] == Decimal(200) * 69 - Decimal("119.35")
    assert set(book.trades(kinds=["expire", "assign"])["reason"]) == {"seen at the broker"}


def test_a_rule_books_its_kind_and_leaves_the_others_to_a_person(book, tmp_path):
    prices = marks_file(tmp_path / "m.csv", [EXPIRY])
    asked = Night(until=EXPIRY, marks=[prices], rules=["expire", "cash_settle"])
    (report,) = run_nights(book, asked)
    text = "6 options expired and still open: 4 booked by rule, 2 proposed"
    assert next(step.detail for step in report.steps if step.name == "propose") == text
    assert standing(report) == "problems"
    assert report.proposals["kind"].to_list() == ["exercise", "assign"]
    assert all(line.startswith("tradelake proposals apply E-") for line in report.proposals["command"])
    assert {(PUT.name, "GEN-1"), (HELD_CALL.name, "COM-1")} == {key for key in held(book) if key[0] not in ("KO",)}
    snapped = book.snapshots(since=EXPIRY).select("instrument_id", "account_id").rows()
    assert set(snapped) == set(held(book))
    reasons = set(book.trades(kinds=["expire"])["reason"])
    assert reasons == {
        "proposed after its expiration: KO closed at 68.5, out of the money",
        "proposed after its expiration: KO closed at 71.1, out of the money",
        "proposed after its expiration: MSFT closed at 475.25, out of the money",
    }
    version = book.version
    run_nights(book, asked)
    assert book.version == version


def test_what_was_booked_by_rule_is_known_when_the_broker_tells_it(tmp_path):
    index = {6}
    with wheel(tmp_path / "book", until=AFTER, without=index) as book:
        prices = marks_file(tmp_path / "m.csv", [day for day in SESSIONS if day <= EXPIRY])
        (ruled,) = run_nights(book, Night(until=EXPIRY, marks=[prices], rules=["expire", "assign", "exercise"]))
        assert ruled.proposals.height == 0
        sequence, open_then = book.sequence, held(book)
        statement = statement_file(tmp_path / "U1.xml", AFTER, without=index)
        (report,) = run_nights(book, Night(until=AFTER, statements=[statement]))
        (line,) = report.imports
        assert (line.accepted, line.duplicates, line.conflicts, line.rejects) == (0, 14, 0, 0)
        assert report.breaks.height == book.refusals().height == 0
        assert (book.sequence, held(book)) == (sequence, open_then)


def test_an_option_that_expires_on_a_holiday_ends_on_that_day_at_the_last_close_before_it(local_book):
    expiring = "KO    260703P00070000"  # July 3rd, 2026: Independence Day observed
    local_book.record(fill(1, "-1", contract_symbol=expiring, symbol="KO", asset_type="OPTION", executed_at=JUNE))
    local_book.mark({"symbol": "KO", "mark_date": "2026-07-02", "price": "70.01"})
    assert local_book.proposals("2026-07-02").height == 0
    (name,) = local_book.proposals("2026-07-06")["proposal_id"]
    receipt = local_book.apply_proposal(name, day="2026-07-06")
    assert receipt.accepted == 1, receipt.problems
    assert local_book.proposals("2026-07-06").height == local_book.positions().height == 0
    assert local_book.trades(kinds=["expire"])["trade_date"].to_list() == [date(2026, 7, 3)]
