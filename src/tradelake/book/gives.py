"""What an event gives or moves besides its own instrument: it is in the book, or the event makes it."""

import json
from datetime import datetime

import polars as pl

from tradelake.book.accounts import reject_rows
from tradelake.errors import Problem
from tradelake.tables import CORPORATE_KINDS, INSTRUMENTS

OF_RIGHTS = ("rights_issue",)
NEVER_MADE = ("option_adjust",)


def with_given(events: pl.DataFrame, known: pl.DataFrame, recorded_at: datetime) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the events with the ids of what they give, and the instruments that are made for it.

    A new symbol that the book does not know becomes a stock in the currency of the event's instrument, or a right
    where the event issues rights. Corporate actions are in that currency too: a source need not say any.
    """
    currencies = known.select("instrument_id", pl.col("currency").alias("currency_known"))
    named = events.join(currencies, on="instrument_id", how="left", maintain_order="left").with_columns(
        pl.coalesce("currency_known", "currency").alias("currency_known")
    )
    new, symbol, currency = (pl.col(name) for name in ("new_instrument_id", "new_symbol", "currency_known"))
    missing = symbol.is_not_null() & ~new.is_in(known["instrument_id"].implode())
    # The id that intake made of the symbol is in the currency of the row.
    by_symbol = (new == symbol) | (new == pl.concat_str(symbol, pl.lit(":"), "currency"))
    suffix = pl.when(currency == "USD").then(pl.lit("")).otherwise(pl.lit(":") + currency)
    named = named.with_columns(
        pl.when(missing & by_symbol).then(symbol + suffix).otherwise(new).alias("new_instrument_id")
    )
    asset_type = pl.when(pl.col("kind").is_in(OF_RIGHTS)).then(pl.lit("RIGHT")).otherwise(pl.lit("STOCK"))
    made = (
        named.filter(missing & ~pl.col("kind").is_in(NEVER_MADE))
        .unique("new_instrument_id", keep="first", maintain_order=True)
        .select(
            new.alias("instrument_id"),
            symbol.alias("symbol"),
            asset_type.alias("asset_type"),
            currency.alias("currency"),
            pl.lit(1).cast(INSTRUMENTS.schema["multiplier"]).alias("multiplier"),
            pl.lit(recorded_at).alias("recorded_at"),
        )
    )
    of_all = pl.when(pl.col("kind").is_in(CORPORATE_KINDS)).then("currency_known").otherwise("currency")
    return named.with_columns(of_all.alias("currency")).drop("currency_known"), INSTRUMENTS.conform(made)


def refuse_unknown(events: pl.DataFrame, known: pl.DataFrame, problems: list[Problem], *, source: str) -> pl.DataFrame:
    """Take the events out that give or move an instrument that is not *known*; they have their `_order`."""
    ids = known["instrument_id"].implode()
    new = pl.col("new_instrument_id")
    bad = events.filter(new.is_not_null() & ~new.is_in(ids))
    template = Problem(
        "unknown_instrument",
        "what the event gives is not in the book",
        source,
        action="Give new_symbol, or add the instrument first.",
    )
    events = reject_rows(events, bad, problems, template, "new_instrument_id")
    forks = events.filter(pl.col("kind") == "fork")
    if not forks.height:
        return events
    there = set(known["instrument_id"])
    strange = pl.Series([not _moved(details) <= there for details in forks["details"]], dtype=pl.Boolean)
    template = Problem(
        "unknown_instrument",
        "an instrument that the event moves is not in the book",
        source,
        action="Name instruments of the book in moves.",
    )
    return reject_rows(events, forks.filter(strange), problems, template, "details")


def _moved(details: str | None) -> set[str]:
    moves = json.loads(details).get("moves", []) if details else []
    return {move["instrument_id"] for move in moves}
