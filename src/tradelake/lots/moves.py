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
    held = book.slots[SLOT_POSITION, ops.moves[MOVE_SLOT, move]]
    size = held if held > 0 else -held
    units, fraction = ops.moves[MOVE_QUANTITY, move], ops.moves[MOVE_FRACTION, move]
    if fraction != NONE:
        units = scaled_units(book, size, fraction, FRACTION_UNIT)
        if size % UNIT == 0:
            units -= units % UNIT
    elif units == NONE:
        units = size
    return int(units)


def check_move(ops: Operations, book: Book, first: int, move: int) -> int:
    """Return why a move, after those from *first* on, cannot be made, or ACCEPTED."""
    slot, target = ops.moves[MOVE_SLOT, move], ops.moves[MOVE_TO_SLOT, move]
    held, there, units = book.slots[SLOT_POSITION, slot], book.slots[SLOT_POSITION, target], units_of(ops, book, move)
    taken = units
    for other in range(first, move):
        if ops.moves[MOVE_SLOT, other] == slot:
            taken += units_of(ops, book, other)
    if taken > (held if held > 0 else -held):
        return TRANSFER_EXCEEDS_POSITION
    if (held > 0 and there < 0) or (held < 0 and there > 0):
        return TRANSFER_AGAINST_POSITION
    named_from, named_to = ops.moves[MOVE_NAMED_FROM, move], ops.moves[MOVE_NAMED_TO, move]
    return check_names(ops, book, slot, named_from, named_to, units)


def twin_of(book: Book, slot: int, rank: int, opening: int) -> int:
    """Return the lot of the slot that is a piece of the lot with this rank and opening, or NONE."""
    lot = book.slots[SLOT_TAIL, slot]
    twin = NONE
    while lot != NONE and book.lots[LOT_RANK, lot] >= rank:
        if book.lots[LOT_RANK, lot] == rank and book.lots[LOT_OPEN, lot] == opening:
            twin = lot
        lot = book.lots[LOT_PREVIOUS, lot]
    return twin


def move_lots(ops: Operations, operation: int, book: Book, move: int) -> None:
    """Move units from slot to slot, lot by lot in the order of the method or as they are named."""
    slot, target = ops.moves[MOVE_SLOT, move], ops.moves[MOVE_TO_SLOT, move]
    named_from, named_to = ops.moves[MOVE_NAMED_FROM, move], ops.moves[MOVE_NAMED_TO, move]
    count, done = units_of(ops, book, move), 0
    sign = 1 if book.slots[SLOT_POSITION, slot] > 0 else -1
    while done < count and book.control[STATE] == RUNNING:
        lot, most = choose(ops, book, slot, named_from, named_to, done)
        units = most if most < count - done else count - done
        done += units
        opening, origin, rank = book.lots[LOT_OPEN, lot], book.lots[LOT_OPERATION, lot], book.lots[LOT_RANK, lot]
        basis, charges, premium = take_from_lot(book, lot, units, operation)
        twin = twin_of(book, target, rank, opening)
        if twin == NONE:
            add_lot(book, operation, target, opening, origin, rank, sign * units, basis, charges, premium)
        else:
            hold(book, operation, target, sign * units)
            join(book, twin, sign * units, basis, charges, premium)


def run_move(ops: Operations, operation: int, book: Book) -> int:
    """Run a MOVE: a transfer, the fork of a child account or its merge; the last two open and close the child."""
    action, kind = ops.main[OP_ACTION, operation], ops.main[OP_EFFECT, operation]
    first, last = ops.actions[ACTION_MOVE_FROM, action], ops.actions[ACTION_MOVE_TO, action]
    for move in range(first, last):
        refusal = check_move(ops, book, first, move)
        if refusal != ACCEPTED:
            return refusal
    for move in range(first, last):
        move_lots(ops, operation, book, move)
    if kind == FORK and book.accounts[ACCOUNT_STANDING, ops.main[OP_TO, operation]] == NOT_OPEN:
        book.accounts[ACCOUNT_STANDING, ops.main[OP_TO, operation]] = OPEN
    if kind == MERGE:
        book.accounts[ACCOUNT_STANDING, ops.main[OP_ACCOUNT, operation]] = CLOSED
    return ACCEPTED


def run_method(ops: Operations, operation: int, book: Book) -> int:
    """Run a METHOD: from now on the slot's lots go by another method; average cost pools what is there."""
    slot, method = ops.main[OP_SLOT, operation], ops.main[OP_QUANTITY, operation]
    book.slots[SLOT_METHOD, slot] = method
    pool = book.slots[SLOT_HEAD, slot]
    if method != AVERAGE or pool == NONE:
        return ACCEPTED
    book.lots[LOT_OPEN, pool] = POOL
    lot = book.lots[LOT_NEXT, pool]
    while lot != NONE:
        following = book.lots[LOT_NEXT, lot]
        quantity, basis = book.lots[LOT_QUANTITY, lot], book.lots[LOT_BASIS, lot]
        join(book, pool, quantity, basis, book.lots[LOT_CHARGES, lot], book.lots[LOT_PREMIUM, lot])
        book.lots[LOT_QUANTITY, lot] = 0
        unlink(book, lot)
        lot = following
    return ACCEPTED
