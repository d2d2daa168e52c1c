"""Positions from flat to flat: what is open, and what is closed."""

from dataclasses import dataclass

import polars as pl

from tradelake.errors import InvariantError
from tradelake.tables import HOWS_OF_OPEN_LOTS, MATCHES, POSITION_HISTORY, POSITIONS
from tradelake.units import MONEY, MONEY_SCALE, QUANTITY, column_units, decimal_column, unit_price

# What is added up of the matches of a position.
REALIZED = ("position_id", "how", "quantity", "proceeds", "cost", "realized_pnl", "premium")
NOTHING_REALIZED = MATCHES.empty().select(REALIZED)


@dataclass(frozen=True, slots=True)
class Summary:
    """Rows of `positions` (open) and `position_history` (closed)."""

    positions: pl.DataFrame
    history: pl.DataFrame


def summarise(episodes: pl.DataFrame, lots: pl.DataFrame, matches: pl.DataFrame) -> Summary:
    """Return the open and closed positions of *episodes*.

    `episodes` has one row per position with its opening and closing event, `lots` all that is open of them,
    `matches` all matches of them, earlier runs' included; their columns REALIZED are enough. Both results are in the
    sort order of their table.
    """
    joined = _with_realized(episodes, matches)
    closed = joined.filter(pl.col("close_sequence").is_not_null()).with_columns(status=pl.lit("CLOSED"))
    return Summary(
        positions=_open_positions(joined.filter(pl.col("close_sequence").is_null()), lots),
        history=POSITION_HISTORY.conform(closed).sort(*POSITION_HISTORY.sort, "position_id"),
    )


def open_positions(episodes: pl.DataFrame, lots: pl.DataFrame, matches: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `positions` for *episodes* that are all open; `lots` and `matches` as in `summarise`."""
    return _open_positions(_with_realized(episodes, matches), lots)


def _with_realized(episodes: pl.DataFrame, matches: pl.DataFrame) -> pl.DataFrame:
    stays_open = pl.col("how").is_in(HOWS_OF_OPEN_LOTS)
    realized = matches.group_by("position_id").agg(
        pl.col("realized_pnl").sum(),
        pl.col("proceeds").sum(),
        pl.col("cost").sum(),
        pl.col("premium").sum().alias("realized_premium"),
        pl.col("quantity").filter(~stays_open).sum().alias("quantity_closed"),
    )
    # What leaves by a transfer or an exchange realizes nothing and closes no unit here.
    money = ("realized_pnl", "realized_premium", "proceeds", "cost")
    return episodes.join(realized, on="position_id", how="left", maintain_order="left").with_columns(
        *(pl.col(name).fill_null(pl.lit(0, dtype=MONEY)) for name in money),
        pl.col("quantity_closed").fill_null(pl.lit(0, dtype=QUANTITY)),
    )


def _open_positions(episodes: pl.DataFrame, lots: pl.DataFrame) -> pl.DataFrame:
    held = lots.group_by("position_id").agg(pl.col("quantity", "cost_basis", "charges", "premium").sum())
    rows = episodes.join(held, on="position_id", how="inner", maintain_order="left").with_columns(
        pl.lit("OPEN").alias("status"),
        pl.lit(None, dtype=MONEY).alias("unrealized_pnl"),
    )
    if rows.height != held.height:
        raise InvariantError("open lots do not belong to open positions")
    priced = rows.with_columns(
        average_prices("average_price", rows["cost_basis"], rows),
        average_prices("average_price_ex_fees", (rows["cost_basis"] - rows["charges"]).alias("cost"), rows),
    )
    return POSITIONS.conform(priced).sort(*POSITIONS.sort, "position_id")


def average_prices(name: str, amounts: pl.Series, rows: pl.DataFrame) -> pl.Series:
    """Return amounts / (quantity x multiplier) of each row, rounded for display."""
    columns = (column_units(amounts), column_units(rows["quantity"]), column_units(rows["multiplier"]))
    prices = [unit_price(a, q, m) for a, q, m in zip(*columns, strict=True)]
    return decimal_column(name, prices, MONEY_SCALE, MONEY)
