"""The tables as DDL: what DuckLake is told.

DuckLake knows types, NOT NULL and partitions; it refuses keys, references and checks, so those are promises
of the rooms that write. PostgreSQL, which enforces them all, has its own: `postgres.py`.
"""

from typing import TYPE_CHECKING

from tradelake.tables.columns import DUCKDB_TYPES
from tradelake.tables.groups import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable


def ducklake_ddl() -> list[str]:
    """Return the statements, without semicolons, that create every table in the current DuckLake schema."""
    statements = []
    for table in TABLES:
        lines = [f"{c.name} {DUCKDB_TYPES[c.type]}{'' if c.null else ' NOT NULL'}" for c in table.columns]
        statements.append(create_table(table.name, lines))
        if table.partition_date:
            day = table.partition_date
            statements.append(f"ALTER TABLE {table.name} SET PARTITIONED BY (year({day}), month({day}))")
    return statements


def script(statements: "Iterable[str]", *, title: str) -> str:
    """Return *statements* as the text of an SQL file that opens with *title* as a comment."""
    head = f"-- {title}\n-- Generated from src/tradelake/tables by `make schemas`: change them, not this.\n"
    return head + "".join(f"\n{statement};\n" for statement in statements)


def ducklake_script() -> str:
    """Return the text of `schemas/ducklake.sql`."""
    return script(ducklake_ddl(), title="tradelake: the tables of a book, for DuckLake")


def create_table(name: str, lines: "Iterable[str]") -> str:
    """Return the statement that creates a table of some lines, without a semicolon."""
    return f"CREATE TABLE {name} (\n    " + ",\n    ".join(lines) + "\n)"
