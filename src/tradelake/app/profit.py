"""The page of profit and loss by account, strategy, month or symbol."""

import polars as pl

from tradelake.app.asked import GROUPS, Asked
from tradelake.app.door import Opened
from tradelake.app.views import Block, Card, Rows, View, count_line, money_lines, nothing, turned
from tradelake.outputs.layouts import Shown
from tradelake.outputs.report.charts import draw_amounts
from tradelake.outputs.report.markup import Html, element
from tradelake.outputs.report.series import BARS_MAX, Bars

NAMES = {"account": "account_id", "strategy": "strategy_id", "month": "month", "symbol": "symbol"}
AMOUNTS = ("realized_pnl", "dividends", "interest", "fees", "cash")
NO_NAME = "none"


def profit_page(opened: Opened, asked: Asked) -> View:
    """Return what was realized per group: a table, its sums, and a chart of the largest amounts of each currency."""
    by = (asked.by or GROUPS[0]).split(" and ")
    filters = {**asked.filters, "strategy": asked.strategy or None}
    rows = opened.once(("pnl", *by, *filters.values()), lambda book: book.pnl(by, **filters))
    sums = rows.group_by("currency").agg(pl.col(AMOUNTS).sum()).sort("currency")
    cards = (
        Card("Realized", money_lines(sums, "realized_pnl", profit=True), "tax view"),
        Card("Dividends", money_lines(sums, "dividends", profit=True)),
        Card("Interest", money_lines(sums, "interest", profit=True)),
        Card("Fees", money_lines(sums, "fees", profit=False), "commissions and charges"),
        Card("Groups", count_line(rows.height), " and ".join(by)),
    )
    if not rows.height:
        return View("Profit and loss", "", cards, (Block("By " + " and ".join(by), (nothing("Nothing yet."),)),))
    columns = [NAMES[name] for name in by]
    ordered = rows.sort(*columns, "currency", descending=[name == "month" for name in columns] + [False])
    shown, number = turned(ordered, asked.number)
    table = Rows("pnl", "Profit and loss", shown, layout_of_groups(by), total=rows.height, number=number)
    charts = Block("Realized", tuple(chart for bars in bars_of(rows, by) for chart in _figure(bars)))
    return View("Profit and loss", "", cards, (charts, Block("By " + " and ".join(by), (table,), f"{rows.height:,}")))


def layout_of_groups(by: list[str]) -> tuple[Shown, ...]:
    """Return the columns of the table: those of the groups, then the amounts."""
    groups = (Shown(name, pl.col(NAMES[name]).fill_null(NO_NAME)) for name in by)
    return (
        *groups,
        Shown("realized", pl.col("realized_pnl"), "profit"),
        Shown("dividends", pl.col("dividends"), "profit"),
        Shown("interest", pl.col("interest"), "profit"),
        Shown("fees", pl.col("fees"), "money"),
        Shown("cash", pl.col("cash"), "money"),
        Shown("ccy", pl.col("currency")),
    )


def bars_of(rows: pl.DataFrame, by: list[str]) -> list[Bars]:
    """Return a chart per currency: the last months in their order, else the groups of the largest amounts."""
    name = pl.concat_str([pl.col(NAMES[each]).fill_null(NO_NAME) for each in by], separator=" ")
    charts = []
    for currency in rows["currency"].unique().sort():
        mine = rows.filter(pl.col("currency") == currency, pl.col("realized_pnl") != 0)
        named = mine.select(name.alias("name"), "realized_pnl")
        if by == ["month"]:
            kept = named.sort("name").tail(BARS_MAX)
        else:
            kept = named.sort(pl.col("realized_pnl").abs(), "name", descending=[True, False]).head(BARS_MAX)
            kept = kept.sort("realized_pnl", "name", descending=[True, False])
        if kept.height:
            names, amounts = kept["name"].to_list(), kept["realized_pnl"].to_list()
            charts.append(Bars(currency, tuple(names), tuple(amounts), left_out=named.height - kept.height))
    return charts


def _figure(bars: Bars) -> list[Html]:
    label = f"Realized, {bars.currency}: {len(bars.names)} bars"
    more = f"{bars.left_out:,} smaller or older ones are in the table" if bars.left_out else ""
    caption = element("figcaption", element("h3", f"Realized, {bars.currency}"), element("span", more, class_="note"))
    return [element("figure", caption, draw_amounts(bars, label=label), class_="narrowed")]
