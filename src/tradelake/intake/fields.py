"""The fields of an execution row: the text form that every source is turned into before it is checked.

`reads` says how a field is read:

    text      an identifier or a remark, kept as given; empty text is the same as nothing
    symbol    text of letters, digits and a few signs
    word      one of a short list of words, in any case
    quantity  a plain decimal with at most 8 decimals
    money     a plain decimal with at most 12 decimals
    ratio     two positive whole numbers with a slash: new units for old ones
    instant   ISO-8601 with an offset or Z
    date      YYYY-MM-DD
    json      JSON text
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ROW: Final = "_row"
ID_LENGTH_MAX = 64
REMARK_LENGTH_MAX = 500
JSON_LENGTH_MAX = 10_000
REMARKS = ("reason", "description")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, how it is read, what it means."""

    name: str
    reads: str
    comment: str

    @property
    def length_max(self) -> int:
        """The most characters that its text may have."""
        if self.reads == "json":
            return JSON_LENGTH_MAX
        return REMARK_LENGTH_MAX if self.name in REMARKS else ID_LENGTH_MAX


@dataclass(frozen=True, slots=True)
class Form:
    """What a row of a source may carry: what people call one row, and its fields by name."""

    noun: str
    fields: Mapping[str, Field]


FIELDS: Final = (
    Field(
        "kind", "word", "What happened: trade (default), an option event, a corporate action, a move, cash or a cure"
    ),
    Field("trade_id", "text", "Unique id of the event; made from its content where it is missing"),
    Field("leg_id", "text", "Leg of a multi-leg order, default 1"),
    Field(
        "account_id",
        "text",
        "Book that owns the event; this or broker_account_id; none on corporate actions, which are for all",
    ),
    Field(
        "broker_account_id", "text", "Brokerage account; this or account_id is required where the event is for one book"
    ),
    Field("to_account_id", "text", "On transfer, fork and merge: the book that it goes to"),
    Field(
        "target_id", "text", "On cancel and correct: trade_id of the event that it cures, whose leg_id is the row's own"
    ),
    Field("set", "json", "On correct: fields of the event by name with their new text, null to remove one"),
    Field("strategy_id", "text", "Strategy, for STAR-LAB its strategy id"),
    Field("order_id", "text", "Order id of the Order Execution Service"),
    Field("broker_order_id", "text", "Order id of the broker"),
    Field("broker_execution_id", "text", "Execution id of the broker, unique in the broker account"),
    Field("instrument_id", "symbol", "Id of an instrument that was registered before under its own id"),
    Field("symbol", "symbol", "Underlying, or the stock itself"),
    Field(
        "contract_symbol",
        "symbol",
        "OSI symbol of an option: root padded to 6, YYMMDD, C or P, strike x 1000",
    ),
    Field("asset_type", "word", "STOCK, OPTION, INDEX, RIGHT or WARRANT"),
    Field("strike", "money", "Strike of an option, per share"),
    Field("expiration", "date", "Last day of an option, YYYY-MM-DD"),
    Field("option_type", "word", "CALL or PUT; C and P are read too"),
    Field("multiplier", "quantity", "Units per contract, default 100 for options and 1 for the rest"),
    Field("settlement", "word", "What an exercise delivers: PHYSICAL or CASH"),
    Field("exercise_style", "word", "AMERICAN or EUROPEAN"),
    Field("underlying_instrument_id", "symbol", "Instrument that an option is written on"),
    Field(
        "deliverable",
        "json",
        "What one adjusted contract delivers: list of instrument_id and quantity, or cash",
    ),
    Field("new_instrument_id", "symbol", "What a corporate action or subscription gives, by its id"),
    Field("new_symbol", "symbol", "What it gives by its symbol, where the book may not know it yet"),
    Field("action", "word", "BUY_TO_OPEN, SELL_TO_OPEN, BUY_TO_CLOSE, SELL_TO_CLOSE; BUY and SELL close first"),
    Field("executed_at", "instant", "When it happened: ISO-8601 with an offset or Z"),
    Field("trade_date", "date", "Trading day, default the New York date of executed_at"),
    Field(
        "quantity",
        "quantity",
        "Shares or contracts, positive; nothing on expire and cash_settle: all open; on subscribe the rights used",
    ),
    Field("execution_quantity", "quantity", "The broker's whole quantity where the row is one allocation of it"),
    Field("price", "money", "Price per unit; on cash_settle and expire the settlement price of the underlying"),
    Field("commission", "money", "Broker's commission, positive when paid, default 0"),
    Field("fees", "money", "Exchange and regulatory fees, negative for a rebate, default 0"),
    Field("currency", "word", "Three letters, default USD"),
    Field("reason", "text", "Why the trade was made"),
    Field("delta", "money", "Option delta at the execution, from -1 to 1"),
    Field("amount", "money", "On cash: what moved, positive into the account"),
    Field("cash_category", "word", "On cash: deposit, fee, interest or dividend"),
    Field("ratio", "ratio", "New units for old ones, for example 4/1 for a split into four"),
    Field("amount_per_unit", "money", "Cash per unit of a dividend, return of capital or merger"),
    Field("basis_fraction", "money", "Share of the basis that moves to the new instrument, from 0 to 1"),
    Field("cash_in_lieu_price", "money", "Price of one new unit at which fractions are paid out in cash"),
    Field("treatment", "word", "On merger: reorganization (default) or taxable"),
    Field("new_price", "money", "On merger: fair value of one new unit"),
    Field("reported_change", "quantity", "On a broker's corporate action: what its position changed by, to compare"),
    Field("pay_at", "instant", "On cash_dividend: when the cash moves, default executed_at"),
    Field("shares", "quantity", "On subscribe: units that the rights give"),
    Field("moves", "json", "On fork: list of instrument_id with quantity or percent, and lots"),
    Field("cash", "money", "On transfer, fork and merge: cash that goes along"),
    Field("method", "word", "On lot_method: FIFO, LIFO, HIFO, AVERAGE or SPECIFIC from then on"),
    Field("chain", "json", "On chain_join chains, on chain_split trades, on chain_name chain and name"),
    Field("lots", "json", "Lots that are to be closed or moved: list of open (trade id) and quantity"),
    Field(
        "tags",
        "json",
        "List of words; combo allows a negative price of an option leg, do_not_exercise an expiry in the money",
    ),
    Field("order_reference", "text", "The broker's order reference, for the allocation rules"),
    Field("broker_contract_id", "text", "The broker's id of the contract"),
    Field("isin", "text", "ISIN"),
    Field("description", "text", "The broker's name of the instrument"),
    Field("recorded_at", "instant", "Knowledge time that a migrated log brings along: ISO-8601 with an offset"),
)
BY_NAME: Final = {field.name: field for field in FIELDS}
EXECUTION: Final = Form("An execution", BY_NAME)
