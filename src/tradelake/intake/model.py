"""An execution as users write it: typed, described, and the source of its JSON Schema."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, WithJsonSchema
from pydantic import Field as Described

from tradelake.intake.fields import BY_NAME, JSON_LENGTH_MAX

PLAIN = r"^[+-]?[0-9]+(\.[0-9]+)?$"


def _exact(value: object) -> object:
    if isinstance(value, float | bool):
        raise ValueError("a float or boolean is no exact number; write it as text or Decimal")
    return value


def _said(name: str, **more: Any) -> Any:
    """Describe a field as `fields.py` does; it may be left out unless *more* says otherwise."""
    field = BY_NAME[name]
    limits = {"max_length": field.length_max} if field.reads in ("text", "symbol") else {}
    return Described(**{"default": None, "description": field.comment, **limits, **more})


Number = Annotated[
    str | int | Decimal,
    BeforeValidator(_exact),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": PLAIN}, {"type": "integer"}]}),
]
Instant = Annotated[str | datetime, WithJsonSchema({"type": "string", "format": "date-time"})]
Day = Annotated[str | date, WithJsonSchema({"type": "string", "format": "date"})]
Json = Annotated[str, Described(max_length=JSON_LENGTH_MAX)]


Change = Annotated[
    str | int | Decimal | datetime | date | list[Any] | None,
    BeforeValidator(_exact),
    WithJsonSchema({"anyOf": [{"type": name} for name in ("string", "integer", "array", "null")]}),
]
Kind = Literal[
    "trade", "exercise", "assign", "cash_settle", "expire", "subscribe", "cash",
    "split", "cash_dividend", "return_of_capital", "spin_off", "rights_issue", "merger", "symbol_change",
    "option_adjust", "transfer", "fork", "merge", "lot_method", "cancel", "correct",
    "chain_join", "chain_split", "chain_name",
]  # fmt: skip


class LotChoice(BaseModel):
    """A lot that is to be closed: the event that opened it, and how much of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    open: str = Described(description="trade_id of the event that opened the lot")
    quantity: Number = Described(description="How much of it, positive")


class Delivered(BaseModel):
    """One part of what an adjusted contract delivers: units of an instrument, or cash."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instrument_id: str | None = Described(default=None, description="What is delivered")
    quantity: Number | None = Described(default=None, description="Units per contract, positive")
    cost_fraction: Number | None = Described(default=None, description="Share of the strike that it stands for")
    cash: Number | None = Described(default=None, description="Cash per contract")


class Moved(BaseModel):
    """What a fork moves of one instrument: a quantity or a percentage, and which lots."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instrument_id: str = Described(description="What moves")
    quantity: Number | None = Described(default=None, description="How much of it, positive")
    percent: Number | None = Described(default=None, description="How much of what is held, above 0 and up to 100")
    lots: tuple[LotChoice, ...] | None = Described(default=None, description="Lots that move, where it is a quantity")


class Execution(BaseModel):
    """One execution, leg by leg, or another event: of an option, a corporate action, a move, cash or a cure.

    Values are checked when they are recorded, row by row, so a model with bad data can be made, and its row
    is refused with a reason. Only floats and unknown fields are refused here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind = _said("kind", default="trade")
    trade_id: str | None = _said("trade_id")
    leg_id: str | int | None = _said("leg_id")
    account_id: str | None = _said("account_id")
    broker_account_id: str | None = _said("broker_account_id")
    to_account_id: str | None = _said("to_account_id")
    target_id: str | None = _said("target_id")
    set: Mapping[str, Change] | Json | None = _said("set")
    strategy_id: str | None = _said("strategy_id")
    order_id: str | None = _said("order_id")
    broker_order_id: str | None = _said("broker_order_id")
    broker_execution_id: str | None = _said("broker_execution_id")
    instrument_id: str | None = _said("instrument_id")
    symbol: str | None = _said("symbol")
    contract_symbol: str | None = _said("contract_symbol")
    asset_type: Literal["STOCK", "OPTION", "INDEX", "RIGHT", "WARRANT"] | None = _said("asset_type")
    strike: Number | None = _said("strike")
    expiration: Day | None = _said("expiration")
    option_type: Literal["CALL", "PUT", "C", "P"] | None = _said("option_type")
    multiplier: Number | None = _said("multiplier")
    settlement: Literal["PHYSICAL", "CASH"] | None = _said("settlement")
    exercise_style: Literal["AMERICAN", "EUROPEAN"] | None = _said("exercise_style")
    underlying_instrument_id: str | None = _said("underlying_instrument_id")
    deliverable: tuple[Delivered, ...] | Json | None = _said("deliverable")
    new_instrument_id: str | None = _said("new_instrument_id")
    new_symbol: str | None = _said("new_symbol")
    action: Literal["BUY_TO_OPEN", "SELL_TO_OPEN", "BUY_TO_CLOSE", "SELL_TO_CLOSE", "BUY", "SELL"] | None = _said(
        "action"
    )
    executed_at: Instant = _said("executed_at", default=...)
    trade_date: Day | None = _said("trade_date")
    quantity: Number | None = _said("quantity")
    execution_quantity: Number | None = _said("execution_quantity")
    price: Number | None = _said("price")
    commission: Number | None = _said("commission")
    fees: Number | None = _said("fees")
    currency: str | None = _said("currency", pattern="^[A-Za-z]{3}$")
    reason: str | None = _said("reason")
    delta: Number | None = _said("delta")
    amount: Number | None = _said("amount")
    cash_category: Literal["deposit", "fee", "interest", "dividend"] | None = _said("cash_category")
    ratio: str | None = _said("ratio")
    amount_per_unit: Number | None = _said("amount_per_unit")
    basis_fraction: Number | None = _said("basis_fraction")
    cash_in_lieu_price: Number | None = _said("cash_in_lieu_price")
    treatment: Literal["reorganization", "taxable"] | None = _said("treatment")
    new_price: Number | None = _said("new_price")
    reported_change: Number | None = _said("reported_change")
    pay_at: Instant | None = _said("pay_at")
    shares: Number | None = _said("shares")
    moves: tuple[Moved, ...] | Json | None = _said("moves")
    cash: Number | None = _said("cash")
    method: Literal["FIFO", "LIFO", "HIFO", "AVERAGE", "SPECIFIC"] | None = _said("method")
    chain: Mapping[str, str | tuple[str, ...]] | Json | None = _said("chain")
    lots: tuple[LotChoice, ...] | Json | None = _said("lots")
    tags: tuple[str, ...] | Json | None = _said("tags")
    order_reference: str | None = _said("order_reference")
    broker_contract_id: str | None = _said("broker_contract_id")
    isin: str | None = _said("isin")
    description: str | None = _said("description")
    recorded_at: Instant | None = _said("recorded_at")
