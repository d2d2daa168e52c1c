"""Pure derivations from lots and matches: positions and their history, chains, profit and loss, the two views."""

from tradelake.positions.capital import BUFFER, CAPITAL, FORK_SURPLUS, MERGE_VALUE, capital
from tradelake.positions.chains import ROLL_WINDOW, Chains, chains_in_view, chains_of
from tradelake.positions.expiring import PROPOSALS, expired_options, proposal_rows
from tradelake.positions.marking import with_marks
from tradelake.positions.pnl import BY_COLUMNS, cash_ledger, check_by, profit, profit_to_date, with_sums
from tradelake.positions.slices import LOT_COLUMNS, SHARED, SLICE_COLUMNS, positions_at
from tradelake.positions.snapshots import (
    OF_ACCOUNT,
    TOTALS,
    account_snapshots,
    added,
    differing,
    no_totals,
    nothing_of,
    position_snapshots,
    totals_of,
)
from tradelake.positions.summary import NOTHING_REALIZED, REALIZED, Summary, summarise
from tradelake.positions.views import bridge, check_view, in_view

__all__ = [
    "BUFFER",
    "BY_COLUMNS",
    "CAPITAL",
    "FORK_SURPLUS",
    "LOT_COLUMNS",
    "MERGE_VALUE",
    "NOTHING_REALIZED",
    "OF_ACCOUNT",
    "PROPOSALS",
    "REALIZED",
    "ROLL_WINDOW",
    "SHARED",
    "SLICE_COLUMNS",
    "TOTALS",
    "Chains",
    "Summary",
    "account_snapshots",
    "added",
    "bridge",
    "capital",
    "cash_ledger",
    "chains_in_view",
    "chains_of",
    "check_by",
    "check_view",
    "differing",
    "expired_options",
    "in_view",
    "no_totals",
    "nothing_of",
    "position_snapshots",
    "positions_at",
    "profit",
    "profit_to_date",
    "proposal_rows",
    "summarise",
    "totals_of",
    "with_marks",
    "with_sums",
]
