"""Cash transactions of a Flex statement -> cash events."""

import re
from collections.abc import Sequence

from tradelake.intake import ibkr_values as values
from tradelake.intake.ibkr_decisions import Decision, bad_timestamp, event, kept, missing_day, reject
from tradelake.intake.ibkr_rows import named, transaction_id
from tradelake.intake.ibkr_terms import CASH, OPTION, UNSUPPORTED, terms_of
from tradelake.intake.ibkr_values import Clock
from tradelake.intake.ibkr_xml import Row

REASON_LENGTH_MAX = 500
_CATEGORIES = {
    "deposit": (
        "deposits/withdrawals", "deposits & withdrawals", "deposits and withdrawals", "deposits",
        "withdrawals", "deposit", "withdrawal", "cash receipts", "electronic fund transfer",
    ),
    "interest": (
        "broker interest paid", "broker interest received", "bond interest paid", "bond interest received",
        "bond interest", "interest paid", "interest received", "interest",
    ),
    "dividend": (
        "dividends", "dividend", "payment in lieu of dividends", "payment in lieu of dividend",
        "payment in lieu", "withholding tax", "871(m) withholding", "withholding tax 871(m)",
    ),
    "fee": (
        "other fees", "broker fees", "commission adjustments", "advisor fees", "client fees", "fees",
        "other fee", "adr fees", "transaction fees",
    ),
}  # fmt: skip
_CATEGORY_OF_TYPE = {name: category for category, names in _CATEGORIES.items() for name in names}
_SYMBOL = re.compile(r"[A-Za-z0-9 ./\-_:&+^=]{1,64}")
_DAYS = ("dateTime", "date", "settleDate", "reportDate")


def cash_decisions(rows: Sequence[Row], clock: Clock) -> dict[int, Decision]:
    """Return the decision on each row of CashTransactions by row number.

    Rows of level SUMMARY repeat those of level DETAIL; where an account has only the former they are the
    events.
    """
    detailed = {row.account for row in rows if not _is_summary(row)}
    return {
        row.number: kept("summary", "It sums up rows of level DETAIL.")
        if _is_summary(row) and row.account in detailed
        else _cash(row, clock)
        for row in rows
    }


def _is_summary(row: Row) -> bool:
    return row.get("levelOfDetail").upper() == "SUMMARY"


def _cash(row: Row, clock: Clock) -> Decision:
    amount = values.number(row.get("amount"))
    if amount == "0":
        return kept("zero_amount", "No money moved.")
    category = _category(row)
    if category is None:
        return reject(
            "unknown_category",
            f"Cash transactions of type {row.get('type')!r} are neither deposit, interest, dividend nor fee.",
            field="type",
            value=row.get("type"),
            action="If money moved, record it as a cash event with the category that fits.",
        )
    field = next((name for name in _DAYS if row.get(name)), "")
    if not field:
        return missing_day("dateTime")
    at = clock.instant(row.get(field), time_missing=values.CLOSE)
    if at is None:
        return bad_timestamp(row, field)
    return event(
        {
            **_instrument(row, clock),
            "kind": "cash",
            "leg_id": "1",
            "broker_account_id": row.account,
            "broker_execution_id": transaction_id(row),
            "executed_at": at,
            "amount": amount or None,
            "cash_category": category,
            "currency": row.get("currency") or None,
            "reason": row.get("description")[:REASON_LENGTH_MAX] or None,
        }
    )


def _instrument(row: Row, clock: Clock) -> dict[str, str | None]:
    """Return what the money is about; nothing where that is no instrument of a book, or not fully said."""
    terms = terms_of(row, clock)
    foreign = terms.asset_type in (CASH, UNSUPPORTED) or not _SYMBOL.fullmatch(terms.symbol)
    partial = terms.asset_type == OPTION and not (terms.contract_symbol or terms.instrument_id)
    return {} if foreign or partial else named(terms)


def _category(row: Row) -> str | None:
    kind = " ".join(row.get("type").lower().split())
    if kind == "withholding tax" and "CREDIT INT" in row.get("description").upper():
        return "interest"
    return _CATEGORY_OF_TYPE.get(kind)
