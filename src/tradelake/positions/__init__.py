"""Pure derivations from lots and matches: open positions, position history, profit and loss."""

from tradelake.positions.pnl import BY_COLUMNS, cash_ledger, profit
from tradelake.positions.summary import Summary, summarise

__all__ = ["BY_COLUMNS", "Summary", "cash_ledger", "profit", "summarise"]
