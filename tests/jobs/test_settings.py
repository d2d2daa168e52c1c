"""Settings: a file, variables before it, options before these; each says where it comes from."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.test_cli import run
from tradelake.errors import InputError
from tradelake.jobs.settings import policy_of, reports_folder, rules_of, upkeep_of

FILE = """
[nightly]
apply = ["expire"]
reports = "told"
[maintenance]
keep_versions_days = 30
keep_files_days = 2
[retention]
hot = "2 years"
cold = "7 years"
"""
SERVER = "postgresql://host/book"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with settings; whether a book is there is not asked."""
    (tmp_path / "tradelake.toml").write_text(FILE)
    return tmp_path


def test_an_option_goes_before_a_variable_that_before_the_file_and_that_before_the_default(folder, monkeypatch):
    for name, value in {
        "NIGHTLY_APPLY": "assign, fee",
        "NIGHTLY_REPORTS": "/srv/reports",
        "MAINTENANCE_KEEP_VERSIONS_DAYS": "14",
        "MAINTENANCE_KEEP_FILES_DAYS": "0.5",
        "MAINTENANCE_KEEP_ORPHANS_HOURS": "",
        "RETENTION_HOT": "3 years",
        "RETENTION_SOURCE_RECORDS": "10 years",
        "RETENTION_LOCK": "compliance",
    }.items():
        monkeypatch.setenv(f"TRADELAKE_{name}", value)
    assert rules_of(str(folder)) == ["assign", "fee"]
    assert reports_folder(str(folder)) == Path("/srv/reports")
    kept = upkeep_of(str(folder), versions=7)
    assert (kept.versions, kept.files, kept.orphans) == (timedelta(days=7), timedelta(hours=12), timedelta(hours=1))
    policy = policy_of(str(folder), cold="9 years")
    assert (policy.hot, policy.lock) == (36, "compliance")
    assert policy.cold == {"trade_log": 108, "source_records": 120}


def test_a_book_on_a_server_has_a_file_that_a_variable_names(folder, monkeypatch, tmp_path):
    assert rules_of(SERVER) == []
    monkeypatch.setenv("TRADELAKE_CONFIG", str(folder / "tradelake.toml"))
    assert rules_of(SERVER) == ["expire"]
    assert reports_folder(SERVER) == folder / "told"
    assert reports_folder(str(tmp_path / "book")) == tmp_path / "book" / "told"
    monkeypatch.setenv("TRADELAKE_CONFIG", str(folder / "none.toml"))
    with pytest.raises(InputError, match=r"TRADELAKE_CONFIG names .*/none\.toml, and there is no such file"):
        rules_of(SERVER)


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("TRADELAKE_NIGHTLY_APPLY", "expire,sell", ": 'sell' is neither a class of breaks nor a kind of proposal."),
        ("TRADELAKE_MAINTENANCE_KEEP_FILES_DAYS", "a week", ": a number was expected, as 7, and there was 'a week'."),
        ("TRADELAKE_MAINTENANCE_KEEP_FILES_DAYS", "nan", ": a number was expected"),
        ("TRADELAKE_MAINTENANCE_KEEP_FILES_DAYS", "-1", ": a number was expected"),
        ("TRADELAKE_RETENTION_TRADE_LOG", "7", ': a time was expected, as "24 months" or "7 years", and there was'),
        ("TRADELAKE_RETENTION_LOCK", "yes", ": governance or compliance was expected, and there was 'yes'."),
        ("TRADELAKE_RETENTION_COLD", "1 year", ": trade_log would be deleted 12 months after its month"),
    ],
)
def test_a_wrong_value_is_named_by_its_variable(folder, monkeypatch, variable, value, says):
    monkeypatch.setenv(variable, value)
    run(folder, "settings", "--json", code=1)
    with pytest.raises(InputError) as error:
        rules_of(str(folder)), upkeep_of(str(folder)), policy_of(str(folder))
    assert str(error.value).startswith(variable + says)


def test_every_setting_is_listed_with_its_source_and_no_secret(folder, monkeypatch):
    monkeypatch.setenv("TRADELAKE_RETENTION_HOT", "3 years")
    monkeypatch.setenv("TRADELAKE_BOOK", "postgresql://desk:pa55word@host/book")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    told = run(folder, "settings", "--json")
    assert "pa55word" not in told
    assert "s3cret" not in told
    found = {row["setting"]: (row["value"], row["source"]) for row in json.loads(told)}
    assert found["nightly.apply"] == ("expire", f"{folder}/tradelake.toml")
    assert found["retention.hot"] == ("3 years", "TRADELAKE_RETENTION_HOT")
    assert found["maintenance.keep_orphans_hours"] == ("1", "default")
    assert found["retention.lock"] == (None, "default")
    assert found["AWS_SECRET_ACCESS_KEY"] == ("set", "environment")
    assert found["AWS_REGION"] == ("eu-central-1", "environment")
    assert "setting,value,source,variable\n" in run(folder, "settings", "--csv")
