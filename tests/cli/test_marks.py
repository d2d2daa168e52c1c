"""Prices on the command line: a receipt per file, problems on stderr, and a listing."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.cli.test_cli import FILLS, process, run, written
from tests.intake.flex import execution, statement
from tests.intake.test_marks import position


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book that holds NVDA and a put on it, and a statement that was imported."""
    folder = tmp_path_factory.mktemp("marks")
    run(folder / "book", "init")
    run(folder / "book", "accounts", "add", "GEN-1", "--broker", "U1")
    run(folder / "book", "import", "executions", str(written(folder / "fills.jsonl", FILLS)))
    (folder / "flex.xml").write_bytes(statement(Trades=[execution()], OpenPositions=[position()]))
    said = run(folder / "book", "import", "ibkr-flex", str(folder / "flex.xml"))
    assert said.endswith("  new instruments: 1\n  prices of positions: 1\n")
    return folder / "book"


def test_files_of_prices_are_recorded_and_their_bad_rows_named(book, tmp_path):
    good, other, broken = (tmp_path / name for name in ("good.csv", "other.csv", "broken.csv"))
    good.write_text("symbol,mark_date,price\nNVDA,2026-01-15,150.5\nNVDA,2026-01-16,151\n")
    other.write_text("symbol,mark_date,price\nNVDA,2026-01-16,151.25\nNVDA,2026-01-17,9\nNVDA,2026-01-15,150.50\n")
    broken.write_text("")
    assert run(book, "mark", str(good), "--reason", "feed") == "good.csv: 2 accepted, 0 duplicates, 0 rejects\n"
    done = process("--book", str(book), "mark", str(other), code=1)
    assert done.stdout == "other.csv: 1 accepted, 1 duplicates, 1 rejects\n  revised prices: 1\n"
    assert done.stderr.startswith("other.csv, row 2, field mark_date: mark_date asks for a trading day")
    done = process("--book", str(book), "mark", str(broken), str(good), code=2)
    assert done.stderr == "broken.csv: the file is empty. Check whether it was written to its end.\n"
    assert done.stdout == "good.csv: 0 accepted, 2 duplicates, 0 rejects\n"

    listed = run(book, "marks", "--symbol", "NVDA")
    assert listed.splitlines()[0].split() == ["date", "contract", "price", "ccy", "rev", "source", "recorded", "(UTC)"]
    assert [line.split()[:5] for line in listed.splitlines()[2:4]] == [
        ["2026-01-15", "NVDA", "150.50", "USD", "·"],
        ["2026-01-16", "NVDA", "151.25", "USD", "2"],
    ]
    every = json.loads(run(book, "marks", "--revisions", "--since", "2026-01-16", "--json"))
    assert [(row["symbol"], row["revision"], row["price"]) for row in every] == [
        ("NVDA", 1, "151"),
        ("NVDA", 2, "151.25"),
        ("XYZ", 1, "51.5"),
    ]
    assert run(book, "marks", "--as-known", "2026-01-01", "--csv").count("\n") == 1


def test_a_listing_can_be_imported_where_its_columns_are_those_of_a_file(book, tmp_path):
    rows = csv.DictReader(io.StringIO(run(book, "marks", "--csv")))
    with (tmp_path / "again.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["instrument_id", "mark_date", "price", "currency"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    assert " 0 accepted, " in run(book, "mark", str(tmp_path / "again.csv"))
