"""Streams of every kind of event, made to hurt: corporate actions, moves, forks, merges between trades and exercises.

As in `streams.py` nothing is checked while a stream is made, so refusals are as common as effects. What the reference
calls outside its format (long and short lots of one instrument brought together) is drawn too: we refuse it.
"""

from typing import Any

from hypothesis import strategies as st

from tests.laws.streams import EXPIRY, INSTRUMENTS, METHODS, OPTION, SHARES

STOCKS = ("XYZ", "ABC", "NEW")
EVERYTHING: dict[str, dict[str, Any]] = {
    **INSTRUMENTS,
    "NEW": {"type": "stock"},
    "RTS": {"type": "right"},
    "ADJUSTED_CALL": {**OPTION, "strike": "25", "deliverable": [{"instrument": "XYZ", "quantity": "100"}]},
}
ACCOUNTS = ("A", "B", "A1")
TIMES = [f"2026-01-{day:02}T{hour}:00:00Z" for day in (5, 6, 7, 8, 9, 12) for hour in (15, 18)]
RATIOS = ("2/1", "3/2", "1/10", "21/20", "7/3", "1/1")
PRICES = ("0", "1", "10", "12.5", "33.33", "9.999999999999")
CHARGES = ("0", "0", "1", "0.65", "-0.25", "0.3333")
AMOUNTS = ("0", "0.5", "0.3333", "7.25", "60")
picks = st.sampled_from


def _event(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"kind": st.just(kind), "at": picks(TIMES), **fields})


