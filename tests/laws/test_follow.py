"""Who follows a book by its changes holds what the book holds, whatever comes late, moves or is cured."""

import random
from contextlib import contextmanager

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.laws.books import BOOKS, new_book
from tests.reference.fuzz import Gen
from tradelake.jobs.scenario import executions

FAMILY = ["account_id", "symbol"]
DELIVERIES = 6
fresh_book = contextmanager(new_book)


@settings(max_examples=BOOKS)
@given(seed=st.integers(0, 10**9))
def test_a_follower_holds_what_the_book_holds(seed):
    scenario, chosen = Gen(seed, 60, "full", 0.05).run(), random.Random(seed)
    rows = executions(scenario["events"])
    cuts = sorted(chosen.sample(range(1, len(rows)), DELIVERIES - 1)) if len(rows) > DELIVERIES else []
    with fresh_book(scenario) as book:
        seen, held = 0, book.positions()
        for first, last in zip([0, *cuts], [*cuts, len(rows)], strict=True):
            book.record(rows[first:last])
            news = book.changes(seen)
            seen = news.sequence
            held = pl.concat([held.join(news.families, on=FAMILY, how="anti"), news.positions])
            assert_frame_equal(held, book.positions(), check_row_order=False)
            if chosen.random() < 0.3:
                book.fold()
