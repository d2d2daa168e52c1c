"""Bars on a line of time, drawn with nothing but markup: they fit any width, and every bar has its words beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from tradelake.app.views import amount_texts
from tradelake.outputs.report.markup import Html, element

TICKS_MAX = 6


@dataclass(frozen=True, slots=True)
class Span:
    """What lasted from one day to another, what it is called, and what was realized with it."""

    name: str
    under: str
    first: date
    last: date
    is_open: bool
    amount: Decimal | None
    currency: str


def timeline(spans: Sequence[Span], until: date) -> Html:
    """Return bars from the first day of all to the last; what is open has an open end."""
    start = min((span.first for span in spans), default=until)
    end = max((span.last for span in spans), default=until)
    days = max(1, (end - start).days)
    amounts = amount_texts([span.amount for span in spans], profit=True)
    rows = [_row(span, amount, start, days) for span, amount in zip(spans, amounts, strict=True)]
    marks = [
        element("span", _said(day, days), class_="tick", style=f"left: {_percent((day - start).days, days)}%")
        for day in ticks(start, end)
    ]
    axis = element("div", element("div"), element("div", *marks, class_="track axis"), element("div"), class_="bar-row")
    return element("div", axis, *rows, class_="timeline", role="list", aria_label="Line of time")


def ticks(start: date, end: date) -> list[date]:
    """Return at most `TICKS_MAX` days to write below the line: firsts of months, or of years where it is long."""
    months = (end.year - start.year) * 12 + end.month - start.month
    if months < 2:
        step = max(1, (end - start).days // (TICKS_MAX - 1))
        return [start + timedelta(days=step * n) for n in range((end - start).days // step + 1)][:TICKS_MAX]
    step = -(-months // (TICKS_MAX - 1))
    firsts = [date(start.year + (start.month + n - 1) // 12, (start.month + n - 1) % 12 + 1, 1)
              for n in range(1, months + 1)]  # fmt: skip
    return [day for day in firsts[::step] if (end - day).days * 8 >= (end - start).days or day == firsts[0]]


def _row(span: Span, amount: Html, start: date, days: int) -> Html:
    left = _percent((span.first - start).days, days)
    width = max(Decimal("0.8"), _percent((span.last - span.first).days, days))
    left = min(left, 100 - width)
    sign = "none" if not span.amount else "gain" if span.amount > 0 else "loss"
    state = "since" if span.is_open else f"to {span.last.isoformat()}, from"
    said = f"{span.name}, {span.under}: {state} {span.first.isoformat()}"
    bar = element(
        "div", class_=f"bar {sign} {'open' if span.is_open else ''}".strip(), style=f"left: {left}%; width: {width}%"
    )
    return element(
        "div",
        element("div", element("b", span.name), element("span", span.under, class_="note"), class_="called"),
        element("div", bar, class_="track"),
        element("div", amount, class_="num"),
        class_="bar-row",
        role="listitem",
        title=said,
    )


def _percent(part: int, whole: int) -> Decimal:
    return (Decimal(part) * 100 / whole).quantize(Decimal("0.01"))


def _said(day: date, days: int) -> str:
    return f"{day:%b %Y}" if days > 62 else f"{day.day} {day:%b}"