def _charged(kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return _event(kind, account=picks("AAAB"), commission=picks(CHARGES), fees=picks(CHARGES), **fields)


def _signed(quantities: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.builds(lambda sign, text: sign + text, picks(["", "", "-"]), picks(quantities))


TRADES = st.one_of(
    _charged("trade", instrument=picks(STOCKS), quantity=_signed(SHARES), price=picks(PRICES)),
    _charged("trade", instrument=picks(("XYZ", "XYZ", "RTS")), quantity=picks(SHARES), price=picks(PRICES)),
    _charged("trade", instrument=picks(("CALL", "PUT")), quantity=_signed(("1", "2", "3")), price=picks(PRICES)),
)
EXERCISES = st.one_of(
    _charged("exercise", instrument=picks(("CALL", "PUT", "ADJUSTED_CALL")), contracts=picks("112")),
    _charged("assign", instrument=picks(("CALL", "PUT", "ADJUSTED_CALL")), contracts=picks("112")),
)
LIEU = {"cash_in_lieu_price": picks(PRICES)}
SPLITS = st.one_of(
    _event("split", instrument=picks(STOCKS), ratio=picks(RATIOS)),
    _event("split", instrument=picks(STOCKS), ratio=picks(RATIOS), **LIEU),
)
ACTIONS = st.one_of(
    SPLITS,
    _event("cash_dividend", instrument=picks(STOCKS), per_share=picks(AMOUNTS)),
    _event("return_of_capital", instrument=picks(STOCKS), per_share=picks(AMOUNTS)),
    _event(
        "spin_off",
        instrument=picks(("XYZ", "ABC")),
        new_instrument=st.just("NEW"),
        ratio=picks(RATIOS),
        basis_fraction=picks(("0", "0.25", "0.3333", "1")),
        **LIEU,
    ),
    _event(
        "rights_issue",
        instrument=st.just("XYZ"),
        new_instrument=st.just("RTS"),
        ratio=picks(RATIOS),
        basis_fraction=picks(("0", "0.04")),
    ),
    _event("symbol_change", instrument=picks(("XYZ", "ABC")), new_instrument=st.just("NEW")),
    _event(
        "option_adjust",
        instrument=st.just("CALL"),
        new_instrument=st.just("ADJUSTED_CALL"),
        ratio=picks(("1/1", "2/1")),
    ),
)
MERGERS = st.one_of(
    _event("merger", instrument=picks(STOCKS), cash_per_share=picks(AMOUNTS)),
    _event("merger", instrument=picks(("XYZ", "ABC")), new_instrument=st.just("NEW"), ratio=picks(RATIOS), **LIEU),
    _event(
        "merger",
        instrument=picks(("XYZ", "ABC")),
        new_instrument=st.just("NEW"),
        ratio=picks(RATIOS),
        cash_per_share=picks(AMOUNTS[1:]),
        new_price=picks(PRICES),
        treatment=picks(("reorganization", "taxable")),
    ),
)
SUBSCRIPTIONS = st.one_of(
    _charged(
        "subscribe",
        instrument=st.just("RTS"),
        quantity=picks(SHARES),
        new_instrument=picks(("XYZ", "NEW")),
        shares=picks(SHARES),
        price=picks(PRICES),
    ),
    _charged("expire", instrument=st.just("RTS")),
)
MOVES = st.one_of(
    _event(
        "transfer",
        account=picks("AB"),
        to=picks(ACCOUNTS),
        instrument=picks((*STOCKS, "CALL", "PUT")),
        quantity=picks(SHARES),
    ),
    _event(
        "transfer",
        account=st.just("A"),
        to=st.just("B"),
        instrument=picks(STOCKS),
        quantity=picks(SHARES),
        cash=picks(AMOUNTS),
    ),
    _event(
        "fork",
        account=st.just("A"),
        to=st.just("A1"),
        moves=st.lists(
            st.fixed_dictionaries({"instrument": picks((*STOCKS, "CALL")), "quantity": picks(SHARES)}), max_size=2
        ),
        cash=picks(AMOUNTS),
    ),
    _event("fork", account=st.just("A"), to=st.just("A1"), moves=st.just([])),
    _event("merge", account=st.just("A1"), to=st.just("A")),
)
IN_THE_CHILD = st.fixed_dictionaries(
    {
        "kind": st.just("trade"),
        "at": picks(TIMES),
        "account": st.just("A1"),
        "instrument": picks(STOCKS),
        "quantity": _signed(SHARES),
        "price": picks(PRICES),
    }
)
ENDS = st.fixed_dictionaries(
    {
        "kind": st.just("expire"),
        "at": st.just(f"{EXPIRY}T21:00:00Z"),
        "account": picks("AB"),
        "instrument": picks(("CALL", "PUT", "ADJUSTED_CALL")),
    }
)
ALL = (TRADES, TRADES, TRADES, EXERCISES, ACTIONS, ACTIONS, MERGERS, SUBSCRIPTIONS, MOVES, MOVES, IN_THE_CHILD, ENDS)


@st.composite
def full_streams(
    draw: st.DrawFn, *, kinds: tuple[st.SearchStrategy[dict[str, Any]], ...] = ALL, fewest: int = 6, most: int = 18
) -> dict[str, Any]:
    """Scenarios of two accounts and a child of the first, in order of arrival; no transfer goes to its own account."""
    drawn = draw(st.lists(st.one_of(*kinds), min_size=fewest, max_size=most))
    events = [event for event in drawn if event.get("to") is None or event["to"] != event["account"]]
    for number, event in enumerate(events):
        event["id"] = f"e{number}"
        if draw(picks([False, False, False, True])) and event["kind"] in ("trade", "transfer", "subscribe"):
            size = event["quantity"].removeprefix("-")
            event["lots"] = [{"open": f"e{draw(st.integers(0, max(0, number - 1)))}", "quantity": size}]
    first, second = (draw(picks(METHODS)) for _ in "AB")
    return {
        "id": "full",
        "accounts": {
            "A": {"lot_method": first},
            "B": {"lot_method": second},
            "A1": {"parent": "A", "lot_method": first},
        },
        "instruments": {name: dict(terms) for name, terms in EVERYTHING.items()},
        "events": events,
    }
