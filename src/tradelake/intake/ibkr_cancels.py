"""Broker cancellations inside one document: a trade and the row that takes it back."""

from collections import defaultdict
from typing import TYPE_CHECKING

from tradelake.intake import ibkr_values as values
from tradelake.intake.ibkr_decisions import Decision, kept, reject
from tradelake.intake.ibkr_rows import CANCEL_TYPES
from tradelake.intake.ibkr_terms import UNSUPPORTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tradelake.intake.ibkr_rows import Booked
    from tradelake.intake.ibkr_values import Clock


def cancelled(trades: "Iterable[Booked]", clock: "Clock") -> dict[int, Decision]:
    """Return the decisions on cancelling rows and on the trades that they take back, by row number.

    A cancelling row says so in `buySell`, `transactionType` or `notes`. Its trade is the one whose ids it
    names as original, else the first not yet taken one of the same account, instrument, day and price with
    the opposite quantity. Both are kept; without its trade the row is a reject.
    """
    rows = list(trades)
    taking_back = [given for given in rows if _cancels(given)]
    by_instrument: dict[tuple[str, str], list[Booked]] = defaultdict(list)
    for given in rows:
        if not _cancels(given):
            by_instrument[given.account, given.terms.key].append(given)
    decisions: dict[int, Decision] = {}
    for given in taking_back:
        open_rows = by_instrument[given.account, given.terms.key]
        original = next((other for other in open_rows if _is_original(given, other, clock)), None)
        if original is None:
            decisions[given.row.number] = _alone(given)
            continue
        open_rows.remove(original)
        message = "The broker cancelled this trade in the same statement: rows {} and {} undo each other."
        text = message.format(original.row.number, given.row.number)
        decisions[original.row.number] = kept("cancelled_by_broker", text)
        decisions[given.row.number] = kept("cancelled_by_broker", text)
    return decisions


def _cancels(given: "Booked") -> bool:
    side = given.row.get("buySell").upper()
    return "(CA" in side or given.kind in CANCEL_TYPES or ("Ca" in given.codes and "Co" not in given.codes)


def _is_original(given: "Booked", other: "Booked", clock: "Clock") -> bool:
    if given.account != other.account or not given.quantity or not other.quantity:
        return False
    for named, own in (("origTradeID", "tradeID"), ("origTransactionID", "transactionID")):
        original = given.row.get(named)
        if original not in ("", "0") and original == other.row.get(own):
            return abs(given.quantity) == abs(other.quantity)
    day = clock.day(given.row.get("origTradeDate")) or given.day
    sides = {row.get("buySell").upper()[:4].strip() for row in (given.row, other.row)} - {""}
    return (
        len(sides) < 2
        and given.quantity == -other.quantity
        and given.price == other.price
        and day == other.day
        and given.terms.key == other.terms.key
        and given.terms.asset_type == other.terms.asset_type
    )


def _alone(given: "Booked") -> Decision:
    row = given.row
    size = values.number(row.get("quantity")).removeprefix("-")
    if given.terms.asset_type == UNSUPPORTED:
        return kept("cancelled_by_broker", "The broker cancelled a trade in an asset class that is not followed.")
    return reject(
        "broker_cancellation",
        f"The broker cancelled a trade of {size} {given.terms.symbol} that is not in this statement.",
        field="buySell",
        value=row.get("buySell") or row.get("transactionType"),
        action="Import one statement that holds both the trade and its cancellation; if the trade is in the"
        " book already, cancel it there.",
    )
