"""Scenarios straight into the pure rooms: frames of the log made in place, no book, no file.

The frames are made here from the scenario's own text, so that intake and store have no part in the answer.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction as F
from typing import Any

import polars as pl

from tests.reference.exact import R, dec, instant, num
from tests.reference.oracle import FOREVER
from tests.reference.told import charges_of, resolve, trade_date
from tradelake.lots import Matched, in_effect, match_events
from tradelake.lots.engine import COMPILE_FROM
from tradelake.positions import Summary, cash_ledger, profit, summarise
from tradelake.tables import CASH_FLOWS, INSTRUMENTS, REFUSALS, TRADE_LOG

Scenario = dict[str, Any]
RIGHTS = {"C": "CALL", "P": "PUT"}
EFFECTS = {"open": "_TO_OPEN", "close": "_TO_CLOSE", "auto": ""}
TOTALS = ("realized_pnl", "fees", "cash", "dividends")


def methods_of(scenario: Scenario) -> dict[str, str]:
    """Return the lot method of every account."""
    return {
        name: (account or {}).get("lot_method") or scenario.get("lot_method") or "FIFO"
        for name, account in scenario["accounts"].items()
    }


def instrument_frame(scenario: Scenario) -> pl.DataFrame:
    """Return the scenario's instruments as rows of that table."""
    return pl.DataFrame(
        [_instrument(name, terms) for name, terms in scenario["instruments"].items()], schema=INSTRUMENTS.schema
    )


