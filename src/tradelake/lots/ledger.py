"""The ledger of the kernel: slots as linked lists of lots, matches, positions from flat to flat.

Plain Python over sequences of integers and at the same time valid input for the compiler; see `kernel.py`.
"""

from tradelake.lots.amounts import guard, share
from tradelake.lots.state import (
    AVERAGE,
    EPISODE_CLOSE,
    EPISODE_COUNT,
    EPISODE_OPEN,
    EPISODE_SIDE,
    EPISODE_SLOT,
    FULL,
    HOW_BOOT,
    HOW_RETURN_OF_CAPITAL,
    LOT_BASIS,
    LOT_CHARGES,
    LOT_COUNT,
    LOT_EPISODE,
    LOT_LEFT_BASIS,
    LOT_LEFT_CHARGES,
    LOT_LEFT_PREMIUM,
    LOT_NEXT,
    LOT_OPEN,
    LOT_OPERATION,
    LOT_PREMIUM,
    LOT_PREVIOUS,
    LOT_QUANTITY,
    LOT_RANK,
    LOT_SLOT,
    MATCH_COST,
    MATCH_COUNT,
    MATCH_EPISODE,
    MATCH_HOW,
    MATCH_LEFT_BASIS,
    MATCH_LEFT_CHARGES,
    MATCH_LEFT_PREMIUM,
    MATCH_OPEN,
    MATCH_OPERATION,
    MATCH_ORIGIN,
    MATCH_PREMIUM,
    MATCH_PROCEEDS,
    MATCH_QUANTITY,
    MATCH_SIDE,
    MATCH_SLOT,
    NEXT_RANK,
    NONE,
    POOL,
    SLOT_EPISODE,
    SLOT_HEAD,
    SLOT_METHOD,
    SLOT_POSITION,
    SLOT_TAIL,
    STATE,
    Book,
)


def link(book: Book, lot: int) -> None:
    """Put a lot into its slot's list, which is in order of rank; of equals the newest comes last."""
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


def hold(book: Book, operation: int, slot: int, quantity: int) -> None:
    """Let the position of a slot grow by *quantity*; a flat one begins a new episode."""
    if book.slots[SLOT_POSITION, slot] == 0:
        number = book.control[EPISODE_COUNT]
        if number >= book.episodes.shape[1]:
            book.control[STATE] = FULL
            return
        book.control[EPISODE_COUNT] = number + 1
        book.episodes[EPISODE_SLOT, number] = slot
        book.episodes[EPISODE_OPEN, number] = operation
        book.episodes[EPISODE_CLOSE, number] = NONE
        book.episodes[EPISODE_SIDE, number] = 1 if quantity > 0 else -1
        book.slots[SLOT_EPISODE, slot] = number
    book.slots[SLOT_POSITION, slot] = guard(book, book.slots[SLOT_POSITION, slot] + quantity)


def release(book: Book, operation: int, slot: int, quantity: int) -> None:
    """Let the position of a slot shrink by *quantity*; at zero its episode ends."""
    book.slots[SLOT_POSITION, slot] -= quantity
    if book.slots[SLOT_POSITION, slot] == 0:
        book.episodes[EPISODE_CLOSE, book.slots[SLOT_EPISODE, slot]] = operation


def join(book: Book, lot: int, quantity: int, basis: int, charges: int, premium: int) -> None:
    """Add to an open lot."""
    book.lots[LOT_QUANTITY, lot] = guard(book, book.lots[LOT_QUANTITY, lot] + quantity)
    book.lots[LOT_BASIS, lot] = guard(book, book.lots[LOT_BASIS, lot] + basis)
    book.lots[LOT_CHARGES, lot] = guard(book, book.lots[LOT_CHARGES, lot] + charges)
    book.lots[LOT_PREMIUM, lot] = guard(book, book.lots[LOT_PREMIUM, lot] + premium)


