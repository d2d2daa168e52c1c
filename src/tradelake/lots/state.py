"""What the kernel reads and writes: a program of operations, a book of slots and lots, and their codes.

Everything is an array of integers: Python's own, without a limit, for the plain kernel, 64 bits for the compiled one.
"""

from typing import NamedTuple

import numpy as np

(TRADE, EXERCISE, CLOSE, SUBSCRIBE, CASH, SCALE, DIVIDEND, RETURN, SPIN, MERGER, MOVE, METHOD) = range(12)
AUTO, OPENING, CLOSING = 0, 1, 2
TRANSFER, FORK, MERGE = 0, 1, 2
FIFO, LIFO, HIFO, AVERAGE, SPECIFIC = 0, 1, 2, 3, 4
(
    HOW_TRADE,
    HOW_EXPIRED,
    HOW_EXERCISED,
    HOW_ASSIGNED,
    HOW_CASH_SETTLED,
    HOW_CASH_IN_LIEU,
    HOW_RETURN_OF_CAPITAL,
    HOW_MERGER,
    HOW_BOOT,
) = range(9)
OPEN, NOT_OPEN, CLOSED = 0, 1, 2

ACCEPTED = 0
CLOSE_EXCEEDS_OPEN = 1
EFFECT_CONFLICT = 2
EXERCISE_EXCEEDS_LONG = 3
ASSIGNMENT_EXCEEDS_SHORT = 4
NOTHING_TO_EXPIRE = 5
CONTRACTS_EXCEED_OPEN = 6
SPECIFIC_LOTS_MISMATCH = 7
SPECIFIC_LOT_UNAVAILABLE = 8
TRANSFER_EXCEEDS_POSITION = 9
TRANSFER_AGAINST_POSITION = 10
ACCOUNT_NOT_OPEN = 11
ACCOUNT_CLOSED = 12
OPPOSITE_POSITION = 13
ROUNDS_TO_NOTHING = 14

(LOT_COUNT, MATCH_COUNT, EPISODE_COUNT, STATE, LIMIT, QUANTUM, NEXT_RANK) = range(7)
RUNNING, OVERFLOW, FULL = 0, 1, 2
UNIT = 10**8
FRACTION_UNIT = 10**12
NONE = -1
# The opening of a pooled lot, and of a lot that came out of a pool: no event opened it.
POOL = -(2**59)

# Columns of the arrays below: each array is two-dimensional, a row per entry and a column per field, so that all of
# an entry lies together in memory.
(
    OP_CODE,
    OP_SLOT,
    OP_QUANTITY,
    OP_GROSS,
    OP_CHARGES,
    OP_EFFECT,
    OP_EXTRA,
    OP_ACTION,
    OP_OPENING,
    OP_ACCOUNT,
    OP_TO,
) = range(11)
(
    EXTRA_HOW,
    EXTRA_NAMED_FROM,
    EXTRA_NAMED_TO,
    EXTRA_STRIKE,
    EXTRA_CASH,
    EXTRA_MULTIPLIER,
    EXTRA_BUYS,
    EXTRA_DELIVERY_FROM,
    EXTRA_DELIVERY_TO,
) = range(9)
(NAMED_OPEN, NAMED_QUANTITY) = range(2)
(DELIVERY_SLOT, DELIVERY_QUANTITY, DELIVERY_WEIGHT) = range(3)
(
    ACTION_SLOT,
    ACTION_RATIO_NEW,
    ACTION_RATIO_OLD,
    ACTION_FRACTION,
    ACTION_TAXABLE,
    ACTION_HAS_LIEU,
    ACTION_LIEU_PRICE,
    ACTION_PER_UNIT,
    ACTION_NEW_PRICE,
    ACTION_SHARES,
    ACTION_MOVE_FROM,
    ACTION_MOVE_TO,
) = range(12)
(MOVE_SLOT, MOVE_TO_SLOT, MOVE_QUANTITY, MOVE_FRACTION, MOVE_NAMED_FROM, MOVE_NAMED_TO) = range(6)
(SLOT_METHOD, SLOT_POSITION, SLOT_HEAD, SLOT_TAIL, SLOT_EPISODE) = range(5)
(
    LOT_SLOT,
    LOT_OPEN,
    LOT_OPERATION,
    LOT_RANK,
    LOT_QUANTITY,
    LOT_BASIS,
    LOT_CHARGES,
    LOT_PREMIUM,
    LOT_NEXT,
    LOT_PREVIOUS,
    LOT_EPISODE,
    LOT_LEFT_BASIS,
    LOT_LEFT_CHARGES,
    LOT_LEFT_PREMIUM,
) = range(14)
(
    MATCH_SLOT,
    MATCH_OPEN,
    MATCH_ORIGIN,
    MATCH_OPERATION,
    MATCH_EPISODE,
    MATCH_QUANTITY,
    MATCH_PROCEEDS,
    MATCH_COST,
    MATCH_PREMIUM,
    MATCH_HOW,
    MATCH_SIDE,
    MATCH_LEFT_BASIS,
    MATCH_LEFT_CHARGES,
    MATCH_LEFT_PREMIUM,
) = range(14)
(EPISODE_SLOT, EPISODE_OPEN, EPISODE_CLOSE, EPISODE_SIDE) = range(4)
(RESULT_REFUSAL, RESULT_CASH_MOVED) = range(2)
ACCOUNT_STANDING = 0

# How many columns the arrays of a program and of a book have, in their order.
OPERATION_FIELDS = (OP_TO + 1, EXTRA_DELIVERY_TO + 1, NAMED_QUANTITY + 1, DELIVERY_WEIGHT + 1, ACTION_MOVE_TO + 1, 6)
BOOK_FIELDS = (
    SLOT_EPISODE + 1,
    LOT_LEFT_PREMIUM + 1,
    MATCH_LEFT_PREMIUM + 1,
    EPISODE_SIDE + 1,
    RESULT_CASH_MOVED + 1,
    1,
)
CONTROL_SIZE = NEXT_RANK + 1


class Operations(NamedTuple):
    """The program: one row of `main` per operation, and side tables for what only some of them have.

    OP_GROSS and OP_CHARGES are money; for CLOSE the gross is the price of a settlement. OP_EXTRA points into `extras`
    and OP_ACTION into `actions`, NONE for most trades; named lots, deliverables and moves are ranges of their own
    tables. OP_OPENING is the code under which others name the lots that the operation opens. OP_ACCOUNT is the account
    that must be open, NONE for a corporate action; OP_TO the account that something moves to.
    """

    main: "np.ndarray"
    extras: "np.ndarray"
    named: "np.ndarray"
    deliveries: "np.ndarray"
    actions: "np.ndarray"
    moves: "np.ndarray"


class Book(NamedTuple):
    """The state, and what the pass writes: slots, lots, matches, episodes, two results per operation, accounts."""

    slots: "np.ndarray"
    lots: "np.ndarray"
    matches: "np.ndarray"
    episodes: "np.ndarray"
    results: "np.ndarray"
    accounts: "np.ndarray"
    control: "np.ndarray"
