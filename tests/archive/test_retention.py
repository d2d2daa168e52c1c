"""What is past its time goes for good, what is held stays, and the book still proves itself and answers."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

import polars as pl
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import tradelake as tl
from bench.questions import DERIVED
from tests.books import Patterns, fill
from tests.reconcile.statements import Told, held, trade
from tradelake.book import Policy, rehearse
from tradelake.book.retention import Retainers, months_after
from tradelake.errors import ArchivedError, DeletedError, InputError

MONTHS = [f"2019-{month:02}" for month in range(1, 5)]
FIRST = (date(2019, 1, 1), date(2019, 2, 1))
SPLIT: dict[str, object] = {
    "trade_id": "SPLIT",
    "kind": "split",
    "symbol": "ACME",
    "asset_type": "STOCK",
    "ratio": "2/1",
}


def today() -> date:
    return datetime.now(UTC).date()


def policy(*, until: str = "2019-02", hot: int = 1) -> Policy:
    """Return a policy by which the months up to one are past their cold time today."""
    year, month = map(int, until.split("-"))
    cold = (today().year - year) * 12 + today().month - month - 1
    return Policy(hot=hot, cold={"trade_log": cold, "source_records": cold})


def told() -> list[dict[str, object]]:
    """Return a buy and a sale of ACME and a buy of OTHER in each of four months, and a split, which never goes."""
    rows: list[dict[str, object]] = [SPLIT | {"executed_at": "2019-01-20T14:30:00Z"}]
    for number, month in enumerate(MONTHS):
        rows.append(fill(3 * number, "10", executed_at=f"{month}-10T15:00:00Z"))
        rows.append(fill(3 * number + 1, "-4", executed_at=f"{month}-11T15:00:00Z"))
        rows.append(fill(3 * number + 2, "5", symbol="OTHER", executed_at=f"{month}-12T15:00:00Z"))
    return rows


@pytest.fixture(scope="module")
def archived(patterns: Patterns, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a book of which four months are archived beside it."""
    folder = tmp_path_factory.mktemp("retention")
    with patterns.copy("sqlite", folder / "book").open() as made:
        made.record(told())
        made.apply_retention(policy(), to=folder / "cold")
    return folder


@pytest.fixture
def book(archived: Path, tmp_path: Path) -> Iterator[tl.Book]:
    """A copy of that book, which reads its archive."""
    shutil.copytree(archived / "book", tmp_path / "book")
    kept = tmp_path / "kept"
    shutil.copytree(archived / "cold", kept)
    with tl.open(tmp_path / "book", cold=True) as copy:
        yield copy
    # The copies share one archive.
    shutil.copytree(kept, archived / "cold", dirs_exist_ok=True)
    for file in (archived / "cold").rglob("*-deleted-*"):
        file.unlink()


@pytest.fixture
def plain(patterns: Patterns, tmp_path: Path) -> Iterator[tl.Book]:
    """The same book, of which nothing ever goes."""
    with patterns.copy("sqlite", tmp_path / "plain").open() as made:
        made.record(told())
        yield made


def objects(book: tl.Book) -> set[str]:
    """Return the data files that are in cold storage."""
    urls = book._catalog.frame("SELECT DISTINCT url FROM archives")["url"]
    return {file.name for url in urls for file in Path(unquote(url[7:])).rglob("*.parquet")}


def same(book: tl.Book, plain: tl.Book) -> None:
    of_the_commit = ("recorded_at", "import_run_id")
    for name in DERIVED:
        mine, theirs = (getattr(each, name)().drop(*of_the_commit, strict=False) for each in (book, plain))
        assert_frame_equal(mine, theirs)
    assert_frame_equal(book.cash(), plain.cash())


def test_what_is_due_is_said_and_nothing_changes(book, archived):
    version = book.version
    due = book.retention(policy())
    assert due["action"].unique().to_list() == ["delete"]
    assert sorted(due["month"].unique()) == list(FIRST)
    assert due.select("month", "table_name").height == 4
    assert book.apply_retention(policy()).height == 0
    assert (book.version, len(objects(book))) == (version, 8)


