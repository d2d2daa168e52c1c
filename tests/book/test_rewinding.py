"""What arrives late: its family goes back to just before it, and not to the first event, wherever that is known."""

from datetime import UTC, datetime

import pytest

from tests.book.cures import action, cancel, correct
from tests.books import assert_whole, fill, frame
from tradelake.book.folding import Plan, Planner

PUT = {"asset_type": "OPTION", "strike": "50", "expiration": "2026-01-16", "option_type": "PUT", "symbol": "ACME"}
EXPIRED = "2026-01-16T21:00:00Z"
HELD = 40


@pytest.fixture
def plans(monkeypatch) -> list[Plan]:
    """The plans of all folds of the test."""
    made, plan = [], Planner.plan

    def kept(self, befores):
        made.append(plan(self, befores))
        return made[-1]

    monkeypatch.setattr(Planner, "plan", kept)
    return made


@pytest.fixture
def held(local_book):
    """A book with many fills of ACME, all folded: those of an hour are bought, and half of each is sold at once."""
    rows = []
    for number in range(HELD):
        rows += [hourly(number, "10", 0), hourly(number, "-5", 1)]
    assert local_book.record(rows).ok
    local_book.fold()
    return local_book


def hourly(hour: int, quantity: str, minute: int, **fields: object) -> dict[str, object]:
    day, hour_of_day = divmod(hour, 6)
    number = 100 * hour + minute
    at = f"2026-01-{day + 5:02}T{hour_of_day + 15}:{minute:02}:00Z"
    return fill(number, quantity, symbol="ACME", price=str(20 + hour), executed_at=at) | fields


def since_of(plan: Plan) -> datetime:
    """Return the instant that the one family which was rewound has gone back to."""
    assert plan.before is not None
    assert plan.replayed.height == 0
    (at,) = plan.before.families["since"]
    assert isinstance(at, datetime)
    return at


def settle(book, count: int) -> None:
    """Assert that the tail, the fold and a rebuild say the same."""
    before = frame(book.matches())
    assert book.pnl()["realized_pnl"].sum() == before["realized_pnl"].sum()
    book.fold()
    assert frame(book.matches()).equals(before)
    assert_whole(book, count)


def test_a_late_fill_matches_only_what_came_after_it_again(held, plans):
    held.record(hourly(HELD - 2, "3", 30, price="11"))
    at = since_of(plans[0]) if plans else None
    assert at is None, "nothing asked yet"
    told = held._folded().derived
    assert since_of(plans[0]) == datetime(2026, 1, 11, 17, 30, tzinfo=UTC)
    # Of 80 fills two come after it: the matches of the one that sells are made again.
    assert (told.undone.height, told.matches.height) == (3, 1)
    settle(held, 2 * HELD + 1)


def test_a_bust_goes_back_to_before_the_fill_that_it_busts(held, plans):
    held.record(cancel("B1", f"T{100 * (HELD - 3) + 1}", account_id="GEN-1"))
    assert held.matches().height == HELD - 1
    assert since_of(plans[0]) == datetime(2026, 1, 11, 16, 1, tzinfo=UTC)
    settle(held, 2 * HELD + 1)
    held.record(cancel("B2", "B1", account_id="GEN-1"))
    assert held.matches().height == HELD
    assert since_of(plans[-1]) == datetime(2026, 1, 11, 16, 1, tzinfo=UTC)
    settle(held, 2 * HELD + 2)


def test_a_correct_that_moves_a_fill_goes_back_to_before_either_time(held, plans):
    held.record(correct("C1", f"T{100 * 30 + 1}", {"executed_at": "2026-01-08T15:10:00Z"}, account_id="GEN-1"))
    held.matches()
    assert since_of(plans[0]) == datetime(2026, 1, 8, 15, 10, tzinfo=UTC)
    settle(held, 2 * HELD + 1)
    # What was corrected long ago is where the correction has put it, for whoever goes back to before that as well.
    held.record(hourly(17, "2", 45))
    held.matches()
    settle(held, 2 * HELD + 2)


