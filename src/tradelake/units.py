"""Scales, rounding and exact arithmetic: the only place where money is multiplied, divided or rounded.

Quantities have 8 decimals and amounts 12 (brokers print commissions with 9 and more). Results of a
multiplication or division are rounded half to even to 8 decimals, the quantum. A number travels as an
integer of the smallest unit of its scale, or as a fixed-scale decimal column; there is no float anywhere.
"""

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from tradelake.errors import InvariantError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Integers = Sequence[int] | np.ndarray

QUANTITY_SCALE = 8
MONEY_SCALE = 12
QUANTUM_SCALE = 8
QUANTITY_UNIT: int = 10**QUANTITY_SCALE
MONEY_UNIT: int = 10**MONEY_SCALE
QUANTUM: int = 10 ** (MONEY_SCALE - QUANTUM_SCALE)

QUANTITY = pl.Decimal(38, QUANTITY_SCALE)
MONEY = pl.Decimal(38, MONEY_SCALE)

INT64_SAFE: int = 2**62


def divide_half_even(numerator: int, denominator: int) -> int:
    """Return numerator / denominator rounded half to even, for any integers with a positive denominator."""
    quotient, remainder = divmod(numerator, denominator)
    twice = remainder * 2
    if twice > denominator or (twice == denominator and quotient & 1):
        return quotient + 1
    return quotient


def round_to(amount: int, step: int) -> int:
    """Round an integer amount half to even to a multiple of *step*."""
    return divide_half_even(amount, step) * step


def product(quantity: int, price: int, multiplier: int) -> int:
    """Return quantity x price x multiplier in money units, rounded half to even to the quantum.

    Quantity and multiplier are in units of 1e-8, price in units of 1e-12.
    """
    raw = quantity * price * multiplier
    return divide_half_even(raw, QUANTITY_UNIT * QUANTITY_UNIT * QUANTUM) * QUANTUM


def products(quantities: "Sequence[int]", prices: "Sequence[int]", multipliers: "Sequence[int]") -> list[int]:
    """Return `product` of each row; the three sequences have one length."""
    amounts: list[int] = product_array(quantities, prices, multipliers).tolist()
    return amounts


