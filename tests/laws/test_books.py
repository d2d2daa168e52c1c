"""Laws 4, 5, 6 and 8 through a real book: how it was told, and when it was folded, leaves no trace."""

from contextlib import contextmanager
from typing import Any
from unittest import mock

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.laws.books import BOOKS, new_book, record, several, tables_of
from tests.laws.direct import Scenario
from tests.reference.fuzz import Gen
from tests.reference.oracle import compute
from tradelake.book import Book, create, parts
from tradelake.jobs.answers import answers as book_answers
from tradelake.jobs.compare import compare
from tradelake.jobs.scenario import execution, executions, feed

fresh_book = contextmanager(new_book)
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
Tables = dict[str, pl.DataFrame]
SECTIONS = ("positions", "closed", "totals", "errors")


def same_tables(ours: Tables, theirs: Tables) -> None:
    """Compare every table of two books."""
    for name, frame in ours.items():
        other = theirs[name]
        assert frame.height == other.height, name
        assert [c for c in frame.columns if not frame[c].equals(other[c])] == [], name


@settings(max_examples=BOOKS, phases=WITHOUT_SHRINKING)
@given(scenario=several(), data=st.data())
def test_laws_4_and_8_any_batching_and_folding_is_one_batch(scenario, data):
    events = scenario["events"]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(events)), max_size=4)))
    folds = data.draw(st.lists(st.booleans(), min_size=len(cuts) + 1, max_size=len(cuts) + 1))
    with fresh_book(scenario) as whole, fresh_book(scenario) as parts:
        record(whole, events)
        for first, last, fold in zip([0, *cuts], [*cuts, len(events)], folds, strict=True):
            if first < last:
                record(parts, events[first:last])
            assert_rebuild_is_identical(parts)
            if fold:
                parts.fold()
                assert_rebuild_is_identical(parts)
        same_tables(tables_of(parts), tables_of(whole))
        parts.fold()
        same_tables(tables_of(parts), tables_of(whole))
        parts.rebuild()
        same_tables(tables_of(parts), tables_of(whole))


def assert_rebuild_is_identical(book: Book) -> None:
    """Compare what is stored and folded with what the first event on gives."""
    report = book.rebuild(check=True)
    assert report.identical, report.differences


@settings(max_examples=BOOKS, phases=WITHOUT_SHRINKING)
@given(scenario=several(), again=st.integers(0, 100), fold=st.booleans())
def test_law_5_told_twice_is_told_once(scenario, again, fold):
    events = scenario["events"]
    with fresh_book(scenario) as book:
        record(book, events)
        before = tables_of(book)
        if fold:
            book.fold()
        receipt = book.record([execution(event) for event in events[again % len(events) :] + events])
        assert (receipt.accepted, receipt.conflicts, receipt.rejects) == (0, 0, 0)
        same_tables(tables_of(book), before)
        record(book, [*events[:3], *events])
        same_tables(tables_of(book), before)


@settings(max_examples=BOOKS, phases=WITHOUT_SHRINKING)
@given(scenario=several(), order=st.randoms(use_true_random=False), fold=st.booleans())
def test_law_6_shuffled_arrival_changes_no_answer(scenario, order, fold):
    for number, event in enumerate(scenario["events"]):
        minute, second = divmod(number, 60)
        event["at"] = event["at"].replace(":00:00Z", f":{minute:02}:{second:02}Z")
    shuffled = {**scenario, "events": list(scenario["events"])}
    order.shuffle(shuffled["events"])
    wanted = compute({**scenario, "expected": {}})
    assert compare({name: wanted[name] for name in SECTIONS}, told(shuffled, fold=fold)) == []


def told(scenario: Scenario, *, fold: bool) -> dict[str, Any]:
    """Return what a book answers that was told the first half, perhaps folded, and then the rest."""
    with fresh_book(scenario) as book:
        instruments, _ = feed(book, {**scenario, "events": []})
        half = len(scenario["events"]) // 2
        record(book, scenario["events"][:half])
        if fold:
            book.fold()
        events = book.record([execution(event) for event in scenario["events"][half:]])
        return book_answers(book, {**scenario, "expected": {}}, instruments, events)


@settings(max_examples=BOOKS - 1, phases=WITHOUT_SHRINKING)
@given(seed=st.integers(0, 10**9), folded=st.booleans(), count=st.integers(1, 5))
def test_law_8_buckets_are_the_whole(seed, folded, count):
    """What workers of a cluster do, the last bucket first and one of them twice, gives what one machine does.

    So does the one machine when the log does not fit in its memory, or one family of it.
    """

    def engine(task, buckets):
        yield from map(task, reversed(buckets))
        yield task(buckets[0])

    scenario = Gen(seed, 40, "full", 0.05).run()
    with fresh_book(scenario) as book:
        book.record(executions(scenario["events"]))
        if folded:
            book.fold()
        report = book.rebuild_in_buckets(engine, buckets=count)
        assert book.compare_in_buckets(engine, buckets=count).rows == report.rows
        assert book.verify(deep=True, engine=engine, buckets=count).findings == ()
        check = book.rebuild(check=True)
        assert (check.differences, check.rows) == ((), report.rows)
        with mock.patch.object(parts, "PART_EVENTS", 12 // count):
            assert book.rebuild().rows == report.rows
            check = book.rebuild(check=True)
        assert (check.differences, check.rows) == ((), report.rows)
        assert book.rebuild(check=True).differences == ()


@pytest.mark.parametrize("folds", [(), (0,), (1, 2), (0, 1, 2)])
def test_stock_of_another_symbol_than_its_option_is_folded_with_it(tmp_path, folds):
    """A contract whose root is not its underlying: the two are one family to the fold."""
    terms = {"strike": "50", "expiration": "2026-01-16", "option_type": "CALL", "underlying_instrument_id": "XYZ"}
    with create(tmp_path / "book") as book:
        book.add_accounts([{"account_id": "A"}])
        book.add_instruments(
            [
                {"instrument_id": "XYZ", "asset_type": "STOCK", "symbol": "XYZ"},
                {"instrument_id": "OPT", "asset_type": "OPTION", "symbol": "XYZW", **terms},
            ]
        )
        base = {"account_id": "A", "price": "2", "quantity": "1"}
        told = [
            {**base, "instrument_id": "XYZ", "action": "SELL", "quantity": "100", "price": "40"},
            {**base, "instrument_id": "OPT", "action": "BUY"},
            {"account_id": "A", "instrument_id": "OPT", "kind": "exercise", "quantity": "1"},
        ]
        for day, row in enumerate(told):
            record_row(book, {**row, "executed_at": f"2026-01-{5 + day:02}T15:00:00Z"})
            if day in folds:
                book.fold()
        assert book.positions().is_empty()
        assert_rebuild_is_identical(book)


def record_row(book: Book, row: dict[str, str]) -> None:
    """Record one execution that has to be taken."""
    receipt = book.record(row)
    assert receipt.ok, receipt.problems
