"""History that is missing here: closings without their openings, and positions from before our first event.

The statement may tell the lots: those that its trades closed, and those that are still open. A lot whose opening day
the book does not have, or not in that size, becomes an opening event with the lot's quantity, cost and day. Without
lots the closing event stays what it is, an event without effect, until a statement brings its openings.

Limit. The quantity of a lot is that of its own time. It is taken back through the splits that the book has in between;
where that leaves no quantity of 8 decimals, no event is proposed.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from tradelake.reconcile.causes import Explaining, Root
from tradelake.reconcile.circumstances import Circumstances, Opening, Row
from tradelake.reconcile.differences import Difference
from tradelake.reconcile.facts import minus, plus
from tradelake.reconcile.proposals import booked_at, event
from tradelake.sessions import trade_date
from tradelake.units import (
    MONEY_SCALE,
    QUANTITY_SCALE,
    divide_half_even,
    plain,
    product,
    to_decimal,
    to_units,
    unit_price,
)

WITHOUT_OPENING = (
    "close_exceeds_open",
    "exercise_exceeds_long",
    "assignment_exceeds_short",
    "nothing_to_expire",
    "contracts_exceed_open",
    "specific_lot_unavailable",
)
Lots = Mapping[datetime, tuple[Decimal, Decimal | None]]


def of_histories(explaining: Explaining) -> None:
    """Find the instruments of which the book lacks the beginning."""
    circumstances = explaining.circumstances
    idle: dict[str, list[Difference]] = defaultdict(list)
    for each in explaining.rest.values():
        code = (each.cause or "").partition(":")[0]
        if each.field == "effect" and code in WITHOUT_OPENING and each.instrument_id:
            idle[each.instrument_id].append(each)
    positions = {each.name: each for each in explaining.in_section("positions")}
    suspects = {}
    for name in sorted({*idle, *positions}):
        suspect = Suspect(name, idle.get(name, []), positions.get(name), opening_rows(name, circumstances))
        if suspect.closings or suspect.lots or _begins_later(suspect, circumstances):
            suspects[name] = suspect
    trial = {name: each.lots or _guess(each, circumstances) for name, each in suspects.items()}
    gone = explaining.gone([row for rows in trial.values() for row in rows])
    for name, suspect in suspects.items():
        helpful = any(each in gone for each in suspect.first)
        if suspect.closings or helpful or _begins_later(suspect, circumstances):
            _found(explaining, suspect, suspect.lots if helpful else [])
            explaining.believe(trial[name] if helpful else [])
    explaining.follow(gone, [root for root in explaining.roots if root.difference.name in suspects])


@dataclass(frozen=True, slots=True)
class Suspect:
    """An instrument whose beginning may be missing: its closings without openings, its position, the lots to be had."""

    name: str
    closings: list[Difference]
    position: Difference | None
    lots: list[Row]

    @property
    def first(self) -> list[Difference]:
        """The differences that it is about, before all that follows."""
        return [*self.closings, *([self.position] if self.position else [])]

    @property
    def held(self) -> Decimal:
        """The units that its closings had to close, signed."""
        held = Decimal(0)
        for each in self.closings:
            size = each.theirs or Decimal(0)
            exercised = each.both.get("theirs", {}).get("kind") == "exercise"
            held = plus(held, size) if exercised else minus(held, size)
        return held


def _found(explaining: Explaining, suspect: Suspect, rows: list[Row]) -> None:
    cause = _cause(suspect, rows, explaining.circumstances)
    difference = suspect.position
    if suspect.closings or difference is None:
        difference = _of_closings(suspect, explaining.circumstances)
    root = explaining.found(Root(replace(difference, break_class="missing_here", cause=cause), tuple(rows)))
    explaining.follow(suspect.closings, [root])
    explaining.under(root, [suspect.name])


def _begins_later(suspect: Suspect, circumstances: Circumstances) -> bool:
    """Return whether the book knows nothing of the instrument before the statement, and there may have been more.

    There was not where the first event says that it opens the other side.
    """
    if suspect.position is None:
        return False
    begun = circumstances.begun.get(suspect.name)
    if begun is None:
        return True
    more = minus(suspect.position.theirs, suspect.position.ours)
    return begun.day >= circumstances.told_since and begun.opens * more >= 0


def _of_closings(suspect: Suspect, circumstances: Circumstances) -> Difference:
    """Return the difference that stands for closings without openings: what was held for them."""
    days = [each.day or circumstances.until for each in suspect.closings]
    return Difference(
        section="lots",
        break_class="missing_here",
        field="history",
        name=suspect.name,
        instrument_id=suspect.name,
        day=max(days, default=circumstances.until),
        ours=None,
        theirs=suspect.held,
        both={"closings": {str(number): each.both for number, each in enumerate(suspect.closings, start=1)}},
    )


def _cause(suspect: Suspect, rows: list[Row], circumstances: Circumstances) -> str:
    begun = circumstances.begun.get(suspect.name)
    if suspect.closings:
        count = len(suspect.closings)
        known = "a closing has no opening here" if count == 1 else f"{count} closings have no opening here"
    else:
        before = minus(suspect.position.theirs, suspect.position.ours) if suspect.position else Decimal(0)
        known = f"the book begins with {begun.day}" if begun else "the book has nothing of it"
        known += f", and {plain(before)} were held before"
    told = "the statement tells the lots" if rows else "the statement does not tell the lots"
    return f"Missing history of {suspect.name}: {known}; {told}."


def _guess(suspect: Suspect, circumstances: Circumstances) -> list[Row]:
    """Return an opening at no cost of what must have been held, for the sake of the argument."""
    more = minus(suspect.position.theirs, suspect.position.ours) if suspect.position else None
    begun = circumstances.begun.get(suspect.name)
    day = min(circumstances.told_since, begun.day if begun else circumstances.since) - timedelta(days=1)
    lot = Opening(suspect.name, booked_at(circumstances, day), None, plus(suspect.held, more), Decimal(0))
    quantity = _unsplit(lot, circumstances)
    if not quantity:
        return []
    return [_opening(suspect.name, lot.opened_at, to_units(quantity, QUANTITY_SCALE), 0, circumstances)]


def opening_rows(name: str, circumstances: Circumstances) -> list[Row]:
    """Return the openings of the statement's lots of an instrument that the book does not have."""
    rows = []
    for day, lots in _by_day(name, circumstances).items():
        sizes = [to_units(quantity, QUANTITY_SCALE) for quantity, _ in lots.values()]
        known = to_units(circumstances.opened.get((name, day), Decimal(0)), QUANTITY_SCALE)
        missing = sum(sizes) - known
        for (opened_at, (_, cost)), size in zip(lots.items(), sizes, strict=True):
            # What the book has of a day may be any of its lots: the first ones are taken for known.
            part = min(abs(size), abs(missing)) if size * missing > 0 else 0
            if part and cost is not None:
                missing -= part if size > 0 else -part
                share = divide_half_even(to_units(cost, MONEY_SCALE) * part, abs(size))
                rows.append(_opening(name, opened_at, part if size > 0 else -part, share, circumstances))
    return rows