def product_array(quantities: "Integers", prices: "Integers", multipliers: "Integers") -> "np.ndarray":
    """Return `product` of each row as an array: of 64 bits, or of Python's own integers where one does not fit."""
    units, price, multiplier = int64_array(quantities), int64_array(prices), int64_array(multipliers)
    if units is None or price is None or multiplier is None:
        rows = zip(quantities, prices, multipliers, strict=True)
        return np.array([product(int(q), int(p), int(m)) for q, p, m in rows], dtype=object)
    # 64-bit arithmetic where units and multipliers are whole and nothing overflows; other rows one by one.
    exact = (units % QUANTITY_UNIT == 0) & (multiplier % QUANTITY_UNIT == 0) & (price % QUANTUM == 0)
    weight = _product_of(units // QUANTITY_UNIT, multiplier // QUANTITY_UNIT, exact)
    amounts = _product_of(weight, price, exact)
    others = np.flatnonzero(~exact).tolist()
    values = [product(int(quantities[row]), int(prices[row]), int(multipliers[row])) for row in others]
    return with_values(amounts, dict(zip(others, values, strict=True)))


def with_values(amounts: "np.ndarray", values: "Mapping[int, int]") -> "np.ndarray":
    """Return an array with other integers at some places, as Python's own integers where one does not fit in 64 bits.

    What is given may be changed.
    """
    if not values:
        return amounts
    narrow = int64_array(list(values.values()))
    if narrow is None:
        amounts = amounts.astype(object)
    amounts[list(values)] = list(values.values()) if narrow is None else narrow
    return amounts


def _product_of(a: "np.ndarray", b: "np.ndarray", exact: "np.ndarray") -> "np.ndarray":
    """Return a x b of 64-bit integers below INT64_SAFE; rows that would not be are 0, and not *exact* any more."""
    exact &= (b > -INT64_SAFE) & (np.abs(b) <= INT64_SAFE // np.maximum(np.abs(a), 1))
    return np.where(exact, a, 0) * np.where(exact, b, 0)


def unit_price(amount: int, quantity: int, multiplier: int) -> int:
    """Return amount / (quantity x multiplier) in money units, rounded half to even to the quantum; for display."""
    weight = quantity * multiplier
    if weight == 0:
        return 0
    sign = -1 if (amount < 0) != (weight < 0) else 1
    scaled = abs(amount) * QUANTITY_UNIT * QUANTITY_UNIT
    return sign * divide_half_even(scaled, abs(weight) * QUANTUM) * QUANTUM


def to_units(text: str | Decimal | int, scale: int) -> int:
    """Turn an exact decimal into an integer of 10**-scale; raise ValueError where digits would be lost."""
    number = Decimal(text)
    sign, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int):
        raise ValueError(f"{text!r} is not a number")
    whole = int("".join(map(str, digits)) or "0")
    shift = exponent + scale
    if shift >= 0:
        value = whole * int(10**shift)
    else:
        value, lost = divmod(whole, 10**-shift)
        if lost:
            raise ValueError(f"{text!r} has more than {scale} decimals")
    return -value if sign else value


def to_decimal(units: int, scale: int) -> Decimal:
    """Turn an integer of 10**-scale into the exact decimal."""
    sign = 1 if units < 0 else 0
    digits = tuple(int(c) for c in str(abs(units)))
    return Decimal((sign, digits, -scale))


def plain(number: Decimal) -> str:
    """Write a decimal without exponent and without trailing zeros: `1000`, `-0.5`, `0`."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def column_units(column: pl.Series) -> list[int]:
    """Return a decimal column without nulls as Python integers of its own scale."""
    return _words(column)[0].tolist() if _fits(column) else _wide_units(column)


def column_array(column: pl.Series) -> "np.ndarray":
    """Return a decimal column without nulls as integers of its own scale: of 64 bits, or Python's own."""
    return _words(column)[0] if _fits(column) else np.array(_wide_units(column), dtype=object)


def column_int64(column: pl.Series, divisor: int = 1) -> "np.ndarray | None":
    """Return a decimal column as 64-bit integers of its scale divided by *divisor*.

    None where that is not exact: a value is no multiple of the divisor, or does not fit in 62 bits.
    """
    if not _fits(column):
        return None
    low = _words(column)[0]
    if divisor != 1:
        if (low % divisor).any():
            return None
        low = low // divisor
    if largest(low) >= INT64_SAFE:
        return None
    return low


def int64_array(values: "Integers") -> "np.ndarray | None":
    """Return integers as an array of 64 bits, or None where one does not fit."""
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        return None


def largest(values: "np.ndarray") -> int:
    """Return the largest magnitude of a 64-bit array, 0 for an empty one."""
    return max(int(values.max()), -int(values.min())) if values.size else 0


def decimal_column(name: str, units: "Iterable[int] | np.ndarray", scale: int, target: pl.Decimal) -> pl.Series:
    """Return integers of 10**-scale as an exact decimal column of type *target*, whose scale is not smaller."""
    grow = 10 ** (target.scale - scale)
    if isinstance(units, np.ndarray) and units.dtype == np.int64:
        if grow == 1 or largest(units) < INT64_SAFE // grow:
            return _from_words(name, units * grow, units < 0, target)
        units = units.tolist()
    values = [int(u) * grow for u in units]
    narrow = int64_array(values)
    if narrow is not None:
        return _from_words(name, narrow, narrow < 0, target)
    if any(abs(v) >= 10**38 for v in values):
        raise InvariantError(f"{name}: an amount has more than 38 digits")
    raw = b"".join(v.to_bytes(16, "little", signed=True) for v in values)
    words = np.frombuffer(raw, dtype=np.int64).reshape(-1, 2)
    return _from_buffer(name, words, target)


def _words(column: pl.Series) -> "tuple[np.ndarray, np.ndarray]":
    if column.null_count():
        raise InvariantError(f"{column.name}: nulls where a number is required")
    array = column.rechunk().to_arrow()
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    data = array.buffers()[1]
    if data is None or len(array) == 0:
        empty = np.empty(0, dtype=np.int64)
        return empty, empty
    words = np.frombuffer(data, dtype=np.int64).reshape(-1, 2)[array.offset : array.offset + len(array)]
    return words[:, 0].copy(), words[:, 1].copy()


def _fits(column: pl.Series) -> bool:
    low, high = _words(column)
    return bool((high == (low >> 63)).all())


def _wide_units(column: pl.Series) -> list[int]:
    low, high = _words(column)
    return [(h << 64) + (lo & (2**64 - 1)) for lo, h in zip(low.tolist(), high.tolist(), strict=True)]


def _from_words(name: str, low: "np.ndarray", negative: "np.ndarray", target: pl.Decimal) -> pl.Series:
    words = np.empty((low.size, 2), dtype=np.int64)
    words[:, 0] = low
    words[:, 1] = np.where(negative, -1, 0)
    return _from_buffer(name, words, target)


def _from_buffer(name: str, words: "np.ndarray", target: pl.Decimal) -> pl.Series:
    kind = pa.decimal128(38, target.scale)
    array = pa.Array.from_buffers(kind, len(words), [None, pa.py_buffer(np.ascontiguousarray(words))])
    frame = pl.from_arrow(pa.table({name: array}))
    if not isinstance(frame, pl.DataFrame):
        raise InvariantError("an Arrow table did not become a frame")
    return frame.to_series()
