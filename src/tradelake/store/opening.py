"""Create and open books: what is at a place, and whether this release can read it.

Problem: whoever is killed while a book is made leaves a catalog without what makes it a book. It could neither be
opened nor made again.

Decision: a local catalog is made under another name, and gets its own when it is complete and on disk; what was left
under the other name is no book, and is made anew. In a database of PostgreSQL nothing has another name: there the
making goes on where it was left, as long as nothing but our own empty tables is there. Both happen under the lease.
"""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import uuid4

import polars as pl

from tradelake.errors import BookExists, BookNotFound, BookVersionError, InputError, StorageError
from tradelake.store.catalog import FORMAT_VERSION, Catalog
from tradelake.store.chain import genesis
from tradelake.store.durable import sync_entries, sync_folder
from tradelake.store.foreign import half_made, not_a_book
from tradelake.store.formats import is_known, not_migrated, pending, unknown_format
from tradelake.store.lease import Lease
from tradelake.store.literals import literal
from tradelake.store.migrate import Applied, entry
from tradelake.store.place import make_folder, place_of
from tradelake.store.session import METADATA
from tradelake.store.target import DUCKDB_FILE, SQLITE_FILE, Target
from tradelake.tables import (
    BOOK_SETTINGS,
    BY_NAME,
    CHECKPOINT,
    DERIVED_TABLES,
    HEAD,
    MIGRATIONS,
    TRADE_LOG,
    ducklake_ddl,
)

DATA_BESIDE = "beside the catalog"
DATA_ELSEWHERE = "elsewhere"
DRAFT = "draft-"
COMPRESSION: Final = "zstd"  # half the bytes of Snappy, DuckDB's own choice, for the same processor time
GROUP_ROWS = 32_768  # in one row group of Parquet: what an account has is then read in few groups


def create_catalog(target: Target, *, made: Applied) -> Catalog:
    """Create the book at *target* and return it open; BookExists where there is one. *made*: by whom and when."""
    if target.data is None:
        raise InputError(
            "A book on PostgreSQL needs a folder for its Parquet files: give data=FOLDER (--data FOLDER), "
            "or data=s3://BUCKET/FOLDER."
        )
    if target.kind == "postgres":
        place_of(target.data).make()
        return _create_on_server(target, made)
    folder = Path(target.catalog).parent
    refuse_existing(folder)
    make_folder(folder)
    place_of(target.data).make()
    with Lease(target).hold():
        refuse_existing(folder)
        draft = draft_of(target)
        discard(draft)
        if target.kind == "sqlite":
            with sqlite3.connect(draft.catalog) as catalog:
                catalog.execute("PRAGMA journal_mode = WAL")
            catalog.close()
        book = Catalog(draft, read_only=False, attach_data=target.data, create=True)
        try:
            _fill(book, made)
        finally:
            book.close()
        publish(draft, target)
    return Catalog(target, read_only=False, attach_data=target.data)


def draft_of(target: Target) -> Target:
    """Return the target of a local book while it is made: its catalog has another name, so that nobody opens it."""
    file = Path(target.catalog)
    return replace(target, catalog=str(file.with_name(DRAFT + file.name)))


def discard(draft: Target) -> None:
    """Remove what was left of a catalog that was not finished; the caller holds the lease."""
    file = Path(draft.catalog)
    for left in file.parent.glob(f"{file.name}*"):
        left.unlink()


def publish(draft: Target, target: Target) -> None:
    """Give the closed catalog *draft* its name, when it is on disk with its data; the caller holds the lease."""
    folder = Path(target.catalog).parent
    if any(Path(draft.catalog + log).exists() for log in ("-wal", ".wal")):
        raise StorageError(
            f"{folder}: the catalog of the book cannot be completed. Make room on the disk, and repeat it."
        )
    try:
        for place in (target.data or "", str(folder)):
            sync_folder(place)
        Path(draft.catalog).rename(target.catalog)
        sync_entries(folder)
        sync_entries(folder.parent)
    except OSError as error:
        raise StorageError(f"{folder}: the book cannot be brought to the disk: {error.strerror}.") from error


def refuse_existing(folder: Path) -> None:
    """Raise BookExists where a folder has a book."""
    if any((folder / name).exists() for name in (SQLITE_FILE, DUCKDB_FILE)):
        raise BookExists(f"There is a book at {folder} already. Use it as it is, or name another folder.")


def lake_on_server(target: Target) -> Catalog:
    """Return the lake in a database, made where there is none, that has nothing of a book but what a making left.

    BookExists where there is a book, or a lake of somebody else; the caller holds the lease.
    """
    if _has_book(target):
        raise BookExists(f"There is a book at {target.shown} already. Use it as it is, or name another database.")
    book = Catalog(target, read_only=False, attach_data=target.data, create=True)
    if not _is_half_made(book):
        book.close()
        raise BookExists(f"There is a lake of somebody else at {target.shown}. Name another database.")
    return book


