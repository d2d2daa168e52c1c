"""Accounts and instruments that a person adds: checked row by row, against what the book has."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl

from tradelake.book.accounts import new_account
from tradelake.book.receipt import OUTCOME_SCHEMA
from tradelake.errors import Problem
from tradelake.tables import (
    ACCOUNTS,
    ASSET_TYPES,
    COMMITTED,
    EXERCISE_STYLES,
    INSTRUMENTS,
    LOT_METHODS,
    OPTION_TYPES,
    SETTLEMENTS,
)

Registered = tuple[pl.DataFrame, pl.DataFrame, list[Problem]]
ID_LENGTH_MAX = 64
OF_THE_COMMIT = {"recorded_at", *(column.name for column in COMMITTED)}
ACCOUNT_FIELDS = set(ACCOUNTS.names) - OF_THE_COMMIT
INSTRUMENT_FIELDS = set(INSTRUMENTS.names) - OF_THE_COMMIT


class _Refused(Exception):
    def __init__(self, code: str, field: str, value: object, message: str, action: str) -> None:
        super().__init__(message)
        self.problem = Problem(code, message, field=field, value="" if value is None else str(value), action=action)


def account_rows(rows: Sequence[Mapping[str, Any]], known: pl.DataFrame, *, recorded_at: datetime) -> Registered:
    """Return the accounts to add, one outcome per row, and the problems."""
    return _register(rows, known, "account_id", lambda row, ids: _account(row, ids, recorded_at))


def instrument_rows(rows: Sequence[Mapping[str, Any]], known: pl.DataFrame, *, recorded_at: datetime) -> Registered:
    """Return the instruments to add, one outcome per row, and the problems."""
    return _register(rows, known, "instrument_id", lambda row, ids: _instrument(row, ids, recorded_at))


def _register(rows: Sequence[Mapping[str, Any]], known: pl.DataFrame, key: str, make: Any) -> Registered:
    fresh, problems = known.clear(), []
    outcomes: list[tuple[int, str, str, str | None, str | None]] = []
    everything = known
    names = {str(row.get(key)) for row in rows} | set(known[key])
    for number, row in enumerate(rows, start=1):
        try:
            made = make(row, names)
        except _Refused as refused:
            problem = refused.problem
            source = key.removesuffix("_id") + "s"
            problems.append(replace(problem, source=source, row=number, trade_id=str(row.get(key) or "")))
            outcomes.append((number, "reject", str(row.get(key) or ""), problem.code, problem.message))
            continue
        same = everything.filter(pl.col(key) == made[key][0])
        if not same.height:
            fresh, everything = pl.concat([fresh, made]), pl.concat([everything, made])
            outcomes.append((number, "accepted", made[key][0], None, None))
        elif same.drop(OF_THE_COMMIT).equals(made.drop(OF_THE_COMMIT)):
            outcomes.append((number, "duplicate", made[key][0], None, None))
        else:
            message = "it is in the book with other content"
            problems.append(
                Problem(
                    "conflicting_duplicate",
                    message,
                    row=number,
                    field=key,
                    value=made[key][0],
                    action="Use another id, or give the same content.",
                )
            )
            outcomes.append((number, "conflict", made[key][0], "conflicting_duplicate", message))
    return fresh, pl.DataFrame(outcomes, schema=OUTCOME_SCHEMA, orient="row"), problems


def _check_fields(row: Mapping[str, Any], allowed: set[str], required: Sequence[str]) -> None:
    for name in row:
        if name not in allowed:
            raise _Refused(
                "unknown_field", name, row[name], "there is no such field", f"Fields: {', '.join(sorted(allowed))}."
            )
    for name in required:
        value = row.get(name)
        if value is None or value == "":
            raise _Refused("missing_field", name, value, f"{name} is required", f"Give {name}.")
        if not isinstance(value, str) or len(value) > ID_LENGTH_MAX:
            raise _Refused(
                "text_too_long",
                name,
                value,
                f"{name} has to be text of at most {ID_LENGTH_MAX} characters",
                "Shorten it.",
            )


def _one_of(row: Mapping[str, Any], field: str, allowed: Sequence[str], code: str, default: str | None) -> str | None:
    value = row.get(field)
    if value is None:
        return default
    if not isinstance(value, str) or value.upper() not in allowed:
        raise _Refused(code, field, value, f"{field} has to be one of {', '.join(allowed)}", "Choose one of them.")
    return value.upper()


def _account(row: Mapping[str, Any], names: set[str], recorded_at: datetime) -> pl.DataFrame:
    _check_fields(row, ACCOUNT_FIELDS, ("account_id",))
    parent = row.get("parent_account_id")
    if parent is not None and parent not in names:
        raise _Refused(
            "unknown_account", "parent_account_id", parent, "the parent account is not in the book", "Add it first."
        )
    return new_account(
        row["account_id"],
        broker_account_id=row.get("broker_account_id") or row["account_id"],
        recorded_at=recorded_at,
        account_type=row.get("account_type"),
        parent_account_id=parent,
        lot_method=_one_of(row, "lot_method", LOT_METHODS, "unknown_method", "FIFO") or "FIFO",
        base_currency=row.get("base_currency") or "USD",
        allocation_pattern=row.get("allocation_pattern"),
        allocation_default=bool(row.get("allocation_default")),
    )


def _instrument(row: Mapping[str, Any], names: set[str], recorded_at: datetime) -> pl.DataFrame:
    _check_fields(row, INSTRUMENT_FIELDS, ("instrument_id",))
    asset_type = _one_of(row, "asset_type", ASSET_TYPES, "invalid_instrument", None)
    if asset_type is None:
        raise _Refused(
            "invalid_instrument", "asset_type", None, "asset_type is required", f"One of {', '.join(ASSET_TYPES)}."
        )
    made: dict[str, Any] = {name: row.get(name) for name in INSTRUMENTS.names}
    made |= {
        "symbol": row.get("symbol") or row["instrument_id"],
        "asset_type": asset_type,
        "currency": row.get("currency") or "USD",
        "multiplier": _positive(row, "multiplier") or Decimal(100 if asset_type == "OPTION" else 1),
        "deliverable": _deliverable(row, names),
        "recorded_at": recorded_at,
    }
    if asset_type == "OPTION":
        made |= _option_terms(row, names)
    frame = pl.DataFrame([made], schema_overrides=dict(INSTRUMENTS.schema))
    return INSTRUMENTS.conform(frame)


def _option_terms(row: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    underlying = row.get("underlying_instrument_id") or row.get("symbol")
    if underlying not in names:
        raise _Refused(
            "invalid_instrument",
            "underlying_instrument_id",
            underlying,
            "the underlying is not in the book",
            "Add it first, or in the same call.",
        )
    expiration = row.get("expiration")
    try:
        expiration = date.fromisoformat(expiration) if isinstance(expiration, str) else expiration
    except ValueError:
        expiration = None
    if not isinstance(expiration, date):
        raise _Refused(
            "invalid_instrument",
            "expiration",
            row.get("expiration"),
            "an option needs its last day",
            "Write it as YYYY-MM-DD.",
        )
    strike, option_type = (
        _positive(row, "strike"),
        _one_of(row, "option_type", OPTION_TYPES, "invalid_instrument", None),
    )
    for field, value in (("strike", strike), ("option_type", option_type)):
        if value is None:
            raise _Refused("invalid_instrument", field, None, f"an option needs its {field}", f"Give {field}.")
    return {
        "underlying_instrument_id": underlying,
        "symbol": row.get("symbol") or underlying,
        "strike": strike,
        "option_type": option_type,
        "expiration": expiration,
        "settlement": _one_of(row, "settlement", SETTLEMENTS, "invalid_instrument", "PHYSICAL"),
        "exercise_style": _one_of(row, "exercise_style", EXERCISE_STYLES, "invalid_instrument", "AMERICAN"),
    }


def _deliverable(row: Mapping[str, Any], names: set[str]) -> str | None:
    """Return the deliverable as canonical JSON: parts of instrument_id, quantity and cost_fraction, or cash."""
    given = row.get("deliverable")
    if given is None:
        return None
    try:
        parts = json.loads(given) if isinstance(given, str) else given
        for part in parts:
            _decimal(part["quantity"] if "instrument_id" in part else part["cash"])
            if part.get("instrument_id") is not None and part["instrument_id"] not in names:
                raise _Refused(
                    "invalid_instrument",
                    "deliverable",
                    part["instrument_id"],
                    "a delivered instrument is not in the book",
                    "Add it first, or in the same call.",
                )
        fractions = [_decimal(part.get("cost_fraction", "1")) for part in parts if "instrument_id" in part]
    except (ValueError, TypeError, KeyError, InvalidOperation, AttributeError) as error:
        raise _Refused(
            "invalid_instrument",
            "deliverable",
            given,
            "the deliverable is not a list of parts",
            'Write [{"instrument_id": "XYZ", "quantity": "150"}, {"cash": "12.50"}].',
        ) from error
    if fractions and sum(fractions) != 1:
        raise _Refused(
            "invalid_instrument",
            "deliverable",
            given,
            "the cost fractions do not add up to 1",
            "Give every delivered stock its cost_fraction.",
        )
    return json.dumps(parts, sort_keys=True, separators=(",", ":"))


def _decimal(value: object) -> Decimal:
    if not isinstance(value, str):
        raise TypeError("numbers are text")
    return Decimal(value)


def _positive(row: Mapping[str, Any], field: str) -> Decimal | None:
    value = row.get(field)
    if value is None:
        return None
    try:
        number = Decimal(value) if isinstance(value, (str, int, Decimal)) else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or number <= 0:
        raise _Refused("invalid_instrument", field, value, f"{field} has to be a positive decimal", "Write it as 52.5.")
    return number
