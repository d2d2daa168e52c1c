"""Tax lots: the dates, terms and sums that Form 8949 asks for, derived by hand from its instructions."""

from datetime import date
from decimal import Decimal

import pytest

from tests.book.test_views import wheel
from tests.books import fill, frame

FREE = {"commission": "0"}
SHORT_CALL = {"asset_type": "OPTION", "strike": "120", "expiration": "2026-02-20", "option_type": "CALL", **FREE}
SEEN = ("description", "date_acquired", "date_sold", "proceeds", "cost_basis", "gain", "term", "how")


def at(day: str) -> str:
    return f"{day}T15:00:00Z"


def seen(rows) -> list[tuple[object, ...]]:
    return frame(rows).select(SEEN).rows()


def test_a_day_after_the_anniversary_is_long_term_and_the_open_lot_says_so_before(local_book):
    local_book.record([fill(1, "300", **FREE, price="10", executed_at=at("2024-02-29"))])
    (lot,) = local_book.open_tax_lots().iter_rows(named=True)
    assert (lot["description"], lot["date_acquired"]) == ("300 sh ACME", date(2024, 2, 29))
    # Rev. Rul. 66-7: the anniversary of the last day of a month is the last day of that month.
    assert lot["long_term_from"] == date(2025, 3, 1)
    local_book.record(
        [
            fill(2, "-100", **FREE, price="12", executed_at=at("2025-02-28")),
            fill(3, "-100", **FREE, price="12", executed_at=at("2025-03-01")),
        ]
    )
    bought = date(2024, 2, 29)
    assert seen(local_book.tax_lots()) == [
        ("100 sh ACME", bought, date(2025, 2, 28), Decimal(1200), Decimal(1000), Decimal(200), "ST", "trade"),
        ("100 sh ACME", bought, date(2025, 3, 1), Decimal(1200), Decimal(1000), Decimal(200), "LT", "trade"),
    ]
    assert local_book.tax_lots(since="2025-03-01")["tax_year"].to_list() == [2025]


def test_a_short_sale_has_both_dates_on_the_day_that_it_was_closed(local_book):
    local_book.record(
        [
            fill(1, "-100", **FREE, price="10", executed_at=at("2024-01-02")),
            fill(2, "100", **FREE, price="8", executed_at=at("2026-01-05")),
        ]
    )
    closed = date(2026, 1, 5)
    assert seen(local_book.tax_lots()) == [
        ("100 sh ACME", closed, closed, Decimal(1000), Decimal(800), Decimal(200), "ST", "trade")
    ]
    (row,) = local_book.tax_lots().iter_rows(named=True)
    assert (row["side"], row["open_date"], row["close_date"]) == ("SHORT", date(2024, 1, 2), closed)


def test_a_written_option_that_expired_ends_on_that_day(local_book):
    local_book.record([fill(1, "-2", **SHORT_CALL, price="1.5", executed_at=at("2026-01-20"))])
    (lot,) = local_book.open_tax_lots().iter_rows(named=True)
    assert (lot["description"], lot["side"]) == ("-2 ACME 2026-02-20 C 120", "SHORT")
    assert (lot["date_acquired"], lot["long_term_from"], lot["open_date"]) == (None, None, date(2026, 1, 20))
    ended = {key: value for key, value in SHORT_CALL.items() if key != "commission"}
    row = fill(2, "2", **ended, kind="expire", executed_at="2026-02-20T21:00:00Z")
    local_book.record([{key: value for key, value in row.items() if key not in ("action", "price", "commission")}])
    day = date(2026, 2, 20)
    assert seen(local_book.tax_lots()) == [
        ("2 ACME 2026-02-20 C 120", day, day, Decimal(300), Decimal(0), Decimal(300), "ST", "expired")
    ]


def test_an_assigned_option_is_no_row_and_its_premium_is_in_the_shares(local_book):
    events = [{name: value for name, value in row.items() if value is not None} for row in wheel()]
    local_book.record(events)
    for _ in range(2):
        assert seen(local_book.tax_lots()) == [
            (
                "100 sh ACME",
                date(2026, 1, 16),
                date(2026, 2, 20),
                Decimal(5650),
                Decimal(4800),
                Decimal(850),
                "ST",
                "trade",
            )
        ]
        assert local_book.tax_lots()["gain"].sum() == local_book.pnl(["account"])["realized_pnl"].sum()
        local_book.fold()


def test_the_method_is_that_of_the_account_at_the_close_and_a_pool_has_no_date(local_book):
    change = {"trade_id": "M", "account_id": "GEN-1", "kind": "lot_method", "method": "AVERAGE"}
    local_book.record(
        [
            fill(1, "100", **FREE, price="10", executed_at=at("2026-01-05")),
            fill(2, "100", **FREE, price="20", executed_at=at("2026-01-06")),
            fill(3, "-50", **FREE, price="30", executed_at=at("2026-01-07")),
            change | {"executed_at": at("2026-01-08")},
            fill(4, "-50", **FREE, price="30", executed_at=at("2026-01-09")),
        ]
    )
    rows = local_book.tax_lots().select("lot_method", "date_acquired", "gain").rows()
    assert rows == [("FIFO", date(2026, 1, 5), Decimal(1000)), ("AVERAGE", None, Decimal("666.66666667"))]
    assert local_book.tax_lots(as_of="2026-01-07")["lot_method"].to_list() == ["FIFO"]
    assert local_book.open_tax_lots()["lot_method"].to_list() == ["AVERAGE"]
    assert local_book.open_tax_lots(as_of="2026-01-07")["lot_method"].unique().to_list() == ["FIFO"]


def test_there_is_no_other_view_of_tax_lots(local_book):
    for asked in (local_book.tax_lots, local_book.open_tax_lots):
        assert asked().height == 0
        with pytest.raises(TypeError, match="takes no 'view'"):
            asked(view="economic")
