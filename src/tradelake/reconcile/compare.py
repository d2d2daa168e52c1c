"""The two sides held against each other: everything that differs, before anything is said about why."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tradelake.reconcile.balances import of_cash, of_lots, of_positions, of_realized
from tradelake.reconcile.differences import Difference
from tradelake.reconcile.executions import of_executions
from tradelake.reconcile.facts import Side
from tradelake.reconcile.matching import Matched


@dataclass(frozen=True, slots=True)
class Compared:
    """All differences between two sides, and which events were found to be the same."""

    differences: tuple[Difference, ...]
    matched: Matched


def compare(ours: Side, theirs: Side) -> Compared:
    """Return what differs between two sides; a section that one of them does not tell is not compared."""
    found, matched = of_executions(ours, theirs)
    found += of_positions(ours, theirs)
    found += of_lots(ours, theirs)
    found += of_cash(ours, theirs)
    found += of_realized(ours, theirs, matched)
    return Compared(tuple(_numbered(found)), matched)


def _numbered(differences: Iterable[Difference]) -> Iterable[Difference]:
    """Tell differences apart that are about rows of the same content and without ids."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for each in differences:
        seen[each.key] += 1
        count = seen[each.key]
        yield each if count == 1 else replace(each, name=f"{each.name} #{count}")
