"""Exports: what is in a file is what the reader says, as a whole or not at all."""

from datetime import date
from decimal import Decimal

import openpyxl
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import tradelake as tl
from tests.books import fill, frame
from tests.outputs.nights import ordinary_night
from tradelake.book.exportable import EXPORTABLE, USUAL, exportable
from tradelake.errors import InputError
from tradelake.outputs import files, report_html, report_json, report_text
from tradelake.outputs.values import as_text

PUT = {"asset_type": "OPTION", "strike": "50", "expiration": "2026-01-16", "option_type": "PUT"}


@pytest.fixture
def told(local_book: tl.Book) -> tl.Book:
    """A book of two symbols, one of which would be a formula."""
    local_book.record(
        [
            fill(1, "100", executed_at="2026-01-05T15:00:00.123456Z"),
            fill(2, "-40", executed_at="2026-02-05T15:00:00Z", price="120.3"),
            fill(3, "10", symbol="=1+1", executed_at="2026-01-06T15:00:00Z"),
            fill(4, "-1", **PUT, executed_at="2026-01-07T15:00:00Z", price="1.2345"),
        ]
    )
    return local_book


def test_every_table_can_be_exported_in_every_form(told, tmp_path):
    assert {*told.export(tmp_path / "all.xlsx", list(EXPORTABLE)).rows} == {*EXPORTABLE}
    assert openpyxl.load_workbook(tmp_path / "all.xlsx", read_only=True).sheetnames == [*EXPORTABLE, "about"]
    for form in ("csv", "parquet"):
        done = told.export(tmp_path / form, list(EXPORTABLE), form=form)
        assert done.paths == tuple(str(tmp_path / form / f"{name}.{form}") for name in EXPORTABLE)
        assert done.sequence == 4


def test_every_filter_that_a_table_takes_is_one_of_its_reader(told):
    given: dict[str, object] = {
        "account": "GEN-1",
        "symbol": "ACME",
        "strategy": "S",
        "since": "2026-01-01",
        "until": "2026-12-31",
    }
    given |= {"as_of": "2026-06-01", "as_known": "2099-01-01", "view": "economic", "limit": 1, "by": ["account"]}
    given |= {"kinds": ["trade"], "in_effect": True, "status": "OPEN", "chain": "C", "versions": True}
    given |= {"revisions": True, "outcome": "event"}
    for name, table in EXPORTABLE.items():
        assert isinstance(getattr(told, table.method)(**{key: given[key] for key in table.takes}), pl.DataFrame), name


def test_parquet_keeps_the_types_and_csv_the_digits(told, tmp_path):
    told.export(tmp_path / "t.parquet", "trades", account="GEN-1")
    assert_frame_equal(pl.read_parquet(tmp_path / "t.parquet"), frame(told.trades()), check_exact=True)
    told.export(tmp_path / "t.csv", "trades")
    back = pl.read_csv(tmp_path / "t.csv", infer_schema=False)
    assert_frame_equal(back, as_text(frame(told.trades())).cast(pl.String))
    assert back["executed_at"][0] == "2026-01-05T15:00:00.123456Z"


def test_a_workbook_has_the_rows_of_the_readers(told, tmp_path):
    done = told.export(tmp_path / "b.xlsx", ["trades", "positions"], symbol=["=1+1", "ACME"], until="2026-01-06")
    book = openpyxl.load_workbook(tmp_path / "b.xlsx")
    rows = frame(told.trades(symbol=["=1+1", "ACME"], until="2026-01-06"))
    assert done.rows == {"trades": 2, "positions": 2}
    page = book["trades"]
    assert page.max_row == 3
    names = [cell.value.removesuffix(" (UTC)") for cell in page[1]]
    assert names == rows.columns
    second = dict(zip(names, page[3], strict=True))
    assert (second["symbol"].value, second["symbol"].data_type) == ("=1+1", "s")
    assert second["trade_date"].value.date() == date(2026, 1, 6)
    assert Decimal(str(second["net_amount"].value)) == rows["net_amount"][1]
    said = {row[0].value: row[1].value for row in book["about"].iter_rows(max_row=5)}
    assert said["filters"] == "symbol ['=1+1', 'ACME'], until 2026-01-06"
    assert said["log ends at"] == "4"


def test_without_names_it_is_the_usual_tables_that_take_the_filters(told, tmp_path):
    assert tuple(told.export(tmp_path / "a.xlsx").rows) == USUAL
    assert "bridge" not in told.export(tmp_path / "b.xlsx", symbol="ACME").rows
    assert tuple(told.export(tmp_path / "c.xlsx", view="economic", status="OPEN").rows) == ("chains",)
    with pytest.raises(InputError, match="No usual table takes all of outcome"):
        told.export(tmp_path / "d.xlsx", outcome="event")


