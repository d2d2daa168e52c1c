"""Which execution of ours is which of the broker's: by execution id, by content, by what nearly agrees.

Problem. Not every row has an id: fills recorded by hand, statements whose query leaves the ids out. And the same fill
may stand under two ids, or on two days. So the passes go from sure to likely, and each takes what the earlier ones
have left:

1. by id, where both sides have it; of a broker's correction, whose id differs after its last dot only, by what is
   before that dot;
2. by content: instrument, kind, signed quantity and price agree, and the instants lie within a window;
3. near misses, only where one side has no id: the same but for one of quantity, price, kind.

Decision. Every pass is greedy in order of time, then content, and takes the nearest: of its own instant before others,
and of either what cost the same before what did not. The result depends on nothing else. Rows without an instant are
matched by id only. Limit: of identical fills nobody can say which one is missing; the count is right, and the one that
is named is the last.
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product

from tradelake.reconcile.facts import Fact
from tradelake.tables import CORPORATE_KINDS, OPTION_KINDS

CORRECTABLE = re.compile(r"^([0-9A-Fa-f]{8}\.[0-9A-Fa-f]{8}\.[0-9]{2})\.[0-9]{2}$")
WINDOW = timedelta(days=1)
WINDOW_OF_CASH = timedelta(days=5)
WINDOW_OF_ACTIONS = timedelta(days=7)
ID, CONTENT, NEAR = "id", "content", "near"
Content = Callable[[Fact], Hashable]


@dataclass(frozen=True, slots=True)
class Pair:
    """One execution on both sides, and by what they were found to be the same: id, content or near."""

    ours: Fact
    theirs: Fact
    by: str


@dataclass(frozen=True, slots=True)
class Matched:
    """Pairs, and what is left on either side."""

    pairs: tuple[Pair, ...]
    ours: tuple[Fact, ...]
    theirs: tuple[Fact, ...]


def match(ours: Sequence[Fact], theirs: Sequence[Fact]) -> Matched:
    """Match executions and cash movements of the two sides; both come in order of time and content."""
    found = _Matching(ours, theirs)
    found.by_key(lambda fact: fact.broker_execution_id)
    found.by_key(_base)
    found.within(_content, CONTENT)
    found.within(_but_for("quantity"), NEAR)
    found.within(_but_for("price"), NEAR)
    found.within(_but_for("kind"), NEAR)
    return Matched(tuple(found.pairs), tuple(found.ours.values()), tuple(found.theirs.values()))


def base_of(broker_execution_id: str | None) -> str | None:
    """Return the part of an execution id that a broker's correction keeps; None for an id of another form."""
    found = CORRECTABLE.match(broker_execution_id or "")
    return found[1] if found else None


def _base(fact: Fact) -> Hashable:
    return base_of(fact.broker_execution_id)


def _content(fact: Fact) -> Hashable:
    if fact.section == "cash":
        return (fact.section, fact.currency, fact.quantity)
    common = (fact.kind, fact.instrument_id, fact.currency, fact.quantity)
    if fact.kind in CORPORATE_KINDS:
        return (fact.kind, fact.instrument_id, fact.ratio)
    return common if fact.kind in OPTION_KINDS else (*common, fact.price)


def _but_for(field: str) -> Content:
    def content(fact: Fact) -> Hashable:
        if fact.section == "cash":
            return (fact.kind, fact.currency, fact.trade_date) if field == "quantity" else None
        if fact.kind in CORPORATE_KINDS:
            return None
        if field == "kind":
            return (fact.instrument_id, fact.quantity) if fact.kind in OPTION_KINDS else None
        rest = (fact.kind, fact.instrument_id, fact.currency)
        sells = fact.quantity is not None and fact.quantity < 0
        if field == "quantity":
            return (*rest, sells, fact.price if fact.kind == "trade" else None)
        return (*rest, fact.quantity)

    return content


def _window(fact: Fact) -> timedelta:
    if fact.section == "cash":
        return WINDOW_OF_CASH
    return WINDOW_OF_ACTIONS if fact.kind in CORPORATE_KINDS else WINDOW


class _Matching:
    """What is matched so far; what is left is in order."""

    def __init__(self, ours: Sequence[Fact], theirs: Sequence[Fact]) -> None:
        self.ours = {fact.ref: fact for fact in ours}
        self.theirs = {fact.ref: fact for fact in theirs}
        self.pairs: list[Pair] = []

    def by_key(self, key: Content) -> None:
        """Match what has one key on both sides; of several those first that agree in kind, instrument and quantity."""
        waiting: dict[Hashable, list[Fact]] = defaultdict(list)
        for fact in self.ours.values():
            if key(fact) is not None:
                waiting[fact.section, key(fact)].append(fact)
        for theirs in list(self.theirs.values()):
            there = waiting.get((theirs.section, key(theirs)), [])
            if key(theirs) is not None and there:
                ours = min(there, key=lambda fact: (_strangeness(fact, theirs), fact.ref))
                there.remove(ours)
                self._take(ours, theirs, ID)

    def within(self, content: Content, by: str) -> None:
        """Match what has one content on both sides and lies within the window, the nearest first."""
        waiting: dict[Hashable, list[tuple[datetime, Fact]]] = defaultdict(list)
        for fact in self.ours.values():
            if fact.executed_at is not None and content(fact) is not None:
                waiting[content(fact)].append((fact.executed_at, fact))
        mine = [fact for fact in self.theirs.values() if content(fact) in waiting and content(fact) is not None]
        for at_once, same_charges in product((True, False), repeat=2):
            for theirs in mine:
                if theirs.ref in self.theirs and theirs.executed_at is not None:
                    there = waiting[content(theirs)]
                    span = timedelta(0) if at_once else _window(theirs)
                    self._nearest(theirs, theirs.executed_at, there, span, by, same_charges=same_charges)

    def _nearest(
        self,
        theirs: Fact,
        at: datetime,
        there: list[tuple[datetime, Fact]],
        span: timedelta,
        by: str,
        *,
        same_charges: bool,
    ) -> None:
        """Pair a row with the nearest of those that wait; *same_charges*: only with one that cost the same."""
        position = bisect_left(there, at, key=lambda waiting: waiting[0])
        lowest = highest = position
        best: tuple[timedelta, int] | None = None
        while lowest > 0 and at - there[lowest - 1][0] <= span:
            lowest -= 1
        while highest < len(there) and there[highest][0] - at <= span:
            highest += 1
        for index in range(lowest, highest):
            ours = there[index][1]
            if by == NEAR and ours.broker_execution_id and theirs.broker_execution_id:
                continue
            if same_charges and ours.charges != theirs.charges:
                continue
            rank = (abs(there[index][0] - at), index)
            if best is None or rank < best:
                best = rank
        if best is not None:
            self._take(there.pop(best[1])[1], theirs, by)

    def _take(self, ours: Fact, theirs: Fact, by: str) -> None:
        self.pairs.append(Pair(self.ours.pop(ours.ref), self.theirs.pop(theirs.ref), by))


def _strangeness(ours: Fact, theirs: Fact) -> int:
    names = ("kind", "instrument_id", "quantity", "price")
    return sum(getattr(ours, name) != getattr(theirs, name) for name in names)
