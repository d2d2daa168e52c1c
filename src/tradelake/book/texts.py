"""Texts that the shells show: listings, and the schema files."""

import json

from tradelake.outputs import render
from tradelake.tables import BY_NAME, DUCKDB_TYPES, POSTGRES_TYPES, ducklake_script, postgres_script

__all__ = ["column_text", "render", "schema_texts"]


def schema_texts() -> dict[str, str]:
    """Return the files of `schemas/` by name: DuckLake DDL, PostgreSQL DDL, JSON Schema of an execution."""
    from tradelake.intake.model import Execution

    execution = json.dumps(Execution.model_json_schema(), indent=2, sort_keys=True) + "\n"
    return {"ducklake.sql": ducklake_script(), "execution.schema.json": execution, "postgres.sql": postgres_script()}


def column_text(table: str) -> str:
    """Return the columns of a table as one of Markdown: name, type in DuckDB and PostgreSQL, whether null, meaning."""
    lines = ["| column | in the book | in PostgreSQL | null | meaning |", "|---|---|---|---|---|"]
    for column in BY_NAME[table].columns:
        types = f"`{DUCKDB_TYPES[column.type]}` | `{POSTGRES_TYPES[column.type]}`"
        meaning = f"{column.comment}: {', '.join(column.values)}" if column.values else column.comment
        lines.append(f"| `{column.name}` | {types} | {'null' if column.null else ''} | {meaning} |")
    return "\n".join(lines) + "\n"
