"""Operations of the kernel that buy and sell: trades, endings of contracts, exercises, subscriptions.

Plain Python over sequences of integers and at the same time valid input for the compiler; see `kernel.py`.
"""

from tradelake.lots.amounts import contract_amount, guard, multiply_divide, scaled, share, share_units
from tradelake.lots.choice import check_names, choose, names_of
from tradelake.lots.ledger import add_lot, fresh_rank, take_from_lot, write_match
from tradelake.lots.state import (
    ACCEPTED,
    ACTION_PER_UNIT,
    ACTION_SHARES,
    ACTION_SLOT,
    ASSIGNMENT_EXCEEDS_SHORT,
    CLOSE_EXCEEDS_OPEN,
    CLOSING,
    CONTRACTS_EXCEED_OPEN,
    DELIVERY_QUANTITY,
    DELIVERY_SLOT,
    DELIVERY_WEIGHT,
    EFFECT_CONFLICT,
    EXERCISE_EXCEEDS_LONG,
    EXTRA_BUYS,
    EXTRA_CASH,
    EXTRA_DELIVERY_FROM,
    EXTRA_DELIVERY_TO,
    EXTRA_HOW,
    EXTRA_MULTIPLIER,
    EXTRA_STRIKE,
    HOW_CASH_SETTLED,
    HOW_EXERCISED,
    HOW_TRADE,
    NOTHING_TO_EXPIRE,
    OP_ACTION,
    OP_CHARGES,
    OP_EFFECT,
    OP_EXTRA,
    OP_GROSS,
    OP_OPENING,
    OP_QUANTITY,
    OP_SLOT,
    OPENING,
    OVERFLOW,
    RESULT_CASH_MOVED,
    RUNNING,
    SLOT_POSITION,
    STATE,
    UNIT,
    Book,
    Operations,
)


def fill(
    ops: Operations,
    operation: int,
    book: Book,
    slot: int,
    quantity: int,
    gross: int,
    charges: int,
    embedded: int,
    premium: int,
    how: int,
) -> None:
    """Buy (+) or sell (-) units for *gross*: close opposite lots first, open the rest. Moves no cash.

    *embedded* charges and *premium* are inside *gross* already: those of an option that turned into stock. Lots that
    the event names are lots of its own slot.
    """
    first, last = 0, 0
    if slot == ops.main[operation, OP_SLOT]:
        first, last = names_of(ops, operation)
    held = book.slots[slot, SLOT_POSITION]
    left = quantity if quantity > 0 else -quantity
    closing = 0
    if (held > 0 and quantity < 0) or (held < 0 and quantity > 0):
        size = held if held > 0 else -held
        closing = size if size < left else left
    done = 0
    while done < closing and book.control[STATE] == RUNNING:
        lot, most = choose(ops, book, slot, first, last, done)
        units = most if most < closing - done else closing - done
        part = share(book, gross, units, left)
        cost = share(book, charges, units, left)
        inside = share(book, embedded, units, left)
        carried = share(book, premium, units, left)
        gross, charges, embedded, left = gross - part, charges - cost, embedded - inside, left - units
        premium -= carried
        basis, _, own = take_from_lot(book, lot, units, operation)
        if held > 0:
            write_match(book, operation, lot, units, part - cost, basis, own + carried, how, 1)
        else:
            write_match(book, operation, lot, units, -basis, part + cost, own + carried, how, -1)
        done += units
    if left > 0 and book.control[STATE] == RUNNING:
        sign = 1 if quantity > 0 else -1
        opening = ops.main[operation, OP_OPENING]
        basis, inside = sign * gross + charges, charges + embedded
        add_lot(book, operation, slot, opening, operation, fresh_rank(book), sign * left, basis, inside, premium)


