"""The files in schemas/ are what the definitions generate."""

from pathlib import Path

import pytest

from tradelake.book import schema_texts

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.mark.parametrize("name", ["ducklake.sql", "postgres.sql", "execution.schema.json"])
def test_schema_file_is_fresh(name):
    assert (SCHEMAS / name).read_text(encoding="utf-8") == schema_texts()[name], "run `make schemas`"


def test_no_schema_file_is_left_over():
    assert {path.name for path in SCHEMAS.iterdir()} == set(schema_texts())
