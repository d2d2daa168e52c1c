"""Exact arithmetic agrees with fractions, and columns give back what was put in, extremes included."""

from decimal import Decimal
from fractions import Fraction as F

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import money, quantities
from tradelake import units
from tradelake.errors import InvariantError
from tradelake.units import INT64_SAFE, MONEY, MONEY_SCALE, QUANTITY, QUANTITY_SCALE, QUANTUM

LARGEST = 10**38 - 1
INT64 = 2**63
QUANTITIES = st.one_of(st.integers(-(10**18), 10**18), st.integers(-(10**6), 10**6).map(lambda n: n * 10**8))
PRICES = st.one_of(st.integers(0, 10**18), st.integers(0, 10**7).map(lambda n: n * 10**10))
MULTIPLIERS = st.sampled_from([10**8, 100 * 10**8, 33333333, 1012345678, 1])
WIDE = st.one_of(
    st.integers(-LARGEST, LARGEST),
    st.integers(-(10**9), 10**9),
    st.sampled_from([0, 1, -1, LARGEST, -LARGEST, INT64, INT64 - 1, -INT64, -INT64 - 1, INT64_SAFE, -INT64_SAFE]),
)


def half_even(value: F, quantum: F) -> F:
    """Round by the definition: to the nearer multiple, of two equally near ones to the even one."""
    below = value // quantum
    above = below + 1
    down, up = value - below * quantum, above * quantum - value
    return (below if down < up or (down == up and below % 2 == 0) else above) * quantum


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**20))
@example(5, 10)
@example(15, 10)
@example(-5, 10)
@example(-15, 10)
def test_division_rounds_half_to_even(numerator, denominator):
    assert units.divide_half_even(numerator, denominator) == half_even(F(numerator, denominator), F(1))


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**6))
def test_rounding_gives_the_nearest_multiple(amount, step):
    assert units.round_to(amount, step) == half_even(F(amount), F(step))


