"""The matching kernel: one pass over the events in effective order, integers only.

The problem. A closing event consumes open lots, by a method; what it consumes decides basis, and basis can
decide what the next event consumes (highest cost first), or become the cost of another instrument (an
assigned put turns into stock). So quantity and money are followed in one pass, and the remaining-balance rule
makes every division exact: whoever takes part *w* of weight *W* gets `round(M * w / W)` of what is left, and
the last one gets the rest. Nothing is ever lost or made.

The shape. Positions are slots, one per (account, instrument). A slot is a doubly linked list of its open lots
in order of their opening, and the running signed quantity. Operations are compiled from events elsewhere
(`program.py`); this file knows neither dates nor names. It writes matches, lots, episodes (from flat to
flat), the cash that each operation moved, and a refusal code for one that its position does not allow.

The language. Every function here is plain Python over sequences of integers and at the same time valid input
for the compiler: `compiled.py` loads a second copy of this module and compiles it, with `multiply_divide`
and `compare_products` replaced by 128-bit ones (`wide.py`). Small runs use the plain copy, whose integers have
no limit; the compiled copy stops with OVERFLOW where a number leaves 62 bits, and the caller repeats the run here.

Limits. Long and short lots of one slot never coexist. Lots of a slot are scanned for the highest cost.
"""

from tradelake.lots.choice import check_names, choose, names_lots
from tradelake.lots.ledger import (
    contract_amount,
    guard,
    multiply_divide,
    open_lot,
    scaled,
    share,
    take_from_lot,
    write_match,
)
from tradelake.lots.state import (
    ACCEPTED,
    ASSIGNMENT_EXCEEDS_SHORT,
    CLOSE_EXCEEDS_OPEN,
    CLOSING,
    CONTRACTS_EXCEED_OPEN,
    DELIVERY_QUANTITY,
    DELIVERY_SLOT,
    DELIVERY_WEIGHT,
    EFFECT_CONFLICT,
    EXERCISE,
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
    OP_CHARGES,
    OP_CODE,
    OP_EFFECT,
    OP_EXTRA,
    OP_GROSS,
    OP_OPENING,
    OP_QUANTITY,
    OP_SLOT,
    OPENING,
    OVERFLOW,
    RESULT_CASH_MOVED,
    RESULT_REFUSAL,
    RUNNING,
    SLOT_POSITION,
    STATE,
    TRADE,
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
    how: int,
) -> None:
    """Buy (+) or sell (-) units for *gross*: close opposite lots first, open the rest. Moves no cash.

    *embedded* are charges that are inside *gross* already: those of an option that turned into stock.
    """
    held = book.slots[SLOT_POSITION, slot]
    left = quantity if quantity > 0 else -quantity
    closing = 0
    if (held > 0 and quantity < 0) or (held < 0 and quantity > 0):
        size = held if held > 0 else -held
        closing = size if size < left else left
    done = 0
    while done < closing and book.control[STATE] == RUNNING:
        lot, most = choose(ops, operation, book, slot, done)
        units = most if most < closing - done else closing - done
        part = share(book, gross, units, left)
        cost = share(book, charges, units, left)
        inside = share(book, embedded, units, left)
        gross, charges, embedded, left = gross - part, charges - cost, embedded - inside, left - units
        basis, _ = take_from_lot(book, lot, units, operation)
        if held > 0:
            write_match(book, operation, lot, units, part - cost, basis, how, 1)
        else:
            write_match(book, operation, lot, units, -basis, part + cost, how, -1)
        done += units
    if left > 0 and book.control[STATE] == RUNNING:
        sign = 1 if quantity > 0 else -1
        opening = ops.main[OP_OPENING, operation]
        open_lot(book, operation, opening, slot, sign * left, sign * gross + charges, charges + embedded)


def run_trade(ops: Operations, operation: int, book: Book) -> int:
    """Run a TRADE; return ACCEPTED or why it is refused."""
    slot, quantity, effect = (
        ops.main[OP_SLOT, operation],
        ops.main[OP_QUANTITY, operation],
        ops.main[OP_EFFECT, operation],
    )
    held = book.slots[SLOT_POSITION, slot]
    size, held_size = (quantity if quantity > 0 else -quantity), (held if held > 0 else -held)
    opposite = (held > 0 and quantity < 0) or (held < 0 and quantity > 0)
    if effect == CLOSING and (not opposite or size > held_size):
        return CLOSE_EXCEEDS_OPEN
    if effect == OPENING and opposite:
        return EFFECT_CONFLICT
    if names_lots(ops, operation, book):
        closing = 0
        if opposite:
            closing = size if size < held_size else held_size
        refusal = check_names(ops, operation, book, closing)
        if refusal != ACCEPTED:
            return refusal
    gross, charges = ops.main[OP_GROSS, operation], ops.main[OP_CHARGES, operation]
    book.results[RESULT_CASH_MOVED, operation] = guard(book, (-gross if quantity > 0 else gross) - charges)
    fill(ops, operation, book, slot, quantity, gross, charges, 0, HOW_TRADE)
    return ACCEPTED


