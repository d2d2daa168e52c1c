"""The frames of a nightly report: every column once, with its type and meaning.

The definitions are of the same kind as those of stored tables, but no book stores them: the book's JSON of a night
holds them as lists of objects whose fields are these columns, in this order.
"""

from tradelake.tables import ACCOUNT_SNAPSHOTS, Column, Table

_COMMIT = ("recorded_at", "import_run_id", "row_check")
_ACCOUNT = tuple(column for column in ACCOUNT_SNAPSHOTS.columns if column.name not in _COMMIT)
_SUMS = tuple(column for column in _ACCOUNT if column.type == "money")
TODAY = (
    Column("net_liquidation", "money", "cash + market_value; null where a position has no mark", null=True),
    Column(
        "pnl_today", "money", "change of net_liquidation in the session without deposits; null if unknown", null=True
    ),
    Column("realized_today", "money", "realized in the session; null if unknown", null=True),
)
_HELD = (
    Column("account_id", "text", "book that holds it"),
    Column("instrument_id", "text", "what is held"),
    Column("symbol", "text", "underlying, or the stock itself", null=True),
    Column("contract_symbol", "text", "21-character OSI symbol of an option", null=True),
    Column("currency", "text", "currency of all amounts of the row"),
    Column("quantity", "quantity", "signed units held"),
)

ACCOUNTS = Table(
    "accounts",
    "Accounts at the close of the session, one row per currency",
    (*_ACCOUNT, *TODAY),
    key=("account_id", "currency"),
)

TOTALS = Table(
    "totals",
    "All accounts together, one row per currency; a sum is null where one of its parts is unknown",
    (
        Column("currency", "text", "currency of all amounts of the row"),
        Column("accounts", "integer", "accounts with that currency"),
        Column("positions", "integer", "open positions"),
        Column("unmarked", "integer", "open positions without a mark; they are in no value"),
        *_SUMS,
        *TODAY,
    ),
    key=("currency",),
)

EQUITY = Table(
    "equity",
    "Accounts at the close of the last sessions (up to 90), the night's own included, oldest first",
    (
        Column("snapshot_date", "date", "trading day"),
        Column("account_id", "text", "book"),
        Column("currency", "text", "currency of all amounts of the row"),
        TODAY[0],
        Column("cash", "money", "cash balance"),
        Column("market_value", "money", "value of the positions that have a mark"),
        TODAY[2],
    ),
    key=("snapshot_date", "account_id", "currency"),
)

EXPOSURE = Table(
    "exposure",
    "What is held of each underlying, shares and options together, all accounts",
    (
        Column("symbol", "text", "underlying, or the stock itself"),
        Column("currency", "text", "currency of all amounts of the row"),
        Column("positions", "integer", "open positions"),
        Column("unmarked", "integer", "open positions without a mark; they are in no value"),
        Column("long_value", "money", "value of the long positions with a mark; null where none has one", null=True),
        Column("short_value", "money", "value of the short ones, negative; null where none has a mark", null=True),
        Column("unrealized_pnl", "money", "unrealized profit; null where none has a mark", null=True),
    ),
    key=("symbol", "currency"),
)

MOVERS = Table(
    "movers",
    "Positions whose unrealized profit changed most in the session, largest change first",
    (
        *_HELD,
        Column("cost_basis", "money", "what was paid for it, negative for a short"),
        Column("mark_price", "money", "newest price up to that day"),
        Column("mark_date", "date", "trading day of that price"),
        Column("market_value", "money", "quantity x multiplier x mark_price"),
        Column("unrealized_pnl", "money", "market_value - cost_basis"),
        Column("unrealized_change", "money", "change since the session before"),
    ),
    key=("account_id", "instrument_id"),
)

BREAKS = Table(
    "breaks",
    "Differences with the broker that are not resolved, as they stand",
    (
        Column("break_id", "text", "the difference; the same one night after night"),
        Column("status", "text", "OPEN, or EXPLAINED and not settled"),
        Column("broker_account_id", "text", "brokerage account whose statement differs"),
        Column("section", "text", "what differs"),
        Column("break_class", "text", "kind of difference"),
        Column("instrument_id", "text", "instrument; null for cash", null=True),
        Column("ours", "money", "our side; null where we have nothing", null=True),
        Column("theirs", "money", "the broker's side; null where it has nothing", null=True),
        Column("cause", "text", "what explains it, in words", null=True),
        Column("age", "integer", "trading days since it was opened, 0 for tonight"),
    ),
    key=("break_id",),
)

PROPOSALS = Table(
    "proposals",
    "Events that would settle a break, for somebody to confirm; none of them is booked",
    (
        Column("break_id", "text", "break that it would settle", null=True),
        Column("account_id", "text", "book; null where somebody has to choose it", null=True),
        Column("kind", "text", "kind of event"),
        Column("instrument_id", "text", "instrument; null for cash", null=True),
        Column("trade_date", "date", "trading day that it would have", null=True),
        Column("quantity", "quantity", "signed units", null=True),
        Column("price", "money", "per unit", null=True),
        Column("amount", "money", "cash into the account (+) or out of it (-)", null=True),
        Column("text", "text", "what would be booked, in words"),
        Column("command", "text", "command line that books it", null=True),
    ),
    key=(),
)

UNMARKED = Table(
    "unmarked",
    "Positions without a mark; they are listed and never valued",
    (*_HELD, Column("cost_basis", "money", "what was paid for it, negative for a short")),
    key=("account_id", "instrument_id"),
)

BUFFERS = Table(
    "buffers",
    "Cash that each account keeps back",
    (
        Column("account_id", "text", "book"),
        Column("currency", "text", "currency of all amounts of the row"),
        Column("cash", "money", "cash balance"),
        Column("required", "money", "5 % of net_liquidation; null where that is unknown", null=True),
        Column("surplus", "money", "cash - required; negative: short by that much", null=True),
    ),
    key=("account_id", "currency"),
)

EXPIRING = Table(
    "expiring",
    "Options that expire within 5 sessions, the next ones first",
    (
        *_HELD,
        Column("expiration", "date", "last day of the contract"),
        Column("sessions_left", "integer", "sessions after this one, up to and with that of the expiration"),
        Column("option_type", "text", "CALL or PUT"),
        Column("strike", "money", "price per share"),
        Column("underlying_price", "money", "newest mark of the underlying; null without one", null=True),
        Column("unrealized_pnl", "money", "unrealized profit; null without a mark", null=True),
    ),
    key=("account_id", "instrument_id"),
)

FRAMES: dict[str, Table] = {
    table.name: table
    for table in (
        ACCOUNTS,
        TOTALS,
        EQUITY,
        EXPOSURE,
        MOVERS,
        BREAKS,
        PROPOSALS,
        UNMARKED,
        BUFFERS,
        EXPIRING,
    )
}
