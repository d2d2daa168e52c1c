"""What we were told: the log of events, its commits and the records that it came from."""

from tradelake.tables.columns import ACTIONS, CASH_CATEGORIES, COMMITTED, KINDS, OPTION_TYPES, Column, Table
from tradelake.tables.reference import TERMS

IMPORT_RUNS = Table(
    "import_runs",
    "One row per commit to the trade log: who recorded what from where, and its link of the hash chain",
    (
        Column("import_run_id", "integer", "number of the commit, without gaps"),
        Column("source", "text", "kind of input"),
        Column("file_name", "text", "name of the file, without its folder", null=True),
        Column("file_sha256", "text", "SHA-256 of the file", null=True),
        Column("author", "text", "user who recorded"),
        Column("host", "text", "machine that recorded"),
        Column("reason", "text", "why, in the words of the author", null=True),
        Column("recorded_at", "instant", "knowledge time of the commit"),
        Column("accepted", "integer", "events that entered the log"),
        Column("duplicates", "integer", "events that were known already"),
        Column("conflicts", "integer", "known ids that came with other content"),
        Column("rejects", "integer", "rows that could not be used"),
        Column("kept", "integer", "rows that are stored but are no event"),
        Column("first_sequence", "integer", "first log sequence of the commit", null=True),
        Column("last_sequence", "integer", "last log sequence after the commit"),
        Column("previous_hash", "text", "chain hash before"),
        Column("chain_hash", "text", "SHA-256 over the previous hash and all rows of the commit, this one included"),
        COMMITTED[1],
    ),
    key=("import_run_id",),
    sort=("import_run_id",),
)

SOURCE_RECORDS = Table(
    "source_records",
    "The broker's own words: every row that was read, as it was read",
    (
        Column("source_record_id", "integer", "number of the record, without gaps"),
        COMMITTED[0],
        Column("row_number", "integer", "row inside the source, from 1"),
        Column("section", "text", "part of the source"),
        Column("outcome", "text", "what became of it", values=("event", "kept", "conflict", "reject")),
        Column("code", "text", "why it is no event", null=True),
        Column("message", "text", "the reason in words", null=True),
        Column(
            "text_hash",
            "text",
            "first 32 digits of the SHA-256 of broker account, section and text; empty where it brought an event",
        ),
        Column("text", "text", "the record itself"),
        Column("record_date", "date", "trading day of its first event, else the day of the commit in UTC"),
        COMMITTED[1],
    ),
    key=("source_record_id",),
    sort=("source_record_id",),
    partition_date="record_date",
)