def run_close(ops: Operations, operation: int, book: Book) -> int:
    """Run a CLOSE: an expiry, or a settlement in cash at a price."""
    slot, count = ops.main[OP_SLOT, operation], ops.main[OP_QUANTITY, operation]
    held = book.slots[SLOT_POSITION, slot]
    if held == 0:
        return NOTHING_TO_EXPIRE
    size = held if held > 0 else -held
    if count == 0:
        count = size
    if count > size:
        return CONTRACTS_EXCEED_OPEN
    refusal = check_names(ops, operation, book, count)
    if refusal != ACCEPTED:
        return refusal
    multiplier = ops.extras[EXTRA_MULTIPLIER, ops.main[OP_EXTRA, operation]]
    gross = contract_amount(book, ops.main[OP_GROSS, operation], count, multiplier)
    charges = ops.main[OP_CHARGES, operation]
    book.results[RESULT_CASH_MOVED, operation] = guard(book, (gross if held > 0 else -gross) - charges)
    quantity = -count if held > 0 else count
    fill(ops, operation, book, slot, quantity, gross, charges, 0, ops.extras[EXTRA_HOW, ops.main[OP_EXTRA, operation]])
    return ACCEPTED


def deliver(ops: Operations, operation: int, book: Book, units: int, value: int, charges: int, embedded: int) -> None:
    """Trade the stocks that *units* of an exercised contract deliver, for *value* in all."""
    extra = ops.main[OP_EXTRA, operation]
    weight = 0
    for row in range(ops.extras[EXTRA_DELIVERY_FROM, extra], ops.extras[EXTRA_DELIVERY_TO, extra]):
        weight += ops.deliveries[DELIVERY_WEIGHT, row]
    for row in range(ops.extras[EXTRA_DELIVERY_FROM, extra], ops.extras[EXTRA_DELIVERY_TO, extra]):
        part = ops.deliveries[DELIVERY_WEIGHT, row]
        amount = share(book, value, part, weight)
        cost = share(book, charges, part, weight)
        inside = share(book, embedded, part, weight)
        value, charges, embedded, weight = value - amount, charges - cost, embedded - inside, weight - part
        shares, rest = multiply_divide(ops.deliveries[DELIVERY_QUANTITY, row], units, UNIT)
        if shares < 0 or rest != 0:
            book.control[STATE] = OVERFLOW
            return
        quantity = shares if ops.extras[EXTRA_BUYS, extra] == 1 else -shares
        fill(ops, operation, book, ops.deliveries[DELIVERY_SLOT, row], quantity, amount, cost, inside, HOW_TRADE)


def run_exercise(ops: Operations, operation: int, book: Book) -> int:
    """Run an EXERCISE or assignment: each lot of the option becomes a trade of what it delivers.

    The option's basis moves into the stock: nothing is realized here, and cash moves by strike and charges only.
    """
    slot, count, extra = ops.main[OP_SLOT, operation], ops.main[OP_QUANTITY, operation], ops.main[OP_EXTRA, operation]
    holder = ops.extras[EXTRA_HOW, extra] == HOW_EXERCISED
    held = book.slots[SLOT_POSITION, slot]
    if (held if holder else -held) < count:
        return EXERCISE_EXCEEDS_LONG if holder else ASSIGNMENT_EXCEEDS_SHORT
    refusal = check_names(ops, operation, book, count)
    if refusal != ACCEPTED:
        return refusal
    buys = ops.extras[EXTRA_BUYS, extra] == 1
    call = buys == holder
    left, charges, done = count, ops.main[OP_CHARGES, operation], 0
    while done < count and book.control[STATE] == RUNNING:
        lot, most = choose(ops, operation, book, slot, done)
        units = most if most < count - done else count - done
        cost = share(book, charges, units, left)
        charges, left, done = charges - cost, left - units, done + units
        strike = contract_amount(book, ops.extras[EXTRA_STRIKE, extra], units, ops.extras[EXTRA_MULTIPLIER, extra])
        cash = scaled(book, ops.extras[EXTRA_CASH, extra], units, UNIT)
        paid = cash - strike if buys else strike - cash
        book.results[RESULT_CASH_MOVED, operation] = guard(
            book, book.results[RESULT_CASH_MOVED, operation] + paid - cost
        )
        basis, inside = take_from_lot(book, lot, units, operation)
        side = 1 if holder else -1
        if ops.extras[EXTRA_DELIVERY_TO, extra] == ops.extras[EXTRA_DELIVERY_FROM, extra]:
            value = cash - strike if call else strike - cash
            if holder:
                write_match(book, operation, lot, units, value - cost, basis, HOW_CASH_SETTLED, side)
            else:
                write_match(book, operation, lot, units, -basis, value + cost, HOW_CASH_SETTLED, side)
            continue
        moved = basis if basis > 0 else -basis
        write_match(book, operation, lot, units, moved, moved, ops.extras[EXTRA_HOW, extra], side)
        value = guard(book, (strike - cash + basis) if buys else (strike - cash - basis))
        deliver(ops, operation, book, units, value, cost, inside)
    return ACCEPTED


def run(ops: Operations, book: Book) -> int:
    """Run the whole program on the book; return RUNNING when it went through, else OVERFLOW or FULL."""
    for operation in range(ops.main.shape[1]):
        code = ops.main[OP_CODE, operation]
        if code == TRADE:
            refusal = run_trade(ops, operation, book)
        elif code == EXERCISE:
            refusal = run_exercise(ops, operation, book)
        else:
            refusal = run_close(ops, operation, book)
        book.results[RESULT_REFUSAL, operation] = refusal
        if book.control[STATE] != RUNNING:
            return book.control[STATE]
    return RUNNING
