"""Frames -> what leaves the house: tables for people, JSON and CSV for programs."""

from collections.abc import Sequence
from typing import Literal

import polars as pl

from tradelake.errors import InputError
from tradelake.outputs.csv import render_csv
from tradelake.outputs.json import render_json
from tradelake.outputs.report import (
    ImportLine,
    NightlyReport,
    Step,
    StepName,
    StepStatus,
    exposure_of,
    report_from_json,
    report_html,
    report_json,
    report_text,
    standing,
    totals_of,
    verdict,
)
from tradelake.outputs.table import render_table

__all__ = [
    "ImportLine",
    "NightlyReport",
    "Step",
    "StepName",
    "StepStatus",
    "exposure_of",
    "render",
    "report_from_json",
    "report_html",
    "report_json",
    "report_text",
    "standing",
    "totals_of",
    "verdict",
]


def render(
    frame: pl.DataFrame,
    *,
    form: Literal["table", "json", "csv"],
    title: str = "",
    width: int = 100,
    color: bool = False,
    columns: Sequence[str] | None = None,
) -> str:
    """Return *frame* as text that ends with a line break.

    `json` and `csv` carry every column (or *columns*), exactly. `table` is for people: *title* names the
    listing, whose most telling columns are shown within *width* characters, and a last line says how many
    rows there are. *color* marks profit and loss, for a terminal. Raises InputError for a column that the
    frame does not have.
    """
    if columns is not None:
        missing = [name for name in columns if name not in frame.columns]
        if missing:
            raise InputError(f"There is no column {', '.join(missing)}; the columns are {', '.join(frame.columns)}.")
        frame = frame.select(columns)
    if form == "json":
        return render_json(frame)
    if form == "csv":
        return render_csv(frame)
    layout = title if columns is None else ""
    return render_table(frame, title=title, layout=layout, width=width, color=color)