TRADE_LOG = Table(
    "trade_log",
    "The append-only log of events: executions leg by leg, option events, cash movements",
    (
        Column("sequence", "integer", "position in the log, without gaps"),
        Column("trade_id", "text", "unique id of the event, with leg_id"),
        Column("leg_id", "text", "leg of a multi-leg order"),
        Column("kind", "text", "what happened", values=KINDS),
        Column(
            "account_id",
            "text",
            "book that it belongs to; null: every book that holds the instrument",
            null=True,
            references="accounts.account_id",
        ),
        Column("broker_account_id", "text", "brokerage account that reported it", null=True),
        Column(
            "strategy_id",
            "text",
            "strategy, for STAR-LAB its strategy id",
            null=True,
            references="strategies.strategy_id",
        ),
        Column("order_id", "text", "order id of the Order Execution Service", null=True),
        Column("broker_order_id", "text", "order id of the broker", null=True),
        Column("broker_execution_id", "text", "execution id of the broker", null=True),
        Column(
            "instrument_id",
            "text",
            "what was traded; null for cash",
            null=True,
            references="instruments.instrument_id",
        ),
        Column(
            "new_instrument_id",
            "text",
            "what a corporate action or subscription gives",
            null=True,
            references="instruments.instrument_id",
        ),
        Column(
            "to_account_id",
            "text",
            "book that a transfer, fork or merge goes to",
            null=True,
            references="accounts.account_id",
        ),
        Column("target_id", "text", "trade_id of the event that a cancel or correct cures", null=True),
        *TERMS,
        Column("strike", "money", "strike of an option, per share", null=True, check="strike > 0"),
        Column("expiration", "date", "last day of an option", null=True),
        Column("option_type", "text", "right of the holder", null=True, values=OPTION_TYPES),
        Column(
            "action",
            "text",
            "side, and whether it opens or closes where the source says so",
            null=True,
            values=ACTIONS,
        ),
        Column("executed_at", "instant", "effective time"),
        Column("trade_date", "date", "trading day it belongs to"),
        Column(
            "quantity",
            "quantity",
            "shares or contracts, positive; null: all that is open",
            null=True,
            check="quantity > 0",
        ),
        Column("price", "money", "per unit; settlement price of a cash settlement", null=True),
        Column("multiplier", "quantity", "units per contract", null=True, check="multiplier > 0"),
        Column("gross_amount", "money", "quantity x price x multiplier, unsigned side", null=True),
        Column("commission", "money", "broker's commission, positive when paid"),
        Column("fees", "money", "exchange and regulatory fees, negative for a rebate"),
        Column(
            "net_amount",
            "money",
            "cash into the account (+) or out of it (-); null where it follows from the lots",
            null=True,
        ),
        Column("currency", "text", "currency of all amounts of the row"),
        Column("reason", "text", "why the trade was made", null=True),
        Column("delta", "money", "option delta at the execution", null=True, check="delta between -1 and 1"),
        Column("cash_category", "text", "kind of cash movement", null=True, values=CASH_CATEGORIES),
        Column("details", "json", "what only some kinds have: chosen lots, tags", null=True),
        Column("natural_key", "text", "digest that recognises a second delivery", unique=True),
        Column("execution_digest", "integer", "CRC-32 of what is one execution, which finds deliveries of it"),
        Column("trade_digest", "integer", "CRC-32 of trade id and leg"),
        Column("recorded_at", "instant", "knowledge time"),
        COMMITTED[0],
        Column("source_record_id", "integer", "its source record", references="source_records.source_record_id"),
        COMMITTED[1],
    ),
    key=("sequence",),
    sort=("account_id", "symbol", "instrument_id", "executed_at", "sequence"),
    partition_date="trade_date",
    indexes=(
        ("account_id", "symbol", "executed_at"),
        ("symbol", "executed_at"),
        ("broker_execution_id",),
        ("order_id",),
        ("strategy_id",),
        ("target_id",),
    ),
    unique=(("trade_id", "leg_id"),),
    checks=(
        (
            "kind in ('cash', 'fork', 'merge', 'lot_method', 'cancel', 'correct', 'chain_join', 'chain_split',"
            " 'chain_name') or instrument_id is not null"
        ),
        (
            "kind in ('split', 'cash_dividend', 'return_of_capital', 'spin_off', 'rights_issue', 'merger',"
            " 'symbol_change', 'option_adjust', 'cancel', 'correct') or account_id is not null"
        ),
        "kind not in ('cancel', 'correct') or target_id is not null",
        "kind not in ('transfer', 'fork', 'merge') or to_account_id is not null",
        (
            "kind <> 'trade' or (action is not null and quantity is not null and price is not null"
            " and net_amount is not null)"
        ),
        ("asset_type <> 'OPTION' or (strike is not null and expiration is not null and option_type is not null)"),
        "kind <> 'trade' or asset_type <> 'OPTION' or trade_date <= expiration",
    ),
)

CORPORATE_ACTIONS = Table(
    "corporate_actions",
    "Terms of corporate actions, one row per event of the log that is one",
    (
        Column("sequence", "integer", "its event", references="trade_log.sequence"),
        Column("action_type", "text", "split, dividend, spin-off, merger ..."),
        Column("instrument_id", "text", "what it happened to", references="instruments.instrument_id"),
        Column(
            "new_instrument_id",
            "text",
            "what came out of it",
            null=True,
            references="instruments.instrument_id",
        ),
        Column("effective_at", "instant", "start of the ex-date"),
        Column("ratio_new", "integer", "new units ...", null=True, check="ratio_new > 0"),
        Column("ratio_old", "integer", "... for so many old ones", null=True, check="ratio_old > 0"),
        Column("amount_per_unit", "money", "cash per unit", null=True),
        Column("basis_fraction", "money", "share of the basis that moves", null=True),
        *COMMITTED,
    ),
    key=("sequence",),
    sort=("sequence",),
    indexes=(("instrument_id", "effective_at"),),
)
