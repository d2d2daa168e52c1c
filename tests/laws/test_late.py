"""Law 8, once more: whatever arrives late, a book that folds all the while has the tables that its whole log gives."""

import random
from collections import Counter
from typing import Any

import pytest

from tests.laws.books import THOROUGH, empty_book
from tests.reference.fuzz import Gen
from tradelake.book.folding import Planner
from tradelake.jobs.scenario import executions, feed

# Late fills and cures of what was folded already, and few events that reach so far that their families are replayed.
LATE = {"stock": 30, "option": 25, "exercise": 8, "late": 14, "cancel": 4, "correct": 4, "cash": 1, "duplicate": 2}
FAR = LATE | {"split": 1, "dividend": 1, "transfer": 1, "fork": 1}
STREAMS = 4 if THOROUGH else 2
READERS = ("positions", "lots", "matches", "history", "refusals")


@pytest.fixture
def went_back(monkeypatch) -> Counter[str]:
    """How many families the folds have rewound, and how many replayed."""
    seen: Counter[str] = Counter()
    plan = Planner.plan

    def counted(self, befores):
        made = plan(self, befores)
        seen["rewound"] += made.before.families.height if made.before else 0
        seen["replayed"] += made.replayed.height
        return made

    monkeypatch.setattr(Planner, "plan", counted)
    return seen


@pytest.mark.parametrize("weights", [LATE, FAR], ids=["near", "far"])
def test_a_book_that_folds_all_the_while_has_what_its_whole_log_gives(weights, went_back):
    for seed in range(STREAMS):
        scenario = Gen(seed, 50, "full", 0.0 if seed % 2 else 0.05, weights=weights).run()
        with empty_book() as book:
            told_in_pieces(book, scenario, random.Random(seed))
            report = book.rebuild(check=True)
        assert report.identical, (seed, report.differences)
    assert went_back["rewound"] > STREAMS
    assert weights is LATE or went_back["replayed"]


def told_in_pieces(book: Any, scenario: dict[str, Any], chance: random.Random) -> None:
    """Record a few events at a time, and fold, or ask before the fold, which has to change no answer."""
    feed(book, {**scenario, "events": []})
    events = list(executions(scenario["events"]))
    while events:
        size = chance.choice((1, 1, 2, 3, 6))
        book.record(events[:size], source=f"{scenario['id']}-{len(events)}")
        events = events[size:]
        if chance.random() < 0.2:
            asked = {name: getattr(book, name)() for name in READERS}
            book.fold()
            for name, rows in asked.items():
                assert rows.equals(getattr(book, name)()), name
        elif chance.random() < 0.6:
            book.fold()
