"""One run of the kernel: allocate the book, load what is carried, run plain or compiled, and give the book back.

Small programs run as plain Python at the full scale of money. Large ones run compiled on 64-bit integers at the
smallest scale that holds every amount exactly; where a number does not fit, the run is repeated plainly.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tradelake.errors import InvariantError
from tradelake.lots import kernel, ledger, state
from tradelake.lots.compiled import compiled_run
from tradelake.lots.methods import CODES
from tradelake.lots.program import Program
from tradelake.units import INT64_SAFE, MONEY_SCALE, QUANTUM_SCALE, column_units, int64_array, largest

COMPILE_FROM = 50_000
UNLIMITED = 10**60
MONEY_ROWS = {
    "main": (state.OP_GROSS, state.OP_CHARGES),
    "extras": (state.EXTRA_STRIKE, state.EXTRA_CASH),
    "actions": (state.ACTION_LIEU_PRICE, state.ACTION_PER_UNIT, state.ACTION_NEW_PRICE),
}
TABLES = ("main", "extras", "named", "deliveries", "actions", "moves")
STANDINGS = {"OPEN": state.OPEN, "NOT_OPEN": state.NOT_OPEN, "CLOSED": state.CLOSED}


@dataclass(frozen=True, slots=True)
class Carried:
    """Where an earlier run ended.

    Open lots and positions, in slot order; `opening` is the kernel's code of the event of every lot. `methods` are the
    lot methods of the accounts, `standing` names those that are not open yet or closed.
    """

    lots: pl.DataFrame
    positions: pl.DataFrame
    opening: Sequence[int]
    methods: Mapping[str, str]
    standing: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Run:
    """A finished book, and the scale of its money."""

    book: state.Book
    scale: int


def run_program(program: Program, carried: Carried, *, compile_from: int = COMPILE_FROM) -> Run:
    """Run the program on top of what is carried."""
    count = len(program.main[state.OP_CODE])
    scale = _scale(program, carried) if count >= compile_from else None
    capacity = 2 * (count + carried.lots.height) + 64
    while True:
        run = _attempt(program, carried, capacity, scale)
        outcome = run.book.control[state.STATE]
        if outcome == state.RUNNING:
            return run
        if outcome == state.FULL:
            capacity *= 2
        elif scale is None:
            raise InvariantError("the plain kernel met a number that is not exact")
        else:
            scale = None


def _scale(program: Program, carried: Carried) -> int | None:
    """Return the smallest scale at which all money is exact in 62 bits, or None."""
    if _largest(_integers(row) for row in _rows(program, money=False)) >= INT64_SAFE:
        return None
    amounts = [_integers(row) for row in _rows(program, money=True)]
    amounts += [_integers(column_units(carried.lots[column])) for column in ("cost_basis", "charges", "premium")]
    for scale in (QUANTUM_SCALE, 10, MONEY_SCALE):
        step = 10 ** (MONEY_SCALE - scale)
        if not any((row % step).any() for row in amounts):
            return scale if _largest(amounts) // step < INT64_SAFE else None
    return None


def _integers(row: "Sequence[int] | np.ndarray") -> "np.ndarray":
    """Return integers as an array of 64 bits, or of Python's own where one does not fit."""
    narrow = int64_array(row)
    return np.array(row, dtype=object) if narrow is None else narrow


def _largest(rows: "Iterable[np.ndarray]") -> int:
    return max(map(largest, rows), default=0)


def _rows(program: Program, *, money: bool) -> "list[list[int] | np.ndarray]":
    return [
        row
        for table in TABLES
        for number, row in enumerate(getattr(program, table))
        if (number in MONEY_ROWS.get(table, ())) == money
    ]


def _attempt(program: Program, carried: Carried, capacity: int, scale: int | None) -> Run:
    """Run once; `scale` None means plain."""
    money_scale = MONEY_SCALE if scale is None else scale
    step = 10 ** (MONEY_SCALE - money_scale)
    kind = object if scale is None else np.int64
    book = _allocate(program, carried, capacity, kind)
    book.control[state.QUANTUM] = 10 ** (money_scale - QUANTUM_SCALE)
    book.control[state.LIMIT] = UNLIMITED if scale is None else INT64_SAFE
    _load(book, program.slots, carried, step)
    operations = state.Operations(
        *(_array(getattr(program, table), kind, step, MONEY_ROWS.get(table, ())) for table in TABLES)
    )
    if scale is None:
        kernel.run(operations, book)
    else:
        compiled_run()(operations, book)
    return Run(book, money_scale)


