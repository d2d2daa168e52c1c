"""One difference between the two sides, and what makes it the same one on another night."""

import dataclasses
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake.units import MONEY

DIFFERENCES = pl.Schema(
    {
        "section": pl.String(),
        "break_class": pl.String(),
        "field": pl.String(),
        "instrument_id": pl.String(),
        "currency": pl.String(),
        "broker_execution_id": pl.String(),
        "day": pl.Date(),
        "ours": MONEY,
        "theirs": MONEY,
        "cause": pl.String(),
    }
)


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, with the amounts of both sides; a side that has nothing is None.

    `field` says what of it differs: presence, effect, quantity, price, fee ...; `name` tells it from others of its
    section and field: an execution id or what stands for it, an instrument, a currency with the last day. `ours_ref`
    and `theirs_ref` name the rows of the two sides, `both` has them in full.
    """

    section: str
    break_class: str
    field: str
    name: str
    instrument_id: str | None = None
    currency: str | None = None
    broker_execution_id: str | None = None
    day: date | None = None
    ours: Decimal | None = None
    theirs: Decimal | None = None
    cause: str | None = None
    ours_ref: str | None = None
    theirs_ref: str | None = None
    both: dict[str, Any] = dataclasses.field(default_factory=dict, compare=False, hash=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes it the same difference again, whatever its amounts are."""
        return self.section, self.field, self.name


def frame_of(differences: list[Difference]) -> pl.DataFrame:
    """Return differences as a frame of `DIFFERENCES`, one row each."""
    rows = [tuple(getattr(each, name) for name in DIFFERENCES.names()) for each in differences]
    return pl.DataFrame(rows, schema=DIFFERENCES, orient="row")
