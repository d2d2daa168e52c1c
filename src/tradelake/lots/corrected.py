"""A corrected event: the row of the log with the fields of its corrections, and what follows from them."""

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake import sessions
from tradelake.tables import TRADE_LOG
from tradelake.units import MONEY_SCALE, QUANTITY_SCALE, product, to_decimal, to_units

TERMS = ("symbol", "contract_symbol", "asset_type", "strike", "expiration", "option_type", "multiplier", "currency")
NAMES = {"amount": "net_amount"}
Row = dict[str, Any]


def corrected_rows(
    bases: pl.DataFrame, corrections: Mapping[tuple[str, str], Sequence[str]], instruments: pl.DataFrame
) -> pl.DataFrame:
    """Return the rows of *bases* with their corrections, given by (trade_id, leg_id) as details with a `set`."""
    rows = []
    for base in bases.iter_rows(named=True):
        row = dict(base)
        for details in corrections[base["trade_id"], base["leg_id"]]:
            _set_fields(row, base, json.loads(details)["set"], instruments)
        rows.append(_followed(row, base))
    return pl.DataFrame(rows, schema=bases.schema)


def _set_fields(row: Row, base: Row, fields: Mapping[str, Any], instruments: pl.DataFrame) -> None:
    for field, value in fields.items():
        name = NAMES.get(field, field)
        if name in TRADE_LOG.schema:
            if name in row:
                row[name] = None if value is None else _typed(value, TRADE_LOG.schema[name])
        else:
            row["details"] = _with_detail(row["details"], field, value)
    if row["trade_date"] is None or ("executed_at" in fields and "trade_date" not in fields):
        row["trade_date"] = _moved_day(row, base)
    if "instrument_id" in fields:
        terms = instruments.row(by_predicate=pl.col("instrument_id") == fields["instrument_id"], named=True)
        row.update({name: value for name, value in terms.items() if name in TERMS and name in row})


def _moved_day(row: Row, base: Row) -> date | None:
    """Return the trading day of an event that moved in time: the new one, unless its source had given another."""
    given = base["trade_date"] != sessions.trade_date(base["executed_at"])
    return base["trade_date"] if given and row["trade_date"] is not None else sessions.trade_date(row["executed_at"])


def _typed(value: Any, dtype: pl.DataType) -> object:
    if isinstance(dtype, pl.Decimal):
        return Decimal(value)
    if isinstance(dtype, pl.Datetime):
        return datetime.fromisoformat(value)
    if isinstance(dtype, pl.Date):
        return date.fromisoformat(value)
    return value


def _with_detail(details: str | None, name: str, value: object) -> str | None:
    entries = json.loads(details) if details else {}
    entries[name] = value
    kept = {key: entry for key, entry in entries.items() if entry is not None}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False) if kept else None


def _followed(row: Row, base: Row) -> Row:
    """Return the row with the amounts that follow from its quantity, price and charges."""
    if row["kind"] != "trade" or row == base:
        return row
    factors = (row["quantity"], row["price"], row["multiplier"])
    scales = (QUANTITY_SCALE, MONEY_SCALE, QUANTITY_SCALE)
    gross = product(*(to_units(value, scale) for value, scale in zip(factors, scales, strict=True)))
    row["gross_amount"] = to_decimal(gross, MONEY_SCALE)
    if "net_amount" in row:
        charges = to_units(row["commission"], MONEY_SCALE) + to_units(row["fees"], MONEY_SCALE)
        signed = -gross if row["action"].startswith("BUY") else gross
        row["net_amount"] = to_decimal(signed - charges, MONEY_SCALE)
    return row
