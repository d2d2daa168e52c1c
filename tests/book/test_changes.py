"""A reader that keeps positions of its own follows the book by asking what has changed."""

import itertools
from contextlib import contextmanager
from typing import Any

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.books import fill
from tests.laws.books import BOOKS, new_book
from tests.laws.full import full_streams
from tradelake.book import Book
from tradelake.jobs.scenario import executions

fresh_book = contextmanager(new_book)
FAMILY = ["account_id", "symbol"]
AT = "2026-01-20T15:00:00Z"


class Follower:
    """What a service holds: positions, and the sequence that it has seen."""

    def __init__(self) -> None:
        self.sequence = 0
        self.held: pl.DataFrame | None = None

    def look(self, book: Book) -> pl.DataFrame:
        """Take over what is new; return the families that it was about."""
        news = book.changes(since=self.sequence)
        kept = news.positions.clear() if self.held is None else self.held.join(news.families, on=FAMILY, how="anti")
        self.held = pl.concat([kept, news.positions])
        self.sequence = news.sequence
        return news.families


@settings(max_examples=2 * BOOKS)
@given(scenario=full_streams(), cuts=st.sets(st.integers(1, 17), max_size=3), folds=st.booleans())
def test_who_follows_the_changes_holds_the_positions(scenario, cuts, folds):
    rows = executions(scenario["events"])
    assume(rows)
    follower = Follower()
    with fresh_book(scenario) as book:
        bounds = [0, *sorted(cut for cut in cuts if cut < len(rows)), len(rows)]
        for first, last in itertools.pairwise(bounds):
            book.record(rows[first:last])
            if folds:
                book.fold()
            follower.look(book)
        assert follower.held is not None
        assert follower.held.sort("position_id").equals(book.positions().sort("position_id"))


def test_nothing_new_is_nothing(local_book):
    local_book.record(fill(1))
    news = local_book.changes(since=local_book.sequence)
    assert (news.sequence, news.families.height, news.positions.height) == (1, 0, 0)


def cure(kind: str, **fields: Any) -> dict[str, Any]:
    """Return an event without an account."""
    return {"trade_id": "late", "kind": kind, "executed_at": AT, **fields}


@pytest.mark.parametrize(
    ("event", "reached"),
    [
        (cure("cancel", target_id="T1"), {("GEN-1", "XYZ"), ("GEN-2", "XYZ")}),
        (cure("split", symbol="XYZ", asset_type="STOCK", ratio="2/1"), {("GEN-1", "XYZ"), ("GEN-2", "XYZ")}),
        (
            cure("transfer", account_id="GEN-1", to_account_id="GEN-2", symbol="ABC", asset_type="STOCK", quantity="1"),
            {("GEN-1", "ABC"), ("GEN-2", "ABC")},
        ),
        (
            fill(3) | {"trade_id": "late", "symbol": "XYZ", "executed_at": "2025-12-30T15:00:00Z"},
            {("GEN-1", "XYZ"), ("GEN-2", "XYZ")},
        ),
    ],
    ids=["a bust of what has moved on", "a split", "a transfer", "a fill before what has moved on"],
)
def test_an_event_changes_all_that_it_reaches(local_book, event, reached):
    local_book.add_accounts([{"account_id": "GEN-2"}])
    local_book.record([fill(1) | {"trade_id": "T1", "symbol": "XYZ"}, fill(2) | {"symbol": "ABC"}])
    moved = {"account_id": "GEN-1", "to_account_id": "GEN-2", "symbol": "XYZ", "asset_type": "STOCK", "quantity": "4"}
    local_book.record({"trade_id": "moved", "kind": "transfer", "executed_at": AT, **moved})
    seen = local_book.sequence
    receipt = local_book.record(event)
    assert receipt.ok, receipt.problems
    assert set(local_book.changes(since=seen).families.iter_rows()) == reached