def add_lot(
    book: Book,
    operation: int,
    slot: int,
    opening: int,
    origin: int,
    rank: int,
    quantity: int,
    basis: int,
    charges: int,
    premium: int,
) -> int:
    """Add a lot with its opening, origin and rank to a slot and return it; an average-cost slot has one, its pool."""
    hold(book, operation, slot, quantity)
    pooled = book.slots[SLOT_METHOD, slot] == AVERAGE
    pool = book.slots[SLOT_HEAD, slot]
    if pooled and pool != NONE:
        join(book, pool, quantity, basis, charges, premium)
        if rank < book.lots[LOT_RANK, pool]:
            book.lots[LOT_RANK, pool] = rank
            book.lots[LOT_OPERATION, pool] = origin
        return pool
    lot = book.control[LOT_COUNT]
    if lot >= book.lots.shape[1]:
        book.control[STATE] = FULL
    if book.control[STATE] == FULL:
        return NONE
    book.control[LOT_COUNT] = lot + 1
    book.lots[LOT_SLOT, lot] = slot
    book.lots[LOT_OPEN, lot] = POOL if pooled else opening
    book.lots[LOT_OPERATION, lot] = origin
    book.lots[LOT_RANK, lot] = rank
    book.lots[LOT_QUANTITY, lot] = quantity
    book.lots[LOT_BASIS, lot] = guard(book, basis)
    book.lots[LOT_CHARGES, lot] = guard(book, charges)
    book.lots[LOT_PREMIUM, lot] = guard(book, premium)
    book.lots[LOT_EPISODE, lot] = book.slots[SLOT_EPISODE, slot]
    link(book, lot)
    return lot


def fresh_rank(book: Book) -> int:
    """Return a rank after all others."""
    rank = book.control[NEXT_RANK]
    book.control[NEXT_RANK] = rank + 1
    return rank


def take_from_lot(book: Book, lot: int, units: int, operation: int) -> tuple[int, int, int]:
    """Remove units from a lot; return the signed basis, and the charges and premium in it, that leave with them."""
    held = book.lots[LOT_QUANTITY, lot]
    size = held if held > 0 else -held
    basis = share(book, book.lots[LOT_BASIS, lot], units, size)
    charges = share(book, book.lots[LOT_CHARGES, lot], units, size)
    premium = share(book, book.lots[LOT_PREMIUM, lot], units, size)
    signed = units if held > 0 else -units
    book.lots[LOT_QUANTITY, lot] = held - signed
    book.lots[LOT_BASIS, lot] -= basis
    book.lots[LOT_CHARGES, lot] -= charges
    book.lots[LOT_PREMIUM, lot] -= premium
    leave(book, lot, basis, charges, premium)
    if units == size:
        unlink(book, lot)
    release(book, operation, book.lots[LOT_SLOT, lot], signed)
    return basis, charges, premium


def leave(book: Book, lot: int, basis: int, charges: int, premium: int) -> None:
    """Note what leaves a lot, for the match that is written of it."""
    book.lots[LOT_LEFT_BASIS, lot] = basis
    book.lots[LOT_LEFT_CHARGES, lot] = charges
    book.lots[LOT_LEFT_PREMIUM, lot] = premium


def write_match(
    book: Book, operation: int, lot: int, units: int, proceeds: int, cost: int, premium: int, how: int, side: int
) -> None:
    """Write one match of a lot: of units that have just left it, or of the whole lot where it stays open."""
    row = book.control[MATCH_COUNT]
    if row >= book.matches.shape[1]:
        book.control[STATE] = FULL
        return
    slot = book.lots[LOT_SLOT, lot]
    book.control[MATCH_COUNT] = row + 1
    book.matches[MATCH_SLOT, row] = slot
    book.matches[MATCH_OPEN, row] = book.lots[LOT_OPEN, lot]
    book.matches[MATCH_ORIGIN, row] = book.lots[LOT_OPERATION, lot]
    book.matches[MATCH_OPERATION, row] = operation
    book.matches[MATCH_EPISODE, row] = book.slots[SLOT_EPISODE, slot]
    book.matches[MATCH_QUANTITY, row] = units
    book.matches[MATCH_PROCEEDS, row] = guard(book, proceeds)
    book.matches[MATCH_COST, row] = guard(book, cost)
    book.matches[MATCH_PREMIUM, row] = guard(book, premium)
    book.matches[MATCH_HOW, row] = how
    book.matches[MATCH_SIDE, row] = side
    stays = how in (HOW_RETURN_OF_CAPITAL, HOW_BOOT)
    book.matches[MATCH_LEFT_BASIS, row] = 0 if stays else book.lots[LOT_LEFT_BASIS, lot]
    book.matches[MATCH_LEFT_CHARGES, row] = 0 if stays else book.lots[LOT_LEFT_CHARGES, lot]
    book.matches[MATCH_LEFT_PREMIUM, row] = 0 if stays else book.lots[LOT_LEFT_PREMIUM, lot]
