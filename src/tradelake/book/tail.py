"""The tail: events after the checkpoint, folded over it in memory.

What a process has committed or read itself is remembered, so that a fill and the positions after it cost one small
query. A fold starts from the open lots and positions of the touched families, or from their first event where
something arrived late.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

import polars as pl

from tradelake.book.before import Before, Befores
from tradelake.book.carrying import EARNED, Carrier
from tradelake.book.closing import derive_after
from tradelake.book.derive import EVENT_COLUMNS, EVENT_SCHEMA, SELECT, derive, matched_kinds
from tradelake.book.folding import Planner
from tradelake.book.groups import FAMILY, Roots
from tradelake.book.reach import REACHING_KINDS, Reaching
from tradelake.book.start import Start, first_start, standing_accounts, start_at
from tradelake.lots import in_effect
from tradelake.store import Catalog, Checkpoint, Derived, References, Standing
from tradelake.store.cold import HOT
from tradelake.store.derived import SLOT
from tradelake.tables import CURE_KINDS, TRADE_LOG

EVENTS = TRADE_LOG.empty().select(EVENT_COLUMNS)
# What a cure names that lets it link, or what it cures does.
MOVING = ("account_id", "instrument_id", "executed_at", "moves", "treatment")
MOVES = " OR ".join(f"contains(details, '{name}')" for name in MOVING)
REACHES = (
    f"SELECT sequence, target_id, kind NOT IN {CURE_KINDS} OR coalesce({MOVES}, FALSE) AS links FROM {TRADE_LOG.name} "
    f"WHERE sequence <= ? AND kind IN {REACHING_KINDS}"
)
# So few events are named in the query that reads them.
NAMED_FEW = 100


@dataclass(frozen=True, slots=True)
class Tail:
    """The derived tables brought to the head: `standing` is where that was, `reached` the checkpoint it would be."""

    standing: Standing
    reached: Checkpoint
    derived: Derived


class TailFold:
    """Folds the tail of one book, and remembers what it read for as long as the checkpoint stays."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._checkpoint: Checkpoint | None = None
        self._events = EVENTS
        # What links families, for folds; and all that reaches further than its family, for questions about the past.
        self._reaching, self._whole = Reaching(EVENT_SCHEMA), Reaching(EVENT_SCHEMA)
        self._start: tuple[int, Start] | None = None
        self._roots: tuple[tuple[int, int], Roots] | None = None
        self._last: Tail | None = None
        self._carrier, self._befores = Carrier(catalog), Befores(catalog)

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

    def _told_between(self, first: int, last: int) -> pl.DataFrame:
        """Return the reaching events with a sequence above *first*, up to *last*."""
        found = self._catalog.frame(REACHES, [last], HOT)["sequence"]
        return self._told(found.filter(found > first))

    def _linking(self, last: int) -> pl.DataFrame:
        """Return the events up to a sequence that link, and the cures of these, and their cures."""
        reaches = self._catalog.frame(REACHES, [last], HOT)
        told = [self._told(reaches.filter("links")["sequence"])]
        cures = reaches.filter(~pl.col("links"))
        while told[-1].height and cures.height:
            of_these = pl.col("target_id").is_in(told[-1]["trade_id"].implode())
            told.append(self._told(cures.filter(of_these)["sequence"]))
            cures = cures.filter(~of_these)
        return pl.concat(told).sort("sequence")

    def _told(self, sequences: pl.Series) -> pl.DataFrame:
        """Return events by their sequence; they are few, and lie in all months."""
        if not sequences.len():
            return EVENTS
        few = ", ".join(map(str, sequences)) if sequences.len() <= NAMED_FEW else "SELECT sequence FROM found"
        with self._catalog.joined(found=sequences.to_frame()):
            return self._catalog.frame(f"{SELECT} WHERE sequence IN ({few}) ORDER BY sequence", span=HOT)

    def _reached(self) -> int:
        known = self._checkpoint.sequence if self._checkpoint is not None else 0
        return known if not self._events.height else int(self._events["sequence"].to_numpy()[-1])

    def _read(self, standing: Standing, references: References) -> None:
        if self._checkpoint != standing.checkpoint or self._reached() > standing.head:
            self._checkpoint, self._events, self._start = standing.checkpoint, EVENTS, None
            self._carrier, self._befores = Carrier(self._catalog), Befores(self._catalog)
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
            past = self._linking(checkpoint)
            past = past.filter(pl.col("sequence") > reaching.reached)
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
            events = in_effect(plan.resumed_events, references.instruments)
            carried = self._carrier.carried(plan.resumed, events, roots)
            earned = carried.positions.select(*FAMILY, *EARNED[:2], pl.col("realized_premium").alias("premium"))
            run = derive(
                references,
                events,
                start=self._started(references, checkpoint),
                families=plan.resumed,
                lots=carried.lots,
                positions=carried.positions,
                prior=self._carrier.prior(earned),
            ).derived
            runs.append(replace(run, resumed=carried.positions.select(SLOT)))
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
            prior=self._carrier.prior(before.earned),
        ).derived
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
        derived = derive(references, events, start=first_start(references)).derived if events.height else Derived()
        return Tail(standing, Checkpoint(standing.head, max(times)), derived)

    def _started(self, references: References, checkpoint: Checkpoint) -> Start:
        """Return how accounts stood at the checkpoint; a new account stands as it was added."""
        if self._start is None or self._start[0] != references.accounts.height:
            start = start_at(self._catalog, references, self._reaching, checkpoint.sequence)
            self._start = references.accounts.height, start
        return self._start[1]


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
