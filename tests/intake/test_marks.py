"""Prices: as rows, frames and files, and out of the positions of a Flex statement."""

import io
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.intake.flex import CALL, PUT, STOCK, booking, counts, document, element, execution, read
from tests.intake.given import text_frame
from tests.intake.test_executions import csv_file, jsonl, parquet
from tests.strategies import prices
from tradelake.errors import InputError
from tradelake.intake.ibkr_flex import parse
from tradelake.intake.marks import ParsedMarks, marks_of_frame, marks_of_rows, parse_marks
from tradelake.intake.parsed import MARKED, Parsed
from tradelake.units import plain

TODAY = date(2026, 6, 30)
MARK = {"symbol": "XYZ", "mark_date": "2026-06-30", "price": "50.25"}
OSI = "XYZ   260717C00050000"


def told(*rows: object) -> ParsedMarks:
    return marks_of_rows(rows, name="mark", today=TODAY)


def codes(parsed: ParsedMarks) -> list[tuple[int | None, str, str]]:
    return [(found.row, found.code, found.field) for found in parsed.problems]


@st.composite
def rows(draw: st.DrawFn) -> dict[str, str]:
    name = draw(st.sampled_from([{"symbol": "XYZ"}, {"contract_symbol": OSI}, {"instrument_id": "XYZ:EUR"}]))
    row = {**name, "mark_date": draw(st.sampled_from(["2026-06-30", "2026-06-29"])), "price": plain(draw(prices()))}
    row |= draw(st.sampled_from([{}, {}, {"currency": "eur"}]))
    bad = [{}, {}, {"price": "-1"}, {"price": "1,5"}, {"mark_date": "2026-06-19"}, {"mark_date": "2026-02-30"}]
    return row | draw(st.sampled_from(bad))


@given(st.lists(rows(), min_size=1, max_size=8))
def test_the_same_rows_are_the_same_marks_in_every_format(given_rows):
    from_rows = told(*given_rows)
    frame = text_frame(given_rows)
    for other in (
        parse_marks(jsonl(given_rows), name="mark", format="jsonl", today=TODAY),
        parse_marks(csv_file(given_rows), name="mark", format="csv", today=TODAY),
        parse_marks(parquet(frame), name="mark", format="parquet", today=TODAY),
        marks_of_frame(frame, name="mark", today=TODAY),
    ):
        assert_frame_equal(other.marks, from_rows.marks)
        assert other.problems == from_rows.problems
        assert other.texts["row_number"].to_list() == list(range(1, len(given_rows) + 1))


@given(st.lists(prices(), min_size=1, max_size=5))
def test_typed_columns_are_the_same_marks_as_text(values):
    text = {"symbol": ["XYZ"] * len(values), "mark_date": ["2026-06-30"] * len(values)}
    typed = pl.DataFrame({**text, "price": values}, schema_overrides={"price": pl.Decimal(38, 12)}).with_columns(
        pl.col("mark_date").str.to_date(), pl.col("symbol").cast(pl.Categorical)
    )
    as_text = pl.DataFrame({**text, "price": [plain(value) for value in values]})
    found = marks_of_frame(typed, name="mark", today=TODAY)
    assert_frame_equal(found.marks, marks_of_frame(as_text, name="mark", today=TODAY).marks)
    assert found.marks["price"].to_list() == values


