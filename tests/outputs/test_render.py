"""What leaves the house: exact numbers for programs, readable ones for people."""

import csv
import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tables.rows import FINEST, LARGEST, SMALLEST, VALID
from tradelake.errors import InputError
from tradelake.outputs import render
from tradelake.outputs.layouts import LAYOUTS
from tradelake.outputs.table import ROW_COUNT_MAX, cell_text
from tradelake.tables import (
    ACCOUNTS,
    IMPORT_RUNS,
    INSTRUMENTS,
    LOTS,
    MATCHES,
    POSITION_HISTORY,
    POSITIONS,
    REFUSALS,
    SOURCE_RECORDS,
    TABLES,
    TRADE_LOG,
    Table,
)
from tradelake.units import MONEY, QUANTITY

OPTION = {"instrument_id": "NVDA  260116C00150000", "contract_symbol": "NVDA  260116C00150000"}
LISTED = {
    "accounts": ACCOUNTS,
    "history": POSITION_HISTORY,
    "instruments": INSTRUMENTS,
    "lots": LOTS,
    "matches": MATCHES,
    "positions": POSITIONS,
    "records": SOURCE_RECORDS,
    "refusals": REFUSALS,
    "runs": IMPORT_RUNS,
    "trades": TRADE_LOG,
}
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def frame_of(table: Table, *rows: Mapping[str, object]) -> pl.DataFrame:
    """Return a frame of *table*, each row one of ordinary values with what is given put over it."""
    ordinary = VALID | {"text": "GEN-1", "money": Decimal("-12345.678"), "quantity": Decimal(-250)}
    filled = [{c.name: row.get(c.name, ordinary[c.type]) for c in table.columns} for row in rows]
    return pl.DataFrame(filled, schema=table.schema)


def money(*values: str | None) -> pl.Series:
    """Return a money column."""
    return pl.Series("amount", [None if v is None else Decimal(v) for v in values], dtype=MONEY)


def test_numbers_are_plain_in_json_and_csv():
    frame = money("0.000000000001", "100", "-0.5", "12345678901234567890123456.1", "0", None).to_frame()
    texts = ["0.000000000001", "100", "-0.5", "12345678901234567890123456.1", "0", None]
    assert [row["amount"] for row in json.loads(render(frame, form="json"))] == texts
    lines = render(frame, form="csv").splitlines()
    assert lines == ["amount", *(text or "" for text in texts)]


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12, min_value=-(10**20), max_value=10**20))
def test_every_amount_survives_json_without_exponent_or_idle_zeros(amount):
    [row] = json.loads(render(money(str(amount)).to_frame(), form="json"))
    assert Decimal(row["amount"]) == amount
    assert re.fullmatch(r"-?(0|[1-9]\d*)(\.\d*[1-9])?", row["amount"])


def test_instants_have_a_z_and_dates_do_not():
    frame = pl.DataFrame(
        {
            "at": [
                datetime(2026, 1, 15, 14, 30, tzinfo=UTC),
                datetime(2026, 1, 15, 14, 30, 5, 60, tzinfo=UTC),
            ],
            "day": [date(2026, 1, 15), None],
        },
        schema={"at": pl.Datetime("us", "UTC"), "day": pl.Date},
    )
    in_new_york = frame.with_columns(pl.col("at").dt.convert_time_zone("America/New_York"))
    expected = [
        {"at": "2026-01-15T14:30:00Z", "day": "2026-01-15"},
        {"at": "2026-01-15T14:30:05.000060Z", "day": None},
    ]
    assert json.loads(render(frame, form="json")) == expected
    assert json.loads(render(in_new_york, form="json")) == expected


def test_an_instant_without_a_zone_gets_none():
    frame = pl.DataFrame({"at": [datetime(2026, 1, 15, 14, 30)]})  # noqa: DTZ001 - a query may return one
    assert json.loads(render(frame, form="json")) == [{"at": "2026-01-15T14:30:00"}]


def test_integers_and_booleans_are_json_s_own_and_all_else_is_text():
    frame = pl.DataFrame(
        {"n": [2**62], "yes": [True], "ratio": [1e-7], "list": [[1, 2]], "raw": [b"\x00\xff"], "none": [None]}
    )
    assert json.loads(render(frame, form="json")) == [
        {"n": 2**62, "yes": True, "ratio": "0.0000001", "list": "[1, 2]", "raw": "00ff", "none": None}
    ]


def test_a_frame_without_rows_is_an_empty_array_a_header_and_a_sentence():
    empty = ACCOUNTS.empty()
    assert render(empty, form="json") == "[]\n"
    assert render(empty, form="csv") == ",".join(ACCOUNTS.names) + "\n"
    assert render(empty, form="table", title="accounts") == "accounts: no rows\n"


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
@pytest.mark.parametrize("values", [SMALLEST, LARGEST, FINEST], ids=["smallest", "largest", "finest"])
def test_extremes_of_every_column_reach_json_and_csv_unchanged(table, values):
    row = {c.name: values[c.type] for c in table.columns}
    frame = pl.DataFrame([row], schema=table.schema)
    [told] = json.loads(render(frame, form="json"))
    [listed] = csv.DictReader(io.StringIO(render(frame, form="csv"), newline=""))
    for column in table.columns:
        value = row[column.name]
        if isinstance(value, Decimal):
            assert Decimal(told[column.name]) == Decimal(listed[column.name]) == value
        elif isinstance(value, str):
            assert told[column.name] == listed[column.name] == value
        elif isinstance(value, datetime):
            assert datetime.fromisoformat(told[column.name]) == value
    assert render(frame, form="table", title=table.name)


