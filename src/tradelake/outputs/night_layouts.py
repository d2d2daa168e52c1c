"""What tables show of what a night leaves: snapshots, capital, what expires, proposals, and the nights themselves."""

import polars as pl

from tradelake.outputs.columns import Shown, contract_label, moneyness


def _account() -> Shown:
    return Shown("account", pl.col("account_id"), width_min=8)


def _contract() -> Shown:
    return Shown("contract", contract_label(), width_min=20)


def _version() -> Shown:
    return Shown("ver", pl.when(pl.col("version") > 1).then("version"), "number", drop=1, rare=True)


def _verdict() -> pl.Expr:
    """The verdict of a report without its date, which is a column of its own."""
    return pl.col("report").str.json_path_match("$.verdict").str.replace(r"^\d{4}-\d\d-\d\d: ", "")


NIGHT_LAYOUTS: dict[str, tuple[Shown, ...]] = {
    "snapshots": (
        Shown("date", pl.col("snapshot_date")),
        _account(),
        _contract(),
        Shown("quantity", pl.col("quantity"), "number"),
        Shown("cost basis", pl.col("cost_basis"), "money", drop=2),
        Shown("mark", pl.col("mark_price"), "money", drop=3),
        Shown("market value", pl.col("market_value"), "money"),
        Shown("unrealized", pl.col("unrealized_pnl"), "profit"),
        Shown("ccy", pl.col("currency"), drop=5),
        Shown("marked", pl.col("mark_date"), drop=4),
        _version(),
    ),
    "account-snapshots": (
        Shown("date", pl.col("snapshot_date")),
        _account(),
        Shown("net liquidation", pl.col("net_liquidation"), "money"),
        Shown("cash", pl.col("cash"), "money"),
        Shown("market value", pl.col("market_value"), "money", drop=3),
        Shown("unrealized", pl.col("unrealized_pnl"), "profit", drop=2),
        Shown("realized", pl.col("realized_pnl"), "profit"),
        Shown("pos", pl.col("positions"), "number", drop=4),
        Shown("no mark", pl.when(pl.col("unmarked") > 0).then("unmarked"), "number", drop=3, rare=True),
        Shown("ccy", pl.col("currency"), drop=5),
        _version(),
    ),
    "archive": (
        Shown("month", pl.col("month").dt.strftime("%Y-%m")),
        Shown("events", pl.col("events"), "number"),
        Shown("records", pl.col("records"), "number", drop=2),
        Shown("bytes", pl.col("bytes"), "number"),
        Shown("manifest", pl.col("manifest"), width_min=30),
    ),
    "archives": (
        Shown("month", pl.col("month").dt.strftime("%Y-%m")),
        Shown("table", pl.col("table_name")),
        Shown("rows", pl.col("rows"), "number"),
        Shown("bytes", pl.col("bytes"), "number"),
        Shown("since", pl.col("recorded_at"), "instant", drop=2),
        Shown("manifest", pl.concat_str("url", "manifest", separator="/"), width_min=30),
    ),
    "capital": (
        _account(),
        Shown("type", pl.col("account_type")),
        Shown("parent", pl.col("parent_account_id"), width_min=6, drop=4, rare=True),
        Shown("ccy", pl.col("currency"), drop=5),
        Shown("net liquidation", pl.col("net_liquidation"), "money"),
        Shown("cash", pl.col("cash"), "money", drop=1),
        Shown("buffer", pl.col("buffer_required"), "money", drop=2),
        Shown("over or short", pl.col("buffer_surplus"), "profit"),
        Shown("surplus", pl.col("surplus"), "profit"),
        Shown("no mark", pl.when(pl.col("unmarked") > 0).then("unmarked"), "number", drop=3, rare=True),
        Shown("to", pl.col("decision"), rare=True),
    ),
    "expiring": (
        _account(),
        _contract(),
        Shown("quantity", pl.col("quantity"), "number"),
        Shown("expires", pl.col("expiration"), drop=3),
        Shown("sessions left", pl.col("sessions_left"), "number"),
        Shown("underlying", pl.col("underlying_price"), "money", drop=1),
        Shown("money", moneyness()),
        Shown("unrealized", pl.col("unrealized_pnl"), "profit", drop=2),
    ),
    "proposals": (
        Shown("proposal", pl.col("proposal_id")),
        _account(),
        Shown("contract", contract_label("instrument_id", ("instrument_id",)), width_min=20),
        Shown("quantity", pl.col("quantity"), "number"),
        Shown("would be", pl.col("kind")),
        Shown("reason", pl.col("reason"), "prose", width_min=24),
    ),
    "nights": (
        Shown("date", pl.col("nightly_date")),
        Shown("run", pl.col("run"), "number"),
        Shown("verdict", _verdict(), "prose", width_min=40),
        Shown("done (UTC)", pl.col("recorded_at"), "instant"),
    ),
}
