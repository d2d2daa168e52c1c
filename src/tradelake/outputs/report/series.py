"""What the charts show, as exact numbers: who is drawn, in which order, and the table beneath each chart."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import polars as pl

from tradelake.outputs.report.nightly import NightlyReport
from tradelake.units import MONEY

LINES_MAX = 8
BARS_MAX = 12
AGES = (("tonight", 0), ("1 to 4 sessions", 4), ("5 to 9 sessions", 9), ("10 sessions and more", None))


@dataclass(frozen=True, slots=True)
class Lines:
    """Amounts of one currency per session and account: `amounts[account][session]`, null where it is unknown."""

    currency: str
    sessions: tuple[date, ...]
    accounts: tuple[str, ...]
    amounts: tuple[tuple[Decimal | None, ...], ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Bars:
    """Amounts of one currency per name; in `short` the second amount of each, where names have two."""

    currency: str
    names: tuple[str, ...]
    amounts: tuple[Decimal, ...]
    short: tuple[Decimal, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """How many breaks there are of each class and age: `counts[class][age]`."""

    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


def equity_lines(report: NightlyReport) -> list[Lines]:
    """Return net liquidation per session, one chart per currency, the largest accounts of each."""
    charts = (_lines(report.equity, currency) for currency in _currencies(report.equity))
    return [chart for chart in charts if chart.accounts]


def realized_days(report: NightlyReport) -> list[Bars]:
    """Return what all accounts realized per session, one chart per currency; sessions with something unknown are out.

    The names are the sessions in ISO form, oldest first.
    """
    charts = []
    for currency in _currencies(report.equity):
        mine = report.equity.filter(pl.col("currency") == currency)
        value = pl.col("realized_today")
        total = pl.when(value.null_count() == 0).then(value.sum())
        days = mine.group_by("snapshot_date").agg(total.alias("total")).drop_nulls("total").sort("snapshot_date")
        names = tuple(day.isoformat() for day in days.get_column("snapshot_date"))
        charts.append(Bars(currency, names, tuple(days.get_column("total"))))
    return charts


def realized_accounts(report: NightlyReport) -> list[Bars]:
    """Return what each account realized in the session, one chart per currency, largest first."""
    value = pl.col("realized_today")
    charts = []
    for currency in _currencies(report.accounts):
        mine = report.accounts.filter((pl.col("currency") == currency) & (value != 0))
        shown = mine.sort(value.abs(), "account_id", descending=[True, False]).head(BARS_MAX)
        names, amounts = (tuple(shown.get_column(name)) for name in ("account_id", "realized_today"))
        charts.append(Bars(currency, names, amounts, left_out=mine.height - shown.height))
    return [chart for chart in charts if chart.names]


def exposure_bars(report: NightlyReport) -> list[Bars]:
    """Return market value by underlying, long and short, one chart per currency, largest first."""
    charts = []
    gross = pl.col("long_value") - pl.col("short_value")
    for currency in _currencies(report.exposure):
        mine = report.exposure.filter((pl.col("currency") == currency) & (gross != 0)).sort(
            gross, "symbol", descending=[True, False]
        )
        shown = mine.head(BARS_MAX)
        names, long, short = (tuple(shown.get_column(c)) for c in ("symbol", "long_value", "short_value"))
        charts.append(Bars(currency, names, long, short, mine.height - shown.height))
    return [chart for chart in charts if chart.names]


def break_counts(report: NightlyReport) -> Counts:
    """Return the open breaks by class, the most frequent first, and by age."""
    counts: dict[str, list[int]] = {}
    for kind, age in report.breaks.select("break_class", "age").iter_rows():
        counts.setdefault(kind, [0] * len(AGES))[_age_slot(age)] += 1
    ordered = sorted(counts.items(), key=lambda item: (-sum(item[1]), item[0]))
    return Counts(tuple(kind for kind, _ in ordered), tuple(tuple(row) for _, row in ordered))


def lines_frame(lines: Lines) -> pl.DataFrame:
    """Return the numbers of a line chart, newest session first: `session`, then c0, c1 and so on, one per account."""
    columns = {"session": list(lines.sessions)} | {f"c{i}": list(row) for i, row in enumerate(lines.amounts)}
    schema = {name: pl.Date() if name == "session" else MONEY for name in columns}
    return pl.DataFrame(columns, schema=schema).reverse()


def _lines(equity: pl.DataFrame, currency: str) -> Lines:
    value = pl.col("net_liquidation")
    mine = equity.filter(pl.col("currency") == currency).sort("snapshot_date", "account_id")
    known = mine.drop_nulls("net_liquidation").group_by("account_id", maintain_order=True).agg(value.last())
    ordered = known.sort(value.abs(), "account_id", descending=[True, False]).get_column("account_id")
    accounts = tuple(sorted(ordered.head(LINES_MAX)))
    sessions = tuple(sorted(set(mine.get_column("snapshot_date"))))
    found = {(day, account): amount for day, account, amount in _triples(mine)}
    amounts = tuple(tuple(found.get((day, account)) for day in sessions) for account in accounts)
    return Lines(currency, sessions, accounts, amounts, len(ordered) - len(accounts))


def _triples(equity: pl.DataFrame) -> list[tuple[date, str, Decimal | None]]:
    return equity.select("snapshot_date", "account_id", "net_liquidation").rows()


def _currencies(frame: pl.DataFrame) -> list[str]:
    return sorted(set(frame.get_column("currency")))


def _age_slot(age: int) -> int:
    return next(slot for slot, (_, most) in enumerate(AGES) if most is None or age <= most)
