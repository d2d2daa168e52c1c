"""A break is the same one every night, its history only grows, and nothing is resolved that nobody has looked at."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tradelake.reconcile import Difference, Root
from tradelake.reconcile.breaks import Coverage, Seen, break_id, following, frame_of_steps, next_steps, standing
from tradelake.tables import BREAK_EVENTS

MONDAY, TUESDAY, WEDNESDAY = date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)
POSITION = Difference("positions", "quantity", "quantity", "XYZ", "XYZ", ours=Decimal(10), theirs=Decimal(15))
FILL = Difference(
    "executions",
    "missing_here",
    "presence",
    "E1",
    "XYZ",
    broker_execution_id="E1",
    day=MONDAY,
    theirs=Decimal(5),
    both={"theirs": {"kind": "trade", "quantity": "5", "price": "50", "charges": "1"}},
)


def coverage(day: date = MONDAY, **more: Any) -> Coverage:
    told = {"events": frozenset(("executions", "cash", "actions")), "positions": True, "lots": True, "realized": True}
    return Coverage(day, day, **{**told, **more})


class Life:
    """The history of breaks of one account, night after night."""

    def __init__(self) -> None:
        self.events = BREAK_EVENTS.empty()

    def night(self, *roots: Difference | Root, day: date = MONDAY, **more: Any) -> list[str]:
        """Let a statement be seen, and return the actions of the steps that follow."""
        given = [each if isinstance(each, Root) else Root(each) for each in roots]
        steps = next_steps(Seen("U1", given, coverage(day, **more)), self.events)
        return self._take(steps)

    def person(self, difference: Difference, action: str, status: str) -> None:
        row = next(
            r for r in standing(self.events).iter_rows(named=True) if r["break_id"] == break_id("U1", difference)
        )
        self._take([following(row, action, status, reason="because")])

    def _take(self, steps: list[dict[str, Any]]) -> list[str]:
        rows = frame_of_steps(steps, "nobody").with_columns(
            recorded_at=pl.lit(datetime(2026, 1, 8, tzinfo=UTC)), import_run_id=pl.lit(1), row_check=pl.lit(0)
        )
        self.events = pl.concat([self.events, BREAK_EVENTS.conform(rows)])
        return [str(step["action"]) for step in steps]

    def status(self) -> list[str]:
        return standing(self.events)["status"].to_list()


def test_the_same_difference_is_the_same_break_whatever_its_amounts():
    assert break_id("U1", POSITION) == break_id("U1", replace(POSITION, ours=Decimal(1), day=TUESDAY))
    others = [replace(POSITION, name="ABC"), replace(POSITION, section="lots"), replace(POSITION, field="basis")]
    assert len({break_id("U1", each) for each in (POSITION, *others)} | {break_id("U2", POSITION)}) == 5


def test_a_break_that_is_seen_again_takes_no_step():
    life = Life()
    assert life.night(POSITION) == ["opened"]
    assert life.night(POSITION) == []
    assert life.night(replace(POSITION, ours=Decimal(110), theirs=Decimal(115)), day=TUESDAY) == []
    assert life.night(replace(POSITION, theirs=Decimal(16)), day=TUESDAY) == ["changed"]
    assert life.status() == ["OPEN"]


def test_a_break_that_is_gone_is_resolved_and_one_that_comes_back_is_reopened():
    life = Life()
    life.night(POSITION)
    assert life.night(day=TUESDAY) == ["resolved"]
    assert life.night(day=TUESDAY) == []
    assert life.night(POSITION, day=WEDNESDAY) == ["reopened"]
    assert standing(life.events).select("step", "opened").row(0) == (3, WEDNESDAY)


def test_a_section_that_is_not_told_resolves_nothing():
    life = Life()
    life.night(POSITION)
    assert life.night(day=TUESDAY, positions=False) == []


def test_an_execution_of_another_day_is_not_covered():
    life = Life()
    life.night(FILL)
    assert life.night(day=TUESDAY) == []
    assert life.night() == ["resolved"]


def test_an_older_statement_neither_resolves_nor_reopens():
    life = Life()
    life.night(POSITION, day=TUESDAY)
    assert life.night(day=MONDAY) == []
    life.night(day=WEDNESDAY)
    assert life.night(POSITION, day=TUESDAY) == []
    assert life.status() == ["RESOLVED"]


def test_an_accepted_break_comes_back_when_its_amounts_change():
    life = Life()
    life.night(POSITION)
    life.person(POSITION, "accepted", "ACCEPTED")
    assert life.night(POSITION, day=TUESDAY) == []
    assert life.night(replace(POSITION, theirs=Decimal(20)), day=TUESDAY) == ["reopened"]
    assert life.status() == ["OPEN"]


def test_an_explained_break_stays_explained_when_its_amounts_change():
    life = Life()
    life.night(POSITION)
    life.person(POSITION, "explained", "EXPLAINED")
    assert life.night(replace(POSITION, theirs=Decimal(20)), day=TUESDAY) == ["changed"]
    assert life.status() == ["EXPLAINED"]


def test_a_cause_or_a_proposal_that_turns_up_is_a_change():
    life = Life()
    life.night(POSITION)
    assert life.night(replace(POSITION, cause="a split")) == ["changed"]
    assert life.night(Root(replace(POSITION, cause="a split"), ({"kind": "cancel"},))) == ["changed"]
    assert life.night(POSITION) == []


def test_a_break_that_follows_from_another_one_is_resolved_with_its_name():
    life = Life()
    life.night(POSITION)
    root = Root(FILL)
    root.consequences.append(POSITION)
    assert sorted(life.night(root, day=TUESDAY)) == ["opened", "resolved"]
    reasons = standing(life.events).filter(status="RESOLVED")["reason"].to_list()
    assert reasons == [f"follows from {break_id('U1', FILL)}"]


@given(nights=st.lists(st.lists(st.sampled_from((POSITION, FILL, replace(POSITION, name="ABC"))), unique=True)))
def test_history_only_grows_and_the_same_night_twice_adds_nothing(nights):
    life = Life()
    for roots in nights:
        before = life.events
        life.night(*roots)
        assert life.events.head(before.height).equals(before)
        assert life.night(*roots) == []
        open_breaks = set(standing(life.events).filter(pl.col("status") != "RESOLVED")["break_id"])
        assert open_breaks == {break_id("U1", each) for each in roots}
    steps = life.events.group_by("break_id").agg(pl.col("step").sort())
    assert all(row == list(range(1, len(row) + 1)) for row in steps["step"].to_list())
