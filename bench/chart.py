"""The chart of ratios: a logarithmic axis, on which 1 is as long as the floor or the peer takes."""

from collections.abc import Sequence
from typing import Any, NamedTuple

WIDTH, ROW_HEIGHT = 560, 22
LONGER, SHORTER, INK, GRID = "#b4530a", "#0f6fc6", "#24292f", "#d0d7de"


class Bar(NamedTuple):
    """One ratio: of what to what, how many times as long tradelake takes, and whether that is a floor or a peer."""

    what: str
    ratio: float
    kind: str


def draw(bars: Sequence[Bar]) -> str:
    """Return the chart as SVG on white, so that it can be read on any page."""
    import vl_convert

    rows = [
        {"what": bar.what, "kind": bar.kind, "ratio": bar.ratio, "from": 1, "label": f"{bar.ratio:.3g}x",
         "color": LONGER if bar.ratio >= 1 else SHORTER, "place": number}
        for number, bar in enumerate(bars)
    ]  # fmt: skip
    names = [row["what"] for row in rows]
    y: dict[str, Any] = {
        "field": "what", "type": "nominal", "sort": names, "axis": {"title": None, "labelLimit": 420, "ticks": False},
    }  # fmt: skip
    scale = {"type": "log", "nice": False, "padding": 40}
    title = "times as long as the floor or the peer takes (logarithmic; left of 1, tradelake is faster)"
    x: dict[str, Any] = {"field": "ratio", "type": "quantitative", "scale": scale}
    x["axis"] = {"title": title, "grid": True, "format": "~g", "values": [10**power for power in range(-4, 5)]}
    color = {"field": "color", "type": "nominal", "scale": None}
    bar = {"mark": {"type": "bar", "height": 9}, "encoding": {"y": y, "x": x, "x2": {"field": "from"}, "color": color}}
    dot = {
        "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
        "encoding": {"y": y, "x": x, "color": color},
    }
    labels = [
        {
            "transform": [{"filter": condition}],
            "mark": {"type": "text", "align": align, "dx": shift, "fontSize": 11, "color": INK},
            "encoding": {"y": y, "x": x, "text": {"field": "label"}},
        }
        for condition, align, shift in (("datum.ratio >= 1", "left", 8), ("datum.ratio < 1", "right", -8))
    ]
    rule = {"data": {"values": [{"one": 1}]}, "mark": {"type": "rule", "color": INK, "strokeWidth": 1.2}}
    rule["encoding"] = {"x": {"field": "one", "type": "quantitative"}}
    spec = {
        "data": {"values": rows},
        "width": WIDTH,
        "height": max(1, len(rows)) * ROW_HEIGHT,
        "padding": 12,
        "background": "white",
        "layer": [bar, rule, dot, *labels] if rows else [rule],
        "config": {
            "font": "sans-serif",
            "view": {"stroke": None},
            "axis": {"labelColor": INK, "titleColor": INK, "gridColor": GRID, "domain": False, "labelFontSize": 11,
                     "titleFontSize": 11, "titleFontWeight": "normal"},
        },
    }  # fmt: skip
    # No address is allowed, so that the drawing library loads nothing.
    drawn: str = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    return drawn + "\n"
