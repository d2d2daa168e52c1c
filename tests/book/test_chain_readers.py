"""Chains of a book: they follow the log, its corrections and its two times, and are filtered after they are linked."""

from decimal import Decimal

import pytest

from tradelake import Book, InputError
from tradelake.book.chains import ChainReaders

D = Decimal
PUT, CALL = "XYZ   260116P00045000", "XYZ   260220C00047000"
PUT_ID, WHEEL = f"GEN-1:{PUT}:p1", ["p1", "a1", "c1"]


def told(name: str, at: str, **fields: object) -> dict[str, object]:
    return {"trade_id": name, "account_id": "GEN-1", "executed_at": f"2026-01-{at}:00Z", **fields}


def trade(name: str, at: str, what: str, action: str, price: str, **fields: object) -> dict[str, object]:
    asset = "contract_symbol" if len(what) == len(PUT) else "symbol"
    return told(name, at, action=action, quantity="1", price=price, **{asset: what}, **fields)


EVENTS = {
    "p1": trade("p1", "05T15:00", PUT, "SELL_TO_OPEN", "2"),
    "a1": told("a1", "16T21:00", kind="assign", contract_symbol=PUT, quantity="1"),
    "c1": trade("c1", "20T15:00", CALL, "SELL_TO_OPEN", "1", tags='["chain:W"]'),
    "s1": trade("s1", "21T15:00", "ABC", "BUY", "7"),
}


@pytest.fixture
def readers(local_book):
    """The readers of a book with a wheel under way and a share of another stock."""
    assert local_book.record(list(EVENTS.values())).ok
    return ChainReaders(local_book._catalog)


def record(readers: ChainReaders, local_book: Book, *events: dict[str, object]) -> ChainReaders:
    """Record events, and return readers that stand at the new head."""
    assert local_book.record(list(events)).ok
    return ChainReaders(readers._catalog)


def test_the_chains_of_a_book_in_both_views(readers):
    rows = readers.chains().select("chain_id", "label", "name", "status", "realized_pnl", "cost_basis").rows()
    assert rows[0] == (PUT_ID, "wheel", "W", "OPEN", D(0), D(4200))
    assert rows[1] == ("GEN-1:ABC:s1", "long_stock", None, "OPEN", D(0), D(7))
    economic = readers.chains(view="economic").row(0, named=True)
    assert (economic["realized_pnl"], economic["cost_basis"], economic["net_credit"]) == (D(200), D(4400), D(300))
    positions = readers.chain_positions(chain=PUT_ID, view="economic").sort("opened_at")
    assert positions.select("instrument_id", "realized_pnl", "cost_basis").rows() == [
        (PUT, D(200), D(0)),
        ("XYZ", D(0), D(4500)),
        (CALL, D(0), D(-100)),
    ]


def test_a_symbol_or_contract_keeps_whole_chains(readers):
    assert readers.chains(symbol=CALL)["chain_id"].to_list() == [PUT_ID]
    assert readers.chains(symbol="ABC")["positions"].to_list() == [1]
    assert readers.chain_positions(symbol=CALL)["position_id"].to_list() == [f"GEN-1:{CALL}:c1"]
    assert readers.chain_positions(chain="W", status="CLOSED")["instrument_id"].to_list() == [PUT]
    assert readers.chains(account="GEN-2").is_empty()
    assert readers.chains(status="CLOSED").is_empty()


def test_a_chain_as_of_a_day_is_what_had_happened(readers):
    rows = readers.chains(as_of="2026-01-18").select("label", "name", "positions").rows()
    assert rows == [("short_put", None, 2)]


def test_overrides_and_their_cures(readers, local_book):
    join = told("j1", "22T15:00", kind="chain_join", chain='{"chains":["W","GEN-1:ABC:s1","zip"]}')
    known = local_book.runs()["recorded_at"].max()
    after = record(readers, local_book, join)
    assert after.chains()["positions"].to_list() == [4]
    assert [problem.value for problem in after.chain_problems(account="GEN-1")] == ["zip"]
    assert after.chains(as_known=known)["positions"].to_list() == [3, 1]
    assert after.chains(as_of="2026-01-21")["positions"].to_list() == [3, 1]
    busted = record(readers, local_book, told("x1", "23T15:00", kind="cancel", target_id="s1"))
    assert [problem.value for problem in busted.chain_problems()] == ["GEN-1:ABC:s1", "zip"]
    undone = record(readers, local_book, told("x2", "24T15:00", kind="cancel", target_id="j1"))
    assert undone.chain_problems() == ()


def test_a_corrected_order_links(readers, local_book):
    changes = [told(f"k{n}", f"2{n + 2}T15:00", kind="correct", target_id=t) for n, t in enumerate(("c1", "s1"))]
    after = record(readers, local_book, *(change | {"set": '{"order_id":"O1"}'} for change in changes))
    assert after.chains()["positions"].to_list() == [4]


def test_what_has_no_effect_links_nothing(readers, local_book):
    refused = trade("r1", "22T15:00", "ABC", "SELL_TO_CLOSE", "7", tags='["chain:W"]') | {"quantity": "99"}
    assert record(readers, local_book, refused).chains()["positions"].to_list() == [3, 1]


def test_an_unknown_status_or_view_is_refused_with_the_known_ones(readers):
    with pytest.raises(InputError, match="there is no status 'DONE'; choose from OPEN, CLOSED"):
        readers.chains(status="DONE")
    with pytest.raises(InputError, match="there is no view 'broker'; choose from tax, economic"):
        readers.chain_positions(view="broker")
