"""A book brought to the present format: step by step, each in one transaction with its entry and its number.

Whoever is killed on the way leaves the book in the format before the step or after it, never between; a repeat goes on
from there. Two at once take turns by the lease, and the second finds nothing to do.
"""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import polars as pl

from tradelake.store.catalog import Catalog
from tradelake.store.formats import MIGRATIONS, Migration, pending
from tradelake.tables import BOOK_SETTINGS
from tradelake.tables import MIGRATIONS as ENTRIES

State = Literal["applied", "made", "pending"]
TEXT = pl.String()
STEPS = pl.Schema(
    {
        "format_version": pl.Int64(),
        "name": TEXT,
        "state": TEXT,
        "applied_at": pl.Datetime("us", "UTC"),
        "author": TEXT,
        "host": TEXT,
        "what": TEXT,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """Who applies a step, on which machine, and when, as ISO 8601."""

    author: str
    host: str
    at: str


def migrate(catalog: Catalog, applied: Applied) -> tuple[Migration, ...]:
    """Apply the pending steps in their order, and return those that were applied here."""
    done = []
    for step in MIGRATIONS:
        if catalog.again(partial(_apply, catalog, step, applied)):
            done.append(step)
        catalog.format_version = max(catalog.format_version, step.to)
    return tuple(done)


def _apply(catalog: Catalog, step: Migration, applied: Applied) -> bool:
    """Apply a step; return False where the book has had it."""
    with catalog.lease.hold(), catalog.transaction():
        version = int(catalog.settings()["format_version"])
        if version >= step.to:
            return False
        step.apply(catalog)
        catalog.insert(ENTRIES.name, entry(step.to, applied, before=version))
        catalog.execute(
            f"UPDATE {BOOK_SETTINGS.name} SET value = ? WHERE name = 'format_version' AND value = ?",
            [str(step.to), str(version)],
        )
        catalog.sync()
    return True


def entry(version: int, applied: Applied, *, before: int | None = None) -> pl.DataFrame:
    """Return the row of `migrations` for a format that a book gets; without one *before* it is made with it."""
    at = pl.Series([applied.at]).str.to_datetime("%+", time_unit="us", time_zone="UTC")
    row = {"format_version": [version], "from_version": [before], "applied_at": at}
    return ENTRIES.conform(pl.DataFrame({**row, "author": [applied.author], "host": [applied.host]}))


def steps(catalog: Catalog) -> pl.DataFrame:
    """Return the steps that this release knows, each with its state in the book: applied, made (with it), pending.

    Columns: format_version, name, state, applied_at, author, host, what; the instant and who are those of the making
    for what the book was made with, and null where they are not known.
    """
    had = catalog.format_version
    there = ENTRIES not in (table for step in pending(had) for table in step.adds)
    rows = catalog.frame(f"SELECT * FROM {ENTRIES.name}").rows(named=True) if there else []
    by_format = {row["format_version"]: row for row in rows}
    made = next((row for row in rows if row["from_version"] is None), {})
    found = []
    for step in MIGRATIONS:
        own = by_format.get(step.to, {})
        state: State = "pending" if step.to > had else "made" if own.get("from_version") is None else "applied"
        told = {"pending": {}, "made": made, "applied": own}[state]
        who = {name: told.get(name) for name in ("applied_at", "author", "host")}
        found.append({"format_version": step.to, "name": step.name, "state": state, **who, "what": step.what})
    return pl.DataFrame(found, schema=STEPS)


def entries_say(catalog: Catalog, place: str, version: int) -> str | None:
    """Return what is wrong with the entries of a book of a format, read from *place*; None where nothing."""
    newest = catalog.frame(f"SELECT max(format_version) AS newest FROM {place}")["newest"].item()
    return None if newest == version else f"its newest entry is for format {newest}, and the book has format {version}"
