"""The commands: what they say, and how they end."""

import json
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

import tradelake as tl
from tests.twin.twins import one
from tradelake.cli import main


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run a command; return its exit code and what it says on both streams."""
    capsys.readouterr()
    code = 0
    with mock.patch("sys.argv", ["tradelake", *words]):
        try:
            main()
        except SystemExit as exit_:
            code = int(exit_.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_an_export_tells_what_it_did_as_json(local_book: tl.Book, prepared_url: Callable[[], str], tmp_path, capsys):
    url, version = prepared_url(), local_book.version
    book = str(tmp_path / "local")
    code, out, _ = run(capsys, "--book", book, "export", "postgres", url, "--json")
    assert code == 0
    told = json.loads(out)
    assert (told["since"], told["version"], told["rows"]["accounts"]) == (None, version, 1)
    code, out, _ = run(capsys, "--book", book, "export", "postgres", url, "--since", str(version))
    assert (code, out) == (0, f"tradelake has all of it already, up to event 0, version {version}\n")
    code, _, err = run(capsys, "--book", book, "export", "postgres", url, "--since", str(version + 1))
    assert code == 2
    assert f"stands at version {version}" in " ".join(err.split())


def test_a_schema_of_another_name_goes_there_and_back(local_book: tl.Book, empty_postgres_url, tmp_path, capsys):
    book, back = str(tmp_path / "local"), str(tmp_path / "back")
    assert run(capsys, "--book", book, "export", "postgres", empty_postgres_url, "--schema", "Odd name")[0] == 0
    assert one(empty_postgres_url, 'SELECT count(*) FROM "Odd name".accounts') == 1
    tl.create(back).close()
    code, out, _ = run(capsys, "--book", back, "import", "postgres", empty_postgres_url, "--schema", "Odd name")
    assert (code, out) == (0, "the log ends at 0, and every commit is what it was\n")
    with tl.open(back) as made:
        assert made.accounts().equals(local_book.accounts())


def test_no_message_of_a_command_has_the_password(local_book: tl.Book, tmp_path: Path, capsys):
    url = f"postgresql://me:topsecret@/nothing?host={tmp_path}"
    for words in (("export", "postgres", url), ("import", "postgres", url), ("import", "postgres", url, url)):
        code, out, err = run(capsys, "--book", str(tmp_path / "local"), *words)
        assert code in (1, 2)
        assert err
        assert "topsecret" not in out + err


def test_files_to_import_have_to_be_there(local_book: tl.Book, tmp_path: Path, capsys):
    book = str(tmp_path / "local")
    for name, what in (("missing.xml", "There is no file"), ("local", "is a folder")):
        code, _, err = run(capsys, "--book", book, "import", "ibkr-flex", str(tmp_path / name))
        assert code == 2
        assert what in " ".join(err.split())
