"""Streams made to hurt: ties in time, events that no position allows, named lots, odd contracts, the finest numbers.

Nothing is checked while a stream is made, so that refusals are as common as effects. Every event is well-formed:
what intake refuses has its own tests.
"""

from typing import Any, NamedTuple

from hypothesis import strategies as st

EXPIRY = "2026-01-16"
STOCKS = ("XYZ", "ABC")
PHYSICAL = ("CALL", "PUT", "ADJUSTED", "CASH_ONLY", "ODD")
OPTION: dict[str, Any] = {"type": "option", "underlying": "XYZ", "expiry": EXPIRY, "right": "C", "strike": "50"}
INSTRUMENTS: dict[str, dict[str, Any]] = {
    "XYZ": {"type": "stock"},
    "ABC": {"type": "stock"},
    "IDX": {"type": "index"},
    "CALL": OPTION,
    "PUT": {**OPTION, "right": "P", "strike": "47.5"},
    "ADJUSTED": {
        **OPTION,
        "deliverable": [
            {"instrument": "XYZ", "quantity": "150", "cost_fraction": "0.7"},
            {"instrument": "ABC", "quantity": "33.5", "cost_fraction": "0.3"},
            {"cash": "3.21"},
        ],
    },
    "CASH_ONLY": {**OPTION, "right": "P", "deliverable": [{"cash": "12.345678901234"}]},
    "ODD": {**OPTION, "right": "P", "strike": "47.123456789012", "multiplier": "10.12345678"},
    "SETTLED": {**OPTION, "underlying": "IDX", "strike": "5800", "settlement": "cash", "style": "european"},
    "SETTLED_ODD": {
        **OPTION,
        "underlying": "IDX",
        "strike": "5799.5",
        "settlement": "cash",
        "multiplier": "0.33333333",
    },
}
METHODS = ("FIFO", "LIFO", "HIFO", "AVERAGE", "SPECIFIC")
OPTIONS = tuple(name for name, terms in INSTRUMENTS.items() if terms["type"] == "option")
SHARES = ("1", "1", "2", "3", "10", "0.5", "0.33333333", "7.00000001", "0.00000001", "100")
TIMES = [f"2026-01-{day}T{hour}:00:00Z" for day in (13, 14, 16) for hour in (15, 19)]
LATE_TIMES = [f"{EXPIRY}T19:00:00Z", f"{EXPIRY}T21:00:00Z"]
CONTRACTS = st.integers(1, 4).map(str)
picks = st.sampled_from


class Numbers(NamedTuple):
    """What quantities of shares, prices and charges are drawn from."""

    shares: tuple[str, ...]
    prices: tuple[str, ...]
    charges: tuple[str, ...]


FINE = Numbers(
    shares=SHARES,
    prices=("0", "1", "10", "10", "12.5", "33.33", "0.0001", "9.999999999999", "0.100000005"),
    charges=("0", "0", "1", "0.65", "-0.25", "0.3333", "0.000000000001", "1.234567890123"),
)


def _signed(quantities: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda sign, text: sign + text, picks(["", "-"]), quantities)


def _charged(
    kinds: list[str], times: list[str], instruments: tuple[str, ...], numbers: Numbers
) -> dict[str, st.SearchStrategy[Any]]:
    return {
        "kind": picks(kinds),
        "at": picks(times),
        "account": picks("AAAB"),
        "instrument": picks(instruments),
        "commission": picks(numbers.charges),
        "fees": picks(numbers.charges),
    }


def _trades(
    instruments: tuple[str, ...], quantities: st.SearchStrategy[str], numbers: Numbers
) -> st.SearchStrategy[dict[str, Any]]:
    own = {
        "quantity": _signed(quantities),
        "price": picks(numbers.prices),
        "effect": picks(["auto", "auto", "auto", "open", "close"]),
    }
    return st.fixed_dictionaries(_charged(["trade"], TIMES, instruments, numbers) | own)


def _endings(option: str, numbers: Numbers) -> list[st.SearchStrategy[dict[str, Any]]]:
    """What can end a contract besides a trade."""
    some = {"contracts": CONTRACTS}
    if option in PHYSICAL:
        exercised = _charged(["exercise", "assign"], TIMES + LATE_TIMES, (option,), numbers) | {
            "contracts": picks("112")
        }
        expired = st.fixed_dictionaries(_charged(["expire"], LATE_TIMES, (option,), numbers), optional=some)
        return [st.fixed_dictionaries(exercised), st.fixed_dictionaries(exercised), expired]
    price = {"settlement_price": picks(["5800", "5805.5", "5799.123456789012", "0"])}
    return [st.fixed_dictionaries(_charged(["cash_settle"], LATE_TIMES, (option,), numbers) | price, optional=some)]


def _events(option: str, numbers: Numbers) -> st.SearchStrategy[dict[str, Any]]:
    contracts = _trades((option,), CONTRACTS, numbers)
    shares = _trades(STOCKS if option == "ADJUSTED" else ("XYZ",), picks(numbers.shares), numbers)
    return st.one_of(shares, shares, contracts, contracts, *_endings(option, numbers))


def _add_names(draw: st.DrawFn, event: dict[str, Any], before: list[dict[str, Any]]) -> None:
    """Let the event name lots: of any event, or one that opened the same instrument, for all that it closes."""
    same: list[str] = [other["id"] for other in before if other["instrument"] == event["instrument"]]
    size = event.get("contracts") or event.get("quantity", "1").removeprefix("-")
    if same and draw(picks([False, True])):
        event["lots"] = [{"open": draw(picks(same)), "quantity": size}]
        return
    numbers = draw(st.lists(st.integers(0, 9), max_size=3))
    event["lots"] = [{"open": f"e{n}", "quantity": draw(picks(SHARES))} for n in numbers]


@st.composite
def streams(
    draw: st.DrawFn,
    *,
    numbers: Numbers = FINE,
    options: tuple[str, ...] = OPTIONS,
    fewest: int = 8,
    most: int = 20,
) -> dict[str, Any]:
    """Scenarios about one contract, its stocks and two accounts, in order of arrival."""
    option = draw(picks(options))
    events = draw(st.lists(_events(option, numbers), min_size=fewest, max_size=most))
    for number, event in enumerate(events):
        event["id"] = f"e{number}"
        if draw(picks([False, False, True])):
            _add_names(draw, event, events[:number])
    methods = [draw(picks(METHODS)) for _ in "AB"]
    return {
        "id": "stream",
        "accounts": {name: {"lot_method": method} for name, method in zip("AB", methods, strict=True)},
        "instruments": {name: dict(terms) for name, terms in INSTRUMENTS.items()},
        "events": events,
    }
