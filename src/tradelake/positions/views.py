"""Two views of option premium: rolled into the stock for tax, or earned by the option itself.

The tax view is what is stored. The economic view realizes the premium of an exercised or assigned option on the
option, and values the stock at the strike. The two differ by the premium that open lots carry: once all is flat, by
nothing.
"""

from collections.abc import Callable

import polars as pl

from tradelake.errors import InputError
from tradelake.positions.summary import average_prices

VIEWS = ("tax", "economic")
LONG = pl.col("side") == "LONG"


def in_view(name: str, rows: pl.DataFrame, view: str) -> pl.DataFrame:
    """Return rows of the derived table *name* in a view; the same rows for tables without premium."""
    return rows if view == "tax" else ECONOMIC.get(name, _as_they_are)(rows)


def check_view(view: str) -> None:
    """Raise InputError for a view that there is not."""
    if view not in VIEWS:
        raise InputError(f"there is no view {view!r}; choose from {', '.join(VIEWS)}")


def bridge(matches: pl.DataFrame, lots: pl.DataFrame) -> pl.DataFrame:
    """Return per account and currency what the two views realized, their difference, and the premium in open lots.

    For an account without transfers the last two columns sum to zero.
    """
    keys = ["account_id", "currency"]
    realized = matches.group_by(keys).agg(
        pl.col("realized_pnl").sum().alias("realized_tax"), pl.col("premium").sum().alias("difference")
    )
    carried = lots.group_by(keys).agg(pl.col("premium").sum().alias("premium_carried"))
    joined = realized.join(carried, on=keys, how="full", coalesce=True)
    zero = pl.lit(0, dtype=lots.schema["premium"])
    amounts = (pl.col(name).fill_null(zero) for name in ("realized_tax", "difference", "premium_carried"))
    return (
        joined.with_columns(*amounts)
        .select(
            *keys,
            "realized_tax",
            (pl.col("realized_tax") + pl.col("difference")).alias("realized_economic"),
            "difference",
            "premium_carried",
        )
        .sort(keys)
    )


def _as_they_are(rows: pl.DataFrame) -> pl.DataFrame:
    return rows


def _lots(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.col("cost_basis") - pl.col("premium"))


def _positions(rows: pl.DataFrame) -> pl.DataFrame:
    rows = rows.with_columns(
        pl.col("cost_basis") - pl.col("premium"), pl.col("realized_pnl") + pl.col("realized_premium")
    )
    return rows.with_columns(
        average_prices("average_price", rows["cost_basis"], rows),
        average_prices("average_price_ex_fees", (rows["cost_basis"] - rows["charges"]).alias("cost"), rows),
    )


def _closed(premium: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def closed(rows: pl.DataFrame) -> pl.DataFrame:
        added = pl.col(premium)
        return rows.with_columns(
            pl.when(LONG).then(pl.col("proceeds") + added).otherwise("proceeds").alias("proceeds"),
            pl.when(LONG).then("cost").otherwise(pl.col("cost") - added).alias("cost"),
            pl.col("realized_pnl") + added,
        )

    return closed


ECONOMIC: dict[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "positions": _positions,
    "lots": _lots,
    "matches": _closed("premium"),
    "position_history": _closed("realized_premium"),
}
