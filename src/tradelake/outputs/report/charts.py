"""The four charts as Vega-Lite specifications, and their keys.

Here, and only here, exact numbers become floats: to be drawn. No name of the data is in a specification: the library
measures texts and ends the whole process at one that XML forbids. So what is drawn is called `#0`, `#1` and so on, and
gets its name afterwards, cut to the room that its axis has.
"""

from collections.abc import Callable
from typing import Any

from tradelake.outputs.report.drawing import LABEL_GAP, draw, fitting, text_width
from tradelake.outputs.report.markup import Html, join
from tradelake.outputs.report.series import AGES, Bars, Counts, Lines

WIDE, HALF, NARROW = 1040, 500, 340
ROW_HEIGHT = 28
LABELS_EVERY = 72
AMOUNT_AXIS = {
    "labelExpr": "datum.value == 0 ? '0' : format(datum.value, '~s')",
    "tickCount": 5,
    "domain": False,
    "ticks": False,
}
Specify = Callable[[int], dict[str, Any]]
COLORS = [f"var(--s{slot})" for slot in range(1, 9)]
AGE_COLORS = [f"var(--a{slot})" for slot in range(1, len(AGES) + 1)]


def draw_lines(lines: Lines, *, label: str) -> Html:
    """Return net liquidation as one line per account, for a wide screen and for a phone."""
    return _both(label, (WIDE, 280), (NARROW, 240), lambda width: _line_spec(lines, width))


def draw_days(bars: Bars, *, label: str) -> Html:
    """Return what was realized as one upright bar per session."""
    return _both(label, (HALF, 240), (NARROW, 220), lambda width: _day_spec(bars, width))


def draw_amounts(bars: Bars, *, label: str) -> Html:
    """Return what was realized as one level bar per account."""
    rows = [
        {"slot": slot, "amount": float(amount), "color": "var(--gain)" if amount >= 0 else "var(--loss)"}
        for slot, amount in enumerate(bars.amounts)
    ]
    return _level(label, rows, bars.names)


def draw_exposure(bars: Bars, *, label: str) -> Html:
    """Return market value by underlying: long to the right, short to the left."""
    rows = [
        {"slot": slot, "amount": float(amount), "color": color}
        for amounts, color in ((bars.amounts, COLORS[0]), (bars.short, COLORS[1]))
        for slot, amount in enumerate(amounts)
        if amount
    ]
    return _level(label, rows, bars.names)


def draw_breaks(counts: Counts, *, label: str) -> Html:
    """Return the open breaks as one level bar per class, divided by age."""
    rows = [
        {"slot": slot, "amount": count, "color": AGE_COLORS[age], "order": age}
        for slot, row in enumerate(counts.counts)
        for age, count in enumerate(row)
        if count
    ]
    most = max(sum(row) for row in counts.counts)
    axis = AMOUNT_AXIS | {"labelExpr": "format(datum.value, 'd')", "tickCount": min(most, 6), "tickMinStep": 1}
    return _level(label, rows, tuple(kind.replace("_", " ") for kind in counts.classes), axis=axis)


def _both(
    label: str, wide: tuple[int, int], narrow: tuple[int, int], spec: Specify, names: tuple[str, ...] = ()
) -> Html:
    return join(
        draw(spec(width), label=label, width=width, height=height, kind=kind, names=names)
        for (width, height), kind in ((wide, "wide"), (narrow, "narrow"))
    )


def _line_spec(lines: Lines, width: int) -> dict[str, Any]:
    rows = []
    for slot, amounts in enumerate(lines.amounts):
        last = max(i for i, amount in enumerate(amounts) if amount is not None)
        for i, (day, amount) in enumerate(zip(lines.sessions, amounts, strict=True)):
            alone = all(j < 0 or j >= len(amounts) or amounts[j] is None for j in (i - 1, i + 1))
            known = None if amount is None else float(amount)
            dot = amount is not None and (alone or i == last)
            rows.append({"day": day.isoformat(), "amount": known, "line": COLORS[slot], "dot": dot})
    color = {"field": "line", "type": "nominal", "scale": None}
    dots = {"type": "point", "filled": True, "size": 36, "opacity": 1}
    return {
        "data": {"values": rows},
        "encoding": {
            "x": _session_axis([day.isoformat() for day in lines.sessions], width),
            "y": {"field": "amount", "type": "quantitative", "scale": {"zero": False}, "axis": AMOUNT_AXIS},
            "color": color,
        },
        "layer": [
            {"mark": {"type": "line", "strokeWidth": 2, "strokeJoin": "round"}},
            {"mark": dots, "transform": [{"filter": "datum.dot"}]},
        ],
    }


def _day_spec(bars: Bars, width: int) -> dict[str, Any]:
    rows = [
        {"day": day, "amount": float(amount), "color": "var(--gain)" if amount >= 0 else "var(--loss)"}
        for day, amount in zip(bars.names, bars.amounts, strict=True)
    ]
    axis = _session_axis(bars.names, width)
    axis["scale"] = {"paddingInner": 0.25}
    axis["axis"] |= {"domain": False}
    return {
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "bar"},
                "encoding": {
                    "x": axis,
                    "y": {"field": "amount", "type": "quantitative", "axis": AMOUNT_AXIS},
                    "color": {"field": "color", "type": "nominal", "scale": None},
                },
            },
            _zero("y"),
        ],
    }


def _level(label: str, rows: list[dict[str, Any]], names: tuple[str, ...], axis: dict[str, Any] | None = None) -> Html:
    shown = tuple(fitting(name) for name in names)
    room = max(map(text_width, shown)) + LABEL_GAP
    name_axis = {
        "labelExpr": "'#' + datum.value",
        "labelColor": "var(--ink)",
        "minExtent": room,
        "maxExtent": room,
        "domain": False,
        "ticks": False,
    }
    slots = {"domain": list(range(len(names)))}
    spec = {
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "bar", "height": {"band": 0.62}},
                "encoding": {
                    "y": {"field": "slot", "type": "ordinal", "scale": slots, "axis": name_axis},
                    "x": {"field": "amount", "type": "quantitative", "axis": axis or AMOUNT_AXIS},
                    "color": {"field": "color", "type": "nominal", "scale": None},
                    "order": {"field": "order", "type": "quantitative"},
                },
            },
            _zero("x"),
        ],
    }
    height = len(names) * ROW_HEIGHT + 40
    return _both(label, (HALF, height), (NARROW, height), lambda _width: spec, shown)


def _zero(channel: str) -> dict[str, Any]:
    rule = {"type": "rule", "color": "var(--line-strong)"}
    return {"data": {"values": [{}]}, "mark": rule, "encoding": {channel: {"datum": 0, "type": "quantitative"}}}


def _session_axis(days: "list[str] | tuple[str, ...]", width: int) -> dict[str, Any]:
    """Return the axis of sessions side by side, without weekends; its labels count back from the last one."""
    step = max(1, -(-len(days) * LABELS_EVERY // width))
    labels = {
        "values": list(days[::-1][::step][::-1]),
        "labelExpr": "utcFormat(toDate(datum.value), '%d %b')",
        "labelAngle": 0,
        "labelOverlap": False,
        "grid": False,
        "tickSize": 4,
    }
    return {"field": "day", "type": "ordinal", "sort": None, "axis": labels}
