"""Frames as tables of a page: exact numbers, aligned at their points, with what lies beyond cents written smaller."""

from collections.abc import Sequence

import polars as pl

from tradelake.outputs.layouts import Shown, layout_of
from tradelake.outputs.report.markup import Html, element, join
from tradelake.outputs.table import NOTHING, ROW_COUNT_MAX, cell_text
from tradelake.outputs.values import column_text

PROFIT_WORDS = {"money": "num", "profit": "num profit", "number": "num"}


def grid(
    frame: pl.DataFrame,
    layout: tuple[Shown, ...],
    *,
    name: str,
    caption: str,
    foot: pl.DataFrame | None = None,
    lead: Sequence[Html] = (),
    signed: bool = False,
) -> Html:
    """Return *frame* as a table that scrolls sideways where it is too wide; *foot* are rows below a line.

    At most `ROW_COUNT_MAX` rows are written, with a line that says how many there are. *lead* is markup that stands
    before the rows, one piece for each; where *signed*, a gain has a plus.
    """
    columns = layout_of(frame, layout)
    body = _rows(frame.head(ROW_COUNT_MAX), foot, columns, lead=lead, signed=signed)
    height = min(frame.height, ROW_COUNT_MAX)
    heads = [element("th", c.heading, scope="col", class_=PROFIT_WORDS.get(c.kind, "")) for c in columns]
    head = element("tr", element("td", class_="lead") if lead else "", *heads)
    table = element(
        "table",
        element("caption", caption),
        element("thead", head),
        element("tbody", *body[:height]),
        element("tfoot", *body[height:]) if len(body) > height else "",
        data_table=name,
    )
    more = f"The first {ROW_COUNT_MAX:,} of {frame.height:,} rows; the JSON of the report has all."
    cut = element("p", more, class_="note") if frame.height > ROW_COUNT_MAX else Html("")
    # what scrolls can be reached by the keyboard, and says what it is
    return join([element("div", table, class_="scroll", tabindex=0, role="region", aria_label=caption), cut])


def number(text: str, *, fine_width: int = 0) -> Html:
    """Return a number as `cell_text` wrote it: digits beyond cents are small, and take the width of *fine_width*."""
    whole, point, part = text.partition(".")
    if len(part) >= 2:
        whole, fine = f"{whole}.{part[:2]}", part[2:]
    else:
        fine = f"{point}{part}"
    small = element("small", fine, class_=f"fine w{fine_width}" if fine_width else "fine")
    return join([whole, small if fine or fine_width else ""])


def sign_class(text: str) -> str:
    """Return the class of a number by its sign; of zero and of what is no number, none."""
    if text.startswith("-"):
        return "neg"
    return "pos" if text.strip("0.,·") else ""


def _rows(
    frame: pl.DataFrame, foot: pl.DataFrame | None, columns: Sequence[Shown], *, lead: Sequence[Html], signed: bool
) -> list[Html]:
    whole = frame if foot is None else pl.concat([frame, foot], how="diagonal")
    cells = [_cells(whole, column, signed=signed) for column in columns]
    if lead:
        cells.insert(0, [element("td", piece, class_="lead") for piece in (*lead, *[""] * (whole.height - len(lead)))])
    return [element("tr", *row) for row in zip(*cells, strict=True)]


def _cells(frame: pl.DataFrame, column: Shown, *, signed: bool) -> list[Html]:
    values = column_text(frame.select(column.value.alias("value")).to_series()).cast(pl.String)
    texts = [None if value is None else cell_text(value, column.kind) for value in values]
    if column.kind not in PROFIT_WORDS:
        kind = "code" if column.heading == "command" else column.kind
        return [element("td", text or NOTHING, class_=kind if text else f"{kind} none") for text in texts]
    width = max((_fine_width(text) for text in texts if text), default=0)
    return [_number_cell(text, profit=column.kind == "profit", width=width, signed=signed) for text in texts]


def _number_cell(text: str | None, *, profit: bool, width: int, signed: bool) -> Html:
    if text is None:
        return element("td", number(NOTHING, fine_width=width), class_="num none")
    sign = sign_class(text)
    shown = f"+{text}" if signed and profit and sign == "pos" else text
    return element(
        "td", number(shown, fine_width=width), class_=f"num {sign if profit or sign == 'neg' else ''}".strip()
    )


def _fine_width(text: str) -> int:
    part = text.partition(".")[2]
    return max(0, len(part) - 2) if len(part) >= 2 else len(part) + (1 if part else 0)
