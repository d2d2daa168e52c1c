"""The side tables of a program: what only some operations have, filled row by row from their terms and details."""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

import polars as pl

from tradelake.lots import state
from tradelake.lots.operations import delivered_parts, moves_of
from tradelake.tables import CORPORATE_KINDS
from tradelake.units import MONEY_SCALE, QUANTITY_SCALE, to_units

HOWS = {
    "expire": state.HOW_EXPIRED,
    "exercise": state.HOW_EXERCISED,
    "assign": state.HOW_ASSIGNED,
    "cash_settle": state.HOW_CASH_SETTLED,
}
UNKNOWN_LOT = -(2**60)
FRACTION_SCALE = 12
READ = (
    "operation", "kind", "details", "account_id", "to_account_id", "instrument_id", "new_instrument_id", "option_type",
    "strike", "multiplier", "quantity", "price",
)  # fmt: skip
Row = Mapping[str, Any]


class Sides:
    """Rows of `extras`, `named`, `deliveries`, `actions` and `moves`, and where the operations point into them."""

    def __init__(
        self, slots: pl.DataFrame, terms: Mapping[str, Row], opened: Mapping[str, int], operations: int
    ) -> None:
        self.extra = [state.NONE] * operations
        self.action = [state.NONE] * operations
        self.gross: dict[int, int] = {}
        self.methods: dict[int, str] = {}
        self.extras: list[tuple[int, ...]] = []
        self.named: list[tuple[int, ...]] = []
        self.deliveries: list[tuple[int, ...]] = []
        self.actions: list[tuple[int, ...]] = []
        self.moves: list[tuple[int, ...]] = []
        self._terms, self._opened, self._slots = terms, opened, slots
        self._numbers: dict[tuple[str, str], int] | None = None
        self._delivered: dict[tuple[str, Decimal], tuple[list[tuple[str, int, int]], int]] = {}

    def add(self, row: Row) -> None:
        """Add what one operation needs besides its row of `main`; of its event the columns READ."""
        operation, kind = row["operation"], row["kind"]
        details = json.loads(row["details"]) if row["details"] else {}
        if kind in CORPORATE_KINDS:
            self._act(operation, row, details)
        elif kind == "subscribe":
            self._extend(operation, row, details)
            self._act(operation, row, details)
        elif kind in ("transfer", "fork", "merge"):
            self._move(operation, row)
        elif kind == "lot_method":
            self.methods[operation] = details["method"]
        elif kind != "cash":
            self._extend(operation, row, details)

    def _slot(self, account: str, instrument: str) -> int:
        if self._numbers is None:
            self._numbers = {(held, name): slot for slot, held, name in self._slots.iter_rows()}
        return self._numbers[account, instrument]

    def _extend(self, operation: int, row: Row, details: Mapping[str, Any]) -> None:
        """Add named lots, and the terms of an exercise or settlement."""
        kind, first = row["kind"], len(self.deliveries)
        named_from, named_to = self._name(details.get("lots", ()))
        strike = cash = buys = 0
        if kind in ("exercise", "assign"):
            strike = _money(row["strike"])
            buys = int((row["option_type"] == "CALL") == (kind == "exercise"))
            cash = self._deliver(row)
        elif kind == "cash_settle":
            self.gross[operation] = _intrinsic(row)
        elif kind == "expire":
            self.gross[operation] = 0
        how, multiplier = HOWS.get(kind, state.HOW_TRADE), _quantity(row["multiplier"])
        self.extra[operation] = len(self.extras)
        self.extras.append((how, named_from, named_to, strike, cash, multiplier, buys, first, len(self.deliveries)))

    def _name(self, lots: Any) -> tuple[int, int]:
        first = len(self.named)
        for name in lots:
            self.named.append((self._opened.get(name["open"], UNKNOWN_LOT), _quantity(name["quantity"])))
        return first, len(self.named)

    def _deliver(self, row: Row) -> int:
        """Add what one contract delivers; return the cash in it."""
        contract = row["instrument_id"], row["multiplier"]
        if contract not in self._delivered:
            self._delivered[contract] = _parts(row, self._terms[row["instrument_id"]])
        parts, cash = self._delivered[contract]
        for instrument, quantity, weight in parts:
            self.deliveries.append((self._slot(row["account_id"], instrument), quantity, weight))
        return cash

    def _act(self, operation: int, row: Row, details: Mapping[str, Any]) -> None:
        new = row["new_instrument_id"]
        if new is None and row["kind"] == "split":
            new = row["instrument_id"]
        ratio_new, ratio_old = map(int, details.get("ratio", "1/1").split("/"))
        per_unit = row["price"] if row["kind"] == "subscribe" else details.get("amount_per_unit", "0")
        lieu = details.get("cash_in_lieu_price")
        self.action[operation] = len(self.actions)
        self.actions.append(
            (
                state.NONE if new is None else self._slot(row["account_id"], new),
                ratio_new,
                ratio_old,
                to_units(details.get("basis_fraction", "0"), FRACTION_SCALE),
                int(details.get("treatment") == "taxable"),
                int(lieu is not None),
                _money(lieu or "0"),
                _money(per_unit),
                _money(details.get("new_price", "0")),
                _quantity(details.get("shares", "0")),
                0,
                0,
            )
        )

    def _move(self, operation: int, row: Row) -> None:
        account, to, first = row["account_id"], row["to_account_id"], len(self.moves)
        if row["kind"] == "merge":
            held = self._slots.filter(pl.col("account_id") == account)["instrument_id"]
            moves: list[dict[str, Any]] = [{"instrument_id": instrument} for instrument in held]
        else:
            moves = moves_of(row)
        for move in moves:
            named_from, named_to = self._name(move.get("lots") or ())
            wanted = move.get("quantity")
            if wanted is None and named_to > named_from:
                wanted = str(sum(Decimal(lot["quantity"]) for lot in move["lots"]))
            percent = move.get("percent")
            self.moves.append(
                (
                    self._slot(account, move["instrument_id"]),
                    self._slot(to, move["instrument_id"]),
                    state.NONE if wanted is None else _quantity(wanted),
                    state.NONE if percent is None else to_units(Decimal(percent) / 100, FRACTION_SCALE),
                    named_from,
                    named_to,
                )
            )
        self.action[operation] = len(self.actions)
        self.actions.append((state.NONE, 1, 1, 0, 0, 0, 0, 0, 0, 0, first, len(self.moves)))


def _parts(row: Row, terms: Row) -> tuple[list[tuple[str, int, int]], int]:
    """Return what one contract delivers: each instrument, its units and its share of the cost; and the cash."""
    parts = delivered_parts(row, terms)
    units = [
        (
            part["instrument_id"],
            _quantity(part["quantity"]),
            to_units(part.get("cost_fraction", "1"), FRACTION_SCALE),
        )
        for part in parts
        if "instrument_id" in part
    ]
    return units, sum(_money(part["cash"]) for part in parts if "cash" in part)


# Multipliers, strikes and what contracts deliver are few, and come again with every event.
@lru_cache(maxsize=10_000)
def _quantity(value: object) -> int:
    return to_units(str(value), QUANTITY_SCALE)


@lru_cache(maxsize=10_000)
def _money(value: object) -> int:
    return to_units(str(value), MONEY_SCALE)


def _intrinsic(row: Row) -> int:
    above = _money(row["price"]) - _money(row["strike"])
    return max(0, above if row["option_type"] == "CALL" else -above)
