"""Corporate actions as operations of the kernel, one per slot that may hold the instrument.

Quantities scale by an exact ratio, and what does not divide goes to the lots by the remaining-balance rule; basis and
opening stay with every lot. What an action cannot do to a slot, it does not do at all: into an instrument that is held
on the other side, or so small that nothing is left.

Plain Python over sequences of integers and at the same time valid input for the compiler; see `kernel.py`.
"""

from tradelake.lots.amounts import guard, scaled, scaled_units, share, share_units
from tradelake.lots.ledger import add_lot, join, release, unlink, write_match
from tradelake.lots.state import (
    ACCEPTED,
    ACTION_FRACTION,
    ACTION_HAS_LIEU,
    ACTION_LIEU_PRICE,
    ACTION_PER_UNIT,
    ACTION_RATIO_NEW,
    ACTION_RATIO_OLD,
    ACTION_SLOT,
    FRACTION_UNIT,
    HOW_CASH_IN_LIEU,
    HOW_RETURN_OF_CAPITAL,
    LOT_BASIS,
    LOT_CHARGES,
    LOT_NEXT,
    LOT_OPEN,
    LOT_OPERATION,
    LOT_PREMIUM,
    LOT_QUANTITY,
    LOT_RANK,
    NONE,
    OP_ACTION,
    OP_SLOT,
    OPPOSITE_POSITION,
    RESULT_CASH_MOVED,
    ROUNDS_TO_NOTHING,
    RUNNING,
    SLOT_HEAD,
    SLOT_POSITION,
    STATE,
    UNIT,
    Book,
    Operations,
)
from tradelake.lots.trades import fill


def size_of(units: int) -> int:
    """Return a signed quantity without its sign."""
    return units if units > 0 else -units


def new_total(ops: Operations, book: Book, slot: int, action: int) -> int:
    """Return what the whole position of a slot becomes under the ratio of the action, without its sign."""
    new, old = ops.actions[action, ACTION_RATIO_NEW], ops.actions[action, ACTION_RATIO_OLD]
    return scaled_units(book, size_of(book.slots[slot, SLOT_POSITION]), new, old)


def check_target(ops: Operations, book: Book, slot: int, action: int) -> int:
    """Return why the units of a slot cannot become units of the action's slot, or ACCEPTED."""
    held, there = book.slots[slot, SLOT_POSITION], book.slots[ops.actions[action, ACTION_SLOT], SLOT_POSITION]
    if (held > 0 and there < 0) or (held < 0 and there > 0):
        return OPPOSITE_POSITION
    return ROUNDS_TO_NOTHING if new_total(ops, book, slot, action) == 0 else ACCEPTED


def pay_in_lieu(ops: Operations, operation: int, book: Book, slot: int, total: int) -> None:
    """Sell, or buy back if short, the fraction of *total* beyond whole shares, if a price for it is given."""
    action = ops.main[operation, OP_ACTION]
    fraction = total % UNIT
    if fraction == 0 or ops.actions[action, ACTION_HAS_LIEU] == 0:
        return
    sign = 1 if book.slots[slot, SLOT_POSITION] > 0 else -1
    money = scaled(book, ops.actions[action, ACTION_LIEU_PRICE], fraction, UNIT)
    book.results[operation, RESULT_CASH_MOVED] = guard(book, book.results[operation, RESULT_CASH_MOVED] + sign * money)
    fill(ops, operation, book, slot, -sign * fraction, money, 0, 0, 0, HOW_CASH_IN_LIEU)


def rescale(ops: Operations, operation: int, book: Book) -> None:
    """Turn the lots of a slot into units of the action's slot, by its ratio; opening, rank and basis stay."""
    slot, action = ops.main[operation, OP_SLOT], ops.main[operation, OP_ACTION]
    target = ops.actions[action, ACTION_SLOT]
    weight, total = size_of(book.slots[slot, SLOT_POSITION]), new_total(ops, book, slot, action)
    left, sign = total, 1 if book.slots[slot, SLOT_POSITION] > 0 else -1
    basis, charges, premium, kept = 0, 0, 0, NONE
    lot = book.slots[slot, SLOT_HEAD]
    while lot != NONE and book.control[STATE] == RUNNING:
        following, size = book.lots[lot, LOT_NEXT], size_of(book.lots[lot, LOT_QUANTITY])
        units = share_units(book, left, size, weight)
        left, weight = left - units, weight - size
        basis, charges = basis + book.lots[lot, LOT_BASIS], charges + book.lots[lot, LOT_CHARGES]
        premium += book.lots[lot, LOT_PREMIUM]
        # In its own slot a lot stays where it is in the list: pieces of one lot have one rank, and keep their order.
        if target != slot or units == 0:
            unlink(book, lot)
        if target != slot:
            release(book, operation, slot, sign * size)
        book.lots[lot, LOT_QUANTITY] = 0
        if units == 0 and kept == NONE:
            # A lot that rounds to nothing leaves what it cost to its neighbour.
            lot = following
            continue
        if units == 0:
            join(book, kept, 0, basis, charges, premium)
        elif target == slot:
            book.lots[lot, LOT_QUANTITY] = sign * units
            book.lots[lot, LOT_BASIS], book.lots[lot, LOT_CHARGES] = basis, charges
            book.lots[lot, LOT_PREMIUM] = premium
            kept = lot
        else:
            opening, origin, rank = book.lots[lot, LOT_OPEN], book.lots[lot, LOT_OPERATION], book.lots[lot, LOT_RANK]
            kept = add_lot(book, operation, target, opening, origin, rank, sign * units, basis, charges, premium)
        basis, charges, premium, lot = 0, 0, 0, following
    if target == slot:
        book.slots[slot, SLOT_POSITION] = guard(book, sign * total)
    pay_in_lieu(ops, operation, book, target, total)


