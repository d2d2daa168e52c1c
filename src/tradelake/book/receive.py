"""Between intake and the log: whose event it is, and what was traded.

Accounts: an event names our account, or the broker's. A broker account that nobody mapped becomes an account of its
own; where several of ours share it, the pattern of an order reference or strategy decides, then the default book.
Instruments: known ones complete the terms of a row or contradict them; unknown ones are made from the row's terms.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import polars as pl

from tradelake.book.accounts import reject_rows, resolve_accounts
from tradelake.book.gives import refuse_unknown, with_given
from tradelake.errors import Problem
from tradelake.store import References
from tradelake.tables import CORPORATE_KINDS, INCOMING, INSTRUMENTS, OPTION_KINDS, STRATEGIES

DEPENDING = (*OPTION_KINDS, *CORPORATE_KINDS, "subscribe", "transfer")
TERM_COLUMNS = ("symbol", "contract_symbol", "asset_type", "strike", "expiration", "option_type", "multiplier")
GIVING = (*CORPORATE_KINDS, "subscribe", "fork")
STARLAB_PREFIX = "STARLAB"


@dataclass(frozen=True, slots=True)
class Received:
    """Events with their accounts and terms complete, what is new besides them, and the rows that were refused."""

    events: pl.DataFrame
    problems: tuple[Problem, ...]
    new_accounts: pl.DataFrame
    new_instruments: pl.DataFrame
    new_strategies: pl.DataFrame


def receive(events: pl.DataFrame, references: References, *, source: str, recorded_at: datetime) -> Received:
    """Resolve accounts, instruments and strategies of validated events (INCOMING)."""
    problems: list[Problem] = []
    events, new_accounts = resolve_accounts(
        events, references.accounts, problems, source=source, recorded_at=recorded_at
    )
    events, new_instruments = _resolve_instruments(
        events, references.instruments, problems, source=source, recorded_at=recorded_at
    )
    return Received(
        INCOMING.conform(events),
        tuple(problems),
        new_accounts,
        new_instruments,
        _new_strategies(events, references.strategies, recorded_at),
    )


def _resolve_instruments(
    events: pl.DataFrame, instruments: pl.DataFrame, problems: list[Problem], *, source: str, recorded_at: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Complete terms from known instruments, make the unknown ones, refuse rows that contradict them."""
    fresh, given = new_instruments(events, instruments, recorded_at), INSTRUMENTS.empty()
    gives = bool(events["kind"].is_in(GIVING).any())
    if gives:
        events, given = with_given(events, pl.concat([instruments, fresh]), recorded_at)
    known = pl.concat([instruments, fresh, given]).filter(
        pl.col("instrument_id").is_in(events["instrument_id"].drop_nulls().unique().implode())
    )
    terms = known.select("instrument_id", "recorded_at", *TERM_COLUMNS)
    joined = events.select("_order", "source_row", "trade_id", "instrument_id", *TERM_COLUMNS).join(
        terms, on="instrument_id", how="left", suffix="_known", maintain_order="left"
    )
    traded = pl.col("instrument_id").is_not_null()
    unknown = joined.filter(traded & pl.col("recorded_at").is_null())
    events = reject_rows(
        events,
        unknown,
        problems,
        Problem(
            "unknown_instrument",
            "the instrument is not in the book, and the row does not give its terms",
            source,
            action="Give symbol and asset_type (an option also strike, expiration and option_type).",
        ),
        "instrument_id",
    )
    differs = pl.any_horizontal(
        pl.col(c).is_not_null() & pl.col(c).ne_missing(pl.col(f"{c}_known")) for c in TERM_COLUMNS
    )
    clash = joined.filter(traded & pl.col("recorded_at").is_not_null() & differs)
    events = reject_rows(
        events,
        clash,
        problems,
        Problem(
            "contradicting_terms",
            "the terms of the row differ from those of the instrument in the book",
            source,
            action="Correct the row, or give the instrument another instrument_id if it is another contract.",
        ),
        "instrument_id",
    )
    # Option events depend on settlement and style, which a row that names the contract by its terms does not repeat.
    depends = pl.col("multiplier").is_null() | pl.col("kind").is_in(DEPENDING)
    incomplete = events.filter(traded & depends)
    if incomplete.height:
        completed, more = _complete(incomplete, known, source=source)
        problems.extend(more)
        events = pl.concat(
            [events.join(incomplete.select("_order"), on="_order", how="anti"), completed], how="vertical_relaxed"
        ).sort("_order")
    refused = unknown.height + clash.height + gives
    while refused:
        # What a refused row would have defined is not new after all, and others may have counted on it.
        fresh = new_instruments(events, instruments, recorded_at)
        refused = 0
        if gives:
            there = events.height
            events = refuse_unknown(events, pl.concat([instruments, fresh, given]), problems, source=source)
            refused = there - events.height
    events = events.drop("_order")
    if given.height:
        named = pl.concat([events["instrument_id"], events["new_instrument_id"]])
        fresh = pl.concat([fresh, given.filter(pl.col("instrument_id").is_in(named.implode()))])
    return events, fresh


