"""A session of DuckDB: in UTC, with the extensions of its wheels, and never a download."""

from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import duckdb

from tradelake.errors import StorageError
from tradelake.store.literals import literal
from tradelake.store.target import Target

METADATA = "__ducklake_metadata_lake"
OPTIMIZERS = "SET disabled_optimizers = 'statistics_propagation'"
EXTENSIONS = {"sqlite": ("sqlite_scanner",), "duckdb": (), "postgres": ("postgres_scanner",)}


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
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    connection.execute(OPTIMIZERS)
    connection.execute("SET threads = 1")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET preserve_insertion_order = true")
    for name in ("ducklake", *EXTENSIONS[target.kind]):
        connection.execute(f"LOAD {literal(str(extension_path(name)))}")
    return connection
