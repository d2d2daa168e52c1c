"""Events in a few words, and the chains that follow from them: what the tests of chains share."""

import json
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from tests.laws.direct import instrument_frame, log_frame, match, methods_of, standing_of
from tests.reference.exact import instant
from tradelake.lots import Matched, in_effect, match_events
from tradelake.positions import ROLL_WINDOW, Chains, Summary, chains_of, summarise
from tradelake.tables import TRADE_LOG

Event = dict[str, Any]
D = Decimal
DAYS = {"J": "2026-01-16", "F": "2026-02-20", "M": "2026-03-20"}
RIGHTS = "CP"
HELD = ("order_id", "broker_order_id")


def contract(name: str) -> Event:
    """Return the terms of a contract named like JP45: month, right and strike."""
    return {"type": "option", "underlying": "XYZ", "expiry": DAYS[name[0]], "right": name[1], "strike": name[2:]}


def is_contract(name: str) -> bool:
    return name[0] in DAYS and name[1] in RIGHTS and name[2:].isdigit()


@dataclass(frozen=True, slots=True)
class Chained:
    """What was matched, the positions and the chains that follow."""

    matched: Matched
    summary: Summary
    chains: Chains

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        """Return columns of the chains, in order of their opening."""
        return self.chains.chains.sort("opened_at", "chain_id").select(columns).rows()

    def row(self) -> dict[str, Any]:
        """Return the one chain."""
        assert self.chains.chains.height == 1
        return self.chains.chains.row(0, named=True)

    def together(self) -> list[list[str]]:
        """Return the instruments of every chain, in order of their opening."""
        held = self.chains.positions.sort("opened_at", "position_id").group_by("chain_id", maintain_order=True)
        return [sorted(names) for names in held.agg("instrument_id")["instrument_id"].to_list()]

    def problems(self) -> list[tuple[str, str, str]]:
        return [(problem.trade_id, problem.code, problem.value) for problem in self.chains.problems]


def trade(at: str, instrument: str, quantity: str, price: str = "1", **fields: Any) -> Event:
    """Return a trade of account A; its id is its instrument and time."""
    return event("trade", at, instrument, quantity=quantity, price=price, **fields)


def event(kind: str, at: str, instrument: str, **fields: Any) -> Event:
    """Return an event in January 2026 for a time like `05T15:00`, else at the time as it is written."""
    full = f"2026-01-{at}:00Z" if len(at) == len("05T15:00") else at
    own = {"id": f"{instrument}@{at}", "kind": kind, "at": full, "instrument": instrument}
    return {**own, **({"account": "A"} if kind not in ("symbol_change", "option_adjust", "spin_off") else {}), **fields}


def wish(kind: str, at: str, **chain: Any) -> Event:
    """Return an override of account A."""
    return {"id": f"{kind}@{at}", "kind": kind, "at": f"2026-01-{at}:00Z", "account": "A", "chain": chain}


def chained(
    *events: Event,
    method: str = "FIFO",
    window: timedelta = ROLL_WINDOW,
    instruments: dict[str, Event] | None = None,
    accounts: tuple[str, ...] = ("A", "B"),
) -> Chained:
    """Match events, in the order of their arrival, and return their chains."""
    names = {e[n] for e in events for n in ("instrument", "new_instrument") if n in e}
    terms: dict[str, Event] = {name: contract(name) if is_contract(name) else {"type": "stock"} for name in names}
    terms = {"XYZ": {"type": "stock"}} | terms | (instruments or {})
    told = [e for e in events if not e["kind"].startswith("chain_")]
    scenario = {
        "accounts": {name: {"lot_method": method} for name in accounts},
        "instruments": terms,
        "events": [{n: v for n, v in e.items() if n not in (*HELD, "tags")} for e in told],
    }
    log, _ = log_frame(scenario)
    fields = {e["id"]: e for e in told}
    rows = [with_fields(row, fields[row["trade_id"]]) for row in log.iter_rows(named=True)]
    rows += [override_row(e, 1000 + n) for n, e in enumerate(events) if e["kind"].startswith("chain_")]
    currencies = {name: term["currency"] for name, term in terms.items() if "currency" in term}
    currency = pl.col("instrument_id").replace_strict(currencies, default="USD", return_dtype=pl.String)
    terms_frame = instrument_frame(scenario).with_columns(currency.alias("currency"))
    effective = in_effect(pl.DataFrame(rows, schema=TRADE_LOG.schema), terms_frame)
    matched = match_events(effective, terms_frame, methods_of(scenario), standing=standing_of(scenario))
    return of_matched(matched, effective, terms_frame, window)


def of_matched(
    matched: Matched, effective: pl.DataFrame, instruments: pl.DataFrame, window: timedelta = ROLL_WINDOW
) -> Chained:
    """Return the chains of what was matched."""
    summary = summarise(matched.episodes, matched.lots, matched.matches)
    refused = matched.refusals.select("sequence", "account_id")
    chains = chains_of(
        summary.positions,
        summary.history,
        matched.matches,
        matched.lots,
        effective.join(refused, on=["sequence", "account_id"], how="anti"),
        instruments=instruments,
        roll_window=window,
    )
    return Chained(matched, summary, chains)


def of_scenario(scenario: dict[str, Any]) -> Chained:
    """Return the chains of a scenario as it stands."""
    log, matched = match(scenario)
    instruments = instrument_frame(scenario)
    return of_matched(matched, in_effect(log, instruments), instruments)


def with_fields(row: dict[str, Any], event: Event) -> dict[str, Any]:
    details = json.loads(row["details"]) if row["details"] else {}
    if "tags" in event:
        details["tags"] = event["tags"]
    return {**row, **{n: event.get(n) for n in HELD}, "details": json.dumps(details, separators=(",", ":")) or None}


def override_row(event: Event, sequence: int) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(TRADE_LOG.names)
    at = instant(event["at"])
    return row | {
        "sequence": sequence,
        "trade_id": event["id"],
        "leg_id": "1",
        "kind": event["kind"],
        "account_id": event["account"],
        "executed_at": at,
        "trade_date": at.date(),
        "currency": "USD",
        "details": json.dumps({"chain": event["chain"]}),
    }
