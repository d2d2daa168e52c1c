"""Corporate actions of a Flex statement -> events for the books of its broker account.

A row has no ratio field: it is in the description, "SPLIT 4 FOR 1", and in the quantities, which are what the position
gained or lost. The two must agree to the last printed digit. One action comes as one row, or as two: the old
instrument goes out, the new one comes in. Where both quantities are printed their quotient is the ratio, because
the broker rounds fractions and our position must be the broker's. What neither tells (the basis that a spin-off
takes along, the price of a new share) is a problem for a person, never a guess.

The broker books an action in the evening before its ex-date, at the time that the row gives.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from tradelake import units
from tradelake.intake import ibkr_values as values
from tradelake.intake.ibkr_action_rows import Action, last_place, price_of, read_action, size, times_paid, treatment
from tradelake.intake.ibkr_decisions import Decision, bad_timestamp, event, kept, missing_day, reject

if TYPE_CHECKING:
    from tradelake.intake.ibkr_values import Clock
    from tradelake.intake.ibkr_xml import Row

TOLD_AS_CASH = {"CD", "PI", "CP", "DI", "ED", "RC"}
SPLITS = {"FS", "RS", "SD", "STOCK SPLIT", "FORWARD SPLIT", "REVERSE SPLIT", "STOCK DIVIDEND"}
EXCHANGES = {"TC", "IC", "CC", "MERGER", "CUSIP/ISIN CHANGE"}
WORTHLESS = {"DW", "DELIST WORTHLESS"}
_RENAMED = (".OLD", ".NEW")
_BY_HAND = "Record the action as an event with its terms, from the issuer's notice or Form 8937."
_Group = tuple[str, str, str, str]


def action_decisions(rows: Iterable["Row"], clock: "Clock") -> dict[int, Decision]:
    """Return the decisions on the rows of CorporateActions, by row number."""
    decisions: dict[int, Decision] = {}
    groups: dict[_Group, list[Row]] = defaultdict(list)
    for row in rows:
        kind = row.get("type").upper()
        if row.attributes.get("accountId", "").strip() == "-":
            decisions[row.number] = kept("summary", "Totals over all accounts repeat what the accounts' own rows tell.")
        elif kind in TOLD_AS_CASH:
            decisions[row.number] = kept("told_as_cash", "The section CashTransactions tells the cash of this action.")
        else:
            day = clock.day(row.get("dateTime", "date", "reportDate")) or ""
            action = row.get("actionID") or row.get("actionDescription", "description").partition(" (")[0]
            groups[row.account, kind, action, day].append(row)
    for (_, kind, _, _), members in groups.items():
        fresh = _without_repeats(members, decisions)
        decisions |= _decide(read_action(fresh), kind, clock)
    return decisions


def _without_repeats(rows: Sequence["Row"], decisions: dict[int, Decision]) -> list["Row"]:
    """Return the rows without those that repeat another one, which are kept as such."""
    seen: dict[tuple[str, ...], int] = {}
    fresh = []
    for row in rows:
        what = tuple(row.get(name) for name in ("transactionID", "conid", "symbol", "quantity", "proceeds"))
        if what in seen:
            decisions[row.number] = kept("repeated", f"This row repeats row {seen[what]}.", owner=seen[what])
        else:
            seen[what] = row.number
            fresh.append(row)
    return fresh


def _decide(action: Action, kind: str, clock: "Clock") -> dict[int, Decision]:
    first = action.rows[0]
    if any(row.get("assetCategory").upper() not in ("", "STK") for row in action.rows):
        decision = _undecided(first, "It is about an asset class that is not followed.")
    elif "Ca" in values.codes(first.get("code")):
        decision = _cancel(first, clock)
    elif kind in SPLITS:
        decision = _split(action, kind, clock)
    elif kind in EXCHANGES:
        decision = _exchange(action, kind, clock)
    elif kind in WORTHLESS and action.old is not None:
        decision = _event(action, clock, {"kind": "merger", "amount_per_unit": "0"})
    else:
        decision = _undecided(first, f"An action of type {kind or 'unnamed'} does not tell all that the books need.")
    rest = {
        row.number: decision
        if decision.outcome == "reject"
        else kept("same_action", f"Row {first.number} carries this action.", owner=first.number)
        for row in action.rows[1:]
    }
    return {first.number: decision, **rest}


def _split(action: Action, kind: str, clock: "Clock") -> Decision:
    first, ratio = action.rows[0], action.ratio
    if ratio is not None and kind in ("SD", "STOCK DIVIDEND"):
        ratio += 1
    if action.new is not None and action.old is not None:
        return _exchange(action, kind, clock)
    if ratio is None or ratio == 1 or len(action.rows) != 1:
        return _undecided(first, "Its description has no ratio.")
    gained = size(first)
    if gained and (gained > 0) != (ratio > 1) and not first.get("quantity").startswith("-"):
        return _contradiction(first, ratio)
    return _event(action, clock, {"kind": "split", "ratio": _written(ratio)})


def _exchange(action: Action, kind: str, clock: "Clock") -> Decision:
    first, old, new = action.rows[0], action.old, action.new
    if old is None or len(action.rows) > 2:
        return _undecided(first, "Its rows are not one instrument that goes out and one that comes in.")
    if new is None:
        return _for_cash(action, old, clock)
    quotient = abs(size(new) / size(old))
    ratio = action.ratio if action.ratio is not None else Fraction(1)
    if abs(ratio * abs(size(old)) - abs(size(new))) > last_place(new):
        return _contradiction(first, ratio)
    name = new.get("symbol")
    for suffix in _RENAMED:
        name = name.removesuffix(suffix)
    # A quotient of rounded quantities is the ratio of this position alone: it is what the broker booked.
    terms: dict[str, str | None] = {"new_symbol": name, "ratio": _written(quotient)}
    if kind in SPLITS:
        # Old and new units are one position: what it changed by is the difference of the two rows.
        change = units.plain(units.to_decimal(int((size(new) + size(old)) * units.QUANTITY_UNIT), units.QUANTITY_SCALE))
        return _event(action, clock, {"kind": "split", **terms, "reported_change": change})
    if kind != "TC" and quotient == 1:
        return _event(action, clock, {"kind": "symbol_change", "new_symbol": name})
    terms["treatment"] = treatment(old)
    if action.cash is not None:
        price = price_of(new)
        if price is None:
            return _undecided(first, "It pays cash and shares, and the row of the shares has no value.")
        terms |= {"amount_per_unit": action.cash, "new_price": price}
    return _event(action, clock, {"kind": "merger", **terms})


def _for_cash(action: Action, old: "Row", clock: "Clock") -> Decision:
    if action.cash is None:
        return _undecided(old, "Its description has no cash per share, and no other instrument comes in.")
    paid, proceeds = values.exact(action.cash, units.MONEY_SCALE), values.exact(old.get("proceeds"), units.MONEY_SCALE)
    if paid is not None and proceeds and abs(proceeds) != times_paid(paid, old):
        return _contradiction(old, Fraction(action.cash))
    return _event(action, clock, {"kind": "merger", "amount_per_unit": action.cash})


def _cancel(row: "Row", clock: "Clock") -> Decision:
    known = _trade_id(row)
    if known is None:
        return _undecided(row, "It takes an action back and does not say which.")
    at = clock.instant(row.get("dateTime", "reportDate"), time_missing=values.BOOKING)
    if at is None:
        return bad_timestamp(row, "dateTime")
    return event({"kind": "cancel", "trade_id": f"{known}:Ca", "target_id": known, "executed_at": at})


def _event(action: Action, clock: "Clock", terms: Mapping[str, str | None]) -> Decision:
    row = action.old or action.rows[0]
    field = next((name for name in ("dateTime", "reportDate", "date") if row.get(name)), "")
    if not field:
        return missing_day("dateTime")
    at = clock.instant(row.get(field), time_missing=values.BOOKING)
    if at is None:
        return bad_timestamp(row, field)
    return event(
        {
            "trade_id": _trade_id(row),
            "broker_account_id": row.account,
            "symbol": action.old_symbol,
            "asset_type": "STOCK",
            "currency": row.get("currency") or None,
            "executed_at": at,
            "reason": action.text or None,
            "reported_change": values.number(row.get("quantity")) if size(row) else None,
            **terms,
        }
    )


def _trade_id(row: "Row") -> str | None:
    number = row.get("actionID")
    return f"actionID:{number}:{row.account}" if number else None


def _written(ratio: Fraction) -> str:
    return f"{ratio.numerator}/{ratio.denominator}"


def _undecided(row: "Row", why: str) -> Decision:
    what = row.get("actionDescription") or row.get("description") or row.get("symbol")
    return reject(
        "undecided_corporate_action",
        f"What '{what}' does to the position cannot be told from the statement. {why}",
        field="type",
        value=row.get("type"),
        action=_BY_HAND,
    )


def _contradiction(row: "Row", ratio: Fraction) -> Decision:
    said = units.plain(Decimal(ratio.numerator)) + (f"/{ratio.denominator}" if ratio.denominator != 1 else "")
    return reject(
        "undecided_corporate_action",
        f"The description says {said}, and the quantities and amounts of the rows say something else.",
        field="quantity",
        value=row.get("quantity"),
        action=_BY_HAND,
    )
