"""Texts that the shells show: listings, and the schema files."""

import json

from tradelake.intake.model import Execution
from tradelake.outputs import render
from tradelake.tables import ducklake_script, postgres_script

__all__ = ["render", "schema_texts"]


def schema_texts() -> dict[str, str]:
    """Return the files of `schemas/` by name: DuckLake DDL, PostgreSQL DDL, JSON Schema of an execution."""
    execution = json.dumps(Execution.model_json_schema(), indent=2, sort_keys=True) + "\n"
    return {"ducklake.sql": ducklake_script(), "execution.schema.json": execution, "postgres.sql": postgres_script()}
