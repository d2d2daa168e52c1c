"""Positions at the prices of marks: exact, in either view, and null where there is no price."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import money, prices, quantities
from tradelake.positions import in_view
from tradelake.positions.marking import ADDED, with_marks
from tradelake.tables import MARKS, POSITIONS

DAY = date(2026, 6, 30)
QUANTUM = Fraction(1, 10**8)
VALUES = ("mark_price", "mark_date", "market_value", "unrealized_pnl")


def positions(*rows: Mapping[str, object]) -> pl.DataFrame:
    """Return open positions: 100 XYZ for 5000 unless told otherwise."""
    row: dict[str, object] = dict.fromkeys(POSITIONS.names) | {
        "account_id": "A", "instrument_id": "XYZ", "currency": "USD", "multiplier": Decimal(1),
        "quantity": Decimal(100), "cost_basis": Decimal(5000), "charges": Decimal(0), "premium": Decimal(0),
        "realized_pnl": Decimal(0), "realized_premium": Decimal(0),
    }  # fmt: skip
    return pl.DataFrame([row | dict(changed) for changed in rows], schema=POSITIONS.schema)


def marks(*rows: tuple[str, str]) -> pl.DataFrame:
    """Return marks in USD, each an instrument and its price."""
    told = [
        {"instrument_id": name, "mark_date": DAY, "price": Decimal(price), "currency": "USD"} for name, price in rows
    ]
    return pl.DataFrame(
        told, schema={name: MARKS.schema[name] for name in ("instrument_id", "mark_date", "price", "currency")}
    )


def values(rows: pl.DataFrame) -> list[tuple[object, ...]]:
    return rows.select(VALUES).rows()


def test_long_and_short_positions_are_worth_what_their_mark_says():
    held = positions(
        {},
        {"instrument_id": "PUT", "multiplier": Decimal(100), "quantity": Decimal(-2), "cost_basis": Decimal("-299.5")},
    )
    marked = with_marks(held, marks(("PUT", "1.05"), ("XYZ", "51.255"), ("ABC", "1")))
    assert values(marked) == [
        (Decimal("51.255"), DAY, Decimal("5125.5"), Decimal("125.5")),
        (Decimal("1.05"), DAY, Decimal(-210), Decimal("89.5")),
    ]


def test_the_new_columns_stand_before_the_unrealized_profit_and_nothing_else_changes():
    held = positions({}, {"instrument_id": "ABC"}, {"instrument_id": "XYZ", "account_id": "B"})
    marked = with_marks(held, marks(("XYZ", "51")))
    place = marked.columns.index("unrealized_pnl")
    assert tuple(marked.columns[place - 3 : place]) == ADDED
    assert marked.drop(ADDED).drop("unrealized_pnl").equals(held.drop("unrealized_pnl"))
    assert with_marks(marked, marks(("XYZ", "51"))).equals(marked)
    assert with_marks(POSITIONS.empty(), marks()).schema == marked.schema


def test_a_position_without_a_mark_or_with_one_in_another_currency_has_no_value():
    held = positions({"currency": "EUR"}, {"instrument_id": "ABC"})
    assert values(with_marks(held, marks(("XYZ", "51")))) == [(None,) * 4] * 2
    assert values(with_marks(with_marks(positions({}), marks(("XYZ", "51"))), marks())) == [(None,) * 4]


def test_a_price_of_nothing_is_a_mark():
    assert values(with_marks(positions({}), marks(("XYZ", "0")))) == [(Decimal(0), DAY, Decimal(0), Decimal(-5000))]


def test_a_value_that_no_column_can_hold_is_none_and_hides_no_other_position():
    huge = {"quantity": Decimal(10**15), "multiplier": Decimal(10**6)}
    marked = with_marks(positions(huge, {"instrument_id": "ABC"}), marks(("XYZ", str(10**14)), ("ABC", "60")))
    assert values(marked) == [(None,) * 4, (Decimal(60), DAY, Decimal(6000), Decimal(1000))]


@given(quantities(digits=20), st.sampled_from([Decimal(1), Decimal(100), Decimal("0.5")]), prices(), money(digits=24))
def test_a_market_value_is_exact_and_rounded_once(quantity, multiplier, price, basis):
    held = positions({"quantity": quantity, "multiplier": multiplier, "cost_basis": basis})
    (row,) = with_marks(held, marks(("XYZ", str(price)))).iter_rows(named=True)
    exact = Fraction(quantity) * Fraction(multiplier) * Fraction(price)
    assert Fraction(row["market_value"]) == round(exact / QUANTUM) * QUANTUM
    assert Fraction(row["unrealized_pnl"]) == Fraction(row["market_value"]) - Fraction(basis)


@given(money(digits=20), money(digits=20), money(digits=20), prices())
def test_both_views_say_the_same_of_what_is_realized_and_what_is_not(premium, realized, realized_premium, price):
    held = positions({"premium": premium, "realized_pnl": realized, "realized_premium": realized_premium})
    (tax, economic) = (
        with_marks(in_view("positions", held, view), marks(("XYZ", str(price)))).row(0, named=True)
        for view in ("tax", "economic")
    )
    assert tax["market_value"] == economic["market_value"]
    assert Fraction(economic["unrealized_pnl"]) == Fraction(tax["unrealized_pnl"]) + Fraction(premium)
    assert Fraction(economic["realized_pnl"]) == Fraction(tax["realized_pnl"]) + Fraction(realized_premium)
