"""What a nightly job is asked for, and one run of it while it goes on."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from tradelake.book import Book, ImportLine, NightlyReport, Progress, Step, StepName, StepStatus, Upkeep

Keep = Callable[[NightlyReport], None]
Said = tuple[StepStatus, str]
STEPS = ("lease", "import", "propose", "mark", "snapshot", "reconcile", "maintain", "verify", "report")


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """What a nightly job is asked for.

    `until` is the session to close, None the last one that has closed; `statements` are IBKR Flex files, `marks` files
    of prices. `rules` are classes of breaks, and kinds of proposals, whose events are booked without asking.
    `upkeep` says what maintenance keeps.
    """

    until: date | None = None
    statements: Sequence[Path] = ()
    marks: Sequence[Path] = ()
    rules: Sequence[str] = ()
    upkeep: Upkeep | None = None


@dataclass(slots=True)
class Run:
    """The run of one night, while it goes on: what was read, what the steps say, and what nobody could read."""

    book: Book
    asked: Night
    progress: Progress
    day: date
    started: datetime
    steps: list[Step] = field(default_factory=list)
    imports: list[ImportLine] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    statements: list[Path] = field(default_factory=list)

    @contextmanager
    def step(self, name: StepName) -> Iterator[list[Said]]:
        """Time a step; what the block appends is its status and detail."""
        self.progress(name, len(self.steps), len(STEPS))
        started, said = time.perf_counter(), list[Said]()
        yield said
        seconds = Decimal(f"{time.perf_counter() - started:.3f}")
        status, detail = said[-1] if said else ("nothing", "nothing to do")
        self.steps.append(Step(name, status, detail, seconds))


def judged(problems: int, text: str) -> Said:
    """Return what a step says of itself: its status and detail."""
    return ("problems" if problems else "done", text)


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 file`, `1,204 files`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def nobody(*_told: object) -> None:
    """Tell nobody."""
