"""Option events of a Flex statement: exercises, assignments, settlements in cash, expiries.

Problem. IBKR tells one event in up to four places: a BookTrade of the option at price 0 in Trades, a row in
OptionEAE that says what it was, the BookTrade of the shares that change hands at the strike (in Trades, and
again in OptionEAE), and for an index option a row `Cash Settlement` in OptionEAE that holds the money. A
query may export any of them, with or without ids and codes.

Decision. A row of OptionEAE that repeats a row of Trades is kept and only lends it its word. What the
option's row was is decided by, in this order: its codes, its OptionEAE row, shares delivered at its strike;
what is left at price 0 on the last day is an expiry, and before it ambiguous. The shares of an exercise
follow from the event, so their row is taken over by it, with its charges (see `ibkr_deliveries`). The
settlement price of an index option is derived from the money (see `ibkr_settlements`), never assumed.

Limits. Contracts adjusted by the OCC deliver something else than multiplier shares of the underlying: both
rows of such a delivery are refused, so that nothing is booked in part.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tradelake.intake import ibkr_values as values
from tradelake.intake.ibkr_decisions import Decision, bad_timestamp, event, kept, missing_day, reject
from tradelake.intake.ibkr_deliveries import Delivery, deliver
from tradelake.intake.ibkr_repeats import SETTLEMENT, action, repeated
from tradelake.intake.ibkr_rows import (
    DAYS,
    TRADE_TYPES_OF_MARKET,
    Booked,
    booking_id,
    commission_abroad,
    common,
    trade,
    unsupported,
)
from tradelake.intake.ibkr_settlements import Settlements
from tradelake.intake.ibkr_terms import OPTION, STOCK, plain_symbol
from tradelake.intake.ibkr_values import Clock

_KIND_OF_ACTION = {"assignment": "assign", "exercise": "exercise", "expiration": "expire"}
_SHARES = ("buy", "sell")
_KIND_OF_CODE = {"A": "assign", "Ex": "exercise", "AEx": "exercise", "MEx": "exercise", "Ep": "expire"}
_OFFSETTING = "GEA"


@dataclass(frozen=True, slots=True)
class OptionEvent:
    """One row that is an option event, and of which kind: exercise, assign, cash_settle or expire."""

    given: Booked
    kind: str


def option_decisions(
    trades: Sequence[Booked], exercises: Sequence[Booked], settlements: Settlements, clock: Clock
) -> dict[int, Decision]:
    """Return the decisions on all rows of OptionEAE and on the rows of Trades that belong to option events.

    *trades* are the executions that the broker did not cancel; those that are not in the result are plain
    trades.
    """
    decisions: dict[int, Decision] = {}
    repeats = repeated(trades, exercises)
    partners, words = repeats.partners, repeats.words
    for given in exercises:
        if given.row.number in partners:
            decisions[given.row.number] = kept("repeats_trade", f"It repeats row {partners[given.row.number]}.")
        elif action(given) == SETTLEMENT:
            decisions[given.row.number] = kept("settlement_amount", "The money of a settlement in cash.")
    alone = [given for given in exercises if given.row.number not in decisions]
    shares = [given for given in trades if _may_deliver(given, words)]
    shares += [given for given in alone if action(given) in _SHARES and given.terms.asset_type == STOCK]
    events: list[OptionEvent] = []
    for given in [*trades, *alone]:
        found = _kind(given, words.get(given.row.number), shares)
        if isinstance(found, Decision):
            decisions[given.row.number] = found
        elif found:
            in_cash = found in ("assign", "exercise") and settlements.in_cash(given)
            events.append(OptionEvent(given, "cash_settle" if in_cash else found))
    deliveries = deliver([e.given for e in events if e.kind in ("assign", "exercise")], shares)
    decisions |= deliveries.decisions
    for option_event in events:
        number = option_event.given.row.number
        if number not in decisions:
            charges = deliveries.taken_over.get(number, Delivery())
            decisions[number] = _event(option_event, charges, settlements, clock)
    for given in alone:
        if given.row.number not in decisions:
            decisions[given.row.number] = _left(given, clock)
    return decisions


def _may_deliver(given: Booked, words: Mapping[int, Booked]) -> bool:
    if given.terms.asset_type != STOCK or given.kind in TRADE_TYPES_OF_MARKET:
        return False
    told = bool(given.codes & {*_KIND_OF_CODE, _OFFSETTING}) or given.row.number in words
    return told or given.kind == "BookTrade"


def _kind(given: Booked, word: Booked | None, shares: Iterable[Booked]) -> str | Decision | None:
    """Return the kind of an option event, None for a row that is none, or the decision to refuse it."""
    if given.terms.asset_type != OPTION or given.kind in TRADE_TYPES_OF_MARKET:
        return None
    if given.row.section == "OptionEAE":
        return _KIND_OF_ACTION.get(action(given)) or _unknown_action(given)
    told = _KIND_OF_ACTION.get(action(given))
    coded = next((kind for code, kind in _KIND_OF_CODE.items() if code in given.codes), None)
    lent = _KIND_OF_ACTION.get(action(word)) if word else None
    side = "exercise" if (given.quantity or 0) < 0 else "assign"
    found = told or coded or lent or (side if _OFFSETTING in given.codes else None)
    if found or given.price != 0:
        return found
    if any(_at_strike(given, other) for other in shares):
        return side
    if _last_day_reached(given):
        return "expire"
    return _ambiguous(given) if given.kind else None


def _at_strike(given: Booked, shares: Booked) -> bool:
    return (
        shares.account == given.account
        and shares.day == given.day
        and shares.price is not None
        and shares.price == values.exact(given.terms.strike or "", 12)
        and shares.terms.key == plain_symbol(given.terms.symbol)
    )


def _last_day_reached(given: Booked) -> bool:
    if not given.day or not given.terms.expiration:
        return False
    return given.day >= values.weekday_before(date.fromisoformat(given.terms.expiration)).isoformat()


def _event(option_event: OptionEvent, charges: Delivery, settlements: Settlements, clock: Clock) -> Decision:
    given, row = option_event.given, option_event.given.row
    if refused := commission_abroad(row):
        return refused
    day = _effective_day(option_event)
    at = _executed_at(given, day, clock)
    if isinstance(at, Decision):
        return at
    price = settlements.price(given) if option_event.kind == "cash_settle" else None
    if isinstance(price, Decision):
        return price
    fields = common(row, given.terms)
    fields["commission"] = charges.commission_with(fields["commission"] or "0")
    fields["fees"] = charges.fees_with(fields["fees"] or "0")
    if option_event.kind == "cash_settle":
        fields["settlement"] = "CASH"
    return event(
        {
            **fields,
            "kind": option_event.kind,
            "broker_execution_id": booking_id(row),
            "executed_at": at,
            "trade_date": day,
            "quantity": values.number(row.get("quantity")).removeprefix("-") or None,
            "price": price,
        }
    )


def _executed_at(given: Booked, day: str, clock: Clock) -> str | Decision:
    row = given.row
    if given.day is None:
        field = next((name for name in DAYS if row.get(name)), "")
        return bad_timestamp(row, field) if field else missing_day("date")
    field, text = "dateTime", row.get("dateTime")
    if not text and row.get("tradeTime"):
        field, text = "tradeTime", f"{row.get('tradeDate')};{row.get('tradeTime')}"
    if not text or day != given.day:
        field, text = "tradeDate", day
    return clock.instant(text, time_missing=values.BOOKING) or bad_timestamp(row, field)


def _effective_day(option_event: OptionEvent) -> str:
    # Options that expire on a Saturday are booked on the Friday before; the contract ends with its last day.
    given = option_event.given
    day, expiration = given.day or "", given.terms.expiration or ""
    if option_event.kind == "expire" and day < expiration and _last_day_reached(given):
        return expiration
    return day


def _left(given: Booked, clock: Clock) -> Decision:
    """Decide on a row of OptionEAE that repeats nothing and is no option event: shares, or unknown."""
    if refused := unsupported(given):
        return refused
    if action(given) in _SHARES:
        return trade(given, clock)
    return _unknown_action(given)


def _unknown_action(given: Booked) -> Decision:
    return reject(
        "unknown_option_event",
        f"OptionEAE rows are Assignment, Exercise, Expiration, Cash Settlement, Buy or Sell, not {given.kind!r}.",
        field="transactionType",
        value=given.kind,
        action="Compare the row with the broker's statement and record the event by hand.",
    )


def _ambiguous(given: Booked) -> Decision:
    return reject(
        "ambiguous_option_event",
        f"The option was booked out at price 0 on {given.day}, before its last day {given.terms.expiration},"
        " and nothing in the statement says whether it was exercised or assigned.",
        field="notes",
        value=given.row.get("notes"),
        action="Add Notes/Codes to the Trades section, or the section Option Exercises, Assignments and"
        " Expirations, to the Flex query and run it again.",
    )