def test_a_mark_is_given_by_any_name_and_in_any_exact_type():
    parsed = told(
        {"symbol": "XYZ", "mark_date": date(2026, 6, 30), "price": Decimal("50.2500")},
        {"contract_symbol": OSI, "mark_date": "2026-06-30", "price": 2, "currency": "usd"},
        {"instrument_id": "XYZ1~ADJ", "mark_date": "2026-06-29", "price": "0", "symbol": None},
    )
    assert parsed.problems == ()
    assert parsed.marks.drop("broker_contract_id").rows() == [
        (1, None, None, "XYZ", TODAY, Decimal("50.25"), None),
        (2, None, OSI, None, TODAY, Decimal(2), "USD"),
        (3, "XYZ1~ADJ", None, None, date(2026, 6, 29), Decimal(0), None),
    ]


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"price": 50.25}, "float_number", "price"),
        ({"price": None}, "missing_field", "price"),
        ({"price": "fifty"}, "bad_number", "price"),
        ({"price": Decimal("NaN")}, "bad_number", "price"),
        ({"price": "1e3"}, "bad_number", "price"),
        ({"price": "0.0000000000001"}, "price_scale", "price"),
        ({"price": "1" * 16}, "number_too_large", "price"),
        ({"price": "-0.01"}, "negative_price", "price"),
        ({"symbol": None}, "missing_field", "instrument_id"),
        ({"symbol": ""}, "missing_field", "instrument_id"),
        ({"symbol": "'XYZ'"}, "bad_symbol", "symbol"),
        ({"symbol": "X" * 65}, "text_too_long", "symbol"),
        ({"currency": "dollars"}, "unknown_currency", "currency"),
        ({"mark_date": None}, "missing_field", "mark_date"),
        ({"mark_date": "30.06.2026"}, "bad_date", "mark_date"),
        ({"mark_date": "2026-02-30"}, "bad_date", "mark_date"),
        ({"mark_date": datetime.fromisoformat("2026-06-30T16:00:00-04:00")}, "bad_date", "mark_date"),
        ({"mark_date": "2026-07-01"}, "future_mark", "mark_date"),
        ({"mark_date": "2041-01-02"}, "future_mark", "mark_date"),
        ({"mark_date": "2026-06-28"}, "not_a_session", "mark_date"),
        ({"mark_date": "2026-06-19"}, "not_a_session", "mark_date"),
        ({"mark_date": "1989-12-29"}, "not_a_session", "mark_date"),
        ({"prize": "50"}, "unknown_field", "prize"),
        ({"price": [50]}, "bad_type", "price"),
    ],
)
def test_a_row_that_is_no_mark_is_refused_with_its_field_and_the_others_go_in(changed, code, field):
    parsed = told(MARK, MARK | changed, MARK)
    assert codes(parsed) == [(2, code, field)]
    assert parsed.marks["source_row"].to_list() == [1, 3]
    assert parsed.problems[0].action


def test_a_refusal_says_what_would_have_been_right():
    (closed, float_, unknown) = told(
        MARK | {"mark_date": "2026-06-28"}, MARK | {"price": 0.1}, MARK | {"markdate": "2026-06-30"}
    ).problems
    assert closed.action == "Give the session that it is the price of: 2026-06-26 or 2026-06-29."
    assert float_.message == "price asks for an exact number, and there was the float 0.1."
    assert unknown.message == "A mark has no field 'markdate'; the nearest is mark_date."


def test_floats_of_json_and_of_a_column_are_refused():
    line = json.dumps(MARK | {"price": 50.25}).encode()
    assert codes(parse_marks(line, name="m", format="jsonl", today=TODAY)) == [(1, "float_number", "price")]
    frame = pl.DataFrame([MARK | {"price": 50.25}, MARK | {"price": None}])
    found = marks_of_frame(frame, name="m", today=TODAY)
    assert codes(found) == [(1, "float_number", "price"), (2, "missing_field", "price")]


def test_a_row_that_is_cut_off_is_a_problem_of_its_own():
    data = b"symbol,mark_date,price\nXYZ,2026-06-30\nXYZ,2026-06-30,50\nXYZ,2026-06-30,1,000\n"
    parsed = parse_marks(data, name="m.csv", format="csv", today=TODAY)
    assert codes(parsed) == [(1, "bad_row", ""), (3, "bad_row", "")]
    assert parsed.marks["source_row"].to_list() == [2]
    assert parsed.texts["row_number"].to_list() == [1, 2, 3]


