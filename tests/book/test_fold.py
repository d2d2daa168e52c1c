"""The checkpoint and the tail: wherever the one ends and the other begins, every reader says the same."""

import random
from collections.abc import Callable

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import tradelake as tl
from tests.books import SHARED, assert_same_book, assert_whole, fill, frame, frames
from tradelake.book import deriving
from tradelake.errors import ReadOnlyError

PUT = {"asset_type": "OPTION", "strike": "50", "expiration": "2026-01-16", "option_type": "PUT", "symbol": "WHEEL"}


def story(count: int, seed: int) -> list[dict[str, object]]:
    """Return events of two accounts in several families, in effective order: trades, flips, an assigned put."""
    chance = random.Random(seed)
    rows = []
    for number in range(count):
        quantity = str(chance.choice([1, 2, 3, -1, -2, -4, 5, -5]))
        rows.append(fill(number * 60, quantity, symbol=f"S{chance.randrange(3)}", fees=f"0.0{chance.randrange(10)}"))
    put = fill(30, "-2", **PUT, price="1.25")
    end = {"kind": "assign", "executed_at": "2026-01-16T21:00:00Z", "trade_id": "E", "broker_execution_id": "XE"}
    rows.insert(1, put)
    rows.append({k: v for k, v in put.items() if k not in ("action", "price", "commission")} | end | {"quantity": "2"})
    return rows


