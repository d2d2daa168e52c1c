"""Every refusal says what was asked, where, what there was and what to do, in these very words."""

import contextlib
import csv
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from tests.problems.codes import PASSED_ON, UNREACHABLE, codes, passed_on
from tests.problems.gallery import ERRORS, IMPORTED, LISTED, MARKS, ROOT, Books, folders, page, readme, said
from tradelake.cli import main

OF_THE_SPECIFICATION = """
    unknown_kind bad_timestamp naive_timestamp unknown_account unknown_instrument invalid_instrument not_tradable
    missing_field bad_number zero_quantity nonpositive_quantity quantity_scale fractional_contracts negative_price
    trade_after_expiry expire_before_expiry european_early_exercise wrong_settlement unknown_target already_cancelled
    target_cancelled conflicting_duplicate same_account close_exceeds_open effect_conflict exercise_exceeds_long
    assignment_exceeds_short nothing_to_expire contracts_exceed_open transfer_exceeds_position
    transfer_against_position specific_lot_unavailable specific_lots_mismatch account_not_open account_closed
"""
# What else the smallest input of a code cannot avoid.
BESIDE = {"rejected_option_event": {"bad_number"}}
FOLDERS = folders()
REFRESH = "run `python -m tests.problems`"


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    """New books with the accounts of the gallery."""
    made = Books(tmp_path_factory.mktemp("gallery"))
    yield made
    made.close()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_smallest_input_is_refused_in_these_words(folder, books):
    found = said(folder, books)
    assert found.codes == {folder.name} | BESIDE.get(folder.name, set())
    assert found.text == (folder / "message.txt").read_text(encoding="utf-8"), REFRESH


def test_every_code_of_the_source_has_a_folder():
    assert {folder.name for folder in FOLDERS} == codes() - set(UNREACHABLE)


def test_every_code_that_nothing_shows_is_one_of_the_source():
    assert set(UNREACHABLE) <= codes()


def test_no_code_comes_out_of_a_place_that_is_not_read():
    assert passed_on() <= PASSED_ON, "give the code as a literal, or say in codes.py where it comes from"


def test_every_code_of_the_specification_is_there():
    assert set(OF_THE_SPECIFICATION.split()) <= {folder.name for folder in FOLDERS}


def test_every_folder_has_what_it_needs_and_nothing_else():
    files = {"meaning.txt", "message.txt", "accounts.json", "instruments.json", *IMPORTED, MARKS}
    for folder in FOLDERS:
        there = {path.name for path in folder.iterdir()}
        assert {"meaning.txt", "message.txt"} <= there <= files
        assert there & {*IMPORTED, MARKS}
        assert len((folder / "meaning.txt").read_text(encoding="utf-8").splitlines()) == 1
    assert {path for path in ROOT.iterdir() if path.is_dir() and path.name != "__pycache__"} == set(FOLDERS)


def test_the_readme_and_the_page_of_errors_are_fresh():
    assert (ROOT / "README.md").read_text(encoding="utf-8") == readme(), REFRESH
    assert ERRORS.read_text(encoding="utf-8") == page(), REFRESH


@pytest.mark.parametrize(("code", "status"), [("bad_number", 1), ("contradicting_side", 1), ("close_exceeds_open", 0)])
def test_the_command_line_prints_the_same(code, status, books):
    place = books.copy()
    (file,) = (path for path in (ROOT / code).iterdir() if path.name in IMPORTED)
    done, _, errors = _tradelake(place, "import", IMPORTED[file.name], str(file))
    assert done == status
    _, listed, _ = _tradelake(place, "refusals", "--csv")
    rows = csv.DictReader(io.StringIO(listed))
    text = "".join(line for line in errors.splitlines(keepends=True) if "`tradelake refusals`" not in line)
    text += "".join("  ".join(row[name] for name in LISTED) + "\n" for row in rows)
    assert text == (ROOT / code / "message.txt").read_text(encoding="utf-8")


def _tradelake(place: Path, *words: str) -> tuple[int, str, str]:
    """Run a command on a book and return its exit code, and what it prints on stdout and stderr."""
    out, errors = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["tradelake", "--book", str(place), *words]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        try:
            main()
        except SystemExit as stopped:
            return int(stopped.code or 0), out.getvalue(), errors.getvalue()
    return 0, out.getvalue(), errors.getvalue()
