"""Snapshots of a book: what a person sees of them, and what is refused."""

from datetime import date
from decimal import Decimal

import pytest

from tests.books import fill
from tradelake.errors import InputError


def test_a_position_without_a_mark_is_counted_and_never_valued(local_book):
    book, day = local_book, date(2026, 1, 5)
    book.record(fill(1, "10"))
    book.snapshot(day)
    row = book.account_snapshots(account="GEN-1").row(0, named=True)
    assert (row["positions"], row["unmarked"], row["market_value"], row["net_liquidation"]) == (1, 1, 0, None)
    book.mark([{"instrument_id": "ACME", "mark_date": day, "price": "12.5"}])
    assert book.snapshot(day).accounts == 1
    row = book.account_snapshots(account="GEN-1").row(0, named=True)
    assert (row["version"], row["unmarked"], row["market_value"]) == (2, 0, Decimal(125))
    assert row["net_liquidation"] == row["cash"] + Decimal(125)
    assert book.account_snapshots(account="GEN-1", versions=True)["version"].to_list() == [1, 2]


def test_a_late_event_corrects_every_day_that_it_reaches_and_the_old_ones_stay_readable(local_book):
    days = [date(2026, 1, day) for day in (5, 6, 7, 8)]
    local_book.record(fill(1, "10"))
    for day in days:
        assert local_book.snapshot(day).corrected.height == 0
    known = local_book.runs()["recorded_at"].max()
    local_book.record({**fill(2, "5"), "executed_at": "2026-01-07T15:00:00Z"})
    receipt = local_book.snapshot(days[-1])
    assert receipt.corrected["snapshot_date"].to_list() == [days[2]]
    quantities = local_book.snapshots().select("snapshot_date", "quantity").rows()
    assert quantities == [(days[0], 10), (days[1], 10), (days[2], 15), (days[3], 15)]
    assert local_book.snapshots(as_known=known)["quantity"].to_list() == [10, 10, 10, 10]
    assert local_book.snapshots(versions=True).height == 6


@pytest.mark.parametrize(
    ("day", "complaint"),
    [
        ("2026-01-10", "2026-01-10 is no trading day, so nothing closed then. The last one before it is 2026-01-09"),
        ("2030-01-02", "The session of 2030-01-02 has not closed yet"),
        ("soon", "'soon' is not a day"),
    ],
)
def test_a_day_that_has_no_close_is_refused(local_book, day, complaint):
    with pytest.raises(InputError, match=complaint):
        local_book.snapshot(day)
