"""Breaks in a real book: found, kept from night to night, explained, accepted, applied, resolved."""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

import tradelake as tl
from tests.books import Place, frame
from tests.reconcile.statements import Told, held, trade
from tradelake.errors import ReadOnlyError

FIRST, SECOND = trade(1, 100, "50"), trade(2, 5, "52", day="20260107")
MONDAY = Told(trades=(FIRST, SECOND), positions=(held("XYZ", "105"),), since="20260105", until="20260107")


@pytest.fixture
def told_first(local_book: tl.Book, tmp_path: Path) -> tl.Book:
    """A book that was told the first trade of two."""
    local_book.ingest("ibkr-flex", replace(MONDAY, trades=(FIRST,)).file(tmp_path, "first.xml"))
    return local_book


def only_break(book: tl.Book) -> str:
    found = book.breaks(status="all")
    assert found.height == 1, found
    return str(found["break_id"][0])


def actions(book: tl.Book, break_id: str) -> list[str]:
    return book.break_history(break_id)["action"].to_list()


def test_a_break_is_kept_from_night_to_night(told_first, tmp_path):
    path = MONDAY.file(tmp_path)
    assert told_first.reconcile(path, record=True).recorded == 1
    version = told_first.version
    assert told_first.reconcile(path, record=True).recorded == 0
    assert told_first.version == version
    row = told_first.breaks().row(0, named=True)
    assert (row["status"], row["break_class"], row["broker_execution_id"]) == (
        "OPEN",
        "missing_here",
        SECOND["ibExecID"],
    )
    assert (row["ours"], row["theirs"], row["opened"].isoformat(), row["proposed"]) == (None, 5, "2026-01-07", 1)
    assert json.loads(row["details"])["consequences"] == [
        {
            "field": "quantity",
            "instrument_id": "XYZ",
            "ours": "100",
            "section": "positions",
            "theirs": "105",
        }
    ]
    assert told_first.runs()["file_name"].to_list()[-1] == "statement.xml"


def test_its_steps_say_who_when_and_why(told_first, tmp_path):
    told_first.reconcile(MONDAY.file(tmp_path), record=True)
    name = only_break(told_first)
    told_first.explain_break(name, "the feed was down")
    told_first.accept_break(name, "small")
    history = told_first.break_history(name)
    assert history.select("step", "action", "status", "reason").rows() == [
        (1, "opened", "OPEN", None),
        (2, "explained", "EXPLAINED", "the feed was down"),
        (3, "accepted", "ACCEPTED", "small"),
    ]
    assert history["author"].null_count() == 0
    assert history["recorded_at"].is_sorted()
    before = history["recorded_at"][1]
    assert told_first.breaks(status="all", as_known=before)["status"].to_list() == ["EXPLAINED"]


def test_age_is_in_trading_days(told_first, tmp_path):
    path = replace(MONDAY, until="20260116").file(tmp_path)
    told_first.reconcile(path, record=True)
    # Monday, the 19th of January 2026, is a holiday.
    known = told_first.break_history(only_break(told_first))["recorded_at"][0]
    aged = told_first.breaks(as_known=known)["age"][0]
    assert aged == told_first.breaks()["age"][0]
    told_first.ingest("ibkr-flex", MONDAY.file(tmp_path, "second.xml"))
    later = replace(MONDAY, until="20260120").file(tmp_path, "later.xml")
    assert told_first.reconcile(later, record=True).recorded == 1
    assert told_first.breaks(status="RESOLVED")["age"].to_list() == [1]


