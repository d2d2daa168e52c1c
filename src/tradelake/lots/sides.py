"""The side tables of a program: what only some operations have, filled row by row from their terms and details."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake.lots import state
from tradelake.lots.deliveries import DELIVERING, FRACTION_SCALE, Deliveries, money_units, quantity_units
from tradelake.lots.operations import moves_of
from tradelake.tables import CORPORATE_KINDS
from tradelake.units import column_units, to_units

HOWS = {
    "expire": state.HOW_EXPIRED,
    "exercise": state.HOW_EXERCISED,
    "assign": state.HOW_ASSIGNED,
    "cash_settle": state.HOW_CASH_SETTLED,
}
# Ends that differ in names and numbers alone.
ALIKE = pl.col("kind").is_in(("expire", *DELIVERING)) & pl.col("details").is_null()
UNKNOWN_LOT = -(2**60)
READ = (
    "operation", "kind", "details", "account_id", "to_account_id", "instrument_id", "new_instrument_id", "option_type",
    "strike", "multiplier", "quantity", "price",
)  # fmt: skip
Row = Mapping[str, Any]


class Sides:
    """Rows of `extras`, `named`, `deliveries`, `actions` and `moves`, and where the operations point into them."""

    def __init__(self, slots: pl.DataFrame, delivered: Deliveries, opened: Mapping[str, int], operations: int) -> None:
        self.extra = [state.NONE] * operations
        self.action = [state.NONE] * operations
        self.gross: dict[int, int] = {}
        self.methods: dict[int, str] = {}
        self.extras: list[tuple[int, ...]] = []
        self.named: list[tuple[int, ...]] = []
        self.deliveries: list[tuple[int, ...]] = []
        self.actions: list[tuple[int, ...]] = []
        self.moves: list[tuple[int, ...]] = []
        self._delivered, self._opened, self._slots = delivered, opened, slots
        self._numbers: dict[tuple[str, str], int] | None = None

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
        if row["kind"] == "cash_settle":
            self.gross[operation] = _intrinsic(row)
        strike = money_units(row["strike"]) if row["kind"] in DELIVERING else 0
        end = [row[name] for name in ("kind", "account_id", "instrument_id", "option_type")]
        named = self._name(details.get("lots", ()))
        self._end(operation, end, strike, quantity_units(row["multiplier"]), named=named)

    def add_alike(self, rows: pl.DataFrame) -> None:
        """Add what ends of options need that are ALIKE: they are many."""
        names = rows.select("operation", "kind", "account_id", "instrument_id", "option_type").iter_rows()
        numbers = (column_units(rows[name].fill_null(0)) for name in ("strike", "multiplier"))
        for (operation, *end), strike, multiplier in zip(names, *numbers, strict=True):
            self._end(operation, end, strike, multiplier, named=(0, 0))

    def _end(self, operation: int, end: Sequence[str], strike: int, multiplier: int, *, named: tuple[int, int]) -> None:
        """Add how lots end and what is delivered; *end* is its kind, account, instrument and type of option."""
        kind, account, instrument, option_type = end
        first, cash, buys = len(self.deliveries), 0, 0
        if kind in DELIVERING:
            parts, cash = self._delivered.of(instrument, multiplier)
            self.deliveries += [(self._slot(account, part), quantity, weight) for part, quantity, weight in parts]
            # The holder of a call buys, and so does the writer of a put.
            buys = int((option_type == "CALL") == (kind == "exercise"))
        else:
            strike = 0
        if kind == "expire":
            self.gross[operation] = 0
        self.extra[operation] = len(self.extras)
        how = HOWS.get(kind, state.HOW_TRADE)
        self.extras.append((how, *named, strike, cash, multiplier, buys, first, len(self.deliveries)))

    def _name(self, lots: Any) -> tuple[int, int]:
        first = len(self.named)
        for name in lots:
            self.named.append((self._opened.get(name["open"], UNKNOWN_LOT), quantity_units(name["quantity"])))
        return first, len(self.named)

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
                money_units(lieu or "0"),
                money_units(per_unit),
                money_units(details.get("new_price", "0")),
                quantity_units(details.get("shares", "0")),
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
                    state.NONE if wanted is None else quantity_units(wanted),
                    state.NONE if percent is None else to_units(Decimal(percent) / 100, FRACTION_SCALE),
                    named_from,
                    named_to,
                )
            )
        self.action[operation] = len(self.actions)
        self.actions.append((state.NONE, 1, 1, 0, 0, 0, 0, 0, 0, 0, first, len(self.moves)))


def _intrinsic(row: Row) -> int:
    above = money_units(row["price"]) - money_units(row["strike"])
    return max(0, above if row["option_type"] == "CALL" else -above)
