"""Good rows of every kind of event, as Hypothesis makes them: with what a kind needs, and any of what it may have."""

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from tests.intake.given import Row
from tests.strategies import ids, prices, trade_quantities
from tradelake.intake.details import as_text
from tradelake.intake.entries import canonical
from tradelake.tables import ACTIONS, CASH_CATEGORIES, LOT_METHODS, TREATMENTS

INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)).map(as_text)  # noqa: DTZ001
DAYS = st.dates(date(1990, 1, 1), date(2040, 1, 1)).map(date.isoformat)
SYMBOLS = st.from_regex(r"[A-Z][A-Z0-9]{0,4}", fullmatch=True)
QUANTITIES = trade_quantities().map(as_text)
MONEY = prices().map(as_text)
SIGNED = st.tuples(st.sampled_from(["", "-"]), MONEY).map("".join)
RATIOS = st.tuples(*[st.integers(1, 1000).map(str)] * 2).map("/".join)
FRACTIONS = st.integers(0, 10**12).map(lambda parts: as_text(Decimal(parts).scaleb(-12)))
LOTS = st.lists(st.fixed_dictionaries({"open": ids(), "quantity": QUANTITIES}), min_size=1, max_size=3)
MOVES = st.lists(
    st.one_of(
        st.fixed_dictionaries({"instrument_id": SYMBOLS, "quantity": QUANTITIES}),
        st.fixed_dictionaries({"instrument_id": SYMBOLS, "percent": st.integers(1, 100).map(str)}),
        st.fixed_dictionaries({"instrument_id": SYMBOLS, "lots": LOTS}),
    ),
    max_size=3,
)
TAGS = st.lists(ids(), max_size=3)
CHANGES = st.dictionaries(st.sampled_from(["price", "fees", "quantity"]), MONEY | st.none(), min_size=1)
OPTION = {"option_type": st.sampled_from(["C", "P"]), "expiration": st.just("2041-01-18"), "strike": st.just("50.5")}


def _json(values: st.SearchStrategy[object]) -> st.SearchStrategy[str]:
    return values.map(canonical)


STOCK = {"symbol": SYMBOLS}
OTHERS = SYMBOLS.map(lambda symbol: f"{symbol}.N")  # never what the event itself is about
NEW = {"new_symbol": OTHERS}
OWNED = {"account_id": st.just("A")}
MOVED = {**OWNED, "to_account_id": st.just("B")}
CLOSED = {**OWNED, **STOCK, **OPTION, "quantity": st.integers(1, 999).map(str)}
CHARGED = {"commission": SIGNED, "fees": SIGNED}
ANY = {"trade_id": ids(), "trade_date": DAYS, "tags": _json(TAGS), "reason": ids(), "broker_execution_id": ids()}
LIEU = {"cash_in_lieu_price": MONEY}
CHAINS = {
    "chain_join": {"chains": ["C-1", "C-2"], "name": "wheel"},
    "chain_split": {"trades": ["T-1"]},
    "chain_name": {"chain": "C-1", "name": "wheel"},
}
Fields = dict[str, st.SearchStrategy[str]]
KINDS: dict[str, tuple[Fields, Fields]] = {
    "trade": (
        {**OWNED, **STOCK, "action": st.sampled_from(ACTIONS), "quantity": QUANTITIES, "price": MONEY},
        {**CHARGED, "lots": _json(LOTS), "strategy_id": ids(), "order_id": ids(), "currency": st.just("EUR")},
    ),
    "exercise": (CLOSED, {**CHARGED, "lots": _json(LOTS)}),
    "assign": (CLOSED, CHARGED),
    "cash_settle": ({**CLOSED, "price": MONEY}, CHARGED),
    "expire": ({**CLOSED, "executed_at": st.just("2041-01-19T22:00:00Z")}, {}),
    "cash": (
        {**OWNED, "amount": MONEY.filter(lambda text: text != "0"), "cash_category": st.sampled_from(CASH_CATEGORIES)},
        {},
    ),
    "subscribe": (
        {**OWNED, **STOCK, "asset_type": st.just("RIGHT"), "quantity": QUANTITIES, "price": MONEY, "shares": QUANTITIES}
        | {"new_instrument_id": OTHERS},
        {**CHARGED, "lots": _json(LOTS)},
    ),
    "split": ({**STOCK, "ratio": RATIOS}, {**NEW, **LIEU}),
    "cash_dividend": ({**STOCK, "amount_per_unit": MONEY}, {"pay_at": INSTANTS}),
    "return_of_capital": ({**STOCK, "amount_per_unit": MONEY}, {}),
    "spin_off": ({**STOCK, **NEW, "ratio": RATIOS, "basis_fraction": FRACTIONS}, LIEU),
    "rights_issue": ({**STOCK, **NEW, "ratio": RATIOS, "basis_fraction": FRACTIONS}, LIEU),
    "merger": (
        {**STOCK, **NEW, "ratio": RATIOS},
        {**LIEU, "amount_per_unit": MONEY, "new_price": MONEY, "treatment": st.sampled_from(TREATMENTS)},
    ),
    "symbol_change": ({**STOCK, **NEW}, {}),
    "option_adjust": ({**STOCK, **OPTION, "ratio": RATIOS, "new_instrument_id": SYMBOLS}, {}),
    "transfer": ({**MOVED, **STOCK, "lots": _json(LOTS)}, {"quantity": QUANTITIES, "cash": SIGNED}),
    "fork": ({**MOVED, "moves": _json(MOVES)}, {"cash": SIGNED}),
    "merge": (MOVED, {"cash": SIGNED}),
    "lot_method": ({**OWNED, "method": st.sampled_from(LOT_METHODS)}, {}),
    "cancel": ({"target_id": ids()}, {}),
    "correct": ({"target_id": ids(), "set": _json(CHANGES)}, {}),
    **{kind: ({**OWNED, "chain": st.just(canonical(chain))}, {}) for kind, chain in CHAINS.items()},
}


def rows() -> st.SearchStrategy[Row]:
    """Rows of all kinds that intake accepts."""
    return st.one_of([_rows(kind, *fields) for kind, fields in KINDS.items()])


def _rows(kind: str, needed: Fields, optional: Fields) -> st.SearchStrategy[Row]:
    fields = {"kind": st.just(kind), "executed_at": INSTANTS, **needed}
    return st.fixed_dictionaries(fields, optional={**ANY, **optional})
