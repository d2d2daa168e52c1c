"""Which lot goes first: the methods by name, as the kernel's codes.

A method is only an order of the open lots: FIFO oldest first, LIFO newest first, HIFO highest cost per unit
first (charges included, ties oldest), AVERAGE one pool, SPECIFIC the lots that the event names and FIFO where it
names none. Lots named by an event override every method but AVERAGE.
"""

from tradelake.lots import state

CODES = {
    "FIFO": state.FIFO,
    "LIFO": state.LIFO,
    "HIFO": state.HIFO,
    "AVERAGE": state.AVERAGE,
    "SPECIFIC": state.SPECIFIC,
}
POOL_ID = "*"
