"""Differences between what follows from events: positions, lots, cash, realized profit.

Quantities are compared exactly. Amounts that the broker computes itself (cost of lots, realized profit, cash) are
compared to the cent, since it prints them rounded.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from tradelake.reconcile.differences import Difference
from tradelake.reconcile.executions import name_of
from tradelake.reconcile.facts import Side, minus, plus
from tradelake.reconcile.matching import Matched
from tradelake.units import plain

TOLERANCE = Decimal("0.01")
Lot = tuple[Decimal, Decimal]


def of_positions(ours: Side, theirs: Side) -> Iterator[Difference]:
    """Yield one difference per instrument whose quantity is not the same."""
    if ours.positions is None or theirs.positions is None:
        return
    mine = dict(ours.positions.select("instrument_id", "quantity").iter_rows())
    other = dict(theirs.positions.select("instrument_id", "quantity").iter_rows())
    for name in sorted({*mine, *other}):
        here, there = mine.get(name, Decimal(0)), other.get(name, Decimal(0))
        if here != there:
            yield Difference(
                section="positions",
                break_class="quantity" if here and there else "missing_there" if here else "missing_here",
                field="quantity",
                name=name,
                instrument_id=name,
                day=theirs.until,
                ours=here,
                theirs=there,
            )


def of_lots(ours: Side, theirs: Side) -> Iterator[Difference]:
    """Yield one difference per instrument of the broker's lots whose days, quantities or costs are not the same."""
    if ours.lots is None or theirs.lots is None:
        return
    mine, other = _by_day(ours), _by_day(theirs)
    for name in sorted(other):
        here, there = mine.get(name, {}), other[name]
        if any(not _same_lot(here.get(day), there.get(day)) for day in {*here, *there}):
            yield Difference(
                section="lots",
                break_class="unknown",
                field="basis",
                name=name,
                instrument_id=name,
                day=theirs.until,
                ours=_cost(here),
                theirs=_cost(there),
                both={"ours": _shown(here), "theirs": _shown(there)},
            )


def _by_day(side: Side) -> dict[str, dict[date, Lot]]:
    found: dict[str, dict[date, Lot]] = defaultdict(dict)
    if side.lots is not None:
        for name, day, quantity, cost in side.lots.iter_rows():
            held = found[name].get(day, (Decimal(0), Decimal(0)))
            found[name][day] = (plus(held[0], quantity), plus(held[1], cost))
    return found


def _same_lot(ours: Lot | None, theirs: Lot | None) -> bool:
    if ours is None or theirs is None:
        return False
    return ours[0] == theirs[0] and is_close(ours[1], theirs[1])


def _cost(lots: Mapping[date, Lot]) -> Decimal | None:
    total = Decimal(0)
    for _, cost in lots.values():
        total = plus(total, cost)
    return total if lots else None


def _shown(lots: Mapping[date, Lot]) -> dict[str, str]:
    return {day.isoformat(): f"{plain(lot[0])} for {plain(lot[1])}" for day, lot in sorted(lots.items())}


def is_close(left: Decimal | None, right: Decimal | None) -> bool:
    """Return whether two amounts are the same to the cent."""
    return abs(minus(left, right)) <= TOLERANCE


def of_cash(ours: Side, theirs: Side) -> Iterator[Difference]:
    """Yield one difference per currency: of what it changed by in the period, or of the balance where that is not told.

    Where the balances agree the change is of no interest: an earlier difference has been made up.
    """
    if ours.cash is None or theirs.cash is None:
        return
    mine = {currency: (change, ending) for currency, change, ending in ours.cash.iter_rows()}
    for currency, change, ending in theirs.cash.iter_rows():
        own_change, own_ending = mine.get(currency, (Decimal(0), Decimal(0)))
        here, there = (own_ending, ending) if change is None else (own_change, change)
        if is_close(own_ending, ending) or is_close(here, there):
            continue
        yield Difference(
            section="cash",
            break_class="unknown",
            field="balance" if change is None else "change",
            name=f"{currency} {theirs.until}",
            currency=currency,
            day=theirs.until,
            ours=here,
            theirs=there,
        )


def of_realized(ours: Side, theirs: Side, matched: Matched) -> Iterator[Difference]:
    """Yield one difference per matched execution that realized another amount at the broker."""
    if ours.realized is None or theirs.realized is None:
        return
    mine, other = (dict(side.iter_rows()) for side in (ours.realized, theirs.realized))
    for pair in matched.pairs:
        if pair.theirs.ref not in other:
            continue
        here, there = mine.get(pair.ours.ref, Decimal(0)), other[pair.theirs.ref]
        if not is_close(here, there):
            yield Difference(
                section="realized",
                break_class="unknown",
                field="amount",
                name=name_of(pair.theirs),
                instrument_id=pair.ours.instrument_id,
                currency=pair.theirs.currency,
                broker_execution_id=pair.theirs.broker_execution_id,
                day=pair.theirs.trade_date,
                ours=here,
                theirs=there,
                ours_ref=pair.ours.ref,
                theirs_ref=pair.theirs.ref,
            )
