"""Positions at the prices of marks: what they are worth, and the profit that is not realized yet."""

import polars as pl

from tradelake.units import MONEY, MONEY_SCALE, column_units, decimal_column, products

ADDED = ("mark_price", "mark_date", "market_value")
# A value that no column can hold is none: nobody owns that much, and one odd price shall not hide all positions.
UNITS_MAX = 10**37


def with_marks(positions: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    """Return open positions, in any view, with mark_price, mark_date, market_value and unrealized_pnl.

    `marks` has at most one row per instrument: instrument_id, mark_date, price, currency. The market value is quantity
    x multiplier x price, negative for a short position; what is not realized is that less the cost basis. All four are
    null for a position without a mark, or whose mark is in another currency. Rows keep their order, and the first three
    columns stand before unrealized_pnl.
    """
    prices = marks.select("instrument_id", "currency", pl.col("price").alias("mark_price"), "mark_date")
    place = positions.columns.index("unrealized_pnl")
    before = [name for name in positions.columns[:place] if name not in ADDED]
    rows = positions.drop(ADDED, strict=False).join(
        prices, on=["instrument_id", "currency"], how="left", maintain_order="left"
    )
    values = _market_values(rows)
    is_marked = values.is_not_null()
    return rows.with_columns(
        values,
        (values - rows["cost_basis"]).alias("unrealized_pnl"),
        *(pl.when(is_marked).then(name).alias(name) for name in ("mark_price", "mark_date")),
    ).select(*before, *ADDED, "unrealized_pnl", *positions.columns[place + 1 :])


def _market_values(rows: pl.DataFrame) -> pl.Series:
    """Return quantity x multiplier x price of each row, exactly; null without a price."""
    known = rows["mark_price"].is_not_null()
    prices = rows["mark_price"].fill_null(0)
    amounts = products(column_units(rows["quantity"]), column_units(prices), column_units(rows["multiplier"]))
    if any(abs(amount) >= UNITS_MAX for amount in amounts):
        known &= pl.Series([abs(amount) < UNITS_MAX for amount in amounts])
        amounts = [amount if abs(amount) < UNITS_MAX else 0 for amount in amounts]
    values = decimal_column("market_value", amounts, MONEY_SCALE, MONEY)
    return pl.select(pl.when(known).then(values).alias("market_value")).to_series()
