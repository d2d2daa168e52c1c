"""The commands of reconciliation: what differs, what a break is, and what becomes of it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.cli.test_cli import run
from tests.reconcile.statements import Told, held, trade
from tradelake.cli.app import app

FIRST, SECOND = trade(1, 100, "50"), trade(2, 5, "52", day="20260107")
TOLD = Told(trades=(FIRST, SECOND), positions=(held("XYZ", "105"),))


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A book that was told the first trade of two, and beside it the statement of both."""
    target = tmp_path / "book"
    run(target, "init")
    run(target, "import", "ibkr-flex", str(replace(TOLD, trades=(FIRST,)).file(tmp_path, "first.xml")))
    TOLD.file(tmp_path)
    return target


def statement(book: Path) -> str:
    return str(book.parent / "statement.xml")


def test_a_break_is_listed_with_what_it_is_about(book):
    shown = run(book, "reconcile", statement(book), code=1)
    assert shown.startswith(
        "statement.xml: U1, 2026-01-05 to 2026-01-30: 1 break\n"
        "  compared: 2 executions, 1 position, 0 realized profits\n"
    )
    rows = json.loads(run(book, "reconcile", "--json", statement(book), code=1))
    assert [(row["break_class"], row["theirs"], row["proposed"], row["consequences"]) for row in rows] == [
        ("missing_here", "5", 1, 1)
    ]
    assert run(book, "breaks", "--csv").splitlines()[1].startswith(f"{rows[0]['break_id']},1,opened,OPEN,U1,")


def test_comparing_alone_leaves_nothing_behind(book):
    run(book, "reconcile", "--no-record", statement(book), code=1)
    assert run(book, "breaks", "list", "--status", "all") == "breaks: no rows\n"


def test_the_exit_code_says_whether_a_break_waits_for_somebody(book):
    run(book, "reconcile", statement(book), code=1)
    (row,) = json.loads(run(book, "breaks", "--json"))
    assert run(book, "breaks", "accept", row["break_id"], "--reason", "small") == f"{row['break_id']}: accepted\n"
    run(book, "reconcile", statement(book))


def test_a_break_is_explained_shown_applied_and_resolved(book):
    run(book, "reconcile", statement(book), code=1)
    (row,) = json.loads(run(book, "breaks", "--json"))
    name = row["break_id"]
    assert run(book, "breaks", "explain", name, "--reason", "the feed was down") == f"{name}: explained\n"
    shown = run(book, "breaks", "show", name)
    execution = SECOND["ibExecID"]
    assert f"{name}: missing_here of {execution} in executions of U1\n" in shown
    assert "  follows: field quantity, instrument_id XYZ, ours 100, section positions, theirs 105\n" in shown
    assert "  proposed: action BUY, " in shown
    assert [step["action"] for step in json.loads(run(book, "breaks", "show", name, "--json"))] == [
        "opened",
        "explained",
    ]
    assert run(book, "breaks", "apply", name, "--reason", "ok") == f"{name}: applied, 1 event recorded\n"
    assert run(book, "reconcile", statement(book)).startswith("statement.xml: U1, 2026-01-05 to 2026-01-30: no break\n")
    assert run(book, "breaks") == "breaks: no rows\n"


def test_what_cannot_be_done_is_misuse(book, tmp_path):
    (tmp_path / "none.xml").write_text("<a/>")
    result = CliRunner().invoke(app, ["--book", str(book), "reconcile", str(tmp_path / "none.xml")])
    assert result.exit_code == 2
    assert "none.xml is XML with the first element a" in result.stderr


def test_tables_keep_within_a_hundred_characters(book):
    run(book, "reconcile", statement(book), code=1)
    (row,) = json.loads(run(book, "breaks", "--json"))
    for words in (["reconcile", "--no-record", statement(book)], ["breaks"]):
        shown = run(book, *words, code=int(words[0] == "reconcile")).splitlines()
        assert max(map(len, shown[1:])) <= 100
    assert run(book, "breaks", "show", row["break_id"]).splitlines()[0].startswith("step")
