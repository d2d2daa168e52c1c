"""Create and open books: what is at a place, and whether this release can read it."""

import sqlite3
from pathlib import Path
from uuid import uuid4

import polars as pl

from tradelake.errors import BookExists, BookNotFound, BookVersionError, InputError, StorageError
from tradelake.store.catalog import FORMAT_VERSION, Catalog
from tradelake.store.foreign import not_a_book
from tradelake.store.target import DUCKDB_FILE, SQLITE_FILE, Target
from tradelake.tables import BOOK_SETTINGS, CHECKPOINT, DERIVED_TABLES, HEAD, ducklake_ddl

DATA_BESIDE = "beside the catalog"


def create_catalog(target: Target, *, created_at: str) -> Catalog:
    """Create the book at *target* and return it open; BookExists where there is one."""
    if target.data is None:
        raise InputError("A book on PostgreSQL needs a folder for its Parquet files: give data=FOLDER (--data FOLDER).")
    if target.kind == "postgres":
        if _has_book(target):
            raise BookExists(f"There is a book at {target.shown} already. Open it, or name another database.")
    else:
        folder = Path(target.catalog).parent
        if any((folder / name).exists() for name in (SQLITE_FILE, DUCKDB_FILE)):
            raise BookExists(f"There is a book at {folder} already. Open it, or name another folder.")
        _make_folder(folder)
    _make_folder(Path(target.data))
    if target.kind == "sqlite":
        with sqlite3.connect(target.catalog) as catalog:
            catalog.execute("PRAGMA journal_mode = WAL")
        catalog.close()
    book = Catalog(target, read_only=False, attach_data=target.data, create=True)
    with book.lease.hold():
        with book.transaction():
            for statement in ducklake_ddl():
                book.execute(statement)
        for table in (*DERIVED_TABLES, CHECKPOINT):
            book.execute(f"CALL lake.set_option('data_inlining_row_limit', 0, table_name => '{table.name}')")
        with book.transaction():
            book.insert(HEAD.name, _first_head(created_at))
            book.execute(f"INSERT INTO {CHECKPOINT.name} VALUES (0, TIMESTAMPTZ '1900-01-01 00:00:00+00')")
            book.execute(
                f"INSERT INTO {BOOK_SETTINGS.name} VALUES ('format_version', ?), ('created_at', ?), ('book_id', ?), "
                "('data', ?)",
                [str(FORMAT_VERSION), created_at, str(uuid4()), "elsewhere" if target.data_given else DATA_BESIDE],
            )
            book.sync()
    return book


def _first_head(created_at: str) -> pl.DataFrame:
    start = pl.Series([created_at]).str.to_datetime("%+", time_unit="us", time_zone="UTC")
    return HEAD.conform(
        pl.DataFrame(
            {
                "sequence": [0],
                "source_record_id": [0],
                "import_run_id": [0],
                "recorded_at": start,
                "chain_hash": ["0" * 64],
                "archive_run_id": [0],
            }
        )
    )


def _has_book(target: Target) -> bool:
    try:
        Catalog(target, read_only=True).close()
    except (StorageError, BookNotFound):
        return False
    return True


def open_catalog(target: Target, *, read_only: bool = False) -> Catalog:
    """Open the book at *target*; BookNotFound, BookBusy or BookVersionError where that fails."""
    if target.kind != "postgres" and not Path(target.catalog).exists():
        raise BookNotFound(
            f"There is no book at {Path(target.catalog).parent}. Make one with `tradelake init`, or name its folder "
            "with --book or TRADELAKE_BOOK."
        )
    catalog = Catalog(target, read_only=read_only, attach_data=target.data if target.data_given else None)
    try:
        settings = catalog.settings()
        version = int(settings["format_version"])
    except (StorageError, KeyError) as error:
        catalog.close()
        raise not_a_book(target) from error
    moved = settings.get("data") == DATA_BESIDE and not target.data_given and catalog.data_folder != target.data
    if moved:
        # The book was moved or copied as a whole: its files are beside its catalog, wherever that is now.
        catalog.close()
        catalog = Catalog(target, read_only=read_only, attach_data=target.data)
    if version != FORMAT_VERSION:
        catalog.close()
        newer = "Install a newer release of tradelake."
        older = "It was made before the first release: import its sources into a new book."
        raise BookVersionError(
            f"The book at {target.shown} has format {version}; this release knows format {FORMAT_VERSION}. "
            f"{newer if version > FORMAT_VERSION else older}"
        )
    return catalog


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"{folder}: the folder cannot be made: {error.strerror}. Name another one.") from error
