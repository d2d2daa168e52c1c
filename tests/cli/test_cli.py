"""The command line does what the book does: data on stdout, words on stderr, three exit codes."""

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tradelake.cli import main
from tradelake.cli.app import app
from tradelake.cli.streams import PROBLEM_COUNT_MAX, complain_about, progress_bar
from tradelake.errors import Problem

PUT = {
    "symbol": "NVDA",
    "asset_type": "OPTION",
    "strike": "150",
    "expiration": "2026-01-16",
    "option_type": "PUT",
}


def fill(trade_id: str, **fields: object) -> dict[str, object]:
    """Return one execution: a hundred shares of NVDA bought for GEN-1, with what is given put over it."""
    share = {"account_id": "GEN-1", "symbol": "NVDA", "asset_type": "STOCK", "action": "BUY_TO_OPEN"}
    terms = {
        "executed_at": "2026-01-08T15:30:00Z",
        "quantity": "100",
        "price": "150.25",
        "commission": "1.00",
    }
    return {"trade_id": trade_id} | share | terms | fields


FILLS = [
    fill("T1"),
    fill("T2", **PUT, action="SELL_TO_OPEN", quantity="2", price="3.10", executed_at="2026-01-08T15:31:00Z"),
    fill("T3", action="SELL_TO_CLOSE", quantity="40", price="160.5", executed_at="2026-02-09T15:30:00Z"),
]


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    """Write rows as JSONL and return the path."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(book: Path | str, *words: str, stdin: str = "", code: int = 0) -> str:
    """Run a command on a book, check its exit code and return what it printed on stdout."""
    result = CliRunner().invoke(app, ["--book", str(book), *words], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


def process(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own, and check its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", "tradelake.cli", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """A book with one account and no events."""
    book = tmp_path / "book"
    run(book, "init")
    run(book, "accounts", "add", "GEN-1", "--broker", "U1", "--type", "GEN")
    return book


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A book with three fills, for commands that only read."""
    folder = tmp_path_factory.mktemp("shared")
    book = folder / "book"
    run(book, "init")
    run(book, "accounts", "add", "GEN-1", "--broker", "U1", "--type", "GEN")
    run(book, "import", "executions", str(written(folder / "fills.jsonl", FILLS)))
    return book


def test_init_makes_a_book_once(tmp_path):
    book = tmp_path / "book"
    assert run(book, "init").startswith("created ")
    assert process("--book", str(book), "init", code=2).stderr.startswith("There is a book at ")


def test_a_missing_book_is_misuse_and_one_paragraph(tmp_path):
    done = process("--book", str(tmp_path / "none"), "trades", code=2)
    assert done.stdout == ""
    assert done.stderr.startswith("There is no book at ")
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_environment_names_the_book(book, monkeypatch):
    monkeypatch.setenv("TRADELAKE_BOOK", str(book))
    assert CliRunner().invoke(app, ["trades", "--json"]).exit_code == 0


def test_import_prints_a_receipt_and_a_second_import_only_duplicates(empty, tmp_path):
    file = written(tmp_path / "fills.jsonl", FILLS)
    first = run(empty, "import", "executions", str(file))
    assert first.splitlines() == [
        "fills.jsonl: 3 accepted, 0 duplicates, 0 conflicts, 0 rejects, 0 kept",
        "  the log ends at 3, version 4",
        "  new instruments: 2",
    ]
    again = run(empty, "import", "executions", str(file))
    assert again.splitlines() == [
        "fills.jsonl: 0 accepted, 3 duplicates, 0 conflicts, 0 rejects, 0 kept",
        "  the log ends at 3, version 4",
    ]


def test_bad_rows_are_named_on_stderr_and_the_good_ones_recorded(empty, tmp_path):
    file = written(tmp_path / "fills.jsonl", [FILLS[0], fill("T9", quantity="0")])
    result = CliRunner().invoke(app, ["--book", str(empty), "import", "executions", str(file)])
    assert result.exit_code == 1
    assert "1 accepted, 0 duplicates, 0 conflicts, 1 rejects" in result.stdout
    assert "fills.jsonl, row 2" in result.stderr
    assert "zero_quantity" in result.stderr
    assert [row["code"] for row in json.loads(run(empty, "records", "--outcome", "reject", "--json"))] == [
        "zero_quantity"
    ]


def test_an_unreadable_file_changes_nothing_and_the_next_is_tried(empty, tmp_path):
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1")
    good = written(tmp_path / "fills.jsonl", FILLS)
    result = CliRunner().invoke(app, ["--book", str(empty), "import", "executions", str(broken), str(good)])
    assert result.exit_code == 2
    assert "broken.parquet" in result.stderr
    assert "fills.jsonl: 3 accepted" in result.stdout


def test_a_file_that_does_not_exist_is_misuse_before_anything_is_recorded(empty, tmp_path):
    good = written(tmp_path / "fills.jsonl", FILLS)
    process("--book", str(empty), "import", "executions", str(good), str(tmp_path / "none.jsonl"), code=2)
    assert json.loads(run(empty, "trades", "--json")) == []


