"""Differences between executions and cash movements, one by one.

A matched pair may differ in several fields, and each is a difference of its own: what cures one does not cure the
other. An event of ours that has no effect on positions is as good as missing here. An event that has no partner is
missing on one side, as far as the other side tells all events of its kind.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal

from tradelake import sessions
from tradelake.reconcile.differences import Difference
from tradelake.reconcile.facts import Fact, Side, described, facts_of
from tradelake.reconcile.matching import CONTENT, ID, Matched, Pair, base_of, match
from tradelake.tables import CORPORATE_KINDS, OPTION_KINDS
from tradelake.units import MONEY_SCALE, MONEY_UNIT, QUANTITY_UNIT, to_decimal, unit_price

SPLIT = "split"
WEEKEND = timedelta(days=4)
CLOSE = time(16)  # on half days an hour in which nothing is executed is not late
CLASS_OF_LEFT = {SPLIT: "stale_split"}
UNMATCHED_DELIVERY = "unmatched_delivery"
Sides = tuple[Decimal | None, Decimal | None]
OTHER_ID = "The broker gives it another execution id: {} here, {} there."
NOT_BOOKED = "The contract ended on {}, and the broker has not booked its end yet."
LATE = "Executed on {} after the close of the statement's last day: the next statement should have it."


def of_executions(ours: Side, theirs: Side) -> tuple[list[Difference], Matched]:
    """Return the differences between the events of both sides, and what was matched with what."""
    told = [fact for fact in facts_of(ours.executions) if _section(fact) in theirs.sections]
    matched = match(told, facts_of(theirs.executions))
    found = [difference for pair in matched.pairs for difference in _of_pair(pair)]
    found += [_missing_here(fact) for fact in matched.theirs]
    unread = _unread(theirs)
    found += [_missing_there(fact, theirs, unread) for fact in matched.ours if fact.due]
    return found, matched


def _section(fact: Fact) -> str:
    return "actions" if fact.kind in CORPORATE_KINDS else fact.section


def name_of(fact: Fact) -> str:
    """Return what tells an event from others: its id, or its content where it has none."""
    if fact.broker_execution_id:
        return base_of(fact.broker_execution_id) or fact.broker_execution_id
    given = described(fact)
    return "|".join(str(given.get(name, "")) for name in ("kind", "instrument_id", "executed_at", "quantity", "price"))


def _difference(
    field: str,
    break_class: str,
    fact: Fact,
    sides: Sides,
    *,
    pair: Pair | None = None,
    of_ours: bool = False,
    cause: str | None = None,
) -> Difference:
    mine = pair.ours if pair else fact if of_ours else None
    other = pair.theirs if pair else None if of_ours else fact
    shown = {"ours": mine, "theirs": other}
    return Difference(
        section=fact.section,
        break_class=break_class,
        field=field,
        name=name_of(fact),
        instrument_id=(mine or fact).instrument_id,
        currency=fact.currency,
        broker_execution_id=fact.broker_execution_id,
        day=fact.trade_date,
        ours=sides[0],
        theirs=sides[1],
        cause=cause,
        ours_ref=mine.ref if mine else None,
        theirs_ref=other.ref if other else None,
        both={side: described(given) for side, given in shown.items() if given},
    )


def _of_pair(pair: Pair) -> Iterator[Difference]:
    ours, theirs = pair.ours, pair.theirs
    if theirs.kind in CORPORATE_KINDS:
        return
    quantities = (ours.quantity, theirs.quantity)
    if ours.idle is not None:
        yield _difference("effect", "missing_here", theirs, (None, theirs.quantity), pair=pair, cause=ours.idle)
    if theirs.section == "executions":
        yield from _of_kind(pair)
    if None not in quantities and ours.quantity != theirs.quantity:
        yield _difference("quantity", "quantity", theirs, quantities, pair=pair)
    if ours.price is not None and theirs.price is not None and ours.price != theirs.price:
        yield _difference("price", "price", theirs, (ours.price, theirs.price), pair=pair)
    if ours.charges != theirs.charges:
        yield _difference("fee", "fee", theirs, (ours.charges, theirs.charges), pair=pair)
    multipliers = (ours.multiplier, theirs.multiplier)
    if None not in multipliers and ours.multiplier != theirs.multiplier:
        cause = "Quantity and price agree, the units per contract do not."
        yield _difference("multiplier", "multiplier", theirs, multipliers, pair=pair, cause=cause)
    if theirs.section == "executions":
        yield from _of_time(pair)


def _of_kind(pair: Pair) -> Iterator[Difference]:
    ours, theirs = pair.ours, pair.theirs
    quantities = (ours.quantity, theirs.quantity)
    if ours.kind != theirs.kind:
        cause = f"The broker calls it {theirs.kind}, and here it is {ours.kind}."
        yield _difference("kind", "unknown", theirs, quantities, pair=pair, cause=cause)
    elif ours.instrument_id != theirs.instrument_id:
        cause = f"The broker has it in {theirs.instrument_id}, and here it is in {ours.instrument_id}."
        yield _difference("instrument", "symbol_change", theirs, quantities, pair=pair, cause=cause)


def _of_time(pair: Pair) -> Iterator[Difference]:
    ours, theirs = pair.ours, pair.theirs
    cause = None
    trades = ours.kind == theirs.kind == "trade" and ours.trade_date and theirs.trade_date
    if trades and ours.trade_date != theirs.trade_date:
        cause = f"It is of {ours.trade_date} here, and of {theirs.trade_date} there."
    elif pair.by == CONTENT and ours.broker_execution_id and theirs.broker_execution_id:
        cause = OTHER_ID.format(ours.broker_execution_id, theirs.broker_execution_id)
    if cause is not None:
        field = "day" if pair.by == ID else "id"
        yield _difference(field, "timing", theirs, (ours.quantity, theirs.quantity), pair=pair, cause=cause)


def _missing_here(theirs: Fact) -> Difference:
    break_class = CLASS_OF_LEFT.get(theirs.kind, "missing_here")
    cause = f"The broker has booked a split {theirs.ratio} that is not in the book." if theirs.kind == SPLIT else None
    return _difference("presence", break_class, theirs, (None, _amount(theirs)), cause=cause)


def _missing_there(ours: Fact, theirs: Side, unread: Sequence[dict[str, object]]) -> Difference:
    break_class = CLASS_OF_LEFT.get(ours.kind, "missing_there")
    cause, amount = ours.idle, None
    row = next((row for row in unread if row["broker_execution_id"] == ours.broker_execution_id), None)
    if ours.kind == SPLIT:
        cause = f"The book has a split {ours.ratio} that the broker has not booked."
    elif row is not None and ours.broker_execution_id:
        break_class, cause, amount = _of_unread(ours, row)
    elif _is_not_booked(ours, theirs):
        break_class, cause = "timing", NOT_BOOKED.format(ours.trade_date)
    elif ours.executed_at is not None and _is_late(ours, theirs):
        break_class, cause = "timing", LATE.format(ours.executed_at.isoformat())
    return _difference("presence", break_class, ours, (_amount(ours), amount), of_ours=True, cause=cause)


def _is_not_booked(ours: Fact, theirs: Side) -> bool:
    """Return whether an option event was recorded here before the broker told of it: over a weekend at most."""
    if ours.kind not in OPTION_KINDS or ours.broker_execution_id is not None or ours.trade_date is None:
        return False
    return theirs.until - ours.trade_date <= WEEKEND


def _is_late(ours: Fact, theirs: Side) -> bool:
    """Return whether a trade came after the close of the statement's last day."""
    closed = sessions.from_new_york(datetime.combine(theirs.until, CLOSE))
    at_end = ours.kind == "trade" and ours.trade_date == theirs.until
    return at_end and ours.executed_at is not None and ours.executed_at > closed


def _amount(fact: Fact) -> Decimal | None:
    """Return what a break shows of an event: its quantity, of a split its ratio to 8 decimals."""
    if fact.ratio is None:
        return fact.quantity
    new, old = (int(part) for part in fact.ratio.split("/"))
    return to_decimal(unit_price(new * MONEY_UNIT, old * QUANTITY_UNIT, QUANTITY_UNIT), MONEY_SCALE)


def _of_unread(ours: Fact, row: dict[str, object]) -> tuple[str, str, Decimal | None]:
    """Return what a row that could not be read as an event says of the event of ours that has its id."""
    quantity, price = row["quantity"], row["price"]
    told = quantity if isinstance(quantity, Decimal) else None
    differs = told is not None and ours.quantity is not None and abs(told) != abs(ours.quantity)
    if differs or row["code"] == UNMATCHED_DELIVERY:
        break_class = "quantity"
    else:
        break_class = "price" if ours.kind == "trade" and price != ours.price else "unknown"
    return break_class, f"The broker's row cannot be read as an event: {row['message']}", told


def _unread(theirs: Side) -> list[dict[str, object]]:
    return [] if theirs.unread is None else list(theirs.unread.iter_rows(named=True))
