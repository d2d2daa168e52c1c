"""Cancels and corrects: what they do to positions, cash and listings, when, and which of them are refused."""

from decimal import Decimal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.book.cures import action, cancel, correct
from tests.books import assert_same_book, assert_whole, fill, frame

FILLS = [fill(1, "10"), fill(2, "-4"), fill(3, "6")]


def codes(receipt) -> list[str]:
    """Return the codes of what was refused."""
    return [problem.code for problem in receipt.problems]


def without_log(book) -> dict[str, pl.DataFrame]:
    """Return what follows from the events of a book, without the ids of their place in the log."""
    answers = {name: frame(getattr(book, name)()) for name in ("positions", "lots", "matches", "history")}
    answers |= {"cash": book.cash(), "pnl": book.pnl(["account", "month", "symbol"])}
    return {name: rows.drop([c for c in rows.columns if "sequence" in c]) for name, rows in answers.items()}


def assert_same_answers(book, other) -> None:
    """Assert that two books hold the same, however they were told."""
    theirs = without_log(other)
    for name, rows in without_log(book).items():
        assert_frame_equal(rows, theirs[name], check_exact=True, check_row_order=False)


@pytest.mark.parametrize("fold", [False, True])
def test_a_busted_fill_is_as_if_it_had_never_been(local_book, other_book, fold):
    local_book.record(FILLS)
    if fold:
        local_book.fold()
    receipt = local_book.record(cancel("B", "T2"))
    assert (receipt.accepted, receipt.ok) == (1, True)
    other_book.record([FILLS[0], FILLS[2]])
    assert_same_answers(local_book, other_book)
    if fold:
        local_book.fold()
        assert_same_answers(local_book, other_book)
    states = dict(frame(local_book.trades()).select("trade_id", "state").iter_rows())
    assert states == {"T1": "active", "T2": "cancelled", "T3": "active", "B": "active"}
    assert frame(local_book.trades(in_effect=True))["trade_id"].to_list() == ["T1", "T3"]
    assert_whole(local_book, 4)


@pytest.mark.parametrize("fold", [False, True])
def test_a_corrected_fill_is_as_if_it_had_been_told_right(local_book, other_book, fold):
    local_book.record(FILLS)
    if fold:
        local_book.fold()
    changes = {"quantity": "7", "price": "99.5", "commission": "0.5", "executed_at": "2026-01-01T09:30:00-05:00"}
    local_book.record(correct("C", "T1", changes))
    other_book.record([FILLS[0] | changes, *FILLS[1:]])
    assert_same_answers(local_book, other_book)
    (row,) = frame(local_book.trades(in_effect=True)).filter(pl.col("trade_id") == "T1").iter_rows(named=True)
    assert (row["quantity"], row["price"], row["net_amount"], row["state"]) == (7, Decimal("99.5"), -697, "corrected")
    assert_whole(local_book, 4)


def test_a_correction_may_move_an_event_to_another_instrument_and_account(local_book, other_book):
    for book in (local_book, other_book):
        book.add_accounts([{"account_id": "REV-1", "broker_account_id": "U1"}])
        book.add_instruments([{"instrument_id": "BETA", "asset_type": "STOCK"}])
    local_book.record(FILLS)
    local_book.fold()
    local_book.record([correct("C", "T3", {"symbol": "BETA"}), correct("D", "T3", {"account_id": "REV-1"})])
    other_book.record([*FILLS[:2], FILLS[2] | {"symbol": "BETA", "account_id": "REV-1"}])
    for _ in range(2):
        assert_same_answers(local_book, other_book)
        local_book.fold()
    for wanted, ids in (
        ({"account": "REV-1"}, ["T3"]),
        ({"account": "GEN-1"}, ["T1", "T2"]),
        ({"symbol": "BETA"}, ["T3"]),
    ):
        assert frame(local_book.trades(in_effect=True, **wanted))["trade_id"].to_list() == ids
    assert frame(local_book.trades(in_effect=True, limit=2))["trade_id"].to_list() == ["T1", "T2"]
    assert_whole(local_book, 5)


def test_a_correction_may_name_an_instrument_that_is_new(local_book):
    local_book.record(FILLS[0])
    receipt = local_book.record(correct("C", "T1", {"symbol": "NEWCO", "asset_type": "STOCK"}))
    assert receipt.new_instruments == ("NEWCO",)
    assert frame(local_book.positions())["instrument_id"].to_list() == ["NEWCO"]


