"""Workbooks: a cell is what was in the frame, typed, or text that says so; never rounded, never a formula."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradelake.errors import InputError
from tradelake.outputs import workbook
from tradelake.outputs.workbook import Sheet, check_rows, write_workbook
from tradelake.outputs.workbook_cells import GAIN, LOSS
from tradelake.units import MONEY, QUANTITY

AT = datetime(2026, 7, 1, 12, tzinfo=UTC)
Sheets = dict[str, Any]


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., tuple[Sheets, tuple[str, ...]]]:
    """Write frames as sheets and read them back."""

    def write(**frames: pl.DataFrame) -> tuple[Sheets, tuple[str, ...]]:
        path = tmp_path / "book.xlsx"
        notes = write_workbook(path, [Sheet(name, frame) for name, frame in frames.items()], [("book", "b")], at=AT)
        found = openpyxl.load_workbook(path)
        return {name: found[name] for name in found.sheetnames}, notes.notes

    return write


def naive(*parts: int) -> datetime:
    """Return a time without zone, as cells have it."""
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc, arg-type]


def money(*values: str | None) -> pl.Series:
    return pl.Series("amount", [None if v is None else Decimal(v) for v in values], MONEY)


def test_each_type_has_its_cell(written):
    frame = pl.DataFrame(
        {
            "symbol": ["KO", None],
            "sequence": [1, 2],
            "active": [True, False],
            "trade_date": [date(2026, 6, 1), None],
            "quantity": pl.Series([Decimal("-2"), Decimal("1.6572")], dtype=QUANTITY),
            "price": pl.Series([Decimal("0.57"), None], dtype=MONEY),
            "executed_at": pl.Series([naive(2026, 6, 1, 13, 30, 0, 250_000)] * 2).dt.replace_time_zone("UTC"),
            "ratio": [0.25, float("nan")],
        }
    )
    sheets, notes = written(trades=frame)
    page = sheets["trades"]
    assert notes == ()
    assert [cell.value for cell in page[1]] == [*frame.columns[:6], "executed_at (UTC)", "ratio"]
    at = naive(2026, 6, 1, 13, 30, 0, 250_000)
    assert [cell.value for cell in page[2]] == ["KO", 1, True, naive(2026, 6, 1), -2, 0.57, at, 0.25]
    assert [cell.value for cell in page[3]] == [None, 2, False, None, 1.6572, None, at, "nan"]
    assert [cell.number_format for cell in page[2]][3:7] == [
        "yyyy-mm-dd",
        "#,##0",
        "#,##0.00",
        "yyyy-mm-dd hh:mm:ss.000",
    ]
    assert page["E3"].number_format == "#,##0.0000"
    assert (page.freeze_panes, page.auto_filter.ref) == ("A2", "A1:H3")
    assert page["A1"].font.b


def test_a_year_is_not_grouped_by_thousands(written):
    sheets, _ = written(lots=pl.DataFrame({"tax_year": [2026], "trades": [2026]}))
    assert [(cell.value, cell.number_format) for cell in sheets["lots"][2]] == [(2026, "0"), (2026, "#,##0")]


def test_profit_has_a_sign_and_a_colour(written):
    frame = pl.DataFrame({"realized_pnl": pl.Series([Decimal("12.5"), Decimal("-3.125"), Decimal(0)], dtype=MONEY)})
    page = written(pnl=frame)[0]["pnl"]
    assert [page.cell(row, 1).value for row in (2, 3, 4)] == [12.5, -3.125, 0]
    assert page["A2"].number_format == "+#,##0.00;-#,##0.00;#,##0.00"
    assert page["A3"].number_format == "+#,##0.000;-#,##0.000;#,##0.000"
    colours = [page.cell(row, 1).font.color for row in (2, 3)]
    assert [colour.rgb[2:] for colour in colours] == [GAIN[1:], LOSS[1:]]


def test_what_a_cell_would_round_is_text_and_counted(written):
    exact, more = "123456789.123456", "1234567890.123456"
    sheets, notes = written(lots=pl.DataFrame([money(exact, more, f"-{more}", None)]))
    page = sheets["lots"]
    assert [page.cell(row, 1).value for row in range(2, 6)] == [float(exact), more, f"-{more}", None]
    assert page["A3"].alignment.horizontal == "right"
    assert notes == ("lots.amount: 2 numbers with more than 15 digits, written as text",)
    assert notes[0] in [row[1].value for row in sheets["about"].iter_rows()]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")', "http://x", "007", "_x0041_", "a\x00b\x1b", "<b>&"],
)
def test_text_is_never_a_formula_a_link_or_a_number(written, text):
    page = written(trades=pl.DataFrame({"symbol": [text, "x"], "price": [1, 2]}))[0]["trades"]
    cell = page["A2"]
    assert cell.data_type in ("s", "inlineStr")
    assert cell.hyperlink is None
    assert openpyxl.utils.escape.unescape(cell.value) == text
    assert page["A3"].value == "x"


def test_long_texts_are_cut_and_counted_and_early_days_are_text(written):
    frame = pl.DataFrame(
        {"text": ["é" * 40_000, "\N{GRINNING FACE}" * 20_000], "day": [date(1899, 12, 31), date(1900, 3, 1)]}
    )
    sheets, notes = written(records=frame)
    page = sheets["records"]
    assert [page.cell(row, 1).value.endswith("… (cut)") for row in (2, 3)] == [True, True]
    assert [page.cell(row, 2).value for row in (2, 3)] == ["1899-12-31", naive(1900, 3, 1)]
    assert notes == (
        "records.text: 2 texts longer than 32,767 characters, cut",
        "records.day: 1 days before 1900-03-01, written as text",
    )


def test_a_table_without_rows_has_its_heading(written):
    page = written(lots=pl.DataFrame(schema={"a": pl.String, "b": MONEY}))[0]["lots"]
    assert [[cell.value for cell in row] for row in page.iter_rows()] == [["a", "b"]]


def test_more_rows_than_a_sheet_holds_are_refused():
    frame = pl.DataFrame({"a": pl.repeat(1, workbook.ROWS_MAX + 1, eager=True, dtype=pl.Int8)})
    check_rows("trades", frame.head(workbook.ROWS_MAX), instead="Use Parquet.")
    with pytest.raises(InputError, match=r"trades has 1,048,576 rows, .* holds 1,048,575 .*Use Parquet"):
        check_rows("trades", frame, instead="Use Parquet.")


def test_rows_of_several_batches_keep_their_order(written, monkeypatch):
    monkeypatch.setattr(workbook, "BATCH", 7)
    page = written(trades=pl.DataFrame({"n": range(50)}))[0]["trades"]
    assert [page.cell(row, 1).value for row in range(2, 52)] == list(range(50))


def test_the_last_sheet_says_what_columns_mean(tmp_path):
    path = tmp_path / "book.xlsx"
    write_workbook(path, [Sheet("lots", pl.DataFrame({"a": [1]}), {"a": "the meaning"})], [("book", "here")], at=AT)
    rows = [[cell.value for cell in row] for row in openpyxl.load_workbook(path)["about"].iter_rows()]
    assert ["book", "here", None] in rows
    assert ["lots", "a", "the meaning"] in rows


@settings(max_examples=25)
@given(values=st.lists(st.decimals(-(10**22), 10**22, places=12), min_size=1, max_size=30))
def test_every_amount_comes_back_exactly(values, tmp_path_factory):
    path = tmp_path_factory.mktemp("amounts") / "book.xlsx"
    write_workbook(path, [Sheet("lots", pl.DataFrame([money(*map(str, values))]))], [], at=AT)
    page = openpyxl.load_workbook(path)["lots"]
    cells = [page.cell(row, 1).value for row in range(2, len(values) + 2)]
    # A number of a cell is shown with 15 digits.
    back = [Decimal(cell) if isinstance(cell, str) else Decimal(f"{cell:.15g}") for cell in cells]
    assert back == values
