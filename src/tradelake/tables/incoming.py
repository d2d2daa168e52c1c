"""What intake hands to the store: frames that are never stored as such."""

from tradelake.tables.columns import KINDS, Column, Table
from tradelake.tables.reference import INSTRUMENTS
from tradelake.tables.told import TRADE_LOG

INCOMING = Table(
    "incoming",
    "What intake hands to the store: validated events before the log gives them their sequence; never stored",
    (
        Column("source_row", "integer", "row inside the source, from 1: joins to the source record"),
        Column("trade_id", "text", "id given by the source", null=True),
        Column("leg_id", "text", "leg of a multi-leg order, 1 where the source names none"),
        Column("kind", "text", "what happened", values=KINDS),
        Column(
            "account_id",
            "text",
            "book; null: found by the broker account and the allocation rules",
            null=True,
        ),
        Column("broker_account_id", "text", "brokerage account; null: that of account_id", null=True),
        *(
            column
            for column in TRADE_LOG.columns
            if column.name
            in (
                "strategy_id",
                "order_id",
                "broker_order_id",
                "broker_execution_id",
                "instrument_id",
                "new_instrument_id",
                "to_account_id",
                "target_id",
                "symbol",
                "contract_symbol",
                "asset_type",
                "strike",
                "expiration",
                "option_type",
                "action",
                "executed_at",
                "trade_date",
                "quantity",
                "price",
                "multiplier",
                "gross_amount",
                "commission",
                "fees",
                "net_amount",
                "currency",
                "reason",
                "delta",
                "cash_category",
                "details",
            )
        ),
        *(
            column
            for column in INSTRUMENTS.columns
            if column.name
            in (
                "underlying_instrument_id",
                "settlement",
                "exercise_style",
                "deliverable",
                "broker_contract_id",
                "isin",
                "description",
            )
        ),
        Column("new_symbol", "text", "symbol of a new instrument that the book may not know yet", null=True),
        Column("order_reference", "text", "the broker's order reference, for the allocation rules", null=True),
        Column(
            "execution_quantity",
            "quantity",
            "the broker's whole quantity where the row is one allocation of it",
            null=True,
        ),
        Column("known_at", "instant", "knowledge time given by the source, for a migrated log", null=True),
    ),
    key=("source_row",),
)
RECORDS = Table(
    "records",
    "What intake hands to the store beside the events: every row as it was read; never stored as such",
    (
        Column("row_number", "integer", "row inside the source, from 1"),
        Column("section", "text", "part of the source"),
        Column("broker_account_id", "text", "brokerage account, where the row names one", null=True),
        Column("outcome", "text", "event, kept or reject", values=("event", "kept", "reject")),
        Column("code", "text", "why it is no event", null=True),
        Column("message", "text", "the reason in words", null=True),
        Column("text", "text", "the record itself"),
    ),
    key=("row_number",),
)
