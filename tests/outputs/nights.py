"""Made-up nights for the report's tests: an ordinary one, and one of a book in which nothing has happened."""

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake.outputs import ImportLine, NightlyReport, Step
from tradelake.outputs.report.frames import ACCOUNTS, EXPOSURE, FRAMES
from tradelake.outputs.report.nightly import exposure_of, totals_of

NIGHT = date(2026, 11, 20)
HOLIDAYS = (date(2026, 9, 7),)
STARTS = {"GEN-1": 214_300, "REV-1": 158_200, "COM-1": 171_900}
PUT, CALL = "PUT", "CALL"


def contract(symbol: str, expiration: date, right: str, strike: int) -> str:
    """Return the OSI symbol of an option."""
    return f"{symbol:<6}{expiration:%y%m%d}{right[0]}{strike * 1000:08d}"


def held(account: str, symbol: str, quantity: int, cost: str, value: str | None, option: str = "") -> dict[str, Any]:
    """Return a position as a snapshot has it, a stock or an option."""
    market = None if value is None else Decimal(value)
    profit = None if market is None else market - Decimal(cost)
    return {
        "account_id": account,
        "instrument_id": option or symbol,
        "symbol": symbol,
        "contract_symbol": option or None,
        "currency": "USD",
        "quantity": Decimal(quantity),
        "cost_basis": Decimal(cost),
        "market_value": market,
        "unrealized_pnl": profit,
    }


def mark_price(position: Mapping[str, Any]) -> Decimal:
    """Return the price that gives a position its value."""
    multiplier = 100 if position["contract_symbol"] else 1
    return Decimal(position["market_value"] / position["quantity"] / multiplier)


WEEK, MONTH, LEAP = date(2026, 11, 27), date(2026, 12, 18), date(2028, 1, 21)
POSITIONS = (
    held("GEN-1", "AAPL", 300, "67412.1487315", "70215.00"),
    held("GEN-1", "AAPL", -3, "-812.8456945", "-1140.00", contract("AAPL", WEEK, CALL, 235)),
    held("GEN-1", "MSFT", -2, "-1289.4102", "-874.00", contract("MSFT", WEEK, PUT, 415)),
    held("GEN-1", "SPY", -1, "-702.115", "-512.50", contract("SPY", WEEK, PUT, 588)),
    held("REV-1", "SPY", -2, "-1043.9066", "-1361.00", contract("SPY", MONTH, PUT, 580)),
    held("REV-1", "MSFT", 100, "41320.00", "42188.00"),
    held("REV-1", "MSFT", -1, "-655.0533", "-583.00", contract("MSFT", WEEK, CALL, 425)),
    held("REV-1", "KRXW", 40, "1812.40", None),
    held("COM-1", "AAPL", 200, "38755.02", "46810.00"),
    held("COM-1", "SPY", 2, "18990.4211", "21764.00", contract("SPY", LEAP, CALL, 520)),
    held("COM-1", "MSFT", 3, "24306.8", "23151.00", contract("MSFT", LEAP, CALL, 400)),
)


def sessions(number: int, last: date = NIGHT) -> list[date]:
    """Return the last *number* weekdays up to *last* that are no holiday, oldest first."""
    days: list[date] = []
    day = last
    while len(days) < number:
        if day.weekday() < 5 and day not in HOLIDAYS:
            days.append(day)
        day -= timedelta(days=1)
    return days[::-1]


def frame(name: str, rows: Iterable[Mapping[str, Any]] = ()) -> pl.DataFrame:
    """Return rows as the frame of a report that is called *name*; what a row does not say is null."""
    schema = FRAMES[name].schema
    return pl.DataFrame([{column: row.get(column) for column in schema} for row in rows], schema=schema)


def equity_rows(number: int) -> list[dict[str, Any]]:
    """Return how the three accounts came to where they stand, over *number* sessions."""
    chance = random.Random(7)
    rows = []
    for account, start in STARTS.items():
        worth = Decimal(start)
        for day in sessions(number):
            move = Decimal(chance.randint(-160_000, 178_000)) / 100 + Decimal(chance.randint(0, 99_999)) / 10**7
            worth += move
            cash = Decimal(start) / 4 + chance.randint(0, 5000)
            realized = Decimal(chance.choice([0, 0, 0, 31_250, 18_425, -9_310, 44_870])) / 100
            rows.append(
                {
                    "snapshot_date": day,
                    "account_id": account,
                    "currency": "USD",
                    "net_liquidation": worth,
                    "cash": cash,
                    "market_value": worth - cash,
                    "realized_today": realized,
                }
            )
    unmarked = rows[2 * number - 1]
    assert unmarked["account_id"] == "REV-1"
    unmarked["net_liquidation"] = None
    return rows


