"""Months of a real statement go to cold storage and come back, and every answer stays what it was."""

import json
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import tradelake as tl
from tests.archive.answers import answers, questions
from tests.books import SAMPLE_FLEX
from tests.reconcile.statements import Told, held, trade
from tradelake.book.archiving import Archivers
from tradelake.errors import ArchivedError, InputError, StorageError
from tradelake.store import Upkeep
from tradelake.store.cold import HOT

ASKED = questions(day="2026-02-10", known="2026-01-01", symbol="NVDA", account="U7700001")
BEFORE = "2026-03-01"


@pytest.fixture
def told(local_book: tl.Book) -> tl.Book:
    """A book that was told half a year of a broker's statement."""
    local_book.ingest("ibkr-flex", SAMPLE_FLEX)
    return local_book


def test_fifty_answers_are_what_they_were_with_the_archive_and_after_a_restore(told, tmp_path):
    expected = dict(answers(told, ASKED))
    assert len(expected) >= 50
    done = told.archive(BEFORE, tmp_path / "cold")
    assert done["month"].dt.strftime("%Y-%m").to_list() == ["2026-01", "2026-02"]
    refused = set()
    for name, ask in ASKED.items():
        try:
            ((_, answer),) = answers(told, {name: ask})
        except ArchivedError:
            refused.add(name)
        else:
            assert_frame_equal(answer, expected[name])
    with pytest.raises(ArchivedError, match="2026-01 to 2026-02, which are archived"):
        told.trades()
    assert {"trades", "ledger", "cash", "sql 1", "sql 3"} <= refused
    assert refused & {"positions", "lots", "matches", "history", "positions as of", "bridge"} == set()
    assert told.trades(since=BEFORE).height
    with told._catalog.cold.including():
        for name, answer in answers(told, ASKED):
            assert_frame_equal(answer, expected[name])
    archived, report = done["events"].sum(), told.rebuild(check=True)
    said = f"{archived} of the events are archived and were read from cold storage; their months: 2"
    assert (report.identical, report.notes) == (True, (said,))
    told.restore(manifests(told))
    assert not told.archives().height
    for name, answer in answers(told, ASKED):
        assert_frame_equal(answer, expected[name])
    report = told.rebuild(check=True)
    assert (report.identical, report.notes) == (True, ())


def manifests(book: tl.Book) -> list[str]:
    rows = book.archives().select(pl.concat_str("url", "manifest", separator="/").alias("manifest"))
    return rows["manifest"].unique().sort().to_list()


def test_a_dry_run_says_what_would_go_and_changes_nothing(told, tmp_path):
    version = told.version
    would = told.archive(BEFORE, tmp_path / "cold", dry_run=True)
    assert (told.version, (tmp_path / "cold").exists()) == (version, False)
    assert_frame_equal(would, told.archive(BEFORE, tmp_path / "cold"))
    assert not told.archive(BEFORE, tmp_path / "cold").height


def test_the_manifest_describes_its_files_without_the_book(told, tmp_path):
    trades = told.trades(until="2026-01-31", kinds=("trade", "expire", "exercise", "assign", "cash"))
    told.archive("2026-02-01", tmp_path / "cold")
    (name,) = manifests(told)
    said = json.loads(Path(name.removeprefix("file://")).read_bytes())
    rows = {}
    for file in said["files"]:
        path = tmp_path / "cold" / file["object"]
        assert sha256(path.read_bytes()).hexdigest() == file["sha256"]
        rows[file["table"]] = pl.read_parquet(path)
        assert rows[file["table"]].columns == [column["name"] for column in file["columns"]]
        assert rows[file["table"]].height == file["rows"]
    log = rows["trade_log"]
    assert set(log["trade_id"]) <= set(trades["trade_id"])
    totals = pl.DataFrame(said["control_totals"]["rows"], schema=said["control_totals"]["columns"], orient="row")
    assert totals["rows"].sum() == log.height
    for column, amount in (("cash", "net_amount"), ("fees", "fees"), ("commission", "commission")):
        assert totals[column].cast(pl.Decimal(38, 12)).sum() == log[amount].fill_null(0).sum()
    profit = told.matches().join(log.select(pl.col("sequence").alias("close_sequence")), on="close_sequence")
    assert totals["realized_pnl"].cast(pl.Decimal(38, 12)).sum() == profit["realized_pnl"].sum()


