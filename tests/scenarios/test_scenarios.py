"""Every scenario of this release passes through the public doors of a book, and the comparison notices what differs."""

import copy
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.reference.exact import Reject, num
from tradelake.book import create
from tradelake.jobs import scenario as runner
from tradelake.jobs.answers import answers
from tradelake.jobs.compare import compare

CASES = Path(__file__).parent / "cases"
MUTATED = ("P05", "S06", "L09", "X01", "A01", "C14", "K10", "B09", "N02", "N04", "N06")
SCENARIOS = {path.stem: list(runner.load([path])) for path in sorted(CASES.glob("*.yaml"))}
ALL = [scenario for scenarios in SCENARIOS.values() for scenario in scenarios]


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: str(scenario["id"]))
def test_a_book_gives_the_answers_that_were_derived_by_hand(scenario):
    assert runner.check(scenario) == []


def test_all_scenarios_are_there():
    assert len(ALL) == 147


@pytest.mark.parametrize("name", MUTATED)
def test_the_comparison_notices_every_changed_dropped_or_renamed_value(name):
    (scenario,) = [scenario for scenario in ALL if scenario["id"] == name]
    got = answer_of(scenario)
    changes = list(mutations(scenario["expected"]))
    assert compare(scenario["expected"], got) == []
    assert len(changes) >= 10
    assert [where for where, changed in changes if not compare(changed, got)] == []


def answer_of(scenario: dict[str, Any]) -> dict[str, Any]:
    """Return what a fresh book answers to the scenario."""
    with TemporaryDirectory() as folder, create(Path(folder) / "book") as book:
        return answers(book, scenario, *runner.feed(book, scenario))


def leaves(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Yield every value of an expected section with its path; the instants of a question are no answers."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, (dict, list)):
            yield from leaves(value, (*path, key))
        elif key not in ("effective", "known"):
            yield (*path, key), value


def other(value: str) -> str:
    """Return a value that is not the same."""
    try:
        return str(num(value) + 1) if num(value).denominator == Fraction(1) else value + "1"
    except Reject:
        return "changed"


def mutations(wanted: dict[str, Any]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Yield copies of an expected section with one value changed, or one row dropped."""
    for path, value in leaves(wanted):
        changed = copy.deepcopy(wanted)
        node: Any = changed
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = other(value)
        yield path, changed
    for section in ("positions", "closed", "errors", "duplicates", "breaks"):
        for number in range(len(wanted.get(section) or [])):
            changed = copy.deepcopy(wanted)
            del changed[section][number]
            yield (section, number, "dropped"), changed
