"""The report of a night: one frozen record, and its three forms (a page, a text, JSON).

What makes a form is imported with its first use: most commands never write a report.
"""

from tradelake.outputs.report.nightly import (
    ImportLine,
    NightlyReport,
    Step,
    StepName,
    StepStatus,
    exposure_of,
    standing,
    totals_of,
    verdict,
)

__all__ = [
    "ImportLine",
    "NightlyReport",
    "Step",
    "StepName",
    "StepStatus",
    "exposure_of",
    "report_from_json",
    "report_html",
    "report_json",
    "report_text",
    "standing",
    "totals_of",
    "verdict",
]


def report_html(report: NightlyReport) -> str:
    """Return *report* as one HTML file that needs nothing else; the same report gives the same text."""
    from tradelake.outputs.report.html import to_html

    return to_html(report)


def report_text(report: NightlyReport, *, width: int = 100, color: bool = False) -> str:
    """Return *report* as text for a terminal, the verdict first; the tables keep to *width* where numbers allow."""
    from tradelake.outputs.report.terminal import to_text

    return to_text(report, width=width, color=color)


def report_json(report: NightlyReport) -> str:
    """Return *report* as a JSON object, decimals as text, a line for each row; the same report gives the same text."""
    from tradelake.outputs.report.exchange import to_json

    return to_json(report)


def report_from_json(text: str) -> NightlyReport:
    """Return the report that `report_json` wrote; raise InputError for anything else."""
    from tradelake.outputs.report.exchange import from_json

    return from_json(text)
