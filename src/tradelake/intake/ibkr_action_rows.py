"""One corporate action of a Flex statement, read: its rows, and what description and quantities say.

Nothing is decided here; see `ibkr_actions.py`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from tradelake import units
from tradelake.intake import ibkr_values as values

if TYPE_CHECKING:
    from tradelake.intake.ibkr_xml import Row

_RATIO = re.compile(r"\b(\d{1,9}(?:\.\d{1,9})?) ?(?:FOR|:|-FOR-) ?(\d{1,9}(?:\.\d{1,9})?)\b", re.IGNORECASE)
_CASH = re.compile(r"\b(?:FOR|AND) ([A-Z]{3}) (\d{1,12}(?:\.\d{1,12})?)(?: PER SHARE)?\b")
_OLD = re.compile(r"(?P<symbol>[^\s()]+)\((?P<id>[A-Z0-9]+)\)")


@dataclass(frozen=True, slots=True)
class Action:
    """The rows of one action in one account: what goes out, what comes in, and what the description says."""

    rows: Sequence["Row"]
    old: "Row | None"
    new: "Row | None"
    text: str
    old_symbol: str
    ratio: Fraction | None
    cash: str | None


def read_action(rows: Sequence["Row"]) -> Action:
    """Read the rows of one action in one account."""
    text = rows[0].get("actionDescription") or rows[0].get("description")
    if not _RATIO.search(text):
        text = rows[0].get("description") or text
    named = _OLD.match(text)
    out = [row for row in rows if size(row) < 0]
    into = [row for row in rows if size(row) > 0]
    old = new = None
    if len(out) == len(into) == 1:
        old, new = out[0], into[0]
        # Of a short position the old instrument comes in and the new one goes out.
        if named and named["id"] in (new.get("isin"), new.get("securityID"), new.get("cusip")):
            old, new = new, old
    elif len(rows) == 1:
        old = rows[0]
    ratio, cash = _RATIO.search(text), _CASH.search(text)
    return Action(
        rows=rows,
        old=old,
        new=new,
        text=text,
        old_symbol=named["symbol"] if named else rows[0].get("symbol"),
        ratio=Fraction(ratio[1]) / Fraction(ratio[2]) if ratio and Fraction(ratio[2]) and Fraction(ratio[1]) else None,
        cash=cash[2] if cash else None,
    )


def size(row: "Row") -> Fraction:
    """Return the signed quantity of a row, 0 where there is none."""
    units_of_row = values.exact(row.get("quantity"), units.QUANTITY_SCALE)
    return Fraction(units_of_row or 0, units.QUANTITY_UNIT)


def last_place(row: "Row") -> Fraction:
    """Return one unit in the last printed digit of a quantity; brokers round to four."""
    decimals = len(values.number(row.get("quantity")).partition(".")[2])
    return Fraction(1, 10 ** max(decimals, 4))


def times_paid(paid: int, row: "Row") -> int:
    """Return an amount per unit times the quantity of a row, without its sign."""
    return units.product(abs(values.exact(row.get("quantity"), 8) or 0), paid, units.QUANTITY_UNIT)


def price_of(row: "Row") -> str | None:
    """Return what one unit of a row is worth, or None where the row does not tell."""
    worth = values.exact(row.get("value"), units.MONEY_SCALE)
    held = values.exact(row.get("quantity"), units.QUANTITY_SCALE)
    if not worth or not held:
        return None
    price = units.unit_price(abs(worth), abs(held), units.QUANTITY_UNIT)
    return units.plain(units.to_decimal(price, units.MONEY_SCALE))


def treatment(row: "Row") -> str:
    """Return how the broker treated an exchange of shares: what it realized on it cannot exceed the cash."""
    realized = values.exact(row.get("fifoPnlRealized"), units.MONEY_SCALE) or 0
    paid = abs(values.exact(row.get("proceeds"), units.MONEY_SCALE) or 0)
    return "reorganization" if 0 <= realized <= paid else "taxable"
