"""A nightly report as text for a terminal or a mail: the verdict first, then tables of at most the width asked for."""

from collections.abc import Sequence
from datetime import UTC

import polars as pl

from tradelake.outputs.layouts import Shown
from tradelake.outputs.report.attention import attention
from tradelake.outputs.report.nightly import NightlyReport, counted, verdict
from tradelake.outputs.report.shown import REPORT_LAYOUTS, imports_frame, presented, steps_frame, with_totals
from tradelake.outputs.table import draw, table_lines

ROWS_MAX = 40
TITLES = {
    "accounts": "Accounts",
    "buffers": "Cash buffers",
    "exposure": "By underlying",
    "movers": "Largest changes",
    "expiring": "Expiring within 5 sessions",
    "breaks": "Open breaks",
    "proposals": "Proposed events, to be confirmed",
    "unmarked": "Positions without a mark",
}


def to_text(report: NightlyReport, *, width: int = 100, color: bool = False) -> str:
    """Return *report* as text whose first line is the verdict and whose lines have at most *width* characters.

    A number is never cut: where a table's numbers alone are wider, so is the table. *color* marks profit and loss.
    """
    parts = [verdict(report) + "\n"]

    def add(title: str, frame: pl.DataFrame, layout: tuple[Shown, ...]) -> None:
        if frame.height:
            drawn = draw(frame.head(ROWS_MAX), layout, width=width)
            lines = table_lines(drawn, width=width, color=color)
            left_out = frame.height - ROWS_MAX
            more = f"and {counted(left_out, 'more row')}\n" if left_out > 0 else ""
            parts.append((f"{title}\n" if title else "") + lines + more)

    add("", _sentences([point.text for point in attention(report)]), _prose("To look at"))
    add("", _sentences(report.notes), _prose("Notes"))
    for name, title in TITLES.items():
        frame = with_totals(report) if name == "accounts" else getattr(report, name)
        add(title, presented(name, frame), REPORT_LAYOUTS[name])
    add("Imports", imports_frame(report), REPORT_LAYOUTS["imports"])
    add("Steps", steps_frame(report), REPORT_LAYOUTS["steps"])
    parts.append(_closing(report, width=width))
    return "\n".join(parts)


def _sentences(texts: Sequence[str]) -> pl.DataFrame:
    return pl.DataFrame({"text": texts}, schema={"text": pl.String})


def _prose(heading: str) -> tuple[Shown, ...]:
    return (Shown(heading, pl.col("text"), "prose", width_min=30),)


def _closing(report: NightlyReport, *, width: int) -> str:
    started, finished = (f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" for at in (report.started_at, report.finished_at))
    where = f"{report.book}, sequence {report.sequence}, chain {report.chain_hash[:16]}, {started} to {finished} UTC"
    return table_lines(draw(_sentences([where]), _prose("Book"), width=width), width=width, color=False)
