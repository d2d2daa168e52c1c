"""Lots as a tax ledger wants them: what was sold with its two dates and its gain, and what is still held.

The columns are those of Form 8949: description, date acquired, date sold, proceeds, cost or other basis, gain. One
row is one match of the tax view. An option that was exercised or assigned realizes nothing, its premium is in the
basis or the proceeds of the shares: such matches are no rows, and the sums are those of `pnl` all the same.

A short position is opened by the sale, and ends when something is delivered: both dates are those of the close, the day
on which it was bought, or on which a written option expired. `open_date` says when it was sold.

Not in it, as nowhere in the book: wash sales, straddles, section 1256, and what holding the same stock long does to
the term of a short sale. A pool of average cost has no single date of acquisition: it is null; a form says VARIOUS.
"""

import polars as pl

from tradelake.outputs.columns import contract_label
from tradelake.outputs.values import column_text
from tradelake.sessions import anniversary_of

POOL_ID = "*"
MOVED = ("exercised", "assigned")
SHORT = pl.col("side") == "SHORT"
POOLED = pl.col("open_trade_id") == POOL_ID
CLOSED_COLUMNS = (
    "account_id", "tax_year", "description", "quantity", "date_acquired", "date_sold", "proceeds", "cost_basis", "gain",
    "term", "how", "side", "lot_method", "currency", "symbol", "contract_symbol", "asset_type", "open_date",
    "close_date", "position_id", "match_id", "open_trade_id", "close_trade_id",
)  # fmt: skip
OPEN_COLUMNS = (
    "account_id", "description", "quantity", "date_acquired", "long_term_from", "cost_basis", "charges", "side",
    "lot_method", "currency", "symbol", "contract_symbol", "asset_type", "open_date", "position_id", "lot_id",
    "open_trade_id",
)  # fmt: skip


def closed_tax_lots(matches: pl.DataFrame, methods: pl.DataFrame) -> pl.DataFrame:
    """Return what was realized, one row per closed lot, by account, day of the sale and symbol.

    *matches* are rows of that table in the tax view; *methods* say since when which lot method holds: account_id,
    since (an instant, null for the beginning) and lot_method.
    """
    rows = _with_method(matches.filter(~pl.col("how").is_in(MOVED)), methods, "closed_at")
    acquired = pl.when(SHORT).then("close_date").when(~POOLED).then("open_date")
    return (
        _described(rows)
        .with_columns(
            acquired.alias("date_acquired"),
            pl.col("close_date").alias("date_sold"),
            pl.col("close_date").dt.year().cast(pl.Int64).alias("tax_year"),
            pl.col("cost").alias("cost_basis"),
            pl.col("realized_pnl").alias("gain"),
        )
        .sort("account_id", "date_sold", "symbol", "instrument_id", "close_sequence", "match_id")
        .select(CLOSED_COLUMNS)
    )


def open_tax_lots(lots: pl.DataFrame, methods: pl.DataFrame) -> pl.DataFrame:
    """Return what is held, one row per open lot, in the order of the lots.

    `long_term_from` is the first day on which a sale is long term; null for a short lot and for a pool.
    *lots* are rows of that table in the tax view, *methods* as in `closed_tax_lots`.
    """
    side = pl.when(pl.col("quantity") < 0).then(pl.lit("SHORT")).otherwise(pl.lit("LONG")).alias("side")
    rows = _with_method(lots.with_columns(side), methods, None)
    dated = ~POOLED & ~SHORT
    long_term = anniversary_of(pl.col("open_date")) + pl.duration(days=1)
    return (
        _described(rows)
        .with_columns(
            pl.when(dated).then("open_date").alias("date_acquired"),
            pl.when(dated).then(long_term).alias("long_term_from"),
        )
        .select(OPEN_COLUMNS)
    )


def _described(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with `description`: `100 sh NVDA`, `-2 NVDA 2026-01-16 C 150`."""
    amount = column_text(rows.get_column("quantity").rename("amount"))
    unit = pl.when(pl.col("asset_type") == "STOCK").then(pl.lit(" sh ")).otherwise(pl.lit(" "))
    described = pl.concat_str("amount", unit, contract_label()).alias("description")
    return rows.with_columns(amount).with_columns(described).drop("amount")


def _with_method(rows: pl.DataFrame, methods: pl.DataFrame, at: str | None) -> pl.DataFrame:
    """Return rows with the lot method that their account had at the instant *at*, or has in the end."""
    if at is None:
        last = methods.sort("since", nulls_last=False).unique("account_id", keep="last").drop("since")
        return rows.join(last, on="account_id", how="left", maintain_order="left")
    first = methods.filter(pl.col("since").is_null()).drop("since")
    later = methods.filter(pl.col("since").is_not_null()).sort("since")
    found = rows.sort(at).join_asof(
        later.rename({"lot_method": "changed"}), left_on=at, right_on="since", by="account_id", check_sortedness=False
    )
    named = found.join(first, on="account_id", how="left")
    return named.with_columns(pl.coalesce("changed", "lot_method").alias("lot_method")).drop("changed", "since")