def assert_same_frames(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    """Assert that two answers of a book's readers are the same."""
    for name, rows in one.items():
        assert_frame_equal(rows, other[name], check_exact=True)


def test_readers_say_the_same_before_and_after_a_fold(book):
    rows = story(24, seed=1)
    for start in range(0, len(rows), 9):
        book.record(rows[start : start + 9])
        before, told = frames(book), (book.cash(), book.pnl(["account", "month", "symbol"]))
        assert book.fold() == book.sequence
        assert_same_frames(before, frames(book))
        for one, other in zip(told, (book.cash(), book.pnl(["account", "month", "symbol"])), strict=True):
            assert_frame_equal(one, other, check_exact=True)
    assert_whole(book, 26)


def test_a_fold_without_a_tail_writes_nothing(local_book):
    local_book.record(fill(1))
    local_book.fold()
    version = local_book.version
    assert local_book.fold() == 1
    assert local_book.version == version


@pytest.mark.parametrize("seed", range(2))
def test_late_events_give_what_the_same_log_gives_at_once(local_book, other_book, seed):
    rows, chance = story(20, seed), random.Random(seed)
    chance.shuffle(rows)
    other_book.record(rows)
    while rows:
        size = chance.randint(1, 6)
        local_book.record(rows[:size])
        rows = rows[size:]
        if chance.random() < 0.5:
            local_book.fold()
        if chance.random() < 0.3:
            frames(local_book)
    assert_same_book(local_book, other_book)
    assert_whole(local_book, 22)


def test_events_of_one_instant_take_effect_in_the_order_of_their_arrival(local_book):
    same = {"executed_at": "2026-01-05T15:00:00Z"}
    rows = [fill(1, price="10", **same), fill(2, price="20", **same), fill(3, "-10", price="30", **same)]
    for row in rows:
        local_book.record(row)
        local_book.fold()
    (match,) = frame(local_book.matches()).iter_rows(named=True)
    assert (match["open_trade_id"], match["close_trade_id"]) == ("T1", "T3")
    assert_whole(local_book, 3)


def test_a_late_opening_makes_a_refused_closing_good(local_book):
    local_book.record(fill(5, "-4", action="SELL_TO_CLOSE"))
    local_book.fold()
    assert frame(local_book.refusals())["trade_id"].to_list() == ["T5"]
    local_book.record(fill(1, "10"))
    for _ in range(2):
        assert frame(local_book.refusals()).height == 0
        assert frame(local_book.positions())["quantity"].to_list() == [6]
        local_book.fold()
    assert_whole(local_book, 2)


def test_the_tail_is_folded_when_it_has_grown_to_its_bound(local_book, monkeypatch):
    monkeypatch.setattr(deriving, "FOLD_AFTER", 4)
    seen = []
    for number in range(10):
        receipt = local_book.record(fill(number))
        (where,) = local_book.sql("SELECT sequence FROM checkpoint").fetchall()
        seen.append(where[0])
        assert receipt.sequence == number + 1
    assert seen == [0, 0, 0, 4, 4, 4, 4, 8, 8, 8]
    local_book.record([fill(number) for number in range(20, 29)])
    assert local_book.sql("SELECT sequence FROM checkpoint").fetchall() == [(19,)]
    assert_whole(local_book, 19)


@pytest.mark.parametrize("place", SHARED, indirect=True)
def test_two_books_on_one_catalog_follow_each_other(ready):
    with ready.open() as one, ready.open() as other:
        for number in range(6):
            writer, reader = (one, other) if number % 2 else (other, one)
            assert writer.record(fill(number, "5" if number < 4 else "-7")).sequence == number + 1
            assert_same_frames(frames(writer), frames(reader))
            if number % 3 == 1:
                reader.fold()
                assert_same_frames(frames(writer), frames(reader))
        assert_whole(one, 6)


def test_a_state_of_the_past_is_that_of_a_book_told_no_more(local_book, other_book):
    rows = story(15, seed=9)
    local_book.record(rows)
    local_book.fold()
    cut = str(rows[8]["executed_at"])
    other_book.record([row for row in rows if str(row["executed_at"]) <= cut])
    for name in ("positions", "lots", "matches", "history"):
        past, told = (frame(rows) for rows in (getattr(local_book, name)(as_of=cut), getattr(other_book, name)()))
        dropped = [c for c in past.columns if "sequence" in c or c in ("position_id", "lot_id", "match_id")]
        assert_frame_equal(past.drop(dropped), told.drop(dropped), check_exact=True, check_row_order=False)


def test_a_read_only_book_answers_and_refuses_to_write(ready):
    with ready.open() as made:
        made.record([fill(1), fill(2, "-3")])
    with ready.open(read_only=True) as book:
        assert frame(book.positions())["quantity"].to_list() == [7]
        assert book.sql("SELECT count(*) FROM matches").fetchall() == [(1,)]
        assert book.rebuild(check=True).identical
        writes: tuple[Callable[[], object], ...] = (
            lambda: book.record(fill(3)),
            lambda: book.record([]),
            lambda: book.add_accounts([{"account_id": "A"}]),
            lambda: book.add_instruments([{"instrument_id": "A", "asset_type": "STOCK"}]),
            book.fold,
            book.rebuild,
        )
        for write in writes:
            with pytest.raises(
                ReadOnlyError, match=r"^The book was opened read only\. Open it without read_only to write"
            ):
                write()
        assert book.sequence == 2


def rebuilt(book: tl.Book) -> None:
    """Rebuild, and assert that nothing differs afterwards."""
    report = book.rebuild()
    assert report.sequence == book.sequence
    assert book.rebuild(check=True).identical


def test_a_rebuild_writes_what_the_readers_say(book):
    book.record(story(12, seed=3))
    before = frames(book)
    rebuilt(book)
    assert book.sql("SELECT sequence FROM checkpoint").fetchall() == [(book.sequence,)]
    assert_same_frames(before, frames(book))
    book.record(fill(5000))
    assert_whole(book, 15)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("DELETE FROM matches WHERE match_rank >= 0", "matches: 2 rows missing, the first is "),
        ("UPDATE lots SET cost_basis = cost_basis + 0.01", "lots: 1 rows different, the first is "),
        ("INSERT INTO matches SELECT * FROM matches", "matches: 4 rows stored more than once, the first is "),
        ("UPDATE positions SET position_id = 'x'", "positions: 1 rows not derivable, the first is x"),
    ],
)
def test_a_check_names_what_is_damaged_and_a_rebuild_mends_it(local_book, damage, words):
    local_book.record([fill(1), fill(2, "-3"), fill(3, "-4")])
    local_book.fold()
    local_book._catalog.execute(damage)
    report = local_book.rebuild(check=True)
    assert not report.identical
    assert any(line.startswith(words) for line in report.differences), report.differences
    rebuilt(local_book)
    local_book.record(fill(4, "-3"))
    assert_whole(local_book, 4)