def test_applied_events_name_their_break_and_the_next_statement_resolves_it(told_first, tmp_path):
    path = MONDAY.file(tmp_path)
    told_first.reconcile(path, record=True)
    name = only_break(told_first)
    assert told_first.apply_break(name, "the feed was down").accepted == 1
    row = frame(told_first.trades()).row(-1, named=True)
    assert (row["trade_id"], row["reason"]) == (f"{name}.1", f"proposed by break {name}")
    assert told_first.runs()["reason"].to_list()[-2:] == ["the feed was down"] * 2
    # The statement itself brings it too: it is known under the broker's id.
    assert told_first.ingest("ibkr-flex", path).duplicates == 2
    assert told_first.reconcile(path, record=True).ok
    assert actions(told_first, name) == ["opened", "applied", "resolved"]
    assert told_first.rebuild(check=True).identical


def test_a_later_statement_settles_what_it_does_not_cover(told_first, tmp_path):
    told_first.reconcile(MONDAY.file(tmp_path), record=True)
    name = only_break(told_first)
    later = replace(MONDAY, trades=(), since="20260108", until="20260108").file(tmp_path, "later.xml")
    # The execution is of another day: only that its position is missing shows, as a break of its own.
    assert told_first.reconcile(later, record=True).breaks["section"].to_list() == ["positions"]
    told_first.apply_break(name)
    assert told_first.reconcile(later, record=True).ok
    assert told_first.breaks(status="all")["status"].to_list() == ["RESOLVED", "RESOLVED"]
    assert told_first.break_history(name)["reason"][-1] == "the book now has what the statement said"


def test_a_break_that_comes_back_is_reopened_and_can_be_applied_again(told_first, tmp_path):
    path = MONDAY.file(tmp_path)
    told_first.reconcile(path, record=True)
    name = only_break(told_first)
    told_first.apply_break(name)
    told_first.reconcile(path, record=True)
    cancelled = {"trade_id": "X-1", "kind": "cancel", "target_id": f"{name}.1", "executed_at": "2026-01-08T15:00:00Z"}
    told_first.record([cancelled])
    told_first.reconcile(path, record=True)
    assert actions(told_first, name)[-1] == "reopened"
    assert told_first.apply_break(name).accepted == 1
    assert told_first.reconcile(path, record=True).ok
    assert f"{name}.2" in frame(told_first.trades())["trade_id"].to_list()


def test_only_classes_with_a_rule_are_applied_by_themselves(told_first, tmp_path):
    path = MONDAY.file(tmp_path)
    told_first.reconcile(path, record=True, rules=["fee", "price"])
    assert frame(told_first.trades()).height == 1
    told_first.reconcile(path, record=True, rules=["missing_here"])
    assert frame(told_first.trades()).height == 2
    name = only_break(told_first)
    assert told_first.break_history(name).select("action", "reason").row(-1) == (
        "applied",
        "a rule applies missing_here",
    )
    with pytest.raises(tl.InputError, match=r"^sunspots is no class of breaks\. Classes: missing_here, "):
        told_first.reconcile(path, record=True, rules=["sunspots"])


def test_breaks_are_listed_by_status_account_and_section(told_first, tmp_path):
    told_first.reconcile(MONDAY.file(tmp_path), record=True)
    for filters in (
        {"account": "U1"},
        {"account": "GEN-1"},
        {"status": ["open", "EXPLAINED"]},
        {"section": "executions"},
    ):
        assert told_first.breaks(**filters).height == 1, filters
    for filters in ({"account": "U2"}, {"status": "ACCEPTED"}, {"section": "cash"}):
        assert told_first.breaks(**filters).is_empty(), filters
    with pytest.raises(tl.InputError, match=r"^SHUT is no status of a break\. Ask for OPEN, EXPLAINED, ACCEPTED, "):
        told_first.breaks(status="shut")


