"""Exports on the command line: the same files as the book writes, with the filters of the listings."""

import json
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from typer.testing import CliRunner

from tests.cli.test_cli import FILLS, run, written
from tradelake.cli.app import app
from tradelake.errors import InputError


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with three fills, read only by the tests."""
    folder = tmp_path_factory.mktemp("exports")
    run(folder / "book", "init")
    run(folder / "book", "accounts", "add", "GEN-1")
    run(folder / "book", "import", "executions", str(written(folder / "x.jsonl", FILLS)))
    return folder / "book"


def test_a_workbook_of_some_tables_is_written_and_said(book, tmp_path):
    target = tmp_path / "b.xlsx"
    said = run(
        book, "export", "xlsx", str(target), "--tables", "trades, pnl", "--by", "symbol,year", "--until", "2026-01-31"
    )
    assert said == f"{target}\n  2 trades, 1 pnl, up to event 3\n"
    found = openpyxl.load_workbook(target)
    assert found.sheetnames == ["trades", "pnl", "about"]
    assert [cell.value for cell in found["pnl"][1]][:2] == ["symbol", "year"]
    with pytest.raises(InputError, match="there already"):
        run(book, "export", "xlsx", str(target))
    run(book, "export", "xlsx", str(target), "--replace", "--view", "economic", "--limit", "1")
    assert openpyxl.load_workbook(target).sheetnames == ["positions", "lots", "matches", "history", "about"]


def test_several_tables_are_a_folder_and_json_says_what_was_written(book, tmp_path):
    done = json.loads(run(book, "export", "csv", str(tmp_path / "csv"), "--symbol", "NVDA", "--json"))
    assert done["sequence"] == 3
    assert done["paths"] == [str(tmp_path / "csv" / f"{name}.csv") for name in done["rows"]]
    listed = run(book, "trades", "--symbol", "NVDA", "--csv")
    assert (tmp_path / "csv" / "trades.csv").read_text(encoding="utf-8") == listed
    run(book, "export", "parquet", str(tmp_path / "lots.parquet"), "--tables", "lots", "--as-of", "2026-01-31")
    assert pl.read_parquet(tmp_path / "lots.parquet")["quantity"].to_list() == [100, -2]


def test_tax_lots_of_a_year(book, tmp_path):
    said = run(book, "export", "tax-lots", str(tmp_path / "tax.xlsx"), "--year", "2026")
    assert said.endswith("1 tax-lots, 2 open-tax-lots, up to event 3\n")
    run(book, "export", "tax-lots", str(tmp_path / "tax.csv"), "--year", "2025")
    assert (tmp_path / "tax.csv").read_text(encoding="utf-8").count("\n") == 1
    both = CliRunner().invoke(
        app, ["--book", str(book), "export", "tax-lots", "x.csv", "--year", "2026", "--since", "2026-01-01"]
    )
    assert (both.exit_code, "--year excludes" in both.output) == (2, True)
    with pytest.raises(InputError, match="tax-lots cannot be restricted by view"):
        run(book, "export", "tax-lots", str(tmp_path / "x.csv"), "--view", "economic")


def test_a_number_that_a_cell_cannot_hold_is_complained_about(book, tmp_path):
    exact = {"trade_id": "T9", "price": "1234567890.123456", "executed_at": "2026-03-01T15:30:00Z", "quantity": "1"}
    copy = tmp_path / "book"
    run(copy, "init")
    run(copy, "accounts", "add", "GEN-1")
    run(copy, "import", "executions", str(written(tmp_path / "y.jsonl", [FILLS[0] | exact])))
    result = CliRunner().invoke(
        app, ["--book", str(copy), "export", "xlsx", str(tmp_path / "b.xlsx"), "--tables", "trades"]
    )
    assert result.exit_code == 0
    assert "trades.price: 1 numbers with more than 15 digits, written as text" in result.stderr


def test_a_report_needs_a_night(book, tmp_path):
    with pytest.raises(InputError, match="No night is done yet"):
        run(book, "export", "report", str(tmp_path / "n.html"))
