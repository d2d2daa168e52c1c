"""The files in schemas/ are what the definitions generate."""

import os
from pathlib import Path

import pytest

from tradelake.book import schema_texts
from tradelake.jobs.reference import page
from tradelake.jobs.schemas import reference, with_columns

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


def test_the_reference_of_tables_is_fresh():
    assert (ROOT / "docs" / "tables.md").read_text(encoding="utf-8") == reference(), "run `make schemas`"


def test_the_reference_of_settings_is_fresh(monkeypatch):
    # What somebody has set here is not the default.
    for name in [name for name in os.environ if name.startswith("TRADELAKE_")]:
        monkeypatch.delenv(name)
    written = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert written == page(), "run `python -m tradelake.jobs.reference > docs/configuration.md`"
