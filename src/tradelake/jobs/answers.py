"""What a book answers to a scenario, in the shape of its `expected` section."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake.book import KINDS, Book, Receipt

NUMBER = pl.Decimal(38, 12)
EXECUTED = {
    "broker_execution_id": pl.String(),
    "instrument_id": pl.String(),
    "quantity": NUMBER,
    "price": NUMBER,
    "charges": NUMBER,
}
HELD = {"instrument_id": pl.String(), "quantity": NUMBER}
OF_FIELDS = ("quantity", "price", "fee")
TOTALS = ("realized_pnl", "fees", "cash", "dividends")


def answers(book: Book, scenario: Mapping[str, Any], instruments: Receipt, events: Receipt) -> dict[str, Any]:
    """Return positions, closed matches, totals, errors, duplicates, groups, trade dates and as-of states."""
    static = _static_errors(scenario, instruments, events)
    trades = book.trades(kinds=KINDS, in_effect=True)
    return {
        **_state(book, scenario),
        "closed": _closed(book.matches()),
        "errors": [*static, *_refusals(book)],
        "duplicates": _duplicates(scenario, events),
        "groups": _groups(book, trades),
        "trade_dates": dict(trades.select("trade_id", pl.col("trade_date").cast(pl.String)).iter_rows()),
        "as_of": [
            {
                "effective": when["effective"],
                "known": when["known"],
                **_state(book, scenario, as_of=when["effective"], as_known=when["known"]),
                "errors": [
                    *_known_errors(static, scenario, when["known"]),
                    *_refusals(book, as_of=when["effective"], as_known=when["known"]),
                ],
            }
            for when in (scenario.get("expected") or {}).get("as_of") or []
        ],
        **({"breaks": list(_breaks(book, scenario["broker"]))} if "broker" in scenario else {}),
    }


def _state(book: Book, scenario: Mapping[str, Any], **instants: Any) -> dict[str, Any]:
    lots: dict[tuple[str, str], dict[Any, dict[str, Any]]] = defaultdict(dict)
    for lot in book.lots(**instants).iter_rows(named=True):
        key = (lot["open_trade_id"], lot["open_date"].isoformat())
        entry = lots[lot["account_id"], lot["instrument_id"]].setdefault(
            key, {"open": key[0], "open_date": key[1], "quantity": Decimal(0), "cost_basis": Decimal(0)}
        )
        entry["quantity"] += lot["quantity"]
        entry["cost_basis"] += lot["cost_basis"]
    positions = [
        {
            "account": row["account_id"],
            "instrument": row["instrument_id"],
            **{name: row[name] for name in ("quantity", "average_price", "average_price_ex_fees", "cost_basis")},
            "lots": list(lots[row["account_id"], row["instrument_id"]].values()),
        }
        for row in book.positions(**instants).iter_rows(named=True)
    ]
    totals = {name: dict.fromkeys(TOTALS, Decimal(0)) for name in scenario["accounts"]}
    for row in book.pnl(["account"], **instants).iter_rows(named=True):
        for name in TOTALS:
            totals[row["account_id"]][name] += row[name]
    return {"positions": positions, "totals": totals}


def _closed(matches: pl.DataFrame) -> list[dict[str, Any]]:
    keys = ["account_id", "instrument_id", "open_trade_id", "close_trade_id", "how"]
    rows = matches.group_by(keys, maintain_order=True).agg(
        pl.col("quantity", "proceeds", "cost", "realized_pnl").sum(), pl.col("term").first()
    )
    names = ("account", "instrument", "open", "close", "how", "quantity", "proceeds", "cost", "pnl", "term")
    return [dict(zip(names, row, strict=True)) for row in rows.iter_rows()]


def _static_errors(scenario: Mapping[str, Any], instruments: Receipt, events: Receipt) -> list[dict[str, str]]:
    """Return what was refused by itself; an event of a refused instrument is refused for the instrument's sake."""
    refused = {problem.trade_id for problem in instruments.problems}
    errors = [{"instrument": problem.trade_id, "code": problem.code} for problem in instruments.problems]
    bad = events.outcomes.filter(pl.col("outcome").is_in(("reject", "conflict")))
    for row, code in bad.select("row", "code").iter_rows():
        event = scenario["events"][row - 1]
        named = {event.get(name) for name in ("instrument", "new_instrument")}
        void = code == "unknown_instrument" and not refused.isdisjoint(named)
        errors.append({"event": event["id"], "code": "invalid_instrument" if void else code})
    return errors