def account_rows(equity: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the accounts of the night: its rows of *equity* with all that a snapshot says."""
    rows = []
    for row in equity:
        if row["snapshot_date"] == NIGHT:
            mine = [position for position in POSITIONS if position["account_id"] == row["account_id"]]
            worth = row["net_liquidation"]
            rows.append(
                {column.name: Decimal(0) if column.type == "money" else 1 for column in ACCOUNTS.columns}
                | dict(row)
                | {
                    "positions": len(mine),
                    "unmarked": sum(position["market_value"] is None for position in mine),
                    "cost_basis": sum(position["cost_basis"] for position in mine),
                    "unrealized_pnl": sum(position["unrealized_pnl"] or Decimal(0) for position in mine),
                    "pnl_today": None if worth is None else Decimal("412.3318442"),
                    "deposits": Decimal(STARTS[row["account_id"]]),
                    "realized_pnl": Decimal("8412.55"),
                    "sequence": 1841,
                }
            )
    return rows


def ordinary_night(**changes: Any) -> NightlyReport:
    """Return a night with three accounts, eleven positions and a bit of everything; *changes* replace fields."""
    equity = equity_rows(60)
    accounts = frame("accounts", account_rows(equity))
    movers = [
        position
        | {
            "mark_price": mark_price(position),
            "mark_date": NIGHT,
            "unrealized_change": Decimal(change),
        }
        for position, change in zip(
            [p for p in POSITIONS if p["market_value"] is not None],
            ["1215.00", "-402.00", "-318.40", "212.5", "188", "-96.0012", "54.75", "-41", "33", "12.5"],
            strict=True,
        )
    ]
    expiring = [
        position
        | {
            "expiration": WEEK,
            "sessions_left": 4,
            "option_type": CALL if "C00" in position["instrument_id"] else PUT,
            "strike": Decimal(position["instrument_id"][13:18]),
            "underlying_price": {"AAPL": Decimal("234.05"), "MSFT": Decimal("421.88"), "SPY": Decimal("587.12")}[
                position["symbol"]
            ],
        }
        for position in POSITIONS
        if position["contract_symbol"] and "261127" in position["contract_symbol"]
    ]
    cash = {row["account_id"]: row["cash"] for row in accounts.to_dicts()}
    fields: dict[str, Any] = {
        "nightly_date": NIGHT,
        "book": "books/main",
        "started_at": datetime(2026, 11, 20, 22, 15, 3, 120_000, tzinfo=UTC),
        "finished_at": datetime(2026, 11, 20, 22, 15, 11, 870_000, tzinfo=UTC),
        "sequence": 1841,
        "chain_hash": "9f2c61d0a4be77138b25d6c1e0f3a94857ce2b1f60d4a89be137c52d08f6ea43",
        "steps": STEPS,
        "imports": (
            ImportLine("U7000001_20261120.xml", accepted=14, duplicates=3, rejects=1, kept=22, marks=10),
            ImportLine("marks-2026-11-20.csv", marks=3),
        ),
        "accounts": accounts,
        "totals": totals_of(accounts),
        "equity": frame("equity", equity),
        "exposure": exposure_of(positions_frame()),
        "movers": frame("movers", movers),
        "breaks": frame("breaks", BREAKS),
        "proposals": frame("proposals", PROPOSALS),
        "unmarked": frame("unmarked", [p for p in POSITIONS if p["market_value"] is None]),
        "buffers": frame("buffers", buffer_rows(cash)),
        "expiring": frame("expiring", expiring),
        "notes": ("Thursday the exchange is closed for Thanksgiving; Friday it closes at 13:00.",),
    } | changes
    return NightlyReport(**fields)


def empty_night(**changes: Any) -> NightlyReport:
    """Return the first night of a book that has nothing in it; *changes* replace fields."""
    fields: dict[str, Any] = {
        "nightly_date": NIGHT,
        "book": "books/main",
        "started_at": datetime(2026, 11, 20, 22, 15, 3, tzinfo=UTC),
        "finished_at": datetime(2026, 11, 20, 22, 15, 4, tzinfo=UTC),
        "sequence": 0,
        "chain_hash": "0" * 64,
        "steps": tuple(Step(step.name, "nothing", "", Decimal("0.01")) for step in STEPS),
        "imports": (),
        **{name: table.empty() for name, table in FRAMES.items()},
    } | changes
    return NightlyReport(**fields)


def positions_frame() -> pl.DataFrame:
    """Return the positions with the columns of a snapshot that the report's exposure is made of."""
    money = dict.fromkeys(("cost_basis", "market_value", "unrealized_pnl"), EXPOSURE.schema["long_value"])
    return pl.DataFrame(POSITIONS, schema_overrides=money)


def buffer_rows(cash: Mapping[str, Decimal]) -> list[dict[str, Any]]:
    """Return the cash buffers: one short, one with a surplus, one unknown."""
    required = {"GEN-1": Decimal("10840.116592"), "COM-1": Decimal("46512.25"), "REV-1": None}
    return [
        {
            "account_id": account,
            "currency": "USD",
            "cash": cash[account],
            "required": needed,
            "surplus": None if needed is None else cash[account] - needed,
        }
        for account, needed in required.items()
    ]


STEPS = (
    Step("lease", "done", "held for 8.7 s", Decimal("0.004")),
    Step("import", "problems", "2 files: 14 accepted, 3 duplicates, 1 reject", Decimal("0.83")),
    Step("propose", "done", "2 expired options booked, 1 assignment proposed", Decimal("0.12")),
    Step("mark", "problems", "13 marks; 1 position without a mark", Decimal("0.21")),
    Step("snapshot", "done", "3 accounts, 11 positions", Decimal("0.55")),
    Step("reconcile", "problems", "4 open breaks, 1 of them new, 2 resolved", Decimal("1.92")),
    Step("maintain", "done", "fold, flush, 3 files merged", Decimal("2.4")),
    Step("verify", "done", "1,841 events, the chain holds", Decimal("1.3")),
)
BREAKS: tuple[dict[str, Any], ...] = (
    {
        "break_id": "BR-7c41e09a",
        "status": "OPEN",
        "broker_account_id": "U7000001",
        "section": "executions",
        "break_class": "missing_here",
        "instrument_id": contract("MSFT", WEEK, PUT, 415),
        "ours": None,
        "theirs": Decimal(-1),
        "cause": "The broker has a fill of 18:42:10 that no file brought.",
        "age": 0,
    },
    {
        "break_id": "BR-19d2f4b3",
        "status": "OPEN",
        "broker_account_id": "U7000001",
        "section": "positions",
        "break_class": "missing_here",
        "instrument_id": contract("MSFT", WEEK, PUT, 415),
        "ours": Decimal(-2),
        "theirs": Decimal(-3),
        "cause": "Follows from BR-7c41e09a.",
        "age": 0,
    },
    {
        "break_id": "BR-e3307c58",
        "status": "EXPLAINED",
        "broker_account_id": "U7000001",
        "section": "cash",
        "break_class": "fee",
        "instrument_id": None,
        "ours": Decimal("118402.2266"),
        "theirs": Decimal("118400.9766"),
        "cause": "A market data fee of 1.25 on 2026-11-12.",
        "age": 6,
    },
    {
        "break_id": "BR-a90be712",
        "status": "OPEN",
        "broker_account_id": "U7000001",
        "section": "positions",
        "break_class": "stale_split",
        "instrument_id": "KRXW",
        "ours": Decimal(40),
        "theirs": Decimal(4),
        "cause": "40 against 4 is a ratio of 1:10.",
        "age": 12,
    },
)
PROPOSALS: tuple[dict[str, Any], ...] = (
    {
        "break_id": "BR-7c41e09a",
        "account_id": None,
        "kind": "trade",
        "instrument_id": contract("MSFT", WEEK, PUT, 415),
        "trade_date": NIGHT,
        "quantity": Decimal(-1),
        "price": Decimal("6.45"),
        "amount": Decimal("643.9489"),
        "text": "SELL_TO_OPEN 1 MSFT 2026-11-27 P 415 at 6.45",
        "command": "tradelake breaks apply BR-7c41e09a --account ACCOUNT",
    },
    {
        "break_id": "BR-e3307c58",
        "account_id": "GEN-1",
        "kind": "cash",
        "trade_date": date(2026, 11, 12),
        "amount": Decimal("-1.25"),
        "text": "A fee of 1.25 USD",
        "command": "tradelake breaks apply BR-e3307c58",
    },
    {
        "break_id": "BR-a90be712",
        "kind": "split",
        "instrument_id": "KRXW",
        "trade_date": date(2026, 11, 3),
        "text": "A reverse split 1 for 10 of KRXW for all accounts that hold it",
        "command": "tradelake breaks apply BR-a90be712",
    },
)
