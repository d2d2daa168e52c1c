"""A family that is too long to be derived at once: stretch after stretch of time gives what all of it gives."""

from datetime import time

import pytest

from tests.book.cures import action, cancel, correct
from tests.books import assert_whole, fill
from tradelake.book import Book, parts
from tradelake.book.folding import Planner
from tradelake.book.linked import Linked, Stretch
from tradelake.book.stretches import GoingOn, stretches_of
from tradelake.lots import in_effect

DAYS, ON_A_DAY = 12, 4
ALL = DAYS * ON_A_DAY + 1
MOST = 10


@pytest.fixture
def busy(local_book):
    """A book with one family: 48 fills on twelve days with a dividend, sold short in the end, never flat before."""
    quantities = {0: "10", 1: "-4", 2: "3", 3: "-1"}
    rows = [at(day, place, quantities[place]) for day in range(DAYS) for place in range(ON_A_DAY)]
    rows[-1] = at(DAYS - 1, ON_A_DAY - 1, "-120")
    paid = action("D", "cash_dividend", "2026-01-09T05:00:00Z", amount_per_unit="0.5", pay_at="2026-01-15T14:30:00Z")
    assert local_book.record([*rows, paid]).ok
    local_book.fold()
    return local_book


@pytest.fixture
def heights(monkeypatch) -> list[int]:
    """How many events each stretch was derived from."""
    found, then, first = [], GoingOn.then, GoingOn.first

    def counted(self, events, **named):
        found.append(events.height)
        return then(self, events, **named)

    def begun(self, run, **named):
        found.append(0)
        return first(self, run, **named)

    monkeypatch.setattr(GoingOn, "then", counted)
    monkeypatch.setattr(GoingOn, "first", begun)
    monkeypatch.setattr(parts, "PART_EVENTS", MOST)
    return found


def at(day: int, place: int, quantity: str, **fields: object) -> dict[str, object]:
    when = f"2026-01-{day + 5:02}T{15 + place}:00:00Z"
    return fill(100 * day + place, quantity, symbol="ACME", price=str(20 + day), executed_at=when) | fields


def linked_of(book: Book) -> tuple[Planner, Linked, parts.Part]:
    planner = book._planner()
    (part,) = parts.parts_of(book._catalog, planner.references, planner.reaching, 1)
    return planner, planner.linked_with(part.families), part


def test_stretches_are_whole_days_with_about_equally_many_events(busy):
    with busy._catalog.transaction():
        _, linked, part = linked_of(busy)
        found = stretches_of(busy._catalog, linked, part.events, MOST)
        assert len(found) == -(-ALL // MOST)
        assert (found[0].since, found[-1].until) == (None, None)
        bounds = [stretch.until for stretch in found[:-1]]
        assert [stretch.since for stretch in found[1:]] == bounds
        assert all(bound is not None and bound.time() == time() for bound in bounds)
        assert stretches_of(busy._catalog, linked, part.events, part.events) == [Stretch()]


def test_events_of_one_day_are_one_stretch(local_book, heights):
    rows = [fill(number, "2", executed_at=f"2026-01-05T15:{number:02}:00Z", symbol="ACME") for number in range(40)]
    assert local_book.record(rows).ok
    local_book.fold()
    assert heights == [0]
    assert_whole(local_book, 40)


def test_a_long_family_is_rebuilt_and_compared_in_stretches(busy, heights, monkeypatch):
    before = busy.rebuild(check=True)
    assert before.identical
    assert heights[0] == 0
    assert max(heights) <= MOST + ON_A_DAY
    assert sum(heights[1:]) >= ALL - MOST - ON_A_DAY
    assert busy.rebuild().rows == before.rows
    monkeypatch.setattr(parts, "PART_EVENTS", 1_000)
    assert_whole(busy, ALL)


@pytest.mark.parametrize("table", ["matches", "position_history", "cash_flows", "lots"])
def test_a_wrong_row_of_any_stretch_is_found(busy, heights, table):
    busy._catalog.execute(f"DELETE FROM {table}")
    report = busy.rebuild(check=True)
    assert [line.split(",")[0] for line in report.differences] == [f"{table}: {report.rows[table]} rows missing"]
    assert busy.rebuild().rows == report.rows
    assert busy.rebuild(check=True).identical


def test_what_a_correct_moves_counts_in_the_stretch_that_it_is_moved_to(busy, heights, monkeypatch):
    cures = [
        correct("C1", "T1", {"executed_at": "2026-01-15T15:30:00Z"}, account_id="GEN-1"),
        correct("C2", "T1002", {"executed_at": "2026-01-05T15:30:00Z"}, account_id="GEN-1"),
        # A correct of a correct, and one that was undone.
        correct("C3", "C1", {"executed_at": "2026-01-16T14:30:00Z"}, account_id="GEN-1"),
        correct("C4", "T402", {"executed_at": "2026-01-14T14:30:00Z"}, account_id="GEN-1"),
        cancel("C5", "C4", account_id="GEN-1"),
        cancel("C6", "T500", account_id="GEN-1"),
    ]
    assert busy.record(cures).ok
    busy.rebuild()
    assert len(heights) == -(-(ALL + len(cures)) // MOST)
    monkeypatch.setattr(parts, "PART_EVENTS", 1_000)
    assert_whole(busy, ALL + len(cures))


def test_a_stretch_reads_its_own_time_and_what_is_corrected(busy, heights):
    assert busy.record(correct("C1", "T1", {"executed_at": "2026-01-15T15:30:00Z"}, account_id="GEN-1")).ok
    with busy._catalog.transaction():
        planner, linked, part = linked_of(busy)
        last = stretches_of(busy._catalog, linked, part.events, MOST)[-1]
        told = planner.told_of(linked, last)
        events = in_effect(told, planner.references.instruments).filter(last.holds("executed_at"))
    outside = told.join(events, on="sequence", how="anti")
    assert sorted(outside["trade_id"]) == ["C1", "D"]
    assert "T1" in events["trade_id"].to_list()
