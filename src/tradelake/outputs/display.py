"""What a notebook draws: tables and cards as HTML that is small, stands alone and runs nothing.

Rows open by `<details>`, which Jupyter and marimo both leave alone, also in a notebook that is not trusted; a link to
an anchor is taken over by either. The style speaks of its own class only, follows the theme of the notebook, and what
it says by colour is also said by a sign. Everything of the data is escaped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from tradelake.errors import InputError
from tradelake.outputs.layouts import LAYOUTS, Shown, layout_of
from tradelake.outputs.report.grid import Point, number, sign_class, texts_of
from tradelake.outputs.report.markup import Html, element, join
from tradelake.outputs.table import NOTHING, draw, table_lines
from tradelake.tables import CHAIN_POSITIONS, CHAINS, LOTS, MATCHES, POSITION_HISTORY, POSITIONS, REFUSALS, TRADE_LOG

ROWS = 50
NUMBERS = ("number", "money", "profit")
TEXT_WIDTH = 100
RULES = """
.tradelake { font: 13px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  --tl-gain: #1f5fd6; --tl-loss: #b4540a; --tl-line: #8883; --tl-muted: #808a99; max-width: 100%; margin: 4px 0; }
[data-jp-theme-light="false"] .tradelake, .dark .tradelake, .vscode-dark .tradelake, [data-theme="dark"] .tradelake {
  --tl-gain: #6aa5ff; --tl-loss: #ff9f4a; }
@ .tl-scroll { overflow-x: auto; }
@ table { border-collapse: collapse; border: 0; margin: 2px 0; font-size: 13px; }
@ th, @ td { padding: 3px 12px 3px 0; text-align: left; white-space: nowrap; border: 0;
  background: none; vertical-align: baseline; }
@ thead th { font-weight: 600; border-bottom: 1px solid var(--tl-muted); }
@ tbody td, @ tbody th { border-bottom: 1px solid var(--tl-line); }
@ tbody th { font-weight: 500; color: var(--tl-muted); }
@ td.tl-prose { white-space: normal; min-width: 220px; max-width: 520px; overflow-wrap: anywhere; }
@ .tl-num { text-align: right; font-variant-numeric: tabular-nums; }
@ .tl-pos { color: var(--tl-gain); }
@ .tl-neg { color: var(--tl-loss); }
@ .tl-none, @ .tl-note { color: var(--tl-muted); }
@ .fine { font-size: .8em; opacity: .75; display: inline-block; text-align: left; }
@ .short1::after { content: "0"; visibility: hidden; }
@ .short2::after { content: ".00"; visibility: hidden; }
@ .tl-title { font-weight: 650; margin: 0 0 2px; }
@ summary { cursor: pointer; color: var(--tl-muted); font-size: 12px; }
@ .tl-more > td { padding: 0 0 2px 16px; }
@ tbody tr { background: none; }
@ .tl-more table { font-size: 12px; }
@ p { margin: 2px 0; }
""" + "".join(f"@ .w{digits} {{ width: {digits}ch; }}\n" for digits in range(1, 13))
# JupyterLab aligns cells and paints rows by rules of two classes, and ours hold against those.
STYLE = RULES.replace("@ ", ".tradelake" * 3 + " ")
KNOWN = {
    "positions": POSITIONS,
    "lots": LOTS,
    "matches": MATCHES,
    "history": POSITION_HISTORY,
    "chains": CHAINS,
    "chain-positions": CHAIN_POSITIONS,
    "refusals": REFUSALS,
    "trades": TRADE_LOG,
}


@dataclass(frozen=True, slots=True)
class Display:
    """Something that a notebook draws, and that is text elsewhere; `frame` are its rows."""

    html: str
    text: str
    frame: pl.DataFrame = field(default_factory=pl.DataFrame)

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def listing_of(frame: pl.DataFrame) -> str:
    """Return the listing that the columns of a frame are of, or nothing."""
    there = set(frame.columns)
    return next((name for name, table in KNOWN.items() if there.issuperset(set(table.names) - {"row_check"})), "")


def show(rows: object, *, title: str = "", limit: int = ROWS) -> Display:
    """Return rows as a table that a notebook draws: the most telling columns, exact numbers, profit with its sign.

    *rows* are a frame, a lazy one, or a relation of `book.sql`; *title* names the listing that they are of where their
    columns do not tell. At most *limit* rows are drawn, with a line that says how many there are.
    """
    from tradelake.outputs.files import as_frame

    return display_frame(as_frame(rows), title=title, limit=limit)


def display_frame(
    frame: pl.DataFrame, *, title: str = "", limit: int = ROWS, more: Mapping[int, tuple[str, Html]] | None = None
) -> Display:
    """Return *frame* as a display. *more* opens below some rows: by their numbers from 0, a few words and a table."""
    if limit < 1:
        raise InputError(f"A display has at least one row, and {limit} were asked for.")
    name = title if title in LAYOUTS else listing_of(frame)
    heading = element("p", title or name, class_="tl-title") if title or name else Html("")
    body = join([heading, table_html(frame, name, limit=limit, more=more or {})])
    return Display(page(body), _text(frame, title or name, name, limit), frame)


def _text(frame: pl.DataFrame, title: str, layout: str, limit: int) -> str:
    """Return the same rows as a table for a terminal, with the same last line."""
    lines = ""
    if frame.height and frame.width:
        lines = table_lines(draw(frame.head(limit), layout, width=TEXT_WIDTH), width=TEXT_WIDTH, color=False)
    said = f"{title}: " if title else ""
    return f"{lines}{said}{_footer(frame, layout_of(frame, layout) if frame.width else (), limit)}"


def page(body: Html) -> str:
    """Return a display with its style."""
    return str(element("div", element("style", Html(STYLE)), body, class_="tradelake"))


def table_html(
    frame: pl.DataFrame,
    layout: str,
    *,
    limit: int,
    more: Mapping[int, tuple[str, Html]] | None = None,
    note: str | None = None,
) -> Html:
    """Return the rows of *frame* as a table in a layout, and a line that says what is not shown, or the *note*."""
    if not frame.width:
        return element("p", "no columns", class_="tl-note")
    columns = layout_of(frame, layout)
    shown = frame.head(limit)
    head = element("tr", *(element("th", c.heading, scope="col", class_=_kind_class(c)) for c in columns))
    lines: list[Html] = []
    for index, row in enumerate(zip(*(_cells(shown, column) for column in columns), strict=True)):
        lines.append(element("tr", *row))
        if more and index in more:
            words, inner = more[index]
            opened = element("details", element("summary", words), inner)
            lines.append(element("tr", element("td", opened, colspan=len(columns)), class_="tl-more"))
    table = element("table", element("thead", head), element("tbody", *lines))
    return join(
        [
            element("div", table, class_="tl-scroll"),
            element("p", _footer(frame, columns, limit) if note is None else note, class_="tl-note"),
        ]
    )


def card(title: str, facts: Sequence[tuple[str, str]], *parts: Html) -> str:
    """Return a few facts as a small table with a title, for what is no frame."""
    rows = (
        element("tr", element("th", name, scope="row"), element("td", text, class_="tl-prose")) for name, text in facts
    )
    return page(join([element("p", title, class_="tl-title"), element("table", element("tbody", *rows)), *parts]))


def _footer(frame: pl.DataFrame, columns: Sequence[Shown], limit: int) -> str:
    seen = {name for column in columns for name in column.value.meta.root_names()}
    parts = [f"{frame.height:,} {'row' if frame.height == 1 else 'rows'}"]
    if frame.height > limit:
        parts.append(f"the first {limit:,} shown")
    if len(seen) < frame.width:
        parts.append(f"{frame.width} columns in .frame")
    return ", ".join(parts)


def _kind_class(column: Shown) -> str:
    return "tl-num" if column.kind in NUMBERS else f"tl-{column.kind}"


def _cells(frame: pl.DataFrame, column: Shown) -> list[Html]:
    texts = texts_of(frame, column)
    point = Point.of(texts) if column.kind in NUMBERS else None
    cells = []
    for text in texts:
        if text is None:
            nothing = number(NOTHING, fine_width=point.width) if point else NOTHING
            cells.append(element("td", nothing, class_=f"{_kind_class(column)} tl-none"))
            continue
        if point is None:
            cells.append(element("td", text, class_=_kind_class(column)))
            continue
        sign = sign_class(text) if column.kind == "profit" else ""
        plus = "+" if sign == "pos" else ""
        cells.append(element("td", point.written(f"{plus}{text}"), class_=f"tl-num tl-{sign}" if sign else "tl-num"))
    return cells
