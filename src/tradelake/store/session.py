"""A session of DuckDB: in UTC, with the extensions of its wheels, and never a download.

Problem. DuckDB checks the signature of an extension whenever a database loads it: a hash over 36 MB each, a third of a
second for every book that is opened. Decision. A user has an extension checked once, and again when its file is
another; what was checked is noted (`checked.py`). No statement of a user can load one: signatures are asked for again
as soon as a session has its extensions.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import duckdb

from tradelake.errors import StorageError
from tradelake.store.checked import Identity, identity, remember, remembered
from tradelake.store.literals import literal
from tradelake.store.s3 import reach_s3
from tradelake.store.target import S3_PREFIX, Target, is_remote

# A write of so many rows or fewer stays inside the catalog until maintenance makes a file of it.
INLINE_ROWS = 1000
# So few rows are written as literals, which is quicker than by a frame.
FEW_ROWS = 8
METADATA = "__ducklake_metadata_lake"
OPTIMIZERS = "SET disabled_optimizers = 'statistics_propagation'"
QUIET: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
# The scanner of PostgreSQL does not work where DuckDB may keep no secrets in files: so they have no place.
NO_FILES = "SET secret_directory = '/dev/null/secrets'"
EXTENSIONS = {"sqlite": ("sqlite_scanner",), "duckdb": (), "postgres": ("postgres_scanner",)}

_CHECKED: dict[Path, Identity] = {}


def extension_path(name: str) -> Path:
    """Return the path of a DuckDB extension inside its wheel; StorageError where the wheel is missing."""
    module = f"duckdb_extension_{name}"
    if find_spec(module) is None:
        raise StorageError(
            f"DuckDB's extension {name} is not installed. Install it with: pip install {module.replace('_', '-')}"
            f"=={duckdb.__version__}"
        )
    path = Path(str(files(module))) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not path.exists():
        raise StorageError(f"The wheel of DuckDB's extension {name} is not for DuckDB {duckdb.__version__}.")
    return path


def session(target: Target) -> duckdb.DuckDBPyConnection:
    """Return a connection that can attach a book at *target*."""
    extensions = {path: identity(path) for path in map(extension_path, ("ducklake", *EXTENSIONS[target.kind]))}
    if not extensions.items() <= _CHECKED.items():
        _CHECKED.update(remembered())
    checked = extensions.items() <= _CHECKED.items()
    connection = duckdb.connect(config={**QUIET, "allow_unsigned_extensions": checked})
    connection.execute(OPTIMIZERS)
    connection.execute("SET threads = 1")
    _quieten(connection)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET preserve_insertion_order = true")
    connection.execute(NO_FILES)
    for path in extensions:
        try:
            connection.execute(f"LOAD {literal(str(path))}")
        except duckdb.Error as error:
            connection.close()
            raise StorageError(f"DuckDB's extension {path.name} is not as it was published: {error}") from error
    connection.execute("SET allow_unsigned_extensions = false")
    if not checked:
        _CHECKED.update(extensions)
        remember(extensions)
    return connection


def _quieten(connection: duckdb.DuckDBPyConnection) -> None:
    """Turn the progress bar off: standard output is for data.

    In a notebook without ipywidgets it is off, and DuckDB refuses to be told so.
    """
    if connection.execute("SELECT current_setting('enable_progress_bar')").fetchone() != (False,):
        connection.execute("SET enable_progress_bar = false")


def load(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Load an extension from its wheel; StorageError where that is missing."""
    connection.execute(f"LOAD {literal(str(extension_path(name)))}")


def reach(connection: duckdb.DuckDBPyConnection, folder: str) -> None:
    """Let a session read and write the data files in a folder; nothing for one of this machine."""
    if is_remote(folder):
        load(connection, "httpfs")
        reach_s3(connection, folder)


def session_for_rows() -> duckdb.DuckDBPyConnection:
    """Return a connection that knows no book: what is done with rows that were read asks no catalog again."""
    connection = duckdb.connect(config=QUIET)
    connection.execute("SET TimeZone = 'UTC'")
    _quieten(connection)
    connection.execute(NO_FILES)
    return connection


@contextmanager
def file_session(folder: str, *, threads: int = 1) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a session that knows no book, and can read and write the files in a folder."""
    with session_for_rows() as connection:
        connection.execute(f"SET threads = {threads}")
        reach(connection, folder)
        yield connection


def attach(
    connection: duckdb.DuckDBPyConnection, target: Target, *, read_only: bool, data: str | None, create: bool
) -> None:
    """Attach a book as `lake`, and use it; *data* says where its files are now, where they were moved."""
    options = [f"DATA_INLINING_ROW_LIMIT {INLINE_ROWS}"]
    if data:
        options += [f"DATA_PATH {literal(data)}", "OVERRIDE_DATA_PATH true"]
    if not create:
        options.append("CREATE_IF_NOT_EXISTS false")
    if read_only:
        options.append("READ_ONLY")
    reach(connection, data or "")
    statement = f"ATTACH {literal(target.attach)} AS lake ({', '.join(options)})"
    try:
        connection.execute(statement)
    except duckdb.Error as error:
        # Only the catalog knows that its files are on S3, and it is not read without the extension.
        stored = re.search(f"({S3_PREFIX}\\S+) requires the extension httpfs", str(error))
        if stored is None:
            raise
        reach(connection, stored[1])
        connection.execute(statement)
    connection.execute("USE lake")


def text_of(connection: duckdb.DuckDBPyConnection, query: str) -> str:
    """Return the one text that a query has; empty without a row."""
    row = connection.execute(query).fetchone()
    return str(row[0]) if row else ""
