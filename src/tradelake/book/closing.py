"""Folding a book whose first events were deleted: from its closing on, with what was final by then.

Problem: a family that something late reaches is replayed from its first event, and that may be gone.

Decision: what was open when the book was closed is carried, events after it are matched on top, and rows that were
final by then stay as they are stored. Nothing that happened by then is recorded any more, so they are right. A book
that was never closed is derived from its first event.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

import polars as pl

from tradelake.book.derive import Stand, derive, events_at
from tradelake.book.groups import FAMILY
from tradelake.book.start import first_start, start_after
from tradelake.errors import DeletedError, StorageError
from tradelake.store import Catalog, Derived, References
from tradelake.store.closing import FINAL, Closing, closing_rows, deleted_events, digest_of, read_closing
from tradelake.store.fold import family_rows
from tradelake.tables import CURE_KINDS, MATCHES, POSITION_HISTORY, Table

EARLIER = (
    "The answer stands before {}, up to when events were deleted since their retention was over. Ask for a later time."
)


def derive_all(
    catalog: Catalog, references: References, *, as_of: datetime | None = None, as_known: datetime | None = None
) -> Derived:
    """Return the derived tables of all events, or of those that happened by *as_of* and were known by *as_known*."""
    events = events_at(catalog, references, as_of=as_of, as_known=as_known)
    return derive_after(catalog, references, events, as_of=as_of)


def derive_after(
    catalog: Catalog,
    references: References,
    events: pl.DataFrame,
    *,
    families: pl.DataFrame | None = None,
    as_of: datetime | None = None,
) -> Derived:
    """Return the derived tables of events that are in effect, all of some families, from the closing of the book on.

    Raises DeletedError where *as_of* is before it.
    """
    return derivation(catalog, references, events, families=families, as_of=as_of)().derived


def derivation(
    catalog: Catalog,
    references: References,
    events: pl.DataFrame,
    *,
    families: pl.DataFrame | None = None,
    as_of: datetime | None = None,
) -> Callable[[], Stand]:
    """Return what gives the tables of `derive_after`, and asks the catalog for nothing more."""
    closing = read_closing(catalog)
    if closing is None:
        return partial(derive, references, events, start=first_start(references), families=families)
    if as_of is not None and as_of < closing.until:
        raise DeletedError(EARLIER.format(closing.until.isoformat()))
    before = events.filter(pl.col("executed_at") <= closing.until)
    lots, positions = (_of(rows, families) for rows in (closing.lots, closing.positions))
    final = final_rows(catalog, closing.until, before, families)
    fresh = partial(
        derive,
        references,
        events.filter(pl.col("executed_at") > closing.until),
        start=start_after(catalog, references, before),
        families=families,
        lots=lots,
        positions=positions,
        prior=lambda _: final[MATCHES.name].join(positions, on="position_id", how="semi"),
    )

    def after() -> Stand:
        stand = fresh()
        both = {name: pl.concat([rows, getattr(stand.derived, name)]) for name, rows in final.items()}
        return replace(stand, derived=replace(stand.derived, **both))

    return after


def final_rows(
    catalog: Catalog, until: datetime, before: pl.DataFrame, families: pl.DataFrame | None = None
) -> Mapping[str, pl.DataFrame]:
    """Return the stored rows that no event after *until* changes, by table; *before* are the events by then."""
    sequences = pl.concat([before["sequence"], deleted_events(catalog)]).to_frame("sequence")
    found = {}
    for table in FINAL:
        rows = _stored(catalog, table, families)
        if table in (MATCHES, POSITION_HISTORY):
            found[table.name] = rows.filter(pl.col("closed_at") <= until)
        else:
            found[table.name] = rows.join(sequences, on="sequence", how="semi")
    return found


def changed_final(catalog: Catalog, references: References) -> list[tuple[str, str]]:
    """Return the tables whose final rows are not those that they were when the book was closed, and what is wrong."""
    closing = read_closing(catalog)
    if closing is None:
        return []
    stored = final_rows(catalog, closing.until, events_at(catalog, references, as_of=closing.until))
    what = f"its rows up to {closing.until.isoformat()} are not those that the closing of the book has"
    return [(table.name, what) for table in FINAL if digest_of(stored[table.name], table) != closing.final[table.name]]


def close_book(catalog: Catalog, references: References, until: datetime, totals: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `closings` that close a book up to an instant, while all of its events are there.

    *totals* are what accounts had earned and moved by then. Raises StorageError where the derived tables are not
    what follows from the events. The caller holds a transaction.
    """
    derived = derive_all(catalog, references, as_of=until)
    stored = final_rows(catalog, until, events_at(catalog, references, as_of=until))
    for table in FINAL:
        if digest_of(stored[table.name], table) != digest_of(derived.rows(table), table):
            raise StorageError(
                f"{table.name} is not what follows from the events up to {until.isoformat()}; nothing was deleted. "
                "Ask `tradelake verify --deep` what differs, and rebuild."
            )
    return closing_rows(until, (derived.lots, derived.positions, totals), stored)


def check_known(later: pl.DataFrame, told: pl.DataFrame, closing: Closing | None) -> None:
    """Raise DeletedError where what was learnt too late for a question is part of the closing."""
    if closing is None:
        return
    learnt = told.join(later, on="sequence", how="semi")
    if learnt.filter((pl.col("executed_at") <= closing.until) | pl.col("kind").is_in(CURE_KINDS)).height:
        raise DeletedError(EARLIER.format(closing.until.isoformat()))


def _of(rows: pl.DataFrame, families: pl.DataFrame | None) -> pl.DataFrame:
    return rows if families is None else rows.join(families, on=FAMILY, how="semi")


def _stored(catalog: Catalog, table: Table, families: pl.DataFrame | None) -> pl.DataFrame:
    if families is not None:
        return table.conform(family_rows(catalog, table, families))
    return table.conform(catalog.frame(f"SELECT * FROM {table.name}"))
