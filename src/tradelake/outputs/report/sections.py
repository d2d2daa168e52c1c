"""The sections of the page, each a heading that folds, in the order in which a morning reads them."""

from tradelake.outputs.report.figures import break_figure, equity_figures, exposure_figures, realized_figures
from tradelake.outputs.report.grid import grid
from tradelake.outputs.report.markup import Html, element, join
from tradelake.outputs.report.nightly import NightlyReport, counted, short_buffers
from tradelake.outputs.report.shown import REPORT_LAYOUTS, imports_frame, presented, totals_shown
from tradelake.units import plain

STEP_SIGNS = {"done": "✓", "nothing": "\N{EN DASH}", "problems": "!", "failed": "✕"}
STEP_WORDS = {"done": "done", "nothing": "nothing to do", "problems": "problems", "failed": "failed"}
SECTIONS = {
    "performance": "Performance",
    "accounts": "Accounts",
    "exposure": "Holdings",
    "breaks": "Broker",
    "expiring": "Expiring",
    "unmarked": "Marks",
    "buffers": "Cash buffers",
    "run": "The night",
}


def sections(report: NightlyReport) -> list[Html]:
    """Return the sections whose ids and short names are `SECTIONS`, in that order."""
    return [
        _section("performance", "Performance", "", *_performance(report)),
        _section("accounts", "Accounts", _some(report.account_count, "account"), _accounts(report)),
        _section("exposure", "Holdings", _some(report.position_count, "position"), *_holdings(report)),
        _section("breaks", "Reconciliation with the broker", _open(report.breaks.height), *_breaks(report)),
        _section("expiring", "Expiring within 5 sessions", _some(report.expiring.height, "option"), _expiring(report)),
        _section("unmarked", "Positions without a mark", _some(report.unmarked.height, "position"), _unmarked(report)),
        _section("buffers", "Cash buffers", _short(report), _buffers(report)),
        _section("run", "The night itself", _some(len(report.steps), "step"), *night_parts(report)),
    ]


def table_of(report: NightlyReport, name: str, caption: str, *, foot: bool = False) -> Html:
    """Return the frame of *report* that is called *name* as a table, with the totals below it where *foot* is set."""
    frame = presented(name, getattr(report, name))
    totals = totals_shown(report) if foot else None
    return grid(frame, REPORT_LAYOUTS[name], name=name, caption=caption, foot=totals)


def nothing(sentence: str, *, good: bool = False) -> Html:
    """Return what stands where a table would be empty."""
    return element("p", sentence, class_="nothing good" if good else "nothing")


def _section(anchor: str, title: str, count: str, *content: str) -> Html:
    heading = element("summary", element("h2", title), element("span", count, class_="count") if count else "")
    return element("details", heading, element("div", *content, class_="content"), id=anchor, class_="card", open=True)


def _performance(report: NightlyReport) -> list[Html]:
    equity = equity_figures(report)
    if not equity:
        equity = [nothing("The line of net liquidation begins with the second session that has a value.")]
    below = realized_figures(report) or [nothing("Nothing has been realized yet.")]
    exposure = exposure_figures(report) or [nothing("No position has a value to draw.")]
    return [*equity, element("div", *below, *exposure, class_="pair")]


def _accounts(report: NightlyReport) -> Html:
    if report.accounts.is_empty():
        return nothing("There are no accounts yet.")
    return table_of(report, "accounts", "Accounts at the close", foot=True)


def _holdings(report: NightlyReport) -> list[Html]:
    if report.exposure.is_empty():
        return [nothing("No positions.")]
    parts = [element("h3", "By underlying"), table_of(report, "exposure", "Market value by underlying")]
    if report.movers.height:
        parts += [element("h3", "Largest changes"), table_of(report, "movers", "Positions that changed most")]
    return parts


def _breaks(report: NightlyReport) -> list[Html]:
    compared = any(step.name == "reconcile" and step.status in ("done", "problems") for step in report.steps)
    parts = [nothing("No open breaks." if compared else "No open breaks. No statement was compared.", good=compared)]
    if report.breaks.height:
        parts = [break_figure(report), table_of(report, "breaks", "Open breaks")]
    if report.proposals.height:
        parts += [
            element("h3", "Proposed, and waiting for you", id="proposals"),
            element("p", "None of these events is booked before somebody confirms it.", class_="note"),
            table_of(report, "proposals", "Proposed events"),
        ]
    return parts


def _expiring(report: NightlyReport) -> Html:
    if report.expiring.is_empty():
        return nothing("No option expires within 5 sessions.")
    return table_of(report, "expiring", "Options that expire soon")


def _unmarked(report: NightlyReport) -> Html:
    if report.unmarked.is_empty():
        sentence = "Every position has a mark." if report.position_count else "No positions, so nothing to mark."
        return nothing(sentence, good=report.position_count > 0)
    note = "They are in no market value, and their accounts have no net liquidation until a mark comes."
    return join([element("p", note, class_="note"), table_of(report, "unmarked", "Positions without a mark")])


def _buffers(report: NightlyReport) -> Html:
    if report.buffers.is_empty():
        return nothing("There is no cash to keep back yet.")
    return table_of(report, "buffers", "Cash that each account keeps back")


def night_parts(report: NightlyReport) -> list[Html]:
    """Return what the night did: its steps, and the files that it imported."""
    rows = [
        element(
            "li",
            element("span", STEP_SIGNS[step.status], class_="sign", aria_hidden="true"),
            element("b", step.name),
            element("span", STEP_WORDS[step.status], class_="word"),
            element("span", step.detail, class_="detail"),
            element("span", f"{plain(step.seconds)} s", class_="seconds"),
            class_=f"step {step.status}",
        )
        for step in report.steps
    ]
    imports = nothing("No file was imported.")
    if report.imports:
        imports = grid(imports_frame(report), REPORT_LAYOUTS["imports"], name="imports", caption="Imported files")
    return [element("ol", *rows, class_="steps"), element("h3", "Imported files"), imports]


def _open(number: int) -> str:
    return f"{number:,} open" if number else ""


def _some(number: int, noun: str) -> str:
    return counted(number, noun) if number else ""


def _short(report: NightlyReport) -> str:
    number = short_buffers(report)
    return f"{number:,} short" if number else ""
