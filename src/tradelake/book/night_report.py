"""What a nightly report says, read from the book once the night is done."""

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake.book.nights import Nights
from tradelake.outputs import ImportLine, NightlyReport, Step, exposure_of, totals_of
from tradelake.outputs.report.frames import PROPOSALS
from tradelake.sessions import trading_days_between

SESSIONS_SHOWN = 90
MOVERS_SHOWN = 20
STANDING = ("OPEN", "EXPLAINED")
OF_ACCOUNT = ["account_id", "currency"]
OF_POSITION = ["account_id", "instrument_id"]


def report_of(
    book: Nights,
    day: date,
    *,
    where: str,
    started: datetime,
    steps: tuple[Step, ...],
    imports: tuple[ImportLine, ...],
    notes: tuple[str, ...],
) -> NightlyReport:
    """Return the report of a night from its snapshots, breaks and proposals."""
    held = book.snapshots(since=day, until=day)
    accounts = _accounts(book, day)
    head = book.standing
    return NightlyReport(
        nightly_date=day,
        book=where,
        started_at=started,
        finished_at=book.now,
        sequence=head.sequence,
        chain_hash=head.chain_hash,
        steps=steps,
        imports=imports,
        accounts=accounts,
        totals=totals_of(accounts),
        equity=equity_until(book, day),
        exposure=exposure_of(held),
        movers=_movers(book, day, held),
        breaks=_breaks(book, day),
        proposals=_proposals(book, day),
        unmarked=held.filter(pl.col("market_value").is_null()),
        buffers=book.capital(day)
        .rename({"buffer_required": "required"})
        .drop("surplus")
        .rename({"buffer_surplus": "surplus"}),
        expiring=book.expiring(day),
        notes=notes,
    )


def equity_until(book: Nights, day: date) -> pl.DataFrame:
    """Return what accounts stood at over the last sessions, up to and with a day."""
    rows = book.account_snapshots(since=day - timedelta(days=2 * SESSIONS_SHOWN), until=day)
    shown = rows["snapshot_date"].unique().sort().tail(SESSIONS_SHOWN)
    realized = pl.col("realized_pnl")
    rows = rows.sort("snapshot_date").with_columns(
        (realized - realized.shift().over(OF_ACCOUNT)).alias("realized_today")
    )
    return rows.filter(pl.col("snapshot_date").is_in(shown.implode())).sort("snapshot_date", *OF_ACCOUNT)


def _before(book: Nights, day: date) -> date | None:
    """Return the last snapped day before another."""
    days = book.account_snapshots(until=day - timedelta(days=1), last=True)["snapshot_date"]
    last = days.max()
    return last if isinstance(last, date) else None


def _accounts(book: Nights, day: date) -> pl.DataFrame:
    rows = book.account_snapshots(since=day, until=day)
    before = _before(book, day)
    earlier = rows.clear() if before is None else book.account_snapshots(since=before, until=before)
    was = earlier.select(*OF_ACCOUNT, pl.col("net_liquidation").alias("was"), pl.col("deposits").alias("deposited"))
    today = book.earned(day).select(*OF_ACCOUNT, pl.col("realized_pnl").alias("realized_today"))
    gained = pl.col("net_liquidation") - pl.col("was") - (pl.col("deposits") - pl.col("deposited"))
    return (
        rows.join(was, on=OF_ACCOUNT, how="left")
        .join(today, on=OF_ACCOUNT, how="left")
        .with_columns(gained.alias("pnl_today"), pl.col("realized_today").fill_null(0))
        .sort(OF_ACCOUNT)
    )


def _movers(book: Nights, day: date, held: pl.DataFrame) -> pl.DataFrame:
    """Return the positions whose unrealized profit changed most since the snapshot before."""
    before = _before(book, day)
    earlier = held.clear() if before is None else book.snapshots(since=before, until=before)
    was = earlier.select(*OF_POSITION, pl.col("unrealized_pnl").alias("was"))
    change = pl.col("unrealized_pnl") - pl.col("was")
    rows = held.join(was, on=OF_POSITION).with_columns(change.alias("unrealized_change"))
    moved = rows.filter(pl.col("unrealized_change").is_not_null() & (pl.col("unrealized_change") != 0))
    return moved.sort(pl.col("unrealized_change").abs(), *OF_POSITION, descending=[True, False, False]).head(
        MOVERS_SHOWN
    )


def _breaks(book: Nights, day: date) -> pl.DataFrame:
    """Return the breaks that stand, with their age on the night of a day, whenever it is closed."""
    rows = book.breaks(status=STANDING)
    ages = [trading_days_between(opened, day) for opened in rows["opened"]]
    return rows.with_columns(pl.Series("age", ages, dtype=pl.Int64))


def _proposals(book: Nights, day: date) -> pl.DataFrame:
    """Return what waits for somebody: events that breaks propose, and ends of options that have expired."""
    last = book.break_history().unique("break_id", keep="last", maintain_order=True)
    steps = {row["break_id"]: row for row in last.iter_rows(named=True)}
    standing = book.breaks(status=STANDING).iter_rows(named=True)
    rows = [row for each in standing for row in _of_break(each, steps[each["break_id"]])]
    named = {row["instrument_id"] for row in rows}
    for each in book.proposals(day).iter_rows(named=True):
        if each["instrument_id"] not in named:
            command = None if each["event"] is None else f"tradelake proposals apply {each['proposal_id']}"
            rows.append(
                each
                | {
                    "trade_date": each["expiration"],
                    "price": each["underlying_price"],
                    "text": each["reason"],
                    "command": command,
                }
            )
    return pl.DataFrame([{name: row.get(name) for name in PROPOSALS.names} for row in rows], schema=PROPOSALS.schema)


def _of_break(found: dict[str, Any], last: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events that a break proposes by its *last* step and that nobody has recorded yet."""
    if not found["proposed"] or last["action"] == "applied":
        return []
    return [
        {
            "break_id": found["break_id"],
            "account_id": event.get("account_id"),
            "kind": event.get("kind", "trade"),
            "instrument_id": event.get("instrument_id", found["instrument_id"]),
            "trade_date": _day(event.get("trade_date")),
            "quantity": _signed(event),
            "price": _number(event.get("price")),
            "amount": _number(event.get("amount")),
            "text": found["cause"] or f"{found['break_class'].replace('_', ' ')} in {found['section']}",
            "command": f"tradelake breaks apply {found['break_id']}",
        }
        for event in json.loads(last["details"])["proposal"]
    ]


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _signed(event: dict[str, Any]) -> Decimal | None:
    quantity = _number(event.get("quantity"))
    sells = str(event.get("action", "")).startswith("SELL")
    return quantity.copy_negate() if quantity is not None and sells else quantity
