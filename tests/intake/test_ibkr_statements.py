"""Flex statements that others wrote, and the one in `data/`."""

import runpy
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.intake.flex import counts, events
from tradelake.errors import InputError
from tradelake.intake.ibkr_flex import parse

DATA = Path(__file__).parents[2] / "data"

REAL = {
    "corporate_action_2025.xml": {"event": 6, "kept": 11},
    "minimal_short_options_repro_2025.xml": {"event": 7, "kept": 3},
    "options_future_2025.xml": {"event": 81, "kept": 25, "reject": 9},
    "uabean.xml": {"event": 17, "kept": 6},
    "vtandchill_2025.xml": {"event": 15, "kept": 6},
}


@pytest.mark.parametrize("name", sorted(REAL))
def test_real_statements_are_read_row_by_row(vectors: Path, name: str):
    parsed = parse((vectors / "data" / "ibkr_flex" / name).read_bytes(), name=name)
    assert counts(parsed) == REAL[name]
    assert {problem.code for problem in parsed.problems} <= {
        "unsupported_asset_type",
        "missing_settlement_price",
    }


def test_the_options_of_a_real_statement_become_option_events(vectors: Path):
    name = "options_future_2025.xml"
    parsed = parse((vectors / "data" / "ibkr_flex" / name).read_bytes(), name=name)
    found = [
        row
        for row in events(parsed, "contract_symbol", "kind", "quantity", "commission")
        if row[1] in ("assign", "expire")
    ]
    assert found == [
        ("IGIC  250117C00025000", "expire", Decimal(1), Decimal(0)),
        ("SA    250919C00017000", "assign", Decimal(1), Decimal("0.0166")),
        ("TLT   250613C00089500", "expire", Decimal(3), Decimal(0)),
    ]
    assert [p.value for p in parsed.problems if p.code == "unsupported_asset_type"] == ["FUT"] * 4 + ["FOP"] * 4


def test_every_statement_of_others_is_read_or_refused_as_a_whole(vectors: Path):
    refused = []
    for path in sorted((vectors / "data" / "ibkr_flex").rglob("*.xml")):
        try:
            parsed = parse(path.read_bytes(), name=path.name)
        except InputError:
            refused.append(path.name)
        else:
            assert parsed.records.height >= parsed.events.height
            assert {problem.row for problem in parsed.problems} == set(
                parsed.records.filter(outcome="reject")["row_number"].to_list()
            )
    assert refused == ["element_samples.xml", "activity_simple.xml"]


def test_the_sample_statement_is_read_without_a_reject():
    parsed = parse((DATA / "sample_flex.xml").read_bytes(), name="sample_flex.xml")
    assert parsed.problems == ()
    kinds = parsed.events["kind"].value_counts().sort("kind").rows()
    assert kinds == [("assign", 12), ("cash", 15), ("cash_settle", 2), ("expire", 41), ("trade", 245)]
    assert set(parsed.events["order_reference"].drop_nulls()) == {"GEN-1", "REV-1", "COM-1"}


def test_the_money_of_the_sample_statement_adds_up():
    """Cash is realized profit plus cash transactions less open basis, all in the broker's own figures."""
    root = ET.parse(DATA / "sample_flex.xml").getroot()
    realized = sum(Decimal(row.get("fifoPnlRealized", "0")) for row in root.iter("Trade"))
    moved = sum(Decimal(row.get("amount", "0")) for row in root.iter("CashTransaction"))
    held = [row for row in root.iter("OpenPosition") if row.get("levelOfDetail") == "SUMMARY"]
    basis = sum(Decimal(row.get("costBasisMoney", "0")) for row in held)
    ending = next(Decimal(row.get("endingCash", "0")) for row in root.iter("CashReportCurrency"))
    assert abs(realized + moved - basis - ending) < Decimal("0.001")


def test_the_sample_data_is_what_its_generator_writes(tmp_path: Path):
    runpy.run_path(str(DATA / "generate.py"))["write"](tmp_path)
    for name in ("sample_flex.xml", "sample_fills.jsonl"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), name