def _complete(rows: pl.DataFrame, known: pl.DataFrame, *, source: str) -> tuple[pl.DataFrame, tuple[Problem, ...]]:
    """Fill the terms of rows that name only an instrument of the book, and check them as if they had been given."""
    columns = (*TERM_COLUMNS, "underlying_instrument_id", "settlement", "exercise_style", "deliverable")
    filled = (
        rows.drop(columns)
        .join(known.select("instrument_id", *columns), on="instrument_id", how="left", maintain_order="left")
        .select(rows.columns)
    )
    from tradelake.intake.check import recheck

    # Several events may come from one row of the source, so that they are numbered by their order while checked.
    order = rows.select(pl.col("_order").cast(pl.Int64).alias("number"), "_order", "source_row")
    numbered = filled.with_columns(order["number"].alias("source_row")).drop("_order")
    good, problems = recheck(numbered, source=source)
    completed = good.rename({"source_row": "number"}).join(order, on="number", how="left", maintain_order="left")
    source_rows = dict(order.select("number", "source_row").iter_rows())
    named = tuple(replace(p, row=None if p.row is None else source_rows[p.row]) for p in problems)
    return completed.select(rows.columns), named


def new_instruments(events: pl.DataFrame, instruments: pl.DataFrame, recorded_at: datetime) -> pl.DataFrame:
    """Return the instruments that the events' own terms define and the book lacks, underlyings included."""
    unknown = ~events["instrument_id"].is_in(instruments["instrument_id"].implode())
    if not unknown.any():
        return INSTRUMENTS.empty()
    terms = (
        events.filter(unknown & pl.col("asset_type").is_not_null())
        .unique("instrument_id", keep="first", maintain_order=True)
        .with_columns(recorded_at=pl.lit(recorded_at))
    )
    if not terms.height:
        return INSTRUMENTS.empty()
    fresh = INSTRUMENTS.conform(terms).join(instruments, on="instrument_id", how="anti")
    options = fresh.filter(pl.col("asset_type") == "OPTION")
    if not options.height:
        return fresh
    missing = pl.lit(None, dtype=pl.String)
    underlyings = (
        options.with_columns(
            pl.col("underlying_instrument_id").alias("instrument_id"),
            pl.when(pl.col("settlement") == "CASH")
            .then(pl.lit("INDEX"))
            .otherwise(pl.lit("STOCK"))
            .alias("asset_type"),
            pl.lit(1).cast(INSTRUMENTS.schema["multiplier"]).alias("multiplier"),
            *(
                missing.alias(c)
                for c in (
                    "contract_symbol",
                    "option_type",
                    "settlement",
                    "exercise_style",
                    "deliverable",
                    "broker_contract_id",
                    "isin",
                    "description",
                    "underlying_instrument_id",
                )
            ),
            pl.lit(None).cast(INSTRUMENTS.schema["strike"]).alias("strike"),
            pl.lit(None, dtype=pl.Date).alias("expiration"),
        )
        .unique("instrument_id", keep="first", maintain_order=True)
        .join(
            pl.concat([instruments.select("instrument_id"), fresh.select("instrument_id")]),
            on="instrument_id",
            how="anti",
        )
    )
    return pl.concat([fresh, INSTRUMENTS.conform(underlyings)])


def _new_strategies(events: pl.DataFrame, strategies: pl.DataFrame, recorded_at: datetime) -> pl.DataFrame:
    names = events["strategy_id"].drop_nulls().unique(maintain_order=True)
    if not names.len():
        return STRATEGIES.empty()
    fresh = pl.DataFrame({"strategy_id": names}).join(strategies, on="strategy_id", how="anti")
    star = (
        pl.col("strategy_id").str.to_uppercase().str.replace_all("-", "", literal=True).str.starts_with(STARLAB_PREFIX)
    )
    return STRATEGIES.conform(
        fresh.with_columns(
            pl.when(star).then(pl.lit("STAR-LAB")).otherwise(pl.lit("ALL-USE")).alias("origin"),
            pl.lit(recorded_at).alias("recorded_at"),
        )
    )


def with_received(references: References, received: Received) -> References:
    """Return the references with what a delivery brings besides its events."""
    if not received.new_accounts.height and not received.new_instruments.height:
        return references
    return replace(
        references,
        accounts=pl.concat([references.accounts, received.new_accounts]),
        instruments=pl.concat([references.instruments, received.new_instruments]),
    )
