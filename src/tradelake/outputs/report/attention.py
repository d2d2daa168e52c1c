"""What in a night deserves a look, most urgent first: the opening lines of the page and of the text."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from tradelake.outputs.report.nightly import NightlyReport, age_of_breaks, counted, short_buffers
from tradelake.outputs.report.shown import presented
from tradelake.outputs.table import cell_text
from tradelake.outputs.values import column_text

Tone = Literal["failed", "look", "know"]
_TOLD_BELOW = ("import", "propose", "mark", "reconcile")


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to look at: how urgent, where the page tells more, and a sentence."""

    tone: Tone
    anchor: str
    text: str


def attention(report: NightlyReport) -> tuple[Point, ...]:
    """Return what deserves a look; empty where nothing does."""
    return (*_steps(report), *_breaks(report), *_values(report), *_buffers(report), *_expiring(report))


def _steps(report: NightlyReport) -> list[Point]:
    points = [
        Point("failed", "run", f"The step {step.name} failed: {step.detail}")
        for step in report.steps
        if step.status == "failed"
    ]
    points += [
        Point("look", "run", f"The step {step.name} found problems: {step.detail}")
        for step in report.steps
        if step.status == "problems" and step.name not in _TOLD_BELOW
    ]
    for line in report.imports:
        if line.rejects or line.conflicts:
            parts = [counted(line.rejects, "reject") if line.rejects else "", counted(line.conflicts, "conflict")]
            found = " and ".join(part for part in parts if part and not part.startswith("no "))
            points.append(Point("look", "run", f"{found} in {line.file}"))
    return points


def _breaks(report: NightlyReport) -> list[Point]:
    points = []
    if report.breaks.height:
        number = counted(report.breaks.height, "open break")
        points.append(Point("look", "breaks", f"{number}, {age_of_breaks(report)}"))
    if report.proposals.height:
        waits = "waits" if report.proposals.height == 1 else "wait"
        points.append(
            Point("look", "proposals", f"{counted(report.proposals.height, 'proposed event')} {waits} for you")
        )
    return points


def _values(report: NightlyReport) -> list[Point]:
    number = report.unmarked.height
    if not number:
        return []
    which = "it is" if number == 1 else "they are"
    return [Point("look", "unmarked", f"{counted(number, 'position')} without a mark: {which} in no value")]


def _buffers(report: NightlyReport) -> list[Point]:
    short = report.buffers.filter(pl.col("surplus") < 0)
    if short.height != 1:
        number = short_buffers(report)
        return [Point("look", "buffers", f"{number} accounts are short of their cash buffer")] if number else []
    row = short.row(0, named=True)
    missing = cell_text(
        column_text(pl.Series([row["surplus"].copy_negate()], dtype=short.schema["surplus"]))[0], "money"
    )
    return [Point("look", "buffers", f"{row['account_id']} is short of its cash buffer by {missing} {row['currency']}")]


def _expiring(report: NightlyReport) -> list[Point]:
    if report.expiring.is_empty():
        return []
    frame = presented("expiring", report.expiring)
    inside = frame.filter(pl.col("moneyness") == "ITM").height
    number = frame.height
    verb = "expires" if number == 1 else "expire"
    money = f", {inside} in the money" if inside else ""
    first = f"the first on {min(frame.get_column('expiration').to_list()).isoformat()}"
    return [Point("know", "expiring", f"{counted(number, 'option')} {verb} within 5 sessions, {first}{money}")]
