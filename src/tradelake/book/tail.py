"""The tail: events after the checkpoint, folded over it in memory.

What a process has committed or read itself is remembered, so that a fill and the positions after it cost one small
query. A fold starts from the open lots and positions of the touched families, or from their first event where
something arrived late.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime

import polars as pl

from tradelake.book.before import Before, Befores
from tradelake.book.closing import derive_after
from tradelake.book.derive import EVENT_COLUMNS, EVENT_SCHEMA, SELECT, derive, matched_kinds
from tradelake.book.folding import Planner
from tradelake.book.groups import FAMILY, Roots
from tradelake.book.reach import REACHING_KINDS, Reaching
from tradelake.book.start import Start, first_start, standing_accounts, start_at
from tradelake.lots import in_effect
from tradelake.positions import NOTHING_REALIZED, REALIZED
from tradelake.store import Catalog, Checkpoint, Derived, References, Standing
from tradelake.store.cold import HOT
from tradelake.store.derived import no_families
from tradelake.store.fold import family_rows, rows_of_positions
from tradelake.tables import CURE_KINDS, LOTS, MATCHES, POSITIONS, TRADE_LOG

EVENTS = TRADE_LOG.empty().select(EVENT_COLUMNS)
# What a cure names that lets it link, or what it cures does.
MOVING = ("account_id", "instrument_id", "executed_at", "moves", "treatment")
MOVES = " OR ".join(f"contains(details, '{name}')" for name in MOVING)
REACHES = f"SELECT trade_id FROM {TRADE_LOG.name} WHERE kind IN {REACHING_KINDS}"
LINKING = f" AND (kind NOT IN {CURE_KINDS} OR {MOVES} OR target_id IN ({REACHES}))"


@dataclass(frozen=True, slots=True)
class Tail:
    """The derived tables brought to the head: `standing` is where that was, `reached` the checkpoint it would be."""

    standing: Standing
    reached: Checkpoint
    derived: Derived


@dataclass(frozen=True, slots=True)
class _Carried:
    """Open lots and positions of some families at the checkpoint, and what those positions have realized."""

    families: pl.DataFrame = field(default_factory=no_families)
    lots: pl.DataFrame = field(default_factory=LOTS.empty)
    positions: pl.DataFrame = field(default_factory=POSITIONS.empty)
    realized: pl.DataFrame = field(default_factory=NOTHING_REALIZED.clear)


class TailFold:
    """Folds the tail of one book, and remembers what it read for as long as the checkpoint stays."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._checkpoint: Checkpoint | None = None
        self._events = EVENTS
        self._carried = _Carried()
        # What links families, for folds; and all that reaches further than its family, for questions about the past.
        self._reaching, self._whole = Reaching(EVENT_SCHEMA), Reaching(EVENT_SCHEMA)
        self._start: tuple[int, Start] | None = None
        self._roots: tuple[tuple[int, int], Roots] | None = None
        self._last: Tail | None = None
        self._befores = Befores(catalog)

    def remember(self, rows: pl.DataFrame) -> None:
        """Take over rows that this process has just committed, where they follow what is known."""
        if self._checkpoint is None or not rows.height:
            return
        if rows["sequence"].to_list()[0] == self._reached() + 1:
            self._events = pl.concat([self._events, rows.select(EVENT_COLUMNS)])

    def fold(self, standing: Standing, references: References) -> Tail:
        """Return the tail folded over the checkpoint; nothing is written. The caller holds a transaction."""
        if self._last is not None and self._last.standing == standing:
            return self._last
        self._read(standing, references)
        self._last = self._fold(standing, references)
        return self._last

    def reaching_of(self, standing: Standing, references: References) -> Reaching:
        """Return how far the events of the whole log reach. The caller holds a transaction."""
        if self._whole.reached > standing.head:
            self._whole = Reaching(EVENT_SCHEMA)
        if self._whole.reached < standing.head:
            told = self._told_between(self._whole.reached, standing.head)
            self._whole.add(told, references.instruments, reached=standing.head)
        return self._whole

    def _told_between(self, first: int, last: int, more: str = "") -> pl.DataFrame:
        """Return the reaching events with a sequence above *first*, up to *last*."""
        # They are few, and lie in all months: their columns are read of them alone.
        span = f"sequence > ? AND sequence <= ? AND kind IN {REACHING_KINDS}{more}"
        found = self._catalog.frame(f"SELECT sequence FROM {TRADE_LOG.name} WHERE {span}", [first, last], HOT)
        if not found.height:
            return EVENTS
        with self._catalog.joined(found=found):
            return self._catalog.frame(f"{SELECT} SEMI JOIN found USING (sequence) ORDER BY sequence", span=HOT)

    def _reached(self) -> int:
        known = self._checkpoint.sequence if self._checkpoint is not None else 0
        return known if not self._events.height else int(self._events["sequence"].to_numpy()[-1])

    def _read(self, standing: Standing, references: References) -> None:
        if self._checkpoint != standing.checkpoint or self._reached() > standing.head:
            self._checkpoint, self._events, self._carried, self._start = standing.checkpoint, EVENTS, _Carried(), None
        if self._reaching.reached > standing.head:
            self._reaching = Reaching(EVENT_SCHEMA)
        if self._reached() < standing.head:
            more = self._catalog.frame(f"{SELECT} WHERE sequence > ? ORDER BY sequence", [self._reached()], HOT)
            self._events = pl.concat([self._events, more])
        self._reach(standing, references)

    def _reach(self, standing: Standing, references: References) -> None:
        """Bring what is known of linking events to the head; those before the checkpoint are read once.

        Cures are as many as the log is long, and most are folded and done with: those that move an event to another
        account, instrument or time, and those of events that reach further, go on to link.
        """
        reaching, checkpoint = self._reaching, standing.checkpoint.sequence
        if checkpoint == standing.head:
            # Nothing is folded over the checkpoint, so that nothing before it need be read.
            return
        if reaching.reached < checkpoint:
            past = self._told_between(reaching.reached, checkpoint, LINKING)
            reaching.add(past, references.instruments, reached=checkpoint)
        if reaching.reached >= self._reached():
            return
        fresh = self._events.filter((pl.col("sequence") > reaching.reached) & pl.col("kind").is_in(REACHING_KINDS))
        reaching.add(fresh, references.instruments, reached=self._reached())

    def _fold(self, standing: Standing, references: References) -> Tail:
        checkpoint = standing.checkpoint
        if not self._events.height:
            return Tail(standing, Checkpoint(standing.head, checkpoint.latest_at), Derived())
        if not checkpoint.sequence:
            return self._first_fold(standing, references)
        roots = self._linked(references)
        planner = Planner(self._catalog, references, self._reaching, self._events, checkpoint, roots=roots)
        plan = planner.plan(self._befores)
        runs = []
        times = [checkpoint.latest_at, *_times(self._events)]
        if plan.resumed.height:
            carried = self._carry(plan.resumed, checkpoint)
            events = in_effect(plan.resumed_events, references.instruments)
            positions = carried.positions.join(plan.resumed, on=FAMILY, how="semi")
            run = derive(
                references,
                events,
                start=self._started(references, checkpoint),
                families=plan.resumed,
                lots=carried.lots.join(plan.resumed, on=FAMILY, how="semi"),
                positions=positions,
                prior=carried.realized.join(positions, on="position_id", how="semi"),
            )
            runs.append(replace(run, resumed=plan.resumed))
            times += _times(events)
        if plan.before is not None and plan.before.families.height:
            run, events = self._rewind(plan.before, plan.rewound_events, standing, references)
            runs.append(run)
            times += _times(events)
        if plan.replayed.height:
            events = in_effect(plan.replayed_events, references.instruments)
            run = derive_after(self._catalog, references, events, families=plan.replayed)
            runs.append(replace(run, replayed=plan.replayed))
            times += _times(events)
        return Tail(standing, Checkpoint(standing.head, max(times)), _joined(runs))

    def _rewind(
        self, before: Before, told: pl.DataFrame, standing: Standing, references: References
    ) -> tuple[Derived, pl.DataFrame]:
        """Match the events of families again from where these stand; return also the events in effect."""
        since = before.families.select(*FAMILY, "since")
        events = in_effect(told, references.instruments).join(since, on=FAMILY, maintain_order="left")
        # What a correction has brought to before that is in the lots already.
        fresh = pl.col("executed_at") >= pl.col("since")
        earlier, events = events.filter(~fresh), events.filter(fresh).drop("since")
        families = before.families.select(FAMILY)
        run = derive(
            references,
            events,
            start=self._started(references, standing.checkpoint),
            families=families,
            lots=before.lots,
            positions=before.positions,
            prior=before.prior,
        )
        undone = told.select("sequence").join(earlier, on="sequence", how="anti")
        return replace(run, rewound=families, undone=undone), events

    def _linked(self, references: References) -> Roots:
        """Return the symbols that are linked; they change with new instruments and reaching events only."""
        key = references.instruments.height, self._reaching.rows.height
        if self._roots is None or self._roots[0] != key:
            self._roots = key, Roots(references.instruments, self._reaching.reaches)
        return self._roots[1]

    def _first_fold(self, standing: Standing, references: References) -> Tail:
        """Fold the tail of a book that was never folded: it is the whole log."""
        accounts = standing_accounts(references, self._reaching)
        told = matched_kinds(self._events, accounts)
        events = in_effect(told, references.instruments)
        times = [standing.checkpoint.latest_at, *_times(self._events), *_times(events)]
        derived = derive(references, events, start=first_start(references)) if events.height else Derived()
        return Tail(standing, Checkpoint(standing.head, max(times)), derived)

    def _started(self, references: References, checkpoint: Checkpoint) -> Start:
        """Return how accounts stood at the checkpoint; a new account stands as it was added."""
        if self._start is None or self._start[0] != references.accounts.height:
            start = start_at(self._catalog, references, self._reaching, checkpoint.sequence)
            self._start = references.accounts.height, start
        return self._start[1]

    def _carry(self, families: pl.DataFrame, checkpoint: Checkpoint) -> _Carried:
        """Return what is carried into the fold; families that were read before are not read again."""
        missing = families.join(self._carried.families, on=FAMILY, how="anti")
        if missing.height and checkpoint.sequence:
            lots, positions = (family_rows(self._catalog, table, missing) for table in (LOTS, POSITIONS))
            realized = NOTHING_REALIZED
            if positions.height:
                realized = rows_of_positions(self._catalog, MATCHES, positions, REALIZED).cast(realized.schema)
            known = self._carried
            self._carried = _Carried(
                pl.concat([known.families, missing]),
                pl.concat([known.lots, LOTS.conform(lots)]),
                pl.concat([known.positions, POSITIONS.conform(positions)]),
                pl.concat([known.realized, realized]),
            )
        return self._carried


def _joined(runs: Sequence[Derived]) -> Derived:
    """Return the rows of runs over different families as those of one."""
    if len(runs) == 1:
        return runs[0]
    if not runs:
        return Derived()
    names = [part.name for part in fields(Derived)]
    return Derived(**{name: pl.concat([getattr(run, name) for run in runs]) for name in names})


def _times(events: pl.DataFrame) -> list[datetime]:
    latest = events["executed_at"].max()
    return [latest] if isinstance(latest, datetime) else []