def test_what_is_deleted_leaves_everything_else_and_the_proof(book, plain):
    done = book.apply_retention(policy(), delete=True)
    assert done["action"].unique().to_list() == ["deleted"]
    assert len(objects(book)) == 4
    same(book, plain)
    found = book.verify(deep=True)
    assert found.findings == ()
    assert "2019-02-12T15:00:00" in found.notes[0]
    report = book.rebuild(check=True)
    assert report.identical
    assert [note for note in report.notes if "began with the closing" in note and "2019-02-12T15:00:00" in note]
    book.rebuild()
    same(book, plain)
    assert book.trades(since="2019-03-01").height == 6
    for each in (book, plain):
        each.snapshot("2019-04-30")
    stood = (each.account_snapshots().select("account_id", "cash", "realized_pnl", "fees") for each in (book, plain))
    assert_frame_equal(*stood)


QUESTIONS: tuple[Callable[[tl.Book], object], ...] = (
    lambda book: book.trades(),
    lambda book: book.trades(until="2019-01-31"),
    lambda book: book.trade("T1"),
    lambda book: book.source_records(),
    lambda book: book.sql("SELECT count(*) FROM trade_log"),
    lambda book: book.lots(as_of="2019-01-15"),
    lambda book: book.cash(as_of="2019-01-15"),
    lambda book: book.pnl(),
)


def test_a_question_that_needs_what_is_deleted_says_so(book):
    book.apply_retention(policy(), delete=True)
    for ask in QUESTIONS:
        with pytest.raises(DeletedError, match="deleted"):
            ask(book)
    assert book.trade("T7").event["trade_id"].to_list() == ["T7"]


GONE = r"of 2019-01 to 2019-02, which were deleted when their retention was over\. "
INSTEAD: tuple[tuple[Callable[[tl.Book], object], str], ...] = (
    (lambda book: book.trades(), GONE + r"Ask from 2019-03-01 on \(since\), or for positions, lots, matches and"),
    (lambda book: book.pnl(), GONE + r"Ask from 2019-03-01 on \(since\), or for what is kept for all time: profit, "),
    (lambda book: book.ledger(), GONE + r"Ask from 2019-03-01 on \(since\), or for what is kept for all time"),
    (lambda book: book.chains(), GONE + r"Chains are made of .* Ask for the chains of an account of which nothing was"),
    (lambda book: book.sql("FROM trades"), GONE + r"SQL over the log .* Ask `trades` from 2019-03-01 on \(since\)"),
    (lambda book: book.sql("FROM chains_at(NULL)"), GONE + r"Chains are made of"),
    (lambda book: book.source_of("T1"), r"The event 'T1' was deleted .* What the broker wrote of it is gone; matches"),
    (lambda book: book.trade("T1"), r"The event 'T1' was deleted when .*`tradelake matches` and `tradelake history`"),
)


def test_a_refusal_says_what_to_ask_instead_and_that_is_answered(book, plain):
    for each in (book, plain):
        each.add_accounts([{"account_id": "NEW-1"}])
        each.record([fill(50, "3", account_id="NEW-1", executed_at="2019-04-20T15:00:00Z")])
    book.apply_retention(policy(), delete=True)
    for ask, says in INSTEAD:
        with pytest.raises(DeletedError, match=says) as refused:
            ask(book)
        assert "\n" not in str(refused.value)
    of_the_commit = ("recorded_at", "import_run_id", "source_record_id", "row_check")
    answered: tuple[Callable[[tl.Book], pl.DataFrame], ...] = (
        lambda book: book.trades(since="2019-03-01"),
        lambda book: book.pnl(since="2019-03-01"),
        lambda book: book.ledger(since="2019-03-01"),
        lambda book: book.pnl("account"),
        lambda book: book.pnl([], account="GEN-1"),
        lambda book: book.pnl(["account"], as_of="2019-03-10", view="economic"),
        lambda book: book.chains(account="NEW-1"),
        lambda book: book.matches(),
        lambda book: book.history(),
        lambda book: book.cash(),
        lambda book: book.sql("SELECT count(*), sum(realized_pnl) FROM matches").pl(),
        lambda book: book.source_of("T7").select("text"),
        lambda book: book.source_of("nothing"),
        lambda book: book.trade("T50").event,
    )
    for ask_both in answered:
        mine, theirs = (ask_both(each).drop(*of_the_commit, strict=False) for each in (book, plain))
        assert_frame_equal(mine, theirs)


