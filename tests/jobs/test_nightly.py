"""The nightly job: days are closed once, missed ones are caught up, and what needs a person is named."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import tradelake as tl
from tests.books import fill
from tests.jobs.night_books import (
    AFTER,
    SESSIONS,
    broker_side,
    copied,
    marks_file,
    statement_file,
    tell,
    wheel,
    worth,
)
from tradelake.errors import BookBusy, InputError
from tradelake.jobs.night_run import STEPS
from tradelake.jobs.nightly import Night, run_nights
from tradelake.outputs import NightlyReport, report_json, standing

THURSDAY = date(2026, 1, 8)
CLOSED = date(2026, 1, 14)
MISSED = [day for day in SESSIONS if CLOSED < day <= AFTER]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book that was told everything until Thursday, the 8th; to be copied."""
    folder = tmp_path_factory.mktemp("told") / "book"
    wheel(folder, until=THURSDAY).close()
    return folder


@pytest.fixture
def book(told: Path, tmp_path: Path) -> Iterator[tl.Book]:
    """A book of its own that was told everything until Thursday, the 8th."""
    with tl.open(copied(told, tmp_path / "book")) as opened:
        yield opened


@pytest.fixture(scope="module")
def week(told: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[NightlyReport, ...]]:
    """A book that closed the 14th and then missed all nights until the 20th; and the reports of these."""
    folder = tmp_path_factory.mktemp("week")
    with tl.open(copied(told, folder / "book")) as opened:
        tell(opened, until=CLOSED)
        first = marks_file(folder / "first.csv", [day for day in SESSIONS if day <= CLOSED])
        run_nights(opened, Night(until=CLOSED, marks=[first]))
        tell(opened, until=AFTER)
        rest = marks_file(folder / "rest.csv", MISSED)
        reports = run_nights(opened, Night(until=AFTER, marks=[rest]))
    return folder / "book", reports


def step_of(report: NightlyReport, name: str) -> tuple[str, str]:
    """Return status and detail of a step."""
    return next((step.status, step.detail) for step in report.steps if step.name == name)


def test_a_first_night_agrees_with_the_broker_and_a_repeat_writes_nothing(book, tmp_path):
    statement = statement_file(tmp_path / "U1.xml", THURSDAY)
    asked = Night(until=THURSDAY, statements=[statement], marks=[marks_file(tmp_path / "m.csv", SESSIONS[:4])])
    told: list[tuple[str, int, int]] = []
    (report,) = run_nights(book, asked, progress=lambda *progress: told.append(progress))
    assert [name for name, _, _ in told] == [*STEPS[1:]]
    assert all(done < total for _, done, total in told)
    assert standing(report) == "done"
    assert report.breaks.height == report.unmarked.height == 0
    for row in report.accounts.iter_rows(named=True):
        assert (row["cash"], row["net_liquidation"]) == worth(row["account_id"], THURSDAY)
    assert report.totals["cash"].to_list() == [broker_side(THURSDAY)[1]]
    assert [(line.file, line.accepted, line.duplicates, line.marks) for line in report.imports] == [
        ("U1.xml", 0, 6, 5),
        ("m.csv", 0, 0, 19),
    ]
    assert [step.name for step in report.steps] == [*STEPS[:-1]]
    version, before = book.version, report_json(report)

    again = run_nights(book, asked)
    assert book.version == version
    assert [report_json(each) for each in again] == [before]
    twice = statement.rename(tmp_path / "again.xml")
    (same,) = run_nights(book, replace(asked, statements=[twice, twice]))
    assert book.version == version
    assert report_json(same) == before
    assert book.nights().select("nightly_date", "run").rows() == [(THURSDAY, 1)]


def test_missed_days_are_closed_one_by_one_each_with_what_it_had(week):
    folder, reports = week
    assert [report.nightly_date for report in reports] == MISSED
    assert date(2026, 1, 19) not in MISSED
    with tl.open(folder, read_only=True) as book:
        assert book.nights().select("nightly_date", "run").rows() == [(day, 1) for day in (CLOSED, *MISSED)]
        snapshots = book.account_snapshots(versions=True)
        assert snapshots["version"].unique().to_list() == [1]
        assert snapshots["snapshot_date"].unique().sort().to_list() == [CLOSED, *MISSED]
        for row in snapshots.iter_rows(named=True):
            seen = row["cash"], row["net_liquidation"]
            assert seen == worth(row["account_id"], row["snapshot_date"]), row["snapshot_date"]
        assert book.rebuild(check=True).identical
    assert [report.equity.height for report in reports] == [3 * (2 + number) for number in range(len(MISSED))]
    assert [len(report.imports) for report in reports] == [0] * (len(MISSED) - 1) + [1]
    for report, day in zip(reports, MISSED, strict=True):
        before = CLOSED if day == MISSED[0] else MISSED[MISSED.index(day) - 1]
        for row in report.accounts.iter_rows(named=True):
            gained = worth(row["account_id"], day)[1] - worth(row["account_id"], before)[1]
            assert row["pnl_today"] == gained


