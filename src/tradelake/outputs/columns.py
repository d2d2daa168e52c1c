"""What one column of a table is, and how people call what was traded."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

Kind = Literal["text", "prose", "number", "money", "profit", "instant"]


@dataclass(frozen=True, slots=True)
class Shown:
    """One column of a table: heading, where its cells come from, and how it gives way.

    `kind` decides alignment and notation. A text may be cut down to `width_min` characters (0: never);
    columns with the highest `drop` leave the table first, those with 0 never. A `rare` column is only shown where a
    row has a value in it.
    """

    heading: str
    value: pl.Expr
    kind: Kind = "text"
    width_min: int = 0
    drop: int = 0
    rare: bool = False


def contract_label(osi_column: str = "contract_symbol", names: Sequence[str] = ("instrument_id", "symbol")) -> pl.Expr:
    """Return the expression for what was traded as people say it: `NVDA 2026-01-16 C 150`, or the ticker.

    An option is known by its 21-character symbol in *osi_column*; the first of *names* that there is names the rest.
    """
    osi = pl.col(osi_column)
    cents = osi.str.slice(18, 3).str.strip_chars_end("0")
    option = pl.concat_str(
        osi.str.slice(0, 6).str.strip_chars(),
        pl.lit(" 20") + osi.str.slice(6, 2),
        pl.lit("-") + osi.str.slice(8, 2),
        pl.lit("-") + osi.str.slice(10, 2),
        pl.lit(" ") + osi.str.slice(12, 1) + pl.lit(" "),
        pl.when(osi.str.slice(13, 5) == "00000")
        .then(pl.lit("0"))
        .otherwise(osi.str.slice(13, 5).str.strip_chars_start("0")),
        pl.when(cents == "").then(pl.lit("")).otherwise(pl.lit(".") + cents),
    )
    return pl.when(osi.str.len_chars() == 21).then(option).otherwise(pl.coalesce(*names))


def moneyness() -> pl.Expr:
    """Return the expression for where an option stands: ITM, ATM or OTM, null without a price of its underlying."""
    above = pl.col("underlying_price") - pl.col("strike")
    inside = pl.when(pl.col("option_type") == "PUT").then(-above).otherwise(above)
    words = pl.when(inside > 0).then(pl.lit("ITM")).when(inside < 0).then(pl.lit("OTM")).otherwise(pl.lit("ATM"))
    return pl.when(above.is_not_null()).then(words)
