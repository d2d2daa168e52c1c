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
    slot = book.lots[lot, LOT_SLOT]
    after = book.slots[slot, SLOT_TAIL]
    while after != NONE and book.lots[after, LOT_RANK] > book.lots[lot, LOT_RANK]:
        after = book.lots[after, LOT_PREVIOUS]
    before = book.slots[slot, SLOT_HEAD] if after == NONE else book.lots[after, LOT_NEXT]
    book.lots[lot, LOT_PREVIOUS] = after
    book.lots[lot, LOT_NEXT] = before
    if after == NONE:
        book.slots[slot, SLOT_HEAD] = lot
    else:
        book.lots[after, LOT_NEXT] = lot
    if before == NONE:
        book.slots[slot, SLOT_TAIL] = lot
    else:
        book.lots[before, LOT_PREVIOUS] = lot


def unlink(book: Book, lot: int) -> None:
    """Take a lot out of its slot's list."""
    slot, before, after = book.lots[lot, LOT_SLOT], book.lots[lot, LOT_PREVIOUS], book.lots[lot, LOT_NEXT]
    if before == NONE:
        book.slots[slot, SLOT_HEAD] = after
    else:
        book.lots[before, LOT_NEXT] = after
    if after == NONE:
        book.slots[slot, SLOT_TAIL] = before
    else:
        book.lots[after, LOT_PREVIOUS] = before


def hold(book: Book, operation: int, slot: int, quantity: int) -> None:
    """Let the position of a slot grow by *quantity*; a flat one begins a new episode."""
    if book.slots[slot, SLOT_POSITION] == 0:
        number = book.control[EPISODE_COUNT]
        if number >= book.episodes.shape[0]:
            book.control[STATE] = FULL
            return
        book.control[EPISODE_COUNT] = number + 1
        book.episodes[number, EPISODE_SLOT] = slot
        book.episodes[number, EPISODE_OPEN] = operation
        book.episodes[number, EPISODE_CLOSE] = NONE
        book.episodes[number, EPISODE_SIDE] = 1 if quantity > 0 else -1
        book.slots[slot, SLOT_EPISODE] = number
    book.slots[slot, SLOT_POSITION] = guard(book, book.slots[slot, SLOT_POSITION] + quantity)


def release(book: Book, operation: int, slot: int, quantity: int) -> None:
    """Let the position of a slot shrink by *quantity*; at zero its episode ends."""
    book.slots[slot, SLOT_POSITION] -= quantity
    if book.slots[slot, SLOT_POSITION] == 0:
        book.episodes[book.slots[slot, SLOT_EPISODE], EPISODE_CLOSE] = operation


def join(book: Book, lot: int, quantity: int, basis: int, charges: int, premium: int) -> None:
    """Add to an open lot."""
    book.lots[lot, LOT_QUANTITY] = guard(book, book.lots[lot, LOT_QUANTITY] + quantity)
    book.lots[lot, LOT_BASIS] = guard(book, book.lots[lot, LOT_BASIS] + basis)
    book.lots[lot, LOT_CHARGES] = guard(book, book.lots[lot, LOT_CHARGES] + charges)
    book.lots[lot, LOT_PREMIUM] = guard(book, book.lots[lot, LOT_PREMIUM] + premium)


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
    pooled = book.slots[slot, SLOT_METHOD] == AVERAGE
    pool = book.slots[slot, SLOT_HEAD]
    if pooled and pool != NONE:
        join(book, pool, quantity, basis, charges, premium)
        if rank < book.lots[pool, LOT_RANK]:
            book.lots[pool, LOT_RANK] = rank
            book.lots[pool, LOT_OPERATION] = origin
        return pool
    lot = book.control[LOT_COUNT]
    if lot >= book.lots.shape[0]:
        book.control[STATE] = FULL
    if book.control[STATE] == FULL:
        return NONE
    book.control[LOT_COUNT] = lot + 1
    book.lots[lot, LOT_SLOT] = slot
    book.lots[lot, LOT_OPEN] = POOL if pooled else opening
    book.lots[lot, LOT_OPERATION] = origin
    book.lots[lot, LOT_RANK] = rank
    book.lots[lot, LOT_QUANTITY] = quantity
    book.lots[lot, LOT_BASIS] = guard(book, basis)
    book.lots[lot, LOT_CHARGES] = guard(book, charges)
    book.lots[lot, LOT_PREMIUM] = guard(book, premium)
    book.lots[lot, LOT_EPISODE] = book.slots[slot, SLOT_EPISODE]
    link(book, lot)
    return lot


