"""A nightly report as a record: what it refuses, what it says in a sentence, and JSON that loses nothing."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.outputs.nights import POSITIONS, STEPS, empty_night, frame, ordinary_night
from tests.outputs.pages import refuse
from tests.strategies import money
from tradelake.errors import InputError, InvariantError
from tradelake.outputs import (
    ImportLine,
    Step,
    exposure_of,
    report_from_json,
    report_json,
    standing,
    totals_of,
    verdict,
)
from tradelake.outputs.report.frames import ACCOUNTS, BREAKS, FRAMES

DONE = tuple(Step(step.name, "done", "", Decimal(1)) for step in STEPS)
QUIET = {"steps": DONE, "imports": (), **{name: FRAMES[name].empty() for name in ("breaks", "proposals", "unmarked")}}


def test_verdict_is_one_sentence():
    assert verdict(ordinary_night()) == (
        "2026-11-20: 3 accounts, 11 positions, 4 open breaks, 1 position without a mark"
    )
    assert verdict(empty_night()) == "2026-11-20: no accounts, no positions, no open breaks"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "done"),
        ({"breaks": ordinary_night().breaks}, "problems"),
        ({"proposals": ordinary_night().proposals}, "problems"),
        ({"unmarked": ordinary_night().unmarked}, "problems"),
        ({"imports": (ImportLine("a.xml", accepted=3, duplicates=2),)}, "done"),
        ({"imports": (ImportLine("a.xml", rejects=1),)}, "problems"),
        ({"imports": (ImportLine("a.xml", conflicts=1),)}, "problems"),
        ({"steps": (*DONE[1:], Step("lease", "nothing", "", Decimal(0)))}, "done"),
        ({"steps": (*DONE[1:], Step("lease", "problems", "", Decimal(0)))}, "problems"),
        ({"steps": (*DONE[1:], Step("verify", "failed", "", Decimal(0)))}, "failed"),
        ({"buffers": frame("buffers", [{"account_id": "A", "currency": "USD", "surplus": Decimal(-1)}])}, "problems"),
    ],
)
def test_standing_is_the_worst_of_what_was_found(changes, expected):
    assert standing(ordinary_night(**QUIET | changes)) == expected


def test_a_frame_without_a_column_that_must_be_there_is_refused():
    with pytest.raises(InvariantError, match="breaks: the frame has no column age"):
        ordinary_night(breaks=BREAKS.empty().drop("age"))


def test_columns_that_may_be_null_are_filled_and_others_left_out():
    given_frame = ordinary_night().accounts.drop("pnl_today").with_columns(pl.lit("x").alias("recorded_at"))
    accounts = ordinary_night(accounts=given_frame).accounts
    assert accounts.schema == ACCOUNTS.schema
    assert accounts.get_column("pnl_today").null_count() == 3


def test_naive_instants_and_unknown_steps_are_refused():
    with pytest.raises(InvariantError, match="has no time zone"):
        empty_night(started_at=datetime(2026, 11, 20, 22, 15))  # noqa: DTZ001
    with pytest.raises(InvariantError, match="a step called 'sleep'"):
        Step("sleep", "done", "", Decimal(1))  # type: ignore[arg-type]
    with pytest.raises(InvariantError, match="status 'asleep'"):
        Step("lease", "asleep", "", Decimal(1))  # type: ignore[arg-type]


def test_totals_are_sums_per_currency_and_unknown_where_a_part_is():
    accounts = ordinary_night().accounts
    euros = accounts.head(1).with_columns(currency=pl.lit("EUR"), cash=pl.lit(Decimal("7.25")))
    totals = totals_of(pl.concat([accounts, euros], how="vertical_relaxed"))
    assert totals.select("currency", "accounts", "positions", "unmarked").rows() == [
        ("EUR", 1, 4, 0),
        ("USD", 3, 11, 1),
    ]
    assert totals.get_column("cash").to_list() == [Decimal("7.25"), Decimal("143012")]
    assert totals.get_column("net_liquidation").to_list() == [accounts.item(0, "net_liquidation"), None]


def test_exposure_adds_shares_and_options_and_values_nothing_without_a_mark():
    exposure = exposure_of(ordinary_night_positions())
    assert exposure.get_column("symbol").to_list() == ["AAPL", "MSFT", "SPY", "KRXW"]
    assert exposure.row(0, named=True) == {
        "symbol": "AAPL",
        "currency": "USD",
        "positions": 3,
        "unmarked": 0,
        "long_value": Decimal(117025),
        "short_value": Decimal(-1140),
        "unrealized_pnl": Decimal("10530.676963"),
    }
    assert exposure.row(3) == ("KRXW", "USD", 1, 1, None, None, None)


def ordinary_night_positions() -> pl.DataFrame:
    """Return the ordinary night's positions as snapshots have them."""
    types = dict.fromkeys(("market_value", "unrealized_pnl"), FRAMES["unmarked"].schema["cost_basis"])
    return pl.DataFrame(POSITIONS, schema_overrides=types)


@pytest.mark.parametrize("report", [ordinary_night(), empty_night()], ids=["ordinary", "empty"])
def test_json_comes_back_as_it_was(report):
    text = report_json(report)
    assert report_json(report_from_json(text)) == text
    assert report_json(report) == text


def test_json_has_documented_fields_in_their_order():
    content = json.loads(report_json(ordinary_night()), parse_float=refuse)
    assert content["schema"] == "tradelake.nightly/1"
    assert list(content)[:4] == ["schema", "verdict", "standing", "nightly_date"]
    for name, table in FRAMES.items():
        assert all(list(row) == table.names for row in content[name]), name
    assert content["started_at"] == "2026-11-20T22:15:03.120000Z"
    assert content["steps"][1]["seconds"] == "0.83"
    assert content["breaks"][2]["ours"] == "118402.2266"


@given(amounts=st.lists(money(), min_size=1, max_size=5), text=st.text())
def test_json_keeps_every_digit_and_every_text(amounts: list[Decimal], text: str):
    rows: list[dict[str, Any]] = [
        {"account_id": "A", "currency": "USD", "cash": amount, "required": None, "surplus": amount}
        for amount in amounts
    ]
    report = empty_night(buffers=frame("buffers", rows), notes=(text,), imports=(ImportLine(text),))
    back = report_from_json(report_json(report).encode("utf-8").decode())
    assert back.buffers.equals(report.buffers)
    assert back.notes == (text,)
    assert back.imports[0].file == text


def test_the_name_of_a_file_need_not_be_text():
    name = b"fills-\xff.csv".decode("utf-8", "surrogateescape")
    back = report_from_json(report_json(empty_night(imports=(ImportLine(name),))).encode("utf-8").decode())
    assert back.imports[0].file == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "This is no nightly report"),
        ("[1]", "This is no nightly report"),
        ('{"verdict": "x"}', "This is no nightly report"),
        ('{"schema": "tradelake.nightly/9"}', "The report's schema is 'tradelake.nightly/9'; this release reads"),
        ('{"schema": "tradelake.nightly/1"}', "The nightly report cannot be read: KeyError: 'nightly_date'."),
        (
            report_json(empty_night()).replace("2026-11-20", "yesterday"),
            "The nightly report cannot be read: ValueError",
        ),
    ],
)
def test_what_is_no_report_is_refused(text, message):
    with pytest.raises(InputError, match=message):
        report_from_json(text)
