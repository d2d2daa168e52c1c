"""What options deliver when they are exercised or assigned: the same for all that hold a contract."""

import json
from functools import lru_cache

import polars as pl

from tradelake.units import MONEY_SCALE, QUANTITY_SCALE, to_units

FRACTION_SCALE = 12
WHOLE = 10**FRACTION_SCALE
DELIVERING = ("exercise", "assign")
Parts = tuple[tuple[tuple[str, int, int], ...], int]


class Deliveries:
    """What one contract delivers, by its instrument and its multiplier in units of 1e-8."""

    def __init__(self, events: pl.DataFrame, instruments: pl.DataFrame) -> None:
        delivering = events.filter(pl.col("kind").is_in(DELIVERING))
        self._from = delivering.select("account_id", "instrument_id").unique()
        named = pl.col("instrument_id").is_in(self._from["instrument_id"].unique().implode())
        terms = instruments.filter(named)
        self._underlying = dict(terms.select("instrument_id", "underlying_instrument_id").iter_rows())
        own = terms.filter(pl.col("deliverable") != "").select("instrument_id", "deliverable")
        self._own = {instrument: _parts(json.loads(deliverable)) for instrument, deliverable in own.iter_rows()}

    def of(self, instrument: str, multiplier: int) -> Parts:
        """Return what one contract delivers: each instrument, its units and its share of the cost; and the cash.

        That is its own deliverable, or so many shares of its underlying as it multiplies.
        """
        return self._own.get(instrument) or (((str(self._underlying[instrument]), multiplier, WHOLE),), 0)

    def slots(self) -> pl.DataFrame:
        """Return the accounts and instruments that the events deliver into."""
        contracts = self._from["instrument_id"].unique().to_list()
        into = [(contract, part) for contract in contracts for part, _, _ in self.of(contract, 0)[0]]
        parts = pl.DataFrame(into, schema={"instrument_id": pl.String, "into": pl.String}, orient="row")
        joined = self._from.join(parts, on="instrument_id")
        return joined.select("account_id", pl.col("into").alias("instrument_id")).unique()


def _parts(parts: list[dict[str, str]]) -> Parts:
    units = tuple(
        (
            part["instrument_id"],
            quantity_units(part["quantity"]),
            to_units(part.get("cost_fraction", "1"), FRACTION_SCALE),
        )
        for part in parts
        if "instrument_id" in part
    )
    return units, sum(money_units(part["cash"]) for part in parts if "cash" in part)


# Multipliers, strikes and what contracts deliver are few, and come again with every event.
@lru_cache(maxsize=10_000)
def quantity_units(value: object) -> int:
    """Return a quantity, written or exact, in units of 1e-8."""
    return to_units(str(value), QUANTITY_SCALE)


@lru_cache(maxsize=10_000)
def money_units(value: object) -> int:
    """Return an amount, written or exact, in units of 1e-12."""
    return to_units(str(value), MONEY_SCALE)