def test_later_corrections_win_field_by_field_and_may_name_an_earlier_one(local_book, other_book):
    local_book.record(FILLS[0])
    local_book.record(correct("C1", "T1", {"price": "90", "quantity": "8"}))
    local_book.record(correct("C2", "C1", {"price": "91"}))
    other_book.record(FILLS[0] | {"price": "91", "quantity": "8"})
    assert_same_answers(local_book, other_book)
    assert local_book.record(cancel("X", "C2")).ok
    assert local_book.trades(in_effect=True)["price"].to_list() == [90]
    assert local_book.record(cancel("Y", "C1")).ok
    assert local_book.trades(in_effect=True).select("price", "quantity").rows() == [(Decimal("101.25"), 10)]
    assert_whole(local_book, 5)


def test_the_cancel_of_a_cancel_reinstates_with_the_corrections(local_book):
    local_book.record([FILLS[0], correct("C", "T1", {"price": "90"}), cancel("X", "T1")])
    assert frame(local_book.positions()).is_empty()
    assert local_book.record(cancel("Y", "X")).ok
    assert frame(local_book.lots())["cost_basis"].to_list() == [Decimal("901.0035")]
    assert codes(local_book.record(cancel("Z", "X"))) == ["already_cancelled"]
    assert local_book.record(cancel("W", "T1")).ok
    assert frame(local_book.positions()).is_empty()


def test_a_split_is_busted_and_corrected(local_book, other_book):
    split = action("S", "split", "2026-01-01T00:01:30Z", ratio="4/1")
    local_book.record([*FILLS, split])
    local_book.fold()
    local_book.record(correct("C", "S", {"ratio": "2/1"}))
    other_book.record([*FILLS, split | {"ratio": "2/1"}])
    assert_same_answers(local_book, other_book)
    local_book.fold()
    local_book.record(cancel("X", "S"))
    assert frame(local_book.positions())["quantity"].to_list() == [12]
    assert_whole(local_book, 6)


def test_what_no_cure_may_do_is_refused_with_the_reason(local_book):
    receipt = local_book.record(
        [
            FILLS[0],
            cancel("A", "NOBODY"),
            correct("B", "T1", {"quantity": "0"}),
            correct("C", "T1", {"account_id": "NOBODY"}),
            cancel("D", "T1"),
            cancel("E", "T1"),
            correct("F", "T1", {"price": "1"}),
            correct("G", "D", {"executed_at": "2026-01-02T12:00:00Z"}),
            cancel("H", "I"),
        ]
    )
    assert (receipt.accepted, receipt.rejects) == (2, 7)
    assert codes(receipt) == [
        "unknown_target",
        "zero_quantity",
        "unknown_account",
        "already_cancelled",
        "target_cancelled",
        "unknown_target",
        "unknown_target",
    ]
    assert [problem.row for problem in receipt.problems] == [2, 3, 4, 6, 7, 8, 9]
    assert [problem.trade_id for problem in receipt.problems][:2] == ["A", "B"]
    assert "NOBODY" in receipt.problems[0].message
    assert receipt.outcomes["outcome"].to_list() == ["accepted", *["reject"] * 3, "accepted", *["reject"] * 4]
    assert local_book.source_records(outcome="reject")["code"].to_list() == codes(receipt)
    assert_whole(local_book, 2)


def test_a_cure_means_the_leg_of_its_own_leg_id(local_book):
    legs = [fill(1, "10"), fill(2, "5", trade_id="T1", leg_id="2", symbol="BETA")]
    local_book.record(legs)
    assert codes(local_book.record(cancel("X", "T1", leg_id="3"))) == ["unknown_target"]
    assert local_book.record(cancel("Y", "T1", leg_id="2")).ok
    assert frame(local_book.positions())["symbol"].to_list() == ["ACME"]


def test_a_cure_that_comes_again_is_a_duplicate_however_it_is_written(local_book):
    rows = [cancel("X", "T2"), correct("C", "T1", {"price": "90.0", "executed_at": "2026-01-01T07:00:00+02:00"})]
    assert local_book.record([*FILLS, *rows]).accepted == 5
    again = rows[1] | {"set": {"price": "90", "executed_at": "2026-01-01T05:00:00Z"}}
    assert local_book.record([rows[0], again]).duplicates == 2
    other = local_book.record(rows[1] | {"set": {"price": "91"}})
    assert codes(other) == ["conflicting_duplicate"]
    unnamed = [{k: v for k, v in cancel("", "T3").items() if k != "trade_id"}]
    assert local_book.record(unnamed).accepted == 1
    assert local_book.record(unnamed).duplicates == 1


