"""Rows of OptionEAE that repeat rows of Trades.

A row names the same trade id, or has the same content, or, where one section splits what the other sums up,
the rows of one contract and day have the same total on both sides. Without this an event would be booked
twice.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tradelake.intake.ibkr_rows import TRADE_TYPES_OF_MARKET, Booked
from tradelake.intake.ibkr_terms import OPTION

SETTLEMENT = "cash settlement"

_Group = tuple[str, str, bool, str | None]


@dataclass(slots=True)
class Repeats:
    """By row number: which row of Trades a row of OptionEAE repeats, and which one tells what a trade was."""

    partners: dict[int, int] = field(default_factory=dict)
    words: dict[int, Booked] = field(default_factory=dict)


def action(given: Booked) -> str:
    """Return the word of the broker for what a row of OptionEAE tells, in small letters."""
    return given.kind.lower()


def repeated(trades: Sequence[Booked], exercises: Sequence[Booked]) -> Repeats:
    """Find the rows of *exercises* that repeat rows of *trades*; trades of the market are never meant."""
    bookings = [given for given in trades if given.kind not in TRADE_TYPES_OF_MARKET]
    told = [given for given in exercises if action(given) != SETTLEMENT]
    found = Repeats()
    _by_id(bookings, told, found)
    groups: dict[_Group, list[Booked]] = defaultdict(list)
    for given in bookings:
        if given.row.number not in found.words:
            for day in {given.day, given.report_day}:
                groups[_group(given, day)].append(given)
    open_rows: dict[_Group, list[Booked]] = defaultdict(list)
    for given in told:
        if given.row.number not in found.partners:
            _by_content(given, groups[_group(given, given.day)], found)
            open_rows[_group(given, given.day)].append(given)
    for group, rows in open_rows.items():
        _by_total(_waiting(rows, found.partners), _waiting(groups[group], found.words), found)
    return found


def _by_id(bookings: Iterable[Booked], told: Iterable[Booked], found: Repeats) -> None:
    by_id: dict[tuple[str, str], list[Booked]] = defaultdict(list)
    for given in bookings:
        if given.row.get("tradeID"):
            by_id[given.account, given.row.get("tradeID")].append(given)
    for given in told:
        for other in by_id.get((given.account, given.row.get("tradeID")), ()):
            _pair(given, other, found)


def _by_content(given: Booked, there: Iterable[Booked], found: Repeats) -> None:
    alike = (other for other in there if _size(other) == _size(given) and _same_price(given, other))
    other = next((other for other in alike if other.row.number not in found.words), None)
    if other is not None:
        _pair(given, other, found)


def _by_total(rows: Sequence[Booked], there: Sequence[Booked], found: Repeats) -> None:
    alike = [other for other in there if all(_same_price(given, other) for given in rows)]
    if rows and alike and sum(map(_size, rows)) == sum(map(_size, alike)):
        for given in rows:
            _pair(given, alike[0], found)
        for other in alike:
            found.words.setdefault(other.row.number, rows[0])


def _pair(given: Booked, other: Booked, found: Repeats) -> None:
    found.partners.setdefault(given.row.number, other.row.number)
    found.words.setdefault(other.row.number, given)


def _waiting(rows: Iterable[Booked], done: "dict[int, int] | dict[int, Booked]") -> list[Booked]:
    return [given for given in rows if given.row.number not in done]


def _group(given: Booked, day: str | None) -> _Group:
    instrument = given.row.get("conid") or given.terms.key
    return (given.account, instrument, given.terms.asset_type == OPTION, day)


def _size(given: Booked) -> int:
    return abs(given.quantity or 0)


def _same_price(given: Booked, other: Booked) -> bool:
    """Return whether a trade may be what a row tells: contracts leave at 0, shares move at the same price."""
    if action(given) not in ("buy", "sell"):
        return not other.price or other.kind == "BookTrade"
    sells = action(given) == "sell"
    sold = (other.quantity or 0) < 0
    return sells == sold and (given.price is None or given.price == other.price)