def run_trade(ops: Operations, operation: int, book: Book) -> int:
    """Run a TRADE; return ACCEPTED or why it is refused."""
    slot, quantity, effect = (
        ops.main[operation, OP_SLOT],
        ops.main[operation, OP_QUANTITY],
        ops.main[operation, OP_EFFECT],
    )
    held = book.slots[slot, SLOT_POSITION]
    size, held_size = (quantity if quantity > 0 else -quantity), (held if held > 0 else -held)
    opposite = (held > 0 and quantity < 0) or (held < 0 and quantity > 0)
    if effect == CLOSING and (not opposite or size > held_size):
        return CLOSE_EXCEEDS_OPEN
    if effect == OPENING and opposite:
        return EFFECT_CONFLICT
    first, last = names_of(ops, operation)
    if last > first:
        closing = 0
        if opposite:
            closing = size if size < held_size else held_size
        refusal = check_names(ops, book, slot, first, last, closing)
        if refusal != ACCEPTED:
            return refusal
    gross, charges = ops.main[operation, OP_GROSS], ops.main[operation, OP_CHARGES]
    book.results[operation, RESULT_CASH_MOVED] = guard(book, (-gross if quantity > 0 else gross) - charges)
    fill(ops, operation, book, slot, quantity, gross, charges, 0, 0, HOW_TRADE)
    return ACCEPTED


def run_close(ops: Operations, operation: int, book: Book) -> int:
    """Run a CLOSE: an expiry, or a settlement in cash at a price."""
    slot, count, extra = ops.main[operation, OP_SLOT], ops.main[operation, OP_QUANTITY], ops.main[operation, OP_EXTRA]
    held = book.slots[slot, SLOT_POSITION]
    if held == 0:
        return NOTHING_TO_EXPIRE
    size = held if held > 0 else -held
    if count == 0:
        count = size
    if count > size:
        return CONTRACTS_EXCEED_OPEN
    first, last = names_of(ops, operation)
    refusal = check_names(ops, book, slot, first, last, count)
    if refusal != ACCEPTED:
        return refusal
    gross = contract_amount(book, ops.main[operation, OP_GROSS], count, ops.extras[extra, EXTRA_MULTIPLIER])
    charges = ops.main[operation, OP_CHARGES]
    book.results[operation, RESULT_CASH_MOVED] = guard(book, (gross if held > 0 else -gross) - charges)
    quantity = -count if held > 0 else count
    fill(ops, operation, book, slot, quantity, gross, charges, 0, 0, ops.extras[extra, EXTRA_HOW])
    return ACCEPTED


def deliver(
    ops: Operations, operation: int, book: Book, units: int, value: int, charges: int, embedded: int, premium: int
) -> None:
    """Trade the stocks that *units* of an exercised contract deliver, for *value* in all."""
    extra = ops.main[operation, OP_EXTRA]
    weight = 0
    for row in range(ops.extras[extra, EXTRA_DELIVERY_FROM], ops.extras[extra, EXTRA_DELIVERY_TO]):
        weight += ops.deliveries[row, DELIVERY_WEIGHT]
    for row in range(ops.extras[extra, EXTRA_DELIVERY_FROM], ops.extras[extra, EXTRA_DELIVERY_TO]):
        part = ops.deliveries[row, DELIVERY_WEIGHT]
        amount = share(book, value, part, weight)
        cost = share(book, charges, part, weight)
        inside = share(book, embedded, part, weight)
        carried = share(book, premium, part, weight)
        value, charges, embedded, weight = value - amount, charges - cost, embedded - inside, weight - part
        premium -= carried
        shares, rest = multiply_divide(ops.deliveries[row, DELIVERY_QUANTITY], units, UNIT)
        if shares < 0 or rest != 0:
            book.control[STATE] = OVERFLOW
            return
        quantity = shares if ops.extras[extra, EXTRA_BUYS] == 1 else -shares
        slot = ops.deliveries[row, DELIVERY_SLOT]
        fill(ops, operation, book, slot, quantity, amount, cost, inside, carried, HOW_TRADE)


