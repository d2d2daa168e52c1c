"""Laws 4, 7, 8 and 12 through real books, over events of every kind: what was believed stays to be asked for."""

import itertools
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from tests.laws.books import BOOKS, new_book, tables_of
from tests.laws.full import full_streams
from tests.reference.fuzz import Gen
from tradelake.book import Book
from tradelake.jobs.scenario import executions

fresh_book = contextmanager(new_book)
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
LISTINGS = ("positions", "lots", "matches", "history", "refusals")
FIRST = datetime(2027, 1, 1, tzinfo=UTC)
SEEDS = st.integers(0, 10**9)
Rows = list[dict[str, Any]]


def told_one_by_one(rows: Rows) -> Rows:
    """Return the rows, each known a second after the one before."""
    return [row | {"recorded_at": (FIRST + timedelta(seconds=n)).isoformat()} for n, row in enumerate(rows)]


def answers(book: Book, **instants: Any) -> dict[str, pl.DataFrame]:
    """Return what a book answers to every listing and to profit by account."""
    told = {name: getattr(book, name)(**instants) for name in LISTINGS}
    told["pnl"] = book.pnl(["account"], **instants)
    return {name: frame if isinstance(frame, pl.DataFrame) else frame.collect() for name, frame in told.items()}


@settings(max_examples=BOOKS, phases=WITHOUT_SHRINKING)
@given(seed=SEEDS, invalid=st.sampled_from([0.0, 0.1]), part=st.integers(1, 9), day=st.integers(0, 40))
def test_laws_7_and_12_what_was_known_then_is_what_a_book_says_that_was_told_no_more(seed, invalid, part, day):
    scenario = Gen(seed, 30, "full", invalid).run()
    rows = told_one_by_one(executions(scenario["events"]))
    count = max(1, len(rows) * part // 10)
    until = datetime(2025, 1, 2, 23, tzinfo=UTC) + timedelta(days=day)
    with fresh_book(scenario) as whole, fresh_book(scenario) as early:
        whole.record(rows)
        early.record(rows[:count])
        known = FIRST + timedelta(seconds=count - 1)
        for then, now in (
            (answers(whole, as_known=known), answers(early)),
            (
                answers(whole, as_known=known, as_of=until),
                answers(early, as_of=until),
            ),
        ):
            for name, frame in now.items():
                assert then[name].equals(frame), name


@settings(max_examples=BOOKS, phases=WITHOUT_SHRINKING)
@given(scenario=full_streams(), cuts=st.sets(st.integers(1, 17), max_size=3), folds=st.lists(st.booleans(), min_size=4))
def test_laws_4_and_8_any_batching_and_folding_of_every_kind_is_one_batch(scenario, cuts, folds):
    rows = executions(scenario["events"])
    assume(rows)
    bounds = [0, *sorted(cut for cut in cuts if cut < len(rows)), len(rows)]
    with fresh_book(scenario) as whole, fresh_book(scenario) as parts:
        whole.record(rows)
        for (first, last), fold in zip(itertools.pairwise(bounds), folds, strict=False):
            parts.record(rows[first:last])
            if fold:
                parts.fold()
        report = parts.rebuild(check=True)
        assert report.identical, report.differences
        wanted = tables_of(whole)
        for name, frame in tables_of(parts).items():
            assert frame.equals(wanted[name]), name


@settings(max_examples=BOOKS, phases=WITHOUT_SHRINKING)
@given(seed=SEEDS, chosen=st.integers(0, 100))
def test_law_12_a_busted_event_leaves_positions_as_if_it_had_never_been(seed, chosen):
    scenario = Gen(seed, 25, "full", weights={"stock": 30, "option": 20, "exercise": 4, "split": 2, "spin": 1}).run()
    rows = executions(scenario["events"])
    assume(rows)
    lost = rows[chosen % len(rows)]
    bust = {"trade_id": "bust", "kind": "cancel", "target_id": lost["trade_id"], "executed_at": FIRST.isoformat()}
    with fresh_book(scenario) as busted, fresh_book(scenario) as never:
        before = busted.record(told_one_by_one(rows)).sequence
        believed = answers(busted)
        busted.record(bust | {"recorded_at": (FIRST + timedelta(days=1)).isoformat()})
        never.record([row for row in rows if row is not lost])
        ours, theirs = answers(busted), answers(never)
        assert busted.sequence == before + 1
        for name in ("positions", "lots", "matches", "history"):
            sequences = [column for column in ours[name].columns if column.endswith("sequence")]
            assert ours[name].drop(sequences).equals(theirs[name].drop(sequences)), name
        assert ours["pnl"].drop("trades").equals(theirs["pnl"].drop("trades"))
        then = answers(busted, as_known=FIRST + timedelta(hours=1))
        assert all(then[name].equals(frame) for name, frame in believed.items())