@pytest.mark.parametrize("name", sorted(LISTED))
def test_every_listing_fits_a_hundred_characters(name):
    stock: dict[str, object] = {"instrument_id": "NVDA", "contract_symbol": None}
    frame = frame_of(LISTED[name], OPTION, stock)
    text = render(frame, form="table", title=name)
    assert max(map(len, text.splitlines())) <= 100
    assert text.splitlines()[-1] == f"{name}: 2 rows; --json or --csv show all {frame.width} columns"


BESIDE = {"trades": ("state",)}


@pytest.mark.parametrize("name", sorted(LISTED))
def test_every_column_of_a_layout_is_a_column_of_its_table(name):
    for shown in LAYOUTS[name]:
        assert set(shown.value.meta.root_names()) <= {*LISTED[name].names, *BESIDE.get(name, ())}


def test_trades_are_shown_as_a_desk_writes_them():
    sold = OPTION | {
        "kind": "trade", "action": "SELL_TO_OPEN", "quantity": Decimal(2), "price": Decimal("3.1"),
        "commission": Decimal("1.045"), "fees": Decimal("0.0213"), "net_amount": Decimal("1618.9337"),
        "executed_at": datetime(2026, 1, 9, 1, 30, 5, tzinfo=UTC), "trade_date": date(2026, 1, 8),
    }  # fmt: skip
    paid_in = {
        "kind": "cash", "action": None, "quantity": None, "price": None, "cash_category": "deposit",
        "instrument_id": None, "contract_symbol": None, "symbol": None, "commission": Decimal(0),
        "fees": Decimal(0), "net_amount": Decimal(50000), "trade_date": date(2026, 1, 16),
    }  # fmt: skip
    frame = frame_of(TRADE_LOG, sold, paid_in)
    head, _, *rows, _ = render(frame, form="table", title="trades").splitlines()
    assert [" ".join(line.split()) for line in (head, *rows)] == [
        "date UTC account contract action quantity price charges net",
        "2026-01-08 01:30+1d GEN-1 NVDA 2026-01-16 C 150 STO 2 3.10 1.0663 1,618.9337",
        "2026-01-16 14:30 GEN-1 deposit cash · · 0.00 50,000.00",
    ]


def test_contract_is_read_from_the_osi_symbol():
    adjusted = {"instrument_id": "x", "contract_symbol": "NVDA1 261218P00007500"}
    cheap = {"instrument_id": "y", "contract_symbol": "F     261218C00000500"}
    foreign = {"instrument_id": "SAP:EUR", "contract_symbol": None}
    text = render(frame_of(LOTS, adjusted, cheap, foreign), form="table", title="lots")
    assert "NVDA1 2026-12-18 P 7.5 " in text
    assert "F 2026-12-18 C 0.5 " in text
    assert "SAP:EUR" in text


def test_money_has_two_decimals_or_more_and_stands_to_the_right():
    frame = pl.DataFrame({"amount": money("5", "-1234.5678", "0.000000000001", None)})
    assert render(frame, form="table").splitlines()[2:-1] == [
        "          5.00",
        "   -1,234.5678",
        "0.000000000001",
        "             ·",
    ]


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        ("-0.5", "number", "-0.5"),
        ("-0.5", "money", "-0.50"),
        ("1000000", "number", "1,000,000"),
        ("NaN", "number", "NaN"),
        ("2026-01-15T14:30:05.123456Z", "instant", "2026-01-15 14:30:05"),
        ("a\x1b[31mb\nc", "text", "a\ufffd[31mb\ufffdc"),
        ("[red]plain[/red]", "text", "[red]plain[/red]"),
    ],
)
def test_a_cell_is_written_for_people(text, kind, shown):
    assert cell_text(text, kind) == shown


def test_numbers_are_never_cut_where_the_width_does_not_suffice():
    frame = pl.DataFrame({"amount": money("12345678901234567890.123456789012")})
    assert "12,345,678,901,234,567,890.123456789012" in render(frame, form="table", width=20)


def test_texts_shrink_and_columns_leave_from_the_right():
    frame = pl.DataFrame({name: ["x" * 30] for name in ("first", "second", "third", "fourth")})
    lines = render(frame, form="table", width=50).splitlines()
    assert lines[0].split() == ["first", "second", "third"]
    assert len(lines[2]) == 50
    assert "…" in lines[2]
    assert lines[-1] == "1 row; --json or --csv show all 4 columns"


def test_profit_and_loss_are_coloured_only_where_asked():
    frame = pl.DataFrame({"realized_pnl": money("-5", "7", "0")})
    plain_text = render(frame, form="table")
    coloured = render(frame, form="table", color=True)
    assert "\x1b" not in plain_text
    assert [line.rstrip() for line in ANSI.sub("", coloured).splitlines()] == plain_text.splitlines()
    loss, profit, zero = coloured.splitlines()[2:5]
    assert "\x1b[31m" in loss
    assert "\x1b[32m" in profit
    assert "\x1b" not in zero


def test_a_long_listing_says_what_it_leaves_out():
    frame = pl.DataFrame({"n": range(ROW_COUNT_MAX + 1)})
    lines = render(frame, form="table", title="numbers").splitlines()
    assert lines[-1] == "numbers: 1,001 rows, the first 1,000 shown; --json or --csv show all rows"
    assert len(lines) == ROW_COUNT_MAX + 3


def test_asked_columns_are_shown_in_their_order_in_every_form():
    frame = frame_of(LOTS, OPTION).with_columns(pl.col("quantity").cast(QUANTITY))
    columns = ["quantity", "lot_id"]
    assert render(frame, form="csv", columns=columns) == "quantity,lot_id\n-250,GEN-1\n"
    assert render(frame, form="table", title="lots", columns=columns).split()[:2] == columns


def test_an_unknown_column_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"There is no column price; the columns are n\."):
        render(pl.DataFrame({"n": [1]}), form="csv", columns=["price"])
