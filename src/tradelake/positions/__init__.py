"""Pure derivations from lots and matches: positions and their history, chains, profit and loss, the two views."""

from tradelake.positions.chains import ROLL_WINDOW, Chains, chains_in_view, chains_of
from tradelake.positions.pnl import BY_COLUMNS, cash_ledger, profit
from tradelake.positions.summary import Summary, summarise
from tradelake.positions.views import bridge, check_view, in_view

__all__ = [
    "BY_COLUMNS",
    "ROLL_WINDOW",
    "Chains",
    "Summary",
    "bridge",
    "cash_ledger",
    "chains_in_view",
    "chains_of",
    "check_view",
    "in_view",
    "profit",
    "summarise",
]
