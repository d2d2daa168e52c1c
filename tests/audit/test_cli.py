"""The commands of the audit: what they print, and with which exit code they end."""

import json

import pytest
from typer.testing import CliRunner

import tradelake as tl
from tests.books import fill
from tradelake.cli.app import app
from tradelake.tables import MARKS


def run(*arguments: str) -> tuple[int, str]:
    """Return the exit code of a command, and what it printed."""
    result = CliRunner().invoke(app, ["--book", *arguments])
    return result.exit_code, result.stdout


@pytest.fixture
def folder(inlined) -> str:
    """The folder of the full book."""
    return str(inlined.folder)


def test_verify_says_what_was_read_and_writes_a_head_that_it_then_finds(folder, tmp_path):
    head = tmp_path / "head.json"
    code, text = run(folder, "verify", "--export-head", str(head))
    assert (code, text.strip().endswith("as they were told")) == (0, True)
    assert set(json.loads(head.read_text())) == {
        "book_id",
        "import_run_id",
        "sequence",
        "chain_hash",
        "recorded_at",
    }
    assert run(folder, "verify", "--deep", "--anchor", str(head), "--json") == (0, "[]\n")
    assert run(folder, "verify", "--tail")[0] == 0
    head.write_text(head.read_text().replace('"chain_hash": "', '"chain_hash": "0'))
    code, text = run(folder, "verify", "--anchor", str(head), "--json")
    assert code == 1
    assert [row["where"] for row in json.loads(text)] == ["import_runs"]


def test_a_finding_is_printed_and_no_head_is_written(inlined, tmp_path):
    with inlined.catalog() as catalog:
        rows = inlined.inlined_rows(MARKS)
        catalog.execute(f"UPDATE {rows} SET source = 'somebody'")
    code, text = run(str(inlined.folder), "verify", "--export-head", str(tmp_path / "head.json"))
    assert code == 1
    assert "marks" in text
    assert "ACME, 2026-02-10, 1" in text
    assert not (tmp_path / "head.json").exists()


def test_an_event_is_shown_with_all_that_belongs_to_it(inlined, folder):
    with inlined.open() as book:
        book.record({"trade_id": "BUST", "kind": "cancel", "target_id": "T2", "executed_at": "2026-02-11T15:00:00Z"})
        told = book.trade("T1")
        assert told.matches["open_trade_id"].to_list() == ["T1"]
        assert told.commits.select("author", "host", "source").null_count().sum_horizontal().item() == 0
        with pytest.raises(tl.TradelakeError, match="There is no event 'T99'"):
            book.trade("T99")
    code, text = run(folder, "trades", "show", "T2", "--json")
    shown = json.loads(text)
    assert code == 0
    assert {part: len(rows) for part, rows in shown.items()} == {
        "event": 1,
        "records": 2,
        "commits": 2,
        "cures": 1,
        "matches": 0,
    }
    assert shown["event"][0]["state"] == "cancelled"
    assert shown["cures"][0]["trade_id"] == "BUST"
    assert json.loads(shown["records"][0]["text"])["trade_id"] == fill(2)["trade_id"]
    assert "BUST" in run(folder, "trades", "show", "T2")[1]
    assert run(folder, "trades", "show", "T2", "--csv")[1].startswith("part,row,field,value\n")
