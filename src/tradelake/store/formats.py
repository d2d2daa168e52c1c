"""The formats of a book: which this release knows, and the steps that lead from one to the next.

Problem: a release may need tables or columns that books made by an earlier one do not have.

Decision: steps lead forward only, one format each, and what was told is never rewritten, so that the hash chain stays
as it is. A step says which tables it adds, and whether this release can read a book without it: such a book opens read
only at once, and is written to when the step was applied. Nothing is applied by merely opening a book, since releases
before it do not open it afterwards.

A later format adds one `Migration` at the end of `MIGRATIONS`; what it does to a book is `apply`, inside the
transaction of `migrate.py`. Its statements are text: they make a table as it was then, whatever it became later.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tradelake.errors import BookVersionError
from tradelake.store.catalog import FORMAT_VERSION, Catalog
from tradelake.store.target import Target
from tradelake.tables import BY_NAME, Table
from tradelake.tables import MIGRATIONS as ENTRIES

OLDEST_FORMAT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """A step to a format: its name, what it is for, the tables that it adds, and what it does to a book.

    `readable` says whether this release reads a book that does not have it yet.
    """

    to: int
    name: str
    what: str
    adds: tuple[Table, ...]
    readable: bool
    apply: Callable[[Catalog], None]


def _add_entries(catalog: Catalog) -> None:
    catalog.execute(
        "CREATE TABLE migrations (format_version BIGINT NOT NULL, from_version BIGINT, "
        "applied_at TIMESTAMPTZ NOT NULL, author VARCHAR NOT NULL, host VARCHAR NOT NULL)"
    )


MIGRATIONS = (
    Migration(
        to=6,
        name="formats",
        what="the book notes with which format it was made, and who brought it to a later one",
        adds=(ENTRIES,),
        readable=True,
        apply=_add_entries,
    ),
)


def pending(version: int) -> tuple[Migration, ...]:
    """Return the steps that a book of a format has not had yet, in their order."""
    return tuple(step for step in MIGRATIONS if step.to > version)


def tables_of(version: int) -> tuple[Table, ...]:
    """Return the tables that a book of a format has."""
    missing = {table.name for step in pending(version) for table in step.adds}
    return tuple(table for name, table in BY_NAME.items() if name not in missing)


def is_known(version: int) -> bool:
    """Tell whether a book of a format can be read, or brought to the present one."""
    return OLDEST_FORMAT <= version <= FORMAT_VERSION


def unknown_format(what: str, version: int) -> BookVersionError:
    """Return the error for something, as "the book at …", of a format that this release does not know."""
    advice = "It was made before the first release: import its sources into a new book."
    if version > FORMAT_VERSION:
        advice = "A newer release of tradelake has written it: install that one, and nothing is lost."
    return BookVersionError(
        f"{what} has format {version}; this release knows the formats {OLDEST_FORMAT} to {FORMAT_VERSION}. {advice}"
    )


def not_migrated(target: Target, version: int) -> BookVersionError:
    """Return the error for a book that has to be brought to the present format first: which steps, and by what."""
    steps = pending(version)
    told = "; ".join(f"{step.to}, {step.name}: {step.what}" for step in steps)
    until = " Until then it can be opened read only." if all(step.readable for step in steps) else ""
    return BookVersionError(
        f"The book at {target.shown} has format {version}; this release writes format {FORMAT_VERSION}. Pending: "
        f"{told}. Apply it with `tradelake --book {target.named} migrations apply`, after a backup, when all who write "
        f"to the book have this release.{until}"
    )
