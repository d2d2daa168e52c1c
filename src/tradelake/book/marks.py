"""Marks of a book: what is known of prices at an instant, and which of those that are given are new."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import polars as pl

from tradelake.book.priced import resolve
from tradelake.book.read import Day, Filter, Instant, Names, instant_of, where
from tradelake.book.shelf import Shelf
from tradelake.errors import Problem
from tradelake.intake.parsed import Parsed
from tradelake.sessions import trade_date
from tradelake.store import Catalog
from tradelake.tables import IMPORT_RUNS, INSTRUMENTS, MARKS
from tradelake.units import plain

KEY = ["instrument_id", "mark_date"]
SAME = ["price", "currency"]
OUTCOMES = pl.Schema(
    {
        "row": pl.Int64(),
        "outcome": pl.String(),
        "instrument_id": pl.String(),
        "mark_date": pl.Date(),
        "revision": pl.Int64(),
        "code": pl.String(),
        "message": pl.String(),
    }
)
LISTED = """
SELECT instrument_id, symbol, contract_symbol, asset_type, mark_date, revision, price, m.currency, source,
    m.recorded_at, m.import_run_id
FROM marks m JOIN instruments i USING (instrument_id)
"""
# The newest day of each instrument first: ordering all its days takes ten times as long.
PRICED = ("revision", "price", "currency", "source", "recorded_at")
LISTED_MARKS = 100  # instruments that a statement names one by one
NEWEST = """
WITH known AS (SELECT * FROM marks{where}),
newest AS (SELECT instrument_id, max(mark_date) AS mark_date FROM known GROUP BY instrument_id)
SELECT instrument_id, mark_date, max(revision) AS revision, arg_max(price, revision) AS price,
    arg_max(currency, revision) AS currency, arg_max(source, revision) AS source,
    arg_max(recorded_at, revision) AS recorded_at
FROM known JOIN newest USING (instrument_id, mark_date) GROUP BY ALL ORDER BY instrument_id
"""


class MarkReaders(Shelf):
    """Everything that asks for prices."""

    def marks(
        self,
        *,
        symbol: Names = None,
        since: Day = None,
        until: Day = None,
        as_known: Instant = None,
        revisions: bool = False,
    ) -> pl.DataFrame:
        """Return the prices at the close of sessions, one row per instrument and day, by day.

        The newest revision that was known counts; with `revisions` every one is a row. `since` and `until` are trading
        days, both included.
        """
        texts, values = Filter(symbol=symbol, since=since, until=until).conditions(INSTRUMENTS.names, "mark_date")
        if as_known is not None:
            texts.append("m.recorded_at <= CAST(? AS TIMESTAMPTZ)")
            values.append(instant_of(as_known).isoformat())
        newest = "" if revisions else "QUALIFY revision = max(revision) OVER (PARTITION BY instrument_id, mark_date)"
        order = "ORDER BY mark_date, symbol, instrument_id, revision"
        return self._catalog.frame(f"{LISTED}{where(texts)} {newest} {order}", values)

    def _marks_at(
        self, day: date | None, as_known: datetime | None, *, instruments: Iterable[str] | None = None
    ) -> pl.DataFrame:
        """Return the newest mark of each instrument, as `marks_at` does."""
        return marks_at(self._catalog, day, as_known, instruments=instruments)


def marks_at(
    catalog: Catalog, day: date | None, as_known: datetime | None, *, instruments: Iterable[str] | None = None
) -> pl.DataFrame:
    """Return the newest mark of each instrument up to *day*, in the revision that was known by *as_known*.

    One row each of instrument_id, mark_date, revision, price, currency, source and recorded_at; None bounds nothing. An
    instrument without a mark has no row.
    """
    texts: list[str] = []
    values: list[object] = []
    if day is not None:
        texts.append("mark_date <= CAST(? AS DATE)")
        values.append(day.isoformat())
    if as_known is not None:
        texts.append("recorded_at <= CAST(? AS TIMESTAMPTZ)")
        values.append(as_known.isoformat())
    if instruments is None:
        return catalog.frame(NEWEST.format(where=where(texts)), values)
    wanted = pl.DataFrame({"instrument_id": list(instruments)}, schema={"instrument_id": pl.String()})
    if not wanted.height:
        return MARKS.empty().select("instrument_id", "mark_date", *PRICED)
    if wanted.height <= LISTED_MARKS:
        texts.append(f"instrument_id IN ({', '.join('?' * wanted.height)})")
        return catalog.frame(NEWEST.format(where=where(texts)), [*values, *wanted["instrument_id"]])
    texts.append("instrument_id IN (SELECT instrument_id FROM wanted_instruments)")
    with catalog.joined(wanted_instruments=wanted):
        return catalog.frame(NEWEST.format(where=where(texts)), values)


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows of `marks` that are new, without their commit; what became of each row; and a problem per reject."""

    fresh: pl.DataFrame
    outcomes: pl.DataFrame
    problems: tuple[Problem, ...]


