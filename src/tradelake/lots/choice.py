"""Which lot goes first, as the kernel asks it: by the slot's method, or by the lots that an event names.

Named lots are a range of the table `named`, empty where the event names none. An average-cost slot does not heed them.

Plain Python over sequences of integers and at the same time valid input for the compiler; see `kernel.py`.
"""

from tradelake.lots.amounts import compare_products
from tradelake.lots.state import (
    ACCEPTED,
    AVERAGE,
    EXTRA_NAMED_FROM,
    EXTRA_NAMED_TO,
    HIFO,
    LIFO,
    LOT_BASIS,
    LOT_NEXT,
    LOT_OPEN,
    LOT_QUANTITY,
    NAMED_OPEN,
    NAMED_QUANTITY,
    NONE,
    OP_EXTRA,
    SLOT_HEAD,
    SLOT_METHOD,
    SLOT_TAIL,
    SPECIFIC_LOT_UNAVAILABLE,
    SPECIFIC_LOTS_MISMATCH,
    Book,
    Operations,
)


def dearest(book: Book, slot: int) -> int:
    """Return the lot with the highest cost per unit, charges included; of equals the oldest."""
    best = book.slots[slot, SLOT_HEAD]
    lot = book.lots[best, LOT_NEXT]
    while lot != NONE:
        best_size, size = book.lots[best, LOT_QUANTITY], book.lots[lot, LOT_QUANTITY]
        best_cost, cost = book.lots[best, LOT_BASIS], book.lots[lot, LOT_BASIS]
        if size < 0:
            best_size, size, best_cost, cost = -best_size, -size, -best_cost, -cost
        if compare_products(cost, best_size, best_cost, size) > 0:
            best = lot
        lot = book.lots[lot, LOT_NEXT]
    return best


def next_lot(book: Book, slot: int) -> int:
    """Return the lot that the slot's method closes next."""
    method = book.slots[slot, SLOT_METHOD]
    if method == LIFO:
        return book.slots[slot, SLOT_TAIL]
    if method == HIFO:
        return dearest(book, slot)
    return book.slots[slot, SLOT_HEAD]


def named_lot(book: Book, slot: int, opened_by: int) -> int:
    """Return the oldest open lot of the slot that *opened_by* opened, or NONE."""
    lot = book.slots[slot, SLOT_HEAD]
    while lot != NONE and book.lots[lot, LOT_OPEN] != opened_by:
        lot = book.lots[lot, LOT_NEXT]
    return lot


def names_of(ops: Operations, operation: int) -> tuple[int, int]:
    """Return the range of lots that an operation names, an empty one where it names none."""
    extra = ops.main[operation, OP_EXTRA]
    if extra == NONE:
        return 0, 0
    return ops.extras[extra, EXTRA_NAMED_FROM], ops.extras[extra, EXTRA_NAMED_TO]


def heeds_names(book: Book, slot: int, first: int, last: int) -> bool:
    """Tell whether there are named lots and the slot's method heeds them."""
    return last > first and book.slots[slot, SLOT_METHOD] != AVERAGE


def check_names(ops: Operations, book: Book, slot: int, first: int, last: int, closing: int) -> int:
    """Return why the named lots cannot supply *closing* units, or ACCEPTED."""
    if not heeds_names(book, slot, first, last):
        return ACCEPTED
    total = 0
    for name in range(first, last):
        total += ops.named[name, NAMED_QUANTITY]
    if total != closing:
        return SPECIFIC_LOTS_MISMATCH
    for name in range(first, last):
        wanted = 0
        for other in range(first, name + 1):
            if ops.named[other, NAMED_OPEN] == ops.named[name, NAMED_OPEN]:
                wanted += ops.named[other, NAMED_QUANTITY]
        lot = book.slots[slot, SLOT_HEAD]
        while lot != NONE:
            if book.lots[lot, LOT_OPEN] == ops.named[name, NAMED_OPEN]:
                held = book.lots[lot, LOT_QUANTITY]
                wanted -= held if held > 0 else -held
            lot = book.lots[lot, LOT_NEXT]
        if wanted > 0:
            return SPECIFIC_LOT_UNAVAILABLE
    return ACCEPTED


def choose(ops: Operations, book: Book, slot: int, first: int, last: int, done: int) -> tuple[int, int]:
    """Return the next lot of *slot* to close, and how many units it may give, when *done* units are closed."""
    if not heeds_names(book, slot, first, last):
        lot = next_lot(book, slot)
        held = book.lots[lot, LOT_QUANTITY]
        return lot, held if held > 0 else -held
    name, covered = first, 0
    while covered + ops.named[name, NAMED_QUANTITY] <= done:
        covered += ops.named[name, NAMED_QUANTITY]
        name += 1
    lot = named_lot(book, slot, ops.named[name, NAMED_OPEN])
    held = book.lots[lot, LOT_QUANTITY]
    size = held if held > 0 else -held
    left = covered + ops.named[name, NAMED_QUANTITY] - done
    return lot, size if size < left else left
