"""One measured figure."""

from typing import NamedTuple


class Figure(NamedTuple):
    """What was measured, in which unit, and the floor or peer that it is compared with."""

    what: str
    ours: float
    unit: str
    against: float | None = None
    against_what: str = ""
