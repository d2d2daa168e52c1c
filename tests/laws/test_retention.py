"""Deleting a prefix of the log changes no position, lot, match or closed position, whatever comes after it."""

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from bench.questions import DERIVED
from tests.books import OF_THE_COMMIT
from tests.laws.books import BOOKS, new_book
from tests.reference.fuzz import Gen
from tradelake.book import Policy, parts
from tradelake.jobs.scenario import executions
from tradelake.store.closing import closed_until

fresh_book = contextmanager(new_book)
FIRST = datetime(2027, 1, 1, tzinfo=UTC)
SOON = {"trade_log": 1, "source_records": 1}
TENTHS = st.integers(1, 10)


@settings(max_examples=BOOKS // 2 + 1, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(seed=st.integers(0, 10**9), told=TENTHS, until=TENTHS)
def test_a_book_goes_on_from_where_it_was_closed(seed, told, until):
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
        delete_until(book, days[min(len(days) - 1, len(days) * until // 10)], Path(folder))
        assume(closed_until(book._catalog) is not None)
        # What comes late, but not too late, cures of it, and what is known.
        receipt = book.record(rows)
        refused = set(receipt.outcomes.filter(outcome="reject")["row"])
        plain.record([row for n, row in enumerate(rows, start=1) if n not in refused])
        same(book, plain)
        book.fold()
        # A rebuild goes on from there as well, in parts and stretches of time.
        with patch.object(parts, "PART_EVENTS", 4):
            assert book.rebuild(check=True).identical
            book.rebuild()
        same(book, plain)
        # A second closing starts from the first.
        delete_until(book, days[-1], Path(folder))
        same(book, plain)
        assert_frame_equal(book.cash(), plain.cash())
        assert book.verify(deep=True).findings == ()


def delete_until(book, day: date, folder: Path) -> None:
    """Archive and delete the months up to that of a day."""
    month = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    at = datetime(month.year + month.month // 12, month.month % 12 + 1, 1, tzinfo=UTC)
    with patch("tradelake.book.retention.now", return_value=at):
        book.apply_retention(Policy(hot=1, cold=SOON), to=folder, delete=True)


def same(book, plain) -> None:
    for name in DERIVED:
        mine, theirs = (
            getattr(each, name)().drop(*OF_THE_COMMIT, "sequence", "open_sequence", "close_sequence", strict=False)
            for each in (book, plain)
        )
        assert_frame_equal(mine, theirs)
