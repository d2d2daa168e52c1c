"""Shares that change hands at the strike: which row of shares came out of which option event."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tradelake import units
from tradelake.intake import ibkr_values as values
from tradelake.intake.ibkr_decisions import Decision, kept, reject
from tradelake.intake.ibkr_rows import Booked, commission_abroad, commission_paid, fees_paid
from tradelake.intake.ibkr_terms import plain_symbol

_Group = tuple[str, str, str | None, bool]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The rows of shares that one option event took over; their charges become charges of the event."""

    rows: tuple[Booked, ...] = ()

    def commission_with(self, commission: str) -> str:
        """Return a commission plus that of the rows."""
        return _sum([commission, *(commission_paid(given.row) for given in self.rows)])

    def fees_with(self, fees: str) -> str:
        """Return fees plus those of the rows."""
        return _sum([fees, *(fees_paid(given.row) for given in self.rows)])


@dataclass(slots=True)
class Deliveries:
    """What was found: the rows that each event took over, by its row number, and decisions by row number."""

    taken_over: dict[int, Delivery] = field(default_factory=dict)
    decisions: dict[int, Decision] = field(default_factory=dict)


def deliver(events: Sequence[Booked], shares: Sequence[Booked]) -> Deliveries:
    """Match rows of shares to physical exercises and assignments of one account, underlying, day and side.

    First one to one, at the strike and with contracts x multiplier shares; then all that is left at one
    strike, where the totals agree. What is left beside an event without its shares, though its price or its
    money speaks for that event, is refused together with it; other rows of shares are left alone, as plain
    trades.
    """
    found = Deliveries()
    events_by_group: dict[_Group, list[Booked]] = defaultdict(list)
    shares_by_group: dict[_Group, list[Booked]] = defaultdict(list)
    for given in events:
        if given.quantity:
            events_by_group[_group_of_event(given)].append(given)
    for given in shares:
        if given.quantity and not commission_abroad(given.row):
            group = (given.account, given.terms.key, given.day, _buys(given))
            shares_by_group[group].append(given)
    for group, waiting in events_by_group.items():
        _match(waiting, shares_by_group.get(group, []), found)
    return found


def _match(waiting: list[Booked], shares: list[Booked], found: Deliveries) -> None:
    for given in list(waiting):
        single = next((row for row in shares if _strike(given) == row.price and _due(given) == _size(row)), None)
        if single:
            waiting.remove(given)
            shares.remove(single)
            _take_over(given, [single], found)
    for strike in sorted({_strike(given) or 0 for given in waiting}):
        due = [given for given in waiting if _strike(given) == strike]
        there = [other for other in shares if other.price == strike]
        if there and sum(map(_due, due)) == sum(map(_size, there)):
            _take_over(due[0], there, found)
            waiting[:] = [given for given in waiting if given not in due]
            shares[:] = [other for other in shares if other not in there]
    for other in shares:
        for given in waiting:
            if _strike(given) == other.price or _same_money(given, other):
                found.decisions[given.row.number] = _unmatched(given, other)
                found.decisions[other.row.number] = _unmatched(given, other)


def _take_over(given: Booked, rows: list[Booked], found: Deliveries) -> None:
    number = given.row.number
    found.taken_over[number] = Delivery(tuple(rows))
    for other in rows:
        message = f"These shares come out of the option event in row {number}, which carries their charges."
        found.decisions[other.row.number] = kept("stock_of_option_event", message, owner=number)


def _group_of_event(given: Booked) -> _Group:
    exercised = (given.quantity or 0) < 0
    if given.row.section == "OptionEAE" or given.kind.lower() in ("exercise", "assignment"):
        exercised = given.kind.lower() == "exercise"
    buys = exercised == (given.terms.option_type == "CALL")
    return (given.account, plain_symbol(given.terms.symbol), given.day, buys)


def _buys(given: Booked) -> bool:
    if given.row.section == "OptionEAE":
        return given.kind.lower() == "buy"
    return (given.quantity or 0) > 0


def _strike(given: Booked) -> int | None:
    return values.exact(given.terms.strike or "", 12)


def _multiplier(given: Booked) -> int:
    return values.exact(given.terms.multiplier or "100", 8) or 0


def _due(given: Booked) -> int:
    return units.product(abs(given.quantity or 0), units.MONEY_UNIT, _multiplier(given))


def _size(given: Booked) -> int:
    return units.product(abs(given.quantity or 0), units.MONEY_UNIT, units.QUANTITY_UNIT)


def _same_money(given: Booked, other: Booked) -> bool:
    asked = units.product(abs(given.quantity or 0), _strike(given) or 0, _multiplier(given))
    return asked == units.product(abs(other.quantity or 0), other.price or 0, units.QUANTITY_UNIT)


def _sum(texts: Iterable[str]) -> str:
    """Add numbers exactly; a text that is no number is returned instead, for the checks to refuse."""
    total = 0
    for text in texts:
        amount = values.exact(text, units.MONEY_SCALE)
        if amount is None:
            return text
        total += amount
    return units.plain(units.to_decimal(total, units.MONEY_SCALE))


def _unmatched(given: Booked, other: Booked) -> Decision:
    shares = values.number(other.row.get("quantity"))
    return reject(
        "unmatched_delivery",
        f"{given.terms.contract_symbol or given.terms.symbol} (row {given.row.number}) was exercised or"
        f" assigned, but the {shares} shares of row {other.row.number} are not what its multiplier delivers:"
        " an adjusted contract, or a row is missing.",
        field="quantity",
        value=shares,
        action="Record the event with the contract's deliverable as an execution, or import a statement that"
        " holds all its rows.",
    )
