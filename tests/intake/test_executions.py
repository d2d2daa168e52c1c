"""Executions as files, rows and frames."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.intake.given import CASH, OPTION, OSI, STOCK, Row, text_frame
from tests.strategies import ids, prices, trade_quantities
from tradelake.errors import InputError
from tradelake.intake import Execution, Parsed, executions
from tradelake.tables import INCOMING, RECORDS
from tradelake.units import plain

REMARKS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=40)


def jsonl(rows: list[Row]) -> bytes:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def csv_file(rows: list[Row]) -> bytes:
    names = text_frame(rows).columns
    text = io.StringIO()
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def parquet(frame: pl.DataFrame) -> bytes:
    data = io.BytesIO()
    frame.write_parquet(data)
    return data.getvalue()


def read(data: bytes, format: str) -> Parsed:
    return executions.parse(data, name=f"fills.{format}", format=format)


def codes(parsed: Parsed) -> list[tuple[int | None, str, str]]:
    return [(found.row, found.code, found.field) for found in parsed.problems]


@st.composite
def rows(draw: st.DrawFn) -> Row:
    row = {**draw(st.sampled_from([STOCK, OPTION, OSI])), "trade_id": draw(ids())}
    row |= {"quantity": str(draw(st.integers(1, 10**6))), "price": plain(draw(prices()))}
    row |= draw(st.fixed_dictionaries({}, optional={"reason": REMARKS, "fees": prices().map(plain)}))
    return row | draw(st.sampled_from([{}, {}, {"quantity": "0"}, {"executed_at": "2026-01-05T15:00:00"}]))


@given(st.lists(rows(), min_size=1, max_size=8))
def test_the_same_rows_are_the_same_events_in_every_format(given_rows):
    from_jsonl = read(jsonl(given_rows), "jsonl")
    for other in (
        read(csv_file(given_rows), "csv"),
        read(parquet(text_frame(given_rows)), "parquet"),
        executions.from_frame(text_frame(given_rows)),
        executions.from_rows(given_rows),
    ):
        assert_frame_equal(other.events, from_jsonl.events)
        assert codes(other) == codes(from_jsonl)
        assert other.records.drop("text").equals(from_jsonl.records.drop("text"))


@given(st.lists(st.tuples(trade_quantities(), prices()), min_size=1, max_size=5))
def test_typed_columns_are_the_same_events_as_text(numbers):
    moment, day = datetime(2026, 1, 5, 15, 0, 0, 250, tzinfo=UTC), date(2026, 1, 16)
    typed = pl.DataFrame(
        {
            "account_id": pl.Series(["A"] * len(numbers), dtype=pl.Categorical),
            "symbol": ["XYZ"] * len(numbers),
            "order_id": range(len(numbers)),
            "action": ["BUY"] * len(numbers),
            "asset_type": ["WARRANT"] * len(numbers),
            "executed_at": [moment] * len(numbers),
            "expiration": [day] * len(numbers),
            "quantity": pl.Series([quantity for quantity, _ in numbers], dtype=pl.Decimal(30, 10)),
            "price": pl.Series([price for _, price in numbers], dtype=pl.Decimal(30, 12)),
            "fees": [1] * len(numbers),
        }
    )
    text = [
        {
            **STOCK,
            "order_id": str(number),
            "asset_type": "warrant",
            "executed_at": "2026-01-05T10:00:00.000250-05:00",
            "expiration": "2026-01-16",
            "quantity": f"{quantity:f}",
            "price": f"{price:f}",
            "fees": "1.00",
        }
        for number, (quantity, price) in enumerate(numbers)
    ]
    assert_frame_equal(read(parquet(typed), "parquet").events, executions.from_rows(text).events)


def test_python_values_of_an_exact_type_are_read():
    row = {
        **OPTION,
        "quantity": 2,
        "price": Decimal("1E+2"),
        "executed_at": datetime(2026, 1, 5, 15, tzinfo=UTC),
        "expiration": date(2026, 1, 16),
        "tags": ["combo"],
        "lots": [{"open": "T-1", "quantity": Decimal("2.0")}],
    }
    parsed = executions.from_rows([row])
    assert parsed.problems == ()
    found = parsed.events.row(0, named=True)
    assert (found["quantity"], found["price"]) == (2, 100)
    assert found["details"] == '{"lots":[{"open":"T-1","quantity":"2"}],"tags":["combo"]}'
    assert executions.from_rows([Execution(**row)]).events.equals(parsed.events)


@pytest.mark.parametrize("number", ["0.5", "1e2", "1.0", "NaN", "Infinity", "-0.1"])
def test_a_json_float_is_refused(number):
    line = json.dumps({**STOCK, "price": 0}).replace('"price": 0', f'"price": {number}')
    parsed = read(line.encode(), "jsonl")
    assert codes(parsed) == [(1, "float_number", "price")]
    assert parsed.problems[0].message == f"price asks for an exact number, and there was the float {number}."
    nested = json.dumps({**STOCK, "lots": [{"open": "T", "quantity": 0}]}).replace(": 0}", f": {number}}}")
    assert codes(read(nested.encode(), "jsonl")) == [(1, "float_number", "lots")]


def test_json_integers_are_numbers():
    assert read(jsonl([{**STOCK, "quantity": 7}]), "jsonl").events["quantity"].to_list() == [7]


@pytest.mark.parametrize("value", [float("nan"), 0.5, 2.0])
def test_a_float_column_is_refused_where_it_has_a_value(value):
    frame = text_frame([STOCK, STOCK]).with_columns(fees=pl.Series([value, None], dtype=pl.Float64))
    parsed = executions.from_frame(frame, name="notebook")
    assert codes(parsed) == [(1, "float_number", "fees")]
    assert parsed.events["source_row"].to_list() == [2]


@pytest.mark.parametrize(
    ("column", "code"),
    [
        (pl.Series("executed_at", [1_767_625_200_000_000]).cast(pl.Datetime("us")), "naive_timestamp"),
        (pl.Series("executed_at", [date(2026, 1, 5)]), "bad_timestamp"),
        (
            pl.Series("executed_at", [1_767_625_200_000_000_001]).cast(pl.Datetime("ns", "UTC")),
            "bad_timestamp",
        ),
        (pl.Series("executed_at", [datetime(1800, 1, 1, tzinfo=UTC)]), "bad_timestamp"),
        (pl.Series("trade_date", [datetime(2026, 1, 5, tzinfo=UTC)]), "bad_date"),
        (pl.Series("trade_date", [date(2200, 1, 1)]), "bad_date"),
        (pl.Series("price", [Decimal("0.0000000000001")]), "price_scale"),
        (pl.Series("quantity", [10**15]), "number_too_large"),
        (pl.Series("quantity", [-(2**100)], dtype=pl.Int128), "number_too_large"),
        (pl.Series("quantity", [Decimal(10**33)]), "number_too_large"),
        (pl.Series("reason", [True]), "bad_type"),
        (pl.Series("tags", [["combo"]]), "bad_type"),
        (pl.Series("reason", [timedelta(1)]), "bad_type"),
    ],
)
def test_a_typed_value_that_a_field_cannot_hold_is_refused(column, code):
    parsed = executions.from_frame(text_frame([STOCK]).with_columns(column))
    assert codes(parsed) == [(1, code, column.name)]
    assert parsed.records["outcome"].to_list() == ["reject"]


def test_an_unknown_column_is_refused_where_it_has_a_value():
    parsed = read(csv_file([{**STOCK, "quantiti": ""}, {**STOCK, "quantiti": "5"}]), "csv")
    assert codes(parsed) == [(2, "unknown_field", "quantiti")]
    assert parsed.problems[0].message == "An execution has no field 'quantiti'; the nearest is quantity."
    assert parsed.events["source_row"].to_list() == [1]


def test_lines_that_are_no_json_objects_are_refused_with_their_line_number():
    lines = [
        json.dumps(STOCK),
        "{",
        "",
        '["a"]',
        '{"symbol": "A", "symbol": "B"}',
        "7",
        "[" * 100_000,
        json.dumps(CASH),
    ]
    parsed = read("\r\n".join(lines).encode(), "jsonl")
    assert codes(parsed) == [
        (2, "bad_json", ""),
        (4, "bad_json", ""),
        (5, "bad_json", "symbol"),
        (6, "bad_json", ""),
        (7, "bad_json", ""),
    ]
    assert parsed.problems[0].message == "A line asks for JSON, and '{' is none."
    assert parsed.problems[2].message == "A JSON object has symbol twice."
    assert parsed.events["source_row"].to_list() == [1, 8]
    assert parsed.records["text"].to_list() == [line for line in lines if line]


def test_half_a_character_is_refused_and_the_record_is_kept():
    parsed = read(jsonl([STOCK]) + b'\n{"account_id": "A", "reason": "\\ud800"}', "jsonl")
    assert codes(parsed) == [(2, "bad_text", "reason")]
    assert executions.from_rows([{**STOCK, "symbol": "\ud800"}]).records["outcome"].to_list() == ["reject"]


def test_a_csv_row_of_another_length_is_refused():
    data = csv_file([STOCK, STOCK]) + b"A,BUY\nA,BUY,2026-01-05T15:00:00Z,1,10,XYZ,more\n\n"
    parsed = read(data, "csv")
    assert codes(parsed) == [(3, "bad_row", ""), (4, "bad_row", "")]
    assert parsed.problems[0].message == "The header names 6 columns, and the row has 2 values."
    assert parsed.records["row_number"].to_list() == [1, 2, 3, 4]
    assert parsed.records["text"][2] == '["A","BUY"]'


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_records_are_canonical_json_without_empty_columns(format):
    given_rows = [{**STOCK, "reason": 'é, "x"', "fees": None}]
    data = csv_file(given_rows) if format == "csv" else parquet(text_frame(given_rows))
    records = read(data, format).records
    assert records.schema == RECORDS.schema
    assert records["text"].to_list() == [
        (
            '{"account_id":"A","action":"BUY","executed_at":"2026-01-05T15:00:00Z","price":"10","quantity":"1",'
            '"reason":"é, \\"x\\"","symbol":"XYZ"}'
        )
    ]


def test_a_file_with_a_byte_order_mark_is_read():
    for format, data in (("jsonl", jsonl([STOCK])), ("csv", csv_file([STOCK]))):
        assert read(b"\xef\xbb\xbf" + data, format).events.height == 1


@pytest.mark.parametrize(
    ("data", "format", "message"),
    [
        (b"", "jsonl", "fills.jsonl: the file is empty. Check whether it was written to its end."),
        (b" \n\n", "csv", "fills.csv: the file is empty. Check whether it was written to its end."),
        (b"", "parquet", "fills.parquet: the file is empty. Check whether it was written to its end."),
        (
            b"\xff{}",
            "jsonl",
            "fills.jsonl: byte 1 is no UTF-8. Check the format, or write the file as UTF-8.",
        ),
        (b"symbol,symbol\n", "csv", "fills.csv: the header names symbol twice. Keep one of the columns."),
        (
            b",\n1,2\n",
            "csv",
            "fills.csv: there is no header. Write the names of the fields in the first line.",
        ),
        (
            b'symbol\n"XYZ\n',
            "csv",
            "fills.csv: line 2 is no CSV: unexpected end of data. Check its quotation marks.",
        ),
        (
            parquet(text_frame([STOCK]))[:-20],
            "parquet",
            ("fills.parquet: there is no Parquet file, or it is cut off. Check whether it was written to its end."),
        ),
        (b"x", "xml", "fills.xml: executions come as jsonl, csv, parquet, not as xml."),
    ],
)
def test_a_file_that_cannot_be_read_as_a_whole_is_an_input_error(data, format, message):
    with pytest.raises(InputError) as raised:
        read(data, format)
    assert str(raised.value) == message


def test_a_damaged_parquet_file_is_an_input_error():
    data = parquet(text_frame([STOCK]))
    with pytest.raises(InputError, match="the Parquet file cannot be read"):
        read(data[:4] + bytes(len(data) - 12) + data[-8:], "parquet")


def test_a_column_of_bytes_is_an_input_error():
    with pytest.raises(InputError, match="the column symbol has the type Binary"):
        executions.from_frame(pl.DataFrame({"symbol": [b"XYZ"]}))


@pytest.mark.parametrize(
    "parsed",
    [executions.from_rows([]), read(b"symbol,price\n", "csv"), executions.from_frame(pl.DataFrame())],
)
def test_no_rows_are_no_events(parsed):
    assert (parsed.events.height, parsed.records.height, parsed.problems) == (0, 0, ())
    assert parsed.events.schema == INCOMING.schema


def test_rows_beyond_one_chunk_keep_their_numbers(monkeypatch):
    monkeypatch.setattr("tradelake.intake.rows.CHUNK", 3)
    monkeypatch.setattr("tradelake.intake.frames.CHUNK", 3)
    given_rows = [{**STOCK, "trade_id": str(n), "quantity": "x" if n % 4 == 0 else "1"} for n in range(10)]
    given_rows[7]["fees"] = "1"
    from_jsonl, from_csv = read(jsonl(given_rows), "jsonl"), read(csv_file(given_rows), "csv")
    assert codes(from_jsonl) == codes(from_csv) == [(n, "bad_number", "quantity") for n in (1, 5, 9)]
    assert_frame_equal(from_jsonl.events, from_csv.events)
    assert from_jsonl.records["row_number"].to_list() == list(range(1, 11))
