"""What the kernel reads and writes: a program of operations, a book of slots and lots, and their codes.

Everything is an array of integers: Python's own, without a limit, for the plain kernel, 64 bits for the compiled one.
"""

from typing import NamedTuple

import numpy as np

TRADE, EXERCISE, CLOSE = 0, 1, 2
AUTO, OPENING, CLOSING = 0, 1, 2
FIFO, LIFO, HIFO, AVERAGE, SPECIFIC = 0, 1, 2, 3, 4
HOW_TRADE, HOW_EXPIRED, HOW_EXERCISED, HOW_ASSIGNED, HOW_CASH_SETTLED = 0, 1, 2, 3, 4

ACCEPTED = 0
CLOSE_EXCEEDS_OPEN = 1
EFFECT_CONFLICT = 2
EXERCISE_EXCEEDS_LONG = 3
ASSIGNMENT_EXCEEDS_SHORT = 4
NOTHING_TO_EXPIRE = 5
CONTRACTS_EXCEED_OPEN = 6
SPECIFIC_LOTS_MISMATCH = 7
SPECIFIC_LOT_UNAVAILABLE = 8

LOT_COUNT, MATCH_COUNT, EPISODE_COUNT, STATE, LIMIT, QUANTUM = 0, 1, 2, 3, 4, 5
RUNNING, OVERFLOW, FULL = 0, 1, 2
UNIT = 10**8
NONE = -1

# Rows of the arrays below: each array is two-dimensional, a row per field and a column per entry.
(OP_CODE, OP_SLOT, OP_QUANTITY, OP_GROSS, OP_CHARGES, OP_EFFECT, OP_EXTRA, OP_OPENING) = range(8)
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
(SLOT_METHOD, SLOT_POSITION, SLOT_HEAD, SLOT_TAIL, SLOT_EPISODE) = range(5)
(
    LOT_SLOT,
    LOT_OPEN,
    LOT_OPERATION,
    LOT_RANK,
    LOT_QUANTITY,
    LOT_BASIS,
    LOT_CHARGES,
    LOT_NEXT,
    LOT_PREVIOUS,
    LOT_EPISODE,
) = range(10)
(
    MATCH_SLOT,
    MATCH_LOT,
    MATCH_OPERATION,
    MATCH_EPISODE,
    MATCH_QUANTITY,
    MATCH_PROCEEDS,
    MATCH_COST,
    MATCH_HOW,
    MATCH_SIDE,
) = range(9)
(EPISODE_SLOT, EPISODE_OPEN, EPISODE_CLOSE) = range(3)
(RESULT_REFUSAL, RESULT_CASH_MOVED) = range(2)

# How many rows the arrays of a program and of a book have, in their order.
OPERATION_ROWS = (OP_OPENING + 1, EXTRA_DELIVERY_TO + 1, NAMED_QUANTITY + 1, DELIVERY_WEIGHT + 1)
BOOK_ROWS = (SLOT_EPISODE + 1, LOT_EPISODE + 1, MATCH_SIDE + 1, EPISODE_CLOSE + 1, RESULT_CASH_MOVED + 1)
CONTROL_SIZE = QUANTUM + 1


class Operations(NamedTuple):
    """The program: one column of `main` per operation, and side tables for what only some of them have.

    OP_GROSS and OP_CHARGES are money; for CLOSE the gross is the price of a settlement. OP_EXTRA points into `extras`,
    NONE for most trades; named lots and deliverables are ranges of their own tables. OP_OPENING is the code under which
    others name the lots that the operation opens.
    """

    main: "np.ndarray"
    extras: "np.ndarray"
    named: "np.ndarray"
    deliveries: "np.ndarray"


class Book(NamedTuple):
    """The state, and what the pass writes: slots, lots, matches, episodes, and two results per operation."""

    slots: "np.ndarray"
    lots: "np.ndarray"
    matches: "np.ndarray"
    episodes: "np.ndarray"
    results: "np.ndarray"
    control: "np.ndarray"
