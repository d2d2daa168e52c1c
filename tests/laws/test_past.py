"""Law 7 from the inside: what is read off the tables of today is what a replay of the log up to then gives."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from tests.laws.books import BOOKS, new_book
from tests.reference.fuzz import Gen
from tradelake.book import Book
from tradelake.book.closing import derive_all
from tradelake.book.read import Filter
from tradelake.jobs.scenario import executions
from tradelake.store import read_standing
from tradelake.tables import DERIVED_TABLES

fresh_book = contextmanager(new_book)
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
FIRST = datetime(2027, 1, 1, tzinfo=UTC)
# Of everything, of trades and exercises with their cures, and of those with a rare split.
WEIGHTS: list[dict[str, int] | None] = [
    None,
    {"stock": 30, "option": 20, "exercise": 4, "cancel": 2, "correct": 2},
    {"stock": 30, "option": 20, "exercise": 4, "split": 1},
]
FRACTIONS = st.integers(0, 10)


def told_one_by_one(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows, each known a second after the one before."""
    return [row | {"recorded_at": (FIRST + timedelta(seconds=n)).isoformat()} for n, row in enumerate(rows)]


def replayed_and_read(
    book: Book, as_of: datetime | None, as_known: datetime | None
) -> list[tuple[str, pl.DataFrame, pl.DataFrame]]:
    """Return each derived table as a replay gives it, and as it is read."""
    with book._catalog.transaction():
        references = book._references(read_standing(book._catalog).import_run_id)
        replayed = derive_all(book._catalog, references, as_of=as_of, as_known=as_known)
        past = book._past(as_of, as_known)
        return [
            (table.name, replayed.rows(table).sort(*table.sort, *table.key), book._at(table, Filter(), None, past))
            for table in DERIVED_TABLES
        ]


@settings(max_examples=BOOKS, phases=WITHOUT_SHRINKING)
@given(
    seed=st.integers(0, 10**9),
    weights=st.sampled_from(WEIGHTS),
    folded=FRACTIONS,
    questions=st.lists(st.tuples(FRACTIONS, st.none() | FRACTIONS), min_size=3, max_size=3),
)
def test_law_7_the_past_is_a_replay_of_the_log_until_then(seed, weights, folded, questions):
    scenario = Gen(seed, 40, "full", 0.05, weights=weights).run()
    rows = told_one_by_one(executions(scenario["events"]))
    times = sorted(
        {datetime.fromisoformat(row["executed_at"]) for row in rows if str(row.get("executed_at")).endswith("Z")}
    )
    assume(times)
    cut = len(rows) * folded // 10
    with fresh_book(scenario) as book:
        for part in (rows[:cut], rows[cut:]):
            if part:
                book.record(part)
            if part is not rows[cut:] or folded % 3 == 0:
                book.fold()
        for of, known in questions:
            as_of = times[min(len(times) - 1, len(times) * of // 10)] if of else None
            as_known = None if known is None else FIRST + timedelta(seconds=len(rows) * known // 10)
            if as_of is None and as_known is None:
                continue
            for name, replayed, read in replayed_and_read(book, as_of, as_known):
                assert read.equals(replayed), (name, as_of, as_known)
