"""Frames as tables of a page: exact numbers, aligned at their points, with what lies beyond cents written smaller."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from tradelake.outputs.layouts import Shown, layout_of
from tradelake.outputs.report.markup import Html, element, join
from tradelake.outputs.table import NOTHING, ROW_COUNT_MAX, cell_text
from tradelake.outputs.values import column_text

WIDE = 44  # characters; a phone has no room for more, and shows each row as a list there
LEAD = 4
CENTS = 2
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
    """Return *frame* as a table, on a phone each of its rows as a list where it is wide; *foot* are rows below a line.

    At most `ROW_COUNT_MAX` rows are written, with a line that says how many there are. *lead* is markup that stands
    before the rows, one piece for each; where *signed*, a gain has a plus.
    """
    columns = layout_of(frame, layout)
    body, wide = _rows(frame.head(ROW_COUNT_MAX), foot, columns, lead=lead, signed=signed)
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
        class_=wide,
    )
    more = f"The first {ROW_COUNT_MAX:,} of {frame.height:,} rows; the JSON of the report has all."
    cut = element("p", more, class_="note") if frame.height > ROW_COUNT_MAX else Html("")
    # what scrolls can be reached by the keyboard, and says what it is
    return join([element("div", table, class_="scroll", tabindex=0, role="region", aria_label=caption), cut])


@dataclass(frozen=True, slots=True)
class Point:
    """Where the points of a column stand: *decimals* before the small digits, for which there is *width*."""

    decimals: int
    width: int

    @classmethod
    def of(cls, texts: Iterable[str | None]) -> "Point":
        """Return the place that all numbers of a column have room for."""
        there = [text for text in texts if text]
        parts = max((len(text.partition(".")[2]) for text in there), default=0)
        return cls(min(parts, CENTS), max(map(_fine_width, there), default=0))

    def written(self, text: str) -> Html:
        """Return a number with its point at this place: fewer decimals than others leave theirs empty."""
        missing = self.decimals - len(text.partition(".")[2])
        if self.decimals < CENTS or missing <= 0:
            return number(text, fine_width=self.width)
        fine = element("small", class_=f"fine w{self.width}") if self.width else ""
        return join([element("span", text, class_=f"short{missing}"), fine])


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
) -> tuple[list[Html], str]:
    """Return the rows, and the class of the table where it is wide: with the most digits beyond cents."""
    whole = frame if foot is None else pl.concat([frame, foot], how="diagonal")
    texts = [texts_of(whole, column) for column in columns]
    cells = [_cells(each, column, signed=signed) for each, column in zip(texts, columns, strict=True)]
    gap = 2
    width = sum(
        gap + max(len(column.heading), *(len(text or NOTHING) for text in each), 0)
        for each, column in zip(texts, columns, strict=True)
    )
    if lead:
        cells.insert(0, [element("td", piece, class_="lead") for piece in (*lead, *[""] * (whole.height - len(lead)))])
    rows = [element("tr", *row) for row in zip(*cells, strict=True)]
    if width + (LEAD if lead else 0) <= WIDE:
        return rows, ""
    numbers = [each for each, column in zip(texts, columns, strict=True) if column.kind in PROFIT_WORDS]
    return rows, f"wide f{max((_fine_width(text) for each in numbers for text in each if text), default=0)}"


def texts_of(frame: pl.DataFrame, column: Shown) -> list[str | None]:
    """Return the values of a column as they are shown, None for nothing."""
    values = column_text(frame.select(column.value.alias("value")).to_series()).cast(pl.String)
    return [None if value is None else cell_text(value, column.kind) for value in values]


def _cells(texts: list[str | None], column: Shown, *, signed: bool) -> list[Html]:
    label = column.heading
    if column.kind not in PROFIT_WORDS:
        kind = "code" if column.heading == "command" else column.kind
        return [
            element("td", text or NOTHING, class_=kind if text else f"{kind} none", data_label=label) for text in texts
        ]
    point = Point.of(texts)
    return [_number_cell(text, column, point, signed=signed) for text in texts]


def _number_cell(text: str | None, column: Shown, point: Point, *, signed: bool) -> Html:
    if text is None:
        return element("td", number(NOTHING, fine_width=point.width), class_="num none", data_label=column.heading)
    profit = column.kind == "profit"
    sign = sign_class(text)
    shown = f"+{text}" if signed and profit and sign == "pos" else text
    words = ("num", sign if profit or sign == "neg" else "", "" if point.decimals else "whole")
    return element(
        "td",
        point.written(shown),
        class_=" ".join(word for word in words if word),
        data_label=column.heading,
    )


def _fine_width(text: str) -> int:
    part = text.partition(".")[2]
    return max(0, len(part) - 2) if len(part) >= 2 else len(part) + (1 if part else 0)
