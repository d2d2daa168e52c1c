"""A nightly report on a terminal: the verdict first, nothing wider than asked, nothing that steers the terminal."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.outputs.nights import BREAKS, STEPS, empty_night, frame, ordinary_night
from tradelake.outputs import ImportLine, Step, report_text, verdict
from tradelake.outputs.report.terminal import ROWS_MAX


@pytest.mark.parametrize("report", [ordinary_night(), empty_night()], ids=["ordinary", "empty"])
def test_first_line_is_the_verdict_and_no_line_is_wider_than_100(report):
    text = report_text(report)
    lines = text.splitlines()
    assert lines[0] == verdict(report)
    assert max(map(cell_len, lines)) <= 100
    assert text.endswith("\n")
    assert report_text(report) == text


def test_what_deserves_a_look_stands_before_the_tables():
    text = report_text(ordinary_night())
    head = text[: text.index("\nAccounts\n")]
    assert "1 reject in U7000001_20261120.xml" in head
    assert "4 open breaks, the oldest 12 sessions old" in head
    assert "3 proposed events wait for you" in head
    assert "1 position without a mark: it is in no value" in head
    assert "4 options expire within 5 sessions, the first on 2026-11-27, 1 in the money" in head
    assert "Thursday the exchange is closed for Thanksgiving" in head


def test_failed_steps_and_short_buffers_are_said():
    short = {"account_id": "REV-1", "currency": "USD", "cash": Decimal(5), "surplus": Decimal("-1204.5")}
    failed = Step("reconcile", "failed", "no statement could be read", Decimal(1))
    problem = Step("verify", "problems", "the chain does not hold from sequence 12", Decimal(1))
    text = report_text(empty_night(steps=(failed, problem), buffers=frame("buffers", [short | {"required": 6}])))
    assert "The step reconcile failed: no statement could be read" in text
    assert "The step verify found problems: the chain does not hold from sequence 12" in text
    assert "REV-1 is short of its cash buffer by 1,204.50 USD" in text
    both = frame("buffers", [short, short | {"account_id": "GEN-1"}])
    assert "2 accounts are short of their cash buffer" in report_text(empty_night(buffers=both))


@pytest.mark.parametrize(
    ("ages", "words"),
    [([0], "1 open break, new tonight"), ([1], "1 open break, 1 session old"), ([0, 3], "2 open breaks, the oldest 3")],
)
def test_the_age_of_breaks_is_said_in_words(ages, words):
    breaks = frame("breaks", [BREAKS[0] | {"age": age} for age in ages])
    assert words in report_text(empty_night(breaks=breaks))


def test_a_shortfall_keeps_its_digits():
    owed = Decimal("-12345678901234567890123456.123456789012")
    row = {"account_id": "GEN-1", "currency": "USD", "cash": owed, "required": 0, "surplus": owed}
    text = report_text(empty_night(buffers=frame("buffers", [row])))
    assert "by 12,345,678,901,234,567,890,123,456.123456789012 USD" in text


def test_long_tables_say_how_much_is_left_out():
    breaks = frame("breaks", [BREAKS[0] | {"break_id": f"BR-{i}"} for i in range(ROWS_MAX + 1)])
    text = report_text(ordinary_night(breaks=breaks))
    assert f"BR-{ROWS_MAX - 1} " in text
    assert f"BR-{ROWS_MAX} " not in text
    assert "and 1 more row\n" in text


def test_color_only_colors():
    report = ordinary_night()
    colored = report_text(report, color=True)
    assert "\x1b[31m" in colored
    assert len(colored) > len(report_text(report))


@given(text=st.text(min_size=1, max_size=300))
def test_no_text_steers_the_terminal_or_makes_a_line_too_wide(text: str):
    breaks = frame("breaks", [BREAKS[2] | {"cause": text, "break_id": text, "broker_account_id": text}])
    report = empty_night(
        notes=(text,),
        imports=(ImportLine(text, rejects=1),),
        steps=(Step("import", "failed", text, Decimal(1)), *STEPS[2:]),
        breaks=breaks,
        book=text,
    )
    lines = report_text(report).split("\n")
    assert all(line.isprintable() for line in lines)
    assert max(map(cell_len, lines)) <= 100