def _refusals(book: Book, **instants: Any) -> list[dict[str, str]]:
    rows = book.refusals(**instants).select("trade_id", "code").unique(maintain_order=True)
    return [{"event": trade_id, "code": code} for trade_id, code in rows.iter_rows()]


def _known_errors(static: list[dict[str, str]], scenario: Mapping[str, Any], known: str) -> list[dict[str, str]]:
    """Leave out the refused events that were not known yet; one whose time is not readable was always known."""
    told = {event["id"]: _instant(event.get("known_at", event.get("at"))) for event in scenario["events"]}
    until = _instant(known)
    return [error for error in static if "event" not in error or not _is_later(told[error["event"]], until)]


def _instant(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def _is_later(told: datetime | None, until: datetime | None) -> bool:
    if told is None or until is None or told.tzinfo is None:
        return False
    return told > until


def _duplicates(scenario: Mapping[str, Any], events: Receipt) -> list[str]:
    rows = events.outcomes.filter(pl.col("outcome") == "duplicate")["row"]
    return [scenario["events"][row - 1]["id"] for row in rows]


def _groups(book: Book, trades: pl.DataFrame) -> dict[str, dict[str, Decimal]]:
    """Return realized profit by the closing event's tags, and net cash by every event's tags."""
    tags = {
        trade_id: json.loads(details).get("tags", []) if details else []
        for trade_id, details in trades.select("trade_id", "details").iter_rows()
    }
    groups: dict[str, dict[str, Decimal]] = defaultdict(lambda: {"realized_pnl": Decimal(0), "net_cash": Decimal(0)})
    for names in tags.values():
        for name in names:
            groups[name]["net_cash"] += 0
    for closing, amount in book.matches().select("close_trade_id", "realized_pnl").iter_rows():
        for name in tags[closing]:
            groups[name]["realized_pnl"] += amount
    for trade_id, amount in book.ledger().select("trade_id", "amount").iter_rows():
        for name in tags[trade_id]:
            groups[name]["net_cash"] += amount
    return dict(groups)


def _breaks(book: Book, broker: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every difference to what the scenario's broker says, those that follow from others too."""
    frames = {}
    if "positions" in broker:
        held = [(row["instrument"], Decimal(row["quantity"])) for row in broker["positions"] or ()]
        frames["positions"] = pl.DataFrame(held, schema=HELD, orient="row")
    if "executions" in broker:
        executed = [_executed(row) for row in broker["executions"] or ()]
        frames["executions"] = pl.DataFrame(executed, schema=EXECUTED, orient="row")
    found = book.differences(broker["account"], broker["as_of"], **frames)
    for row in found.iter_rows(named=True):
        kind = _kind(row)
        if kind is not None:
            yield {
                "type": kind,
                "account": broker["account"],
                "instrument": row["instrument_id"],
                "exec_id": row["broker_execution_id"],
                "ours": row["ours"],
                "broker": row["theirs"],
            }


def _executed(row: Mapping[str, Any]) -> tuple[Any, ...]:
    charges = Decimal(row.get("commission", "0")) + Decimal(row.get("fees", "0"))
    return row["exec_id"], row["instrument"], Decimal(row["quantity"]), Decimal(row["price"]), charges


def _kind(row: Mapping[str, Any]) -> str | None:
    """Return what a scenario calls a difference; None for what it does not compare."""
    if row["section"] == "positions":
        return "stale_split" if row["break_class"] == "stale_split" else "position"
    if row["field"] in OF_FIELDS:
        return str(row["field"])
    # A trade of ours without an id cannot be told from the broker's.
    if row["field"] != "presence" or row["broker_execution_id"] is None:
        return None
    return "missing_trade" if row["ours"] is None else "extra_trade"
