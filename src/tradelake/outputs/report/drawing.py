"""A Vega-Lite specification drawn as SVG that belongs into a page: no size of its own, no ids, colours of the page.

Specifications name colours as variables of the page's style (`var(--line)`), so that one drawing fits light and dark.
"""

import xml.etree.ElementTree as ET
from typing import Any

from tradelake.errors import InvariantError
from tradelake.outputs.report.markup import Html, clean

FONT = "sans-serif"
FONT_SIZE = 11
LABEL_WIDTH, LABEL_GAP = 116, 8
CONFIG: dict[str, Any] = {
    "font": FONT,
    "aria": False,
    "background": None,
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": FONT_SIZE,
        "labelColor": "var(--muted)",
        "gridColor": "var(--line)",
        "domainColor": "var(--line-strong)",
        "tickColor": "var(--line-strong)",
        "title": None,
        "labelPadding": 6,
    },
}
_DROPPED = ("role", "pointer-events", "id", "clip-path", "aria-hidden", "aria-roledescription")


def draw(spec: dict[str, Any], *, label: str, width: int, height: int, kind: str, names: tuple[str, ...] = ()) -> Html:
    """Return *spec* as an SVG of *width* x *height* units that readers of a screen hear as *label*.

    *kind* is the class of the element, and *names* are what is written where the drawing says `#0`, `#1` and so on.
    Loads the drawing library with the first chart, about half a second.
    """
    import vl_convert

    whole = spec | {
        "config": CONFIG,
        "width": width,
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": 2,
    }
    # no address is allowed, so that no specification can ever make the drawing library load anything
    drawn: str = vl_convert.vegalite_to_svg(whole, allowed_base_urls=[])
    root = ET.fromstring(drawn)
    box = root.get("viewBox")
    if box is None:
        raise InvariantError("a chart was drawn without a viewBox")
    _tidy(root)
    for node in root.iter("text"):
        if node.text and node.text.startswith("#"):
            node.text = names[int(node.text[1:])]
    root.attrib.clear()
    size = f"max-width: {width}px"
    root.attrib |= {"class": f"chart {kind}", "style": size, "viewBox": box, "role": "img", "aria-label": clean(label)}
    return Html(ET.tostring(root, encoding="unicode"))


def text_width(text: str) -> float:
    """Return the room that *text* takes in the widest of the usual sans-serif fonts, rather more than less."""
    return FONT_SIZE * sum(map(_em, text))


def fitting(text: str) -> str:
    """Return *text* without what a page must not hold, cut to `LABEL_WIDTH`."""
    text = clean(text)
    if text_width(text) <= LABEL_WIDTH:
        return text
    while text and text_width(text) + FONT_SIZE > LABEL_WIDTH:
        text = text[:-1]
    return text + "…"


def _em(character: str) -> float:
    if character in "mwMW@%—":
        return 1.0
    if character.isascii():
        return 0.78 if character.isupper() else 0.65
    return 1.05


def _tidy(node: ET.Element) -> None:
    """Take away what is not seen, and what only a script would need: labels that are hidden, roles, ids."""
    node.tag = node.tag.rpartition("}")[2]
    classes = node.get("class", "").split()
    if "role-mark" in classes:
        node.set("class", "marks")
    else:
        node.attrib.pop("class", None)
    for name in _DROPPED:
        node.attrib.pop(name, None)
    for child in list(node):
        frame = child.get("class") in ("background", "foreground")
        if frame or child.get("opacity") == "0" or child.tag.endswith("defs"):
            node.remove(child)
        else:
            _tidy(child)
