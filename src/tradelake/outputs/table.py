"""Frames as tables that people read on a terminal: chosen columns, aligned numbers, one closing line.

A number is never cut or rounded: where the columns do not fit, texts shrink, less telling columns leave,
and in the end the table is wider than asked. On a screen that is narrow by itself each row becomes lines instead, one
for each column.
"""

import io
from dataclasses import dataclass, replace

import polars as pl
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tradelake.outputs.layouts import Kind, Shown, layout_of
from tradelake.outputs.values import column_text

ROW_COUNT_MAX = 1000
TEXT_LENGTH_MAX = 500
GAP = 2
NARROW = 80
NOTHING = "·"
STYLES = {"profit": "green", "loss": "red"}


@dataclass(frozen=True, slots=True)
class Drawn:
    """One column as it will be drawn: its layout, its cells as text, and the width that it gets."""

    shown: Shown
    cells: list[str]
    width: int

    @property
    def width_min(self) -> int:
        """The width below which the column may not go."""
        least = self.shown.width_min
        return min(self.width, max(least, len(self.shown.heading))) if least else self.width


def render_table(frame: pl.DataFrame, *, title: str, layout: str, width: int, color: bool) -> str:
    """Return *frame* as a table of *width* characters and a line that says what is not shown."""
    if frame.is_empty():
        return f"{title}: no rows\n" if title else "no rows\n"
    drawn = draw(frame.head(ROW_COUNT_MAX), layout, width=width)
    if width < NARROW and _total(drawn) > width:
        drawn = [_draw(frame.head(ROW_COUNT_MAX), shown) for shown in layout_of(frame, layout)]
        return record_lines(drawn, width=width, color=color) + _footer(frame, title=title, drawn=drawn) + "\n"
    return table_lines(drawn, width=width, color=color) + _footer(frame, title=title, drawn=drawn) + "\n"


def draw(frame: pl.DataFrame, layout: str | tuple[Shown, ...], *, width: int) -> list[Drawn]:
    """Return the columns of *layout* that fit into *width*, with all rows of *frame*."""
    return fit([_draw(frame, shown) for shown in layout_of(frame, layout)], width=width)


def table_lines(drawn: list[Drawn], *, width: int, color: bool) -> str:
    """Return columns with at least one row as a heading, a rule and a line or more for each row."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, pad_edge=False, header_style="bold")
    for column in drawn:
        table.add_column(
            Text(column.shown.heading),
            justify="left" if column.shown.kind in ("text", "prose") else "right",
            width=column.width,
            no_wrap=column.shown.kind != "prose",
            overflow="fold" if column.shown.kind == "prose" else "ellipsis",
        )
    for row in zip(*(_styled(column) for column in drawn), strict=True):
        table.add_row(*row)
    return _print(table, width=max(width, _total(drawn)), color=color)


def record_lines(drawn: list[Drawn], *, width: int, color: bool) -> str:
    """Return every row as lines of a heading and its value, and an empty line after it."""
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False, pad_edge=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for row in zip(*(_styled(column) for column in drawn), strict=True):
        for column, cell in zip(drawn, row, strict=True):
            table.add_row(Text(column.shown.heading), cell)
        table.add_row()
    numbers = (cell for column in drawn if column.shown.kind not in ("text", "prose") for cell in column.cells)
    least = max(cell_len(column.shown.heading) for column in drawn) + 2 + max(map(cell_len, numbers), default=0)
    return _print(table, width=max(width, least), color=color)


def fit(columns: list[Drawn], *, width: int) -> list[Drawn]:
    """Return the columns that fit into *width*, texts shortened only as far as it is needed."""
    while _total(columns, shortest=True) > width:
        weakest = max(columns, key=lambda column: column.shown.drop)
        if weakest.shown.drop == 0:
            break
        columns = [column for column in columns if column is not weakest]
    excess = _total(columns) - width
    while excess > 0:
        widest = max(columns, key=lambda column: column.width - column.width_min)
        spare = widest.width - widest.width_min
        if not spare:
            break
        cut = min(excess, max(1, spare // 2))
        columns = [replace(c, width=c.width - cut) if c is widest else c for c in columns]
        excess -= cut
    return columns


def _draw(frame: pl.DataFrame, shown: Shown) -> Drawn:
    column = frame.select(shown.value.alias("value")).to_series()
    texts = column_text(column).cast(pl.String)
    cells = [NOTHING if text is None else cell_text(text, shown.kind) for text in texts]
    return Drawn(shown, cells, max(map(cell_len, [shown.heading, *cells])))


def cell_text(text: str, kind: Kind) -> str:
    """Return a plain value as a table shows it: thousands set apart, money with at least two decimals.

    Instants are cut to seconds. Characters that steer a terminal are replaced: no description may do that.
    """
    if kind == "instant":
        return text[:19].replace("T", " ")
    if kind in ("text", "prose"):
        text = text if len(text) <= TEXT_LENGTH_MAX else text[: TEXT_LENGTH_MAX - 1] + "…"
        return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    whole, point, part = digits.partition(".")
    if not whole.isdecimal():
        return text
    if kind in ("money", "profit"):
        point, part = ".", part.ljust(2, "0")
    return f"{sign}{int(whole):,}{point}{part}"


def _styled(column: Drawn) -> list[Text]:
    if column.shown.kind != "profit":
        return [Text(cell) for cell in column.cells]
    return [Text(cell, style=_profit_style(cell)) for cell in column.cells]


def _profit_style(cell: str) -> str:
    if cell.startswith("-"):
        return STYLES["loss"]
    return STYLES["profit"] if cell.strip("0.,·") else ""


def _total(columns: list[Drawn], *, shortest: bool = False) -> int:
    widths = (column.width_min if shortest else column.width for column in columns)
    return sum(widths) + GAP * (len(columns) - 1)


def _print(table: Table, *, width: int, color: bool) -> str:
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=color,
        force_jupyter=False,  # in a notebook it would show the table by itself
        color_system="standard" if color else None,
        highlight=False,
        legacy_windows=False,
    )
    console.print(table)
    lines = out.getvalue().splitlines()
    return "".join(line.rstrip() + "\n" for line in lines)


def _footer(frame: pl.DataFrame, *, title: str, drawn: list[Drawn]) -> str:
    rows = f"{frame.height:,} {'row' if frame.height == 1 else 'rows'}"
    cut = f", the first {ROW_COUNT_MAX:,} shown" if frame.height > ROW_COUNT_MAX else ""
    seen = {name for column in drawn for name in column.shown.value.meta.root_names()}
    hidden = ["all rows"] if cut else []
    if len(seen) < frame.width:
        hidden.append(f"all {frame.width} columns")
    more = f"; --json or --csv show {' and '.join(hidden)}" if hidden else ""
    return (f"{title}: " if title else "") + rows + cut + more
