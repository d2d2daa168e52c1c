"""Deliveries that reach events which were deleted, or the time before the book was closed."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl

from tradelake.errors import Problem
from tradelake.store.archived import archive_of, known_by_key
from tradelake.store.catalog import Catalog
from tradelake.store.closing import closed_until, deleted_logs
from tradelake.store.cures import Row
from tradelake.tables import CHAIN_KINDS, CURE_KINDS

Verdict = tuple[int, str, str | None, str | None, str]
KNOWN = "the event is known, and was deleted when its retention was over"


def deleted_duplicates(events: pl.DataFrame, keys: pl.DataFrame) -> list[Verdict]:
    """Return a verdict for every event that was recorded once and is deleted: its content cannot be compared."""
    known = known_by_key(events, keys).select("order", "trade_id")
    return [(order, "duplicate", None, KNOWN, trade_id) for order, trade_id in known.iter_rows()]


def before_closing(events: pl.DataFrame, until: datetime) -> tuple[list[Verdict], list[Problem]]:
    """Return a verdict for every new event that is said to have happened before the book was closed, and why.

    Cures are judged by their targets, and labels of chains change no lots.
    """
    others = ~pl.col("kind").is_in((*CURE_KINDS, *CHAIN_KINDS))
    late = events.filter(others & (pl.col("executed_at") <= until))
    verdicts: list[Verdict] = []
    problems: list[Problem] = []
    for order, row, trade_id in late.select("order", "source_row", "trade_id").iter_rows():
        problems.append(replace(closed_problem(until), row=row, trade_id=trade_id))
        verdicts.append((order, "reject", problems[-1].code, str(problems[-1]), trade_id))
    return verdicts, problems


def deleted_target(catalog: Catalog, cure: Row) -> Problem | None:
    """Return why a cancel or correct cannot be recorded whose target was deleted; None for any other."""
    until = closed_until(catalog)
    if until is None:
        return None
    part = archive_of(catalog, str(cure["target_id"]), str(cure["leg_id"]))
    return closed_problem(until, "target_id") if part in deleted_logs(catalog)["archive_id"].to_list() else None


def reaches_back(catalog: Catalog, target: Row, cure: Row) -> Problem | None:
    """Return why a cancel or correct cannot be recorded that changes what was before the closing of the book."""
    until = closed_until(catalog)
    if until is None:
        return None
    if target["executed_at"] <= until:
        return closed_problem(until, "target_id")
    moved = json.loads(cure["details"] or "{}").get("set", {}).get("executed_at") if cure["kind"] == "correct" else None
    if moved is None or datetime.fromisoformat(moved).astimezone(UTC) > until:
        return None
    return closed_problem(until, "set")


def closed_problem(until: datetime, field: str = "executed_at") -> Problem:
    """Return why nothing can be recorded that happened by an instant."""
    return Problem(
        "closed_past",
        f"the book is closed up to {until.isoformat()}, since events up to then were deleted after their retention",
        field=field,
        action="Leave the row out, or record what it changes as events of today.",
    )
