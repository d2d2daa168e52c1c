"""The ledger of the kernel: exact shares, slots as linked lists of lots, matches, episodes.

Plain Python over sequences of integers and at the same time valid input for the compiler; see `kernel.py`.
"""

from tradelake.lots.state import (
    AVERAGE,
    EPISODE_CLOSE,
    EPISODE_COUNT,
    EPISODE_OPEN,
    EPISODE_SLOT,
    FULL,
    LIMIT,
    LOT_BASIS,
    LOT_CHARGES,
    LOT_COUNT,
    LOT_EPISODE,
    LOT_NEXT,
    LOT_OPEN,
    LOT_OPERATION,
    LOT_PREVIOUS,
    LOT_QUANTITY,
    LOT_RANK,
    LOT_SLOT,
    MATCH_COST,
    MATCH_COUNT,
    MATCH_EPISODE,
    MATCH_HOW,
    MATCH_LOT,
    MATCH_OPERATION,
    MATCH_PROCEEDS,
    MATCH_QUANTITY,
    MATCH_SIDE,
    MATCH_SLOT,
    NONE,
    OVERFLOW,
    QUANTUM,
    SLOT_EPISODE,
    SLOT_HEAD,
    SLOT_METHOD,
    SLOT_POSITION,
    SLOT_TAIL,
    STATE,
    UNIT,
    Book,
)


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
    return count * quantum if amount >= 0 else -count * quantum


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


def link(book: Book, lot: int) -> None:
    """Put a lot into its slot's list, which is in order of rank."""
    slot = book.lots[LOT_SLOT, lot]
    after = book.slots[SLOT_TAIL, slot]
    while after != NONE and book.lots[LOT_RANK, after] > book.lots[LOT_RANK, lot]:
        after = book.lots[LOT_PREVIOUS, after]
    before = book.slots[SLOT_HEAD, slot] if after == NONE else book.lots[LOT_NEXT, after]
    book.lots[LOT_PREVIOUS, lot] = after
    book.lots[LOT_NEXT, lot] = before
    if after == NONE:
        book.slots[SLOT_HEAD, slot] = lot
    else:
        book.lots[LOT_NEXT, after] = lot
    if before == NONE:
        book.slots[SLOT_TAIL, slot] = lot
    else:
        book.lots[LOT_PREVIOUS, before] = lot


def unlink(book: Book, lot: int) -> None:
    """Take a lot out of its slot's list."""
    slot, before, after = book.lots[LOT_SLOT, lot], book.lots[LOT_PREVIOUS, lot], book.lots[LOT_NEXT, lot]
    if before == NONE:
        book.slots[SLOT_HEAD, slot] = after
    else:
        book.lots[LOT_NEXT, before] = after
    if after == NONE:
        book.slots[SLOT_TAIL, slot] = before
    else:
        book.lots[LOT_PREVIOUS, after] = before


def open_lot(book: Book, operation: int, opening: int, slot: int, quantity: int, basis: int, charges: int) -> None:
    """Add a lot to a slot; an average-cost slot pools it with what is there."""
    if book.slots[SLOT_POSITION, slot] == 0:
        number = book.control[EPISODE_COUNT]
        if number >= book.episodes.shape[1]:
            book.control[STATE] = FULL
            return
        book.control[EPISODE_COUNT] = number + 1
        book.episodes[EPISODE_SLOT, number] = slot
        book.episodes[EPISODE_OPEN, number] = operation
        book.episodes[EPISODE_CLOSE, number] = NONE
        book.slots[SLOT_EPISODE, slot] = number
    book.slots[SLOT_POSITION, slot] = guard(book, book.slots[SLOT_POSITION, slot] + quantity)
    pool = book.slots[SLOT_HEAD, slot]
    if book.slots[SLOT_METHOD, slot] == AVERAGE and pool != NONE:
        book.lots[LOT_QUANTITY, pool] = guard(book, book.lots[LOT_QUANTITY, pool] + quantity)
        book.lots[LOT_BASIS, pool] = guard(book, book.lots[LOT_BASIS, pool] + basis)
        book.lots[LOT_CHARGES, pool] = guard(book, book.lots[LOT_CHARGES, pool] + charges)
        return
    lot = book.control[LOT_COUNT]
    if lot >= book.lots.shape[1]:
        book.control[STATE] = FULL
        return
    book.control[LOT_COUNT] = lot + 1
    book.lots[LOT_SLOT, lot] = slot
    book.lots[LOT_OPEN, lot] = opening
    book.lots[LOT_OPERATION, lot] = operation
    book.lots[LOT_RANK, lot] = lot
    book.lots[LOT_QUANTITY, lot] = quantity
    book.lots[LOT_BASIS, lot] = guard(book, basis)
    book.lots[LOT_CHARGES, lot] = guard(book, charges)
    book.lots[LOT_EPISODE, lot] = book.slots[SLOT_EPISODE, slot]
    link(book, lot)


def take_from_lot(book: Book, lot: int, units: int, operation: int) -> tuple[int, int]:
    """Remove units from a lot; return the signed basis and the charges that leave with them."""
    held = book.lots[LOT_QUANTITY, lot]
    size = held if held > 0 else -held
    basis = share(book, book.lots[LOT_BASIS, lot], units, size)
    charges = share(book, book.lots[LOT_CHARGES, lot], units, size)
    signed = units if held > 0 else -units
    slot = book.lots[LOT_SLOT, lot]
    book.lots[LOT_QUANTITY, lot] = held - signed
    book.lots[LOT_BASIS, lot] -= basis
    book.lots[LOT_CHARGES, lot] -= charges
    book.slots[SLOT_POSITION, slot] -= signed
    if units == size:
        unlink(book, lot)
    if book.slots[SLOT_POSITION, slot] == 0:
        book.episodes[EPISODE_CLOSE, book.slots[SLOT_EPISODE, slot]] = operation
    return basis, charges


def write_match(
    book: Book, operation: int, lot: int, units: int, proceeds: int, cost: int, how: int, side: int
) -> None:
    """Write one match of a lot whose units have just left."""
    row = book.control[MATCH_COUNT]
    if row >= book.matches.shape[1]:
        book.control[STATE] = FULL
        return
    slot = book.lots[LOT_SLOT, lot]
    book.control[MATCH_COUNT] = row + 1
    book.matches[MATCH_SLOT, row] = slot
    book.matches[MATCH_LOT, row] = lot
    book.matches[MATCH_OPERATION, row] = operation
    book.matches[MATCH_EPISODE, row] = book.slots[SLOT_EPISODE, slot]
    book.matches[MATCH_QUANTITY, row] = units
    book.matches[MATCH_PROCEEDS, row] = guard(book, proceeds)
    book.matches[MATCH_COST, row] = guard(book, cost)
    book.matches[MATCH_HOW, row] = how
    book.matches[MATCH_SIDE, row] = side
