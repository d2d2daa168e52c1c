"""Single mutations of a Flex statement, and the break that each of them has to be."""

import copy
from collections.abc import Callable
from decimal import Decimal
from xml.etree import ElementTree as ET

Mutation = Callable[[ET.Element, ET.Element], None]
IDS = ("tradeID", "ibExecID", "execID", "transactionID", "actionID")
# What is missing in the statement is missing there; a book that was told the mutated one lacks it here.
CLASSES = {
    "drop": ("missing_there", "missing_here"),
    "add": ("missing_here", "missing_there"),
    "quantity": ("quantity", "quantity"),
    "price": ("price", "price"),
    "fee": ("fee", "fee"),
    "split": ("stale_split", "stale_split"),
}


def plain_trades(root: ET.Element) -> list[ET.Element]:
    """Return the executions on a market of what a book holds: no leg of an option event, and not taken back."""
    cancelled = {
        (row.get("symbol"), -Decimal(row.get("quantity", "0")))
        for row in root.iter("Trade")
        if "Ca" in row.get("buySell", "")
    }
    return [
        row
        for row in root.iter("Trade")
        if row.get("levelOfDetail", "EXECUTION") == "EXECUTION"
        and row.get("transactionType", "ExchTrade") in ("ExchTrade", "FracShare")
        and row.get("assetCategory") in ("STK", "OPT", "WAR")
        and "Ca" not in row.get("buySell", "")
        and (row.get("symbol"), Decimal(row.get("quantity", "0"))) not in cancelled
    ]


def mutated(data: bytes, kind: str, number: int) -> bytes:
    """Return a statement with one of its trades, or its first split, mutated."""
    root = ET.fromstring(data)
    if kind == "split":
        section = next(root.iter("CorporateActions"))
        _add(section, next(row for row in section if row.get("type") == "FS"))
    else:
        row = plain_trades(root)[number]
        MUTATIONS[kind](next(section for section in root.iter() if row in list(section)), row)
    return ET.tostring(root)


def _drop(section: ET.Element, row: ET.Element) -> None:
    section.remove(row)


def _add(section: ET.Element, row: ET.Element) -> None:
    """Put the row there once more, under other ids; one without ids is another row as it is."""
    twin = copy.deepcopy(row)
    for name in IDS:
        if twin.get(name):
            twin.set(name, f"9{twin.get(name)}")
    section.insert(list(section).index(row) + 1, twin)


def _quantity(_section: ET.Element, row: ET.Element) -> None:
    quantity = Decimal(row.get("quantity", "0"))
    row.set("quantity", str(quantity + (1 if quantity > 0 else -1)))


def _price(_section: ET.Element, row: ET.Element) -> None:
    row.set("tradePrice", str(Decimal(row.get("tradePrice", "0")) + Decimal("0.25")))


def _fee(_section: ET.Element, row: ET.Element) -> None:
    row.set("ibCommission", str(Decimal(row.get("ibCommission", "0")) - Decimal("0.37")))


MUTATIONS: dict[str, Mutation] = {"drop": _drop, "add": _add, "quantity": _quantity, "price": _price, "fee": _fee}