def fresh_rank(book: Book) -> int:
    """Return a rank after all others."""
    rank = book.control[NEXT_RANK]
    book.control[NEXT_RANK] = rank + 1
    return rank


def take_from_lot(book: Book, lot: int, units: int, operation: int) -> tuple[int, int, int]:
    """Remove units from a lot; return the signed basis, and the charges and premium in it, that leave with them."""
    held = book.lots[lot, LOT_QUANTITY]
    size = held if held > 0 else -held
    basis = share(book, book.lots[lot, LOT_BASIS], units, size)
    charges = share(book, book.lots[lot, LOT_CHARGES], units, size)
    premium = share(book, book.lots[lot, LOT_PREMIUM], units, size)
    signed = units if held > 0 else -units
    book.lots[lot, LOT_QUANTITY] = held - signed
    book.lots[lot, LOT_BASIS] -= basis
    book.lots[lot, LOT_CHARGES] -= charges
    book.lots[lot, LOT_PREMIUM] -= premium
    leave(book, lot, basis, charges, premium)
    if units == size:
        unlink(book, lot)
    release(book, operation, book.lots[lot, LOT_SLOT], signed)
    return basis, charges, premium


def leave(book: Book, lot: int, basis: int, charges: int, premium: int) -> None:
    """Note what leaves a lot, for the match that is written of it."""
    book.lots[lot, LOT_LEFT_BASIS] = basis
    book.lots[lot, LOT_LEFT_CHARGES] = charges
    book.lots[lot, LOT_LEFT_PREMIUM] = premium


def write_match(
    book: Book, operation: int, lot: int, units: int, proceeds: int, cost: int, premium: int, how: int, side: int
) -> None:
    """Write one match of a lot: of units that have just left it, or of the whole lot where it stays open."""
    row = book.control[MATCH_COUNT]
    if row >= book.matches.shape[0]:
        book.control[STATE] = FULL
        return
    slot = book.lots[lot, LOT_SLOT]
    book.control[MATCH_COUNT] = row + 1
    book.matches[row, MATCH_SLOT] = slot
    book.matches[row, MATCH_OPEN] = book.lots[lot, LOT_OPEN]
    book.matches[row, MATCH_ORIGIN] = book.lots[lot, LOT_OPERATION]
    book.matches[row, MATCH_OPERATION] = operation
    book.matches[row, MATCH_EPISODE] = book.slots[slot, SLOT_EPISODE]
    book.matches[row, MATCH_QUANTITY] = units
    book.matches[row, MATCH_PROCEEDS] = guard(book, proceeds)
    book.matches[row, MATCH_COST] = guard(book, cost)
    book.matches[row, MATCH_PREMIUM] = guard(book, premium)
    book.matches[row, MATCH_HOW] = how
    book.matches[row, MATCH_SIDE] = side
    stays = how in (HOW_RETURN_OF_CAPITAL, HOW_BOOT)
    book.matches[row, MATCH_LEFT_BASIS] = 0 if stays else book.lots[lot, LOT_LEFT_BASIS]
    book.matches[row, MATCH_LEFT_CHARGES] = 0 if stays else book.lots[lot, LOT_LEFT_CHARGES]
    book.matches[row, MATCH_LEFT_PREMIUM] = 0 if stays else book.lots[lot, LOT_LEFT_PREMIUM]
