"""A catalog written anew in another database: that of PostgreSQL in a file of DuckDB, and any one in PostgreSQL.

Problem: the tables of a catalog are the same in every kind of database, the types of their columns are not. DuckLake
keeps the rows that are not yet in files with the types of the book in DuckDB; in PostgreSQL text is `bytea`, and days
and instants are text; in SQLite nearly all is text.

Decision: DuckLake makes an empty catalog, so that its own tables have the types that it gives them, and every value is
cast without loss. All is read in one transaction, which PostgreSQL runs as REPEATABLE READ: it is one commit of the
book, however long it takes and whoever writes meanwhile, and nobody waits. In PostgreSQL all is written in one
transaction too: the catalog is there as a whole, or as an empty one, which is no book.

Limit: the types of DuckLake 1.0. A table has the same columns in all versions, as the format of a book says.
"""

import re
from collections.abc import Mapping

import duckdb

from tradelake.store.catalog import Catalog
from tradelake.store.foreign import translated
from tradelake.store.literals import literal
from tradelake.store.session import EXTENSIONS, extension_path, session
from tradelake.store.target import Target

Types = Mapping[str, Mapping[str, str]]
SCHEMAS = {"sqlite": "main", "duckdb": "main", "postgres": "public"}
ROWS_IN_NO_FILE = re.compile(r"ducklake_inlined_(data|delete)_\d+(_\d+)?")
ON_SERVER = {"VARCHAR": "BLOB", "DATE": "VARCHAR", "TIMESTAMP WITH TIME ZONE": "VARCHAR"}
CONVERSIONS = {("BLOB", "VARCHAR"): "decode", ("VARCHAR", "BLOB"): "encode"}


def types_of(catalog: Catalog) -> Types:
    """Return the types that DuckDB has for the columns of the tables of a book, by table."""
    found: dict[str, dict[str, str]] = {}
    columns = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = 'lake'"
    for table, column, kind in catalog.frame(columns).iter_rows():
        found.setdefault(table, {})[column] = kind
    return found


def transcribe(source: Target, to: Target, types: Types) -> None:
    """Write the catalog at *source* anew in the file or the database *to*, where there is none, or an empty one.

    *types* are those of the book's tables, as `types_of` says them. StorageError where one cannot be read or written.
    """
    Catalog(to, read_only=False, attach_data=to.data, create=True).close()
    served, other = (source, to) if to.kind == "duckdb" else (to, source)
    connection = session(served)
    at = source
    try:
        for name in EXTENSIONS[other.kind]:
            connection.execute(f"LOAD {literal(str(extension_path(name)))}")
        _attach(connection, source, "source", "READ_ONLY")
        at = to
        _attach(connection, to, "copy", "READ_WRITE")
        made = _columns(connection, to, "copy")
        connection.execute("BEGIN")
        for table in made:
            verb = "DROP TABLE" if ROWS_IN_NO_FILE.fullmatch(table) else "DELETE FROM"
            connection.execute(f"{verb} {_place(to, 'copy')}.{table}")
        if to.kind != "postgres":
            # DuckDB takes a key that was deleted for used until the end of the transaction.
            connection.execute("COMMIT; BEGIN")
        at = source
        names = dict(
            connection.execute(
                f"SELECT i.table_name, t.table_name FROM {_place(source, 'source')}.ducklake_inlined_data_tables i "
                f"JOIN {_place(source, 'source')}.ducklake_table t USING (table_id)"
            ).fetchall()
        )
        for table, columns in _columns(connection, source, "source").items():
            if ROWS_IN_NO_FILE.fullmatch(table):
                wanted = _types_at(to, columns, types.get(names.get(table, ""), {}))
                told = ", ".join(f'"{column}" {kind}' for column, kind in wanted.items())
                connection.execute(f"CREATE TABLE {_place(to, 'copy')}.{table} ({told})")
            else:
                wanted = made[table]
            values = ", ".join(_converted(column, columns[column], wanted[column]) for column in columns)
            into = ", ".join(f'"{column}"' for column in columns)
            connection.execute(
                f"INSERT INTO {_place(to, 'copy')}.{table} ({into}) "
                f"SELECT {values} FROM {_place(source, 'source')}.{table}"
            )
        at = to
        connection.execute("COMMIT")
    except duckdb.Error as error:
        raise translated(error, at) from error
    finally:
        connection.close()


def _place(target: Target, name: str) -> str:
    return f"{name}.{SCHEMAS[target.kind]}"


def _attach(connection: duckdb.DuckDBPyConnection, target: Target, name: str, mode: str) -> None:
    connection.execute(f"ATTACH {literal(target.catalog)} AS {name} (TYPE {target.kind}, {mode})")


def _columns(connection: duckdb.DuckDBPyConnection, target: Target, name: str) -> Types:
    """Return the columns of the tables of a catalog with their types, by table and in order."""
    found: dict[str, dict[str, str]] = {}
    rows = connection.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = ? AND schema_name = ? "
        "AND starts_with(table_name, 'ducklake_') ORDER BY table_name, column_index",
        [name, SCHEMAS[target.kind]],
    ).fetchall()
    for table, column, kind in rows:
        found.setdefault(table, {})[column] = kind
    return found


def _types_at(target: Target, columns: Mapping[str, str], types: Mapping[str, str]) -> Mapping[str, str]:
    """Return the types that the columns of a table of rows have there; what is none of the book's is a number."""
    wanted = {column: types.get(column, kind) for column, kind in columns.items()}
    return {c: ON_SERVER.get(k, k) if target.kind == "postgres" else k for c, k in wanted.items()}


def _converted(column: str, has: str, wants: str) -> str:
    if has == wants:
        return f'"{column}"'
    name = CONVERSIONS.get((has, wants))
    return f'{name}("{column}")' if name else f'CAST("{column}" AS {wants})'
