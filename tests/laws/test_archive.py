"""Law 13: archiving any prefix and restoring any part of it, in any order, changes no answer."""

import random
from collections.abc import Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import polars as pl
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.archive.answers import answers, questions
from tests.laws.books import BOOKS, new_book
from tests.reference.fuzz import Gen
from tradelake.book import Book
from tradelake.errors import ArchivedError
from tradelake.jobs.scenario import executions

T = TypeVar("T")
fresh_book = contextmanager(new_book)
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
ASKED = 8
FIRST = datetime(2027, 1, 1, tzinfo=UTC)
TENTHS = st.integers(0, 10)


@settings(max_examples=max(4, BOOKS // 2), phases=WITHOUT_SHRINKING)
@given(seed=st.integers(0, 10**9), told=TENTHS, archived=TENTHS, again=TENTHS, restored=st.lists(TENTHS, max_size=3))
def test_law_13_archive_and_restore_change_no_answer(seed, told, archived, again, restored):
    scenario = Gen(seed, 40, "full", 0.05).run()
    rows = [
        row | {"recorded_at": (FIRST + timedelta(seconds=n)).isoformat()}
        for n, row in enumerate(executions(scenario["events"]))
    ]
    cut = max(1, len(rows) * told // 10)
    with fresh_book(scenario) as plain, fresh_book(scenario) as book, TemporaryDirectory() as folder:
        for each in (plain, book):
            each.record(rows[:cut])
        days = plain.trades(kinds=("trade", "cash", "expire"))["trade_date"].unique().sort().to_list()
        assume(days)
        gone = book.archive(_month_after(_at(days, archived)), Path(folder) / "one").height
        assume(gone)
        for each in (plain, book):
            # Late events, cures of what is archived, and deliveries that are known.
            if rows[cut:]:
                each.record(rows[cut:])
            each.record(rows[: cut // 2 + 1])
        book.archive(_month_after(_at(days, again)), Path(folder) / "two")
        _compare(book, plain, _at(days, again), random.Random(seed))
        for tenth in restored:
            manifests = book.archives().select(pl.concat_str("url", "manifest", separator="/")).to_series()
            if manifests.len():
                book.restore([_at(manifests.unique().sort().to_list(), tenth)])
        _compare(book, plain, _at(days, again), random.Random(seed + 1))
        assert book.rebuild(check=True).identical


def _at(values: Sequence[T], tenth: int) -> T:
    return values[min(len(values) - 1, len(values) * tenth // 10)]


def _month_after(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _compare(book: Book, plain: Book, day: date, chosen: random.Random) -> None:
    """With its archive a book answers as if nothing had been archived; without it, so or not at all."""
    known = FIRST + timedelta(seconds=chosen.randrange(40))
    first = plain.trades().drop_nulls(["symbol", "account_id"]).head(1)
    symbol, account = (first[name].item() if first.height else "-" for name in ("symbol", "account_id"))
    asked = questions(day=day.isoformat(), known=known.isoformat(), symbol=symbol, account=account)
    for name in chosen.sample(sorted(asked), ASKED):
        try:
            ((_, answer),) = answers(book, {name: asked[name]})
        except ArchivedError:
            with book._catalog.cold.including():
                ((_, answer),) = answers(book, {name: asked[name]})
        ((_, expected),) = answers(plain, {name: asked[name]})
        assert_frame_equal(answer, expected)
