"""Every command and option has help, and stands in the generated reference."""

import re
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from tradelake.cli.app import app
from tradelake.cli.docs import reference, walk
from tradelake.cli.examples import EXAMPLES
from tradelake.cli.overview import ORDER

REFERENCE = Path(__file__).parents[2] / "docs" / "cli.md"
COMMANDS = dict(walk(get_command(app)))


def test_the_reference_is_fresh():
    assert REFERENCE.read_text(encoding="utf-8") == reference(), "run `python -m tradelake.cli.docs > docs/cli.md`"


@pytest.mark.parametrize("name", COMMANDS)
def test_command_has_help_and_stands_in_the_reference(name):
    assert COMMANDS[name].help
    assert f"\n## {name}\n" in REFERENCE.read_text(encoding="utf-8")


def test_the_overview_shows_each_command_once_and_whole_on_a_screen_of_80_columns():
    shown = CliRunner().invoke(app, ["--help"], terminal_width=80).stdout
    rows = [line.split(maxsplit=1) for line in shown.splitlines() if re.match(r"  [a-z-]+ {2}", line)]
    assert [name for name, _ in rows] == [name for name in COMMANDS if " " not in name]
    assert [words for _, words in rows if words.endswith("...")] == []
    assert sorted(ORDER) == sorted(name for name, _ in rows)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example_that_names_it(name):
    assert f"tradelake {name}" in " ".join(EXAMPLES[name])


@pytest.mark.parametrize("name", COMMANDS)
def test_the_first_sentence_of_a_command_fits_the_overview(name):
    first = COMMANDS[name].help.split("\n\n")[0]
    assert len(first) <= 65
    assert first.endswith(".")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help_and_a_long_name_in_the_reference(name):
    section = REFERENCE.read_text(encoding="utf-8").partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    for parameter in COMMANDS[name].params:
        if parameter.name == "help":
            continue
        assert parameter.help, f"{name} {parameter.name}"
        if parameter.param_type_name == "option":
            long = [option for option in parameter.opts if option.startswith("--")]
            assert long, f"{name} {parameter.name}"
            assert f"`{long[0]}" in section
        else:
            assert f"- `{parameter.metavar}`" in section


def test_the_book_option_is_in_the_reference():
    assert "`--book PATH_OR_URL`" in REFERENCE.read_text(encoding="utf-8")
    assert "TRADELAKE_BOOK" in REFERENCE.read_text(encoding="utf-8")
