"""What a Flex statement says is held: open positions, lots open and closed, cash balances.

A position has a row of its own (level SUMMARY, or none), and rows of its lots (LOT); where it has only the latter, it
is their sum. The lots that trades closed are rows `Lot` of the section Trades.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

import polars as pl

from tradelake import units
from tradelake.intake import ibkr_values as values
from tradelake.intake.ibkr_flex import Judged
from tradelake.intake.ibkr_values import Clock
from tradelake.intake.ibkr_xml import Row
from tradelake.tables import POLARS_TYPES

Named = Mapping[int, tuple[str, str | None, str | None]]
BASE_CURRENCY = ("BASE_SUMMARY", "")
TERMS = dict.fromkeys(("instrument_id", "broker_contract_id", "isin"), POLARS_TYPES["text"])
POSITION_SCHEMA = pl.Schema({**TERMS, "quantity": units.QUANTITY})
LOT_SCHEMA = pl.Schema(
    {
        **TERMS,
        "opened_at": POLARS_TYPES["instant"],
        "closed_at": POLARS_TYPES["instant"],
        "quantity": units.QUANTITY,
        "cost_basis": units.MONEY,
    }
)
CASH_SCHEMA = pl.Schema({"currency": pl.String(), "starting": units.MONEY, "ending": units.MONEY})


def held(rows: Sequence[Row], named: Named, clock: Clock) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """Return the open positions and their lots; None for the lots where the section has none.

    *named* says by row number what a row is about: instrument, the broker's contract and ISIN; rows that are not in it
    are left out.
    """
    known = [row for row in rows if row.section == "OpenPositions" and row.number in named]
    lots = [row for row in known if row.get("levelOfDetail").upper() == "LOT"]
    whole = [row for row in known if row.get("levelOfDetail").upper() != "LOT"]
    summed = {named[row.number][0] for row in whole}
    counted = whole + [row for row in lots if named[row.number][0] not in summed]
    told = [(*named[row.number], quantity_of(row.get("position", "quantity"))) for row in counted]
    positions = (
        pl.DataFrame(told, schema=POSITION_SCHEMA, orient="row")
        .group_by("instrument_id", maintain_order=True)
        .agg(pl.col("broker_contract_id", "isin").first(), pl.col("quantity").sum())
        .filter(pl.col("quantity") != 0)
    )
    return positions.select(POSITION_SCHEMA.names()), lots_of(lots, named, clock) if lots or not known else None


def lots_of(rows: Iterable[Row], named: Named, clock: Clock) -> pl.DataFrame:
    """Return lots that are open, or that a trade closed, with signed quantity and cost."""
    found = []
    for row in rows:
        closed = row.section == "Trades"
        quantity = quantity_of(row.get("position", "quantity"))
        cost = money_of(row.get("cost" if closed else "costBasisMoney"))
        if closed and quantity is not None and cost is not None:
            # The row of a closed lot has the side of the trade that closed it; what was held is the opposite.
            bought = row.get("buySell").upper().startswith("BUY")
            quantity, cost = (-abs(quantity), -abs(cost)) if bought else (abs(quantity), abs(cost))
        opened = _instant(row.get("openDateTime", "holdingPeriodDateTime"), clock)
        closed_at = _instant(row.get("dateTime", "tradeDate"), clock) if closed else None
        if quantity and opened and row.number in named:
            found.append((*named[row.number], opened, closed_at, quantity, cost))
    return pl.DataFrame(found, schema=LOT_SCHEMA, orient="row")


def cash_of(rows: Iterable[Row], account: str) -> pl.DataFrame | None:
    """Return the balances of an account per currency, without the total in base currency; None where there is none."""
    found = []
    for row in rows:
        ending, currency = money_of(row.get("endingCash")), row.get("currency").upper()
        if row.account == account and currency not in BASE_CURRENCY and ending is not None:
            found.append((currency, money_of(row.get("startingCash")), ending))
    frame = pl.DataFrame(found, schema=CASH_SCHEMA, orient="row")
    return frame.unique("currency", keep="first", maintain_order=True) if found else None


def moved_by(rows: Iterable[Row], judged: Judged) -> dict[str, str]:
    """Return the currencies that rows moved which are no events, each with the reason."""
    moved: dict[str, list[str]] = {}
    for row in rows:
        decision, problem = judged.decisions[row.number], judged.rejected.get(row.number)
        if decision.code == "currency_conversion":
            currencies, why = {row.get("currency").upper(), *row.get("symbol").upper().split(".")}, "a conversion"
        elif problem is not None and row.section != "OptionEAE":
            currencies, why = {row.get("currency").upper()}, "a row that is no event here"
        else:
            continue
        for currency in filter(None, currencies):
            moved.setdefault(currency, []).append(f"{why} (row {row.number})")
    return {
        currency: ", ".join(reasons[:3]) + (f" and {len(reasons) - 3} more" if len(reasons) > 3 else "")
        for currency, reasons in moved.items()
    }


def quantity_of(text: str) -> Decimal | None:
    """Return a quantity exactly; None where there is none of at most 8 decimals."""
    number = values.exact(text, units.QUANTITY_SCALE)
    return None if number is None else units.to_decimal(number, units.QUANTITY_SCALE)


def money_of(text: str) -> Decimal | None:
    """Return an amount exactly; None where there is none of at most 12 decimals."""
    number = values.exact(text, units.MONEY_SCALE)
    return None if number is None else units.to_decimal(number, units.MONEY_SCALE)


def _instant(text: str, clock: Clock) -> datetime | None:
    read = clock.instant(text, time_missing=values.CLOSE) if text else None
    return datetime.fromisoformat(read).astimezone(UTC) if read else None
