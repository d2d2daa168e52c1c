"""Which columns of a listing people see in a table, under which heading, and which give way first.

A listing has up to 35 columns and a terminal 100 characters. JSON and CSV carry all columns; a table shows
those that answer the usual question, and drops the less telling ones where even these do not fit.
"""

import polars as pl

from tradelake.outputs.break_layouts import BREAK_LAYOUTS
from tradelake.outputs.columns import Kind, Shown, contract_label
from tradelake.outputs.keeping_layouts import KEEPING_LAYOUTS
from tradelake.outputs.night_layouts import NIGHT_LAYOUTS
from tradelake.units import MONEY_SCALE

__all__ = ["LAYOUTS", "Kind", "Shown", "contract_label", "layout_of", "number_kind"]
YEAR = "year"  # a column of years ends with it: no number to be grouped by thousands
PROFITS = ("gain", "realized_tax", "realized_economic", "difference", "realized_today", "pnl_today")


def _action() -> pl.Expr:
    desk_words = {
        "BUY_TO_OPEN": "BTO",
        "SELL_TO_OPEN": "STO",
        "BUY_TO_CLOSE": "BTC",
        "SELL_TO_CLOSE": "STC",
    }
    side = pl.col("action").replace(desk_words)
    return pl.when(pl.col("kind") == "trade").then(side).otherwise(pl.col("kind"))


def _clock_time() -> pl.Expr:
    at = pl.col("executed_at")
    days = (at.dt.date() - pl.col("trade_date")).dt.total_days()
    sign = pl.when(days > 0).then(pl.lit("+")).otherwise(pl.lit(""))
    apart = pl.when(days == 0).then(pl.lit("")).otherwise(sign + days.cast(pl.String) + "d")
    return at.dt.strftime("%H:%M") + apart


def _account() -> Shown:
    return Shown("account", pl.col("account_id"), width_min=8)


def _contract() -> Shown:
    return Shown("contract", contract_label(), width_min=24)


