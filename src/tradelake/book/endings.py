"""Ends of options that the book was told of before the broker told them.

A proposal that was applied, or a person, has ended an option in the book; the broker's statement tells the same end
later, under an id that nobody could know. Where what it tells of a contract on a day is what the book has, in kind,
price and quantity, all books of the broker account together, it is that event again, and a duplicate. Anything else
comes in as it is told. What was deleted is known by its ids only.
"""

from datetime import timedelta
from itertools import zip_longest

import polars as pl

from tradelake.lots import in_effect
from tradelake.store import Catalog, References
from tradelake.store.cold import Span
from tradelake.tables import INCOMING, OPTION_KINDS, TRADE_LOG

# No cure is archived, and nothing that is cured: what is read is of the same day, or of a day that was corrected.
MOVED = timedelta(days=31)
SAME = ["broker_account_id", "instrument_id", "kind", "trade_date", "price"]
# An event that came without any id is known by its content, and its id was made from that.
GIVEN_ID = pl.when(~pl.col("natural_key").str.starts_with("C|")).then("trade_id").alias("trade_id")


def known_endings(catalog: Catalog, events: pl.DataFrame, references: References) -> pl.DataFrame:
    """Return events with those of the book in place of the broker's option events that tell of them again."""
    ends = pl.col("kind").is_in(OPTION_KINDS)
    unnamed = pl.col("broker_execution_id").is_null()
    told = events.filter(ends & pl.col("broker_execution_id").is_not_null() & pl.col("quantity").is_not_null())
    if not told.height:
        return events
    with catalog.joined(ended=told.select("instrument_id").unique()):
        span = Span(since=min(told["trade_date"]) - MOVED, until=max(told["trade_date"]) + MOVED, closed=True)
        log = catalog.frame(f"SELECT * FROM {TRADE_LOG.name} SEMI JOIN ended USING (instrument_id)", span=span)
    if not log.filter(ends & unnamed).height:
        return events
    ids = ["broker_account_id", "broker_execution_id"]
    fresh = told.join(log.drop_nulls(ids), on=ids, how="anti", maintain_order="left")
    ours = in_effect(log, references.instruments).filter(ends & unnamed)
    quantity = pl.col("quantity").sum()
    agreed = (
        fresh.group_by(SAME)
        .agg(quantity)
        .join(ours.group_by(SAME).agg(quantity), on=[*SAME, "quantity"], how="semi", nulls_equal=True)
    )
    again = fresh.join(agreed, on=SAME, how="semi", nulls_equal=True, maintain_order="left")
    if not again.height:
        return events
    rest = events.join(again.select("source_row"), on="source_row", how="anti", maintain_order="left")
    return pl.concat([rest, *_in_place(again, ours)]).sort("source_row", maintain_order=True)


def _in_place(again: pl.DataFrame, ours: pl.DataFrame) -> list[pl.DataFrame]:
    """Return the book's events with the source rows that tell of them again, each of either side at least once."""
    found = []
    for _, rows in again.group_by(SAME, maintain_order=True):
        mine = ours.join(rows, on=SAME, how="semi", nulls_equal=True, maintain_order="left")
        numbers = rows["source_row"].to_list()
        for place, number in zip_longest(range(mine.height), numbers):
            event = mine[mine.height - 1 if place is None else place]
            row = numbers[-1] if number is None else number
            found.append(
                INCOMING.conform(event.with_columns(GIVEN_ID, pl.lit(row, dtype=pl.Int64).alias("source_row")))
            )
    return found
