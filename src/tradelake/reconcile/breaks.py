"""The life of a break: what makes it the same one on another night, and which step it takes next.

A break is a difference that follows from no other one. Its id is a digest of what differs (account, section, field and
name), not of the amounts or the night, so that tomorrow's difference is yesterday's break. Its history is a list of
steps that only grows; where it stands is its last step.

    opened -> explained -> accepted          by people
           -> applied                        the proposed events were recorded
           -> changed                        its amounts, or a cause or proposal where there was none
           -> resolved -> reopened           a statement that tells of it no longer differs, or does again

What a newer statement has settled an older one does not reopen, and a break that is accepted comes back when its
amounts change. A statement says nothing about a break that it does not cover: an execution of another period, a
section that it lacks.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake.reconcile.causes import Root
from tradelake.reconcile.circumstances import Row
from tradelake.reconcile.differences import Difference
from tradelake.reconcile.facts import Fact, minus
from tradelake.tables import BREAK_EVENTS
from tradelake.units import plain

BALANCES = ("balance", "change")
OPENING = ("opened", "reopened")
COPIED = ("broker_account_id", "section", "break_class", "instrument_id", "broker_execution_id")
STANDING = (*COPIED, "as_of", "ours", "theirs", "cause", "details")
Step = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a statement can say of breaks: its period, and which sections it tells.

    `events` are the sections of events that it tells whole, `names` what tells its events apart. `told` are the
    currencies of its cash report, `agreed` those of them whose balances agree, and `idle` the instruments with events
    of ours that have no effect.
    """

    since: date
    until: date
    events: frozenset[str] = frozenset()
    positions: bool = False
    lots: bool = False
    realized: bool = False
    agreed: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    idle: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Seen:
    """What one statement showed of one broker account: the roots of its differences, and what it covers."""

    account: str
    roots: Sequence[Root]
    coverage: Coverage
    facts: Mapping[str, Fact] = field(default_factory=dict)


def break_id(account: str, difference: Difference) -> str:
    """Return the id of the break that a difference is: the same one every night."""
    name = json.dumps([account, *difference.key], ensure_ascii=False)
    return f"B-{hashlib.sha256(name.encode()).hexdigest()[:10]}"


def standing(events: pl.DataFrame) -> pl.DataFrame:
    """Return where each break stands: the last of its steps, with the day on which it came up as `opened`."""
    ordered = events.sort("break_id", "step")
    began = pl.col("as_of").filter(pl.col("action").is_in(OPENING)).last().alias("opened")
    last = ordered.group_by("break_id", maintain_order=True).agg(pl.all().last(), began.alias("opened"))
    return last.select(*events.columns, "opened")


def next_steps(seen: Seen, events: pl.DataFrame) -> list[Step]:
    """Return the steps that breaks take after a statement; none where nothing has changed."""
    known = {row["break_id"]: row for row in standing(events).iter_rows(named=True)}
    steps, there = [], set()
    follows: dict[str, str] = {}
    for root in seen.roots:
        identity = break_id(seen.account, root.difference)
        there.add(identity)
        follows |= {break_id(seen.account, each): identity for each in root.consequences}
        step = _step_of_root(identity, root, known.get(identity), seen)
        if step is not None:
            steps.append(step)
    for identity, row in known.items():
        if row["broker_account_id"] != seen.account or row["status"] == "RESOLVED" or identity in there:
            continue
        reason = f"follows from {follows[identity]}" if identity in follows else _settled(row, seen)
        if reason is not None:
            steps.append(following(row, "resolved", "RESOLVED", reason=reason, as_of=seen.coverage.until))
    return steps


def _step_of_root(identity: str, root: Root, row: Mapping[str, Any] | None, seen: Seen) -> Step | None:
    until = seen.coverage.until
    fresh = {**_content(seen.account, root), "break_id": identity, "as_of": until}
    if row is None:
        return {**fresh, "step": 1, "action": "opened", "status": "OPEN"}
    if row["as_of"] > until:
        return None
    after = {**fresh, "step": row["step"] + 1}
    if row["status"] == "RESOLVED":
        return {**after, "action": "reopened", "status": "OPEN"}
    if minus(row["theirs"], row["ours"]) != minus(fresh["theirs"], fresh["ours"]):
        accepted = row["status"] == "ACCEPTED"
        reason = f"it was accepted at {_sides(row)}" if accepted else None
        action, status = ("reopened", "OPEN") if accepted else ("changed", row["status"])
        return {**after, "action": action, "status": status, "reason": reason}
    learnt = (root.difference.cause and not row["cause"]) or (root.rows and not proposal_of(row["details"]))
    if row["status"] == "OPEN" and learnt:
        return {**after, "action": "changed", "status": "OPEN"}
    return None