def test_an_unknown_source_is_misuse(book, tmp_path):
    file = written(tmp_path / "fills.jsonl", FILLS)
    done = process("--book", str(book), "import", "carrier-pigeon", str(file), code=2)
    assert "carrier-pigeon" in done.stderr


def test_record_answers_every_line_with_its_row(empty):
    lines = [
        json.dumps(FILLS[0]),
        "",
        "{broken",
        json.dumps(fill("T8", price="NaN")),
        json.dumps(FILLS[0]),
        "[1]",
    ]
    answers = [json.loads(line) for line in run(empty, "record", "-", stdin="\n".join(lines), code=1).splitlines()]
    assert [(answer["row"], answer["outcome"], answer["code"]) for answer in answers] == [
        (1, "accepted", None),
        (3, "reject", "bad_json"),
        (4, "reject", "bad_number"),
        (5, "duplicate", None),
        (6, "reject", "bad_json"),
    ]
    assert {answer["sequence"] for answer in answers} == {1}


def test_record_answers_a_line_before_the_next_one_is_written(empty):
    words = [sys.executable, "-m", "tradelake.cli", "--book", str(empty), "record", "-"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdin is not None
        assert service.stdout is not None
        for sequence, row in enumerate(FILLS, 1):
            service.stdin.write(json.dumps(row) + "\n")
            service.stdin.flush()
            answer = json.loads(service.stdout.readline())
            assert (answer["outcome"], answer["row"], answer["sequence"]) == ("accepted", sequence, sequence)
        service.stdin.close()
        assert service.wait(timeout=60) == 0


def test_trades_are_json_with_text_for_decimals(book):
    [bought, *_] = json.loads(run(book, "trades", "--json"))
    assert bought["trade_id"] == "T1"
    assert bought["price"] == "150.25"
    assert bought["net_amount"] == "-15026"
    assert bought["executed_at"] == "2026-01-08T15:30:00Z"


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ([], ["T1", "T2", "T3"]),
        (["--symbol", "AAPL"], []),
        (["--account", "GEN-1", "--limit", "1"], ["T1"]),
        (["--since", "2026-02-01"], ["T3"]),
        (["--until", "2026-01-08"], ["T1", "T2"]),
        (["--as-of", "2026-01-08T15:30:30Z"], ["T1"]),
        (["--as-known", "2020-01-01"], []),
        (["--kinds", "cash,expire"], []),
    ],
)
def test_filters_choose_rows(book, words, ids):
    assert [row["trade_id"] for row in json.loads(run(book, "trades", "--json", *words))] == ids


@pytest.mark.parametrize(
    "verb",
    [
        "accounts",
        "trades",
        "positions",
        "lots",
        "matches",
        "history",
        "pnl",
        "runs",
        "refusals",
        "records",
        "instruments",
    ],
)
def test_every_listing_prints_a_table_json_and_csv(book, verb):
    rows = json.loads(run(book, verb, "--json"))
    lines = run(book, verb, "--csv").splitlines()
    table = run(book, verb).splitlines()
    count = "no rows" if not rows else "1 row" if len(rows) == 1 else f"{len(rows)} rows"
    assert table[-1].startswith(f"{verb}: {count}")
    assert max(map(len, table)) <= 100
    assert len(lines) == len(rows) + 1
    assert not rows or lines[0] == ",".join(rows[0])


def test_positions_follow_the_log(book):
    rows = json.loads(run(book, "positions", "--json"))
    assert {row["symbol"] + " " + row["asset_type"]: row["quantity"] for row in rows} == {
        "NVDA STOCK": "60",
        "NVDA OPTION": "-2",
    }
    before = json.loads(run(book, "positions", "--as-of", "2026-01-31", "--json"))
    assert sorted(row["quantity"] for row in before) == ["-2", "100"]


def test_profit_is_summed_by_what_is_asked(book):
    [row] = json.loads(run(book, "pnl", "--by", "symbol,year", "--json"))
    assert (row["symbol"], row["year"], row["realized_pnl"]) == ("NVDA", "2026", "408.6")
    assert "instrument" in process("--book", str(book), "pnl", "--by", "mood", code=2).stderr


def test_sql_reads_from_the_words_or_from_stdin(book):
    query = "select count(*) as n, sum(quantity) as q from trades"
    assert json.loads(run(book, "sql", query, "--json")) == [{"n": 3, "q": "142"}]
    assert run(book, "sql", "-", "--csv", stdin=query) == "n,q\n3,142\n"


@pytest.mark.parametrize("query", ["delete from trade_log", "select * from read_csv('/etc/hostname')", "selec 1"])
def test_sql_that_is_no_query_of_the_book_is_refused_in_one_paragraph(book, query):
    done = process("--book", str(book), "sql", query, code=2)
    assert done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(run(book, "sql", "select count(*) as n from trade_log", "--json")) == [{"n": 3}]


