"""The demo runs from an empty folder to its last line, and the pictures in the docs are of its book."""

import os
import re
import runpy
import subprocess
from pathlib import Path

import pytest

from tests.house.documents import ROOT, programs

KEY_LINES = (
    "$ tradelake init",
    "COM-1: added",
    "sample_flex.xml: 315 accepted, 0 duplicates, 0 conflicts, 0 rejects, 197 kept",
    "sample_fills.jsonl: 52 accepted, 0 duplicates, 0 conflicts, 0 rejects, 0 kept",
    "sample_flex.xml: 0 accepted, 315 duplicates, 0 conflicts, 0 rejects, 197 kept",
    "accounts: 4 rows; --json or --csv show all 11 columns",
    "positions: 6 rows; --json or --csv show all 26 columns",
    "pnl: 20 rows; --json or --csv show all 10 columns",
    "identical up to sequence 367",
    "  tradelake --book mybook import ibkr-flex STATEMENT.xml",
)
COLUMNS = 100


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_demo_runs_and_the_pictures_are_of_its_book(tmp_path):
    folder = tmp_path / "demo"
    (folder / "book").mkdir(parents=True)
    (folder / "book" / "left over").touch()
    environment = {
        **os.environ,
        "DEMO_FOLDER": str(folder),
        "PATH": f"{programs(tmp_path / 'bin')}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        ["sh", str(ROOT / "data" / "demo.sh")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line for line in KEY_LINES if line not in lines] == []
    assert [line for line in lines if len(line) > COLUMNS and str(folder) not in line] == []
    assert not re.search(r"error|traceback|warning", done.stdout, re.IGNORECASE)
    _compare_pictures(tmp_path / "images", book=str(folder / "book"))


def _compare_pictures(folder: Path, *, book: str) -> None:
    runpy.run_path(str(ROOT / "docs" / "make_images.py"))["main"](folder, book)
    kept = ROOT / "docs" / "images"
    # The chart of the benchmarks is made of their results.
    pictures = {path.name for path in kept.glob("*.svg")} - {"benchmarks.svg"}
    assert {path.name for path in folder.iterdir()} == pictures
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        assert text == (kept / path.name).read_text(encoding="utf-8"), "run `make demo` and `docs/make_images.py`"
        assert re.findall(r"https?://[^\"]*", text) == ["http://www.w3.org/2000/svg"]
