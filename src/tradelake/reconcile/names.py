"""One holding under two names: the broker lists it as another instrument than the book does."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal

from tradelake import sessions
from tradelake.reconcile.causes import Explaining, Root
from tradelake.reconcile.circumstances import Circumstances, Row
from tradelake.reconcile.differences import Difference
from tradelake.reconcile.facts import minus
from tradelake.reconcile.proposals import event
from tradelake.units import plain

CAUSE = "The broker lists the {} of {} as {}: {}."


def of_names(explaining: Explaining) -> None:
    """Find pairs of positions that differ by the same quantity in opposite directions and are one holding."""
    circumstances = explaining.circumstances
    by_size: dict[Decimal, list[Difference]] = defaultdict(list)
    for each in explaining.in_section("positions"):
        by_size[minus(each.ours, each.theirs)].append(each)
    for size, here in by_size.items():
        for old in here if size and -size in by_size else ():
            there = [new for new in by_size[-size] if new.key in explaining.rest]
            new, evidence = _partner(old, there, circumstances)
            if new is None or old.key not in explaining.rest or not (old.ours or 0):
                continue
            lone = sum(1 for each in here if not (each.theirs or 0)) == 1
            if evidence or (lone and len(there) == 1):
                _found(explaining, old, new, evidence or "the quantity is the same, and each side has only one of them")


def _partner(
    old: Difference, there: Iterable[Difference], circumstances: Circumstances
) -> tuple[Difference | None, str | None]:
    """Return the position that is the same holding, and how that is known; None for what is only of equal size."""
    mine = circumstances.contract(old.instrument_id)
    alike = None
    for new in there:
        other = circumstances.contract(new.instrument_id)
        if mine.contract_id and mine.contract_id == other.contract_id:
            return new, f"both are its contract {mine.contract_id}"
        if mine.isin and mine.isin == other.isin:
            return new, f"both have the ISIN {mine.isin}"
        one_sided = not (old.theirs or 0) and not (new.ours or 0)
        if one_sided and mine.asset_type == other.asset_type == "STOCK":
            alike = new
    return alike, None


def _found(explaining: Explaining, old: Difference, new: Difference, evidence: str) -> None:
    circumstances = explaining.circumstances
    rows = _rows(circumstances, old.name, new.name)
    gone = explaining.gone(rows)
    cause = CAUSE.format(plain(abs(minus(old.ours, old.theirs))), old.name, new.name, evidence)
    good = old in gone and new in gone
    root = explaining.found(Root(replace(old, break_class="symbol_change", cause=cause), rows if good else ()))
    explaining.follow([new, *(each for each in gone if good)], [root])
    explaining.believe(rows if good else ())
    explaining.under(root, [old.name, new.name])


def _rows(circumstances: Circumstances, old: str, new: str) -> tuple[Row, ...]:
    """Return the change of name, on the day of our first event under the new one, else on the last day."""
    begun = circumstances.begun.get(new)
    day = min(begun.day, circumstances.until) if begun else circumstances.until
    named = circumstances.terms.get(new, {"instrument_id": new})
    if circumstances.contract(old).asset_type != "STOCK":
        return ()
    known = "instrument_id" in named
    given = {"new_instrument_id": named["instrument_id"]} if known else {"new_symbol": named["symbol"]}
    at = sessions.from_new_york(datetime.combine(day, time()))
    return (event("symbol_change", circumstances, old, at, **given),)