def _array(rows: "Sequence[list[int] | np.ndarray]", kind: type, step: int, money: Sequence[int]) -> "np.ndarray":
    array: np.ndarray = np.empty((len(rows[0]), len(rows)), dtype=kind)
    for number, row in enumerate(rows):
        array[:, number] = _integers(row) // step if number in money and step != 1 else row
    return array


def _allocate(program: Program, carried: Carried, capacity: int, kind: type) -> state.Book:
    count, slots = len(program.main[state.OP_CODE]), program.slots
    heights = (slots.height, capacity, capacity, capacity, count, len(program.accounts))
    # Zeros cost nothing until they are written; those of Python's own integers are 0 as well.
    arrays: list[np.ndarray] = [np.zeros(shape, dtype=kind) for shape in zip(heights, state.BOOK_FIELDS, strict=True)]
    control: np.ndarray = np.zeros(state.CONTROL_SIZE, dtype=kind)
    book = state.Book._make([*arrays, control])
    book.slots[:, state.SLOT_METHOD] = [CODES[carried.methods[account]] for account in slots["account_id"]]
    for row in (state.SLOT_HEAD, state.SLOT_TAIL, state.SLOT_EPISODE):
        book.slots[:, row] = state.NONE
    for number, account in enumerate(program.accounts):
        book.accounts[number, state.ACCOUNT_STANDING] = STANDINGS[carried.standing.get(account, "OPEN")]
    return book


def _load(book: state.Book, slots: pl.DataFrame, carried: Carried, step: int) -> None:
    """Put the carried positions and lots, which are in slot and opening order, into an empty book."""
    if not carried.lots.height:
        return
    known = {(account, instrument): slot for slot, account, instrument in slots.iter_rows()}
    episodes = {}
    positions = carried.positions.select("position_id", "account_id", "instrument_id", pl.col("quantity") > 0)
    for number, (position, account, instrument, is_long) in enumerate(positions.iter_rows()):
        slot = known[account, instrument]
        episodes[position] = number
        book.slots[slot, state.SLOT_EPISODE] = number
        book.episodes[number] = (slot, state.NONE, state.NONE, 1 if is_long else -1)
    book.control[state.EPISODE_COUNT] = positions.height
    lots = carried.lots
    quantities, bases, charges, premiums = (
        column_units(lots[c]) for c in ("quantity", "cost_basis", "charges", "premium")
    )
    # Ranks order lots of all slots: pieces of one lot in several accounts have one rank.
    opening = lots.select(pl.struct("opened_at", "open_phase", "open_sequence", "lot_rank").rank("dense").alias("rank"))
    ranks = opening["rank"].to_list()
    keys = lots.select("position_id", "account_id", "instrument_id")
    for lot, (position, account, instrument) in enumerate(keys.iter_rows()):
        slot = known[account, instrument]
        book.lots[lot, state.LOT_SLOT] = slot
        book.lots[lot, state.LOT_OPEN] = carried.opening[lot]
        book.lots[lot, state.LOT_OPERATION] = -(lot + 1)
        book.lots[lot, state.LOT_RANK] = ranks[lot]
        book.lots[lot, state.LOT_QUANTITY] = quantities[lot]
        book.lots[lot, state.LOT_BASIS] = bases[lot] // step
        book.lots[lot, state.LOT_CHARGES] = charges[lot] // step
        book.lots[lot, state.LOT_PREMIUM] = premiums[lot] // step
        book.lots[lot, state.LOT_EPISODE] = episodes[position]
        book.slots[slot, state.SLOT_POSITION] += quantities[lot]
        ledger.link(book, lot)
    book.control[state.LOT_COUNT] = lots.height
    book.control[state.NEXT_RANK] = lots.height + 1
