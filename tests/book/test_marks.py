"""Marks in a book: told once, revised and never lost, from rows, files, statements and a function."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tradelake as tl
from tests.books import SAMPLE_FLEX, SHARED, Patterns, fill, frame
from tests.intake.flex import PUT, execution, statement
from tests.intake.test_marks import position
from tradelake.errors import InputError, ReadOnlyError
from tradelake.positions import with_marks
from tradelake.sessions import sessions_between

OSI = "ACME  261218P00050000"
OPTION = {"contract_symbol": OSI, "asset_type": "OPTION"}
FRIDAY, MONDAY = "2026-01-16", "2026-01-20"


def mark(price: object = "101.50", day: object = FRIDAY, **fields: object) -> dict[str, object]:
    return {"symbol": "ACME", "mark_date": day, "price": price} | fields


def told(book: tl.Book, **asked: object) -> list[tuple[object, ...]]:
    """Return instrument, day, revision, price, currency and source of the marks."""
    rows = book.marks(**asked)  # type: ignore[arg-type]  # the tests pass what they need
    return rows.select("instrument_id", "mark_date", "revision", "price", "currency", "source").rows()


@pytest.fixture
def book(local_book: tl.Book) -> tl.Book:
    """A book that holds ACME and a put on it."""
    local_book.record([fill(1), fill(2, "-1", **OPTION)])
    return local_book


@pytest.fixture(scope="module")
def shared(patterns: Patterns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tl.Book]:
    """A book with the sample statement, for tests that only read or add their own instruments."""
    folder = tmp_path_factory.mktemp("shared") / "book"
    with tl.create(folder) as made:
        made.add_accounts([{"account_id": "ALL", "broker_account_id": "U7700001"}])
        made.ingest("ibkr-flex", SAMPLE_FLEX)
        yield made


def test_a_price_is_recorded_once_and_another_one_revises_it(book):
    first = book.mark(mark())
    assert (first.accepted, first.revised, first.duplicates, first.rejects, first.ok) == (1, 0, 0, 0, True)
    again = book.mark([mark("101.5"), mark(Decimal("101.500"))])
    assert (again.accepted, again.duplicates, again.version) == (0, 2, first.version)
    revised = book.mark([mark("102"), mark(currency="EUR", day=MONDAY)], source="desk", reason="late print")
    assert (revised.accepted, revised.revised) == (2, 1)
    assert told(book) == [
        ("ACME", date(2026, 1, 16), 2, Decimal(102), "USD", "desk"),
        ("ACME", date(2026, 1, 20), 1, Decimal("101.5"), "EUR", "desk"),
    ]
    assert told(book, revisions=True)[:2] == [
        ("ACME", date(2026, 1, 16), 1, Decimal("101.5"), "USD", "mark"),
        ("ACME", date(2026, 1, 16), 2, Decimal(102), "USD", "desk"),
    ]
    assert book.runs().row(-1, named=True)["reason"] == "late print"
    back = book.mark(mark())
    assert (back.accepted, back.revised) == (1, 1)
    assert told(book, until=FRIDAY) == [("ACME", date(2026, 1, 16), 3, Decimal("101.5"), "USD", "mark")]


def test_the_outcome_of_each_row_is_in_the_receipt(book):
    book.mark(mark())
    receipt = book.mark([mark(), mark("7", symbol="NONE"), mark("103"), mark("9", day=MONDAY)])
    rows = receipt.outcomes.select("row", "outcome", "instrument_id", "revision", "code").rows()
    assert rows == [
        (1, "duplicate", "ACME", None, None),
        (2, "reject", None, None, "unknown_instrument"),
        (3, "reject", None, None, "contradicting_price"),
        (4, "accepted", "ACME", 1, None),
    ]
    assert [problem.row for problem in receipt.problems] == [2, 3]
    assert not receipt.ok


def test_what_is_said_twice_in_one_delivery_counts_once_and_its_contradiction_is_refused(book):
    rows = [mark(), mark("101.5"), mark("102"), mark("101.5", currency="EUR")]
    for _ in range(2):
        receipt = book.mark(rows)
        assert [problem.code for problem in receipt.problems] == ["contradicting_price"] * 2
        assert told(book) == [("ACME", date(2026, 1, 16), 1, Decimal("101.5"), "USD", "mark")]


def test_instruments_are_named_by_id_contract_or_symbol(book):
    book.add_instruments(
        [
            {"instrument_id": "ACME:EUR", "symbol": "ACME", "asset_type": "STOCK", "currency": "EUR"},
            {"instrument_id": "BETA:CHF", "symbol": "BETA", "asset_type": "STOCK", "currency": "CHF"},
        ]
    )
    receipt = book.mark(
        [
            mark("1"),
            mark("2", currency="EUR"),
            mark("3", symbol="BETA"),
            {"contract_symbol": OSI, "symbol": "ACME", "mark_date": FRIDAY, "price": "4"},
            {"instrument_id": OSI, "mark_date": MONDAY, "price": "5"},
        ]
    )
    assert receipt.problems == ()
    assert {(row[0], row[3], row[4]) for row in told(book)} == {
        ("ACME", 1, "USD"),
        ("ACME:EUR", 2, "EUR"),
        ("BETA:CHF", 3, "CHF"),
        (OSI, 4, "USD"),
        (OSI, 5, "USD"),
    }


def test_a_price_of_what_the_book_does_not_have_is_refused(book):
    refused: list[tuple[str, str, dict[str, object]]] = [
        ("symbol", "unknown_instrument", {"symbol": "NONE"}),
        ("contract_symbol", "unknown_instrument", {"symbol": None, "contract_symbol": "ACME  261218C00050000"}),
        ("instrument_id", "unknown_instrument", {"instrument_id": "NONE"}),
        ("symbol", "contradicting_terms", {"instrument_id": "ACME", "symbol": "BETA"}),
        ("contract_symbol", "contradicting_terms", {"instrument_id": "ACME", "contract_symbol": OSI}),
    ]
    found = book.mark([mark(**row) for _, _, row in refused]).problems
    assert [(problem.field, problem.code) for problem in found] == [(field, code) for field, code, _ in refused]
    assert [(problem.row, problem.source) for problem in found] == [(number, "mark") for number in range(1, 6)]
    assert told(book) == []


def test_a_reject_is_kept_in_the_words_of_its_source_and_only_once(book):
    rows = [mark(), mark(1.5, MONDAY), mark(day="2026-01-17")]
    version = book.mark(rows).version
    assert book.mark(rows).version == version
    kept = book.source_records(outcome="reject").select("section", "row_number", "code", "text").rows()
    assert kept == [
        ("mark", 2, "float_number", '{"mark_date":"2026-01-20","price":1.5,"symbol":"ACME"}'),
        ("mark", 3, "not_a_session", '{"mark_date":"2026-01-17","price":"101.50","symbol":"ACME"}'),
    ]


def test_files_say_the_same_as_rows_and_twice_is_once(book, tmp_path):
    rows = pl.DataFrame([mark(), mark("99", MONDAY), mark("98", MONDAY), mark("1", symbol="NONE")])
    rows.write_csv(tmp_path / "marks.csv")
    rows.write_parquet(tmp_path / "marks.parquet")
    rows.write_ndjson(tmp_path / "marks.jsonl")
    first = book.ingest_marks(tmp_path / "marks.csv")
    assert (first.accepted, first.rejects, first.source) == (2, 2, "marks.csv")
    assert [(problem.row, problem.source) for problem in first.problems] == [(3, "marks.csv"), (4, "marks.csv")]
    for name in ("marks.csv", "marks.parquet", "marks.jsonl"):
        again = book.ingest_marks(str(tmp_path / name))
        assert (again.accepted, again.duplicates, again.rejects) == (0, 2, 2)
    assert told(book, revisions=True) == [
        ("ACME", date(2026, 1, 16), 1, Decimal("101.5"), "USD", "marks.csv"),
        ("ACME", date(2026, 1, 20), 1, Decimal(99), "USD", "marks.csv"),
    ]


def test_a_file_that_is_imported_again_does_not_take_back_a_later_revision(book, tmp_path):
    pl.DataFrame([mark("100")]).write_csv(tmp_path / "marks.csv")
    book.ingest_marks(tmp_path / "marks.csv")
    book.mark(mark("101"))
    again = book.ingest_marks(tmp_path / "marks.csv")
    assert (again.accepted, again.duplicates) == (0, 1)
    pl.DataFrame([mark("100"), mark("100", MONDAY)]).write_csv(tmp_path / "marks.csv")
    assert book.ingest_marks(tmp_path / "marks.csv").revised == 1
    assert [row[3] for row in told(book, revisions=True)] == [100, 101, 100, 100]


def test_what_cannot_be_read_as_a_whole_changes_nothing(book, tmp_path):
    (tmp_path / "marks.csv").write_text("")
    version = book.version
    for path, said in (
        (tmp_path / "marks.csv", "marks.csv: the file is empty"),
        (tmp_path / "marks.xlsx", r"marks.xlsx: marks come as .*\.csv, .*, not as .xlsx"),
        (tmp_path / "marks", "not as a file without a suffix"),
        (tmp_path / "none.csv", "none.csv: cannot be read: No such file"),
    ):
        with pytest.raises(InputError, match=said):
            book.ingest_marks(path)
    with pytest.raises(InputError, match="mark takes rows by name or a frame, not int"):
        book.mark(5)
    assert book.version == version


def test_a_book_that_is_read_only_takes_no_prices(book):
    folder = book.url.removesuffix("/catalog.sqlite")
    book.close()
    with tl.open(folder, read_only=True) as reader, pytest.raises(ReadOnlyError):
        reader.mark(mark())


def test_listings_are_restricted_by_symbol_and_days(book):
    contract = {"symbol": None, "contract_symbol": OSI}
    book.mark([mark(), mark("2", **contract), mark("3", MONDAY), mark("4", MONDAY, **contract)])
    assert [row[3] for row in told(book, symbol="ACME")] == [Decimal("101.5"), 2, 3, 4]
    assert [row[3] for row in told(book, symbol=OSI)] == [2, 4]
    assert [row[3] for row in told(book, since=MONDAY)] == [3, 4]
    assert [row[3] for row in told(book, symbol=["ACME"], until=date(2026, 1, 16))] == [Decimal("101.5"), 2]
    assert told(book, symbol="NONE") == []


def test_many_prices_are_kept_the_same_on_every_kind_of_catalog(ready):
    days = sessions_between(date(2021, 1, 4), date(2025, 12, 31))
    rows = pl.DataFrame({"symbol": "ACME", "mark_date": days}).with_columns(price=pl.int_range(1, pl.len() + 1))
    with ready.open() as book:
        book.record([fill(1)])
        assert book.mark(rows).accepted == len(days) > 1_000
        assert book.mark(rows).duplicates == len(days)
        assert book.mark(rows.with_columns(pl.col("price") * 2)).revised == len(days)
    with ready.open(read_only=True) as book:
        assert book.marks()["price"].to_list() == [2 * number for number in range(1, len(days) + 1)]
        assert book.marks(revisions=True).height == 2 * len(days)
        for day, price in ((None, 2 * len(days)), (date(2021, 1, 10), 10), (date(2021, 1, 1), None)):
            found = book._marks_at(day, None, instruments=["ACME", "BETA"])["price"].to_list()
            assert found == ([] if price is None else [price])


@pytest.mark.parametrize("place", SHARED, indirect=True)
def test_two_handles_on_one_book_do_not_count_one_price_twice(ready):
    with ready.open() as first, ready.open() as second:
        first.record([fill(1)])
        assert first.mark(mark()).accepted == 1
        assert second.mark(mark()).duplicates == 1
        assert second.mark(mark("102")).revised == 1
        assert first.mark(mark("103")).accepted == 1
        assert [row[2] for row in told(first, revisions=True)] == [1, 2, 3]


# Statements


def test_the_prices_of_a_statement_join_the_commit_of_its_events(local_book, tmp_path):
    file = tmp_path / "flex.xml"
    file.write_bytes(
        statement(
            Trades=[execution(), execution(**PUT, quantity="-1", buySell="SELL")],
            OpenPositions=[position(), position(**PUT, markPrice="0.5"), position(symbol="ELSEWHERE", conid="77")],
        )
    )
    receipt = local_book.ingest("ibkr-flex", file)
    assert (receipt.accepted, receipt.kept, receipt.marks, receipt.problems) == (2, 3, 2, ())
    assert [row[:4] for row in told(local_book)] == [
        ("XYZ", date(2026, 1, 16), 1, Decimal("51.5")),
        ("XYZ   260116P00050000", date(2026, 1, 16), 1, Decimal("0.5")),
    ]
    assert set(told(local_book)[0][4:]) == {"USD", "flex.xml"}
    assert local_book.marks()["import_run_id"].unique().to_list() == [local_book.runs()["import_run_id"][-1]]
    again = local_book.ingest("ibkr-flex", file)
    assert (again.duplicates, again.marks, again.version) == (2, 0, receipt.version)
    local_book.mark({"symbol": "XYZ", "mark_date": FRIDAY, "price": "52"})
    assert local_book.ingest("ibkr-flex", file).marks == 0
    assert told(local_book, symbol="XYZ")[0][3] == 52


def test_a_later_statement_revises_a_price_and_one_without_events_can_bring_prices_alone(local_book, tmp_path):
    for number, price, stored in ((1, "51.5", 1), (2, "51.5", 0), (3, "51.75", 1)):
        file = tmp_path / f"flex-{number}.xml"
        file.write_bytes(statement(Trades=[execution()], OpenPositions=[position(markPrice=price)]))
        assert local_book.ingest("ibkr-flex", file).marks == stored
    (tmp_path / "flex-4.xml").write_bytes(statement(OpenPositions=[position(reportDate="20260120")]))
    assert local_book.ingest("ibkr-flex", tmp_path / "flex-4.xml").marks == 1
    assert [row[2:4] for row in told(local_book)] == [(2, Decimal("51.75")), (1, Decimal("51.5"))]


def test_an_instrument_that_only_a_refused_event_names_has_no_mark(local_book, tmp_path):
    trade = {"tradeID": "7", "ibExecID": "7"}
    for number, terms in ((1, {}), (2, {"symbol": "OTHER", "conid": "12"})):
        rows = {"Trades": [execution(**trade, **terms)], "OpenPositions": [position(**terms)]}
        (tmp_path / f"{number}.xml").write_bytes(statement(**rows))
        receipt = local_book.ingest("ibkr-flex", tmp_path / f"{number}.xml")
    assert (receipt.conflicts, receipt.marks) == (1, 0)
    assert local_book.instruments()["instrument_id"].to_list() == ["XYZ"]
    assert [row[0] for row in told(local_book)] == ["XYZ"]


def test_a_position_is_found_by_the_contract_id_of_the_broker_where_its_name_has_changed(local_book, tmp_path):
    (tmp_path / "1.xml").write_bytes(statement(Trades=[execution()]))
    (tmp_path / "2.xml").write_bytes(statement(OpenPositions=[position(symbol="RENAMED")]))
    local_book.ingest("ibkr-flex", tmp_path / "1.xml")
    assert local_book.ingest("ibkr-flex", tmp_path / "2.xml").marks == 1
    assert [row[0] for row in told(local_book)] == ["XYZ"]


def test_a_statement_from_the_future_brings_no_price(local_book, tmp_path):
    (tmp_path / "1.xml").write_bytes(
        statement(Trades=[execution()], OpenPositions=[position(reportDate="20401231"), position()])
    )
    assert local_book.ingest("ibkr-flex", tmp_path / "1.xml").marks == 1


REAL = {
    "corporate_action_2025.xml": 1,
    "minimal_short_options_repro_2025.xml": 3,
    "options_future_2025.xml": 10,
    "vtandchill_2025.xml": 1,
}


@pytest.mark.parametrize("name", sorted(REAL))
def test_the_marks_of_real_statements_are_stored_once(vectors: Path, local_book, name):
    path = vectors / "data" / "ibkr_flex" / name
    first = local_book.ingest("ibkr-flex", path)
    assert first.marks == local_book.marks().height == REAL[name]
    assert local_book.ingest("ibkr-flex", path).version == first.version
    held = frame(local_book.positions())
    marked = with_marks(held, local_book._marks_at(None, None))
    # Every position that the statement lists too has its price.
    listed = set(local_book.marks()["instrument_id"])
    assert set(marked.filter(pl.col("market_value").is_not_null())["instrument_id"]) == listed & set(
        held["instrument_id"]
    )


# A function that is asked


def test_a_function_is_asked_once_for_the_prices_of_what_was_open(book):
    asked = []

    def prices(instruments: pl.DataFrame, day: date) -> dict[str, str | None]:
        asked.append((instruments["instrument_id"].to_list(), day))
        return {"ACME": "100.25", OSI: None}

    receipt = book.mark_with(prices, FRIDAY)
    assert asked == [(["ACME", OSI], date(2026, 1, 16))]
    assert (receipt.accepted, receipt.rejects) == (1, 0)
    assert told(book) == [("ACME", date(2026, 1, 16), 1, Decimal("100.25"), "USD", "mark_with")]
    book.record([fill(9, "-10", executed_at="2026-01-20T15:00:00Z")])
    book.mark_with(prices, date(2026, 1, 20))
    assert asked[-1] == ([OSI], date(2026, 1, 20))


def test_a_function_may_answer_with_a_frame(book):
    answer = pl.DataFrame({"instrument_id": ["ACME", OSI], "price": [Decimal("1.5"), None]})
    assert book.mark_with(lambda *_: answer, FRIDAY, source="model").accepted == 1
    dated = [mark("2", date(2026, 1, 15)), mark("3", date(2026, 1, 14))]
    assert book.mark_with(lambda *_: pl.DataFrame(dated), FRIDAY).accepted == 2
    assert [row[3] for row in told(book)] == [3, 2, Decimal("1.5")]


def test_an_answer_that_is_none_and_a_day_without_a_close_are_refused(book):
    version = book.version
    with pytest.raises(InputError, match="2026-01-17 is no session"):
        book.mark_with(lambda *_: {}, "2026-01-17")
    with pytest.raises(InputError, match="2040-12-31 has not been yet"):
        book.mark_with(lambda *_: {}, "2040-12-31")
    with pytest.raises(InputError, match="have to be a mapping or a frame, not float"):
        book.mark_with(lambda *_: 1.5, FRIDAY)
    with pytest.raises(ZeroDivisionError):
        book.mark_with(lambda *_: 1 / 0, FRIDAY)
    assert book.mark_with(lambda *_: 1 / 0, "2025-12-30").accepted == 0
    assert book.mark_with(lambda *_: {"ACME": 1.5}, FRIDAY).problems[0].code == "float_number"
    assert book.version == version + 1  # the reject is kept


# What is known when


def test_an_earlier_revision_is_what_was_known_before_the_later_one(book):
    known = []
    for price in ("100", "101", "102"):
        book.mark(mark(price))
        known.append(book.runs()["recorded_at"][-1])
    assert [told(book, as_known=at)[0][3] for at in known] == [100, 101, 102]
    assert told(book, as_known=known[0] - timedelta(microseconds=1)) == []
    assert told(book, as_known=known[1], revisions=True)[-1][2:4] == (2, 101)
    assert book._marks_at(date(2026, 1, 20), known[1]).row(0, named=True)["price"] == 101
    assert book._marks_at(date(2026, 1, 15), None).height == 0


DAYS = sessions_between(date(2026, 1, 5), date(2026, 1, 7))


@settings(max_examples=5)
@given(st.data())
def test_the_newest_mark_is_that_of_the_newest_day_in_its_last_known_revision(shared, data):
    name = f"N{shared.version}"
    shared.add_instruments([{"instrument_id": name, "asset_type": "STOCK"}])
    steps = data.draw(st.lists(st.tuples(st.sampled_from(DAYS), st.integers(1, 3)), min_size=1, max_size=6))
    history: list[tuple[datetime, dict[date, tuple[int, int]]]] = []
    state: dict[date, tuple[int, int]] = {}
    for day, price in steps:
        receipt = shared.mark({"instrument_id": name, "mark_date": day, "price": price})
        revision, known = state.get(day, (0, 0))
        assert receipt.accepted == (price != known)
        if price != known:
            state = state | {day: (revision + 1, price)}
            history.append((shared.runs()["recorded_at"][-1], state))
    for at, then in history:
        listed = shared.marks(symbol=name, as_known=at)
        assert {day: (rev, int(p)) for day, rev, p in listed.select("mark_date", "revision", "price").rows()} == then
        for day in (*DAYS, None):
            until = [each for each in then if day is None or each <= day]
            found = shared._marks_at(day, at, instruments=[name]).select("mark_date", "revision", "price").rows()
            assert found == [(max(until), *then[max(until)])] if until else found == []


def test_both_views_of_a_real_half_year_agree_on_what_was_earned_in_all(shared):
    marks = shared._marks_at(None, None)
    totals = []
    for view in ("tax", "economic"):
        held = with_marks(frame(shared.positions(view=view)), marks)
        assert held["market_value"].null_count() == 0
        assert (
            held.select(
                pl.col("market_value").sum() - pl.col("cost_basis").sum() - pl.col("unrealized_pnl").sum()
            ).item()
            == 0
        )
        totals.append(held["unrealized_pnl"].sum() + shared.pnl(["account"], view=view)["realized_pnl"].sum())
    assert totals[0] == totals[1]
    carried = shared.bridge()["premium_carried"].sum()
    assert carried


def test_the_marks_of_the_sample_statement_give_the_unrealized_profit_that_the_broker_says(shared):
    from xml.etree import ElementTree as ET

    rows = ET.parse(SAMPLE_FLEX).getroot().iter("OpenPosition")
    told = {
        row.get("symbol"): Decimal(row.get("fifoPnlUnrealized", "0"))
        for row in rows
        if row.get("levelOfDetail") == "SUMMARY"
    }
    held = with_marks(frame(shared.positions()), shared._marks_at(None, None))
    ours = dict(held.select("instrument_id", "unrealized_pnl").iter_rows())
    assert set(ours) == set(told)
    assert all(abs(ours[name] - told[name]) < Decimal("0.000001") for name in ours)