def test_json_and_csv_exclude_each_other(book):
    result = CliRunner().invoke(app, ["--book", str(book), "trades", "--json", "--csv"])
    assert result.exit_code == 2
    assert "exclude each other" in result.stderr


def test_an_account_is_added_once_and_listed(empty):
    words = [
        "accounts",
        "add",
        "REV-1",
        "--broker",
        "U1",
        "--type",
        "REV",
        "--pattern",
        "REV-*",
        "--method",
        "LIFO",
    ]
    assert run(empty, *words) == "REV-1: added\n"
    assert run(empty, *words) == "REV-1: is in the book already, unchanged\n"
    rows = json.loads(run(empty, "accounts", "--json"))
    assert [(r["account_id"], r["lot_method"], r["allocation_pattern"]) for r in rows] == [
        ("GEN-1", "FIFO", None),
        ("REV-1", "LIFO", "REV-*"),
    ]
    run(empty, "accounts", "add", "REV-1", "--broker", "U2", code=1)


def test_fold_and_rebuild_leave_the_answers_alone(empty, tmp_path):
    run(empty, "import", "executions", str(written(tmp_path / "fills.jsonl", FILLS)))
    before = run(empty, "lots", "--json")
    assert run(empty, "fold") == "folded up to sequence 3\n"
    assert run(empty, "rebuild", "--check").startswith("identical up to sequence 3\n")
    assert run(empty, "rebuild").startswith("rebuilt up to sequence 3\n")
    assert run(empty, "lots", "--json") == before


def test_doctor_finds_a_sound_book_sound(book):
    lines = run(book, "doctor").splitlines()
    assert all(line.startswith("ok ") for line in lines)
    assert any("WAL mode" in line for line in lines)


def test_doctor_says_what_to_do_where_there_is_no_book(tmp_path):
    [problem] = [line for line in run(tmp_path / "none", "doctor", code=1).splitlines() if not line.startswith("ok ")]
    assert problem.startswith("problem  book: There is no book at ")
    assert "tradelake init" in problem


def test_version_and_help_need_no_book_and_no_heavy_library():
    assert run(Path("none"), "version").startswith("tradelake ")
    probe = "import sys; import tradelake.cli.app; sys.exit(bool({'polars', 'duckdb'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


def test_reading_a_book_imports_no_library_that_it_does_not_need(book):
    """Of a small command, what it imports is most of what it costs."""
    probe = (
        "import sys; from tradelake.cli.app import app; app(sys.argv[1:], standalone_mode=False); "
        "heavy = {'numba', 'pandas', 'exchange_calendars', 'obstore', 'psycopg', 'distributed', 'vl_convert', 'yaml', "
        "'ssl', 'tradelake.intake.model', 'tradelake.intake.check'}; "
        "print(heavy & set(sys.modules))"
    )
    words = [sys.executable, "-c", probe, "--book", str(book), "positions", "--csv"]
    listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()
    assert (len(listed) > 2, listed[-1]) == (True, "set()")


def test_a_reader_that_goes_away_is_no_error(book):
    words = [
        sys.executable,
        "-m",
        "tradelake.cli",
        "--book",
        str(book),
        "sql",
        "--csv",
        "select * from range(300000)",
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as listing:
        assert listing.stdout is not None
        assert listing.stderr is not None
        listing.stdout.readline()
        listing.stdout.close()
        assert listing.stderr.read() == ""
        assert listing.wait(timeout=60) == 0


def test_main_prints_the_error_and_exits(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(sys, "argv", ["tradelake", "--book", str(tmp_path / "none"), "lots"])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 2
    assert capsys.readouterr().err.startswith("There is no book at ")


def test_only_the_first_problems_are_printed_and_the_rest_is_counted(capsys):
    complain_about([f"problem {n}" for n in range(25)], rest="they are listed elsewhere.")
    lines = capsys.readouterr().err.splitlines()
    assert lines[:PROBLEM_COUNT_MAX] == [f"problem {n}" for n in range(PROBLEM_COUNT_MAX)]
    assert lines[PROBLEM_COUNT_MAX:] == ["5 more problems like these: they are listed elsewhere."]


def test_rows_with_the_same_problem_are_one_paragraph(capsys):
    futures = [
        Problem("unsupported", "No futures.", "f.xml", row, "category", "FUT", "Leave it.") for row in range(3, 33)
    ]
    other = Problem("bad_number", "This is no number.", "f.xml", 40, "price", "x", "Write one.")
    complain_about([*futures[:1], other, *futures[1:]], rest="")
    told = capsys.readouterr().err.splitlines()
    assert told == [f"{futures[0]} 29 more rows have the same: 4, 5, 6, 7, 8, 9 and others.", str(other)]
    complain_about(futures[:2], rest="")
    assert capsys.readouterr().err == f"{futures[0]} Row 4 has the same.\n"


def test_progress_is_shown_on_a_terminal_only(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    with progress_bar() as report:
        assert report is None
    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress_bar() as report:
        assert report is not None
        report("read", 1, 3)
        report("fold", 0, 0)
