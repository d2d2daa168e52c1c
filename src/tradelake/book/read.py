"""Filters of the listings, and instants as users write them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from tradelake.errors import InputError
from tradelake.tables import TRADE_LOG

NEW_YORK = ZoneInfo("America/New_York")
TRADE_COLUMNS = (
    "trade_id", "leg_id", "kind", "order_id", "broker_order_id", "broker_execution_id", "account_id", "strategy_id",
    "symbol", "contract_symbol", "asset_type", "action", "executed_at", "trade_date", "quantity", "price", "commission",
    "fees", "net_amount", "currency", "reason", "strike", "expiration", "option_type", "delta", "recorded_at",
)  # fmt: skip
OTHER_COLUMNS = tuple(name for name in TRADE_LOG.names if name not in TRADE_COLUMNS)
Names = str | Sequence[str] | None
Day = str | date | None
Instant = str | date | datetime | None
LATER = pl.Schema({"sequence": pl.Int64(), "account_id": pl.String(), "symbol": pl.String(), "kind": pl.String()})


@dataclass(frozen=True, slots=True)
class Filter:
    """What a listing is restricted to; None restricts nothing."""

    account: Names = None
    symbol: Names = None
    strategy: Names = None
    since: Day = None
    until: Day = None

    @property
    def days(self) -> tuple[date | None, date | None]:
        """The first and the last day, where they are given."""
        since, until = (None if day is None else day_of(day) for day in (self.since, self.until))
        return since, until

    def conditions(self, columns: Sequence[str], day: str | None) -> tuple[list[str], list[object]]:
        """Return SQL conditions with their parameters, for a table with *columns* whose date is *day*."""
        texts: list[str] = []
        values: list[object] = []
        for name, wanted in (("account_id", self.account), ("strategy_id", self.strategy)):
            if wanted is not None and name in columns:
                texts.append(f"{name} IN ({_marks(names(wanted))})")
                values.extend(names(wanted))
        if self.symbol is not None:
            fields = [c for c in ("symbol", "contract_symbol", "instrument_id") if c in columns]
            texts.append("(" + " OR ".join(f"{c} IN ({_marks(names(self.symbol))})" for c in fields) + ")")
            values.extend(names(self.symbol) * len(fields))
        if day is not None:
            for operator, bound in ((">=", self.since), ("<=", self.until)):
                if bound is not None:
                    texts.append(f"{day} {operator} CAST(? AS DATE)")
                    values.append(day_of(bound).isoformat())
        return texts, values

    def expression(self, columns: Sequence[str], day: str | None) -> pl.Expr:
        """Return the same restriction as a Polars expression."""
        result = pl.lit(True)  # noqa: FBT003  a literal column, not a flag
        for name, wanted in (("account_id", self.account), ("strategy_id", self.strategy)):
            if wanted is not None and name in columns:
                result &= pl.col(name).is_in(names(wanted))
        if self.symbol is not None:
            fields = [c for c in ("symbol", "contract_symbol", "instrument_id") if c in columns]
            result &= pl.any_horizontal(pl.col(c).is_in(names(self.symbol)).fill_null(value=False) for c in fields)
        if day is not None and self.since is not None:
            result &= pl.col(day) >= day_of(self.since)
        if day is not None and self.until is not None:
            result &= pl.col(day) <= day_of(self.until)
        return result

    def families(self, families: pl.DataFrame, instruments: pl.DataFrame) -> pl.DataFrame:
        """Return the rows, by account_id and symbol, that can have something of what is asked for."""
        if self.symbol is not None:
            symbols = instruments.filter(self.expression(instruments.columns, None))["symbol"]
            families = families.filter(pl.col("symbol").is_in(symbols.unique().implode()))
        return families.filter(Filter(self.account).expression(families.columns, None))


@dataclass(frozen=True, slots=True)
class Moment:
    """A past moment: what happened by an instant, without the events that were told *later* than another."""

    as_of: datetime | None = None
    later: pl.DataFrame = field(default_factory=LATER.to_frame)


def names(wanted: str | Sequence[str]) -> list[str]:
    """Return one or several names as a list."""
    return [wanted] if isinstance(wanted, str) else list(wanted)


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values)) or "NULL"


def day_of(value: str | date) -> date:
    """Return a date from ISO text or a date; InputError for anything else."""
    if isinstance(value, datetime):
        raise InputError(f"{value!r} is an instant where a day is asked for. Give a date, for example 2026-01-31.")
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise InputError(f"{value!r} is not a day. Write it as YYYY-MM-DD, for example 2026-01-31.") from error


def instant_of(value: str | date | datetime) -> datetime:
    """Return an instant in UTC; a day means its last microsecond in New York. InputError for a time without a zone."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) == len("2026-01-31") else datetime.fromisoformat(value)
        except ValueError as error:
            raise InputError(
                f"{value!r} is not an instant. Write it as 2026-01-31T15:30:00Z, or as a day: 2026-01-31."
            ) from error
    if not isinstance(value, datetime):
        following = datetime.combine(value + timedelta(days=1), time(), NEW_YORK)
        return (following - timedelta(microseconds=1)).astimezone(UTC)
    if value.tzinfo is None:
        raise InputError(f"{value.isoformat()} has no time zone. Add an offset or Z.")
    return value.astimezone(UTC)


def where(conditions: Sequence[str]) -> str:
    """Return a WHERE clause of the conditions, or nothing."""
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""
