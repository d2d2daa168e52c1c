"""Lot cases of another project, with its answers: FIFO of longs and shorts, opening positions, options to their end.

Read are the cases in one currency; those that need exchange rates have other answers by design. A position at the start
of the year is an opening trade on the last day before it, at the cost that the report gives and without charges.
"""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

import tradelake as tl
from tests.books import Patterns

SIDES = {"BL": "BUY_TO_OPEN", "SL": "SELL_TO_CLOSE", "SSO": "SELL_TO_OPEN", "BSC": "BUY_TO_CLOSE"}
ENDS = {("Ex", "SL"): "exercise", ("A", "BSC"): "assign", ("Ep", "SL"): "expire", ("Ep", "BSC"): "expire"}
CLOSING_HOURS = {"exercise": "20:30", "assign": "20:30", "expire": "21:00"}
OPTION = "the option"
Row = dict[str, Any]


def in_one_currency(case: Row) -> bool:
    """Tell whether nothing of the case has to be converted."""
    return "USD" not in str(case["inputs"])


def given_events(inputs: Row, commission: str) -> list[Row]:
    """Return the events of a case as execution rows, in order of time."""
    asset = (inputs.get("asset") or inputs.get("underlying") or {"symbol": ""})["symbol"]
    events = []
    if "positions_soy" in inputs and "historical_trades" not in inputs:
        events.append(opening_position(inputs["positions_soy"], asset))
    trades = [
        *inputs.get("historical_trades", ()),
        *inputs.get("intra_year_trades", ()),
        *inputs.get("stock_trades", ()),
    ]
    delivered = [trade for trade in trades if trade.get("notes_codes") in ("Ex", "A")]
    plain = (trade for trade in trades if trade not in delivered)
    events += [told(trade, {"symbol": trade.get("asset", asset)}, commission) for trade in plain]
    for trade in inputs.get("option_trades", ()):
        terms = option_terms(inputs["option"], asset)
        kind = ENDS.get((trade.get("notes_codes", ""), trade["type"]))
        if kind is None:
            events.append(told(trade, terms, commission))
        else:
            charged = commission if any(other["date"] == trade["date"] for other in delivered) else "0"
            events.append(ended(trade, terms, kind, charged))
    return sorted(events, key=lambda event: event["executed_at"])


def opening_position(position: Row, asset: str) -> Row:
    """Return the trade that stands for a position at the start of the year."""
    quantity = Decimal(str(position["quantity"]))
    return {
        "account_id": "GEN-1",
        "action": "BUY_TO_OPEN" if quantity > 0 else "SELL_TO_OPEN",
        "symbol": asset,
        "executed_at": "2022-12-31T20:59:00Z",
        "quantity": abs(quantity),
        "price": Decimal(str(position["cost_basis"])) / abs(quantity),
        "currency": "EUR",
    }


def option_terms(option: Row, asset: str) -> Row:
    """Return the terms of the option of a case."""
    names = {"strike": "strike", "expiry": "expiration", "type": "option_type"}
    return {"symbol": asset, **{ours: str(option[theirs]) for theirs, ours in names.items()}}


def told(trade: Row, terms: Row, commission: str) -> Row:
    """Return a trade of a case as an execution row."""
    return {
        "account_id": "GEN-1",
        "action": SIDES[trade["type"]],
        "executed_at": f"{trade['date']}T{trade.get('time', '15:00:00')}Z",
        "quantity": str(trade["qty"]),
        "price": str(trade["price"]),
        "commission": commission,
        "currency": "EUR",
        **terms,
    }


def ended(trade: Row, terms: Row, kind: str, commission: str) -> Row:
    """Return the end of an option, which the case writes as a trade at zero."""
    return {
        "account_id": "GEN-1",
        "kind": kind,
        "executed_at": f"{trade['date']}T{CLOSING_HOURS[kind]}:00Z",
        "quantity": str(trade["qty"]),
        "commission": commission,
        "currency": "EUR",
        **terms,
    }


def realized(book: tl.Book) -> list[Row]:
    """Return what was realized, under the names of the cases; matches that realize nothing are left out."""
    rows = book.matches().filter(~book.matches()["how"].is_in(["exercised", "assigned"]))
    return [
        {
            "quantity": row["quantity"],
            "acquisition_date": row["open_date"].isoformat(),
            "realization_date": row["close_date"].isoformat(),
            "total_cost_basis_eur": row["cost"],
            "total_proceeds_eur": row["proceeds"],
            "gain_loss_eur": row["realized_pnl"],
        }
        for row in rows.iter_rows(named=True)
    ]


def comparable(row: Row, names: set[str]) -> tuple[Any, ...]:
    """Return the fields that a case gives, numbers as Decimals."""
    return tuple(
        value if name.endswith("_date") else Decimal(str(value)) for name, value in sorted(row.items()) if name in names
    )


@pytest.mark.usefixtures("vectors")
def test_lot_cases_in_one_currency(vectors: Path, patterns: Patterns, tmp_path: Path):
    wrong, count = {}, 0
    for path in sorted((vectors / "data" / "lot_cases").glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for case in filter(in_one_currency, content["tests"]):
            count += 1
            with patterns.copy("sqlite", tmp_path / case["id"]).open() as book:
                receipt = book.record(given_events(case["inputs"], str(content["metadata"]["commission_eur"])))
                answers = realized(book)
            names = {name for row in case["expected"]["rgls"] for name in row} & set(answers[0] if answers else ())
            wanted = sorted(comparable(row, names) for row in case["expected"]["rgls"])
            got = sorted(comparable(row, names) for row in answers)
            # A trade of nothing is passed over there, and refused with its reason here.
            refused = {problem.code for problem in receipt.problems} - {"zero_quantity"}
            if wanted != got or refused:
                wrong[case["id"]] = (wanted, got, receipt.problems)
    assert count > 25
    assert wrong == {}