def test_an_archived_fill_is_known_again_and_one_with_other_content_is_a_conflict(told, tmp_path):
    everything = told.trades()
    told.archive(BEFORE, tmp_path / "cold")
    receipt = told.ingest("ibkr-flex", SAMPLE_FLEX)
    assert (receipt.accepted, receipt.conflicts, receipt.duplicates) == (0, 0, 315)
    gone = an_archived_trade(told, everything)
    changed = {
        "kind": "trade",
        "broker_account_id": gone["broker_account_id"],
        "broker_execution_id": gone["broker_execution_id"],
        "account_id": gone["account_id"],
        "instrument_id": gone["instrument_id"],
        "action": gone["action"],
        "executed_at": gone["executed_at"],
        "quantity": gone["quantity"] + 1,
        "price": gone["price"],
        "currency": gone["currency"],
    }
    receipt = told.record(changed)
    assert (receipt.accepted, receipt.conflicts) == (0, 1)


def an_archived_trade(book: tl.Book, everything: pl.DataFrame) -> dict[str, Any]:
    keys = book._catalog.frame("SELECT sequence FROM archived_keys")
    rows = everything.join(keys, on="sequence", how="semi").filter(kind="trade", symbol="NVDA")
    return rows.sort("sequence").row(0, named=True)


def test_a_cure_brings_back_the_month_of_what_it_cures(told, tmp_path):
    everything = told.trades()
    told.archive(BEFORE, tmp_path / "cold")
    gone = an_archived_trade(told, everything)
    receipt = told.record(
        {
            "kind": "cancel",
            "target_id": gone["trade_id"],
            "leg_id": gone["leg_id"],
            "executed_at": "2026-06-30T15:00:00Z",
        }
    )
    assert receipt.accepted == 1
    month = gone["trade_date"].replace(day=1)
    assert month not in told.archives()["month"].to_list()
    assert told.archives().height
    assert told.rebuild(check=True).identical
    # The month goes again without what was cured.
    assert told.archive(BEFORE, tmp_path / "cold")["month"].to_list() == [month]
    told._catalog.cold.included = True
    states = told.trades().select("trade_id", "state")
    assert states.filter(trade_id=gone["trade_id"])["state"].to_list() == ["cancelled"]
    assert states.filter(pl.col("state") == "active").height >= everything.height - 60


def test_a_delivery_that_repeats_an_archived_event_and_cures_it_brings_its_month_back(told, tmp_path):
    buy = {"account_id": "U7700001", "symbol": "XYZ", "action": "BUY", "quantity": "3", "price": "54.35"}
    buy |= {"trade_id": "T-3", "executed_at": "2026-01-05T15:00:00Z", "commission": "4.95"}
    fee = {"kind": "correct", "trade_id": "C-3", "target_id": "T-3", "set": {"commission": "0.72"}}
    fee |= {"executed_at": "2026-01-06T15:00:00Z"}
    told.record(buy)
    told.archive(BEFORE, tmp_path / "cold")
    receipt = told.record([buy, fee])
    assert (receipt.accepted, receipt.duplicates) == (1, 1)
    assert told.archives()["month"].dt.month().unique().to_list() == [2]
    told.archive(BEFORE, tmp_path / "cold")
    with told._catalog.cold.including():
        corrected = told.trades(in_effect=True, symbol="XYZ")
    assert corrected["commission"].cast(pl.String).to_list() == ["0.720000000000"]
    assert told.rebuild(check=True).identical


