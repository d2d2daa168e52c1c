"""Profit of any group is what its rows add up to: those of the ledger, and those of the matches."""

from contextlib import contextmanager
from decimal import Decimal as D
from typing import Any

import polars as pl
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.laws.books import BOOKS, new_book
from tests.reference.fuzz import Gen
from tradelake.book import Book
from tradelake.jobs.scenario import executions
from tradelake.positions import BY_COLUMNS

fresh_book = contextmanager(new_book)
WITHOUT_SHRINKING = (Phase.explicit, Phase.reuse, Phase.generate)
SUMS = {"dividends": "dividends", "interest": "interest", "fees": "charges", "cash": "amount"}
COLUMNS = {"account": "account_id", "symbol": "symbol", "strategy": "strategy_id", "instrument": "instrument_id"}
FORMS = {"date": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}
# Of everything, and of trades, exercises and cash with their cures.
WEIGHTS: list[dict[str, int] | None] = [
    None,
    {"stock": 30, "option": 20, "exercise": 8, "cash": 8, "cancel": 3, "correct": 3},
]
FRACTIONS = st.integers(1, 9)


def added(rows: pl.DataFrame, by: list[str], day: str, sums: dict[str, str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Add up rows one by one, by group and currency."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows.iter_rows(named=True):
        names = [row[day].strftime(FORMS[name]) if name in FORMS else row[COLUMNS[name]] for name in by]
        group = found.setdefault((*names, row["currency"]), dict.fromkeys(sums, D(0)) | {"rows": 0})
        for name, column in sums.items():
            group[name] += row[column]
        group["rows"] += row.get("kind") == "trade" or day == "close_date"
    return found


def check(book: Book, by: list[str], filters: dict[str, Any]) -> None:
    """Compare what a book answers with what its rows add up to."""
    answer = book.pnl(by, **filters)
    ledger = added(book.ledger(**filters), by, "trade_date", SUMS)
    realized = {}
    if "strategy" not in by:
        realized = added(book.matches(**filters), by, "close_date", {"realized_pnl": "realized_pnl"})
        assert answer.height == len(ledger.keys() | realized.keys())
    if len(by) == 1 and "strategy" not in by:
        economic = added(book.matches(view="economic", **filters), by, "close_date", {"realized_pnl": "realized_pnl"})
        assert sum(book.pnl(by, view="economic", **filters)["realized_pnl"], D(0)) == sum(
            (group["realized_pnl"] for group in economic.values()), D(0)
        )
    for row in answer.iter_rows(named=True):
        names = [str(value) if name == "date" else value for name, value in zip(by, row.values(), strict=False)]
        group = (*names, row["currency"])
        moved = ledger.get(group, dict.fromkeys(SUMS, D(0)) | {"rows": 0})
        assert {name: row[name] for name in SUMS} | {"rows": row["trades"]} == moved, (by, filters, group)
        if "strategy" not in by:
            closed = realized.get(group, {"realized_pnl": D(0), "rows": 0})
            assert (row["realized_pnl"], row["matches"]) == tuple(closed.values()), (by, filters, group)


@settings(max_examples=BOOKS, phases=WITHOUT_SHRINKING)
@given(
    seed=st.integers(0, 10**9),
    weights=st.sampled_from(WEIGHTS),
    folded=st.integers(0, 10),
    by=st.lists(st.lists(st.sampled_from(BY_COLUMNS), unique=True, max_size=3), min_size=4, max_size=4),
    place=FRACTIONS,
    one=st.integers(0, 100),
)
def test_profit_by_any_group_is_what_its_rows_add_up_to(seed, weights, folded, by, place, one):
    scenario = Gen(seed, 60, "full", 0.05, weights=weights).run()
    rows = [row | {"strategy_id": f"S{number % 3}"} for number, row in enumerate(executions(scenario["events"]))]
    with fresh_book(scenario) as book:
        cut = len(rows) * folded // 10
        book.record(rows[:cut])
        book.fold()
        book.record(rows[cut:])
        told = book.trades()
        days, names = told["trade_date"].sort(), told.select("account_id", "symbol").drop_nulls().unique().sort("*")
        day = days[len(days) * place // 10]
        account, symbol = names.row(one % names.height)
        questions: list[dict[str, Any]] = [
            {}, {"account": account}, {"symbol": symbol}, {"since": day}, {"until": day, "account": account},
            {"as_of": day}, {"as_known": told["recorded_at"].max(), "since": day},
        ]  # fmt: skip
        for groups in by:
            for filters in questions:
                check(book, groups, filters)
