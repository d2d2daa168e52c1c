"""The arithmetic of the kernel: exact shares, rounded half to even to the quantum; the last part gets the rest.

Plain Python over sequences of integers and at the same time valid input for the compiler; see `kernel.py`.
"""

from tradelake.lots.state import LIMIT, OVERFLOW, QUANTUM, STATE, UNIT, Book


def multiply_divide(a: int, b: int, c: int) -> tuple[int, int]:
    """Return quotient and remainder of a * b / c, for a, b >= 0 and c > 0."""
    return divmod(a * b, c)


def compare_products(a: int, b: int, c: int, d: int) -> int:
    """Return the sign of a * b - c * d, for b, d >= 0."""
    left = a * b
    right = c * d
    if left > right:
        return 1
    if left < right:
        return -1
    return 0


def scaled(book: Book, amount: int, part: int, whole: int) -> int:
    """Return amount * part / whole, rounded half to even to the quantum."""
    if amount == 0:
        return 0
    size = amount if amount >= 0 else -amount
    quotient, rest = multiply_divide(size, part, whole)
    if quotient < 0:
        book.control[STATE] = OVERFLOW
        return 0
    quantum = book.control[QUANTUM]
    count = quotient // quantum
    over = quotient - count * quantum
    if quantum == 1:
        left = whole - rest
        up = rest > left or (rest == left and count % 2 == 1)
    else:
        half = quantum // 2
        up = over > half or (over == half and (rest > 0 or count % 2 == 1))
    if up:
        count += 1
    return int(count * quantum if amount >= 0 else -count * quantum)


def share(book: Book, amount: int, part: int, whole: int) -> int:
    """Return what part *part* of weight *whole* gets of *amount*; the last part gets the rest."""
    if part == whole:
        return amount
    return scaled(book, amount, part, whole)


def contract_amount(book: Book, price: int, contracts: int, multiplier: int) -> int:
    """Return price x contracts x multiplier, rounded once, half to even, to the quantum."""
    if price == 0:
        return 0
    units, rest = multiply_divide(contracts, multiplier, UNIT)
    if units < 0 or rest != 0:
        book.control[STATE] = OVERFLOW
        return 0
    return scaled(book, price, units, UNIT)


def guard(book: Book, value: int) -> int:
    """Return *value*, and stop the pass where it left the range of the compiled kernel."""
    limit = book.control[LIMIT]
    if value >= limit or value <= -limit:
        book.control[STATE] = OVERFLOW
    return value


def scaled_units(book: Book, units: int, new: int, old: int) -> int:
    """Return units * new / old, rounded half to even to the smallest unit of a quantity, for units >= 0."""
    quotient, rest = multiply_divide(units, new, old)
    if quotient < 0:
        book.control[STATE] = OVERFLOW
        return 0
    left = old - rest
    up = rest > left or (rest == left and quotient % 2 == 1)
    return quotient + 1 if up else quotient


def share_units(book: Book, units: int, part: int, whole: int) -> int:
    """Return what part *part* of weight *whole* gets of a quantity; the last part gets the rest."""
    if part == whole:
        return units
    return scaled_units(book, units, part, whole)
