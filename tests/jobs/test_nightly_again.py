"""A nightly job that is killed, breaks off, or closes its days in other parts leaves the same book."""

import json
import os
import random
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import tradelake as tl
from tests.jobs.killed import Job
from tests.jobs.night_books import SESSIONS, copied, marks_file, priced, statement_file, tables_of, wheel
from tests.laws.books import THOROUGH
from tradelake.jobs.nightly import Night, run_nights
from tradelake.outputs import NightlyReport, report_json
from tradelake.store import verify_runs

KILLS = int(os.environ.get("TRADELAKE_KILLS", "4"))
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
BEFORE, DAYS = date(2026, 1, 7), [date(2026, 1, day) for day in ((8, 9, 12) if THOROUGH else (8, 9))]
MISSED = {5}  # the fill that only the broker's statement tells
MORE = {3}  # the fill that the broker does not know: a break
OF_THE_RUN = ("started_at", "finished_at", "chain_hash", "book", "steps", "imports")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a closed book that closed the 7th and lacks a fill of the 8th; and the files of later days."""
    folder = tmp_path_factory.mktemp("told")
    with wheel(folder / "book", until=DAYS[-1], without=MISSED) as made:
        run_nights(made, Night(until=BEFORE, marks=[marks_file(folder / "m.csv", SESSIONS[:3])]))
    statement_file(folder / "U1.xml", DAYS[0], without=MORE)
    for day in DAYS:
        marks_file(folder / f"{day}.csv", [day], contracts=priced(DAYS[-1]))
    return folder


def asked(folder: Path, days: list[date]) -> Night:
    """Return the order to close days, with the prices of each, and with the statement of the first of all."""
    statements = [folder / "U1.xml"] if days[0] == DAYS[0] else []
    return Night(until=days[-1], statements=statements, marks=[folder / f"{d}.csv" for d in days], rules=["expire"])


def said(report: NightlyReport) -> dict[str, Any]:
    """Return what a report says, without how and when it was made."""
    return {name: value for name, value in json.loads(report_json(report)).items() if name not in OF_THE_RUN}


def assert_same(
    found: dict[str, pl.DataFrame], wanted: dict[str, pl.DataFrame], *, without: tuple[str, ...] = ()
) -> None:
    for name, rows in wanted.items():
        if name not in without:
            assert_frame_equal(found[name], rows, check_exact=True)


def assert_whole(book: tl.Book) -> None:
    """Assert that the chain holds from its first commit, and that the derived tables are what follows from the log."""
    catalog = book._catalog
    with catalog.transaction():
        assert verify_runs(catalog).problems == ()
    assert book.rebuild(check=True).identical


@dataclass(frozen=True, repr=False)
class Left:
    """What a job left: the tables of its book, and what its last report says."""

    tables: dict[str, pl.DataFrame]
    report: dict[str, Any]


@pytest.fixture(scope="module")
def at_once(told: Path, tmp_path_factory: pytest.TempPathFactory) -> Left:
    """What a job left that closed three days in one go."""
    with tl.open(copied(told / "book", tmp_path_factory.mktemp("once") / "book")) as book:
        reports = run_nights(book, asked(told, DAYS))
        assert [report.nightly_date for report in reports] == DAYS
        assert book.breaks().height == 1
        assert_whole(book)
        return Left(tables_of(book), said(reports[-1]))


@settings(max_examples=2 if THOROUGH else 1, phases=WITHOUT_SHRINKING)
@given(ends=st.sets(st.sampled_from(DAYS[:-1]), min_size=1))
def test_nights_in_any_split_leave_the_same(told, at_once, tmp_path_factory, ends):
    with tl.open(copied(told / "book", tmp_path_factory.mktemp("split") / "book")) as book:
        left = list(DAYS)
        for end in sorted({*ends, DAYS[-1]}):
            part, left = left[: left.index(end) + 1], left[left.index(end) + 1 :]
            reports = run_nights(book, asked(told, part))
            assert [report.nightly_date for report in reports] == part
        tables, last = tables_of(book), said(reports[-1])
    assert_same(tables, at_once.tables, without=("import_runs",))
    assert last == at_once.report


def test_a_job_that_breaks_off_between_two_days_goes_on_where_it_was(told, at_once, tmp_path):
    kept: list[NightlyReport] = []

    def keep(report: NightlyReport) -> None:
        kept.append(report)
        if len(kept) == 2:
            raise KeyboardInterrupt

    order = asked(told, DAYS)
    with tl.open(copied(told / "book", tmp_path / "book")) as book:
        with pytest.raises(KeyboardInterrupt):
            run_nights(book, order, keep=keep)
        assert book.nights()["nightly_date"].to_list() == [BEFORE, DAYS[0]]
        rest = run_nights(book, order, keep=keep)
        assert [report.nightly_date for report in kept] == [DAYS[0], DAYS[1], *DAYS[1:]]
        assert said(rest[-1]) == at_once.report
        assert_same(tables_of(book), at_once.tables)


@pytest.mark.slow
@pytest.mark.timeout(60 + 20 * KILLS)
def test_a_job_that_is_killed_at_any_moment_and_run_again_leaves_the_same(told, tmp_path):
    chance, order = random.Random(11), asked(told, DAYS[:1])
    job = Job()
    begun = job.begin(copied(told / "book", tmp_path / "whole"), order)
    assert job.end()
    took = time.perf_counter() - begun
    with tl.open(tmp_path / "whole") as book:
        assert_whole(book)
        wanted, report = tables_of(book), said(run_nights(book, order)[-1])
    job, unfinished = Job(), 0
    for number in range(KILLS):
        folder = copied(told / "book", tmp_path / str(number))
        begun = job.begin(folder, order)
        moment = took * (number + chance.random()) / KILLS
        time.sleep(max(0, begun + moment - time.perf_counter()))
        if job.end(kill=True):
            took = min(took, moment)  # the machine has less to do than before
        else:
            unfinished += 1
        # The next one gets ready meanwhile.
        job = Job()
        with tl.open(folder) as book:
            (last,) = run_nights(book, order)
            assert_same(tables_of(book), wanted)
            assert said(last) == report, moment
            if number % 5 == 0:
                assert_whole(book)
    job.end(kill=True)
    assert unfinished >= KILLS // 3
