"""The matching kernel: one pass over the events in effective order, integers only.

The problem. A closing event consumes open lots, by a method; what it consumes decides basis, and basis can
decide what the next event consumes (highest cost first), or become the cost of another instrument (an
assigned put turns into stock, a spin-off takes part of its parent). So quantity and money are followed in one pass,
and the remaining-balance rule makes every division exact: whoever takes part *w* of weight *W* gets
`round(M * w / W)` of what is left, and the last one gets the rest. Nothing is ever lost or made.

The shape. Positions are slots, one per (account, instrument). A slot is a doubly linked list of its open lots
in order of their rank, and the running signed quantity. A lot has the rank of its opening, and keeps it through splits,
spin-offs and transfers, so that it stands where its opening stood. Operations are compiled from events elsewhere
(`program.py`): an event of one account is one operation, a corporate action one for every slot that may hold its
instrument. This file knows neither dates nor names. It writes matches, lots, episodes (from flat to flat), the
cash that each operation moved, and a refusal code for one that the state does not allow.

What an option that turns into stock had cost or brought moves into the stock's basis, and is followed there as its
premium: with it the economic view of a match is a sum, and needs no second pass.

The language. Every function here and in the modules that this one is made of (`amounts`, `ledger`, `choice`, `trades`,
`actions`, `mergers`, `moves`) is plain Python over sequences of integers and at the same time valid input for the
compiler: `compiled.py` loads second copies of them and compiles these, with `multiply_divide` and `compare_products`
replaced by 128-bit ones (`wide.py`). Small runs use the plain copy, whose integers have no limit; the compiled copy
stops with OVERFLOW where a number leaves 62 bits, and the caller repeats the run here.

Limits. Long and short lots of one slot never coexist: what would bring them together is refused. Lots of a slot are
scanned for the highest cost.
"""

from tradelake.lots.actions import run_dividend, run_return, run_scale, run_spin
from tradelake.lots.mergers import run_merger
from tradelake.lots.moves import run_method, run_move
from tradelake.lots.state import (
    ACCEPTED,
    ACCOUNT_CLOSED,
    ACCOUNT_NOT_OPEN,
    ACCOUNT_STANDING,
    CASH,
    CLOSE,
    CLOSED,
    DIVIDEND,
    EXERCISE,
    FORK,
    METHOD,
    MOVE,
    NONE,
    NOT_OPEN,
    OP_ACCOUNT,
    OP_CODE,
    OP_EFFECT,
    OP_TO,
    RESULT_REFUSAL,
    RETURN,
    RUNNING,
    SCALE,
    SPIN,
    STATE,
    SUBSCRIBE,
    TRADE,
    Book,
    Operations,
)
from tradelake.lots.trades import run_close, run_exercise, run_subscribe, run_trade


def check_standing(book: Book, account: int) -> int:
    """Return ACCEPTED where an account is open, else why it takes no events."""
    if account == NONE:
        return ACCEPTED
    standing = book.accounts[account, ACCOUNT_STANDING]
    if standing == CLOSED:
        return ACCOUNT_CLOSED
    return ACCOUNT_NOT_OPEN if standing == NOT_OPEN else ACCEPTED


def run_action(ops: Operations, operation: int, book: Book, code: int) -> int:
    """Run a corporate action on one slot; return ACCEPTED or why it has no effect there."""
    if code == SCALE:
        refusal = run_scale(ops, operation, book)
    elif code == DIVIDEND:
        refusal = run_dividend(ops, operation, book)
    elif code == RETURN:
        refusal = run_return(ops, operation, book)
    elif code == SPIN:
        refusal = run_spin(ops, operation, book)
    else:
        refusal = run_merger(ops, operation, book)
    return refusal


def run_one(ops: Operations, operation: int, book: Book) -> int:
    """Run one operation; return ACCEPTED or why it has no effect."""
    code = ops.main[operation, OP_CODE]
    refusal = check_standing(book, ops.main[operation, OP_ACCOUNT])
    if refusal == ACCEPTED and code == MOVE and ops.main[operation, OP_EFFECT] != FORK:
        refusal = check_standing(book, ops.main[operation, OP_TO])
    if refusal != ACCEPTED or code == CASH:
        return refusal
    if code == TRADE:
        refusal = run_trade(ops, operation, book)
    elif code == EXERCISE:
        refusal = run_exercise(ops, operation, book)
    elif code == CLOSE:
        refusal = run_close(ops, operation, book)
    elif code == SUBSCRIBE:
        refusal = run_subscribe(ops, operation, book)
    elif code == MOVE:
        refusal = run_move(ops, operation, book)
    elif code == METHOD:
        refusal = run_method(ops, operation, book)
    else:
        refusal = run_action(ops, operation, book, code)
    return refusal


def run(ops: Operations, book: Book) -> int:
    """Run the whole program on the book; return RUNNING when it went through, else OVERFLOW or FULL."""
    for operation in range(ops.main.shape[0]):
        book.results[operation, RESULT_REFUSAL] = run_one(ops, operation, book)
        if book.control[STATE] != RUNNING:
            return book.control[STATE]
    return RUNNING
