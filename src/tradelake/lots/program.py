"""Events compiled to a program of the kernel: names become slots, terms become numbers.

A slot is one (account, instrument). An option event also needs the slots of what its contract delivers: the
multiplier's shares of the underlying, or the contract's own deliverable after an adjustment.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from tradelake.lots import state
from tradelake.units import MONEY_SCALE, QUANTITY_SCALE, column_units, to_units

HOWS = {
    "trade": state.HOW_TRADE,
    "expire": state.HOW_EXPIRED,
    "exercise": state.HOW_EXERCISED,
    "assign": state.HOW_ASSIGNED,
    "cash_settle": state.HOW_CASH_SETTLED,
}
CODES = {
    "trade": state.TRADE,
    "exercise": state.EXERCISE,
    "assign": state.EXERCISE,
    "cash_settle": state.CLOSE,
    "expire": state.CLOSE,
}
UNKNOWN_LOT = -(2**60)
WEIGHT_UNIT = 10**12


@dataclass(frozen=True, slots=True)
class Program:
    """The rows of `state.Operations` as lists in event order, and the (account, instrument) of every slot.

    Quantities are in units of 1e-8, amounts in units of 1e-12.
    """

    main: tuple[list[int], ...]
    extras: tuple[list[int], ...]
    named: tuple[list[int], ...]
    deliveries: tuple[list[int], ...]
    slots: pl.DataFrame


@dataclass(slots=True)
class _Extras:
    """Side tables of the program while they are being filled."""

    how: list[int] = field(default_factory=list)
    named_from: list[int] = field(default_factory=list)
    named_to: list[int] = field(default_factory=list)
    strike: list[int] = field(default_factory=list)
    cash: list[int] = field(default_factory=list)
    multiplier: list[int] = field(default_factory=list)
    buys: list[int] = field(default_factory=list)
    delivery_from: list[int] = field(default_factory=list)
    delivery_to: list[int] = field(default_factory=list)
    named_open: list[int] = field(default_factory=list)
    named_quantity: list[int] = field(default_factory=list)
    deliveries: list[tuple[str, str]] = field(default_factory=list)
    delivery_quantity: list[int] = field(default_factory=list)
    delivery_weight: list[int] = field(default_factory=list)


def build_program(
    events: pl.DataFrame, instruments: pl.DataFrame, carried: pl.DataFrame, opened: Mapping[str, int]
) -> Program:
    """Compile *events* (trade_log rows in total order, no cash) on top of the *carried* lots.

    `opened` gives the kernel's code of what a trade opened, by its id; lots that an event names are found there.
    """
    special = events.with_row_index("operation").filter((pl.col("kind") != "trade") | pl.col("details").is_not_null())
    extra, gross_special, extras = _side_tables(special, instruments, opened, events.height)
    slots, numbers = _slots(events, carried, extras.deliveries)
    quantity = np.array(column_units(events["quantity"].fill_null(0)), dtype=object)
    sells = events["action"].fill_null("").str.starts_with("SELL").to_numpy()
    quantity = np.where(sells, -quantity, quantity)
    gross = column_units(events["gross_amount"].fill_null(0))
    for operation, amount in gross_special.items():
        gross[operation] = amount
    charges = column_units((events["commission"] + events["fees"]).alias("charges"))
    opening = list(range(events.height))
    if opened:
        opening = [opened.get(trade_id, number) for number, trade_id in enumerate(events["trade_id"])]
    codes = events["kind"].replace_strict(CODES, return_dtype=pl.Int64).to_list()
    return Program(
        main=(codes, numbers, quantity.tolist(), gross, charges, _effects(events).to_list(), extra, opening),
        extras=(
            extras.how,
            extras.named_from,
            extras.named_to,
            extras.strike,
            extras.cash,
            extras.multiplier,
            extras.buys,
            extras.delivery_from,
            extras.delivery_to,
        ),
        named=(extras.named_open, extras.named_quantity),
        deliveries=(_delivery_slots(slots, extras.deliveries), extras.delivery_quantity, extras.delivery_weight),
        slots=slots,
    )


def _effects(events: pl.DataFrame) -> pl.Series:
    action = events["action"].fill_null("")
    return (
        pl.select(
            pl.when(action.str.ends_with("_TO_OPEN"))
            .then(state.OPENING)
            .when(action.str.ends_with("_TO_CLOSE"))
            .then(state.CLOSING)
            .otherwise(state.AUTO)
        )
        .to_series()
        .cast(pl.Int64)
    )


def _slots(
    events: pl.DataFrame, carried: pl.DataFrame, deliveries: Sequence[tuple[str, str]]
) -> tuple[pl.DataFrame, list[int]]:
    """Return the slots with their number, in order of (account, instrument), and the slot of every event."""
    keys = ["account_id", "instrument_id"]
    delivered = pl.DataFrame(deliveries, schema=dict.fromkeys(keys, pl.String), orient="row")
    slots = (
        pl.concat([events.select(keys), carried.select(keys), delivered])
        .unique()
        .sort(keys)
        .with_row_index("slot")
        .with_columns(pl.col("slot").cast(pl.Int64))
    )
    numbers = events.select(keys).join(slots, on=keys, how="left", maintain_order="left")["slot"]
    return slots, numbers.to_list()


def _delivery_slots(slots: pl.DataFrame, deliveries: Sequence[tuple[str, str]]) -> list[int]:
    known = {(account, instrument): slot for slot, account, instrument in slots.iter_rows()} if deliveries else {}
    return [known[key] for key in deliveries]


def _side_tables(
    special: pl.DataFrame, instruments: pl.DataFrame, opened: Mapping[str, int], count: int
) -> tuple[list[int], dict[int, int], _Extras]:
    """Fill the side tables for the events that need them; return also the prices of settlements."""
    extra, gross, extras = [state.NONE] * count, {}, _Extras()
    wanted = special["instrument_id"].unique()
    terms = {
        row["instrument_id"]: row
        for row in instruments.filter(pl.col("instrument_id").is_in(wanted.implode())).iter_rows(named=True)
    }
    for event in special.iter_rows(named=True):
        operation = event["operation"]
        extra[operation] = len(extras.how)
        extras.how.append(HOWS[event["kind"]])
        extras.multiplier.append(to_units(str(event["multiplier"]), QUANTITY_SCALE))
        _name_lots(extras, event["details"], opened)
        if event["kind"] in ("exercise", "assign"):
            _exercise(extras, event, terms[event["instrument_id"]])
        else:
            for column in (extras.strike, extras.cash, extras.buys):
                column.append(0)
            extras.delivery_from.append(len(extras.delivery_quantity))
            extras.delivery_to.append(len(extras.delivery_quantity))
        if event["kind"] == "cash_settle":
            gross[operation] = _intrinsic(event)
        elif event["kind"] == "expire":
            gross[operation] = 0
    return extra, gross, extras


def _name_lots(extras: _Extras, details: str | None, opened: Mapping[str, int]) -> None:
    extras.named_from.append(len(extras.named_open))
    for name in json.loads(details).get("lots", ()) if details else ():
        extras.named_open.append(opened.get(name["open"], UNKNOWN_LOT))
        extras.named_quantity.append(to_units(name["quantity"], QUANTITY_SCALE))
    extras.named_to.append(len(extras.named_open))


def _money(value: object) -> int:
    return to_units(str(value), MONEY_SCALE)


def _intrinsic(event: Mapping[str, object]) -> int:
    above = _money(event["price"]) - _money(event["strike"])
    return max(0, above if event["option_type"] == "CALL" else -above)


def _exercise(extras: _Extras, event: Mapping[str, object], terms: Mapping[str, object]) -> None:
    extras.strike.append(_money(event["strike"]))
    extras.buys.append(int((event["option_type"] == "CALL") == (event["kind"] == "exercise")))
    extras.delivery_from.append(len(extras.delivery_quantity))
    cash = 0
    account = str(event["account_id"])
    if terms["deliverable"]:
        for part in json.loads(str(terms["deliverable"])):
            if "instrument_id" in part:
                extras.deliveries.append((account, part["instrument_id"]))
                extras.delivery_quantity.append(to_units(part["quantity"], QUANTITY_SCALE))
                extras.delivery_weight.append(to_units(part.get("cost_fraction", "1"), 12))
            if "cash" in part:
                cash += _money(part["cash"])
    else:
        extras.deliveries.append((account, str(terms["underlying_instrument_id"])))
        extras.delivery_quantity.append(extras.multiplier[-1])
        extras.delivery_weight.append(WEIGHT_UNIT)
    extras.cash.append(cash)
    extras.delivery_to.append(len(extras.delivery_quantity))
