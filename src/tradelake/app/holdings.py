"""The pages of what is held, with its marks, and of what was closed."""

import polars as pl

from tradelake.app.asked import ORDERS, Asked
from tradelake.app.behind import behind
from tradelake.app.door import Opened
from tradelake.app.views import (
    ROWS_OF_A_PAGE,
    Block,
    Card,
    Rows,
    View,
    count_line,
    ids,
    money_lines,
    nothing,
    page_there,
    turned,
)
from tradelake.outputs.layouts import Shown, contract_label
from tradelake.outputs.report.markup import Html

SQL_ORDERS = {
    "newest": "closed_at DESC, position_id",
    "largest gain": "realized_pnl DESC, position_id",
    "largest loss": "realized_pnl, position_id",
    "account and symbol": "account_id, symbol, instrument_id, closed_at",
}
ORDERED: dict[str, tuple[list[str], list[bool]]] = {
    "account and symbol": (["account_id", "symbol", "instrument_id"], [False] * 3),
    "largest gain": (["unrealized_pnl", "position_id"], [True, False]),
    "largest loss": (["unrealized_pnl", "position_id"], [False, False]),
    "oldest": (["opened_at", "position_id"], [False, False]),
}
HELD: tuple[Shown, ...] = (
    Shown("account", pl.col("account_id")),
    Shown("contract", contract_label()),
    Shown("quantity", pl.col("quantity"), "number"),
    Shown("cost basis", pl.col("cost_basis"), "money"),
    Shown("mark", pl.col("mark_price"), "money"),
    Shown("market value", pl.col("market_value"), "money"),
    Shown("unrealized", pl.col("unrealized_pnl"), "profit"),
    Shown("realized", pl.col("realized_pnl"), "profit"),
    Shown("ccy", pl.col("currency")),
    Shown("opened", pl.col("open_date")),
)
CLOSED_SUMS = "count(*) AS rows, sum(realized_pnl) AS realized_pnl, sum(proceeds) AS proceeds, sum(cost) AS cost"


def positions_page(opened: Opened, asked: Asked) -> View:
    """Return the open positions with their marks, a page of them, their sums, and the one that is opened."""
    rows = held(opened, asked)
    sums = sums_of_held(rows)
    shown, number = turned(ordered(rows, asked.order or ORDERS["positions"][0]), asked.number)
    unmarked = int(sums["unmarked"].sum())
    accounts = rows["account_id"].n_unique()
    cards = (
        Card("Positions", count_line(rows.height), f"in {accounts:,} account{'s' * (accounts != 1)}"),
        Card("Market value", money_lines(sums, "market_value", profit=False), _marked(rows.height, unmarked)),
        Card("Unrealized", money_lines(sums, "unrealized_pnl", profit=True), _marked(rows.height, unmarked)),
        Card("Realized", money_lines(sums, "realized_pnl", profit=True), "of these positions, since they were opened"),
    )
    table: Html | Rows = nothing("No positions.")
    if rows.height:
        table = Rows(
            "positions",
            "Open positions",
            shown,
            HELD,
            key="open",
            opens=ids(shown, "position_id"),
            total=rows.height,
            number=number,
        )
    blocks = [Block("Open positions", (table,), _count(rows.height))]
    if asked.open:
        blocks = [*behind(opened, asked, rows.filter(position_id=asked.open), is_open=True), *blocks]
    return View("Positions", "", cards, tuple(blocks))


def history_page(opened: Opened, asked: Asked) -> View:
    """Return the closed positions, a page of them, their sums, and the one that is opened."""
    shown, sums, number = closed(opened, asked)
    total = int(sums["rows"].sum())
    cards = (
        Card("Closed positions", count_line(total), "each from flat to flat"),
        Card("Realized", money_lines(sums, "realized_pnl", profit=True), "of these positions"),
        Card("Proceeds", money_lines(sums, "proceeds", profit=False)),
        Card("Cost", money_lines(sums, "cost", profit=False)),
    )
    table: Html | Rows = nothing("Nothing has been closed.")
    if total:
        table = Rows(
            "history",
            "Closed positions",
            shown,
            "history",
            key="open",
            opens=ids(shown, "position_id"),
            total=total,
            number=number,
        )
    blocks = [Block("Closed positions", (table,), _count(total))]
    if asked.open:
        found = one_closed(opened, asked)
        blocks = [*behind(opened, asked, found, is_open=False), *blocks]
    return View("History", "", cards, tuple(blocks))


