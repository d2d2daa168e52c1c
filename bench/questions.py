"""Fifty questions to a book, to be asked before and after something that must not change the answers."""

from collections.abc import Callable
from typing import Any

import polars as pl

import tradelake as tl

Answer = Callable[[tl.Book], pl.DataFrame]
DERIVED = ("positions", "lots", "matches", "history", "refusals")
SQL = (
    "SELECT kind, count(*) AS events, sum(net_amount) AS cash FROM trade_log GROUP BY ALL ORDER BY ALL",
    "SELECT account_id, symbol, sum(quantity) AS units FROM Trades GROUP BY ALL ORDER BY ALL",
    "SELECT count(*) AS records, min(source_record_id) AS first FROM source_records",
    "SELECT l.trade_id, r.text FROM trade_log l JOIN source_records r USING (source_record_id) ORDER BY ALL",
    "SELECT symbol, sum(realized_pnl) AS profit FROM matches GROUP BY ALL ORDER BY ALL",
    "SELECT m.position_id, l.price FROM matches m JOIN trade_log l ON l.sequence = m.close_sequence ORDER BY ALL",
)


def questions(*, day: str, known: str, symbol: str, account: str) -> dict[str, Answer]:
    """Return fifty questions by name, some of them about a day, an instant of knowledge, a symbol and an account."""
    found: dict[str, Answer] = {}

    def ask(name: str, method: str, *given: Any, **filters: Any) -> None:
        found[name] = lambda book: getattr(book, method)(*given, **filters)

    for name in ("trades", *DERIVED):
        ask(name, name)
        ask(f"{name} of a symbol", name, symbol=symbol)
        ask(f"{name} of an account", name, account=account)
        if name != "refusals":
            ask(f"{name} since", name, since=day)
        ask(f"{name} as of", name, as_of=day)
        ask(f"{name} as known", name, as_known=known)
    for name in ("cash", "ledger", "pnl", "bridge", "chains", "chain_positions"):
        ask(name, name)
        ask(f"{name} as of", name, as_of=day)
    ask("profit by strategy", "pnl", ["account", "strategy", "month"])
    ask("events in effect", "trades", in_effect=True)
    for number, query in enumerate(SQL, start=1):
        found[f"sql {number}"] = _select(query)
    return found


def _select(query: str) -> Answer:
    return lambda book: book.sql(query).pl()
