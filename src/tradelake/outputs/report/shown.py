"""Which columns of the report's frames people see, on the page and on a terminal, under which headings.

The page shows all of a layout's columns, a terminal those that fit. JSON carries every column.
"""

from dataclasses import asdict, fields

import polars as pl

from tradelake.outputs.columns import moneyness
from tradelake.outputs.layouts import Shown, contract_label
from tradelake.outputs.report.nightly import ImportLine, NightlyReport
from tradelake.units import plain

OSI_PATTERN = r"^.{6}\d{6}[CP]\d{8}"


def _account() -> Shown:
    return Shown("account", pl.col("account_id"), width_min=8)


def _held() -> tuple[Shown, ...]:
    return (
        _account(),
        Shown("contract", contract_label(), width_min=20),
        Shown("quantity", pl.col("quantity"), "number"),
    )


def _several(heading: str, name: str, *, drop: int = 0) -> Shown:
    """A count that is only worth a column where it is not always zero."""
    return Shown(heading, pl.when(pl.col(name) != 0).then(name), "number", drop=drop, rare=True)


def _buffer() -> pl.Expr:
    words = pl.when(pl.col("surplus") < 0).then(pl.lit("short")).otherwise(pl.lit("full"))
    return pl.when(pl.col("surplus").is_null()).then(pl.lit("not known")).otherwise(words)


REPORT_LAYOUTS: dict[str, tuple[Shown, ...]] = {
    "steps": (
        Shown("step", pl.col("name")),
        Shown("status", pl.col("status")),
        Shown("seconds", pl.col("seconds"), "number"),
        Shown("detail", pl.col("detail"), "prose", width_min=30),
    ),
    "imports": (
        Shown("file", pl.col("file"), width_min=20),
        Shown("accepted", pl.col("accepted"), "number"),
        Shown("duplicates", pl.col("duplicates"), "number"),
        Shown("conflicts", pl.col("conflicts"), "number"),
        Shown("rejects", pl.col("rejects"), "number"),
        Shown("kept", pl.col("kept"), "number", drop=1),
        Shown("marks", pl.col("marks"), "number", drop=2),
    ),
    "accounts": (
        _account(),
        Shown("ccy", pl.col("currency"), drop=3),
        Shown("net liquidation", pl.col("net_liquidation"), "money"),
        Shown("P&L today", pl.col("pnl_today"), "profit"),
        Shown("realized today", pl.col("realized_today"), "profit", drop=6),
        Shown("unrealized", pl.col("unrealized_pnl"), "profit"),
        Shown("cash", pl.col("cash"), "money", drop=1),
        Shown("market value", pl.col("market_value"), "money", drop=5),
        Shown("pos", pl.col("positions"), "number", drop=2),
        _several("no mark", "unmarked", drop=4),
    ),
    "exposure": (
        Shown("underlying", pl.col("symbol"), width_min=8),
        Shown("ccy", pl.col("currency")),
        Shown("long", pl.col("long_value"), "money"),
        Shown("short", pl.col("short_value"), "money"),
        Shown("unrealized", pl.col("unrealized_pnl"), "profit"),
        Shown("pos", pl.col("positions"), "number"),
        _several("no mark", "unmarked"),
    ),
    "movers": (
        *_held(),
        Shown("change", pl.col("unrealized_change"), "profit"),
        Shown("unrealized", pl.col("unrealized_pnl"), "profit"),
        Shown("market value", pl.col("market_value"), "money", drop=3),
        Shown("mark", pl.col("mark_price"), "money", drop=2),
        Shown("marked", pl.col("mark_date"), drop=4),
    ),
    "breaks": (
        Shown("break", pl.col("break_id"), width_min=10),
        Shown("what", pl.concat_str("section", pl.lit(": "), pl.col("break_class").str.replace_all("_", " "))),
        Shown("contract", contract_label(), width_min=20, drop=1),
        Shown("ours", pl.col("ours"), "number"),
        Shown("theirs", pl.col("theirs"), "number"),
        Shown("age", pl.col("age"), "number"),
        Shown("status", pl.col("status").str.to_lowercase(), drop=5),
        Shown("broker account", pl.col("broker_account_id"), width_min=8, drop=2),
        Shown("cause", pl.col("cause"), "prose", width_min=24, drop=6, rare=True),
    ),
    "proposals": (
        Shown("break", pl.col("break_id"), width_min=10, drop=1, rare=True),
        Shown("account", pl.coalesce("account_id", pl.lit("to be chosen")), width_min=12),
        Shown("kind", pl.col("kind")),
        Shown("date", pl.col("trade_date"), drop=6),
        Shown("amount", pl.col("amount"), "money", drop=3, rare=True),
        Shown("what would be booked", pl.col("text"), "prose", width_min=30),
        Shown("command", pl.col("command"), "prose", width_min=30, drop=2, rare=True),
    ),
    "unmarked": (*_held(), Shown("ccy", pl.col("currency")), Shown("cost basis", pl.col("cost_basis"), "money")),
    "buffers": (
        _account(),
        Shown("ccy", pl.col("currency")),
        Shown("cash", pl.col("cash"), "money"),
        Shown("required", pl.col("required"), "money"),
        Shown("surplus", pl.col("surplus"), "profit"),
        Shown("buffer", _buffer(), drop=1),
    ),
    "expiring": (
        *_held(),
        Shown("expires", pl.col("expiration")),
        Shown("sessions left", pl.col("sessions_left"), "number"),
        Shown("underlying", pl.col("underlying_price"), "money", drop=1),
        Shown("money", pl.col("moneyness")),
        Shown("unrealized", pl.col("unrealized_pnl"), "profit", drop=2),
    ),
}


def presented(name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return a frame of the report with the columns that its layout needs beyond those that it has."""
    if name == "breaks":
        instrument = pl.col("instrument_id")
        osi = pl.when(instrument.str.contains(OSI_PATTERN)).then(instrument.str.slice(0, 21))
        return frame.with_columns(osi.alias("contract_symbol"), pl.lit(None, pl.String).alias("symbol"))
    return frame.with_columns(moneyness().alias("moneyness")) if name == "expiring" else frame


def with_totals(report: NightlyReport) -> pl.DataFrame:
    """Return the accounts, and below them the totals of the currencies that more than one account has."""
    return pl.concat([report.accounts, totals_shown(report)], how="diagonal")


def steps_frame(report: NightlyReport) -> pl.DataFrame:
    """Return the steps, one row each."""
    schema = dict.fromkeys(("name", "status", "detail", "seconds"), pl.String())
    rows = [asdict(step) | {"seconds": plain(step.seconds)} for step in report.steps]
    return pl.DataFrame(rows, schema=schema)


def imports_frame(report: NightlyReport) -> pl.DataFrame:
    """Return the imported files, one row each."""
    schema = {field.name: pl.String() if field.name == "file" else pl.Int64() for field in fields(ImportLine)}
    return pl.DataFrame([asdict(line) for line in report.imports], schema=schema)


def totals_shown(report: NightlyReport) -> pl.DataFrame:
    """Return the totals of the currencies that more than one account has, as rows of an account called `all`."""
    totals = report.totals.filter(pl.col("accounts") > 1).with_columns(pl.lit("all").alias("account_id"))
    return totals.drop("accounts")
