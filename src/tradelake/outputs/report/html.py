"""A nightly report as one page that stands alone: style and charts are inside it, and it loads and runs nothing."""

from datetime import UTC, date

from tradelake.outputs.report.attention import attention
from tradelake.outputs.report.exchange import SCHEMA
from tradelake.outputs.report.grid import number, sign_class
from tradelake.outputs.report.markup import Html, element, join
from tradelake.outputs.report.nightly import (
    NightlyReport,
    age_of_breaks,
    counted,
    findings,
    short_buffers,
    standing,
    verdict,
)
from tradelake.outputs.report.sections import SECTIONS, sections
from tradelake.outputs.report.style import stylesheet
from tradelake.outputs.table import cell_text
from tradelake.outputs.values import column_text

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
CHIPS = {"done": ("✓", "All clear"), "problems": ("!", "Needs a look"), "failed": ("✕", "Failed")}
POINT_SIGNS = {"failed": "✕", "look": "!", "know": "i"}


def to_html(report: NightlyReport) -> str:
    """Return *report* as one HTML file; the same report gives the same text.

    Without JavaScript, and with a policy that forbids the page to fetch anything. Everything of the data is escaped.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"Nightly report {verdict(report)}"),
        element("style", Html(stylesheet())),
    )
    main = element("main", _cards(report), _points(report), *sections(report))
    page = element("div", _header(report), _contents(), main, _footer(report), class_="page")
    return f"<!DOCTYPE html>\n{element('html', head, element('body', page), lang='en')}\n"


def _header(report: NightlyReport) -> Html:
    kind = standing(report)
    sign, words = CHIPS[kind]
    chip = element("span", element("span", sign, aria_hidden="true"), words, class_=f"chip {kind}")
    return element(
        "header",
        element("p", f"Nightly report of {report.book}", class_="brand"),
        element("div", element("h1", _long_date(report.nightly_date)), chip, class_="headline"),
        element("p", findings(report), class_="verdict"),
    )


def _contents() -> Html:
    links = (element("li", element("a", title, href=f"#{anchor}")) for anchor, title in SECTIONS.items())
    return element("nav", element("ul", *links), aria_label="Contents")


def _cards(report: NightlyReport) -> Html:
    since = age_of_breaks(report) or "none with the broker"
    return element(
        "div",
        _money_card(report, "Net liquidation", "net_liquidation", _worth_note(report), plain=True),
        _money_card(report, "Cash", "cash", _cash_note(report), plain=True),
        _money_card(report, "Unrealized", "unrealized_pnl", _unrealized_note(report)),
        _money_card(report, "Realized today", "realized_today", _single(report, "realized_pnl", "to date")),
        _card("Open breaks", [Html(f"{report.breaks.height:,}")], since),
        class_="kpis",
    )


def _money_card(report: NightlyReport, title: str, name: str, note: str, *, plain: bool = False) -> Html:
    if report.totals.height == 1:
        title = f"{title}, {report.totals.item(0, 'currency')}"
    return _card(title, _amounts(report, name, plain=plain) or [element("span", "\N{EN DASH}", class_="none")], note)


def _card(title: str, values: list[Html], note: str) -> Html:
    lines = (element("p", value, class_="value") for value in values)
    return element("section", element("h2", title), *lines, element("p", note, class_="under"), class_="kpi")


def _amounts(report: NightlyReport, name: str, *, plain: bool) -> list[Html]:
    """Return the total called *name* of each currency, exactly, with a plus where it is a profit."""
    values = column_text(report.totals.get_column(name))
    lines = []
    for text, currency in zip(values, report.totals.get_column("currency"), strict=True):
        unit = element("span", currency, class_="unit") if report.totals.height > 1 else ""
        if text is None:
            lines.append(join([element("span", "not known", class_="none"), unit]))
            continue
        shown = cell_text(text, "money")
        sign = sign_class(shown)
        plus = "+" if sign == "pos" and not plain else ""
        colour = sign if sign == "neg" or not plain else ""
        lines.append(join([element("span", plus, number(shown), class_=colour), unit]))
    return lines


def _worth_note(report: NightlyReport) -> str:
    if report.unmarked.height:
        return f"{counted(report.unmarked.height, 'position')} without a mark"
    return _single(report, "pnl_today", "in the session") or "at the close"


def _unrealized_note(report: NightlyReport) -> str:
    everything = counted(report.position_count, "position")
    marked = report.position_count - report.unmarked.height
    return f"in {marked:,} of {everything}" if report.unmarked.height else f"in {everything}"


def _cash_note(report: NightlyReport) -> str:
    short = short_buffers(report)
    if short:
        return f"{counted(short, 'account')} short of the buffer"
    return "every known buffer is full" if report.buffers.height else "no buffers"


def _single(report: NightlyReport, name: str, words: str) -> str:
    """Return a total with *words* after it, where there is one currency and it is known."""
    texts = column_text(report.totals.get_column(name))
    if texts.len() != 1 or texts[0] is None:
        return ""
    return f"{cell_text(texts[0], 'money')} {words}"


def _points(report: NightlyReport) -> Html:
    points = attention(report)
    items = (
        element(
            "li",
            element(
                "a",
                element("span", POINT_SIGNS[point.tone], class_="sign", aria_hidden="true"),
                element("span", point.text),
                href=f"#{point.anchor}",
            ),
            class_=point.tone,
        )
        for point in points
    )
    sign = element("span", POINT_SIGNS["know"], class_="sign", aria_hidden="true")
    notes = (element("li", element("p", sign, element("span", note)), class_="know") for note in report.notes)
    if not points and not report.notes:
        return Html("")
    return element("section", element("ul", *items, *notes, class_="points"), class_="card", aria_label="To look at")


def _footer(report: NightlyReport) -> Html:
    started, finished = (f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" for at in (report.started_at, report.finished_at))
    return element(
        "footer",
        element("p", f"Log sequence {report.sequence:,}, chain {report.chain_hash}"),
        element("p", f"{started} to {finished} UTC, {SCHEMA}"),
    )


def _long_date(day: date) -> str:
    return f"{day:%A}, {day.day} {day:%B} {day.year}"