def _instrument(name: str, terms: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(INSTRUMENTS.names)
    row |= {
        "instrument_id": name,
        "symbol": terms.get("underlying", name),
        "asset_type": terms["type"].upper(),
        "currency": "USD",
        "multiplier": Decimal(terms.get("multiplier", "100" if terms["type"] == "option" else "1")),
        "recorded_at": instant("2020-01-01T00:00:00Z"),
    }
    if terms["type"] == "option":
        parts = [
            {("instrument_id" if k == "instrument" else k): v for k, v in p.items()}
            for p in terms.get("deliverable", ())
        ]
        row |= {
            "underlying_instrument_id": terms["underlying"],
            "strike": Decimal(terms["strike"]),
            "expiration": date.fromisoformat(terms["expiry"]),
            "option_type": RIGHTS[terms["right"]],
            "settlement": terms.get("settlement", "physical").upper(),
            "exercise_style": terms.get("style", "american").upper(),
            "deliverable": json.dumps(parts) if parts else None,
        }
    return row


def log_frame(scenario: Scenario) -> tuple[pl.DataFrame, list[dict[str, str]]]:
    """Return the scenario's events in effect as rows of `trade_log`, and the refusals that need no position."""
    events, errors, _ = resolve(scenario, FOREVER)
    terms = {row["instrument_id"]: row for row in instrument_frame(scenario).iter_rows(named=True)}
    rows = [_event(event, terms.get(event.get("instrument", ""), {})) for event in events]
    return pl.DataFrame(rows, schema=TRADE_LOG.schema), errors


def _event(event: Mapping[str, Any], terms: Mapping[str, Any]) -> dict[str, Any]:
    lots = event.get("lots") or []
    of_lots = dec(sum((num(lot["quantity"]) for lot in lots), F(0))) if event["kind"] == "transfer" else "0"
    quantity = num(event.get("contracts", event.get("quantity", of_lots)))
    price = event.get("settlement_price", event.get("price"))
    row: dict[str, Any] = dict.fromkeys(TRADE_LOG.names)
    row |= {name: terms.get(name) for name in terms if name in row}
    row |= {
        "sequence": event["key"][2] + 1,
        "trade_id": event.get("trade_id", event["id"]),
        "leg_id": event.get("leg", "1"),
        "kind": event["kind"],
        "account_id": event.get("account"),
        "broker_account_id": event.get("account"),
        "to_account_id": event.get("to"),
        "new_instrument_id": event.get("new_instrument"),
        "executed_at": instant(event["at"]),
        "trade_date": trade_date(dict(event)),
        "quantity": Decimal(dec(abs(quantity))) if quantity else None,
        "price": None if price is None else Decimal(price),
        "commission": Decimal(event.get("commission", "0")),
        "fees": Decimal(event.get("fees", "0")),
        "currency": "USD",
        "natural_key": event["id"],
        "execution_digest": 0,
        "trade_digest": 0,
        "recorded_at": instant(event.get("known_at", event["at"])),
        "import_run_id": 1,
        "source_record_id": 1,
        "row_check": 0,
    }
    if event["kind"] == "trade":
        gross = R(abs(quantity) * num(event["price"]) * num(str(terms["multiplier"])))
        net = (-gross if quantity > 0 else gross) - charges_of(dict(event))
        row["action"] = ("BUY" if quantity > 0 else "SELL") + EFFECTS[event.get("effect", "auto")]
        row["gross_amount"], row["net_amount"] = Decimal(dec(gross)), Decimal(dec(net))
    if event["kind"] == "cash":
        row |= {"net_amount": Decimal(event["amount"]), "cash_category": event["category"]}
    details = _details(event)
    row["details"] = json.dumps(details) if details else None
    return row


def _details(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what only some kinds have, under the names of the log."""
    same = (
        "lots",
        "ratio",
        "basis_fraction",
        "cash_in_lieu_price",
        "treatment",
        "new_price",
        "pay_at",
        "shares",
        "cash",
    )
    details = {name: event[name] for name in same if event.get(name)}
    per_unit = event.get("per_share", event.get("cash_per_share"))
    if per_unit is not None:
        details["amount_per_unit"] = per_unit
    if event["kind"] == "fork":
        details["moves"] = [
            {("instrument_id" if name == "instrument" else name): value for name, value in move.items()}
            for move in event["moves"]
        ]
    return details


def standing_of(scenario: Scenario) -> dict[str, str]:
    """Return the accounts that a fork has to open."""
    return {name: "NOT_OPEN" for name, account in scenario["accounts"].items() if (account or {}).get("parent")}


def match(scenario: Scenario, *, compile_from: int = COMPILE_FROM) -> tuple[pl.DataFrame, Matched]:
    """Return the log, and what the matching gives for it."""
    log, _ = log_frame(scenario)
    instruments = instrument_frame(scenario)
    matched = match_events(
        in_effect(log, instruments),
        instruments,
        methods_of(scenario),
        standing=standing_of(scenario),
        compile_from=compile_from,
    )
    return log, matched


def answers(scenario: Scenario) -> dict[str, Any]:
    """Return what the pure rooms answer, in the shape of a scenario's `expected` section."""
    log, matched = match(scenario)
    summary = summarise(matched.episodes, matched.lots, matched.matches)
    errors = [{"event": i, "code": c} for i, c in matched.refusals.select("trade_id", "code").iter_rows()]
    return {
        "positions": position_rows(summary, matched.lots),
        "closed": closed_rows(matched.matches),
        "totals": total_rows(scenario, log, matched),
        "errors": log_frame(scenario)[1] + errors,
        "duplicates": resolve(scenario, FOREVER)[2],
        "as_of": [],
        "groups": {},
        "trade_dates": {},
    }


def position_rows(summary: Summary, lots: pl.DataFrame) -> list[dict[str, Any]]:
    """Return open positions with their lots, those of one opening event together."""
    held: dict[Any, dict[Any, dict[str, Any]]] = defaultdict(dict)
    for lot in lots.iter_rows(named=True):
        key = (lot["open_trade_id"], lot["open_date"].isoformat())
        entry = held[lot["position_id"]].setdefault(
            key, {"open": key[0], "open_date": key[1], "quantity": Decimal(0), "cost_basis": Decimal(0)}
        )
        entry["quantity"] += lot["quantity"]
        entry["cost_basis"] += lot["cost_basis"]
    names = ("quantity", "average_price", "average_price_ex_fees", "cost_basis")
    return [
        {
            "account": row["account_id"],
            "instrument": row["instrument_id"],
            **{name: row[name] for name in names},
            "lots": list(held[row["position_id"]].values()),
        }
        for row in summary.positions.iter_rows(named=True)
    ]


def closed_rows(matches: pl.DataFrame) -> list[dict[str, Any]]:
    """Return matches summed by account, instrument, opening and closing event, and what closed them."""
    names = {"account_id": "account", "instrument_id": "instrument", "open_trade_id": "open", "close_trade_id": "close"}
    rows = matches.group_by(*names, "how", maintain_order=True).agg(
        pl.col("quantity", "proceeds", "cost").sum(), pl.col("realized_pnl").sum().alias("pnl"), pl.col("term").first()
    )
    return rows.rename(names).to_dicts()


def total_rows(scenario: Scenario, log: pl.DataFrame, matched: Matched) -> dict[str, dict[str, Decimal]]:
    """Return profit, fees, cash and dividends per account."""
    ledger = cash_ledger(log, matched.cash_flows.select(CASH_FLOWS.names), matched.refusals.select(REFUSALS.names))
    matches = matched.matches.with_columns(strategy_id=pl.lit(None, dtype=pl.String))
    totals = {name: dict.fromkeys(TOTALS, Decimal(0)) for name in scenario["accounts"]}
    for row in profit(matches, ledger, ["account"]).iter_rows(named=True):
        totals[row["account_id"]] = {name: row[name] for name in TOTALS}
    return totals


def total(values: Iterable[Decimal]) -> F:
    """Return the exact sum."""
    return sum((F(value) for value in values), F(0))
