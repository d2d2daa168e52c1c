"""Policy, holds and deletion on the command line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.cli.test_cli import fill, run, written
from tradelake.cli.app import app
from tradelake.errors import InputError
from tradelake.jobs.settings import policy_of

RULES = '[retention]\nhot = "1 month"\ncold = "2 months"\nsource_records = "99 years"\n'


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """A book with one fill of 2019, and a policy that it is past."""
    book = tmp_path / "book"
    run(book, "init")
    run(book, "accounts", "add", "GEN-1")
    run(
        book,
        "import",
        "executions",
        str(written(tmp_path / "x.jsonl", [fill("T1", executed_at="2019-01-08T15:30:00Z")])),
    )
    (book / "tradelake.toml").write_text(RULES)
    return book


def test_a_month_goes_to_the_archive_is_held_and_goes_for_good(told, tmp_path):
    due = json.loads(run(told, "retention", "--json"))
    assert [(row["month"], row["action"], row["rows"]) for row in due] == [("2019-01-01", "archive", 1)]
    assert "archived" in run(told, "retention", "apply", "--to", str(tmp_path / "cold"))
    assert run(told, "holds", "place", "--symbol", "NVDA", "--reason", "a case") == "H-1\n"
    assert [row["holds"] for row in json.loads(run(told, "retention", "apply", "--delete", "--json"))] == ["H-1"]
    assert [row["hold_id"] for row in json.loads(run(told, "holds", "--json"))] == ["H-1"]
    assert run(told, "holds", "release", "H-1", "--reason", "settled") == ""
    assert json.loads(run(told, "holds", "list", "--json")) == []
    assert len(json.loads(run(told, "holds", "--released", "--json"))) == 2
    done = json.loads(run(told, "retention", "apply", "--delete", "--json"))
    assert [(row["table_name"], row["action"]) for row in done] == [("trade_log", "deleted")]
    assert run(told, "retention", "apply", "--delete") == "nothing was due\n"
    assert "as they were told" in run(told, "verify", "--deep")
    assert len(json.loads(run(told, "positions", "--json"))) == 1


def test_what_is_missing_or_wrong_is_said(told):
    nothing = CliRunner().invoke(app, ["--book", str(told), "retention", "apply"])
    assert (nothing.exit_code, "--delete" in nothing.output) == (2, True)
    (told / "tradelake.toml").unlink()
    with pytest.raises(InputError, match="There is no policy of retention"):
        run(told, "retention")
    with pytest.raises(InputError, match="no account 'NOBODY'"):
        run(told, "holds", "place", "--account", "NOBODY", "--reason", "x")


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ('hot = "soon"', '[retention] hot: a time was expected, as "24 months" or "7 years", and there was \'soon\'.'),
        ("cold = 7", "[retention] cold: a time was expected"),
        ('hot = "0 months"', "[retention] hot: a time was expected"),
        ('hot = "3 years"\ncold = "24 months"', "trade_log would be deleted 24 months after its month"),
        ('cold = "7 years"\nlock = "yes"', "[retention] lock: governance or compliance was expected"),
        ('warm = "7 years"', "there is no setting 'warm'"),
    ],
)
def test_a_policy_that_is_none_is_named(tmp_path, rules, says):
    (tmp_path / "tradelake.toml").write_text(f"[retention]\n{rules}\n")
    with pytest.raises(InputError) as refused:
        policy_of(str(tmp_path))
    assert says in str(refused.value)


def test_a_table_has_a_time_of_its_own(tmp_path):
    (tmp_path / "tradelake.toml").write_text(RULES)
    assert policy_of(str(tmp_path)).cold == {"trade_log": 2, "source_records": 1188}
    assert policy_of(str(tmp_path), cold="4 years").cold == {"trade_log": 48, "source_records": 1188}
    (tmp_path / "tradelake.toml").write_text('[retention]\nhot = "1 month"\n')
    assert policy_of(str(tmp_path)).cold == {}
