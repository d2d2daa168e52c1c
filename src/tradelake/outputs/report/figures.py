"""A chart on the page: its title, its key, the drawing, and the exact numbers beneath it."""

import polars as pl

from tradelake.outputs.layouts import Shown
from tradelake.outputs.report.charts import draw_amounts, draw_breaks, draw_days, draw_exposure, draw_lines
from tradelake.outputs.report.grid import grid, number
from tradelake.outputs.report.markup import Html, element, join
from tradelake.outputs.report.nightly import NightlyReport, counted
from tradelake.outputs.report.series import (
    AGES,
    Bars,
    Lines,
    break_counts,
    equity_lines,
    exposure_bars,
    lines_frame,
    realized_accounts,
    realized_days,
)
from tradelake.outputs.report.shown import REPORT_LAYOUTS
from tradelake.outputs.table import cell_text
from tradelake.outputs.values import column_text
from tradelake.units import MONEY


def equity_figures(report: NightlyReport) -> list[Html]:
    """Return net liquidation over the last sessions, a figure per currency; none without a value in two sessions."""
    return [_equity(lines) for lines in equity_lines(report) if len(lines.sessions) > 1]


def realized_figures(report: NightlyReport) -> list[Html]:
    """Return what was realized, per session where there are two or more, else per account of this session."""
    days = [bars for bars in realized_days(report) if len(bars.names) > 1]
    if days:
        return [_realized(bars, "session", "Realized per session") for bars in days]
    return [_realized(bars, "account", "Realized in this session") for bars in realized_accounts(report)]


def exposure_figures(report: NightlyReport) -> list[Html]:
    """Return market value by underlying, a figure per currency."""
    return [_exposure(report, bars) for bars in exposure_bars(report)]


def break_figure(report: NightlyReport) -> Html:
    """Return the open breaks by class and age; there must be one."""
    counts = break_counts(report)
    title = "Open breaks by class and age"
    label = f"{title}: " + ", ".join(
        f"{kind.replace('_', ' ')} {sum(row)}" for kind, row in zip(counts.classes, counts.counts, strict=True)
    )
    used = [slot for slot in range(len(AGES)) if any(row[slot] for row in counts.counts)]
    key = _key([(f"a{slot + 1}", AGES[slot][0]) for slot in used])
    columns = {"class": list(counts.classes)} | {
        f"c{slot}": [row[slot] for row in counts.counts] for slot in range(len(AGES))
    }
    layout = (
        Shown("class", pl.col("class")),
        *(Shown(name, pl.col(f"c{slot}"), "number") for slot, (name, _) in enumerate(AGES)),
    )
    table = grid(pl.DataFrame(columns), layout, name="chart-breaks", caption=title)
    return _figure(title, key, draw_breaks(counts, label=label), table)


def _equity(lines: Lines) -> Html:
    title = f"Net liquidation, {lines.currency}"
    span = f"{counted(len(lines.sessions), 'session')}, {lines.sessions[0]} to {lines.sessions[-1]}"
    texts = column_text(pl.Series([row[-1] for row in lines.amounts], dtype=MONEY))
    latest = ["not known" if text is None else cell_text(text, "money") for text in texts]
    label = f"{title}, {span}: " + ", ".join(
        f"{account} {amount}" for account, amount in zip(lines.accounts, latest, strict=True)
    )
    key = _key(
        [
            (f"s{slot + 1}", join([account, " ", element("b", number(amount))]))
            for slot, (account, amount) in enumerate(zip(lines.accounts, latest, strict=True))
        ]
    )
    layout = (
        Shown("session", pl.col("session")),
        *(Shown(account, pl.col(f"c{slot}"), "money") for slot, account in enumerate(lines.accounts)),
    )
    table = grid(lines_frame(lines), layout, name="chart-equity", caption=f"{title}, per session")
    note = _left_out(lines.left_out, "account")
    return _figure(title, key, draw_lines(lines, label=label), table, note=f"{span}{note}")


def _realized(bars: Bars, what: str, title: str) -> Html:
    title = f"{title}, {bars.currency}"
    label = f"{title}: {counted(len(bars.names), what)}"
    frame = pl.DataFrame({"name": bars.names, "amount": pl.Series(bars.amounts, dtype=MONEY)})
    layout = (Shown(what, pl.col("name")), Shown("realized", pl.col("amount"), "profit"))
    table = grid(frame.reverse() if what == "session" else frame, layout, name="chart-realized", caption=title)
    draw = draw_days if what == "session" else draw_amounts
    note = counted(len(bars.names), what) + _left_out(bars.left_out, what)
    return _figure(title, Html(""), draw(bars, label=label), table, note=note)


def _exposure(report: NightlyReport, bars: Bars) -> Html:
    title = f"Market value by underlying, {bars.currency}"
    label = f"{title}: {', '.join(bars.names)}"
    key = _key([("s1", "long"), ("s2", "short")] if any(bars.short) else [("s1", "long")])
    mine = report.exposure.filter(pl.col("currency") == bars.currency)
    table = grid(mine, REPORT_LAYOUTS["exposure"], name="chart-exposure", caption=title)
    note = _left_out(bars.left_out, "underlying")
    return _figure(title, key, draw_exposure(bars, label=label), table, note=note.removeprefix(", "))


def _left_out(number_left: int, what: str) -> str:
    return f", the largest; {counted(number_left, f'more {what}')} not drawn" if number_left else ""


def _figure(title: str, key: Html, drawing: Html, table: Html, *, note: str = "") -> Html:
    return element(
        "figure",
        element("figcaption", element("h3", title), element("p", note, class_="note") if note else ""),
        key,
        drawing,
        element("details", element("summary", "The numbers"), table, class_="numbers"),
    )


def _key(entries: list[tuple[str, str]]) -> Html:
    """Return the key of a chart: colours of the page's style with their names."""
    return element(
        "ul",
        *(element("li", element("i", class_=f"swatch {color}"), text) for color, text in entries),
        class_="key",
    )
