"""What a newcomer stumbles over is answered with one paragraph that says what to do."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import pytest
from filelock import FileLock

import tradelake as tl
from tests.cli.test_cli import process, run
from tradelake import cli
from tradelake.cli.examples import EXAMPLES
from tradelake.cli.machine import Finding
from tradelake.cli.options import open_book
from tradelake.cli.streams import progress_bar, screen

ROOT = Path(__file__).parents[2]
FLEX = "statement.xml"


class Terminal(io.StringIO):
    """Text that says of itself that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to type in, with files that are not what they should be."""
    (tmp_path / FLEX).write_text("<FlexQueryResponse><FlexStatements></FlexStatements></FlexQueryResponse>")
    (tmp_path / "page.html").write_text("<!DOCTYPE html><html><body>Log in</body></html>")
    (tmp_path / "cut.xml").write_text("<FlexQueryResponse><FlexStatements><FlexStatement>")
    (tmp_path / "nothing.xml").touch()
    (tmp_path / "people.csv").write_text("name,age\nBob,3\n")
    (tmp_path / "xml").mkdir()
    (tmp_path / "xml" / "one.xml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(*words: str, capsys: pytest.CaptureFixture[str], code: int = 2) -> str:
    """Run a command as the shell would, check its exit code, and return what it said on standard error."""
    with mock.patch.object(sys, "argv", ["tradelake", *words]), pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == code
    return capsys.readouterr().err.removesuffix("\n")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (f"import {FLEX}", f"What {FLEX!r} is has to be said before it. Write: tradelake import ibkr"),
        (f"import {FLEX} ibkr-flex", f"What {FLEX!r} is has to be said before it. Write: tradelake import ibkr-flex"),
        ("import none.csv", "What 'none.csv' is has to be said before it. Write: tradelake import executions none.csv"),
        ("import page.html", "What 'page.html' is has to be said before it. Write tradelake import ibkr-flex"),
        ("import ibkr-felx x.xml", "'ibkr-felx' is no source that tradelake knows. Did you mean ibkr-flex? Sources: "),
        ("import ibkr-flex", "The file is missing. Write: tradelake import ibkr-flex FILE"),
        ("import ibkr-flex statment.xml", "There is no file 'statment.xml' in {folder}. There is statement.xml. Look"),
        ("import ibkr-flex other/x.xml", "There is no file 'other/x.xml': the folder {folder}/other does not exist."),
        ("import ibkr-flex xml", "'xml' is a folder. Name the files in it: tradelake import ibkr-flex xml/*.xml"),
        ("import executions xml", "'xml' is a folder. Name the files in it: tradelake import executions xml/FILE"),
        ("import postgres", "The URL of the database is missing. Write: tradelake import postgres postgresql://..."),
        ("import ibkr-flex page.html", "page.html declares a document type, which a Flex statement never does"),
        ("import ibkr-flex cut.xml", "cut.xml is cut off: the XML ends unfinished at line 1, "),
        ("import ibkr-flex nothing.xml", "nothing.xml is empty: download the Flex statement again."),
        ("import ibkr-flex people.csv", "people.csv is not XML (at line 1, column 0): expected a Flex statement"),
        ("import executions people.csv", "people.csv: none of its columns is a field of an execution: name, age."),
        (f"import executions {FLEX}", f"{FLEX}: executions come as .jsonl, .ndjson, .json, .csv, .parquet, .pq, not"),
        ("--book none positions", "There is no book at {folder}/none. Make one with `tradelake init`"),
        ("--book people.csv lots", "There is no book at {folder}/people.csv: that is a file, and a book is a"),
        (
            "--book book/catalog.sqlite lots",
            "There is no book at {folder}/book/catalog.sqlite: that is its catalog. Name the folder: {folder}/book",
        ),
    ],
)  # fmt: skip
def test_a_wrong_file_or_path_says_what_to_do(words, answer, folder, capsys):
    tl.create(folder / "book").close()
    text = said(*words.split(), capsys=capsys)
    assert text.startswith(answer.format(folder=folder))
    assert "\n" not in text
    with tl.open(folder / "book", read_only=True) as book:
        assert not book.sequence


def test_an_empty_book_says_how_to_fill_it(folder):
    tl.create(folder / "book").close()
    done = process("--book", "book", "positions")
    assert done.stdout == "positions: no rows\n"
    assert done.stderr.startswith("The log of this book is empty. Record something first: tradelake import ")
    assert not process("--book", "book", "accounts").stderr
    assert not process("--book", "book", "positions", "--json").stderr


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("positions --account GEN1", "The book has no account 'GEN1'. Did you mean GEN-1? It has GEN-1."),
        ("lots --account U1", "U1 is an account of the broker. Ask one that shares it: GEN-1."),
        ("trades --symbol ko", "The book has no symbol 'ko'. Did you mean KO? It has KO."),
        ("pnl --strategy S", "The book has no strategy 'S', and no other either."),
        ("positions --symbol KO --until 2026-01-01", ""),
        ("positions --account GEN1 --json", ""),
    ],
)
def test_a_filter_that_names_nothing_is_told_so(words, answer, folder):
    with tl.create(folder / "book") as book:
        book.add_accounts([{"account_id": "GEN-1", "broker_account_id": "U1"}])
        book.record([json.loads(FILL)])
    assert process(*words.split()).stderr.strip() == answer


def test_an_account_whose_parent_is_missing_is_not_said_to_be_there(folder):
    tl.create(folder / "book").close()
    done = process("--book", "book", "accounts", "add", "B", "--parent", "A", code=1)
    assert not done.stdout
    assert "the parent account is not in the book" in done.stderr


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("positons", "Did you mean 'positions'"),
        ("breaks shwo", "Did you mean 'show'?"),
        ("positions --symbl KO", "--symbol"),
    ],
)
def test_a_typing_error_is_answered_with_what_was_meant(words, answer, capsys):
    assert answer in said(*words.split(), capsys=capsys)


@pytest.mark.on_disk
def test_a_writer_that_has_to_wait_says_so_and_goes_on(tmp_path, monkeypatch, capsys):
    tl.create(tmp_path / "book").close()
    monkeypatch.setattr("tradelake.store.lease.NOTICE_SECONDS", 0.1)
    context = SimpleNamespace(find_root=lambda: SimpleNamespace(obj=tmp_path / "book"))
    other = FileLock(str(tmp_path / "book" / "writer.lock"), thread_local=False)
    other.acquire()

    def heard(text: str) -> None:
        print(text)
        other.release()

    monkeypatch.setattr("tradelake.cli.options.complain", heard)
    with open_book(context, read_only=False) as book:  # type: ignore[arg-type]
        book.add_accounts([{"account_id": "A"}])
    told = capsys.readouterr().out
    assert told.startswith(f"Another process is writing to {tmp_path}/book/catalog.sqlite: this waits for it")
    assert told.count("\n") == 1


def test_an_old_python_is_told_which_one_is_needed(monkeypatch, capsys):
    monkeypatch.setattr(cli, "OLDEST", (9, 99))
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert str(stopped.value.code).startswith("tradelake needs Python 9.99 or newer, and this is 3.")
    assert "make PYTHON=" in str(stopped.value.code)


def test_make_with_an_old_python_says_what_to_do(tmp_path):
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\n[ \"$1\" = --version ] && echo 'Python 3.10.4' && exit\nexit 1\n")
    old.chmod(0o755)
    makefile = (ROOT / "Makefile").read_text()
    (tmp_path / "Makefile").write_text(makefile)
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).touch()
    done = subprocess.run(
        ["make", "-C", str(tmp_path), "demo", f"PYTHON={old}"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"tradelake needs Python 3.11 or newer, and '{old}' is not one (Python 3.10.4)." in done.stderr
    assert "make PYTHON=/path/to/python3.12 demo" in done.stderr


@pytest.mark.parametrize("example", [line for lines in EXAMPLES.values() for line in lines if line.startswith("trade")])
def test_every_example_of_the_help_is_a_command_line(example):
    import shlex

    *_, words = [part for part in example.split("|") if "tradelake" in part]
    run("none", *shlex.split(words)[1:], "--help")


def test_an_example_with_an_option_that_is_none_would_be_found():
    run("none", "pnl", "--bye", "symbol", "--help", code=2)


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_want_them(variables, coloured, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    for name in ("TERM", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("COLUMNS", "60")
    assert screen() == (coloured, 60)


def test_a_dumb_terminal_has_no_progress_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "dumb")
    with progress_bar() as report:
        assert report is None


def test_a_listing_fits_a_narrow_terminal_by_a_line_for_each_value(tmp_path, monkeypatch):
    with tl.create(tmp_path / "book") as book:
        book.add_accounts([{"account_id": "GEN-1"}, {"account_id": "REV-1", "allocation_pattern": "REV-*"}])
    assert "account  broker account  type" in run(tmp_path / "book", "accounts")
    monkeypatch.setattr("tradelake.cli.options.screen", lambda: (False, 48))
    *lines, footer = run(tmp_path / "book", "accounts").splitlines()
    assert max(map(len, lines)) <= 48
    rows = [dict(re.split(r"(?<!broker) +", line, maxsplit=1) for line in row) for row in (lines[:8], lines[9:17])]
    assert [(row["account"], row["pattern"], row["default"]) for row in rows] == [
        ("GEN-1", "·", "false"),
        ("REV-1", "REV-*", "false"),
    ]
    assert footer.startswith("accounts: 2 rows")


def test_a_finding_of_the_doctor_is_folded_on_a_terminal_only(monkeypatch):
    finding = Finding("book", "word " * 30 + "end.", problem=True)
    assert finding.shown().count("\n") == 1
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("COLUMNS", "60")
    lines = finding.shown().splitlines()
    assert len(lines) > 2
    assert max(map(len, lines)) <= 60
    assert all(line.startswith(" " * 9) for line in lines[1:])


def test_what_every_command_imports_is_light():
    """The overview, the version and completion need none of the libraries that a book needs."""
    heavy = "{'duckdb', 'polars', 'numpy', 'pyarrow', 'pydantic_core', 'numba'}"
    code = f"import sys, tradelake.cli.app; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


FILL = (
    '{"trade_id": "1", "account_id": "GEN-1", "symbol": "KO", "asset_type": "STOCK", "action": "BUY", '
    '"executed_at": "2026-06-30T15:00:00Z", "quantity": 100, "price": "72.40"}\n'
)
LOCKER = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not Path("/proc/locks").exists(), reason="this system does not say who has locked a file")
def test_a_catalog_that_another_program_keeps_is_named_and_nothing_is_recorded(folder, monkeypatch, capsys):
    tl.create(folder / "book").close()
    (folder / "fill.jsonl").write_text(FILL)
    monkeypatch.setattr(sys.modules["tradelake.store.append"], "ATTEMPTS", 2)
    catalog = str(folder / "book" / "catalog.sqlite")
    with subprocess.Popen(
        [sys.executable, "-c", LOCKER, catalog], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdin is not None
        assert other.stdout.readline() == "held\n"
        text = said("import", "executions", "fill.jsonl", capsys=capsys, code=1)
        assert text.startswith(f"Another program keeps the catalog {catalog} to itself (database is locked)")
        assert "Close what has the file open" in text
        found = process("doctor", code=1).stdout
        assert f"problem  catalog lock: process {other.pid} keeps the catalog to itself" in found
        other.stdin.close()
    assert "catalog lock" not in process("doctor").stdout
    with tl.open(folder / "book", read_only=True) as book:
        assert not book.sequence


def test_the_package_can_be_run_as_a_module():
    done = subprocess.run([sys.executable, "-m", "tradelake", "version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("tradelake ")
