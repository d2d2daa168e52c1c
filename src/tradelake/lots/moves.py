"""Operations of the kernel that move lots between accounts, and those that change how an account is run.

A lot keeps opening, rank and its share of the basis wherever it goes, and pieces of one lot that meet again are
rejoined. All moves of one event are checked before the first is made.

Plain Python over sequences of integers and at the same time valid input for the compiler; see `kernel.py`.
"""

from tradelake.lots.amounts import scaled_units
from tradelake.lots.choice import check_names, choose
from tradelake.lots.ledger import add_lot, hold, join, take_from_lot, unlink
from tradelake.lots.state import (
    ACCEPTED,
    ACCOUNT_STANDING,
    ACTION_MOVE_FROM,
    ACTION_MOVE_TO,
    AVERAGE,
    CLOSED,
    FORK,
    FRACTION_UNIT,
    LOT_BASIS,
    LOT_CHARGES,
    LOT_NEXT,
    LOT_OPEN,
    LOT_OPERATION,
    LOT_PREMIUM,
    LOT_PREVIOUS,
    LOT_QUANTITY,
    LOT_RANK,
    MERGE,
    MOVE_FRACTION,
    MOVE_NAMED_FROM,
    MOVE_NAMED_TO,
    MOVE_QUANTITY,
    MOVE_SLOT,
    MOVE_TO_SLOT,
    NONE,
    NOT_OPEN,
    OP_ACCOUNT,
    OP_ACTION,
    OP_EFFECT,
    OP_QUANTITY,
    OP_SLOT,
    OP_TO,
    OPEN,
    POOL,
    RUNNING,
    SLOT_HEAD,
    SLOT_METHOD,
    SLOT_POSITION,
    SLOT_TAIL,
    STATE,
    TRANSFER_AGAINST_POSITION,
    TRANSFER_EXCEEDS_POSITION,
    UNIT,
    Book,
    Operations,
)


def units_of(ops: Operations, book: Book, move: int) -> int:
    """Return how many units a move takes: so many, a fraction of what is held, or all of it.

    A fraction of a position in whole units is rounded down to whole units.
    """
    held = book.slots[ops.moves[move, MOVE_SLOT], SLOT_POSITION]
    size = held if held > 0 else -held
    units, fraction = ops.moves[move, MOVE_QUANTITY], ops.moves[move, MOVE_FRACTION]
    if fraction != NONE:
        units = scaled_units(book, size, fraction, FRACTION_UNIT)
        if size % UNIT == 0:
            units -= units % UNIT
    elif units == NONE:
        units = size
    return int(units)


def check_move(ops: Operations, book: Book, first: int, move: int) -> int:
    """Return why a move, after those from *first* on, cannot be made, or ACCEPTED."""
    slot, target = ops.moves[move, MOVE_SLOT], ops.moves[move, MOVE_TO_SLOT]
    held, there, units = book.slots[slot, SLOT_POSITION], book.slots[target, SLOT_POSITION], units_of(ops, book, move)
    taken = units
    for other in range(first, move):
        if ops.moves[other, MOVE_SLOT] == slot:
            taken += units_of(ops, book, other)
    if taken > (held if held > 0 else -held):
        return TRANSFER_EXCEEDS_POSITION
    if (held > 0 and there < 0) or (held < 0 and there > 0):
        return TRANSFER_AGAINST_POSITION
    named_from, named_to = ops.moves[move, MOVE_NAMED_FROM], ops.moves[move, MOVE_NAMED_TO]
    return check_names(ops, book, slot, named_from, named_to, units)


def twin_of(book: Book, slot: int, rank: int, opening: int) -> int:
    """Return the lot of the slot that is a piece of the lot with this rank and opening, or NONE."""
    lot = book.slots[slot, SLOT_TAIL]
    twin = NONE
    while lot != NONE and book.lots[lot, LOT_RANK] >= rank:
        if book.lots[lot, LOT_RANK] == rank and book.lots[lot, LOT_OPEN] == opening:
            twin = lot
        lot = book.lots[lot, LOT_PREVIOUS]
    return twin


def move_lots(ops: Operations, operation: int, book: Book, move: int) -> None:
    """Move units from slot to slot, lot by lot in the order of the method or as they are named."""
    slot, target = ops.moves[move, MOVE_SLOT], ops.moves[move, MOVE_TO_SLOT]
    named_from, named_to = ops.moves[move, MOVE_NAMED_FROM], ops.moves[move, MOVE_NAMED_TO]
    count, done = units_of(ops, book, move), 0
    sign = 1 if book.slots[slot, SLOT_POSITION] > 0 else -1
    while done < count and book.control[STATE] == RUNNING:
        lot, most = choose(ops, book, slot, named_from, named_to, done)
        units = most if most < count - done else count - done
        done += units
        opening, origin, rank = book.lots[lot, LOT_OPEN], book.lots[lot, LOT_OPERATION], book.lots[lot, LOT_RANK]
        basis, charges, premium = take_from_lot(book, lot, units, operation)
        twin = twin_of(book, target, rank, opening)
        if twin == NONE:
            add_lot(book, operation, target, opening, origin, rank, sign * units, basis, charges, premium)
        else:
            hold(book, operation, target, sign * units)
            join(book, twin, sign * units, basis, charges, premium)


def run_move(ops: Operations, operation: int, book: Book) -> int:
    """Run a MOVE: a transfer, the fork of a child account or its merge; the last two open and close the child."""
    action, kind = ops.main[operation, OP_ACTION], ops.main[operation, OP_EFFECT]
    first, last = ops.actions[action, ACTION_MOVE_FROM], ops.actions[action, ACTION_MOVE_TO]
    for move in range(first, last):
        refusal = check_move(ops, book, first, move)
        if refusal != ACCEPTED:
            return refusal
    for move in range(first, last):
        move_lots(ops, operation, book, move)
    if kind == FORK and book.accounts[ops.main[operation, OP_TO], ACCOUNT_STANDING] == NOT_OPEN:
        book.accounts[ops.main[operation, OP_TO], ACCOUNT_STANDING] = OPEN
    if kind == MERGE:
        book.accounts[ops.main[operation, OP_ACCOUNT], ACCOUNT_STANDING] = CLOSED
    return ACCEPTED


def run_method(ops: Operations, operation: int, book: Book) -> int:
    """Run a METHOD: from now on the slot's lots go by another method; average cost pools what is there."""
    slot, method = ops.main[operation, OP_SLOT], ops.main[operation, OP_QUANTITY]
    book.slots[slot, SLOT_METHOD] = method
    pool = book.slots[slot, SLOT_HEAD]
    if method != AVERAGE or pool == NONE:
        return ACCEPTED
    book.lots[pool, LOT_OPEN] = POOL
    lot = book.lots[pool, LOT_NEXT]
    while lot != NONE:
        following = book.lots[lot, LOT_NEXT]
        quantity, basis = book.lots[lot, LOT_QUANTITY], book.lots[lot, LOT_BASIS]
        join(book, pool, quantity, basis, book.lots[lot, LOT_CHARGES], book.lots[lot, LOT_PREMIUM])
        book.lots[lot, LOT_QUANTITY] = 0
        unlink(book, lot)
        lot = following
    return ACCEPTED
