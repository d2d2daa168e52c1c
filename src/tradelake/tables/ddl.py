"""The tables as DDL: what DuckLake is told, and the same for PostgreSQL with everything that it can enforce.

DuckLake knows types, NOT NULL and partitions; it refuses keys, references and checks, so those are promises
of the rooms that write. PostgreSQL gets them all: keys, references, checks, indexes and comments. There the
log is one plain table, since a partitioned one cannot be unique over `sequence` alone.
"""

from typing import TYPE_CHECKING

from tradelake.errors import InvariantError
from tradelake.tables.columns import DUCKDB_TYPES, POSTGRES_TYPES, Column, Table
from tradelake.tables.groups import BY_NAME, TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def ducklake_ddl() -> list[str]:
    """Return the statements, without semicolons, that create every table in the current DuckLake schema."""
    statements = []
    for table in TABLES:
        lines = [f"{c.name} {DUCKDB_TYPES[c.type]}{'' if c.null else ' NOT NULL'}" for c in table.columns]
        statements.append(_create(table.name, lines))
        if table.partition_date:
            day = table.partition_date
            statements.append(f"ALTER TABLE {table.name} SET PARTITIONED BY (year({day}), month({day}))")
    return statements


def postgres_ddl(*, schema: str = "") -> list[str]:
    """Return the statements, without semicolons, that create every table in PostgreSQL.

    Each table comes after those that it refers to. With *schema* every name is qualified by it, and it is
    created where it does not exist; otherwise the tables go where the search path points.
    """
    prefix = f"{_quoted(schema)}." if schema else ""
    statements = [f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema)}"] if schema else []
    for table in dependency_order(TABLES):
        statements += _postgres_table(table, prefix)
    return statements


def script(statements: "Iterable[str]", *, title: str) -> str:
    """Return *statements* as the text of an SQL file that opens with *title* as a comment."""
    head = f"-- {title}\n-- Generated from src/tradelake/tables by `make schemas`: change them, not this.\n"
    return head + "".join(f"\n{statement};\n" for statement in statements)


def ducklake_script() -> str:
    """Return the text of `schemas/ducklake.sql`."""
    return script(ducklake_ddl(), title="tradelake: the tables of a book, for DuckLake")


def postgres_script() -> str:
    """Return the text of `schemas/postgres.sql`."""
    return script(postgres_ddl(), title="tradelake: the tables of a book, for PostgreSQL")


def dependency_order(tables: "Sequence[Table]") -> list[Table]:
    """Return *tables* so that each follows those that it refers to, otherwise in the order given.

    A table may refer to itself. InvariantError where tables refer to each other in a circle.
    """
    waiting = list(tables)
    known = {table.name for table in tables}
    ordered: list[Table] = []
    while waiting:
        placed = {table.name for table in ordered}
        ready = [t for t in waiting if (_referred(t) & known) - {t.name} <= placed]
        if not ready:
            raise InvariantError(f"tables refer to each other in a circle: {', '.join(t.name for t in waiting)}")
        ordered.append(ready[0])
        waiting.remove(ready[0])
    return ordered


def _referred(table: Table) -> set[str]:
    return {column.references.partition(".")[0] for column in table.columns if column.references}


def _postgres_table(table: Table, prefix: str) -> list[str]:
    name = prefix + table.name
    columns = [f"{c.name} {POSTGRES_TYPES[c.type]}{'' if c.null else ' NOT NULL'}" for c in table.columns]
    indexes = [
        f"CREATE INDEX {table.name}_{'_'.join(names)}_idx ON {name} ({', '.join(names)})" for names in table.indexes
    ]
    comments = [f"COMMENT ON TABLE {name} IS {_literal(table.comment)}"]
    comments += [f"COMMENT ON COLUMN {name}.{c.name} IS {_literal(c.comment)}" for c in table.columns]
    return [_create(name, columns + _constraints(table, prefix)), *indexes, *comments]


def _constraints(table: Table, prefix: str) -> list[str]:
    unique = [(column.name,) for column in table.columns if column.unique] + list(table.unique)
    ruled = [(column, rules) for column in table.columns if (rules := _column_rules(column))]
    return [
        f"CONSTRAINT {table.name}_pkey PRIMARY KEY ({', '.join(table.key)})",
        *(f"CONSTRAINT {table.name}_{'_'.join(names)}_key UNIQUE ({', '.join(names)})" for names in unique),
        *(_foreign_key(table, column, prefix) for column in table.columns if column.references),
        *(f"CONSTRAINT {table.name}_{column.name}_check CHECK ({' AND '.join(rules)})" for column, rules in ruled),
        *(
            f"CONSTRAINT {table.name}_check_{number} CHECK ({check})"
            for number, check in enumerate(table.checks, start=1)
        ),
    ]


def _foreign_key(table: Table, column: Column, prefix: str) -> str:
    target, _, key = column.references.partition(".")
    if target not in BY_NAME or BY_NAME[target].key != (key,):
        raise InvariantError(f"{table.name}.{column.name} refers to {column.references}, which is no key")
    return f"CONSTRAINT {table.name}_{column.name}_fkey FOREIGN KEY ({column.name}) REFERENCES {prefix}{target} ({key})"


def _column_rules(column: Column) -> list[str]:
    rules = [column.check] if column.check else []
    if column.values:
        rules.append(f"{column.name} IN ({', '.join(_literal(value) for value in column.values)})")
    return rules


def _create(name: str, lines: "Sequence[str]") -> str:
    return f"CREATE TABLE {name} (\n    " + ",\n    ".join(lines) + "\n)"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