def _by_day(name: str, circumstances: Circumstances) -> dict[date, Lots]:
    """Return the lots of an instrument by the day and instant of their opening, in the units of that time."""
    found: dict[date, dict[datetime, tuple[Decimal, Decimal | None]]] = defaultdict(dict)
    for lot in circumstances.openings:
        quantity = _unsplit(lot, circumstances) if lot.instrument_id == name else None
        if quantity is not None:
            of_day = found[trade_date(lot.opened_at)]
            held, cost = of_day.get(lot.opened_at, (Decimal(0), Decimal(0)))
            total = None if cost is None or lot.cost is None else plus(cost, lot.cost)
            of_day[lot.opened_at] = (plus(held, quantity), total)
    return {day: dict(sorted(lots.items(), reverse=True)) for day, lots in sorted(found.items())}


def _unsplit(lot: Opening, circumstances: Circumstances) -> Decimal | None:
    """Return the quantity of a lot when it was opened; None where it has more than 8 decimals."""
    quantity = Fraction(lot.quantity)
    until = lot.closed_at or circumstances.as_of
    for split in circumstances.splits:
        if split.instrument_id == lot.instrument_id and lot.opened_at < split.executed_at <= until:
            quantity /= split.ratio
    units = quantity * 10**QUANTITY_SCALE
    return to_decimal(units.numerator, QUANTITY_SCALE) if units.denominator == 1 else None


def _opening(name: str, opened_at: datetime, size: int, cost: int, circumstances: Circumstances) -> Row:
    """Return a trade whose cash is exactly the cost: what its price cannot say is in its fees."""
    multiplier = to_units(circumstances.contract(name).multiplier, QUANTITY_SCALE)
    price = abs(unit_price(cost, size, multiplier))
    gross = product(abs(size), price, multiplier)
    # A long lot cost gross and fees, a short one brought gross less fees.
    fees = cost - gross if size > 0 else cost + gross
    return event(
        "trade",
        circumstances,
        name,
        opened_at,
        action="BUY_TO_OPEN" if size > 0 else "SELL_TO_OPEN",
        quantity=plain(to_decimal(abs(size), QUANTITY_SCALE)),
        price=plain(to_decimal(price, MONEY_SCALE)),
        fees=plain(to_decimal(fees, MONEY_SCALE)) if fees else None,
    )
