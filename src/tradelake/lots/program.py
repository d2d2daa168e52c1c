"""Events compiled to a program of the kernel: names become slots, terms become numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from tradelake.lots import state
from tradelake.lots.deliveries import Deliveries
from tradelake.lots.methods import CODES as METHODS
from tradelake.lots.operations import operations_of, slots_of
from tradelake.lots.sides import ALIKE, READ, Sides
from tradelake.units import column_array, with_values

CODES = {
    "trade": state.TRADE,
    "exercise": state.EXERCISE,
    "assign": state.EXERCISE,
    "cash_settle": state.CLOSE,
    "expire": state.CLOSE,
    "subscribe": state.SUBSCRIBE,
    "cash": state.CASH,
    "split": state.SCALE,
    "symbol_change": state.SCALE,
    "option_adjust": state.SCALE,
    "cash_dividend": state.DIVIDEND,
    "return_of_capital": state.RETURN,
    "spin_off": state.SPIN,
    "rights_issue": state.SPIN,
    "merger": state.MERGER,
    "transfer": state.MOVE,
    "fork": state.MOVE,
    "merge": state.MOVE,
    "lot_method": state.METHOD,
}
MOVES = {"transfer": state.TRANSFER, "fork": state.FORK, "merge": state.MERGE}


@dataclass(frozen=True, slots=True)
class Program:
    """The rows of `state.Operations` in event order, and what their numbers stand for.

    Quantities are in units of 1e-8, amounts in units of 1e-12. `operations` has one row per operation: its event, with
    the account and instrument of its slot; `slots` the (account, instrument) of every slot, `accounts` all accounts.
    """

    main: "tuple[np.ndarray, ...]"
    extras: tuple[list[int], ...]
    named: tuple[list[int], ...]
    deliveries: tuple[list[int], ...]
    actions: tuple[list[int], ...]
    moves: tuple[list[int], ...]
    operations: pl.DataFrame
    slots: pl.DataFrame
    accounts: list[str]


def build_program(
    events: pl.DataFrame,
    instruments: pl.DataFrame,
    carried: pl.DataFrame,
    opened: Mapping[str, int],
    brokers: Mapping[str, str],
) -> Program:
    """Compile *events* (trade_log rows in total order) on top of the *carried* lots.

    `opened` gives the kernel's code of what a trade opened, by its id; lots that an event names are found there.
    `brokers` gives the broker account of every account.
    """
    delivered = Deliveries(events, instruments)
    slots = slots_of(events, carried, delivered.slots(), brokers)
    operations = operations_of(events, slots, brokers)
    sides = Sides(slots, delivered, opened, operations.height)
    special = operations.with_row_index("operation").filter(
        (pl.col("kind") != "trade") | pl.col("details").is_not_null()
    )
    sides.add_alike(special.filter(ALIKE))
    for row in special.filter(~ALIKE).select(READ).iter_rows(named=True):
        sides.add(row)
    accounts = _accounts(operations, slots)
    return Program(
        main=_main(operations, slots, accounts, sides, opened),
        extras=_columns(sides.extras, state.OPERATION_FIELDS[1]),
        named=_columns(sides.named, state.OPERATION_FIELDS[2]),
        deliveries=_columns(sides.deliveries, state.OPERATION_FIELDS[3]),
        actions=_columns(sides.actions, state.OPERATION_FIELDS[4]),
        moves=_columns(sides.moves, state.OPERATION_FIELDS[5]),
        operations=operations,
        slots=slots,
        accounts=accounts,
    )


def _columns(rows: Sequence[tuple[int, ...]], width: int) -> tuple[list[int], ...]:
    return tuple(map(list, zip(*rows, strict=True))) if rows else tuple([] for _ in range(width))


def _accounts(operations: pl.DataFrame, slots: pl.DataFrame) -> list[str]:
    named = (operations["account_id"], operations["to_account_id"], slots["account_id"])
    return sorted(pl.concat([column.drop_nulls().unique() for column in named]).unique().to_list())


def _main(
    operations: pl.DataFrame, slots: pl.DataFrame, accounts: list[str], sides: Sides, opened: Mapping[str, int]
) -> "tuple[np.ndarray, ...]":
    keys = ["account_id", "instrument_id"]
    numbers = operations.select(keys).join(slots, on=keys, how="left", maintain_order="left")["slot"].fill_null(0)
    quantity = column_array(operations["quantity"].fill_null(0))
    sells = operations["action"].fill_null("").str.starts_with("SELL").to_numpy()
    quantities = np.where(sells, -quantity, quantity)
    opening = np.arange(operations.height)
    if opened:
        opening = np.array([opened.get(trade_id, number) for number, trade_id in enumerate(operations["trade_id"])])
    owners = operations.select(
        pl.when("shared").then(None).otherwise("account_id").alias("owner"), pl.col("to_account_id").alias("to")
    )
    known = {account: number for number, account in enumerate(accounts)}
    return (
        operations["kind"].replace_strict(CODES, return_dtype=pl.Int64).to_numpy(),
        numbers.to_numpy(),
        with_values(quantities, {operation: METHODS[method] for operation, method in sides.methods.items()}),
        with_values(column_array(operations["gross_amount"].fill_null(0)), sides.gross),
        column_array((operations["commission"] + operations["fees"]).alias("charges")),
        _effects(operations).to_numpy(),
        np.array(sides.extra, dtype=np.int64),
        np.array(sides.action, dtype=np.int64),
        opening,
        *(
            owners[name]
            .replace_strict(known, default=state.NONE, return_dtype=pl.Int64)
            .fill_null(state.NONE)
            .to_numpy()
            for name in ("owner", "to")
        ),
    )


def _effects(operations: pl.DataFrame) -> pl.Series:
    action, kind = pl.col("action").fill_null(""), pl.col("kind")
    return operations.select(
        pl.when(action.str.ends_with("_TO_OPEN"))
        .then(state.OPENING)
        .when(action.str.ends_with("_TO_CLOSE"))
        .then(state.CLOSING)
        .when(kind.is_in(list(MOVES)))
        .then(kind.replace_strict(MOVES, default=state.AUTO, return_dtype=pl.Int32))
        .otherwise(state.AUTO)
        .cast(pl.Int64)
        .alias("effect")
    )["effect"]
