"""Law 8: the compiled kernel is the plain kernel, bit for bit, and its 128-bit leaves are those of Python."""

from dataclasses import fields
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.laws.direct import Scenario, instrument_frame, log_frame, match
from tests.laws.streams import FINE, INSTRUMENTS, SHARES, Numbers, streams
from tradelake.lots import Matched, amounts, engine, in_effect
from tradelake.lots.compiled import compiled_leaves
from tradelake.lots.program import build_program
from tradelake.tables import LOTS, POSITIONS
from tradelake.units import INT64_SAFE

EIGHT = Numbers(SHARES, ("1", "12.5", "0.100000005"), ("0", "0.65", "-0.25", "0.00000007"))
TEN = Numbers(SHARES, EIGHT.prices, (*EIGHT.charges, "0.1234567891"))
TWELVE = Numbers(SHARES, EIGHT.prices, (*EIGHT.charges, "0.123456789123"))
HUGE = Numbers(
    ("1", "3", "0.00000001", "40000000000", "12345678901.23456789"),
    ("0.0001", "1", "33.33", "900000000", "3333333333.333333333333"),
    ("0", "0.65", "-0.25", "4000000.123456789012", "45000000000", "-9223372.036854775808"),
)
SIMPLE = ("CALL", "PUT", "SETTLED")
NUMBERS = st.one_of(
    st.integers(0, INT64_SAFE - 1), st.integers(0, 10**6), st.sampled_from([0, 1, 2**31, 2**32, 2**61, INT64_SAFE - 1])
)


def assert_same(plain: Matched, compiled: Matched) -> None:
    """Compare every frame of two results."""
    for field in fields(Matched):
        assert getattr(plain, field.name).equals(getattr(compiled, field.name)), field.name


def scale_of(scenario: Scenario) -> int | None:
    """Return the scale at which the compiled kernel would take the scenario."""
    instruments = instrument_frame(scenario)
    program = build_program(in_effect(log_frame(scenario)[0], instruments), instruments, LOTS.empty(), {}, {})
    return engine._scale(program, engine.Carried(LOTS.empty(), POSITIONS.empty(), [], {}, {}))


@given(streams(numbers=FINE))
def test_the_finest_numbers_come_out_the_same(scenario):
    assert_same(match(scenario)[1], match(scenario, compile_from=0)[1])


@pytest.mark.parametrize(("numbers", "scale"), [(EIGHT, 8), (TEN, 10), (TWELVE, 12)], ids=["8", "10", "12"])
@given(data=st.data())
def test_every_scale_of_money_comes_out_the_same(numbers, scale, data):
    scenario = data.draw(streams(numbers=numbers, options=SIMPLE))
    chosen = scale_of(scenario)
    assert chosen is not None
    assert chosen <= scale
    assert_same(match(scenario)[1], match(scenario, compile_from=0)[1])


@given(streams(numbers=HUGE, options=("CALL", "PUT", "ADJUSTED")))
def test_numbers_beyond_64_bits_fall_back_to_the_plain_kernel(scenario):
    assert_same(match(scenario)[1], match(scenario, compile_from=0)[1])


@pytest.mark.parametrize(("charge", "scale"), [("0.65", 8), ("0.1234567891", 10), ("0.123456789123", 12)])
def test_the_compiled_kernel_takes_the_smallest_scale_that_is_exact(charge, scale):
    assert scale_of(one_trade(quantity="10", price="10", fees=charge)) == scale


@pytest.mark.parametrize(
    "event",
    [
        {"quantity": "40000000000", "price": "900000000"},
        {"quantity": "50000000000", "price": "1"},
        {"quantity": "1", "price": "1", "fees": "50000000.000000000001"},
        {"quantity": "1", "price": "1", "fees": "-9223372.036854775808"},
    ],
    ids=["gross", "quantity", "charges", "the smallest 64-bit number"],
)
def test_a_number_that_leaves_62_bits_is_not_lost(event):
    scenario = one_trade(**event)
    assert_same(match(scenario)[1], match(scenario, compile_from=0)[1])


def test_a_sum_that_leaves_62_bits_on_the_way_is_not_lost():
    scenario = one_trade(quantity="100", price="400000000")
    first = scenario["events"][0]
    scenario["events"] = [{**first, "id": f"e{n}", "at": f"2026-01-05T15:00:{n:02}Z"} for n in range(3)]
    scenario["accounts"]["A"]["lot_method"] = "AVERAGE"
    assert scale_of(scenario) == 8
    assert_same(match(scenario)[1], match(scenario, compile_from=0)[1])


def one_trade(**event: str) -> Scenario:
    """Return a scenario of one purchase."""
    buy = {"id": "e0", "kind": "trade", "at": "2026-01-05T15:00:00Z", "account": "A", "instrument": "XYZ", **event}
    return {"id": "one", "accounts": {"A": {}}, "instruments": {"XYZ": {"type": "stock"}}, "events": [buy]}


@given(a=NUMBERS, b=NUMBERS, c=NUMBERS)
@example(a=INT64_SAFE - 1, b=INT64_SAFE - 1, c=INT64_SAFE - 1)
@example(a=INT64_SAFE - 1, b=INT64_SAFE - 1, c=1)
@example(a=2**61 + 1, b=2**32 - 1, c=2**32 + 1)
def test_the_128_bit_quotient_is_that_of_python(a, b, c):
    c = max(c, 1)
    quotient, rest = amounts.multiply_divide(a, b, c)
    wanted = (quotient, rest) if quotient < INT64_SAFE else (-1, 0)
    assert tuple(int(n) for n in compiled_leaves().multiply_divide(a, b, c)) == wanted


@given(a=NUMBERS, b=NUMBERS, c=NUMBERS, d=NUMBERS, signs=st.tuples(st.booleans(), st.booleans()))
def test_the_128_bit_comparison_is_that_of_python(a, b, c, d, signs):
    a, c = (-a if signs[0] else a), (-c if signs[1] else c)
    assert compiled_leaves().compare_products(a, b, c, d) == amounts.compare_products(a, b, c, d)


@given(a=NUMBERS, b=NUMBERS)
def test_equal_128_bit_products_are_equal(a, b):
    assert compiled_leaves().compare_products(a, b, b, a) == 0
    assert compiled_leaves().compare_products(-a, b, -b, a) == 0


@pytest.mark.parametrize("compile_from", [engine.COMPILE_FROM, 0], ids=["plain", "compiled"])
def test_a_book_that_is_full_is_made_larger_and_run_again(compile_from):
    """Each of many lots of one exercise delivers two stocks: more lots than twice the events."""
    events = [
        {"id": f"e{n}", "kind": "trade", "at": f"2026-01-05T15:{n:02}:00Z", "quantity": "1", "price": str(n)}
        for n in range(1, 60)
    ]
    more = [{**event, "id": f"{event['id']}b", "at": event["at"].replace("T15", "T16")} for event in events]
    exercise = {"id": "x", "kind": "exercise", "at": "2026-01-06T15:00:00Z", "contracts": "118"}
    told = [{"account": "A", "instrument": "ADJUSTED", **event} for event in (*events, *more, exercise)]
    _, matched = match({"accounts": {"A": {}}, "instruments": INSTRUMENTS, "events": told}, compile_from=compile_from)
    assert matched.lots.height == 2 * 118
    assert matched.lots["quantity"].sum() == Decimal("183.5") * 118
    assert matched.matches.height == 118