def _create_on_server(target: Target, made: Applied) -> Catalog:
    with Lease(target).hold():
        book = lake_on_server(target)
        stored = book.frame(f"SELECT value FROM {METADATA}.ducklake_metadata WHERE key = 'data_path'")
        if stored["value"].item() != target.data:
            book.close()
            raise InputError(
                f"The making of a book at {target.shown} was broken off; its data are at {stored['value'].item()}. "
                "Give that folder as data=FOLDER (--data FOLDER)."
            )
        _fill(book, made)
    return book


def _is_half_made(book: Catalog) -> bool:
    """Return whether the tables of a lake without settings are none, or ours and empty."""
    names = book.frame("SELECT table_name FROM ducklake_table_info('lake')")["table_name"].to_list()
    return not names or (set(names) == set(BY_NAME) and not book.settings())


def _fill(book: Catalog, made: Applied) -> None:
    """Make what is missing of a book in a lake that has nothing in it, or our empty tables."""
    if not book.frame("SELECT table_name FROM ducklake_table_info('lake')").height:
        with book.transaction():
            for statement in ducklake_ddl():
                book.execute(statement)
    book.execute(f"CALL lake.set_option('parquet_compression', {literal(COMPRESSION)})")
    for table in (*DERIVED_TABLES, CHECKPOINT):
        book.execute(f"CALL lake.set_option('data_inlining_row_limit', 0, table_name => '{table.name}')")
        book.execute(f"CALL lake.set_option('parquet_row_group_size', {GROUP_ROWS}, table_name => '{table.name}')")
    book.execute(f"CALL lake.set_option('parquet_row_group_size', {GROUP_ROWS}, table_name => '{TRADE_LOG.name}')")
    book_id = str(uuid4())
    with book.transaction():
        book.insert(HEAD.name, _first_head(book_id, made.at))
        book.insert(MIGRATIONS.name, entry(FORMAT_VERSION, made))
        book.execute(f"INSERT INTO {CHECKPOINT.name} VALUES (0, TIMESTAMPTZ '1900-01-01 00:00:00+00')")
        book.execute(
            f"INSERT INTO {BOOK_SETTINGS.name} VALUES ('format_version', ?), ('created_at', ?), ('data', ?), "
            "('book_id', ?)",
            [str(FORMAT_VERSION), made.at, DATA_ELSEWHERE if book.target.data_given else DATA_BESIDE, book_id],
        )
        book.sync()


def _first_head(book_id: str, created_at: str) -> pl.DataFrame:
    start = pl.Series([created_at]).str.to_datetime("%+", time_unit="us", time_zone="UTC")
    return HEAD.conform(
        pl.DataFrame(
            {
                "sequence": [0],
                "source_record_id": [0],
                "import_run_id": [0],
                "recorded_at": start,
                "chain_hash": [genesis(book_id, created_at)],
                "archive_run_id": [0],
            }
        )
    )


def _has_book(target: Target) -> bool:
    try:
        open_catalog(target, read_only=True).close()
    except BookVersionError:
        return True
    except (StorageError, BookNotFound):
        return False
    return True


def open_catalog(target: Target, *, read_only: bool = False, migrating: bool = False) -> Catalog:
    """Open the book at *target*; BookNotFound, BookBusy or BookVersionError where that fails.

    One of an earlier format is opened read only, where all that it lacks can be done without, or to be *migrating*.
    """
    if target.kind != "postgres" and not Path(target.catalog).exists():
        raise _no_book(Path(target.catalog).parent)
    catalog = Catalog(target, read_only=read_only, attach_data=target.data if target.data_given else None)
    try:
        settings = catalog.settings()
        version = int(settings["format_version"])
    except (StorageError, KeyError) as error:
        begun = _is_begun(catalog)
        catalog.close()
        raise (half_made if begun else not_a_book)(target) from error
    moved = settings.get("data") == DATA_BESIDE and not target.data_given and catalog.data_folder != target.data
    if moved:
        # The book was moved or copied as a whole: its files are beside its catalog, wherever that is now.
        catalog.close()
        catalog = Catalog(target, read_only=read_only, attach_data=target.data)
    catalog.format_version = version
    if not is_known(version):
        catalog.close()
        raise unknown_format(f"The book at {target.shown}", version)
    steps = pending(version)
    if steps and not migrating and not (read_only and all(step.readable for step in steps)):
        catalog.close()
        raise not_migrated(target, version)
    return catalog


def _no_book(folder: Path) -> BookNotFound:
    """Return the error for a folder without a catalog; a file is told from a folder, and a catalog from its folder."""
    if folder.name in (SQLITE_FILE, DUCKDB_FILE) and folder.is_file():
        return BookNotFound(f"There is no book at {folder}: that is its catalog. Name the folder: {folder.parent}")
    advice = "Make one with `tradelake init`, or name its folder with --book or TRADELAKE_BOOK."
    if folder.is_file():
        return BookNotFound(f"There is no book at {folder}: that is a file, and a book is a folder. {advice}")
    return BookNotFound(f"There is no book at {folder}. {advice}")


def _is_begun(catalog: Catalog) -> bool:
    """Return whether a lake without settings is a book of ours that was not finished."""
    try:
        return _is_half_made(catalog)
    except StorageError:
        return False
