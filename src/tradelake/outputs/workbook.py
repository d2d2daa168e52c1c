"""Frames as a workbook (XLSX): typed cells, one sheet per table, and a sheet that says what it is.

A cell holds a number as a double, which keeps 15 significant digits. What has more would be rounded without a word,
so it is written as text, with all its digits, aligned and coloured as a number; the last sheet counts such cells. Days
before March 1900, which a workbook counts otherwise, are text too. Instants are UTC, to the millisecond. Text is
never a formula, a link or a number, whatever it looks like; what is longer than a cell holds is cut, and counted.

Rows are written one after the other and not kept, so that the size of a table does not matter.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from tradelake.errors import InputError
from tradelake.outputs.values import column_text
from tradelake.outputs.workbook_cells import TEXT_MAX, Styles, Write, cells_of, writer_of

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet

ROWS_MAX = 1_048_575
BATCH = 10_000
WIDTH_MIN, WIDTH_MAX, ROWS_MEASURED = 8, 48, 500


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table of a workbook: its name, its rows, and what its columns mean."""

    name: str
    frame: pl.DataFrame
    meanings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """What was not written as it is: how often, by sheet, column and reason."""

    counts: Counter[tuple[str, str, str]]

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence for each."""
        return tuple(f"{sheet}.{column}: {count:,} {what}" for (sheet, column, what), count in self.counts.items())


def check_rows(name: str, frame: pl.DataFrame, *, instead: str) -> None:
    """Raise InputError where a sheet cannot hold the rows of a table."""
    if frame.height > ROWS_MAX:
        raise InputError(
            f"{name} has {frame.height:,} rows, and a sheet of a workbook holds {ROWS_MAX:,} and a heading. {instead}"
        )


def write_workbook(path: Path, sheets: Sequence[Sheet], about: Sequence[tuple[str, str]], *, at: datetime) -> Written:
    """Write *sheets* to *path*, and a last sheet with what *about* says; return what could not be written as it is.

    *at* is the instant that the workbook says it was made. Raises OSError as files do.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    options = {"constant_memory": True, "strings_to_numbers": False, "strings_to_formulas": False,
               "strings_to_urls": False, "nan_inf_to_errors": False}  # fmt: skip
    book = xlsxwriter.Workbook(str(path), options)
    book.set_properties({"title": "tradelake", "created": at.astimezone(UTC).replace(tzinfo=None)})
    counts: Counter[tuple[str, str, str]] = Counter()
    styles = Styles(book)
    for sheet in sheets:
        _write_sheet(book.add_worksheet(sheet.name), sheet, styles, counts)
    written = Written(counts)
    _write_about(book.add_worksheet("about"), sheets, about, written, styles)
    try:
        book.close()
    except FileCreateError as error:
        raise OSError(str(error)) from error
    return written


def _write_sheet(page: "Worksheet", sheet: Sheet, styles: Styles, counts: Counter[tuple[str, str, str]]) -> None:
    frame = sheet.frame
    writers: list[Write] = []
    for index, name in enumerate(frame.columns):
        column = frame.get_column(name)
        page.set_column(index, index, _width(column))
        writers.append(writer_of(column, styles, partial(_count, counts, sheet.name, name)))
    heading = styles.get(bold=True, bottom=1, bg_color="#F1F3F6")
    for index, name in enumerate(frame.columns):
        instant = isinstance(frame.schema[name], pl.Datetime)
        page.write_string(0, index, f"{name} (UTC)" if instant else name, heading)
    page.freeze_panes(1, 0)
    if frame.width:
        page.autofilter(0, 0, max(frame.height, 1), frame.width - 1)
    row = 0
    for batch in frame.iter_slices(BATCH):
        columns = [cells_of(batch.get_column(name)) for name in frame.columns]
        for values in zip(*columns, strict=True):
            row += 1
            for index, value in enumerate(values):
                if value is not None:
                    writers[index](page, row, index, value)


def _count(counts: Counter[tuple[str, str, str]], sheet: str, column: str, what: str) -> None:
    counts[sheet, column, what] += 1


def _width(column: pl.Series) -> float:
    """Return the width of a column by its heading and first rows, in characters."""
    texts = column_text(column.head(ROWS_MEASURED)).cast(pl.String)
    if isinstance(column.dtype, pl.Datetime):
        longest = len("2026-01-15 14:30:00.000")
    else:
        found = texts.str.len_chars().max()
        longest = found if isinstance(found, int) else 0
    # room for separators, a sign, and the arrow of the filter
    room = 4 if column.dtype.is_numeric() else 1
    return min(max(longest + room, len(column.name) + 4, WIDTH_MIN), WIDTH_MAX)


def _write_about(
    page: "Worksheet", sheets: Sequence[Sheet], about: Sequence[tuple[str, str]], written: Written, styles: Styles
) -> None:
    rules = [
        ("numbers", "exact; what has more than 15 digits is text (in italics), because a cell would round it"),
        ("instants", "UTC, to the millisecond; days are trading days in New York"),
    ]
    rows = [*about, *rules, *(("as text or cut", note) for note in written.notes)]
    bold = styles.get(bold=True)
    page.set_column(0, 0, 26)
    page.set_column(1, 1, 30)
    page.set_column(2, 2, 90)
    for row, (name, text) in enumerate(rows):
        page.write_string(row, 0, name, bold)
        page.write_string(row, 1, text[:TEXT_MAX])
    row = len(rows) + 1
    for index, name in enumerate(("table", "column", "meaning")):
        page.write_string(row, index, name, styles.get(bold=True, bottom=1, bg_color="#F1F3F6"))
    for sheet in sheets:
        for name in sheet.frame.columns:
            row += 1
            for index, text in enumerate((sheet.name, name, sheet.meanings.get(name, ""))):
                page.write_string(row, index, text)
