"""The shell completes commands, options, sources, and what is in the book: accounts, symbols, strategies, breaks."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tradelake as tl
from tests.cli.test_cli import fill
from tests.house.documents import programs
from tradelake.book.exportable import EXPORTABLE
from tradelake.cli.completing import TABLES

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a book of two accounts and one symbol, and the program in `bin`."""
    folder = tmp_path_factory.mktemp("completion")
    with tl.create(folder / "book") as book:
        book.add_accounts([{"account_id": "GEN-1"}, {"account_id": "REV-1"}])
        book.record([fill("T1", strategy_id="S-1")])
    programs(folder / "bin")
    return folder


def called(place: Path, **variables: str) -> str:
    """Call the program as a shell does that completes a line, and return what it prints."""
    environment = {k: v for k, v in os.environ.items() if k != "TRADELAKE_BOOK"}
    done = subprocess.run(
        [place / "bin" / "tradelake"],
        cwd=place,
        env={**environment, "PYTHONPATH": os.pathsep.join(sys.path), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    return done.stdout


def words(place: Path, line: str) -> list[str]:
    """Return what completes the last word of a line in bash."""
    number = len(line.split(" ")) - 1
    asked = {"COMP_WORDS": line, "COMP_CWORD": str(number), "_TRADELAKE_COMPLETE": "complete_bash"}
    return called(place, **asked).split()


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("tradelake pos", ["positions"]),
        ("tradelake breaks ", ["list", "show", "explain", "accept", "apply"]),
        ("tradelake positions --as", ["--as-of", "--as-known"]),
        ("tradelake import ", ["executions", "ibkr-flex", "postgres"]),
        ("tradelake import ib", ["ibkr-flex"]),
        ("tradelake lots --view e", ["economic"]),
        ("tradelake pnl --by account,m", ["account,month"]),
        ("tradelake accounts add X --method H", ["HIFO"]),
        ("tradelake completion ", list(SHELLS)),
        ("tradelake positions --account ", ["GEN-1", "REV-1"]),
        ("tradelake positions --account R", ["REV-1"]),
        ("tradelake --book book positions --symbol ", ["NVDA"]),
        ("tradelake positions --strategy ", ["S-1"]),
        ("tradelake chains --status C", ["CLOSED"]),
        ("tradelake breaks --status RES", ["RESOLVED"]),
        ("tradelake breaks show ", []),
        ("tradelake export csv f.csv --tables positions,op", ["positions,open-tax-lots"]),
        ("tradelake --book nowhere positions --account ", []),
    ],
)
def test_the_last_word_is_completed(line, completed, place):
    assert words(place, line) == completed


def test_every_table_that_can_be_exported_is_completed():
    assert list(TABLES) == list(EXPORTABLE)


def test_zsh_and_fish_are_told_what_the_words_mean(place):
    asked = {"_TYPER_COMPLETE_ARGS": "tradelake import ib"}
    told = called(place, **asked, _TRADELAKE_COMPLETE="complete_zsh")
    assert '"ibkr-flex":"a Flex statement of Interactive Brokers, XML"' in told
    told = called(place, **asked, _TRADELAKE_COMPLETE="complete_fish", _TYPER_COMPLETE_FISH_ACTION="get-args")
    assert told == "ibkr-flex\ta Flex statement of Interactive Brokers, XML\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_calls_the_program(shell, place):
    done = subprocess.run(
        [place / "bin" / "tradelake", "completion", shell],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"_TRADELAKE_COMPLETE=complete_{shell}" in done.stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_bash_itself_completes_with_the_script(place):
    script = (
        'eval "$(tradelake completion bash)"; COMP_WORDS=(tradelake acc); COMP_CWORD=1; '
        'words=($(complete -p tradelake)); "${words[4]}" tradelake; echo "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        cwd=place,
        env={
            **os.environ,
            "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(sys.path),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(done.stdout.split()) == ["account-snapshots", "accounts"]