def test_a_statement_of_after_the_closing_is_reconciled_as_in_a_book_that_has_all(book, plain, tmp_path):
    trades = (trade(1, 100, "50", day="20190506"), trade(2, -40, "51", day="20190508"))
    balance = {"currency": "USD", "startingCash": "0", "endingCash": "1", "endingSettledCash": "1"}
    says = Told(trades, positions=(held("XYZ", "60"),), balances=(balance,), since="20190501", until="20190531")
    book.apply_retention(policy(), delete=True)
    found = []
    for each in (book, plain):
        assert each.ingest("ibkr-flex", says.file(tmp_path)).accepted == 2
        found.append(each.reconcile(says.file(tmp_path)))
    mine, theirs = found
    assert_frame_equal(mine.breaks, theirs.breaks)
    # What the books hold beside, and their cash since the first day, is compared with what the statement says.
    assert {"ACME", "OTHER"} <= set(mine.breaks["instrument_id"])
    assert (
        mine.breaks.filter(section="cash")["ours"].to_list() == theirs.breaks.filter(section="cash")["ours"].to_list()
    )
    with pytest.raises(DeletedError, match="deleted"):
        book.reconcile(replace(says, since="20190110").file(tmp_path, "earlier.xml"))


def test_a_book_with_deletions_has_no_twin_and_nothing_is_written(book, empty_postgres_url):
    book.apply_retention(policy(), delete=True)
    with pytest.raises(DeletedError, match=r"A twin has every event .* so nothing was written; .* drop it if"):
        book.export_postgres(empty_postgres_url)
    with psycopg.connect(empty_postgres_url) as connection:
        made = "SELECT count(*) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'"
        assert connection.execute(made).fetchone() == (2,)


def test_a_book_on_postgres_deletes_and_its_backup_is_whole(patterns, plain, tmp_path, postgres_server):
    with patterns.copy("postgres", tmp_path / "server", postgres_server).open() as made:
        made.record(told())
        made.apply_retention(policy(), to=tmp_path / "cold")
        made._catalog.cold.included = True
        made.apply_retention(policy(), delete=True)
        assert len(objects(made)) == 4
        same(made, plain)
        assert made.verify(deep=True).findings == ()
        with pytest.raises(DeletedError):
            made.trades()
        made.backup(tmp_path / "copies")
    assert rehearse(tmp_path / "copies").problems == ()


def test_the_tombstone_says_what_went_and_why(book):
    before = book.archives()
    book.apply_retention(policy(), delete=True)
    noted = book._catalog.frame("SELECT * FROM archives WHERE step = 'deleted' ORDER BY ALL")
    for row in noted.iter_rows(named=True):
        text = Path(unquote(row["url"][7:]), row["manifest"]).read_bytes()
        assert sha256(text).hexdigest() == row["manifest_sha256"]
        said = json.loads(text)
        gone = before.filter(archive_id=said["archive_id"])
        assert {file["file_sha256"] for file in said["files"]} == set(gone["file_sha256"])
        assert (said["kind"], said["policy"]["hot"]) == ("tombstone", "1 months")
        assert sum(row[said["control_totals"]["columns"].index("rows")] for row in said["control_totals"]["rows"]) == 3
        leaves = pl.DataFrame(said["leaves"]).select("table_name", "month", "rows", "digest")
        kept = book._catalog.frame("SELECT table_name, month, rows, digest FROM deleted_leaves")
        assert leaves.join(kept, on=leaves.columns, how="anti").height == 0
        # The split of January stays in the log, and is in the leaf all the same.
        assert leaves.filter(table_name="trade_log")["rows"].item() == (4 if said["month"] == "2019-01" else 3)