def test_the_first_and_the_corrected_content_are_both_duplicates_even_after_a_bust(local_book):
    local_book.record([FILLS[0], correct("C", "T1", {"price": "90"})])
    for _ in range(2):
        assert local_book.record([FILLS[0], FILLS[0] | {"price": "90"}]).duplicates == 2
        local_book.record(cancel("X", "T1"))
    assert codes(local_book.record(FILLS[0] | {"price": "95"})) == ["conflicting_duplicate"]


def test_a_cash_movement_is_busted_and_corrected(local_book):
    paid = {"kind": "cash", "account_id": "GEN-1", "executed_at": "2026-01-05T15:00:00Z", "cash_category": "deposit"}
    local_book.record([paid | {"trade_id": f"D{n}", "amount": "100"} for n in (1, 2)])
    local_book.record([cancel("X", "D1"), correct("C", "D2", {"amount": "40", "cash_category": "interest"})])
    (row,) = local_book.pnl(["account"]).iter_rows(named=True)
    assert (row["cash"], row["interest"]) == (40, 40)
    assert local_book.ledger()["trade_id"].to_list() == ["D2"]
    assert_whole(local_book, 4)


def test_what_was_known_before_a_correction_is_still_said(local_book):
    told = [row | {"recorded_at": "2026-01-10T00:00:00Z"} for row in FILLS]
    cure = correct("C", "T1", {"quantity": "20", "executed_at": "2026-01-03T15:00:00Z"})
    local_book.record([*told, cure | {"recorded_at": "2026-01-20T00:00:00Z"}])
    for _ in range(2):
        before, after = {"as_known": "2026-01-15T00:00:00Z"}, {"as_known": "2026-01-25T00:00:00Z"}
        assert frame(local_book.positions(**before))["quantity"].to_list() == [12]
        assert frame(local_book.positions(**after))["quantity"].to_list() == [22]
        early = "2026-01-02T00:00:00Z"
        assert frame(local_book.positions(as_of=early, **before))["quantity"].to_list() == [12]
        assert frame(local_book.positions(as_of=early, **after))["quantity"].to_list() == [2]
        assert (
            local_book.cash(as_of=early, **after)["cash"].to_list()
            != local_book.cash(as_of=early, **before)["cash"].to_list()
        )
        states = frame(local_book.trades(as_known="2026-01-15T00:00:00Z"))["state"]
        assert set(states) == {"active"}
        local_book.fold()


def test_profit_of_a_strategy_has_what_expires_without_naming_it(local_book):
    put = {"contract_symbol": "KO    260116P00070000", "symbol": None, "asset_type": None}
    local_book.record(
        [
            fill(1, "2", **put, action="SELL_TO_OPEN", price="1", strategy_id="S-1"),
            fill(2, "1", **put, action="BUY_TO_CLOSE", price="0.25"),
            {"trade_id": "E", "account_id": "GEN-1", **put, "kind": "expire", "executed_at": "2026-01-16T21:20:00Z"},
        ]
    )
    realized = local_book.pnl(["strategy"]).select("strategy_id", "matches").rows()
    assert sorted(realized, key=str) == [("S-1", 1), (None, 1)]
    assert local_book.pnl(["strategy"], strategy="S-1")["matches"].to_list() == [1]


def test_profit_of_a_strategy_follows_a_correction_of_it(local_book):
    local_book.record([fill(1, "10"), fill(2, "-10", strategy_id="S-1")])
    local_book.record(correct("C", "T2", {"strategy_id": "S-2"}))
    realized = local_book.pnl(["strategy"]).filter(pl.col("matches") > 0)
    assert realized["strategy_id"].to_list() == ["S-2"]


def test_cures_one_by_one_with_folds_between_are_the_same_as_at_once(local_book, other_book):
    rows = [
        *FILLS,
        correct("C1", "T1", {"price": "90"}),
        cancel("X1", "T2"),
        fill(4, "-3"),
        cancel("X2", "X1"),
        correct("C2", "T4", {"executed_at": "2026-01-01T00:02:30Z"}),
        cancel("X3", "C1"),
    ]
    other_book.record(rows)
    for number, row in enumerate(rows):
        assert local_book.record(row).ok
        if number % 2:
            local_book.fold()
        assert local_book.rebuild(check=True).identical
    assert_same_book(local_book, other_book)
