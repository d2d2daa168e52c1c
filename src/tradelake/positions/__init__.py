"""Pure derivations from lots and matches: positions and their history, chains, profit and loss, the two views."""

from tradelake.positions.chains import ROLL_WINDOW, Chains, chains_in_view, chains_of
from tradelake.positions.pnl import BY_COLUMNS, cash_ledger, profit
from tradelake.positions.slices import LOT_COLUMNS, SHARED, SLICE_COLUMNS, positions_at
from tradelake.positions.summary import Summary, summarise
from tradelake.positions.views import bridge, check_view, in_view

__all__ = [
    "BY_COLUMNS",
    "LOT_COLUMNS",
    "ROLL_WINDOW",
    "SHARED",
    "SLICE_COLUMNS",
    "Chains",
    "Summary",
    "bridge",
    "cash_ledger",
    "chains_in_view",
    "chains_of",
    "check_view",
    "in_view",
    "positions_at",
    "profit",
    "summarise",
]
