"""The cells of a workbook: what writes the values of a column, each type in its own way."""

import math
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from tradelake.errors import InputError
from tradelake.outputs.layouts import number_kind
from tradelake.outputs.values import column_text

if TYPE_CHECKING:
    import xlsxwriter
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

DIGITS_MAX = 15
TEXT_MAX = 32_767
CUT = " … (cut)"
FIRST_DAY = date(1900, 3, 1)
GAIN, LOSS = "#2463D4", "#B4540A"
AS_TEXT = "numbers with more than 15 digits, written as text"
EARLY = "days before 1900-03-01, written as text"
LONG = "texts longer than 32,767 characters, cut"
Write = Callable[["Worksheet", int, int, Any], None]


class Styles:
    """The formats of a workbook, each made once."""

    def __init__(self, book: "xlsxwriter.Workbook") -> None:
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}

    def get(self, **properties: Any) -> "Format":
        """Return the format with these properties."""
        key = tuple(properties.items())
        if key not in self._made:
            self._made[key] = self._book.add_format({"valign": "top", **properties})
        return self._made[key]


def cells_of(column: pl.Series) -> list[Any]:
    """Return the values of a column as its writer takes them: numbers as plain decimals, instants without zone."""
    if isinstance(column.dtype, pl.Datetime):
        utc = (
            column if column.dtype.time_zone is None else column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        )
        return utc.to_list()
    if column.dtype in (pl.Date, pl.Boolean) or column.dtype.is_float():
        return column.to_list()
    return column_text(column).cast(pl.String).to_list()


def writer_of(column: pl.Series, styles: Styles, count: Callable[[str], None]) -> Write:
    """Return what writes the cells of a column."""
    dtype = column.dtype
    if dtype == pl.Boolean:
        return lambda page, row, index, value: _done(page.write_boolean(row, index, value))
    if isinstance(dtype, pl.Datetime):
        return _day_writer(styles.get(num_format="yyyy-mm-dd hh:mm:ss.000", align="left"), count)
    if dtype == pl.Date:
        return _day_writer(styles.get(num_format="yyyy-mm-dd", align="left"), count)
    if dtype.is_float():
        return _float_writer
    if dtype.is_numeric():
        return _number_writer(number_kind(column.name, dtype), styles, count)
    return _text_writer(count)


def _done(result: object) -> None:
    """Take what xlsxwriter returns, which is below zero where it has left something out."""
    if isinstance(result, int) and result < 0:
        raise InputError("A cell could not be written. Export the table as CSV or Parquet.")


def _float_writer(page: "Worksheet", row: int, index: int, value: float) -> None:
    """Write a number that is a double already, as SQL gives quotients; what is no number is text."""
    written = page.write_number if math.isfinite(value) else page.write_string
    _done(written(row, index, value if math.isfinite(value) else str(value)))


def _text_writer(count: Callable[[str], None]) -> Write:
    def write(page: "Worksheet", row: int, index: int, text: str) -> None:
        if len(text.encode("utf-16-le")) // 2 > TEXT_MAX:
            count(LONG)
            text = text[: (TEXT_MAX - len(CUT)) // 2] + CUT
        _done(page.write_string(row, index, text))

    return write


def _day_writer(style: "Format", count: Callable[[str], None]) -> Write:
    def write(page: "Worksheet", row: int, index: int, value: date) -> None:
        if (value.date() if isinstance(value, datetime) else value) < FIRST_DAY:
            count(EARLY)
            _done(page.write_string(row, index, value.isoformat(), style))
        else:
            _done(page.write_datetime(row, index, value, style))

    return write


def _number_writer(kind: str, styles: Styles, count: Callable[[str], None]) -> Write:
    least = 0 if kind in ("number", "text") else 2

    def write(page: "Worksheet", row: int, index: int, text: str) -> None:
        digits = text.lstrip("-")
        whole, _, part = digits.partition(".")
        colour: dict[str, str] = {}
        if kind == "profit" and digits.strip("0."):
            colour = {"font_color": LOSS if text.startswith("-") else GAIN}
        if len((whole + part).strip("0")) > DIGITS_MAX or not whole.isdecimal():
            count(AS_TEXT)
            _done(page.write_string(row, index, text, styles.get(align="right", italic=True, **colour)))
            return
        decimals = max(len(part), least)
        form = ("0" if kind == "text" else "#,##0") + ("." + "0" * decimals if decimals else "")
        if kind == "profit":
            form = f"+{form};-{form};{form}"
        _done(page.write_number(row, index, float(text), styles.get(num_format=form, **colour)))

    return write
