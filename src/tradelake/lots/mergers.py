"""Mergers as operations of the kernel: for cash, for shares of another instrument, or for both.

In a reorganization the old basis goes on in the new shares, and gain is recognised up to the cash (IRC 356, 358); a
taxable exchange closes the lots at what was received and opens new ones at the value of the new shares.

Plain Python over sequences of integers and at the same time valid input for the compiler; see `kernel.py`.
"""

from tradelake.lots.actions import check_target, new_total, pay_per_unit, recover, rescale, size_of
from tradelake.lots.amounts import scaled, share, share_units
from tradelake.lots.ledger import fresh_rank, leave, take_from_lot, write_match
from tradelake.lots.state import (
    ACCEPTED,
    ACTION_NEW_PRICE,
    ACTION_SLOT,
    ACTION_TAXABLE,
    HOW_BOOT,
    HOW_MERGER,
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
    OP_OPENING,
    OP_SLOT,
    RUNNING,
    SLOT_HEAD,
    SLOT_POSITION,
    STATE,
    UNIT,
    Book,
    Operations,
)


def exchange_lot(ops: Operations, operation: int, book: Book, lot: int, cash: int, value: int) -> None:
    """Settle one lot of a merger for *cash* and new shares worth *value*; its units are exchanged afterwards."""
    held, basis = book.lots[lot, LOT_QUANTITY], book.lots[lot, LOT_BASIS]
    if ops.actions[ops.main[operation, OP_ACTION], ACTION_TAXABLE] == 1:
        premium = book.lots[lot, LOT_PREMIUM]
        leave(book, lot, basis, book.lots[lot, LOT_CHARGES], premium)
        if held > 0:
            write_match(book, operation, lot, held, cash + value, basis, premium, HOW_MERGER, 1)
        else:
            write_match(book, operation, lot, -held, -basis, cash + value, premium, HOW_MERGER, -1)
        book.lots[lot, LOT_BASIS] = value if held > 0 else -value
        book.lots[lot, LOT_CHARGES] = 0
        book.lots[lot, LOT_PREMIUM] = 0
        book.lots[lot, LOT_OPEN] = ops.main[operation, OP_OPENING]
        book.lots[lot, LOT_OPERATION] = operation
        book.lots[lot, LOT_RANK] = fresh_rank(book)
    elif cash != 0 and held > 0:
        gain = cash + value - basis
        gain = cash if gain > cash else gain
        gain = 0 if gain < 0 else gain
        write_match(book, operation, lot, held, cash, cash - gain, 0, HOW_BOOT, 1)
        book.lots[lot, LOT_BASIS] = basis + gain - cash
        book.lots[lot, LOT_CHARGES] = min(book.lots[lot, LOT_CHARGES], book.lots[lot, LOT_BASIS])
    elif cash != 0:
        recover(book, operation, lot, cash, HOW_BOOT)


def run_merger(ops: Operations, operation: int, book: Book) -> int:
    """Run a MERGER for cash, for shares of another slot, or for both."""
    slot, action = ops.main[operation, OP_SLOT], ops.main[operation, OP_ACTION]
    held = book.slots[slot, SLOT_POSITION]
    if held == 0:
        return ACCEPTED
    for_shares = ops.actions[action, ACTION_SLOT] != NONE
    refusal = check_target(ops, book, slot, action) if for_shares else ACCEPTED
    if refusal != ACCEPTED:
        return refusal
    money, weight = pay_per_unit(ops, operation, book), size_of(held)
    left = new_total(ops, book, slot, action) if for_shares else 0
    lot = book.slots[slot, SLOT_HEAD]
    while lot != NONE and book.control[STATE] == RUNNING:
        following, size = book.lots[lot, LOT_NEXT], size_of(book.lots[lot, LOT_QUANTITY])
        cash = share(book, money, size, weight)
        if for_shares:
            units = share_units(book, left, size, weight)
            value = scaled(book, ops.actions[action, ACTION_NEW_PRICE], units, UNIT)
            exchange_lot(ops, operation, book, lot, cash, value)
            left -= units
        else:
            basis, _, premium = take_from_lot(book, lot, size, operation)
            if held > 0:
                write_match(book, operation, lot, size, cash, basis, premium, HOW_MERGER, 1)
            else:
                write_match(book, operation, lot, size, -basis, cash, premium, HOW_MERGER, -1)
        money, weight, lot = money - cash, weight - size, following
    if for_shares:
        rescale(ops, operation, book)
    return ACCEPTED