LAYOUTS: dict[str, tuple[Shown, ...]] = (
    NIGHT_LAYOUTS
    | BREAK_LAYOUTS
    | KEEPING_LAYOUTS
    | {
        "trades": (
            Shown("date", pl.col("trade_date")),
            Shown("UTC", _clock_time(), drop=2),
            _account(),
            Shown("contract", pl.coalesce(contract_label(), "cash_category"), width_min=24),
            Shown("action", _action()),
            Shown("quantity", pl.col("quantity"), "number"),
            Shown("price", pl.col("price"), "money"),
            Shown("charges", pl.col("commission") + pl.col("fees"), "money", drop=1),
            Shown("net", pl.col("net_amount"), "money"),
            Shown("ccy", pl.col("currency"), drop=5),
            Shown("strategy", pl.col("strategy_id"), width_min=6, drop=4),
            Shown("state", pl.when(pl.col("state") != "active").then("state"), drop=3, rare=True),
        ),
        "positions": (
            _account(),
            _contract(),
            Shown("quantity", pl.col("quantity"), "number"),
            Shown("average price", pl.col("average_price"), "money"),
            Shown("cost basis", pl.col("cost_basis"), "money"),
            Shown("realized", pl.col("realized_pnl"), "profit", drop=2),
            Shown("unrealized", pl.col("unrealized_pnl"), "profit", drop=1),
            Shown("opened", pl.col("open_date"), drop=3),
        ),
        "lots": (
            _account(),
            _contract(),
            Shown("opened", pl.col("open_date")),
            Shown("quantity", pl.col("quantity"), "number"),
            Shown("cost basis", pl.col("cost_basis"), "money"),
            Shown("charges", pl.col("charges"), "money", drop=2),
            Shown("opened by", pl.col("open_trade_id"), width_min=10, drop=1),
        ),
        "matches": (
            _account(),
            _contract(),
            Shown("side", pl.col("side"), drop=3),
            Shown("quantity", pl.col("quantity"), "number"),
            Shown("opened", pl.col("open_date"), drop=2),
            Shown("closed", pl.col("close_date")),
            Shown("proceeds", pl.col("proceeds"), "money"),
            Shown("cost", pl.col("cost"), "money"),
            Shown("P&L", pl.col("realized_pnl"), "profit"),
            Shown("how", pl.col("how"), drop=1),
            Shown("term", pl.col("term"), drop=4),
        ),
        "history": (
            _account(),
            _contract(),
            Shown("side", pl.col("side"), drop=2),
            Shown("quantity", pl.col("quantity_closed"), "number"),
            Shown("opened", pl.col("open_date"), drop=1),
            Shown("closed", pl.col("close_date")),
            Shown("proceeds", pl.col("proceeds"), "money"),
            Shown("cost", pl.col("cost"), "money"),
            Shown("P&L", pl.col("realized_pnl"), "profit"),
        ),
        "chains": (
            _account(),
            Shown("symbol", pl.col("symbol"), width_min=6),
            Shown("label", pl.col("label"), width_min=8),
            Shown("name", pl.col("name"), width_min=6, drop=1, rare=True),
            Shown("status", pl.col("status"), drop=3),
            Shown("opened", pl.col("open_date")),
            Shown("closed", pl.col("closed_at").dt.date(), drop=2),
            Shown("pos", pl.col("positions"), "number", drop=4),
            Shown("rolls", pl.col("rolls"), "number", drop=1),
            Shown("asgn", pl.col("assignments"), "number", drop=1),
            Shown("credit", pl.col("net_credit"), "money"),
            Shown("P&L", pl.col("realized_pnl"), "profit"),
            Shown("open basis", pl.col("cost_basis"), "money", drop=2),
        ),
        "chain-positions": (
            Shown("chain", pl.col("chain_id"), width_min=20, drop=2),
            _account(),
            _contract(),
            Shown("side", pl.col("side")),
            Shown("quantity", pl.col("quantity"), "number"),
            Shown("opened", pl.col("open_date")),
            Shown("closed", pl.col("closed_at").dt.date(), drop=1),
            Shown("P&L", pl.col("realized_pnl"), "profit"),
        ),
        "bridge": (
            _account(),
            Shown("ccy", pl.col("currency")),
            Shown("realized, tax", pl.col("realized_tax"), "profit"),
            Shown("realized, economic", pl.col("realized_economic"), "profit"),
            Shown("difference", pl.col("difference"), "profit"),
            Shown("premium carried", pl.col("premium_carried"), "profit"),
        ),
        "accounts": (
            Shown("account", pl.col("account_id"), width_min=8),
            Shown("broker account", pl.col("broker_account_id"), width_min=8),
            Shown("type", pl.col("account_type")),
            Shown("parent", pl.col("parent_account_id"), width_min=6, drop=1),
            Shown("lots", pl.col("lot_method")),
            Shown("ccy", pl.col("base_currency")),
            Shown("pattern", pl.col("allocation_pattern"), width_min=8),
            Shown("default", pl.col("allocation_default")),
        ),
        "instruments": (
            Shown("instrument", contract_label(), width_min=24),
            Shown("type", pl.col("asset_type")),
            Shown("underlying", pl.col("underlying_instrument_id"), width_min=6, drop=1),
            Shown("ccy", pl.col("currency")),
            Shown("multiplier", pl.col("multiplier"), "number"),
            Shown("settlement", pl.col("settlement"), drop=3),
            Shown("style", pl.col("exercise_style"), drop=4),
            Shown("description", pl.col("description"), width_min=10, drop=2),
        ),
        "marks": (
            Shown("date", pl.col("mark_date")),
            _contract(),
            Shown("price", pl.col("price"), "money"),
            Shown("ccy", pl.col("currency")),
            Shown("rev", pl.when(pl.col("revision") > 1).then("revision"), "number", drop=1, rare=True),
            Shown("source", pl.col("source"), width_min=10, drop=3),
            Shown("recorded (UTC)", pl.col("recorded_at"), "instant", drop=2),
        ),
        "runs": (
            Shown("run", pl.col("import_run_id"), "number"),
            Shown("recorded (UTC)", pl.col("recorded_at"), "instant"),
            Shown("source", pl.col("source"), width_min=10),
            Shown("file", pl.col("file_name"), width_min=20),
            Shown("accepted", pl.col("accepted"), "number"),
            Shown("duplicates", pl.col("duplicates"), "number"),
            Shown("conflicts", pl.col("conflicts"), "number"),
            Shown("rejects", pl.col("rejects"), "number"),
            Shown("kept", pl.col("kept"), "number", drop=1),
            Shown("sequence", pl.col("last_sequence"), "number", drop=2),
            Shown("author", pl.col("author"), width_min=6, drop=3),
        ),
        "findings": (
            Shown("commit", pl.col("commit"), "number", rare=True),
            Shown("where", pl.col("where"), width_min=10),
            Shown("key", pl.col("key"), width_min=10),
            Shown("what", pl.col("what"), "prose", width_min=30),
        ),
        "trade": (
            Shown("part", pl.when(pl.col("field") == pl.col("field").first().over("part")).then("part")),
            Shown("field", pl.col("field"), width_min=10),
            Shown("value", pl.col("value"), "prose", width_min=40),
        ),
        "refusals": (
            Shown("sequence", pl.col("sequence"), "number", drop=2),
            Shown("trade", pl.col("trade_id"), width_min=8, drop=1),
            _account(),
            Shown("code", pl.col("code")),
            Shown("message", pl.col("message"), "prose", width_min=30),
        ),
        "records": (
            Shown("run", pl.col("import_run_id"), "number"),
            Shown("row", pl.col("row_number"), "number"),
            Shown("section", pl.col("section"), width_min=8, drop=1),
            Shown("outcome", pl.col("outcome")),
            Shown("code", pl.col("code"), width_min=16),
            Shown("message", pl.col("message"), "prose", width_min=30),
        ),
    }
)


def layout_of(frame: pl.DataFrame, layout: str | tuple[Shown, ...]) -> tuple[Shown, ...]:
    """Return what a table shows of *frame*: the layout given or called so, else the columns from the left.

    A layout's column whose inputs are not in the frame is left out.
    """
    present = set(frame.columns)
    shown = tuple(
        column
        for column in (LAYOUTS.get(layout, ()) if isinstance(layout, str) else layout)
        if present.issuperset(column.value.meta.root_names())
        and not (column.rare and frame.select(column.value.is_null().all()).item())
    )
    return shown or tuple(_as_it_is(frame, column, index) for index, column in enumerate(frame.columns))


def _as_it_is(frame: pl.DataFrame, name: str, index: int) -> Shown:
    kind = number_kind(name, frame.schema[name])
    return Shown(name, pl.col(name), kind, width_min=12 if kind == "text" else 0, drop=index)


def number_kind(name: str, dtype: pl.DataType) -> Kind:
    """Return how the values of a column are written, by its name and type."""
    if isinstance(dtype, pl.Decimal) and dtype.scale == MONEY_SCALE:
        return "profit" if name.endswith("_pnl") or name in PROFITS else "money"
    if dtype.is_numeric() and not name.endswith(YEAR):
        return "number"
    return "instant" if isinstance(dtype, pl.Datetime) else "text"
