"""The files in schemas/ are what the definitions generate."""

from pathlib import Path

import pytest

from tradelake.book import schema_texts
from tradelake.jobs.schemas import with_columns

ROOT = Path(__file__).parents[2]
SCHEMAS = ROOT / "schemas"


@pytest.mark.parametrize("name", ["ducklake.sql", "postgres.sql", "execution.schema.json"])
def test_schema_file_is_fresh(name):
    assert (SCHEMAS / name).read_text(encoding="utf-8") == schema_texts()[name], "run `make schemas`"


def test_no_schema_file_is_left_over():
    assert {path.name for path in SCHEMAS.iterdir()} == set(schema_texts())


def test_the_design_has_the_columns_as_they_are():
    text = (ROOT / "docs" / "ALL_USE_Trade_And_Position_Tracking_Design.md").read_text(encoding="utf-8")
    assert text.count("<!-- columns of ") == 3
    assert with_columns(text) == text, "run `make schemas`"
