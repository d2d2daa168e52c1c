"""The events that would cure a difference, as rows that `Book.record` takes.

Nothing here is recorded. A row that the broker reported keeps the ids that it came with, so that a later import
recognises it; a cure names the row of the log that it cures.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from tradelake import sessions
from tradelake.reconcile.circumstances import Circumstances, Part, Row
from tradelake.reconcile.differences import Difference
from tradelake.reconcile.facts import minus, plus
from tradelake.units import plain

BOOKING = time(16, 20)
OF_A_DAY = ("executed_at", "trade_date")


def proposed(difference: Difference, circumstances: Circumstances) -> tuple[Row, ...]:
    """Return the events that would make our side what the broker's is; none where a person has to find them."""
    parts = circumstances.parts.get(difference.ours_ref or "", ())
    row = circumstances.rows.get(difference.theirs_ref or "")
    if difference.field == "presence":
        return _of_presence(difference, parts, row, circumstances)
    if row is None or not parts:
        return ()
    if difference.field == "kind":
        return (*cancels(parts, row["executed_at"]), row)
    if len(parts) != 1:
        return tuple(_correct(part, row, {"price": row["price"]}) for part in parts if difference.field == "price")
    changes = _changes(difference, row, circumstances)
    return (_correct(parts[0], row, changes),) if changes else ()


def supposed(difference: Difference, circumstances: Circumstances) -> tuple[Row, ...]:
    """Return events that make our side what the broker's is for the sake of the argument: proposed ones, or a guess."""
    rows = proposed(difference, circumstances)
    parts = circumstances.parts.get(difference.ours_ref or "", ())
    if rows or not parts:
        return rows
    at = difference.both.get("ours", {}).get("executed_at", circumstances.as_of.isoformat())
    if difference.field == "presence" and difference.theirs is None:
        return cancels(parts, at)
    row = circumstances.rows.get(difference.theirs_ref or "", {})
    more = minus(difference.theirs, difference.ours)
    first, changes = parts[0], {}
    if difference.field == "quantity" and first.quantity is not None:
        sells = difference.ours is not None and difference.ours < 0
        changes = {"quantity": plain(minus(first.quantity, more) if sells else plus(first.quantity, more))}
    elif difference.field == "fee":
        changes = {"commission": plain(plus(first.commission, more))}
    return (_correct(first, {"executed_at": at, **row}, changes),) if changes else ()


def _of_presence(
    difference: Difference, parts: Sequence[Part], row: Row | None, circumstances: Circumstances
) -> tuple[Row, ...]:
    if row is not None:
        # What was cancelled here comes back by taking out the cancel: the log knows the execution.
        busted = circumstances.busted.get(difference.broker_execution_id or "")
        return cancels([busted], row["executed_at"]) if busted else (row,)
    if difference.break_class not in ("missing_there", "stale_split"):
        return ()
    return cancels(parts, difference.both["ours"]["executed_at"])


def cancels(parts: Sequence[Part], at: str) -> tuple[Row, ...]:
    """Return the events that take out rows of the log."""
    return tuple({"kind": "cancel", "target_id": p.trade_id, "leg_id": p.leg_id, "executed_at": at} for p in parts)


def _correct(part: Part, row: Row, changes: Mapping[str, Any]) -> Row:
    return {
        "kind": "correct",
        "target_id": part.trade_id,
        "leg_id": part.leg_id,
        "executed_at": row["executed_at"],
        "set": dict(changes),
    }


def _changes(difference: Difference, row: Row, circumstances: Circumstances) -> dict[str, Any]:
    """Return the fields that a correction of our row sets."""
    if difference.section == "cash":
        return {"amount": row["amount"]}
    if difference.field == "quantity":
        turned = (difference.ours or 0) * (difference.theirs or 0) < 0
        return {"quantity": row["quantity"]} | ({"action": row["action"]} if turned else {})
    if difference.field == "price":
        return {"price": row["price"]}
    if difference.field == "fee":
        return {"commission": row.get("commission", "0"), "fees": row.get("fees", "0")}
    if difference.field == "instrument":
        named = circumstances.terms.get(difference.both["theirs"].get("instrument_id", ""), {})
        naming = ("instrument_id", "contract_symbol", "symbol")
        return next(({name: named[name]} for name in naming if name in named), {})
    if difference.field == "day":
        return {name: row[name] for name in OF_A_DAY if name in row}
    return {}


def event(kind: str, circumstances: Circumstances, instrument_id: str, at: datetime, **fields: object) -> Row:
    """Return a row about an instrument in the broker account; fields that are None are left out."""
    named = circumstances.terms.get(instrument_id, {"instrument_id": instrument_id})
    given = {**named, "executed_at": at.isoformat(), **fields}
    row = {"kind": kind, "broker_account_id": circumstances.account, **given}
    return {name: plain(v) if isinstance(v, Decimal) else v for name, v in row.items() if v is not None}


def booked_at(circumstances: Circumstances, day: object = None) -> datetime:
    """Return the time at which a broker books what happened after a close: of *day*, else of the last day."""
    wanted = day if day is not None else circumstances.until
    return sessions.from_new_york(datetime.fromisoformat(f"{wanted}T{BOOKING.isoformat()}"))