@pytest.mark.parametrize(
    ("data", "format", "said"),
    [
        (b" \n", "csv", "m: the file is empty"),
        (b"\xff\xfe", "csv", "m: byte 1 is no UTF-8"),
        (b"PAR1 cut off", "parquet", "m: there is no Parquet file, or it is cut off"),
        (b"price,price\n1,1\n", "csv", "m: the header names price twice"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(data, format, said):
    with pytest.raises(InputError, match=said):
        parse_marks(data, name="m", format=format, today=TODAY)


def test_nothing_is_no_mark_and_no_problem():
    assert told().marks.schema == MARKED
    empty = pl.DataFrame(schema={"symbol": pl.String, "mark_date": pl.Date, "price": pl.Float64})
    data = io.BytesIO()
    empty.write_parquet(data)
    assert parse_marks(data.getvalue(), name="m", format="parquet", today=TODAY).problems == ()


# The positions of a Flex statement


def position(**changed: str) -> str:
    """Return an OpenPosition element: 100 XYZ, marked at 51.5 on 2026-01-16; an empty attribute is left out."""
    row = {"accountId": "U1", **STOCK, "currency": "USD", "reportDate": "20260116", "position": "100", **changed}
    row = {"markPrice": "51.5", "levelOfDetail": "SUMMARY", **row}
    return element("OpenPosition", {name: value for name, value in row.items() if value != ""})


def priced(parsed: Parsed) -> list[tuple[str, str, str, str]]:
    """Return instrument, day, price and currency of the marks."""
    return [
        (instrument, day.isoformat(), plain(price), currency)
        for instrument, day, price, currency in parsed.marks.select(
            "instrument_id", "mark_date", "price", "currency"
        ).iter_rows()
    ]


def test_positions_are_marks_of_the_instruments_that_their_trades_would_have():
    parsed = read(
        Trades=[
            execution(),
            execution(**PUT, quantity="-1", buySell="SELL"),
            execution(currency="CHF", symbol="SHIR", conid="12", ibCommissionCurrency="CHF"),
        ],
        OpenPositions=[
            position(),
            position(**PUT, position="-1", markPrice="0.1234"),
            position(symbol="SHIR", currency="CHF", conid="12", markPrice="4.305"),
            position(**{**CALL, "symbol": "XYZ 16JAN26 50 C", "description": "XYZ 16JAN26 50 C"}, markPrice="0"),
        ],
    )
    assert priced(parsed) == [
        ("XYZ", "2026-01-16", "51.5", "USD"),
        ("XYZ   260116P00050000", "2026-01-16", "0.1234", "USD"),
        ("SHIR:CHF", "2026-01-16", "4.305", "CHF"),
        ("XYZ   260116C00050000", "2026-01-16", "0", "USD"),
    ]
    assert set(parsed.marks["instrument_id"]) >= set(parsed.events["instrument_id"])
    assert counts(parsed) == {"event": 3, "kept": 4}


def test_sums_and_lots_and_the_rows_of_several_accounts_are_one_mark():
    parsed = read(
        OpenPositions=[
            position(levelOfDetail="LOT", markPrice="51.49"),
            position(),
            position(levelOfDetail="LOT"),
            position(accountId="U2", markPrice="51.51"),
        ]
    )
    assert priced(parsed) == [("XYZ", "2026-01-16", "51.5", "USD")]
    assert priced(read(OpenPositions=[position(levelOfDetail="LOT")])) == [("XYZ", "2026-01-16", "51.5", "USD")]


@pytest.mark.parametrize(
    ("reported", "until", "day"),
    [
        ("20260118", "20260131", "2026-01-16"),
        ("2026-01-19", "", "2026-01-16"),
        ("20251231", "", "2025-12-31"),
        ("20260101", "", "2025-12-31"),
        ("", "20260131", "2026-01-30"),
        ("", "31/01/2026", "2026-01-30"),
    ],
)
def test_a_mark_is_of_the_session_on_or_before_its_day(reported, until, day):
    frame = {"accountId": "U1", "fromDate": "20260101", "toDate": until}
    begin = element("FlexStatement", frame).replace("/>", ">")
    rows = f"<OpenPositions>{position(reportDate=reported)}</OpenPositions>"
    parsed = parse(document(f"{begin}{rows}</FlexStatement>"), name="flex.xml")
    assert priced(parsed) == [("XYZ", day, "51.5", "USD")]


def test_each_statement_of_a_document_gives_the_last_day_to_its_own_rows():
    statements = "".join(
        f'<FlexStatement accountId="U1" toDate="{day}"><OpenPositions>{position(reportDate="", markPrice=price)}'
        "</OpenPositions></FlexStatement>"
        for day, price in (("20260115", "50"), ("20260116", "51"))
    )
    parsed = parse(document(statements), name="flex.xml")
    assert priced(parsed) == [("XYZ", "2026-01-15", "50", "USD"), ("XYZ", "2026-01-16", "51", "USD")]


@pytest.mark.parametrize(
    "changed",
    [
        {"markPrice": ""},
        {"markPrice": "--"},
        {"reportDate": ""},
        {"reportDate": "19890103"},
        {"assetCategory": "FUT", "symbol": "ESH6", "multiplier": "50"},
        {"assetCategory": "BOND", "markPrice": "what it is worth"},
        {"symbol": ""},
    ],
)
def test_a_row_that_tells_no_price_of_something_held_is_kept(changed):
    parsed = read(OpenPositions=[position(**changed)])
    assert priced(parsed) == []
    assert counts(parsed) == {"kept": 1}


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"markPrice": "n.a."}, "bad_number", "markPrice"),
        ({"markPrice": "-0.5"}, "negative_price", "markPrice"),
        ({"markPrice": "1234567890123456"}, "number_too_large", "markPrice"),
        ({"reportDate": "soon"}, "bad_timestamp", "reportDate"),
        ({"reportDate": "03/04/2026"}, "bad_timestamp", "reportDate"),
    ],
)
def test_a_price_or_day_that_cannot_be_read_is_a_problem_of_its_row(changed, code, field):
    parsed = read(Trades=[execution()], OpenPositions=[position(**changed), position(**PUT)])
    assert [(p.row, p.code, p.field) for p in parsed.problems] == [(2, code, field)]
    assert parsed.problems[0].action
    assert counts(parsed) == {"event": 1, "kept": 1, "reject": 1}
    assert [mark[0] for mark in priced(parsed)] == ["XYZ   260116P00050000"]


