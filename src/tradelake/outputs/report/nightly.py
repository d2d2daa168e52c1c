"""A nightly report as one frozen record: all that its three forms (page, text, JSON) are made from."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, get_args

import polars as pl

from tradelake.errors import InvariantError
from tradelake.outputs.report.frames import EXPOSURE, FRAMES, TOTALS

StepName = Literal["lease", "import", "propose", "mark", "snapshot", "reconcile", "maintain", "verify"]
StepStatus = Literal["done", "nothing", "problems", "failed"]
Standing = Literal["done", "problems", "failed"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the night: what came of it, in a word and in a sentence, and how long it took in seconds."""

    name: StepName
    status: StepStatus
    detail: str
    seconds: Decimal

    def __post_init__(self) -> None:
        if self.name not in get_args(StepName) or self.status not in get_args(StepStatus):
            raise InvariantError(f"a step called {self.name!r} with status {self.status!r}")


@dataclass(frozen=True, slots=True)
class ImportLine:
    """One file that was read: how many of its rows became events, were known, contradicted, unreadable, only kept.

    `marks` counts the prices that it brought.
    """

    file: str
    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejects: int = 0
    kept: int = 0
    marks: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NightlyReport:
    """One night, whole: its steps and imports, and frames whose columns `frames.FRAMES` defines.

    The frames are conformed: other columns are left out, a nullable one that is missing is null, and any other that
    is missing raises InvariantError. Rows keep the order in which they come.
    """

    nightly_date: date
    book: str
    started_at: datetime
    finished_at: datetime
    sequence: int
    chain_hash: str
    steps: tuple[Step, ...]
    imports: tuple[ImportLine, ...]
    accounts: pl.DataFrame
    totals: pl.DataFrame
    equity: pl.DataFrame
    exposure: pl.DataFrame
    movers: pl.DataFrame
    breaks: pl.DataFrame
    proposals: pl.DataFrame
    unmarked: pl.DataFrame
    buffers: pl.DataFrame
    expiring: pl.DataFrame
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for instant in (self.started_at, self.finished_at):
            if instant.utcoffset() is None:
                raise InvariantError(f"{instant.isoformat()} has no time zone")
        for name, table in FRAMES.items():
            object.__setattr__(self, name, table.conform(getattr(self, name)))

    @property
    def account_count(self) -> int:
        """How many accounts the night has seen, whatever the number of their currencies."""
        return self.accounts.get_column("account_id").n_unique()

    @property
    def position_count(self) -> int:
        """How many positions were open at the close."""
        return int(self.accounts.get_column("positions").sum())


def totals_of(accounts: pl.DataFrame) -> pl.DataFrame:
    """Return the report's totals from its accounts: sums per currency, ordered by currency.

    A sum of which a part is null is null.
    """
    names = [column.name for column in TOTALS.columns if column.name not in ("currency", "accounts")]
    given = FRAMES["accounts"].conform(accounts)
    sums = [pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name) for name in names]
    grouped = given.group_by("currency").agg(pl.len().alias("accounts"), *sums)
    return TOTALS.conform(grouped.sort("currency"))


def exposure_of(positions: pl.DataFrame) -> pl.DataFrame:
    """Return the report's exposure from position snapshots: per underlying and currency, largest value first.

    Reads instrument_id, symbol, currency, quantity, market_value and unrealized_pnl.
    """
    value = pl.col("market_value")
    valued = value.is_not_null().any()
    grouped = positions.group_by(pl.coalesce("symbol", "instrument_id").alias("symbol"), "currency").agg(
        pl.len().alias("positions"),
        value.is_null().sum().alias("unmarked"),
        pl.when(valued).then(value.filter(pl.col("quantity") > 0).sum()).alias("long_value"),
        pl.when(valued).then(value.filter(pl.col("quantity") < 0).sum()).alias("short_value"),
        pl.when(valued).then(pl.col("unrealized_pnl").sum()).alias("unrealized_pnl"),
    )
    gross = pl.col("long_value") - pl.col("short_value")
    order = grouped.sort(gross, "symbol", "currency", descending=[True, False, False], nulls_last=True)
    return EXPOSURE.conform(order)


def verdict(report: NightlyReport) -> str:
    """Return the night in one sentence: `2026-11-20: 3 accounts, 41 positions, 2 open breaks, …`."""
    return f"{report.nightly_date.isoformat()}: {findings(report)}"


def findings(report: NightlyReport) -> str:
    """Return the verdict without its date."""
    parts = [
        counted(report.account_count, "account"),
        counted(report.position_count, "position"),
        counted(report.breaks.height, "open break"),
    ]
    if report.unmarked.height:
        parts.append(counted(report.unmarked.height, "position") + " without a mark")
    return ", ".join(parts)


def standing(report: NightlyReport) -> Standing:
    """Return whether a step failed, something needs a look, or neither."""
    statuses = {step.status for step in report.steps}
    if "failed" in statuses:
        return "failed"
    rejected = any(line.conflicts or line.rejects for line in report.imports)
    listed = report.breaks.height or report.proposals.height or report.unmarked.height
    return "problems" if "problems" in statuses or rejected or listed or short_buffers(report) else "done"


def age_of_breaks(report: NightlyReport) -> str:
    """Return how old the open breaks are, in words; empty where there is none."""
    ages = report.breaks.get_column("age").to_list()
    if not ages:
        return ""
    if not max(ages):
        return "new tonight"
    return f"{'the oldest ' if len(ages) > 1 else ''}{counted(max(ages), 'session')} old"


def short_buffers(report: NightlyReport) -> int:
    """Return how many accounts hold less cash than they have to keep back."""
    return report.buffers.filter(pl.col("surplus") < 0).height


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `no positions`, `1 position`, `1,204 positions`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun}s" if number else f"no {noun}s"