def test_a_late_fill_gives_the_days_that_it_reaches_another_version(week, tmp_path):
    with tl.open(copied(week[0], tmp_path / "book")) as book:
        known = book.now
        late = fill(99, "10", account_id="COM-1", symbol="KO", executed_at="2026-01-15T15:00:00Z", price="70")
        book.record(late)
        (report,) = run_nights(book, Night(until=AFTER))
        assert step_of(report, "snapshot")[1].endswith("; 2 earlier days corrected")
        versions = book.account_snapshots(account="COM-1").select("snapshot_date", "version").rows()
        assert versions == [(day, 1 if day < date(2026, 1, 15) else 2) for day in (CLOSED, *MISSED)]
        assert book.account_snapshots(account="GEN-1")["version"].unique().to_list() == [1]
        held = book.snapshots(account="COM-1", symbol="KO").filter(instrument_id="KO")
        was = book.snapshots(account="COM-1", symbol="KO", as_known=known).filter(instrument_id="KO")
        assert held["quantity"].to_list() == [150, 160, 160, 160]
        assert was["quantity"].to_list() == [150, 150, 150, 150]
        assert book.nights(since=AFTER).select("nightly_date", "run").rows() == [(AFTER, 1), (AFTER, 2)]
        version = book.version
        run_nights(book, Night(until=AFTER))
        assert book.version == version


def test_a_night_that_is_running_keeps_others_out_but_not_fills(book, tmp_path):
    with book.night():
        with tl.open(tmp_path / "book") as other:
            with pytest.raises(
                BookBusy, match=r"^A nightly job is running already on .*book.* Wait for it, or stop it"
            ):
                run_nights(other, Night(until=THURSDAY))
            assert other.record(fill(77, account_id="GEN-1")).accepted == 1
        refused = []
        thread = threading.Thread(target=lambda: refused.append(_busy(tmp_path / "book")))
        thread.start()
        thread.join()
    assert refused == [True]
    assert book.nights().height == 0


def _busy(folder: Path) -> bool:
    with tl.open(folder) as book:
        try:
            run_nights(book, Night(until=THURSDAY))
        except BookBusy:
            return True
    return False


def test_files_that_cannot_be_read_are_named_and_the_rest_is_done(book, tmp_path):
    broken, bad, good = (tmp_path / name for name in ("broken.xml", "bad.csv", "good.csv"))
    broken.write_text("<FlexQueryResponse>")
    bad.write_text("symbol,mark_date,price\nKO,2026-01-08,-1\nNONE,2026-01-08,3\nMSFT,2026-01-08,478.11\n")
    missing = tmp_path / "missing.csv"
    marks_file(good, SESSIONS[:4])
    (report,) = run_nights(book, Night(until=THURSDAY, statements=[broken], marks=[bad, missing, good]))
    assert standing(report) == "problems"
    assert step_of(report, "import") == ("problems", "0 new events from 4 files")
    assert step_of(report, "mark") == ("done", "24 new prices")
    assert step_of(report, "snapshot") == ("done", "3 accounts, 5 positions written")
    assert step_of(report, "reconcile") == ("nothing", "nothing to do")
    assert [note.split(" ")[0] for note in report.notes] == ["broken.xml", "bad.csv,", "bad.csv,", f"{missing}:"]
    assert [(line.file, line.rejects, line.marks) for line in report.imports] == [
        ("bad.csv", 2, 1),
        ("good.csv", 0, 23),
    ]
    assert report.unmarked.height == 0


@pytest.mark.parametrize(
    ("day", "complaint"),
    [
        (
            date(2026, 1, 10),
            "2026-01-10 is no trading day, so nothing closed then. The last one before it is 2026-01-09",
        ),
        (date(2026, 1, 19), "2026-01-19 is no trading day"),
        (date(2030, 1, 2), "The session of 2030-01-02 has not closed yet. Ask again after 2030-01-02 21:00:00"),
    ],
)
def test_a_day_without_a_close_is_refused_and_nothing_is_done(book, day, complaint):
    version = book.version
    with pytest.raises(InputError, match=complaint):
        run_nights(book, Night(until=day))
    assert book.version == version


def test_a_break_is_named_once_and_a_rule_settles_it_in_the_same_night(book, tmp_path):
    statement = statement_file(tmp_path / "U1.xml", THURSDAY, without={4})
    asked = Night(until=THURSDAY, statements=[statement], marks=[marks_file(tmp_path / "m.csv", SESSIONS[:4])])
    (report,) = run_nights(book, asked)
    assert standing(report) == "problems"
    assert step_of(report, "reconcile") == ("problems", "1 open break, 1 step in the life of breaks")
    found = report.breaks.row(0, named=True)
    assert (found["section"], found["break_class"], found["status"], found["age"]) == (
        "executions",
        "missing_there",
        "OPEN",
        0,
    )
    proposed = report.proposals.select("break_id", "kind", "command").rows()
    assert proposed == [(found["break_id"], "cancel", f"tradelake breaks apply {found['break_id']}")]
    version = book.version
    run_nights(book, asked)
    assert book.version == version

    ruled = replace(asked, rules=["missing_there"])
    (settled,) = run_nights(book, ruled)
    assert standing(settled) == "done"
    assert step_of(settled, "reconcile") == ("done", "0 open breaks, 2 steps in the life of breaks")
    steps = book.break_history(found["break_id"]).select("action", "reason").rows()
    assert steps == [
        ("opened", None),
        ("applied", "a rule applies missing_there"),
        ("resolved", "no longer differs"),
    ]
    (gone,) = (row for row in settled.accounts.iter_rows(named=True) if row["account_id"] == "REV-1")
    assert (gone["version"], gone["positions"], gone["cash"]) == (2, 0, 60_000)
    version = book.version
    run_nights(book, ruled)
    assert book.version == version
