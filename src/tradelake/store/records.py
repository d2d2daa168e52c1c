"""Which source records of a delivery are stored: the broker's own words, each refused one once."""

from datetime import UTC, datetime

import polars as pl

from tradelake.store.catalog import Catalog
from tradelake.store.cold import HOT
from tradelake.store.keys import text_digests
from tradelake.tables import SOURCE_RECORDS

REFUSED = ("conflict", "reject")
# The text of a record that brought an event is bound by the chain, and recognised by its event.
NOTHING = pl.lit("").alias("text_hash")


def new_records(catalog: Catalog, records: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Return the records to store: those of accepted events, and kept, rejected or conflicting ones not seen before."""
    if _all_accepted(records, outcomes):
        return records.with_columns(NOTHING)
    by_row = outcomes.group_by("source_row").agg(
        (pl.col("outcome") == "accepted").any().alias("accepted"),
        pl.col("outcome").filter(pl.col("outcome").is_in(REFUSED)).first().alias("refused"),
        pl.col("code").drop_nulls().first().alias("event_code"),
        pl.col("message").drop_nulls().first().alias("event_message"),
    )
    rows = records.join(by_row, left_on="row_number", right_on="source_row", how="left").with_columns(
        pl.coalesce("refused", "outcome").alias("outcome"),
        pl.coalesce("event_code", "code").alias("code"),
        pl.coalesce("event_message", "message").alias("message"),
    )
    brought = pl.col("accepted").fill_null(value=False)
    kept = rows.filter(brought).with_columns(NOTHING)
    others = rows.filter(~brought & (pl.col("outcome") != "event")).with_columns(_text_hash())
    if others.height:
        # Records that brought no event are never archived.
        with catalog.joined(incoming_hashes=others.select("text_hash")):
            known = catalog.frame(
                f"SELECT DISTINCT text_hash FROM {SOURCE_RECORDS.name} WHERE outcome <> 'event' "
                "AND text_hash IN (SELECT text_hash FROM incoming_hashes)",
                span=HOT,
            )
        others = others.join(known, on="text_hash", how="anti")
    return pl.concat([kept, others]).sort("row_number")


def _all_accepted(records: pl.DataFrame, outcomes: pl.DataFrame) -> bool:
    return (
        bool((outcomes["outcome"] == "accepted").all())
        and bool((records["outcome"] == "event").all())
        and outcomes["source_row"].n_unique() == records.height
    )


def _text_hash() -> pl.Expr:
    said = pl.concat_str(pl.col("broker_account_id").fill_null(""), "section", "text", separator="\x1f")
    return said.map_batches(text_digests, return_dtype=pl.String).alias("text_hash")


def counted(records: pl.DataFrame, outcomes: pl.DataFrame) -> dict[str, int]:
    """Return how many events a delivery brought by what became of them, and how many other rows."""
    events = dict(outcomes.group_by("outcome").len().iter_rows())
    rows = dict(records.group_by("outcome").len().iter_rows())
    return {
        "accepted": events.get("accepted", 0),
        "duplicates": events.get("duplicate", 0),
        "conflicts": events.get("conflict", 0),
        "rejects": rows.get("reject", 0),
        "kept": rows.get("kept", 0),
    }


def dated(records: pl.DataFrame, events: pl.DataFrame, recorded_at: datetime) -> pl.DataFrame:
    """Return records with their `record_date`: the trading day of their first event, else the day in UTC."""
    days = events.group_by(pl.col("source_row").alias("row_number")).agg(
        pl.col("trade_date").min().alias("record_date")
    )
    return records.join(days, on="row_number", how="left", maintain_order="left").with_columns(
        pl.col("record_date").fill_null(recorded_at.astimezone(UTC).date())
    )


def details_with_execution() -> pl.Expr:
    """Return the details of an event with the whole quantity of its execution, where it is one allocation of it."""
    whole = pl.col("execution_quantity").cast(pl.String).str.strip_chars_end("0").str.strip_chars_end(".")
    entry = pl.concat_str(pl.lit('{"execution_quantity":"'), whole, pl.lit('"'))
    rest = pl.coalesce(pl.lit(",") + pl.col("details").str.slice(1), pl.lit("}"))
    return pl.coalesce(entry + rest, pl.col("details"))