def test_a_late_fill_of_an_archived_family_is_folded_with_what_is_archived(told, other_book, tmp_path):
    other_book.ingest("ibkr-flex", SAMPLE_FLEX)
    told.archive(BEFORE, tmp_path / "cold")
    late = {
        "kind": "trade",
        "account_id": "U7700001",
        "symbol": "NVDA",
        "action": "BUY",
        "quantity": "3",
        "price": "150",
        "executed_at": "2026-01-05T15:00:00Z",
        "trade_id": "late",
    }
    for book in (told, other_book):
        assert book.record(late).accepted == 1
    for name in ("positions", "lots", "matches", "history"):
        ((_, mine),) = answers(told, {name: ASKED[name]})
        ((_, plain),) = answers(other_book, {name: ASKED[name]})
        assert_frame_equal(mine, plain)
    told.fold()
    assert told.rebuild(check=True).identical


def test_an_interrupted_archive_completes_when_it_is_repeated(told, tmp_path, monkeypatch):
    expected = dict(answers(told, ASKED))
    for method in ("_put", "_commit_archive"):
        with monkeypatch.context() as broken:
            broken.setattr(Archivers, method, _failing_the_second_time(getattr(Archivers, method)))
            with pytest.raises(KeyboardInterrupt):
                told.archive("2026-05-01", tmp_path / "cold")
    told.archive("2026-05-01", tmp_path / "cold")
    with told._catalog.cold.including():
        for name, answer in answers(told, ASKED):
            assert_frame_equal(answer, expected[name])
    keys = told._catalog.frame("SELECT sequence FROM archived_keys")["sequence"]
    assert keys.n_unique() == keys.len() == told.archives().filter(table_name="trade_log")["rows"].sum()


def test_an_event_that_is_cured_while_its_month_goes_stays(told, tmp_path, monkeypatch):
    gone = told.trades(until="2026-01-31", symbol="NVDA").filter(kind="trade", state="active").row(0, named=True)
    cancel = {"kind": "cancel", "target_id": gone["trade_id"], "leg_id": gone["leg_id"]}
    put = Archivers._put

    def curing(book, *given):
        book.record({**cancel, "executed_at": "2026-06-30T15:00:00Z"})
        put(book, *given)

    monkeypatch.setattr(Archivers, "_put", curing)
    assert told.archive("2026-02-01", tmp_path / "cold").height == 1
    keys = told._catalog.frame("SELECT sequence FROM archived_keys")["sequence"].to_list()
    hot = told._catalog.frame("SELECT sequence FROM lake.main.trade_log WHERE trade_id = ?", [gone["trade_id"]], HOT)
    assert hot["sequence"].item() not in keys
    assert told.rebuild(check=True).identical
    assert told.verify().findings == ()


def test_maintenance_of_an_archived_book_gives_its_bytes_back(told, tmp_path):
    expected = dict(answers(told, ASKED))
    told.fold()
    told.maintain()
    held = hot_bytes(told)
    told.archive("2026-07-01", tmp_path / "cold")
    kept = timedelta(0)
    done = told.maintain(upkeep=Upkeep(versions=kept, files=kept, orphans=kept))
    assert done.files_rewritten >= 2
    assert hot_bytes(told) < held
    assert told.verify(deep=True).findings == ()
    with told._catalog.cold.including():
        told.maintain()
        for name, answer in answers(told, ASKED):
            assert_frame_equal(answer, expected[name])


def hot_bytes(book: tl.Book) -> int:
    files = "SELECT coalesce(sum(data_file_size_bytes), 0) AS bytes FROM ducklake_list_files('lake', 'trade_log')"
    return int(book._catalog.frame(files, span=HOT)["bytes"].item())


