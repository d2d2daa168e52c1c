"""Each kind of difference is one break of its class, with its cause, and what follows from it stands beneath it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tradelake as tl
from tests.reconcile.statements import TERMS, Told, closed_lot, held, lot, split, trade

BUY = trade(1, 100, "50")
BASE = Told(trades=(BUY,), positions=(held("XYZ", "100"), lot("XYZ", "100", "5001.25", "20260106;100001")))
SPLIT = {"kind": "split", "symbol": "XYZ", "asset_type": "STOCK", "ratio": "4/1"}
PUT = {**TERMS["PUT"], "expiry": "20260116", "symbol": "XYZ   260116P00050000"}
WRITTEN = trade(2, -1, "1.00", of="PUT", **PUT)
HELD_PUT = held("PUT", "-1", **PUT)


@dataclass(frozen=True)
class Case:
    """What the book is told (a statement, then rows), what the broker says, and the one break that it is."""

    name: str
    told: Told
    says: Told
    section: str
    break_class: str
    cause: str | None = None
    events: int = 0
    follows: tuple[str, ...] = ()
    rows: tuple[dict[str, Any], ...] = ()


def moved(told: Told, **sections: Any) -> Told:
    return replace(told, **sections)


CASES = [
    Case(
        "an execution that the book lacks",
        Told(),
        BASE,
        "executions",
        "missing_here",
        events=1,
        follows=("lots", "positions"),
    ),
    Case("an execution that the broker lacks", BASE, Told(), "executions", "missing_there", None, 1, ("positions",)),
    Case(
        "another quantity",
        BASE.changed(0, quantity="101"),
        BASE,
        "executions",
        "quantity",
        events=1,
        follows=("lots", "positions"),
    ),
    Case("another price", BASE.changed(0, tradePrice="49"), BASE, "executions", "price", None, 1, ("lots",)),
    Case("another commission", BASE.changed(0, ibCommission="-3"), BASE, "executions", "fee", None, 1, ("lots",)),
    Case(
        "another multiplier",
        Told(trades=(trade(1, 1, "2", of="PUT"),)),
        Told(trades=(trade(1, 1, "2", of="PUT", multiplier="10"),), positions=None),
        "executions",
        "multiplier",
        "Quantity and price agree, the units per contract do not.",
    ),
    Case(
        "another execution id",
        BASE,
        BASE.changed(0, ibExecID="0000e0d5.000000ff.01.01"),
        "executions",
        "timing",
        "another execution id: 0000e0d5.00000001.01.01 here, 0000e0d5.000000ff.01.01 there",
    ),
    Case(
        "another day",
        BASE,
        BASE.changed(0, tradeDate="20260107"),
        "executions",
        "timing",
        "It is of 2026-01-06 here, and of 2026-01-07 there.",
        1,
    ),
    Case(
        "a trade after the close of the last day",
        moved(BASE, trades=(BUY, trade(2, 5, "50", day="20260130", dateTime="20260130;180000"))),
        BASE,
        "executions",
        "timing",
        "the next statement should have it",
        0,
        ("lots", "positions"),
    ),
    Case(
        "another instrument under one execution id",
        BASE,
        moved(BASE, trades=({**BUY, **TERMS["ABC"]},), positions=(held("ABC", "100"),)),
        "executions",
        "symbol_change",
        "The broker has it in ABC, and here it is in XYZ.",
        1,
        ("positions", "positions"),
    ),
    Case(
        "a position under another name of the broker's contract",
        BASE,
        moved(BASE, positions=(held("XYZ", "100", symbol="NEW"),)),
        "positions",
        "symbol_change",
        "both are its contract 11",
        1,
        ("positions",),
    ),
    Case(
        "a split that the broker has not booked yet",
        BASE,
        moved(BASE, actions=None),
        "positions",
        "stale_split",
        "The split 4/1 of 2026-01-29 (S-1) is in the book, and not yet in the broker's position.",
        0,
        ("lots",),
        ({**SPLIT, "trade_id": "S-1", "executed_at": "2026-01-29T14:30:00Z"},),
    ),
    Case(
        "a split that is twice in the book",
        moved(BASE, actions=(split(quantity="300"),)),
        moved(BASE, actions=None, positions=(held("XYZ", "400"),)),
        "positions",
        "stale_split",
        "is in the book twice",
        1,
        (),
        ({**SPLIT, "trade_id": "S-1", "executed_at": "2026-01-16T14:30:00Z"},),
    ),
    Case(
        "a split that only the book has, in a statement with corporate actions",
        BASE,
        BASE,
        "executions",
        "stale_split",
        "The book has a split 4/1 that the broker has not booked.",
        1,
        ("lots", "positions"),
        ({**SPLIT, "trade_id": "S-1", "executed_at": "2026-01-16T14:30:00Z"},),
    ),
    Case(
        "a split that only the broker has",
        BASE,
        moved(BASE, actions=(split(quantity="300"),), positions=(held("XYZ", "400"),)),
        "executions",
        "stale_split",
        "The broker has booked a split 4/1 that is not in the book.",
        1,
        ("positions",),
    ),
    Case(
        "an option that has expired",
        Told(trades=(WRITTEN,)),
        Told(trades=(WRITTEN,)),
        "positions",
        "missing_here",
        "1 contract was expired on 2026-01-16.",
        1,
    ),
    Case(
        "an option that was assigned",
        Told(trades=(WRITTEN,)),
        Told(trades=(WRITTEN,), positions=(held("XYZ", "100"), lot("XYZ", "100", "4901.25", "20260116;162000"))),
        "positions",
        "missing_here",
        "1 contract was assigned. 100 XYZ came in at the broker.",
        1,
        ("lots", "positions"),
    ),
    Case(
        "an expiry that the broker has not booked yet",
        Told(trades=(WRITTEN,)),
        Told(trades=(WRITTEN,), positions=(HELD_PUT,), until="20260118"),
        "executions",
        "timing",
        "The contract ended on 2026-01-16, and the broker has not booked its end yet.",
        0,
        ("positions",),
        (
            {
                "trade_id": "E-1",
                "kind": "expire",
                "account_id": "GEN-1",
                "contract_symbol": PUT["symbol"],
                "executed_at": "2026-01-16T21:20:00Z",
            },
        ),
    ),
    Case(
        "a position from before the book, with its lots",
        BASE,
        moved(
            BASE,
            positions=(
                held("XYZ", "130"),
                lot("XYZ", "100", "5001.25", "20260106;100001"),
                lot("XYZ", "30", "1234.56789", "20240301;110000"),
            ),
        ),
        "positions",
        "missing_here",
        "Missing history of XYZ: the book begins with 2026-01-06, and 30 were held before; the statement tells the"
        " lots.",
        1,
        ("lots",),
    ),
    Case(
        "a position from before the book, without lots",
        Told(),
        Told(positions=(held("ABC", "-7"),)),
        "positions",
        "missing_here",
        "Missing history of ABC: the book has nothing of it, and -7 were held before; the statement does not tell the"
        " lots.",
    ),
    Case(
        "a closing without its opening",
        Told(trades=(trade(1, -10, "60", openCloseIndicator="C", fifoPnlRealized="98.75"),)),
        Told(
            trades=(trade(1, -10, "60", openCloseIndicator="C", fifoPnlRealized="98.75"),),
            closed_lots=(closed_lot("XYZ", "10", "500", "20250601;100000", "20260106;100001"),),
        ),
        "lots",
        "missing_here",
        "Missing history of XYZ: a closing has no opening here; the statement tells the lots.",
        1,
        ("executions", "realized"),
    ),
    Case(
        "a closing without its opening, in a statement without lots",
        Told(trades=(trade(1, -10, "60", openCloseIndicator="C"),)),
        Told(trades=(trade(1, -10, "60", openCloseIndicator="C"),)),
        "lots",
        "missing_here",
        "Missing history of XYZ: a closing has no opening here; the statement does not tell the lots.",
        0,
        ("executions",),
    ),
    Case(
        "a position that nothing explains",
        moved(BASE, trades=(trade(1, 100, "50", openCloseIndicator="O"),)),
        moved(BASE, trades=(trade(1, 100, "50", openCloseIndicator="O"),), positions=(held("XYZ", "90"),)),
        "positions",
        "quantity",
    ),
    Case(
        "lots at another cost",
        BASE,
        moved(BASE, positions=(held("XYZ", "100"), lot("XYZ", "100", "5000", "20260106;100001"))),
        "lots",
        "unknown",
        "The same executions and another choice of lots",
    ),
    Case(
        "a cash movement that the book lacks",
        BASE,
        moved(
            BASE,
            cash=(
                {
                    "currency": "USD",
                    "type": "Other Fees",
                    "amount": "-10.50",
                    "dateTime": "20260115",
                    "transactionID": "55",
                    "levelOfDetail": "DETAIL",
                },
            ),
            balances=({"currency": "USD", "startingCash": "0", "endingCash": "-5011.75"},),
        ),
        "cash",
        "missing_here",
        None,
        1,
        ("cash",),
    ),
    Case(
        "a balance that nothing explains",
        BASE,
        moved(BASE, balances=({"currency": "USD", "startingCash": "0", "endingCash": "-5000"},)),
        "cash",
        "unknown",
        "No event that differs explains it: look for what the statement does not list.",
    ),
    Case(
        "a trade that was cancelled here and stands at the broker",
        BASE,
        BASE,
        "executions",
        "missing_here",
        None,
        1,
        ("lots", "positions"),
        ({"trade_id": "C-1", "kind": "cancel", "target_id": "first", "executed_at": "2026-01-07T15:00:00Z"},),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_difference_is_one_break_with_its_cause(case, local_book, tmp_path):
    tell(local_book, case, tmp_path)
    found = local_book.reconcile(case.says.file(tmp_path))
    shown = found.breaks.select("section", "break_class", "proposed").rows()
    assert shown == [(case.section, case.break_class, case.events)], found.breaks["cause"].to_list()
    assert (case.cause or "") in (found.breaks["cause"][0] or "")
    assert sorted(found.consequences["section"]) == sorted(case.follows)


def tell(book: tl.Book, case: Case, folder: Path) -> None:
    book.ingest("ibkr-flex", replace(case.told, positions=None).file(folder, "told.xml"))
    first = book.trades()["trade_id"].to_list()[:1]
    for row in case.rows:
        target = {"target_id": first[0]} if row.get("target_id") == "first" else {}
        receipt = book.record([row | target])
        assert receipt.ok, receipt.problems


@pytest.mark.parametrize("case", [case for case in CASES if case.events], ids=lambda case: case.name)
def test_what_is_proposed_cures_the_break(case, local_book, tmp_path):
    tell(local_book, case, tmp_path)
    path = case.says.file(tmp_path)
    found = local_book.reconcile(path, record=True)
    receipt = local_book.apply_break(found.breaks["break_id"][0])
    assert (receipt.ok, receipt.accepted) == (True, case.events)
    after = local_book.reconcile(path, record=True)
    assert after.ok, after.breaks.select("section", "break_class", "instrument_id", "ours", "theirs", "cause").rows()
    assert local_book.breaks(status="all")["status"].to_list() == ["RESOLVED"]
    assert local_book.reconcile(path, record=True).recorded == 0


def test_allocations_of_one_execution_are_summed(broker_book, tmp_path):
    path = BASE.file(tmp_path)
    allocation = tmp_path / "allocation.csv"
    lines = ["broker_execution_id,account_id,quantity", *(f"{BUY['ibExecID']},{n},50" for n in ("GEN-1", "COM-1"))]
    allocation.write_text("\n".join(lines) + "\n")
    assert broker_book.ingest("ibkr-flex", path, allocation=allocation).accepted == 2
    assert broker_book.reconcile(path).ok
    other = BASE.changed(0, quantity="90").file(tmp_path, "other.xml")
    assert broker_book.reconcile(other).breaks.select("break_class", "ours", "theirs", "proposed").rows() == [
        ("quantity", 100, 90, 0)
    ]


def test_lots_of_several_books_are_no_break(broker_book, tmp_path):
    trades = tuple(
        trade(number, quantity, price, orderReference=name, openCloseIndicator=side)
        for number, (quantity, price, name, side) in enumerate(
            [("10", "50", "REV-1", "O"), ("10", "60", "COM-1", "O"), ("-10", "70", "COM-1", "C")]
        )
    )
    told = Told(
        trades=(*trades[:2], {**trades[2], "fifoPnlRealized": "197.5"}),
        positions=(held("XYZ", "10"), lot("XYZ", "10", "601.25", "20260106;100001")),
    )
    broker_book.ingest("ibkr-flex", told.file(tmp_path))
    found = broker_book.reconcile(tmp_path / "statement.xml")
    assert found.ok
    assert [note.partition(":")[2] for note in found.notes] == [
        f" {section} of XYZ are not compared: several books hold it, or it is kept at average cost, and the broker"
        " closes its own lots."
        for section in ("lots", "realized")
    ]


def test_a_section_that_the_statement_lacks_is_not_compared(local_book, tmp_path):
    local_book.ingest("ibkr-flex", BASE.file(tmp_path))
    silent = replace(BASE, trades=(), positions=None, actions=None, cash=None)
    text = silent.written().replace(b"<Trades></Trades>", b"")
    (tmp_path / "silent.xml").write_bytes(text)
    found = local_book.reconcile(tmp_path / "silent.xml")
    assert found.ok
    counts = found.statements.select("executions", "positions", "lots", "cash").row(0)
    assert counts == (None, None, None, None)


def test_what_a_book_does_not_hold_is_a_note(local_book, tmp_path):
    future = held("XYZ", "2", assetCategory="FUT", symbol="ESH6", conid="99")
    local_book.ingest("ibkr-flex", BASE.file(tmp_path))
    found = local_book.reconcile(replace(BASE, positions=(*(BASE.positions or ()), future)).file(tmp_path, "f.xml"))
    assert found.ok
    assert found.notes == ("U1: 1 position in FUT, which the book does not hold, cannot be compared.",)


def test_nothing_is_written_by_comparing(local_book, tmp_path):
    local_book.ingest("ibkr-flex", BASE.file(tmp_path))
    before = local_book.version, local_book.sequence
    assert not local_book.reconcile(Told().file(tmp_path)).ok
    assert (local_book.version, local_book.sequence) == before
    assert local_book.breaks(status="all").is_empty()


def test_differences_to_frames_are_listed_as_they_are(local_book, tmp_path):
    local_book.ingest("ibkr-flex", BASE.file(tmp_path))
    held_there = pl.DataFrame({"instrument_id": ["XYZ"], "quantity": [90]}, schema_overrides={"quantity": pl.Int64})
    found = local_book.differences("U1", "2026-01-30", positions=held_there.cast({"quantity": pl.Decimal(38, 8)}))
    assert found.select("section", "break_class", "ours", "theirs").rows() == [("positions", "quantity", 100, 90)]
    assert local_book.differences("U1", "2026-01-30").is_empty()
