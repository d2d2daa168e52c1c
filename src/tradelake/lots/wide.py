"""128-bit leaves of the compiled kernel: what plain Python does with integers of any size.

The compiled copy of `kernel.py` uses these two in place of its own; a property test holds them equal to the
plain ones. Arguments are 64-bit integers below 2**62. Unsigned arithmetic wraps on purpose. The division is the
schoolbook one in base 2**32 (Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D).
"""

import numpy as np

MASK = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
BASE = np.uint64(1 << 32)
ONE = np.uint64(1)
ZERO = np.uint64(0)
TOP = np.uint64(63)


def multiply_wide(a: int, b: int) -> "tuple[np.uint64, np.uint64]":
    """Return the high and low 64 bits of a * b, for a, b >= 0."""
    x, y = np.uint64(a), np.uint64(b)
    x_high, x_low, y_high, y_low = x >> HALF, x & MASK, y >> HALF, y & MASK
    low = x_low * y_low
    middle = x_high * y_low + (low >> HALF)
    other = x_low * y_high + (middle & MASK)
    return x_high * y_high + (middle >> HALF) + (other >> HALF), (other << HALF) | (low & MASK)


def divide_digit(rest: "np.uint64", digit: "np.uint64", divisor: "np.uint64") -> "np.uint64":
    """Return one base-2**32 digit of (rest * 2**32 + digit) / divisor, for a normalised divisor."""
    high, low = divisor >> HALF, divisor & MASK
    guess = rest // high
    left = rest - guess * high
    while guess >= BASE or guess * low > ((left << HALF) | digit):
        guess -= ONE
        left += high
        if left >= BASE:
            break
    return guess


def multiply_divide(a: int, b: int, c: int) -> tuple[int, int]:
    """Return quotient and remainder of a * b / c; quotient -1 where it does not fit in 62 bits."""
    high, low = multiply_wide(a, b)
    divisor = np.uint64(c)
    if high == ZERO:
        quotient = low // divisor
        rest = low - quotient * divisor
    else:
        if high >= divisor:
            return -1, 0
        shift = ZERO
        while (divisor >> TOP) == ZERO:
            divisor = divisor << ONE
            shift += ONE
        if shift > ZERO:
            high = (high << shift) | (low >> (np.uint64(64) - shift))
            low = low << shift
        first = divide_digit(high, low >> HALF, divisor)
        middle = ((high << HALF) | (low >> HALF)) - first * divisor
        second = divide_digit(middle, low & MASK, divisor)
        rest = (((middle << HALF) | (low & MASK)) - second * divisor) >> shift
        quotient = (first << HALF) | second
    if quotient >> np.uint64(62) != ZERO:
        return -1, 0
    return int(np.int64(quotient)), int(np.int64(rest))


def compare_products(a: int, b: int, c: int, d: int) -> int:
    """Return the sign of a * b - c * d, for b, d >= 0."""
    left_negative, right_negative = a < 0, c < 0
    left_high, left_low = multiply_wide(-a if left_negative else a, b)
    right_high, right_low = multiply_wide(-c if right_negative else c, d)
    left_zero = left_high == ZERO and left_low == ZERO
    right_zero = right_high == ZERO and right_low == ZERO
    left_sign = 0 if left_zero else (-1 if left_negative else 1)
    right_sign = 0 if right_zero else (-1 if right_negative else 1)
    if left_sign != right_sign:
        return 1 if left_sign > right_sign else -1
    if left_high == right_high and left_low == right_low:
        return 0
    larger = left_high > right_high or (left_high == right_high and left_low > right_low)
    return left_sign if larger else -left_sign