def judge(
    catalog: Catalog, given: pl.DataFrame, instruments: pl.DataFrame, *, source: str, digest: str | None = None
) -> Judged:
    """Decide which marks (`intake.parsed.MARKED`) are new; the caller holds the transaction that will write them.

    The price that is known already is a duplicate, another one a new revision of that day. A file that was imported
    before (`digest` is its SHA-256) says nothing new with what it said before, so that importing it again does not take
    back a later revision. Two prices of one day in one delivery contradict each other, and the first one counts.
    """
    if not given.height:
        return Judged(MARKS.empty(), pl.DataFrame(schema=OUTCOMES), ())
    marks, unknown = resolve(given, instruments, source=source)
    told = marks.with_columns(
        pl.col("source_row").first().over(KEY).alias("first_row"),
        *(pl.col(name).first().over(KEY).alias(f"first_{name}") for name in SAME),
    )
    agrees = pl.all_horizontal(pl.col(name) == pl.col(f"first_{name}") for name in SAME)
    once = told.filter(pl.col("source_row") == pl.col("first_row"))
    fresh = _new_revisions(catalog, once.select(*KEY, *SAME, "source_row"), digest)
    contradicting = tuple(_contradiction(row, source) for row in told.filter(~agrees).iter_rows(named=True))
    accepted = told.filter(agrees).join(
        fresh.select("source_row", "revision"), on="source_row", how="left", maintain_order="left"
    )
    outcome = pl.when(pl.col("revision").is_null()).then(pl.lit("duplicate")).otherwise(pl.lit("accepted"))
    nothing = pl.lit(None, dtype=pl.String)
    outcomes = accepted.select(
        pl.col("source_row").alias("row"),
        outcome.alias("outcome"),
        *KEY,
        "revision",
        nothing.alias("code"),
        nothing.alias("message"),
    )
    rows = fresh.with_columns(pl.lit(source).alias("source")).drop("source_row")
    return Judged(rows, outcomes, (*unknown, *contradicting))


def marks_of_statement(
    catalog: Catalog,
    parsed: Parsed,
    instruments: Iterable[pl.DataFrame],
    *,
    source: str,
    digest: str | None,
    at: datetime,
) -> dict[str, pl.DataFrame]:
    """Return the new ones among the marks of a broker's statement, as facts of a commit.

    Those of instruments that the book does not have, and of days after *at*, are left out: their rows are kept.
    """
    if not parsed.marks.height:
        return {}
    told = parsed.marks.filter(pl.col("mark_date") <= trade_date(at))
    return {MARKS.name: judge(catalog, told, pl.concat(instruments), source=source, digest=digest).fresh}


def _new_revisions(catalog: Catalog, told: pl.DataFrame, digest: str | None) -> pl.DataFrame:
    """Return the marks, one per instrument and day, that differ from the newest known ones, with their revision."""
    days = told["mark_date"]
    with catalog.joined(told_marks=told.select(KEY)):
        known = catalog.frame(
            f"SELECT instrument_id, mark_date, revision, price, currency FROM {MARKS.name} SEMI JOIN told_marks "
            f"USING (instrument_id, mark_date) WHERE mark_date BETWEEN CAST(? AS DATE) AND CAST(? AS DATE)",
            [str(days.min()), str(days.max())],
        )
    newest = known.group_by(KEY).agg(pl.all().sort_by("revision").last())
    last = newest.select(*KEY, "revision").rename({"revision": "last_revision"})
    fresh = told.join(newest, on=[*KEY, *SAME], how="anti", maintain_order="left").join(
        last, on=KEY, how="left", maintain_order="left"
    )
    if digest is not None and fresh["last_revision"].count() and _was_imported(catalog, digest):
        fresh = fresh.join(known, on=[*KEY, *SAME], how="anti", maintain_order="left")
    revision = pl.col("last_revision").fill_null(0) + 1
    return fresh.with_columns(revision.alias("revision")).drop("last_revision")


def _was_imported(catalog: Catalog, digest: str) -> bool:
    return catalog.frame(f"SELECT 1 FROM {IMPORT_RUNS.name} WHERE file_sha256 = ? LIMIT 1", [digest]).height > 0


def _contradiction(row: dict[str, Any], source: str) -> Problem:
    return Problem(
        "contradicting_price",
        f"{row['instrument_id']} has another price of {row['mark_date']} in row {row['first_row']}",
        source,
        row["source_row"],
        "price",
        plain(row["price"]),
        "Keep one of the two; the first one is recorded.",
    )
