"""What became of options that have expired and are still open: what would be booked, for somebody to confirm.

An option is never taken for worthless because its day is over. What it was worth follows from the price of its
underlying at the close of its last session: out of the money it expires, in the money it is exercised by its holder and
assigned to its writer, or settled in cash. Without that price nothing is proposed. A holder may have given other
instructions, and a writer may have been spared, so it stays a proposal.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import polars as pl

from tradelake.sessions import NEW_YORK, from_new_york, trade_date
from tradelake.tables import Column, Table

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proposal:
    """One event that would end an expired option: its id, the event as an execution row, and the reason in words.

    `event` is None where the price of the underlying is not known.
    """

    proposal_id: str
    account_id: str
    instrument_id: str
    quantity: Decimal
    expiration: date
    price: Decimal | None
    event: dict[str, Any] | None
    reason: str

    @property
    def kind(self) -> str:
        """What would be booked: expire, exercise, assign or cash_settle; undecided without a price."""
        return "undecided" if self.event is None else str(self.event["kind"])


PROPOSALS = Table(
    "proposals",
    "Options that have expired and are still open, and the event that would end each",
    (
        Column("proposal_id", "text", "the proposal; the event would have it as its trade id"),
        Column("account_id", "text", "book that holds the option"),
        Column("instrument_id", "text", "the option"),
        Column("quantity", "quantity", "signed contracts held"),
        Column("expiration", "date", "last day of the contract"),
        Column("underlying_price", "money", "mark of its underlying at the close of its last session", null=True),
        Column("kind", "text", "expire, exercise, assign or cash_settle; undecided where that cannot be told"),
        Column("reason", "text", "why"),
        Column("event", "json", "the event as an execution row; null where it is undecided", null=True),
    ),
    key=("proposal_id",),
    sort=("account_id", "instrument_id"),
)


def proposal_rows(proposals: Iterable[Proposal]) -> pl.DataFrame:
    """Return proposals as rows of PROPOSALS."""
    rows = [
        (
            each.proposal_id,
            each.account_id,
            each.instrument_id,
            each.quantity,
            each.expiration,
            each.price,
            each.kind,
            each.reason,
            None if each.event is None else json.dumps(each.event),
        )
        for each in proposals
    ]
    return pl.DataFrame(rows, schema=PROPOSALS.schema, orient="row")


def expired_options(
    positions: pl.DataFrame,
    instruments: pl.DataFrame,
    prices: pl.DataFrame,
    died_at: Mapping[str, datetime],
    mornings: Collection[str] = (),
) -> list[Proposal]:
    """Return a proposal for each open position in an option that has expired, by account and instrument.

    `positions` are the open ones, `died_at` the instant at which each expired instrument among them ended; `prices` are
    marks of the underlying at the close of that day: instrument_id, mark_date, price. `mornings` are the instruments
    that settled before it.
    """
    terms = {row["instrument_id"]: row for row in instruments.iter_rows(named=True)}
    marks = {(name, day): price for name, day, price in prices.select("instrument_id", "mark_date", "price").rows()}
    held = positions.filter(pl.col("instrument_id").is_in(list(died_at))).sort("account_id", "instrument_id")
    return [
        _proposal(
            row,
            terms[row["instrument_id"]],
            marks,
            died_at[row["instrument_id"]],
            morning=row["instrument_id"] in mornings,
        )
        for row in held.iter_rows(named=True)
    ]


def _proposal(
    row: Row, terms: Row, marks: Mapping[tuple[str, date], Decimal], at: datetime, *, morning: bool
) -> Proposal:
    underlying, expiration, quantity = terms["underlying_instrument_id"], terms["expiration"], row["quantity"]
    price = marks.get((underlying, trade_date(at)))
    name = "E-" + sha256("|".join((row["position_id"], str(expiration))).encode()).hexdigest()[:8]
    reason = None
    if terms["deliverable"] is not None:
        reason = "what an adjusted contract delivers decides what it was worth"
    elif morning:
        reason = "it settled in the morning, at a price that no close tells"
    elif price is None:
        reason = f"{underlying} has no mark of that day"
    if reason is not None or price is None:
        return Proposal(name, row["account_id"], row["instrument_id"], quantity, expiration, price, None, reason or "")
    call = terms["option_type"] == "CALL"
    worth = max(price - terms["strike"] if call else terms["strike"] - price, Decimal(0))
    kind = _kind(worth, terms["settlement"], held_long=quantity > 0)
    event = {
        "trade_id": name,
        "kind": kind,
        "account_id": row["account_id"],
        "instrument_id": row["instrument_id"],
        "executed_at": _ended(at, expiration).isoformat(),
        "quantity": format(abs(quantity).normalize(), "f"),
    }
    if kind == "cash_settle":
        event["price"] = format(price.normalize(), "f")
    where = f"{underlying} closed at {format(price.normalize(), 'f')}"
    reason = f"{where}, {'in' if worth else 'out of'} the money"
    return Proposal(name, row["account_id"], row["instrument_id"], quantity, expiration, price, event, reason)


def _ended(at: datetime, expiration: date) -> datetime:
    """Return the instant of the event: its death, or the same time of its expiration where no session was on that day.

    No broker books the end of a contract before the day that its name says.
    """
    local = at.astimezone(NEW_YORK)
    return at if local.date() >= expiration else from_new_york(datetime.combine(expiration, local.time()))


def _kind(worth: Decimal, settlement: str | None, *, held_long: bool) -> str:
    if not worth:
        return "expire"
    if settlement == "CASH":
        return "cash_settle"
    return "exercise" if held_long else "assign"
