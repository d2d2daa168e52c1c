"""Chains: the campaigns that rolls, assignments and covered calls form together; computed when they are read."""

from tradelake.tables.columns import STATUSES, Column, Table
from tradelake.tables.reference import TERMS

CHAIN_LABELS = (
    "wheel",
    "covered_call",
    "protective_put",
    "collar",
    "long_stock",
    "short_stock",
    "short_put",
    "long_put",
    "short_call",
    "long_call",
    "vertical",
    "calendar",
    "diagonal",
    "straddle",
    "strangle",
    "iron_condor",
    "iron_butterfly",
    "butterfly",
    "condor",
    "ratio_spread",
    "custom",
)
RESULTS = (
    Column("realized_pnl", "money", "realized since it was opened"),
    Column("realized_premium", "money", "what the economic view adds to realized_pnl"),
    Column("cost_basis", "money", "what was paid for the open lots, negative for shorts"),
    Column("premium", "money", "premium of exercised options inside that basis"),
    Column("unrealized_pnl", "money", "null without marks", null=True),
)

CHAINS = Table(
    "chains",
    "Chains: positions of one account and currency that belong together, from the first opening to the last close",
    (
        Column("chain_id", "text", "position_id of its first position", references="positions.position_id"),
        Column("account_id", "text", "book that holds it", references="accounts.account_id"),
        Column("symbol", "text", "symbol of its first position", null=True),
        Column("currency", "text", "currency of all amounts of the row"),
        Column("label", "text", "what it is, by the legs that were opened together first", values=CHAIN_LABELS),
        Column("name", "text", "name that a tag or a person gave it", null=True),
        Column("status", "text", "CLOSED once all its positions are", values=STATUSES),
        Column("opened_at", "instant", "when its first position was opened"),
        Column("open_date", "date", "trading day of opened_at"),
        Column("closed_at", "instant", "when its last position was closed; null while one is open", null=True),
        Column("positions", "integer", "positions from flat to flat"),
        Column("rolls", "integer", "times that options were bought back and sold again in another contract"),
        Column("assignments", "integer", "exercises and assignments of its options"),
        Column("net_credit", "money", "option premium received less paid, after charges"),
        *RESULTS,
    ),
    key=("chain_id",),
    sort=("account_id", "opened_at"),
)

CHAIN_POSITIONS = Table(
    "chain_positions",
    "Which chain a position belongs to, one row per position, open or closed",
    (
        Column("chain_id", "text", "its chain", references="chains.chain_id"),
        Column("position_id", "text", "position from flat to flat", references="positions.position_id"),
        Column("account_id", "text", "book that holds it", references="accounts.account_id"),
        Column("instrument_id", "text", "what is held", references="instruments.instrument_id"),
        *TERMS,
        Column("currency", "text", "currency of all amounts of the row"),
        Column("side", "text", "LONG or SHORT", values=("LONG", "SHORT")),
        Column("quantity", "quantity", "signed units held; 0 once closed"),
        Column("opened_at", "instant", "when it was last flat"),
        Column("open_date", "date", "trading day of opened_at"),
        Column("closed_at", "instant", "when it was flat again; null while open", null=True),
        Column("status", "text", "OPEN or CLOSED", values=STATUSES),
        *RESULTS,
    ),
    key=("position_id",),
    sort=("account_id", "chain_id", "opened_at"),
)