def test_a_row_that_stayed_in_the_month_is_still_proven(book):
    book.apply_retention(policy(), delete=True)
    change = "UPDATE lake.main.trade_log SET reason = 'other' WHERE trade_id = 'SPLIT'"
    book._catalog.execute(change)
    found = book.verify().findings
    assert ("trade_log", "2019-01") in [(finding.where, finding.key) for finding in found]
    book._catalog.execute("DELETE FROM lake.main.trade_log WHERE trade_id = 'SPLIT'")
    assert "0 are there" in str([str(finding) for finding in book.verify().findings])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE lake.main.closings SET closed_until = closed_until - INTERVAL 1 DAY",
        "UPDATE lake.main.deleted_leaves SET rest_rows = 7",
        "DELETE FROM lake.main.deleted_leaves",
    ],
)
def test_what_is_noted_of_a_deletion_is_bound_by_the_chain(book, change):
    book.apply_retention(policy(), delete=True)
    book._catalog.execute(change)
    assert not book.verify().clean


def test_a_final_row_that_was_changed_is_found_against_the_closing(book):
    book.apply_retention(policy(), delete=True)
    book._catalog.execute("UPDATE lake.main.matches SET proceeds = proceeds + 1 WHERE close_trade_id = 'T1'")
    assert [finding.where for finding in book.verify(deep=True).findings] == ["matches"]


def test_known_events_are_known_and_nothing_is_recorded_before_the_closing(book, plain):
    book.apply_retention(policy(), delete=True)
    again = book.record([*told(), fill(1, "9", executed_at="2019-01-11T15:00:00Z")])
    assert (again.accepted, again.duplicates, again.conflicts) == (0, 14, 0)
    late = fill(20, "7", executed_at="2019-02-12T15:00:00Z")
    cancel = {"kind": "cancel", "trade_id": "C1", "executed_at": "2026-01-05T15:00:00Z"}
    moved = {"kind": "correct", "trade_id": "C2", "target_id": "T7", "executed_at": "2026-01-05T15:00:00Z"}
    refused = [
        late,
        cancel | {"target_id": "T1"},
        cancel | {"target_id": "SPLIT"},
        moved | {"set": {"executed_at": "2019-01-05T15:00:00Z"}},
    ]
    for row in refused:
        receipt = book.record(row)
        assert (receipt.accepted, [problem.code for problem in receipt.problems]) == (0, ["closed_past"])
    later = [fill(21, "7", executed_at="2019-03-01T15:00:00Z"), cancel | {"target_id": "T7"}]
    for each in (book, plain):
        assert each.record(later).accepted == 2
    same(book, plain)
    book.fold()
    assert book.verify(deep=True).findings == ()


def test_a_second_deletion_starts_from_the_first(book, plain):
    book.apply_retention(policy(until="2019-01"), delete=True)
    assert book.record(fill(30, "2", executed_at="2019-02-20T15:00:00Z")).accepted
    plain.record(fill(30, "2", executed_at="2019-02-20T15:00:00Z"))
    with pytest.raises(InputError, match="deleted when its retention was over"):
        book.restore(["2019-01"])
    assert_frame_equal(book.pnl("account"), plain.pnl("account"))
    book.apply_retention(policy(until="2019-04"), delete=True)
    assert_frame_equal(book.pnl("account"), plain.pnl("account"))
    with pytest.raises(DeletedError, match="which were deleted"):
        book.pnl("account", as_of="2019-03-10")
    assert {row["step"] for row in book._catalog.frame("SELECT step FROM archives").to_dicts()} >= {"deleted"}
    same(book, plain)
    assert book.verify(deep=True).findings == ()


def test_records_have_a_time_of_their_own(book, plain):
    months = policy().cold["trade_log"]
    book.apply_retention(Policy(hot=1, cold={"source_records": months, "trade_log": months + 99}), delete=True)
    assert book.archives().group_by("table_name").len().sort("table_name")["len"].to_list() == [2, 4]
    same(book, plain)
    assert book.trades().height == plain.trades().height
    with pytest.raises(ArchivedError, match="deleted"):
        book.source_records()
    found = book.verify(deep=True)
    assert (found.findings, found.notes) == ((), ())
    assert book.record(fill(20, "7", executed_at="2019-01-12T15:00:00Z")).accepted == 1


