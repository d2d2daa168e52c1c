"""Corporate actions of Flex statements: which become events, with which terms, and which are left to a person."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import tradelake as tl
from tests.intake.flex import ACCOUNT, element, execution, only_problem, outcomes, read, statement
from tradelake.intake.parsed import Parsed

BASE = {
    "accountId": ACCOUNT,
    "assetCategory": "STK",
    "symbol": "XYZ",
    "isin": "US0000000001",
    "currency": "USD",
    "dateTime": "20260112;202500",
    "reportDate": "20260113",
    "actionID": "77",
}
NEW = {"symbol": "NEW", "isin": "US0000000002"}
MIXED = "XYZ(US0000000001) CASH and STOCK MERGER (Acquisition) US0000000002 592 FOR 1000 AND USD 4.24 (XYZ, XYZ INC, 1)"
STOCK = "XYZ(US0000000001) MERGED(Acquisition) WITH US0000000002 255 FOR 1000 (XYZ, XYZ INC, US0000000001)"
SPLIT_OVER = "XYZ(US0000000001) SPLIT 1 FOR 10 (XYZ, XYZ INC, US0000000002)"
RENAMED = "XYZ(US0000000001) CUSIP/ISIN CHANGE TO (US0000000002) (XYZ, XYZ INC, US0000000001)"
Terms = dict[str, Any]


def action(kind: str, description: str, quantity: str, **changed: str) -> str:
    """Return a CorporateAction element."""
    return element(
        "CorporateAction", {**BASE, "type": kind, "description": description, "quantity": quantity, **changed}
    )


def told(*rows: str) -> Parsed:
    """Read a statement of these corporate actions."""
    return read(CorporateActions=list(rows))


def terms(parsed: Parsed) -> list[tuple[str, str | None, str | None, Terms]]:
    """Return kind, symbol, new symbol and details of the events."""
    rows = parsed.events.select("kind", "symbol", "new_symbol", "details").iter_rows()
    return [(kind, symbol, new, json.loads(details) if details else {}) for kind, symbol, new, details in rows]


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        (
            [action("FS", "XYZ(US0000000001) SPLIT 4 FOR 1 (XYZ, XYZ INC, US0000000001)", "3.114")],
            ("split", "XYZ", None, {"ratio": "4/1", "reported_change": "3.114"}),
        ),
        (
            [action("RS", "XYZ(US0000000001) SPLIT 1 FOR 10 (XYZ, XYZ INC, US0000000001)", "-900")],
            ("split", "XYZ", None, {"ratio": "1/10", "reported_change": "-900"}),
        ),
        (
            [action("RS", SPLIT_OVER, "-100", symbol="XYZ.OLD"), action("RS", SPLIT_OVER, "10", isin="US0000000002")],
            ("split", "XYZ", "XYZ", {"ratio": "1/10", "reported_change": "-90"}),
        ),
        (
            [action("SD", "XYZ(US0000000001) STOCK DIVIDEND 1 FOR 20 (XYZ, XYZ INC, US0000000001)", "5")],
            ("split", "XYZ", None, {"ratio": "21/20", "reported_change": "5"}),
        ),
        (
            [action("DW", "XYZ(US0000000001) DELISTED", "-50")],
            ("merger", "XYZ", None, {"amount_per_unit": "0", "reported_change": "-50"}),
        ),
        (
            [action("TC", "XYZ(1) MERGED(Offer) FOR USD 30.60000000 PER SHARE (XYZ, 1)", "-1000", proceeds="30600")],
            ("merger", "XYZ", None, {"amount_per_unit": "30.6", "reported_change": "-1000"}),
        ),
        (
            [action("IC", RENAMED, "-19", symbol="XYZ.OLD"), action("IC", RENAMED, "19", **NEW)],
            ("symbol_change", "XYZ", "NEW", {"reported_change": "-19"}),
        ),
        (
            [action("TC", STOCK, "12.75", **NEW), action("TC", STOCK, "-50")],
            (
                "merger",
                "XYZ",
                "NEW",
                {"ratio": "51/200", "treatment": "reorganization", "reported_change": "-50"},
            ),
        ),
    ],
    ids=[
        "split",
        "reverse split",
        "reverse split with a new ISIN",
        "stock dividend",
        "delisted",
        "cash merger",
        "renamed",
        "stock merger",
    ],
)
def test_what_description_and_quantities_tell_becomes_an_event(rows, wanted):
    parsed = told(*rows)
    assert terms(parsed) == [wanted]
    assert parsed.problems == ()
    assert parsed.events["broker_account_id"].to_list() == [ACCOUNT]
    assert str(parsed.events["executed_at"][0]) == "2026-01-13 01:25:00+00:00"


def test_a_merger_for_cash_and_shares_has_the_ratio_that_the_broker_booked():
    """The broker rounds 1.48307840 shares to 1.4831; a position by the printed ratio would stay open by the rest."""
    parsed = told(
        action("TC", MIXED, "-2.5052", proceeds="10.622048", fifoPnlRealized="10.622048"),
        action("TC", MIXED, "1.4831", value="282.38224", **NEW),
    )
    assert terms(parsed)[0][3] == {
        "amount_per_unit": "4.24",
        "new_price": "190.4",
        "ratio": "14831/25052",
        "treatment": "reorganization",
        "reported_change": "-2.5052",
    }


def test_a_broker_that_realizes_more_than_the_cash_taxed_the_whole_exchange():
    parsed = told(
        action("TC", STOCK, "-1000", fifoPnlRealized="500"),
        action("TC", STOCK, "255", **NEW),
    )
    assert terms(parsed)[0][3]["treatment"] == "taxable"


def test_a_short_position_changes_the_other_way_round():
    parsed = told(action("IC", RENAMED, "19"), action("IC", RENAMED, "-19", **NEW))
    assert terms(parsed) == [("symbol_change", "XYZ", "NEW", {"reported_change": "19"})]


@pytest.mark.parametrize(
    "rows",
    [
        [action("FS", "XYZ INC", "100")],
        [action("SO", "XYZ(US0000000001) SPINOFF 1 FOR 5 (NEW, NEW INC, US0000000002)", "20", **NEW)],
        [action("RI", "XYZ(US0000000001) SUBSCRIBABLE RIGHTS 1 FOR 1 (XYZ.RTS)", "20")],
        [action("TC", "XYZ(US0000000001) MERGED", "-100")],
        [action("TC", STOCK, "-50"), action("TC", STOCK, "13", **NEW)],
        [action("TC", "XYZ(1) MERGED FOR USD 30.60 PER SHARE (XYZ, 1)", "-1000", proceeds="30000")],
        [action("TC", MIXED, "-1000", proceeds="4240"), action("TC", MIXED, "592", **NEW)],
        [action("FS", "XYZ(US0000000001) SPLIT 2 FOR 1 (XYZ)", "100", assetCategory="OPT")],
        [action("", "XYZ(US0000000001) SOMETHING", "100")],
    ],
    ids=["no ratio", "spin-off", "rights", "no terms", "other quantity", "other cash", "no value", "option", "no type"],
)
def test_what_cannot_be_told_is_a_problem_for_a_person(rows):
    parsed = told(*rows)
    assert parsed.events.is_empty()
    assert {problem.code for problem in parsed.problems} == {"undecided_corporate_action"}
    assert len(parsed.problems) == len(rows)


def test_totals_repeats_and_cash_are_kept():
    split = action("FS", "XYZ(US0000000001) SPLIT 2 FOR 1 (XYZ)", "100", transactionID="1")
    total = split.replace(f'accountId="{ACCOUNT}"', 'accountId="-"')
    parsed = told(total, split, split, action("CD", "XYZ CASH DIVIDEND", "100"))
    assert outcomes(parsed) == ["summary", "event", "repeated", "told_as_cash"]


def test_an_action_that_the_broker_takes_back_is_cancelled():
    split = action("FS", "XYZ(US0000000001) SPLIT 2 FOR 1 (XYZ)", "100")
    taken_back = action(
        "FS", "XYZ(US0000000001) SPLIT 2 FOR 1 (XYZ)", "-100", code="Ca", actionID="77", reportDate="20260114"
    )
    first, second = told(split), told(taken_back)
    assert second.events["kind"].to_list() == ["cancel"]
    assert second.events["target_id"].to_list() == first.events["trade_id"].to_list()


def test_a_day_that_cannot_be_read_is_refused():
    split = action("FS", "XYZ(US0000000001) SPLIT 2 FOR 1 (XYZ)", "100", dateTime="soon")
    assert only_problem(told(split)).code == "bad_timestamp"


def test_the_same_statement_of_another_account_is_another_event(tmp_path: Path):
    """Each broker account books its own: nothing is split twice, and nothing of others is touched."""
    split = action("FS", "XYZ(US0000000001) SPLIT 2 FOR 1 (XYZ)", "100")
    with tl.create(tmp_path / "book") as book:
        book.add_accounts(
            [{"account_id": "A", "broker_account_id": "U1"}, {"account_id": "B", "broker_account_id": "U2"}]
        )
        for account in ("U1", "U2"):
            content = statement(Trades=[execution()], CorporateActions=[split]).replace(
                b'"U1"', f'"{account}"'.encode()
            )
            (tmp_path / "flex.xml").write_bytes(content)
            assert book.ingest("ibkr-flex", tmp_path / "flex.xml").ok
            assert book.ingest("ibkr-flex", tmp_path / "flex.xml").duplicates == 2
        held = book.positions().select("account_id", "quantity").rows()
    assert held == [("A", Decimal(200)), ("B", Decimal(200))]


def test_a_position_that_differs_before_the_action_is_told(tmp_path: Path):
    split = action("FS", "XYZ(US0000000001) SPLIT 3 FOR 1 (XYZ)", "240")
    (tmp_path / "flex.xml").write_bytes(statement(Trades=[execution()], CorporateActions=[split]))
    with tl.create(tmp_path / "book") as book:
        receipt = book.ingest("ibkr-flex", tmp_path / "flex.xml")
        assert not receipt.ok
        assert book.positions()["quantity"].to_list() == [Decimal(300)]
    assert [(problem.code, problem.message) for problem in receipt.problems] == [
        (
            "position_differs",
            "the broker's split of XYZ changed its position by 240, and our position was 100 before it",
        )
    ]
