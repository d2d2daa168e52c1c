"""The nightly job on the command line: exit codes, files of reports, settings, and the listings of what it leaves."""

import json
from pathlib import Path

import pytest

import tradelake as tl
from tests.cli.test_cli import process, run
from tests.jobs.night_books import EXPIRY, PUT, SESSIONS, copied, marks_file, statement_file, wheel
from tests.outputs.browser import chromium, visit
from tests.outputs.pages import assert_tables_equal_json
from tests.outputs.test_report_browser import OVERFLOW, TABLES
from tradelake.errors import InputError
from tradelake.jobs.settings import reports_folder, rules_of

THURSDAY = "2026-01-08"
CHOICE = (
    "Choose from missing_here, missing_there, quantity, price, fee, multiplier, stale_split, timing, symbol_change, "
    "unknown, exercise, assign, cash_settle, expire."
)
SETTINGS = (
    "There are apply and reports in [nightly]; keep_versions_days and keep_files_days and keep_orphans_hours in "
    "[maintenance]; hot and cold and trade_log and source_records and lock in [retention]."
)
NO_TOML = (
    "{}/tradelake.toml cannot be read as TOML: Expected ']' at the end of a table declaration (at line 1, column 9). "
    "Mend it, or take it away."
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a closed book that was told everything until the 16th, prices and a statement of Thursday."""
    folder = tmp_path_factory.mktemp("told")
    with wheel(folder / "book", until=EXPIRY) as made:
        made.ingest_marks(marks_file(folder / "m.csv", SESSIONS[:10]))
    statement_file(folder / "U1.xml", SESSIONS[3])
    return folder


@pytest.fixture(scope="module")
def closed(told: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A book whose Thursday and Friday were closed on the command line, with what it printed for Thursday."""
    book = copied(told / "book", tmp_path_factory.mktemp("closed") / "book")
    return book, run(book, "nightly", "--date", THURSDAY, "--statement", str(told / "U1.xml"))


@pytest.fixture
def book(told: Path, tmp_path: Path) -> Path:
    """A copy of the book."""
    return copied(told / "book", tmp_path / "book")


def columns(text: str) -> list[str]:
    """Return the headings of a table, blanks inside them apart."""
    return [heading.strip() for heading in text.splitlines()[0].split("  ") if heading.strip()]


def test_a_good_night_is_exit_0_with_its_report_printed_and_kept(closed, told):
    book, text = closed
    assert text.splitlines()[0] == f"{THURSDAY}: 3 accounts, 5 positions, no open breaks"
    assert max(map(len, text.splitlines())) <= 100
    page, data = (book / "reports" / f"{THURSDAY}.{suffix}" for suffix in ("html", "json"))
    assert {file.name for file in (book / "reports").iterdir()} == {data.name, page.name}
    kept = [(file.read_bytes(), file.stat().st_mtime_ns) for file in (page, data)]
    again = run(book, "nightly", "--date", THURSDAY, "--statement", str(told / "U1.xml"), "--json")
    assert [(file.read_bytes(), file.stat().st_mtime_ns) for file in (page, data)] == kept
    assert again == data.read_text(encoding="utf-8")
    report = json.loads(again)
    assert (report["standing"], report["nightly_date"], len(report["accounts"])) == ("done", THURSDAY, 3)
    page.unlink()
    assert run(book, "nightly", "--date", THURSDAY) == text
    assert page.read_bytes() == kept[0][0]


def test_the_page_of_a_real_night_shows_the_numbers_of_its_json(closed):
    reports = closed[0] / "reports"
    with chromium() as browser, visit(browser, reports / f"{THURSDAY}.html") as seen:
        assert_tables_equal_json(seen.page.evaluate(TABLES), (reports / f"{THURSDAY}.json").read_text(encoding="utf-8"))
        assert seen.page.evaluate(OVERFLOW) == 0
        assert (seen.requests, seen.complaints) == ([(reports / f"{THURSDAY}.html").as_uri()], [])


def test_the_listings_of_a_night_can_be_read(closed):
    book = closed[0]
    shown = {name: run(book, name) for name in ("nights", "capital", "snapshots", "account-snapshots")}
    shown["expiring"] = run(book, "expiring", "--date", THURSDAY, "--sessions", "6")
    shown["proposals"] = run(book, "proposals", "--date", str(EXPIRY))
    who, held = ["account", "type", "parent"], ["account", "contract", "quantity"]
    worth = ["cash", "market value", "unrealized", "realized", "pos", "ccy"]
    assert {name: columns(text) for name, text in shown.items()} == {
        "nights": ["date", "run", "verdict", "done (UTC)"],
        "capital": [*who, "ccy", "net liquidation", "cash", "buffer", "over or short", "surplus"],
        "snapshots": ["date", *held, "cost basis", "mark", "market value", "unrealized"],
        "account-snapshots": ["date", "account", "net liquidation", *worth],
        "expiring": [*held, "expires", "sessions left", "underlying", "money", "unrealized"],
        "proposals": ["proposal", *held, "would be", "reason"],
    }
    assert all(len(line) <= 100 for text in shown.values() for line in text.splitlines())
    assert shown["nights"].splitlines()[2].startswith(f"{THURSDAY}    1  3 accounts, 5 positions, no open breaks")
    assert [line.split()[0] for line in shown["capital"].splitlines()[2:5]] == ["COM-1", "GEN-1", "REV-1"]
    rows = json.loads(run(book, "account-snapshots", "--until", THURSDAY, "--json"))
    assert {row["snapshot_date"] for row in rows} == {THURSDAY}
    assert run(book, "snapshots", "--as-known", "2026-01-01") == "snapshots: no rows\n"
    assert run(book, "capital", "--date", "2026-01-02") == "capital: no rows\n"


def test_a_night_that_asks_for_a_look_is_exit_1_and_a_proposal_is_booked_once(book):
    folder = book.parent / "kept"
    text = run(book, "nightly", "--date", str(EXPIRY), "--report", str(folder), code=1)
    assert "6 proposed events wait for you" in text
    assert {file.name for file in folder.iterdir()} == {f"{EXPIRY}.html", f"{EXPIRY}.json"}
    assert not (book / "reports").exists()
    assert json.loads(run(book, "trades", "--kinds", "expire,assign", "--json")) == []
    waiting = json.loads(run(book, "proposals", "--date", str(EXPIRY), "--json"))
    name = next(row["proposal_id"] for row in waiting if row["instrument_id"] == PUT.name)
    assert name in text
    booked = run(book, "proposals", "apply", name, "--date", str(EXPIRY), "--reason", "assigned, says the broker")
    assert booked == f"{name}: booked\n"
    with pytest.raises(InputError, match=f"There is no proposal '{name}'"):
        run(book, "proposals", "apply", name, "--date", str(EXPIRY))
    assert len(json.loads(run(book, "proposals", "--date", str(EXPIRY), "--json"))) == len(waiting) - 1


def test_settings_let_kinds_be_booked_and_say_where_reports_go(book):
    (book / "tradelake.toml").write_text('[nightly]\napply = ["expire", "cash_settle"]\nreports = "../page"\n')
    text = run(book, "nightly", "--date", str(EXPIRY), "--rule", "assign", "--rule", "exercise", code=1)
    assert "6 options expired and still open: 6 booked by rule, 0 proposed" in text
    assert (book.parent / "page" / f"{EXPIRY}.json").exists()
    assert run(book, "proposals", "--date", str(EXPIRY)) == "proposals: no rows\n"


def test_what_keeps_it_from_running_is_exit_2_and_one_paragraph(book):
    with tl.open(book) as opened, opened.night():
        done = process("--book", str(book), "nightly", "--date", THURSDAY, code=2)
    assert done.stderr.startswith("A nightly job is running already on ")
    assert (done.stdout, done.stderr.count("\n")) == ("", 1)
    done = process("--book", str(book), "nightly", "--rule", "sell", code=2)
    assert done.stderr == f"--rule: 'sell' is neither a class of breaks nor a kind of proposal. {CHOICE}\n"
    assert run(book, "nightly", "--date", "2026-01-19", code=2) == ""
    assert not (book / "reports").exists()


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (
            '[nightly]\napply = ["expired"]\n',
            f"tradelake.toml, [nightly] apply: 'expired' is neither a class of breaks nor a kind of proposal. {CHOICE}",
        ),
        (
            '[nightly]\napply = "expire"\n',
            "tradelake.toml, [nightly] apply: a list was expected, as [\"expire\"], and there was 'expire'.",
        ),
        (
            "[nightly]\nreports = 3\n",
            "tradelake.toml, [nightly] reports: a folder was expected, as text, and there was 3.",
        ),
        ("[nightly]\nrules = []\n", f"{{}}/tradelake.toml: there is no setting 'rules'. {SETTINGS}"),
        ("nightly = 3\n", f"{{}}/tradelake.toml: there is no setting 'nightly'. {SETTINGS}"),
        ("apply = []\n", f"{{}}/tradelake.toml: there is no setting 'apply'. {SETTINGS}"),
        ("[nightly\n", NO_TOML),
    ],
)
def test_settings_that_are_wrong_are_refused(tmp_path, settings, complaint):
    (tmp_path / "tradelake.toml").write_text(settings)
    asked = reports_folder if "reports = 3" in settings else rules_of
    with pytest.raises(InputError) as error:
        asked(str(tmp_path))
    assert str(error.value) == complaint.format(tmp_path)


def test_a_book_without_settings_keeps_reports_beside_itself_and_books_nothing(tmp_path):
    for target in (str(tmp_path), f"duckdb:{tmp_path}", f"sqlite:{tmp_path}"):
        assert reports_folder(target) == tmp_path / "reports"
        assert rules_of(target) == []
    assert reports_folder("postgresql://host/book") is None
    (tmp_path / "tradelake.toml").write_text('[nightly]\nreports = "/srv/reports"\n')
    assert reports_folder(str(tmp_path)) == Path("/srv/reports")
