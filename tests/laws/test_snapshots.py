"""Snapshots: however events and marks arrive, each day says what a replay of the log until its end says."""

import random
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import polars as pl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.laws.books import BOOKS, new_book
from tests.reference.fuzz import Gen
from tradelake.book import Book
from tradelake.jobs.scenario import executions
from tradelake.sessions import sessions_between

fresh_book = contextmanager(new_book)
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
WEIGHTS: list[dict[str, int] | None] = [None, {"stock": 30, "option": 20, "exercise": 4, "cancel": 4, "correct": 4}]
HELD = ("account_id", "instrument_id", "quantity", "cost_basis", "premium")
EARNED = ("cash", "realized_pnl", "dividends", "interest", "fees")


def days_of(rows: list[dict[str, Any]]) -> list[date]:
    """Return some sessions among the days of events."""
    times = [datetime.fromisoformat(row["executed_at"]) for row in rows if str(row.get("executed_at")).endswith("Z")]
    sessions = sessions_between(min(times).date(), max(times).date())
    return sessions[:: max(1, len(sessions) // 4)]


def scratch(book: Book, day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what is held and what was earned at the end of a day, asked of the log."""
    return (
        book.positions(as_of=day).select(HELD).sort(HELD),
        book.pnl(["account"], as_of=day).select("account_id", "currency", *EARNED).sort("account_id", "currency"),
    )


def snapped(book: Book, day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the same of the snapshots; accounts without anything are left out."""
    accounts = book.account_snapshots(since=day, until=day)
    some = pl.any_horizontal(pl.col(name) != 0 for name in EARNED)
    return (
        book.snapshots(since=day, until=day).select(HELD).sort(HELD),
        accounts.filter(some).select("account_id", "currency", *EARNED).sort("account_id", "currency"),
    )


@settings(max_examples=max(2, BOOKS // 2), phases=WITHOUT_SHRINKING)
@given(seed=st.integers(0, 10**9), weights=st.sampled_from(WEIGHTS))
def test_every_snapshot_is_what_a_replay_until_its_day_gives(seed, weights):
    chance = random.Random(seed)
    scenario = Gen(seed, 40, "full", 0.05, weights=weights).run()
    rows = executions(scenario["events"])
    days = days_of(rows)
    chance.shuffle(rows)
    with fresh_book(scenario) as book:
        believed: list[tuple[datetime, date, pl.DataFrame]] = []
        for number, day in enumerate(days):
            part = rows[number :: len(days)]
            if part:
                book.record([{k: v for k, v in row.items() if k != "recorded_at"} for row in part])
            if chance.random() < 0.5:
                book.fold()
            instruments = book.instruments().filter(pl.col("asset_type") == "STOCK")["instrument_id"]
            marks = [{"instrument_id": i, "mark_date": day, "price": str(chance.randint(1, 99))} for i in instruments]
            assert not book.mark(marks).problems
            receipt = book.snapshot(day)
            assert book.snapshot(day).version == receipt.version
            known = book.runs()["recorded_at"].max()
            assert isinstance(known, datetime)
            believed.append((known, day, book.account_snapshots()))
            for taken in days[: number + 1]:
                (held, earned), (want_held, want_earned) = snapped(book, taken), scratch(book, taken)
                assert held.equals(want_held), (taken, held, want_held)
                some = pl.any_horizontal(pl.col(name) != 0 for name in EARNED)
                assert earned.equals(want_earned.filter(some)), (taken, earned, want_earned)
        for known, _, accounts in believed:
            assert book.account_snapshots(as_known=known).equals(accounts)