@pytest.mark.parametrize(
    ("method", "others", "since"),
    [
        # First in, first out: of the two lots of shares, slices left the first one until it was used up.
        ("FIFO", 0, datetime(2026, 1, 20, 18, tzinfo=UTC)),
        # Which lot is closed first depends on what each of them costs.
        ("HIFO", 0, datetime(2026, 1, 16, 21, tzinfo=UTC)),
        # The shares were sold short before: the first put has covered them, and no match says how far.
        ("FIFO", -50, datetime(2026, 1, 16, 21, tzinfo=UTC)),
    ],
)
def test_shares_that_were_delivered_are_of_several_lots_of_one_event(local_book, plans, method, others, since):
    mine = {"account_id": "SOME-1", "broker_account_id": "U9", "symbol": "ACME"}
    local_book.add_accounts([{"account_id": "SOME-1", "lot_method": method, "broker_account_id": "U9"}])
    first = [fill(number, "1", **mine, price="60") for number in range(4 if others >= 0 else 0)]
    first += [fill(8, str(others), **mine, price="61")] if others else []
    puts = [fill(10 + number, "-1", **mine | PUT, price=f"1.{number}") for number in range(2)]
    end = {"kind": "assign", "executed_at": EXPIRED, "trade_id": "E", "broker_execution_id": "XE", "quantity": "2"}
    end = {name: value for name, value in puts[0].items() if name not in ("action", "price", "commission")} | end
    sold = [
        fill(90 + number, "-70", **mine, price="55", executed_at=f"2026-01-2{number}T15:00:00Z") for number in range(2)
    ]
    events = [*first, *puts, end, *sold]
    assert local_book.record(events).ok
    local_book.fold()
    local_book.record(fill(99, "7", **mine, executed_at="2026-01-20T18:00:00Z"))
    local_book.matches()
    assert since_of(plans[0]) == since
    settle(local_book, len(events) + 1)


@pytest.mark.parametrize(("split_day", "replayed"), [(9, 0), (11, 1)])
def test_a_split_since_then_has_the_family_replayed(held, plans, split_day, replayed):
    held.record(action("S", "split", f"2026-01-{split_day:02}T20:30:00Z", ratio="2/1"))
    held.fold()
    plans.clear()
    held.record(hourly(HELD - 5, "3", 30))
    held.matches()
    assert plans[0].replayed.height == replayed
    settle(held, 2 * HELD + 2)


def test_an_average_cost_has_no_lots_to_go_back_to(local_book, plans):
    local_book.add_accounts([{"account_id": "AVG-1", "lot_method": "AVERAGE", "broker_account_id": "U2"}])
    mine = {"account_id": "AVG-1", "broker_account_id": "U2"}
    assert local_book.record([hourly(n, q, m, **mine) for n in range(9) for m, q in enumerate(("10", "-5"))]).ok
    local_book.fold()
    local_book.record(hourly(7, "3", 30, **mine))
    local_book.matches()
    assert plans[0].replayed.height == 1
    settle(local_book, 19)


def test_lots_that_came_and_went_and_came_back_are_replayed(held, plans):
    """Half of a lot is moved to another account and back: the account has two lots of one event."""
    held.add_accounts([{"account_id": "COM-1", "broker_account_id": "U3"}])
    there = {"kind": "transfer", "symbol": "ACME", "quantity": "2"}
    held.record({"trade_id": "M1", "account_id": "GEN-1", "to_account_id": "COM-1", "executed_at": day(10)} | there)
    held.record({"trade_id": "M2", "account_id": "COM-1", "to_account_id": "GEN-1", "executed_at": day(11)} | there)
    held.record(fill(9_000, "-120", symbol="ACME", executed_at=day(12)))
    held.record(fill(9_001, "-50", symbol="ACME", executed_at=day(13)))
    held.fold()
    plans.clear()
    held.record(fill(9_002, "4", symbol="ACME", executed_at=day(12, 30)))
    held.matches()
    assert plans[0].replayed.height >= 1
    settle(held, 2 * HELD + 5)


def day(number: int, minute: int = 0) -> str:
    return f"2026-01-{number + 2:02}T21:{minute:02}:00Z"


def test_what_was_read_once_is_remembered_while_the_tail_grows(held, plans, monkeypatch):
    held.record(hourly(HELD - 2, "3", 30))
    held.matches()
    read, frame_of = [], type(held._catalog).frame

    def noted(self, statement, *given, **named):
        read.append(statement)
        return frame_of(self, statement, *given, **named)

    monkeypatch.setattr(type(held._catalog), "frame", noted)
    held.record(hourly(HELD + 1, "-3", 0))
    held.matches()
    assert plans[-1].before is not None
    assert plans[-1].before.families.height == 1
    assert not [text for text in read if "position_history" in text or "closed_at >=" in text]
    settle(held, 2 * HELD + 2)