def test_what_cannot_be_done_to_a_break_says_what_can(told_first, tmp_path):
    path = MONDAY.file(tmp_path)
    with pytest.raises(tl.InputError) as unknown:
        told_first.explain_break("B-0", "no")
    assert str(unknown.value) == "B-0 is no break of this book. `tradelake breaks --status all` lists their ids."
    told_first.reconcile(path, record=True)
    name = only_break(told_first)
    spoken = f"{name} (missing_here of {SECOND['ibExecID']} in U1)"
    told_first.apply_break(name)
    with pytest.raises(tl.InputError) as twice:
        told_first.apply_break(name)
    day = told_first.break_history(name)["recorded_at"][-1].date()
    assert str(twice.value) == (
        f"{spoken} was applied on {day} already. Reconcile a statement of 2026-01-07 or later: it resolves the break,"
        " or shows what is left."
    )
    told_first.reconcile(path, record=True)
    with pytest.raises(tl.InputError) as resolved:
        told_first.accept_break(name, "fine")
    assert str(resolved.value) == (
        f"{spoken} was resolved on 2026-01-07: no longer differs. A break that comes back is reopened by the statement"
        " that shows it."
    )


def test_a_break_without_a_proposal_is_for_people(told_first, tmp_path):
    told_first.reconcile(replace(MONDAY, trades=(FIRST,)).file(tmp_path), record=True)
    name = only_break(told_first)
    with pytest.raises(tl.InputError) as nothing:
        told_first.apply_break(name)
    assert str(nothing.value) == (
        f"{name} (missing_here of XYZ in U1) proposes no event. Record what is missing or cancel what is wrong, or use"
        f" `tradelake breaks explain {name}` or `accept`."
    )


def test_what_the_book_refuses_is_not_applied(told_first, tmp_path):
    told_first.reconcile(MONDAY.file(tmp_path), record=True)
    name = only_break(told_first)
    taken = {"trade_id": f"{name}.1", "account_id": "GEN-1", "symbol": "ABC", "asset_type": "STOCK", "action": "BUY",
             "quantity": 1, "price": "1", "executed_at": "2026-01-08T15:00:00Z"}  # fmt: skip
    told_first.record([taken])
    with pytest.raises(tl.InputError, match=r"cannot be applied, the book refuses what it proposes: .*trade_id_taken"):
        told_first.apply_break(name)
    assert actions(told_first, name) == ["opened"]


def test_a_statement_of_a_stranger_is_refused_and_changes_nothing(told_first, tmp_path):
    stranger = replace(MONDAY, account="U9", trades=(), positions=()).file(tmp_path)
    version = told_first.version
    with pytest.raises(tl.InputError) as refused:
        told_first.reconcile(stranger, record=True)
    assert str(refused.value) == (
        "statement.xml is of the broker account U9, and no account of the book belongs to it; the book has U1. Import"
        " the statement first, or add an account with that --broker."
    )
    assert told_first.version == version
    with pytest.raises(tl.InputError, match=r"nowhere\.xml: cannot be read: No such file"):
        told_first.reconcile(tmp_path / "nowhere.xml")


def test_a_book_that_is_open_for_reading_is_compared_and_not_written(ready: Place, tmp_path):
    with ready.open() as book:
        book.ingest("ibkr-flex", replace(MONDAY, trades=(FIRST,)).file(tmp_path, "first.xml"))
    path = MONDAY.file(tmp_path)
    with ready.open(read_only=True) as book:
        assert book.reconcile(path).breaks.height == 1
        with pytest.raises(ReadOnlyError):
            book.reconcile(path, record=True)
        assert book.breaks(status="all").is_empty()


def test_several_statements_of_a_file_are_compared_each_as_of_its_end(told_first, tmp_path):
    tuesday = replace(MONDAY, trades=(), since="20260108", until="20260108")
    one, two = (text.written().decode() for text in (MONDAY, tuesday))
    inner = two[two.index("<FlexStatement ") : two.index("</FlexStatements>")]
    (tmp_path / "both.xml").write_text(one.replace("</FlexStatements>", inner + "</FlexStatements>"))
    found = told_first.reconcile(tmp_path / "both.xml")
    assert found.statements.select(pl.col("until").cast(pl.String), "breaks").rows() == [
        ("2026-01-07", 1),
        ("2026-01-08", 1),
    ]
    assert sorted(found.breaks["section"]) == ["executions", "positions"]