def _failing_the_second_time(method: Any) -> Any:
    calls = []

    def failing(*given: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        method(*given)

    return failing


def test_a_damaged_archive_is_refused_and_named(told, tmp_path):
    told.archive("2026-02-01", tmp_path / "cold")
    (file,) = (tmp_path / "cold").rglob("trade_log-*.parquet")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with told._catalog.cold.including(), pytest.raises(StorageError, match=file.name):
        told.trades()
    with pytest.raises(StorageError, match="damaged"):
        told.restore(manifests(told))
    file.unlink()
    for _ in range(2):
        with told._catalog.cold.including(), pytest.raises(StorageError, match="no such object"):
            told.trades()
    assert told.trades(since=BEFORE).height
    assert told.positions().height


def test_an_archived_book_is_verified_with_what_is_archived(told, tmp_path):
    told.archive("2026-02-01", tmp_path / "cold")
    verified = told.verify(deep=True)
    assert verified.findings == ()
    assert verified.rows >= 630
    assert told.check_archives() == ()
    totals = "UPDATE lake.main.archive_totals SET fees = fees + 1 WHERE symbol = 'NVDA'"
    told._catalog.execute(totals)
    assert [text for text in told.check_archives() if "archive_totals" in text]
    (file,) = (tmp_path / "cold").rglob("source_records-*.parquet")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with tl.open(told.url.rpartition("/")[0]) as book:
        assert {finding.where for finding in book.verify().findings} >= {"source_records"}
        assert [text for text in book.check_archives(["2026-01"]) if file.name in text]


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"{", "is no manifest"), (b"{}", "is no manifest"), (b'{"kind": "archive", "format": 9}', "has format 9")],
)
def test_what_is_no_manifest_is_refused(told, tmp_path, content, says):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(InputError, match=says):
        told.restore([tmp_path / "x.json"])


def test_a_month_is_restored_once_and_into_its_own_book(told, tmp_path):
    told.archive("2026-02-01", tmp_path / "cold")
    (name,) = manifests(told)
    with tl.create(tmp_path / "another") as another, pytest.raises(InputError, match="is of another book"):
        another.restore([name])
    told.restore([name])
    with pytest.raises(InputError, match="is not archived in this book now"):
        told.restore([name])
    told.archive("2026-02-01", tmp_path / "a folder (cold)")
    assert told.restore(["2026-01"])["table_name"].sort().to_list() == ["source_records", "trade_log"]
    with pytest.raises(InputError, match="Nothing of 2026-01 is archived"):
        told.restore(["2026-01"])


def test_a_transaction_that_is_undone_leaves_no_answer_short(told, tmp_path):
    told.archive(BEFORE, tmp_path / "cold")
    told._catalog.cold.included = True
    for month in ("2026-01", "2026-02", None):
        with pytest.raises(ZeroDivisionError):
            asked_and_undone(told)
        assert told.trades().height == 300
        if month:
            told.restore([month])
    assert told.rebuild(check=True).identical


def asked_and_undone(book: tl.Book) -> None:
    """Ask for all trades in a transaction that is rolled back."""
    with book._catalog.transaction():
        assert book.trades().height == 300
        raise ZeroDivisionError


@pytest.fixture
def elsewhere(told: tl.Book) -> Iterator[tl.Book]:
    """The same book, open in another session."""
    with tl.open(told.url.rpartition("/")[0]) as book:
        yield book


def test_another_session_learns_at_once_that_a_month_is_archived(told, elsewhere, tmp_path):
    before = elsewhere.trades()
    told.archive(BEFORE, tmp_path / "cold")
    with pytest.raises(ArchivedError):
        elsewhere.trades()
    assert elsewhere.ingest("ibkr-flex", SAMPLE_FLEX).accepted == 0
    told.restore(manifests(told))
    assert elsewhere.trades().height == before.height


def test_a_place_that_is_none_is_refused(told):
    with pytest.raises(InputError, match="is no place for an archive"):
        told.archive(BEFORE, "ftp://host/folder")
    with pytest.raises(InputError, match="asks for a day"):
        told.archive(None, "cold")


def test_what_the_broker_does_not_have_of_an_archived_month_is_a_break_as_before(local_book, tmp_path):
    says = Told((trade(1, 100, "50"), trade(2, -40, "51"), trade(3, 7, "52")), positions=(held("XYZ", "60"),))
    assert local_book.ingest("ibkr-flex", says.file(tmp_path)).accepted == 3
    less = says.without(2).file(tmp_path)
    wanted = local_book.reconcile(less).breaks
    assert wanted["consequences"].to_list() == [1]
    assert local_book.archive("2026-02-01", tmp_path / "cold").height
    with local_book._catalog.cold.including():
        assert_frame_equal(local_book.reconcile(less).breaks, wanted)
