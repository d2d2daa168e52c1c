"""Books of earlier formats: which steps they have had, and bringing them to the present one."""

from contextlib import closing
from pathlib import Path

import polars as pl

from tradelake.book.shelf import applied_now
from tradelake.store import migrate as apply_pending
from tradelake.store import open_catalog, parse_target, steps


def migrations(target: str | Path) -> pl.DataFrame:
    """Return the steps between formats that this release knows, and their state in a book of a known format.

    Columns: format_version, name, state (applied; made, where the book was made with it; pending), applied_at, author,
    host, what. Raises as `open` does.
    """
    with closing(open_catalog(parse_target(target), read_only=True, migrating=True)) as catalog:
        return steps(catalog)


def migrate(target: str | Path, *, dry_run: bool = False) -> pl.DataFrame:
    """Bring a book to the present format, and return the steps that were applied, or with `dry_run` would be.

    Forward only, one after the other, each in one transaction with its entry: whoever is interrupted repeats it. The
    hash chain stays as it is. Columns as in `migrations`; no rows where nothing was pending. Raises as `open` does, and
    BookBusy where another writer does not end.
    """
    if dry_run:
        return migrations(target).filter(state="pending")
    with closing(open_catalog(parse_target(target), migrating=True)) as catalog:
        done = [step.to for step in apply_pending(catalog, applied_now())]
        return steps(catalog).filter(pl.col("format_version").is_in(done))