@given(QUANTITIES, PRICES, MULTIPLIERS)
@example(1, 10**12 // 2, 10**8)
@example(3, 10**12 // 2, 10**8)
def test_a_product_is_rounded_once_to_the_quantum(quantity, price, multiplier):
    value = F(quantity, 10**8) * F(price, 10**12) * F(multiplier, 10**8)
    assert F(units.product(quantity, price, multiplier), 10**12) == half_even(value, F(1, 10**8))


@given(st.lists(st.tuples(QUANTITIES, PRICES, MULTIPLIERS), max_size=6))
@example([(10**8, 10**4, 10**8), (-(10**8), 10**12, 100 * 10**8)])
@example([(10**8, 2**62, 10**8)])
@example([(10**8, 2**64, 10**8)])
@example([(2**62 // 10**8 * 10**8, 10**18, 10**8)])
@example([(10**8, 10**4 + 1, 10**8)])
@example([(10**8, 10**4, 33333333)])
@example([(10**8, 10**4, 10**8), (10**8, 1, 10**8), (2**62 // 10**8 * 10**8, 10**18, 10**8)])
@example([(-(10**8), -(2**63), 10**8), (10**8, 10**12, 10**8)])
def test_products_of_columns_are_products_of_their_rows(rows):
    columns = [[row[place] for row in rows] for place in range(3)]
    assert units.products(*columns) == [units.product(*row) for row in rows]


@given(st.integers(-(10**25), 10**25), QUANTITIES, MULTIPLIERS)
@example(1, 0, 10**8)
def test_a_unit_price_is_the_amount_by_units_and_multiplier(amount, quantity, multiplier):
    price = units.unit_price(amount, quantity, multiplier)
    if quantity == 0:
        assert price == 0
    else:
        value = F(amount, 10**12) / (F(quantity, 10**8) * F(multiplier, 10**8))
        assert F(price, 10**12) == half_even(value, F(1, 10**8))


@given(WIDE, st.sampled_from([0, 8, 12]))
def test_a_decimal_and_its_units_are_the_same_number(number, scale):
    decimal = units.to_decimal(number, scale)
    assert F(decimal) == F(number, 10**scale)
    assert units.to_units(decimal, scale) == number
    assert units.to_units(format(decimal, "f"), scale) == number
    assert F(units.plain(decimal)) == F(decimal)
    assert "E" not in units.plain(decimal)


@pytest.mark.parametrize("text", ["0.123456789", "1E-9", "NaN", "Infinity"])
def test_a_number_that_does_not_fit_its_scale_is_an_error(text):
    with pytest.raises(ValueError, match=r"more than 8 decimals|is not a number"):
        units.to_units(text, QUANTITY_SCALE)


def test_trailing_zeros_beyond_the_scale_are_no_digits():
    assert units.to_units("1.5000000000", QUANTITY_SCALE) == 150_000_000
    assert units.to_units("1e3", QUANTITY_SCALE) == 10**11
    assert units.to_units(7, QUANTITY_SCALE) == 7 * 10**8


@pytest.mark.parametrize(
    ("number", "text"),
    [("1E+3", "1000"), ("-0.50", "-0.5"), ("-0.00", "0"), ("0E-12", "0"), ("100", "100"), ("1.230", "1.23")],
)
def test_plain_text_has_no_exponent_and_no_trailing_zeros(number, text):
    assert units.plain(Decimal(number)) == text


@given(st.lists(WIDE, max_size=8), st.sampled_from([QUANTITY, MONEY]))
def test_a_column_gives_back_the_units_that_made_it(numbers, kind):
    column = units.decimal_column("n", numbers, kind.scale, kind)
    assert column.dtype == kind
    assert units.column_units(column) == numbers
    assert [F(value) for value in column] == [F(number, 10**kind.scale) for number in numbers]


@given(st.lists(st.integers(-INT64, INT64 - 1), max_size=8))
def test_an_array_of_64_bits_grows_to_the_scale_of_its_column(numbers):
    column = units.decimal_column("n", np.array(numbers, dtype=np.int64), QUANTITY_SCALE, MONEY)
    assert [F(value) for value in column] == [F(number, 10**8) for number in numbers]
    same = units.decimal_column("n", np.array(numbers, dtype=np.int64), MONEY_SCALE, MONEY)
    assert units.column_units(same) == numbers


@given(st.lists(money(), min_size=4, max_size=8), st.integers(0, 3), st.integers(0, 4))
def test_a_slice_of_a_column_has_the_units_of_its_own_rows(numbers, first, count):
    column = pl.Series("n", numbers, dtype=MONEY)
    assert units.column_units(column.slice(first, count)) == units.column_units(column)[first : first + count]


@given(st.lists(quantities(), max_size=5), st.lists(quantities(), max_size=5))
def test_a_column_of_several_chunks_has_the_units_of_all(left, right):
    column = pl.Series("n", left, dtype=QUANTITY).append(pl.Series("n", right, dtype=QUANTITY))
    assert [F(number, 10**8) for number in units.column_units(column)] == [F(value) for value in left + right]


@given(st.lists(WIDE, max_size=6), st.sampled_from([1, QUANTUM, 100]))
@example([INT64_SAFE - 1], 1)
@example([INT64_SAFE], 1)
@example([-INT64], 1)
@example([QUANTUM * 7, -QUANTUM], QUANTUM)
@example([QUANTUM * 7 + 1], QUANTUM)
def test_64_bit_integers_of_a_column_are_exact_or_none(numbers, divisor):
    column = units.decimal_column("n", numbers, MONEY_SCALE, MONEY)
    found = units.column_int64(column, divisor)
    exact = all(n % divisor == 0 and -INT64 <= n < INT64 and abs(n // divisor) < INT64_SAFE for n in numbers)
    assert (found is not None) == exact
    if found is not None:
        assert found.tolist() == [n // divisor for n in numbers]


def test_what_a_column_cannot_hold_is_an_error():
    with pytest.raises(InvariantError, match="n: an amount has more than 38 digits"):
        units.decimal_column("n", [10**38], MONEY_SCALE, MONEY)
    with pytest.raises(InvariantError, match="n: nulls where a number is required"):
        units.column_units(pl.Series("n", [None], dtype=MONEY))


def test_the_largest_magnitude_counts_the_smallest_64_bit_number():
    assert units.largest(np.array([-INT64, 5], dtype=np.int64)) == INT64
    assert units.largest(np.array([], dtype=np.int64)) == 0
