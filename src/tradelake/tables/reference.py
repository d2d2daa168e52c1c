"""What events refer to: accounts, instruments and strategies."""

from tradelake.tables.columns import (
    ASSET_TYPES,
    COMMITTED,
    EXERCISE_STYLES,
    LOT_METHODS,
    OPTION_TYPES,
    SETTLEMENTS,
    Column,
    Table,
)

TERMS = (
    Column("symbol", "text", "underlying, or the stock itself", null=True),
    Column("contract_symbol", "text", "21-character OSI symbol of an option", null=True),
    Column("asset_type", "text", "kind of instrument", null=True, values=ASSET_TYPES),
)

ACCOUNTS = Table(
    "accounts",
    "Books that own positions: Gen-Acc, Rev-Acc, Com-Acc and forks; several may share one broker account",
    (
        Column("account_id", "text", "our name of the book"),
        Column("broker_account_id", "text", "the brokerage account that holds it"),
        Column("account_type", "text", "GEN, REV, COM or another role", null=True),
        Column(
            "parent_account_id",
            "text",
            "account that this one was forked from",
            null=True,
            references="accounts.account_id",
        ),
        Column("lot_method", "text", "which lot a sale closes first", values=LOT_METHODS),
        Column("base_currency", "text", "currency of the account"),
        Column(
            "allocation_pattern",
            "text",
            "order references of the broker that belong here, as a glob",
            null=True,
        ),
        Column("allocation_default", "boolean", "takes the broker's rows that no pattern claims"),
        Column("recorded_at", "instant", "when we were told"),
        *COMMITTED,
    ),
    key=("account_id",),
    sort=("account_id",),
    indexes=(("broker_account_id",),),
)

INSTRUMENTS = Table(
    "instruments",
    "What is traded: stocks, options, indexes, rights",
    (
        Column("instrument_id", "text", "ticker or OSI symbol; with :CURRENCY where that is not USD"),
        Column("symbol", "text", "underlying, or the stock itself"),
        Column("contract_symbol", "text", "21-character OSI symbol of an option", null=True),
        Column("asset_type", "text", "kind of instrument", values=ASSET_TYPES),
        Column("currency", "text", "currency of its price"),
        Column("underlying_instrument_id", "text", "what an option is written on", null=True),
        Column("strike", "money", "price per share", null=True, check="strike > 0"),
        Column("expiration", "date", "last day of the contract", null=True),
        Column("option_type", "text", "right of the holder", null=True, values=OPTION_TYPES),
        Column("multiplier", "quantity", "units per contract", check="multiplier > 0"),
        Column("settlement", "text", "what an exercise delivers", null=True, values=SETTLEMENTS),
        Column("exercise_style", "text", "when it may be exercised", null=True, values=EXERCISE_STYLES),
        Column(
            "deliverable",
            "json",
            "what one adjusted contract delivers: list of instrument_id and quantity, or cash",
            null=True,
        ),
        Column("broker_contract_id", "text", "the broker's id of the contract", null=True),
        Column("isin", "text", "ISIN", null=True),
        Column("description", "text", "the broker's name of it", null=True),
        Column("recorded_at", "instant", "when we were told"),
        *COMMITTED,
    ),
    key=("instrument_id",),
    sort=("instrument_id",),
    indexes=(("symbol",), ("expiration",)),
    checks=(
        (
            "asset_type <> 'OPTION' or (strike is not null and expiration is not null"
            " and option_type is not null and underlying_instrument_id is not null)"
        ),
    ),
)

STRATEGIES = Table(
    "strategies",
    "Strategies that trades belong to, our own and those of STAR-LAB",
    (
        Column("strategy_id", "text", "id of the strategy, for STAR-LAB its strategy id"),
        Column("origin", "text", "ALL-USE or STAR-LAB"),
        Column("recorded_at", "instant", "when we first saw it"),
        *COMMITTED,
    ),
    key=("strategy_id",),
    sort=("strategy_id",),
)
