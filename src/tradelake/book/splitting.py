"""One execution split over several books: charges by the remaining-balance rule, amounts from each part."""

import polars as pl

from tradelake.units import MONEY, MONEY_SCALE, QUANTUM, column_units, decimal_column, divide_half_even, products


def split_amounts(pieces: pl.DataFrame) -> pl.DataFrame:
    """Return one event per book with its own quantity, charges, gross and net amount.

    `pieces` has one row per book and execution, with the whole quantity in `quantity` and the book's in `allotted`;
    the rows of one execution (`source_row`) are adjacent.
    """
    charges = {name: _shares(pieces, name) for name in ("commission", "fees")}
    split = pieces.with_columns(
        pl.col("quantity").alias("execution_quantity"),
        pl.col("allotted").alias("quantity"),
        *(decimal_column(name, units, MONEY_SCALE, MONEY) for name, units in charges.items()),
    )
    gross = products(*(column_units(split[c]) for c in ("quantity", "price", "multiplier")))
    buys = ~split["action"].str.starts_with("SELL")
    net = [
        (-g if buy else g) - c - f
        for g, buy, c, f in zip(gross, buys, charges["commission"], charges["fees"], strict=True)
    ]
    return split.with_columns(
        decimal_column("gross_amount", gross, MONEY_SCALE, MONEY), decimal_column("net_amount", net, MONEY_SCALE, MONEY)
    ).drop("allotted")


def _shares(pieces: pl.DataFrame, name: str) -> list[int]:
    amounts, weights, rows = (
        column_units(pieces[name]),
        column_units(pieces["allotted"]),
        pieces["source_row"].to_list(),
    )
    shares: list[int] = []
    left_amount = left_weight = 0
    for number, row in enumerate(rows):
        if number == 0 or row != rows[number - 1]:
            left_amount = amounts[number]
            left_weight = sum(w for w, r in zip(weights, rows, strict=True) if r == row)
        share = left_amount
        if weights[number] != left_weight:
            share = divide_half_even(left_amount * weights[number], left_weight * QUANTUM) * QUANTUM
        shares.append(share)
        left_amount, left_weight = left_amount - share, left_weight - weights[number]
    return shares