def _sides(row: Mapping[str, Any]) -> str:
    ours, theirs = ("nothing" if row[name] is None else plain(row[name]) for name in ("ours", "theirs"))
    return f"{ours} here and {theirs} there"


def following(row: Mapping[str, Any], action: str, status: str, **changed: object) -> Step:
    """Return the step after the last one of a break, which says the same but for what is changed."""
    same = {name: row[name] for name in ("break_id", *STANDING)}
    return {**same, "step": row["step"] + 1, "action": action, "status": status, "reason": None, **changed}


def frame_of_steps(steps: Iterable[Step], author: str) -> pl.DataFrame:
    """Return steps as rows of `break_events`; the commit is filled in where they are recorded."""
    rows = [{name: {**step, "author": author}.get(name) for name in BREAK_EVENTS.names} for step in steps]
    return pl.DataFrame(rows, schema=BREAK_EVENTS.schema)


def proposal_of(details: str | None) -> list[Row]:
    """Return the proposed events of a break from its details."""
    return list(json.loads(details).get("proposal", [])) if details else []


def _content(account: str, root: Root) -> Step:
    names = (*COPIED[1:], "ours", "theirs", "cause")
    given = {name: getattr(root.difference, name) for name in names}
    return {**given, "broker_account_id": account, "details": details_of(root), "reason": None}


def details_of(root: Root) -> str:
    """Return what a break keeps besides its columns, as JSON: both sides in full, what follows, what is proposed."""
    difference = root.difference
    details = {
        "field": difference.field,
        "name": difference.name,
        "day": None if difference.day is None else difference.day.isoformat(),
        "currency": difference.currency,
        **difference.both,
        "proposal": list(root.rows),
        "consequences": [consequence(each) for each in root.consequences],
    }
    held = {name: value for name, value in details.items() if value not in (None, [])}
    return json.dumps(held, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def consequence(difference: Difference) -> dict[str, str]:
    """Return a difference as it stands beneath its root."""
    names = ("section", "field", "instrument_id", "currency", "broker_execution_id", "ours", "theirs")
    given = {name: getattr(difference, name) for name in names}
    return {name: plain(v) if isinstance(v, Decimal) else str(v) for name, v in given.items() if v is not None}


def _settled(row: Mapping[str, Any], seen: Seen) -> str | None:
    """Return why a break that a statement does not show is settled, or None where the statement cannot say."""
    if row["as_of"] > seen.coverage.until:
        return None
    details = json.loads(row["details"])
    if _covers(row, details, seen.coverage):
        return "no longer differs"
    fact = seen.facts.get(row["broker_execution_id"] or "")
    if row["section"] == "executions" and row["broker_execution_id"] and _agrees(details, fact):
        return "the book now has what the statement said"
    return None


def _covers(row: Mapping[str, Any], details: Mapping[str, Any], coverage: Coverage) -> bool:
    day = date.fromisoformat(details["day"]) if details.get("day") else row["as_of"]
    inside = coverage.since <= day <= coverage.until or details["name"] in coverage.names
    if details["field"] in BALANCES:
        currency = details.get("currency")
        return currency in coverage.agreed or (currency in coverage.told and day == coverage.until)
    if row["section"] in ("executions", "cash"):
        own = row["section"]
        if details.get("ours", details.get("theirs", {})).get("kind") == "split":
            own = "actions"
        return own in coverage.events and inside
    if row["section"] == "realized":
        return coverage.realized and inside
    if details["field"] == "history":
        return row["instrument_id"] not in coverage.idle
    return coverage.positions if row["section"] == "positions" else coverage.lots


def _agrees(details: Mapping[str, Any], fact: Fact | None) -> bool:
    """Return whether the book now has the execution as the broker told it, or has it no more."""
    theirs = details.get("theirs")
    if theirs is None:
        return fact is None
    if fact is None or fact.idle is not None:
        return False
    names = ("quantity", "price", "charges") if details["field"] == "presence" else (FIELD_OF.get(details["field"]),)
    return all(name is not None and _text(getattr(fact, name)) == theirs.get(name) for name in names)


FIELD_OF = {"quantity": "quantity", "price": "price", "fee": "charges"}


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)
