"""Instruments: made from the terms of a row, completed from the book, refused where they contradict."""

import pytest

from tests.books import fill, frame

CALL = {"asset_type": "OPTION", "strike": "55.5", "expiration": "2026-03-20", "option_type": "CALL", "symbol": "ACME"}
OSI = "ACME  260320C00055500"


def test_an_unknown_option_and_its_underlying_are_made_from_the_terms(local_book):
    receipt = local_book.record([fill(1, **CALL), fill(2, **CALL | {"symbol": "XSP", "settlement": "CASH"})])
    assert receipt.ok
    assert receipt.new_instruments == (OSI, "XSP   260320C00055500", "ACME", "XSP")
    found = {row["instrument_id"]: row for row in local_book.instruments().iter_rows(named=True)}
    assert found[OSI]["underlying_instrument_id"] == found["ACME"]["instrument_id"] == "ACME"
    assert (found[OSI]["multiplier"], found["ACME"]["multiplier"]) == (100, 1)
    assert (found["ACME"]["asset_type"], found["XSP"]["asset_type"]) == ("STOCK", "INDEX")
    assert found["XSP"]["strike"] is None
    again = local_book.record(fill(3, **CALL))
    assert again.new_instruments == ()


def test_the_same_contract_by_symbol_and_by_terms_is_one_instrument(local_book):
    by_symbol = {k: v for k, v in fill(1).items() if k not in ("symbol", "asset_type")} | {"contract_symbol": OSI}
    receipt = local_book.record([by_symbol, fill(2, **CALL)])
    assert receipt.new_instruments == (OSI, "ACME")
    assert frame(local_book.positions())["quantity"].to_list() == [20]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"multiplier": "10"}, "contradicting_terms"),
        ({"contract_symbol": OSI, "strike": "56"}, "contradicting_terms"),
        ({"contract_symbol": OSI, "symbol": "OTHER"}, "contradicting_terms"),
        ({"instrument_id": OSI, "option_type": "PUT"}, "contradicting_terms"),
    ],
)
def test_terms_that_contradict_the_book_or_each_other_are_refused(local_book, change, code):
    local_book.record(fill(1, **CALL))
    receipt = local_book.record(fill(2, **CALL | change))
    assert (receipt.accepted, [p.code for p in receipt.problems]) == (0, [code])
    assert local_book.instruments().height == 2


def test_of_two_rows_that_contradict_each_other_the_first_is_believed(local_book):
    receipt = local_book.record([fill(1, **CALL), fill(2, **CALL, multiplier="10")])
    assert (receipt.accepted, receipt.rejects) == (1, 1)
    assert [p.code for p in receipt.problems] == ["contradicting_terms"]


def test_an_unknown_instrument_id_without_terms_is_refused(local_book):
    row = {k: v for k, v in fill(1).items() if k not in ("symbol", "asset_type")} | {"instrument_id": "ACME-ADJ"}
    receipt = local_book.record(row)
    assert [(p.code, p.field, p.value) for p in receipt.problems] == [
        ("unknown_instrument", "instrument_id", "ACME-ADJ")
    ]
    assert local_book.instruments().height == 0


def test_a_registered_instrument_completes_the_terms_of_a_row(local_book):
    adjusted = {"instrument_id": "ACME-ADJ", **CALL, "deliverable": [{"instrument_id": "ACME", "quantity": "150"}]}
    added = local_book.add_instruments([adjusted, {"instrument_id": "ACME", "asset_type": "STOCK"}])
    assert (added.accepted, added.rejects) == (2, 0)
    assert local_book.add_instruments([adjusted]).duplicates == 1
    assert local_book.add_instruments([adjusted | {"strike": "1"}]).conflicts == 1
    row = {k: v for k, v in fill(1).items() if k not in ("symbol", "asset_type")} | {"instrument_id": "ACME-ADJ"}
    assert local_book.record(row).ok
    (trade,) = frame(local_book.trades()).iter_rows(named=True)
    assert (trade["symbol"], trade["asset_type"], str(trade["strike"])) == ("ACME", "OPTION", "55.500000000000")
    assert str(trade["net_amount"]) == "-101251.003500000000"
    half = local_book.record(row | {"trade_id": "T2", "broker_execution_id": "X2", "quantity": "0.5"})
    assert [p.code for p in half.problems] == ["fractional_contracts"]


def test_currencies_are_instruments_of_their_own(local_book):
    receipt = local_book.record([fill(1), fill(2, currency="EUR")])
    assert receipt.new_instruments == ("ACME", "ACME:EUR")
    assert frame(local_book.positions()).height == 2


def test_what_only_a_refused_row_defines_is_not_there_for_the_others(local_book):
    """The adjustment is refused for its new contract, so the underlying that it names is not made, nor moved."""
    local_book.add_accounts([{"account_id": "GEN-1"}, {"account_id": "COM-9", "parent_account_id": "GEN-1"}])
    at = {"executed_at": "2026-01-05T15:00:00Z"}
    contract = {"contract_symbol": "ACME  260116C00050000", "ratio": "1/1", "new_instrument_id": "ACME1"}
    moves = [{"instrument_id": "ACME", "quantity": "1"}]
    receipt = local_book.record(
        [
            {**at, "kind": "option_adjust", **contract},
            {**at, "kind": "fork", "account_id": "GEN-1", "to_account_id": "COM-9", "moves": moves},
        ]
    )
    assert [problem.code for problem in receipt.problems] == ["unknown_instrument", "unknown_instrument"]
    assert local_book.instruments().is_empty()