def test_a_contract_that_a_corporate_action_brought_in_is_marked_under_the_name_of_the_book():
    change = {"accountId": "U1", "currency": "USD", "type": "IC", "actionID": "7", "dateTime": "20260112;202500"}
    change |= {"assetCategory": "STK", "description": "XYZ(US1) CUSIP/ISIN CHANGE TO (US2)", "proceeds": "0"}
    parsed = read(
        Trades=[execution()],
        CorporateActions=[
            element("CorporateAction", {**change, "symbol": "XYZ", "conid": "11", "isin": "US1", "quantity": "-100"}),
            element(
                "CorporateAction", {**change, "symbol": "XYZ.NEW", "conid": "99", "isin": "US2", "quantity": "100"}
            ),
        ],
        OpenPositions=[position(symbol="ABC", conid="99")],
    )
    (new,) = parsed.events["new_instrument_id"].drop_nulls()
    assert priced(parsed) == [(new, "2026-01-16", "51.5", "USD")]


def test_an_option_that_is_gone_by_the_end_of_the_statement_has_no_mark():
    parsed = read(
        Trades=[execution(**PUT, quantity="-1", buySell="SELL"), booking(PUT, quantity="1", notes="Ep")],
        OpenPositions=[position()],
    )
    assert [mark[0] for mark in priced(parsed)] == ["XYZ"]


REAL = {
    "corporate_action_2025.xml": {("ZT0:EUR", "2025-12-31", "32.55", "EUR")},
    "minimal_short_options_repro_2025.xml": {
        ("XXXX", "2025-12-31", "170", "USD"),
        ("YYYY", "2025-12-31", "85", "USD"),
        ("XXXX  260220C00200000", "2025-12-31", "1.5", "USD"),
    },
    "options_future_2025.xml": {
        ("FHZN:CHF", "2025-12-31", "251.8", "CHF"),
        ("SHIR:CHF", "2025-12-31", "4.305", "CHF"),
        ("CL", "2025-12-31", "79.02", "USD"),
        ("ECH", "2025-12-31", "40.4", "USD"),
        ("NLCP", "2025-12-31", "15.925", "USD"),
        ("RIO", "2025-12-31", "80.03", "USD"),
        ("WY", "2025-12-31", "23.69", "USD"),
        ("ASML  260130P00930000", "2025-12-31", "10.1834", "USD"),
        ("ASML  260130C01170000", "2025-12-31", "19.0218", "USD"),
        ("WY    260717C00020000", "2025-12-31", "4.605", "USD"),
    },
    "uabean.xml": set(),
    "vtandchill_2025.xml": {("VT", "2025-12-31", "141.06", "USD")},
}


@pytest.mark.parametrize("name", sorted(REAL))
def test_the_positions_of_real_statements_are_marks(vectors: Path, name: str):
    parsed = parse((vectors / "data" / "ibkr_flex" / name).read_bytes(), name=name)
    assert set(priced(parsed)) == REAL[name]
    assert parsed.marks.height == len(REAL[name])
