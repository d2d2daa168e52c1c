"""What a writer hands to an append, and what it gets back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from tradelake.errors import Problem
from tradelake.store.cures import Cures
from tradelake.tables import ACCOUNTS, INSTRUMENTS, STRATEGIES

NEW = {"new_accounts": ACCOUNTS, "new_instruments": INSTRUMENTS, "new_strategies": STRATEGIES}


@dataclass(frozen=True, slots=True)
class Batch:
    """One delivery: validated events (INCOMING, terms complete), source records (RECORDS), and who brings them.

    `records` are joined to the events by `row_number` = `source_row`; several events may come from one record.
    `cures` judges the cancels and corrects among the events, and what the broker says again of an execution. `facts`
    are rows of other tables that only grow, by the name of the table; their commit is filled in.
    """

    events: pl.DataFrame
    records: pl.DataFrame
    source: str
    author: str
    host: str
    recorded_at: datetime
    file_name: str | None = None
    file_sha256: str | None = None
    reason: str | None = None
    new_accounts: pl.DataFrame = field(default_factory=ACCOUNTS.empty)
    new_instruments: pl.DataFrame = field(default_factory=INSTRUMENTS.empty)
    new_strategies: pl.DataFrame = field(default_factory=STRATEGIES.empty)
    cures: Cures | None = None
    facts: Mapping[str, pl.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Head:
    """Where the log stands: the one row of `head`."""

    sequence: int
    source_record_id: int
    import_run_id: int
    recorded_at: datetime
    chain_hash: str
    archive_run_id: int = 0


@dataclass(frozen=True, slots=True)
class Appended:
    """What became of a delivery.

    `outcomes` has one row per event: source_row, outcome, trade_id, code, message; `rows` are the rows of the log that
    were written; `head` is where the log stands after it, and `written` says whether anything was new. `problems` says
    of every cure that is refused what is wrong with it.
    """

    batch: Batch
    outcomes: pl.DataFrame
    head: Head
    rows: pl.DataFrame
    written: bool
    problems: tuple[Problem, ...] = ()
