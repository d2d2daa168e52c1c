"""Which difference follows from which: the roots, with what follows from them, why, and what would cure them.

Problem. One missing fill makes a position, its lots, realized profit and cash differ as well. Whoever is told of five
differences looks for five causes.

Decision. A cause is believed if what it explains is gone once it is cured. So for every suspicion the events that
would cure it are recorded on trial (`Suppose`), and the sides are compared again: what has gone follows from it. The
suspicions come in an order, and each looks only at what the earlier ones have left:

1. events that differ (executions, cash movements, splits);
2. splits: two of one instrument that are one, or one that the broker has not booked yet;
3. an instrument that has another name at the broker;
4. options that are gone at the broker: expired, assigned, exercised;
5. history that is missing here: what was held before our first event.

What is left is a difference of its own, without a cause. The lots of an instrument whose position differs, and what it
realized, never are: they follow from the position.

Limits. Events are tried together, those of one kind of suspicion at once, so that the number of trials does not grow
with the number of differences; two wrong suspicions about one family (a stock and its options) can hide each other, and
then both stay on their own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from tradelake.reconcile.circumstances import Circumstances, Row, Suppose
from tradelake.reconcile.compare import Compared, compare
from tradelake.reconcile.differences import Difference
from tradelake.reconcile.facts import Side
from tradelake.reconcile.proposals import proposed, supposed

Key = tuple[str, str, str]
FOLLOWING = ("positions", "lots", "realized")


@dataclass(slots=True)
class Root:
    """A difference that follows from no other one, the events that would cure it, and what follows from it."""

    difference: Difference
    rows: tuple[Row, ...] = ()
    consequences: list[Difference] = field(default_factory=list)

    def about(self, difference: Difference, circumstances: Circumstances) -> tuple[bool, ...]:
        """Return how close a difference is to this one; a greater result is closer."""
        own = self.difference
        same_row = any(
            mine is not None and mine == other
            for mine, other in ((own.ours_ref, difference.ours_ref), (own.theirs_ref, difference.theirs_ref))
        )
        same = own.instrument_id is not None and own.instrument_id == difference.instrument_id
        family = circumstances.family(own.instrument_id) == circumstances.family(difference.instrument_id)
        return same_row, same, family, own.currency == difference.currency


class Explaining:
    """The differences that no cause is known of yet, and the roots that were found."""

    def __init__(self, compared: Compared, theirs: Side, circumstances: Circumstances, suppose: Suppose) -> None:
        self.theirs = theirs
        self.circumstances = circumstances
        self.roots: list[Root] = []
        self.notes: list[str] = []
        self._suppose = suppose
        self._trial: list[Row] = []
        self._believed: list[Row] = []
        self.rest: dict[Key, Difference] = {}
        for each in compared.differences:
            if _is_event(each):
                self.roots.append(Root(each, proposed(each, circumstances)))
            else:
                self.rest[each.key] = each

    def of_events(self) -> None:
        """Let follow from differing events what is gone once they are cured; they stay cured for what comes."""
        rows = {id(root): supposed(root.difference, self.circumstances) for root in self.roots}
        gone = self.gone([row for given in rows.values() for row in given])
        self.follow(gone, self.roots)
        moved = {self.circumstances.family(root.difference.instrument_id) for root in self.roots if root.consequences}
        for root in self.roots:
            self._believed += rows[id(root)]
            if self.circumstances.family(root.difference.instrument_id) in moved:
                self._trial += rows[id(root)]

    def gone(self, rows: Sequence[Row]) -> list[Difference]:
        """Return the differences, of those without a cause, that are gone if some rows are recorded."""
        if not rows or not self.rest:
            return []
        return self._without(compare(self._suppose([*self._trial, *rows]), self.theirs))

    def _without(self, compared: Compared) -> list[Difference]:
        there = {each.key for each in compared.differences}
        return [each for key, each in self.rest.items() if key not in there]

    def believe(self, rows: Sequence[Row]) -> None:
        """Keep rows on trial for all that comes: their cause is found."""
        self._trial += rows
        self._believed += rows

    def follow(self, differences: Iterable[Difference], roots: Sequence[Root]) -> None:
        """Put differences under that one of some roots that is closest to them."""
        for each in differences:
            if roots and self.rest.pop(each.key, None) is not None:
                closest = max(roots, key=lambda root: root.about(each, self.circumstances))
                closest.consequences.append(each)

    def found(self, root: Root) -> Root:
        """Take a difference as a root, out of those without a cause."""
        self.rest.pop(root.difference.key, None)
        self.roots.append(root)
        return root

    def under(self, root: Root, instruments: Iterable[str]) -> None:
        """Let all that differs in positions, lots and realized profit of some instruments follow from a root."""
        names = set(instruments)
        for each in list(self.rest.values()):
            if each.section in FOLLOWING and each.instrument_id in names:
                self.follow([each], [root])

    def in_section(self, section: str) -> list[Difference]:
        """Return the differences of a section without a cause."""
        return [each for each in self.rest.values() if each.section == section]

    def left(self) -> None:
        """Make roots of what has no cause; what cannot be compared at all becomes a note."""
        for each in self.in_section("positions"):
            root = self.found(Root(replace(each, cause=each.cause or self._unread(each))))
            self.under(root, [each.name])
        if self.in_section("cash") and self._believed:
            # Cash has many causes at once: it is even when all of them are cured.
            even = self._without(compare(self._suppose(self._believed), self.theirs))
            self.follow([each for each in even if each.section == "cash"], self.roots)
        for each in list(self.rest.values()):
            related = [root for root in self.roots if root.difference.instrument_id == each.instrument_id]
            if each.key in self.rest and each.section in FOLLOWING and related:
                self.follow([each], related)
            elif each.key in self.rest and self._is_comparable(each):
                root = self.found(Root(replace(each, cause=each.cause or CAUSES.get(each.section))))
                self.under(root, [each.name] if each.section == "lots" else [])

    def _unread(self, difference: Difference) -> str | None:
        unread = self.theirs.unread
        if unread is None:
            return None
        rows = unread.filter(instrument_id=difference.instrument_id)
        return f"A row of the statement could not be read as an event: {rows['message'][0]}" if rows.height else None

    def _is_comparable(self, difference: Difference) -> bool:
        """Return whether the two sides mean the same by what differs; else it becomes a note."""
        moved_by = self.circumstances.moved.get(difference.currency or "")
        if difference.section == "cash" and moved_by is not None:
            note = f"cash in {difference.currency} is not compared: it was moved by {moved_by}"
        elif difference.section in FOLLOWING and difference.instrument_id in self.circumstances.shared:
            note = f"{difference.section} of {difference.instrument_id} are not compared: {OWN_LOTS}"
        else:
            return True
        del self.rest[difference.key]
        self.notes.append(note)
        return False


OWN_LOTS = "several books hold it, or it is kept at average cost, and the broker closes its own lots"
CAUSES = {
    "cash": "No event that differs explains it: look for what the statement does not list.",
    "lots": "The same executions and another choice of lots: compare the lot method of the account with the broker's.",
    "realized": "The same executions and another profit: compare the lot method of the account with the broker's.",
}


def _is_event(difference: Difference) -> bool:
    events = ("presence", "quantity", "price", "fee", "multiplier", "kind", "instrument", "day", "id")
    return difference.section in ("executions", "cash") and difference.field in events