def test_an_interrupted_deletion_completes_when_it_is_repeated(book, plain, monkeypatch):
    for method in ("_put_tombstone", "_remember", "_remove_deleted"):
        with monkeypatch.context() as broken:
            broken.setattr(Retainers, method, _interrupted)
            with pytest.raises(KeyboardInterrupt):
                book.apply_retention(policy(), delete=True)
    assert len(objects(book)) == 8
    book.apply_retention(policy(), delete=True)
    assert len(objects(book)) == 4
    assert book._catalog.frame("SELECT * FROM archives WHERE step = 'deleted'").height == 4
    same(book, plain)
    assert book.verify(deep=True).findings == ()


def _interrupted(*_given: object, **_named: object) -> None:
    raise KeyboardInterrupt


def test_a_hold_that_comes_before_the_objects_are_gone_keeps_them(book, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(Retainers, "_remove_deleted", _interrupted)
        with pytest.raises(KeyboardInterrupt):
            book.apply_retention(policy(), delete=True)
    held = book.hold(symbol="OTHER", reason="a case")
    book.apply_retention(policy(), delete=True)
    assert len(objects(book)) == 8
    book.release(held, reason="settled")
    book.apply_retention(policy(), delete=True)
    assert len(objects(book)) == 4


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cold=st.integers(1, 140),
    held=st.lists(st.tuples(st.sampled_from([None, "GEN-1"]), st.sampled_from([None, "ACME", "LATE"])), max_size=2),
)
def test_nothing_is_due_before_its_time_or_inside_a_hold(book, cold, held):
    if not book.instruments(symbol="LATE").height:
        book.record(fill(40, symbol="LATE", executed_at="2019-04-20T15:00:00Z"))
    placed = [
        book.hold(account=account, symbol=symbol, reason="a case") for account, symbol in held if account or symbol
    ]
    due = book.retention(Policy(cold={"trade_log": cold, "source_records": 150}))
    kept = {date(2019, month, 1) for month in (1, 2, 3, 4) if any(_covers(pair, month) for pair in held)}
    for row in due.iter_rows(named=True):
        assert row["table_name"] == "trade_log"
        assert row["due"] == months_after(row["month"], 1 + cold) <= today()
        assert (row["action"] == "keep") == (row["month"] in kept) == bool(row["holds"])
    assert due.height == sum(months_after(date(2019, m, 1), 1 + cold) <= today() for m in (1, 2, 3, 4))
    for hold_id in placed:
        book.release(hold_id, reason="settled")
    assert not book.holds().height


def _covers(pair: tuple[str | None, str | None], month: int) -> bool:
    account, symbol = pair
    return (account is not None or symbol is not None) and (symbol != "LATE" or month == 4)


def test_a_hold_is_placed_and_released_for_a_reason_and_never_goes(book):
    held = book.hold(account="GEN-1", symbol="ACME", reason="a case")
    assert book.apply_retention(policy(), delete=True)["action"].unique().to_list() == ["keep"]
    assert len(objects(book)) == 8
    book.release(held, reason="settled")
    steps = book.holds(released=True)
    assert steps.select("hold_id", "step", "reason").rows() == [
        (held, "placed", "a case"),
        (held, "released", "settled"),
    ]
    assert book.verify().findings == ()
    for mistake, says in (
        ({"reason": "x"}, "name one"),
        ({"account": "NOBODY", "reason": "x"}, "no account"),
        ({"symbol": "NOTHING", "reason": "x"}, "No event"),
        ({"account": "GEN-1", "reason": " "}, "say it"),
    ):
        with pytest.raises(InputError, match=says):
            book.hold(**mistake)
    for hold_id, says in ((held, "was released"), ("H-9", "no hold")):
        with pytest.raises(InputError, match=says):
            book.release(hold_id, reason="x")