def held(opened: Opened, asked: Asked) -> pl.DataFrame:
    """Return all open positions that a question asks for, with their marks."""
    filters = {**asked.filters, "strategy": asked.strategy or None}
    rows: pl.DataFrame = opened.once(("positions", *filters.values()), lambda book: book.positions(**filters))
    return rows


def sums_of_held(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the sums per currency: market value and unrealized profit of what has a mark, null where nothing has."""
    marked = pl.col("market_value").is_not_null()
    sums = [pl.when(marked.any()).then(pl.col(name).sum()).alias(name) for name in ("market_value", "unrealized_pnl")]
    grouped = rows.group_by("currency").agg(
        *sums, pl.col("realized_pnl", "cost_basis").sum(), (~marked).sum().alias("unmarked")
    )
    return grouped.sort("currency")


def ordered(rows: pl.DataFrame, order: str) -> pl.DataFrame:
    """Return positions in the order that is called *order*; what has no mark comes last."""
    if order == "largest value":
        by = pl.col("market_value").abs()
        return rows.sort(by, "position_id", descending=[True, False], nulls_last=True)
    columns, descending = ORDERED[order]
    return rows.sort(columns, descending=descending, nulls_last=True)


def closed(opened: Opened, asked: Asked) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Return one page of the closed positions, the sums of all of them by currency, and the number of the page.

    At the head only the rows of the page leave the book.
    """
    order = asked.order or ORDERS["history"][0]
    if asked.is_past or asked.strategy:
        filters = {**asked.filters, "strategy": asked.strategy or None}
        rows = opened.once(("history", *filters.values()), lambda book: book.history(**filters))
        named = pl.len().cast(pl.Int64).alias("rows"), pl.col("realized_pnl", "proceeds", "cost").sum()
        sums = rows.group_by("currency").agg(*named).sort("currency")
        columns = [part.split() for part in SQL_ORDERS[order].split(", ")]
        rows = rows.sort([c[0] for c in columns], descending=[c[-1] == "DESC" for c in columns])
        shown, number = turned(rows, asked.number)
        return shown, sums, number
    where = conditions(asked)
    summed = f"SELECT currency, {CLOSED_SUMS} FROM history{where} GROUP BY currency ORDER BY currency"
    sums = opened.once(summed, lambda book: book.sql(summed).pl())
    number = page_there(int(sums["rows"].sum()), asked.number)
    wanted = f"LIMIT {ROWS_OF_A_PAGE} OFFSET {(number - 1) * ROWS_OF_A_PAGE}"
    query = f"SELECT * FROM history{where} ORDER BY {SQL_ORDERS[order]} {wanted}"
    return opened.once(query, lambda book: book.sql(query).pl()), sums, number


def conditions(asked: Asked) -> str:
    """Return the WHERE clause of account and symbol, empty where neither is asked for."""
    texts = []
    if asked.account:
        texts.append(f"account_id = {quoted(asked.account)}")
    if asked.symbol:
        names = ("symbol", "contract_symbol", "instrument_id")
        texts.append("(" + " OR ".join(f"{name} = {quoted(asked.symbol)}" for name in names) + ")")
    return f" WHERE {' AND '.join(texts)}" if texts else ""


def quoted(text: str) -> str:
    """Return *text* as a literal of SQL."""
    return "'" + text.replace("'", "''") + "'"


def one_closed(opened: Opened, asked: Asked) -> pl.DataFrame:
    """Return the closed position that is opened, no row where there is none."""
    if asked.is_past or asked.strategy:
        filters = {**asked.filters, "strategy": asked.strategy or None}
        rows: pl.DataFrame = opened.once(("history", *filters.values()), lambda book: book.history(**filters))
        return rows.filter(position_id=asked.open)
    query = f"SELECT * FROM history WHERE position_id = {quoted(asked.open)}"
    return opened.book.sql(query).pl()


def _marked(count: int, unmarked: int) -> str:
    return f"{unmarked:,} without a mark, not in it" if unmarked else f"at the marks of all {count:,}"


def _count(total: int) -> str:
    return f"{total:,}" if total else ""
