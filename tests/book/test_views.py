"""Two views of premium: what each says of an assigned put, a called-away call and an exercise, and their bridge."""

from decimal import Decimal

import pytest

from tests.books import fill, frame
from tradelake.errors import InputError

PUT = {"asset_type": "OPTION", "strike": "50", "expiration": "2026-01-16", "option_type": "PUT"}
CALL = PUT | {"option_type": "CALL", "strike": "55", "expiration": "2026-02-20"}
FREE = {"commission": "0"}


def wheel() -> list[dict[str, object]]:
    """Return a wheel: a put that is sold and assigned, a call that is sold and assigned."""
    ended = {"action": None, "price": None, "broker_execution_id": None}
    return [
        fill(1, "-1", **PUT, **FREE, price="2", executed_at="2026-01-05T15:00:00Z"),
        fill(2, "1", **PUT, **FREE, kind="assign", executed_at="2026-01-16T21:00:00Z") | ended,
        fill(3, "-1", **CALL, **FREE, price="1.5", executed_at="2026-01-20T15:00:00Z"),
        fill(4, "1", **CALL, **FREE, kind="assign", executed_at="2026-02-20T21:00:00Z") | ended,
    ]


@pytest.fixture
def rows() -> list[dict[str, object]]:
    """The wheel's events without empty fields."""
    return [{name: value for name, value in row.items() if value is not None} for row in wheel()]


def bridges(book) -> list[tuple[object, ...]]:
    """Return the bridge without its currency."""
    return list(book.bridge().drop("currency").rows())


def test_the_views_differ_by_the_premium_in_open_lots(local_book, rows):
    local_book.record(rows[:2])
    for _ in range(2):
        (tax,) = frame(local_book.positions()).iter_rows(named=True)
        (economic,) = frame(local_book.positions(view="economic")).iter_rows(named=True)
        assert (tax["cost_basis"], tax["average_price"]) == (4800, 48)
        assert (economic["cost_basis"], economic["average_price"]) == (5000, 50)
        assert [frame(local_book.lots(view=v))["cost_basis"].to_list() for v in ("tax", "economic")] == [[4800], [5000]]
        realized = [local_book.pnl(["account"], view=v)["realized_pnl"].to_list() for v in ("tax", "economic")]
        assert realized == [[0], [200]]
        assert bridges(local_book) == [("GEN-1", 0, 200, 200, -200)]
        local_book.fold()


def test_once_all_is_flat_both_views_realized_the_same(local_book, rows):
    local_book.record(rows)
    for view, of_stock in (("tax", 850), ("economic", 500)):
        by_instrument = dict(
            local_book.pnl(["instrument"], view=view).select("instrument_id", "realized_pnl").iter_rows()
        )
        assert by_instrument["ACME"] == of_stock
        assert sum(by_instrument.values()) == 850
        history = frame(local_book.history(view=view))
        assert history["realized_pnl"].sum() == 850
        matches = frame(local_book.matches(view=view))
        for closed in (history, matches):
            assert (closed["proceeds"] - closed["cost"] == closed["realized_pnl"]).all()
    assert bridges(local_book) == [("GEN-1", 850, 850, 0, 0)]
    assert local_book.bridge(as_of="2026-01-31").drop("currency").rows() == [("GEN-1", 0, 200, 200, -200)]
    assert local_book.bridge(account="NOBODY").is_empty()


def test_cash_is_the_same_in_both_views(local_book, rows):
    local_book.record(rows[:3])
    cash = [local_book.pnl(["account"], view=view)["cash"].to_list() for view in ("tax", "economic")]
    assert cash == [[Decimal(-4650)], [Decimal(-4650)]]


def test_a_view_that_there_is_not_is_refused(local_book):
    for ask in (local_book.positions, local_book.lots, local_book.pnl):
        with pytest.raises(InputError, match="there is no view 'cash'; choose from tax, economic"):
            ask(view="cash")


def test_profit_of_one_symbol_and_one_strategy(local_book):
    local_book.record(
        [
            fill(1, "10", **FREE, price="10", strategy_id="S"),
            fill(2, "-10", **FREE, price="12", strategy_id="S"),
            fill(3, "10", **FREE, price="10", strategy_id="S", symbol="OTHER"),
            fill(4, "-10", **FREE, price="15", strategy_id="S", symbol="OTHER"),
        ]
    )
    asked = local_book.pnl(["account"], symbol="ACME", strategy="S")
    assert asked["realized_pnl"].to_list() == [20]
    assert local_book.pnl(["account"], symbol="ACME", strategy="T").height == 0
