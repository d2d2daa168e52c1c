"""Events that reach further than their account and symbol: however a book is folded, it says the same."""

import random
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.book.cures import action, cancel, correct, move
from tests.books import assert_same_book, assert_whole, fill, frame
from tests.laws.books import tables_of
from tests.reference.fuzz import Gen
from tradelake.book import Book, create, open_book
from tradelake.jobs.scenario import executions, feed

AT = "2026-01-10T14:30:00Z"


@contextmanager
def fresh_book(scenario, folder: Path):
    """Yield a book that knows the accounts and instruments of a scenario."""
    with create(folder) as book:
        feed(book, {**scenario, "events": []})
        yield book


@pytest.mark.parametrize("seed", range(1, 3))
@pytest.mark.parametrize("invalid", [0.0, 0.1])
def test_any_folding_of_all_kinds_is_one_rebuild(seed, invalid):
    scenario = Gen(seed, 35, invalid=invalid).run()
    rows, chance = executions(scenario["events"]), random.Random(seed)
    with TemporaryDirectory() as folder:
        with fresh_book(scenario, Path(folder) / "whole") as whole:
            whole.record(rows)
            wanted = tables_of(whole)
        with fresh_book(scenario, Path(folder) / "parts"):
            pass
        while rows:
            with open_book(Path(folder) / "parts") as parts:
                size = chance.randint(1, 12)
                parts.record(rows[:size])
                rows = rows[size:]
                for step in (parts.fold, parts.positions, lambda: assert_identical(parts)):
                    if chance.random() < 0.5:
                        step()
        with open_book(Path(folder) / "parts") as parts:
            assert_identical(parts)
            for name, frame_of in tables_of(parts).items():
                assert frame_of.equals(wanted[name]), name


def assert_identical(book: Book) -> None:
    """Compare what is stored and folded with what the first event on gives."""
    report = book.rebuild(check=True)
    assert report.identical, report.differences


def told(book: Book, rows: list[dict[str, Any]], *, folds: set[int]) -> None:
    """Tell a book rows one by one, folding after some of them."""
    for number, row in enumerate(rows):
        receipt = book.record(row)
        assert receipt.ok, receipt.problems
        if number in folds:
            book.fold()
        assert_identical(book)


LATE = {
    "a split": action("E", "split", "2026-01-01T00:01:30Z", ratio="2/1"),
    "a symbol change": action("E", "symbol_change", "2026-01-01T00:01:30Z", new_symbol="ACMX"),
    "a taxable merger": action(
        "E", "merger", "2026-01-01T00:02:30Z", new_symbol="OMNI", ratio="1/1", new_price="80", treatment="taxable"
    ),
    "a transfer": move("E", "transfer", "2026-01-01T00:01:30Z", symbol="ACME", quantity="4"),
    "a merge": move("E", "merge", "2026-01-01T00:03:30Z", account_id="REV-1", to_account_id="COM-1"),
    "a method": {
        "trade_id": "E",
        "kind": "lot_method",
        "account_id": "GEN-1",
        "method": "LIFO",
        "executed_at": "2026-01-01T00:00:30Z",
    },
    "a cancel": cancel("E", "T2"),
    "a correction to another symbol": correct("E", "T1", {"symbol": "BETA"}),
    "a correction to another account": correct("E", "T3", {"account_id": "COM-1"}),
}


@pytest.mark.parametrize("name", LATE)
def test_what_comes_late_is_the_same_as_at_once(broker_book, local_book, name):
    local_book.add_accounts([{"account_id": account, "broker_account_id": "U1"} for account in ("REV-1", "COM-1")])
    rows = [
        fill(1, "10"),
        fill(2, "6", account_id="REV-1"),
        fill(3, "5"),
        fill(4, "-4", account_id="REV-1"),
        fill(5, "3", symbol="BETA", account_id="REV-1"),
        LATE[name],
        fill(6, "-7", account_id="COM-1"),
        fill(7, "2", symbol="BETA"),
    ]
    told(broker_book, rows, folds={2, 4, 5})
    local_book.record(rows)
    assert_same_book(broker_book, local_book)


def test_a_past_split_is_not_applied_again_to_lots_that_are_carried(broker_book):
    rows = [
        fill(1, "10"),
        fill(2, "8", account_id="REV-1"),
        action("S", "split", AT, ratio="2/1"),
        fill(3, "1", executed_at="2026-01-11T15:00:00Z", account_id="REV-1"),
        fill(4, "1", executed_at="2026-01-12T15:00:00Z"),
        fill(5, "1", executed_at="2026-01-02T15:00:00Z", account_id="REV-1"),
    ]
    told(broker_book, rows, folds={2, 3})
    held = dict(frame(broker_book.positions()).select("account_id", "quantity").iter_rows())
    assert held == {"GEN-1": 21, "REV-1": 19}
    assert_whole(broker_book, 6)


def test_a_handle_that_opens_a_folded_book_knows_what_was_linked_before(ready):
    with ready.open() as book:
        book.add_accounts([{"account_id": "COM-1", "broker_account_id": "U1"}])
        book.record([fill(1, "10"), move("T", "transfer", AT, symbol="ACME", quantity="4")])
        book.fold()
    with ready.open() as book:
        assert frame(book.positions()).height == 2
        book.record(fill(2, "2", executed_at="2026-01-02T15:00:00Z", price="1"))
        book.record(cancel("X", "T1"))
        assert_identical(book)
        assert frame(book.refusals())["code"].to_list() == ["transfer_exceeds_position"]
        book.fold()
        assert_identical(book)


def test_the_method_of_a_child_may_be_told_before_its_fork(other_book):
    other_book.add_accounts([{"account_id": "CHILD", "parent_account_id": "GEN-1"}])
    moves = [{"instrument_id": "ACME", "percent": "100"}]
    rows = [
        fill(1, "10"),
        {"trade_id": "L", "kind": "lot_method", "account_id": "CHILD", "method": "LIFO", "executed_at": AT},
        move("F", "fork", "2026-01-11T15:00:00Z", to_account_id="CHILD", moves=moves),
        fill(2, "5", account_id="CHILD", executed_at="2026-01-12T15:00:00Z"),
        fill(3, "-5", account_id="CHILD", executed_at="2026-01-13T15:00:00Z"),
    ]
    told(other_book, rows, folds={0, 1, 2, 3, 4})
    assert frame(other_book.matches())["open_trade_id"].to_list() == ["T2"]


def test_the_method_of_an_account_holds_after_a_fold(broker_book):
    rows = [
        fill(1, "10", price="10"),
        fill(2, "10", price="20"),
        {"trade_id": "L", "kind": "lot_method", "account_id": "GEN-1", "method": "LIFO", "executed_at": AT},
        fill(3, "-5", executed_at="2026-01-11T15:00:00Z"),
        cancel("X", "L"),
        fill(4, "-5", executed_at="2026-01-12T15:00:00Z"),
        cancel("Y", "X"),
        fill(5, "-3", executed_at="2026-01-13T15:00:00Z"),
    ]
    told(broker_book, rows, folds={1, 2, 3, 4, 5, 6})
    opened = frame(broker_book.matches()).sort("close_trade_id")["open_trade_id"].to_list()
    assert opened == ["T2", "T2", "T1"]
