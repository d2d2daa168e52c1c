"""What a night adds: marks, snapshots of a session close, the life of breaks with the broker, and the nights done.

Rows are added and never changed: a mark that is revised, a snapshot that late events correct and a break that moves on
each get another row, which is as known as its `recorded_at` says.
"""

from tradelake.tables.columns import COMMITTED, Column, Table
from tradelake.tables.derived import POSITION_COLUMNS

BREAK_SECTIONS = ("executions", "positions", "lots", "cash", "realized")
BREAK_CLASSES = (
    "missing_here",
    "missing_there",
    "quantity",
    "price",
    "fee",
    "multiplier",
    "stale_split",
    "timing",
    "symbol_change",
    "unknown",
)
BREAK_STATUSES = ("OPEN", "EXPLAINED", "ACCEPTED", "RESOLVED")
BREAK_ACTIONS = ("opened", "changed", "explained", "accepted", "applied", "resolved", "reopened")
COMMIT = (Column("recorded_at", "instant", "knowledge time"), *COMMITTED)

MARKS = Table(
    "marks",
    "Prices at the close of a session; the highest revision that is known counts",
    (
        Column("instrument_id", "text", "what is priced", references="instruments.instrument_id"),
        Column("mark_date", "date", "trading day at whose close it is the price"),
        Column("revision", "integer", "1 for the first price of that day, then counted up"),
        Column("price", "money", "per unit; of an option per share of its contract", check="price >= 0"),
        Column("currency", "text", "currency of the price"),
        Column("source", "text", "who gave it: a file, a statement, a callback"),
        *COMMIT,
    ),
    key=("instrument_id", "mark_date", "revision"),
    sort=("mark_date", "instrument_id", "revision"),
    partition_date="mark_date",
    indexes=(("mark_date",),),
)

POSITION_SNAPSHOTS = Table(
    "position_snapshots",
    "Positions at the close of a session, one row each; they belong to the account snapshot of their version",
    (
        Column("snapshot_date", "date", "trading day at whose close it was held"),
        Column("version", "integer", "version of the account's snapshot of that day"),
        *POSITION_COLUMNS,
        Column("quantity", "quantity", "signed units held", check="quantity <> 0"),
        Column("cost_basis", "money", "what was paid for it, negative for a short"),
        Column("premium", "money", "premium of exercised options inside the basis"),
        Column("mark_price", "money", "newest price up to that day; null without one", null=True),
        Column("mark_date", "date", "trading day of that price", null=True),
        Column("market_value", "money", "quantity x multiplier x mark_price; null without a mark", null=True),
        Column("unrealized_pnl", "money", "market_value - cost_basis; null without a mark", null=True),
        *COMMIT,
    ),
    key=("snapshot_date", "account_id", "instrument_id", "version"),
    sort=("snapshot_date", "account_id", "symbol", "instrument_id", "version"),
    partition_date="snapshot_date",
    indexes=(("account_id", "snapshot_date"),),
)

ACCOUNT_SNAPSHOTS = Table(
    "account_snapshots",
    "Accounts at the close of a session, one row per currency; the highest version that is known counts",
    (
        Column("snapshot_date", "date", "trading day at whose close it stood so"),
        Column("account_id", "text", "book", references="accounts.account_id"),
        Column("currency", "text", "currency of all amounts of the row"),
        Column("version", "integer", "1 for the first snapshot of that day; late events and marks make another"),
        Column("positions", "integer", "open positions"),
        Column("unmarked", "integer", "open positions without a mark; they are in no value"),
        Column("cash", "money", "cash balance that the events give"),
        Column("deposits", "money", "deposits and withdrawals to date, transfers and forks of cash included"),
        Column("cost_basis", "money", "cost basis of the open positions"),
        Column("premium", "money", "premium of exercised options inside the basis"),
        Column("market_value", "money", "value of the positions that have a mark"),
        Column("unrealized_pnl", "money", "unrealized profit of the positions that have a mark"),
        Column("realized_pnl", "money", "realized to date"),
        Column("realized_premium", "money", "what the economic view adds to realized_pnl"),
        Column("dividends", "money", "dividends to date"),
        Column("interest", "money", "interest to date"),
        Column("fees", "money", "charges and fees to date"),
        Column("sequence", "integer", "head of the log that it follows from"),
        *COMMIT,
    ),
    key=("snapshot_date", "account_id", "currency", "version"),
    sort=("snapshot_date", "account_id", "currency", "version"),
    partition_date="snapshot_date",
    indexes=(("account_id", "snapshot_date"),),
)

BREAK_EVENTS = Table(
    "break_events",
    "The life of breaks: each row is one step of one difference between us and the broker",
    (
        Column("break_id", "text", "the difference; the same one night after night"),
        Column("step", "integer", "steps of a break, from 1"),
        Column("action", "text", "what happened to it", values=BREAK_ACTIONS),
        Column("status", "text", "where that leaves it", values=BREAK_STATUSES),
        Column("broker_account_id", "text", "brokerage account whose statement differs"),
        Column("section", "text", "what differs", values=BREAK_SECTIONS),
        Column("break_class", "text", "kind of difference", values=BREAK_CLASSES),
        Column("instrument_id", "text", "instrument; null for cash", null=True),
        Column("broker_execution_id", "text", "execution that differs, where it is one", null=True),
        Column("as_of", "date", "last day of the statement that it was seen in, or settled by"),
        Column("ours", "money", "our side; null where we have nothing", null=True),
        Column("theirs", "money", "the broker's side; null where it has nothing", null=True),
        Column("cause", "text", "what explains it, in words", null=True),
        Column("details", "json", "proposed events, what follows from it, both sides in full", null=True),
        Column("author", "text", "who took the step"),
        Column("reason", "text", "why, in the author's words", null=True),
        *COMMIT,
    ),
    key=("break_id", "step"),
    sort=("break_id", "step"),
)

NIGHTS = Table(
    "nights",
    "Nightly runs that were completed",
    (
        Column("nightly_date", "date", "trading day whose close it is about"),
        Column("run", "integer", "runs of that day, from 1"),
        Column("sequence", "integer", "head of the log when it was done"),
        Column("report", "json", "what it found"),
        *COMMIT,
    ),
    key=("nightly_date", "run"),
    sort=("nightly_date", "run"),
)