def run_exercise(ops: Operations, operation: int, book: Book) -> int:
    """Run an EXERCISE or assignment: each lot of the option becomes a trade of what it delivers.

    The option's basis moves into the stock: nothing is realized here, and cash moves by strike and charges only.
    """
    slot, count, extra = ops.main[operation, OP_SLOT], ops.main[operation, OP_QUANTITY], ops.main[operation, OP_EXTRA]
    holder = ops.extras[extra, EXTRA_HOW] == HOW_EXERCISED
    held = book.slots[slot, SLOT_POSITION]
    if (held if holder else -held) < count:
        return EXERCISE_EXCEEDS_LONG if holder else ASSIGNMENT_EXCEEDS_SHORT
    first, last = names_of(ops, operation)
    refusal = check_names(ops, book, slot, first, last, count)
    if refusal != ACCEPTED:
        return refusal
    buys = ops.extras[extra, EXTRA_BUYS] == 1
    call = buys == holder
    side = 1 if holder else -1
    left, charges, done = count, ops.main[operation, OP_CHARGES], 0
    while done < count and book.control[STATE] == RUNNING:
        lot, most = choose(ops, book, slot, first, last, done)
        units = most if most < count - done else count - done
        cost = share(book, charges, units, left)
        charges, left, done = charges - cost, left - units, done + units
        strike = contract_amount(book, ops.extras[extra, EXTRA_STRIKE], units, ops.extras[extra, EXTRA_MULTIPLIER])
        cash = scaled(book, ops.extras[extra, EXTRA_CASH], units, UNIT)
        paid = cash - strike if buys else strike - cash
        book.results[operation, RESULT_CASH_MOVED] = guard(
            book, book.results[operation, RESULT_CASH_MOVED] + paid - cost
        )
        basis, inside, _ = take_from_lot(book, lot, units, operation)
        if ops.extras[extra, EXTRA_DELIVERY_TO] == ops.extras[extra, EXTRA_DELIVERY_FROM]:
            value = cash - strike if call else strike - cash
            if holder:
                write_match(book, operation, lot, units, value - cost, basis, 0, HOW_CASH_SETTLED, side)
            else:
                write_match(book, operation, lot, units, -basis, value + cost, 0, HOW_CASH_SETTLED, side)
            continue
        moved = basis if basis > 0 else -basis
        write_match(book, operation, lot, units, moved, moved, -basis, ops.extras[extra, EXTRA_HOW], side)
        value = guard(book, (strike - cash + basis) if buys else (strike - cash - basis))
        deliver(ops, operation, book, units, value, cost, inside, basis)
    return ACCEPTED


def run_subscribe(ops: Operations, operation: int, book: Book) -> int:
    """Run a SUBSCRIBE: rights and their basis turn into stock, for the subscription price."""
    slot, count, action = ops.main[operation, OP_SLOT], ops.main[operation, OP_QUANTITY], ops.main[operation, OP_ACTION]
    if book.slots[slot, SLOT_POSITION] < count:
        return CONTRACTS_EXCEED_OPEN
    first, last = names_of(ops, operation)
    refusal = check_names(ops, book, slot, first, last, count)
    if refusal != ACCEPTED:
        return refusal
    shares, charges = ops.actions[action, ACTION_SHARES], ops.main[operation, OP_CHARGES]
    price = scaled(book, ops.actions[action, ACTION_PER_UNIT], shares, UNIT)
    book.results[operation, RESULT_CASH_MOVED] = guard(book, -price - charges)
    left, done = count, 0
    while done < count and book.control[STATE] == RUNNING:
        lot, most = choose(ops, book, slot, first, last, done)
        units = most if most < count - done else count - done
        got = share_units(book, shares, units, left)
        paid = share(book, price, units, left)
        cost = share(book, charges, units, left)
        shares, price, charges = shares - got, price - paid, charges - cost
        left, done = left - units, done + units
        basis, inside, premium = take_from_lot(book, lot, units, operation)
        write_match(book, operation, lot, units, basis, basis, -premium, HOW_EXERCISED, 1)
        target = ops.actions[action, ACTION_SLOT]
        fill(ops, operation, book, target, got, paid + basis, cost, inside, premium, HOW_TRADE)
    return ACCEPTED