def test_frames_of_ones_own_are_exported_too(told, tmp_path):
    counted = told.sql("SELECT symbol, count(*) AS n FROM trades GROUP BY ALL ORDER BY ALL")
    told.export(tmp_path / "own.xlsx", {"symbols": counted, "lots": told.lots(lazy=True)})
    book = openpyxl.load_workbook(tmp_path / "own.xlsx")
    assert [[cell.value for cell in row] for row in book["symbols"].iter_rows()] == [
        ["symbol", "n"],
        ["=1+1", 1],
        ["ACME", 3],
    ]
    assert book["lots"].max_row == 4
    told.export(tmp_path / "own.csv", frame(told.lots()))
    assert (tmp_path / "own.csv").read_text().count("\n") == 4
    with pytest.raises(InputError, match="filter them before, not by account"):
        told.export(tmp_path / "x.csv", frame(told.lots()), account="GEN-1")
    with pytest.raises(InputError, match=r"a frame or a relation of book\.sql, not int"):
        told.export(tmp_path / "x.csv", {"n": 3})


def test_what_cannot_be_written_is_said_and_nothing_is_left(told, tmp_path):
    target = tmp_path / "t.csv"
    target.write_text("mine")
    for path, tables, words, filters in (
        (target, "trades", "there already", {}),
        (tmp_path / "x.xlsx", "nothing", "no table 'nothing'; choose from positions", {}),
        (tmp_path / "x.xlsx", [], "nothing to export", {}),
        (
            tmp_path / "x.xlsx",
            "chains",
            "chains cannot be restricted by since; it takes account",
            {"since": "2026-01-01"},
        ),
        (tmp_path / "x.xlsx", "trades", "trades cannot be restricted by by", {"by": ["account"]}),
        (tmp_path / "x.ods", "trades", "does not say what it is to be", {}),
        (tmp_path / "no" / "x.csv", "trades", "There is no folder", {}),
        (tmp_path / "x.xlsx", {"a/b": pl.DataFrame()}, "A sheet cannot be called 'a/b'", {}),
        (tmp_path / "x.xlsx", {"About": pl.DataFrame()}, "A sheet cannot be called 'About'", {}),
    ):
        with pytest.raises(InputError, match=words):
            told.export(path, tables, **filters)
    with pytest.raises(InputError, match="is to be a file of the form csv: give it a name that ends with "):
        told.export(tmp_path / "x.xlsx", "trades", form="csv")
    with pytest.raises(InputError, match="no form 'ods'"):
        told.export(tmp_path / "x", "trades", form="ods")
    with pytest.raises(InputError, match=r"is a file, and several tables"):
        told.export(target, ["trades", "lots"], form="csv")
    assert target.read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith((".", "x"))] == []
    told.export(target, "trades", replace=True)
    assert target.read_text().startswith("trade_id,")


def test_tax_lots_have_a_sheet_of_what_is_open_and_sum_up_to_pnl(told, tmp_path):
    done = told.export_tax_lots(tmp_path / "tax.xlsx", since="2026-01-01", until="2026-12-31")
    assert done.rows == {"tax-lots": 1, "open-tax-lots": 3}
    book = openpyxl.load_workbook(tmp_path / "tax.xlsx")
    (heading, row) = ([cell.value for cell in line] for line in book["tax-lots"].iter_rows())
    lot = dict(zip(heading, row, strict=True))
    assert (lot["description"], lot["term"], lot["date_acquired"].date()) == ("40 sh ACME", "ST", date(2026, 1, 5))
    assert Decimal(str(lot["gain"])) == told.pnl(["year"])["realized_pnl"].sum()
    told.export_tax_lots(tmp_path / "tax.csv")
    assert pl.read_csv(tmp_path / "tax.csv", infer_schema=False)["gain"][0] == str(lot["gain"])


def test_a_report_needs_a_night(told, tmp_path):
    with pytest.raises(InputError, match="No night is done yet"):
        told.export_report(tmp_path / "n.html")
    with pytest.raises(InputError, match=r"written as \.html, \.txt, \.json"):
        told.export_report(tmp_path / "n.pdf")
    with pytest.raises(InputError, match="The night of 2026-01-05 is not done"):
        told.export_report(tmp_path / "n.html", "2026-01-05")


def test_the_report_of_a_night_is_written_in_each_form(told, tmp_path):
    night = ordinary_night()
    told.record_night(night.nightly_date, report_json(night))
    for name in ("n.html", "n.txt", "n.json"):
        done = told.export_report(tmp_path / name, night.nightly_date)
        assert done.paths == (str(tmp_path / name),)
    assert (tmp_path / "n.html").read_text(encoding="utf-8") == report_html(night)
    assert (tmp_path / "n.txt").read_text(encoding="utf-8") == report_text(night)
    assert (tmp_path / "n.json").read_text(encoding="utf-8") == report_json(night)
    with pytest.raises(InputError, match="there already"):
        told.export_report(tmp_path / "n.html")
    assert told.export_report(tmp_path / "n.html", replace=True).sequence == 4


def test_a_large_csv_is_written_slice_by_slice(told, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "ROWS_AT_ONCE", 2)
    told.export(tmp_path / "t.csv", "trades")
    assert (tmp_path / "t.csv").read_text(encoding="utf-8") == as_text(frame(told.trades())).write_csv()


def test_names_with_underscores_are_the_same_tables():
    assert exportable("open_tax_lots") is exportable("open-tax-lots")
