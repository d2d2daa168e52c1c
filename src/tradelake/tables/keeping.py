"""How long things are kept: legal holds, and what stays of events that were deleted when their time was over.

All of it is told, bound by the hash chain, and only grows.
"""

from tradelake.tables.columns import Column, Table
from tradelake.tables.nights import COMMIT

HOLD_STEPS = ("placed", "released")
CLOSED = ("lots", "positions", "matches", "position_history", "cash_flows", "refusals", "totals")

HOLDS = Table(
    "holds",
    "Legal holds: events of an account or symbol that may not be deleted; one row per step, the newest counts",
    (
        Column("hold_id", "text", "the hold"),
        Column("step", "text", "what happened to it", values=HOLD_STEPS),
        Column("account_id", "text", "book; null: every one", null=True, references="accounts.account_id"),
        Column("symbol", "text", "stock or underlying, as events name it; null: every one", null=True),
        Column("reason", "text", "why, in the author's words"),
        Column("author", "text", "who took the step"),
        *COMMIT,
    ),
    key=("hold_id", "import_run_id"),
    sort=("hold_id", "import_run_id"),
    checks=("account_id IS NOT NULL OR symbol IS NOT NULL",),
)

DELETED_LEAVES = Table(
    "deleted_leaves",
    "What stands in the hash chain for rows that were deleted; the newest row of a commit and month counts",
    (
        Column("table_name", "text", "table that had the rows"),
        Column("of_run_id", "integer", "commit that had brought them"),
        Column("month", "text", "month of the rows, as 2026-01"),
        Column("rows", "integer", "rows that the commit brought to the month", check="rows > 0"),
        Column("digest", "text", "SHA-256 of all these rows, which the link of the commit has"),
        Column("rest_rows", "integer", "rows of them that are still there"),
        Column("rest_digest", "text", "SHA-256 of those; empty where there are none"),
        *COMMIT,
    ),
    key=("table_name", "of_run_id", "month", "import_run_id"),
    sort=("import_run_id", "table_name", "of_run_id", "month"),
)

CLOSINGS = Table(
    "closings",
    "How the book stood when it was closed up to an instant, since events before it were deleted; the newest counts",
    (
        Column("number", "integer", "row of the closing, from 1"),
        Column("closed_until", "instant", "nothing is recorded any more that happened by then"),
        Column("subject", "text", "table that it is about, or totals", values=CLOSED),
        Column("details", "json", "an open lot, a position, totals of an account; of other tables what is final"),
        *COMMIT,
    ),
    key=("import_run_id", "number"),
    sort=("import_run_id", "number"),
)
