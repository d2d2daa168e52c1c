"""What tables show of a reconciliation: the breaks, what follows from them, and their life."""

import polars as pl

from tradelake.outputs.columns import Shown, contract_label


def _id() -> Shown:
    return Shown("break", pl.col("break_id"))


def _class() -> Shown:
    return Shown("class", pl.col("break_class"))


def _what() -> Shown:
    currency = pl.col("details").str.json_path_match("$.currency")
    about = pl.coalesce(contract_label(), pl.col("broker_execution_id"), currency)
    return Shown("about", about, width_min=22)


def _sides() -> tuple[Shown, Shown]:
    return Shown("ours", pl.col("ours"), "number"), Shown("theirs", pl.col("theirs"), "number")


BREAK_LAYOUTS: dict[str, tuple[Shown, ...]] = {
    "reconcile": (
        _id(),
        Shown("broker account", pl.col("broker_account_id"), width_min=6, drop=3),
        Shown("section", pl.col("section"), drop=2),
        _class(),
        _what(),
        *_sides(),
        Shown("cause", pl.col("cause"), "prose", width_min=22, rare=True),
        Shown("events", pl.when(pl.col("proposed") > 0).then("proposed"), "number", drop=1, rare=True),
    ),
    "consequences": (
        _id(),
        Shown("section", pl.col("section")),
        Shown("field", pl.col("field"), drop=1),
        Shown("about", pl.coalesce(contract_label(), pl.col("broker_execution_id"), pl.col("currency")), width_min=10),
        *_sides(),
    ),
    "breaks": (
        _id(),
        Shown("status", pl.col("status")),
        Shown("broker account", pl.col("broker_account_id"), width_min=6, drop=4),
        Shown("section", pl.col("section"), drop=3),
        _class(),
        _what(),
        *_sides(),
        Shown("opened", pl.col("opened"), drop=1),
        Shown("age", pl.col("age"), "number"),
        Shown("events", pl.when(pl.col("proposed") > 0).then("proposed"), "number", drop=2, rare=True),
    ),
    "break-history": (
        Shown("step", pl.col("step"), "number"),
        Shown("as of", pl.col("as_of")),
        Shown("action", pl.col("action")),
        Shown("status", pl.col("status")),
        *_sides(),
        Shown("author", pl.col("author"), width_min=6, drop=1),
        Shown("reason", pl.col("reason"), "prose", width_min=20, rare=True),
    ),
}