def run_scale(ops: Operations, operation: int, book: Book) -> int:
    """Run a SCALE: a split, another symbol, other terms of a contract."""
    slot, action = ops.main[operation, OP_SLOT], ops.main[operation, OP_ACTION]
    if book.slots[slot, SLOT_POSITION] == 0:
        return ACCEPTED
    refusal = check_target(ops, book, slot, action)
    if refusal == ACCEPTED:
        rescale(ops, operation, book)
    return refusal


def recover(book: Book, operation: int, lot: int, amount: int, how: int) -> None:
    """Let cash on a lot reduce its basis toward zero; what exceeds it is realized."""
    held, basis = book.lots[lot, LOT_QUANTITY], book.lots[lot, LOT_BASIS]
    excess = amount - basis if held > 0 else amount + basis
    excess = max(excess, 0)
    if held > 0:
        book.lots[lot, LOT_BASIS] = basis - (amount - excess)
        book.lots[lot, LOT_CHARGES] = min(book.lots[lot, LOT_CHARGES], book.lots[lot, LOT_BASIS])
        if excess != 0:
            write_match(book, operation, lot, held, excess, 0, 0, how, 1)
    else:
        book.lots[lot, LOT_BASIS] = basis + amount - excess
        if excess != 0:
            write_match(book, operation, lot, -held, 0, excess, 0, how, -1)


def pay_per_unit(ops: Operations, operation: int, book: Book) -> int:
    """Book the action's cash per unit for the whole position; return it without its sign."""
    held = book.slots[ops.main[operation, OP_SLOT], SLOT_POSITION]
    money = scaled(book, ops.actions[ops.main[operation, OP_ACTION], ACTION_PER_UNIT], size_of(held), UNIT)
    book.results[operation, RESULT_CASH_MOVED] = guard(book, money if held > 0 else -money)
    return money


def run_dividend(ops: Operations, operation: int, book: Book) -> int:
    """Run a DIVIDEND: so much per unit to a long position, from a short one."""
    pay_per_unit(ops, operation, book)
    return ACCEPTED


def run_return(ops: Operations, operation: int, book: Book) -> int:
    """Run a RETURN of capital: cash out of the basis of every lot."""
    slot = ops.main[operation, OP_SLOT]
    money, weight = pay_per_unit(ops, operation, book), size_of(book.slots[slot, SLOT_POSITION])
    lot = book.slots[slot, SLOT_HEAD]
    while lot != NONE:
        size = size_of(book.lots[lot, LOT_QUANTITY])
        part = share(book, money, size, weight)
        money, weight = money - part, weight - size
        recover(book, operation, lot, part, HOW_RETURN_OF_CAPITAL)
        lot = book.lots[lot, LOT_NEXT]
    return ACCEPTED


def run_spin(ops: Operations, operation: int, book: Book) -> int:
    """Run a SPIN off or issue of rights: every lot gives part of its basis to a lot of the child, where it gets one."""
    slot, action = ops.main[operation, OP_SLOT], ops.main[operation, OP_ACTION]
    held = book.slots[slot, SLOT_POSITION]
    if held == 0:
        return ACCEPTED
    child, fraction = ops.actions[action, ACTION_SLOT], ops.actions[action, ACTION_FRACTION]
    refusal = OPPOSITE_POSITION if child == slot else check_target(ops, book, slot, action)
    if refusal != ACCEPTED:
        # Who holds so little that nothing is due keeps it as it is.
        return ACCEPTED if refusal == ROUNDS_TO_NOTHING else refusal
    total, weight, sign = new_total(ops, book, slot, action), size_of(held), 1 if held > 0 else -1
    left, lot = total, book.slots[slot, SLOT_HEAD]
    while lot != NONE and book.control[STATE] == RUNNING:
        size = size_of(book.lots[lot, LOT_QUANTITY])
        units = share_units(book, left, size, weight)
        left, weight = left - units, weight - size
        if units > 0:
            basis = scaled(book, book.lots[lot, LOT_BASIS], fraction, FRACTION_UNIT)
            charges = scaled(book, book.lots[lot, LOT_CHARGES], fraction, FRACTION_UNIT)
            premium = scaled(book, book.lots[lot, LOT_PREMIUM], fraction, FRACTION_UNIT)
            book.lots[lot, LOT_BASIS] -= basis
            book.lots[lot, LOT_CHARGES] -= charges
            book.lots[lot, LOT_PREMIUM] -= premium
            opening, origin, rank = book.lots[lot, LOT_OPEN], book.lots[lot, LOT_OPERATION], book.lots[lot, LOT_RANK]
            add_lot(book, operation, child, opening, origin, rank, sign * units, basis, charges, premium)
        lot = book.lots[lot, LOT_NEXT]
    pay_in_lieu(ops, operation, book, child, total)
    return ACCEPTED
