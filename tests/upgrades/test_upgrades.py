"""A book of the format before opens, is brought to the present one, and answers as it did."""

import json
import signal
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

import tradelake as tl
from tests.books import Place, fill
from tests.cli.test_cli import run
from tests.postgres import PostgresServer
from tests.upgrades.made import asked
from tradelake.book import rehearse, restore_book
from tradelake.errors import BookVersionError
from tradelake.store import read_head, read_manifest
from tradelake.store.catalog import FORMAT_VERSION

PACKED = Path(__file__).with_name("format-5.tar.xz")
# Kills the process before or after a statement of the migration.
KILLED = """
import os, signal, sys
import tradelake as tl
from tradelake.store.catalog import Catalog
path, words, when = sys.argv[1:]
execute = Catalog.execute
def killing(self, sql, parameters=None):
    if when == "after":
        execute(self, sql, parameters)
    if sql.startswith(words):
        os.kill(os.getpid(), signal.SIGKILL)
    if when == "before":
        execute(self, sql, parameters)
Catalog.execute = killing
tl.migrate(path)
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a book of format 5, its backup and its answers."""
    folder = tmp_path_factory.mktemp("old")
    with tarfile.open(PACKED) as packed:
        packed.extractall(folder, filter="data")
    return folder


@pytest.fixture
def old(unpacked: Path, tmp_path: Path) -> Place:
    """A book of format 5 with a SQLite catalog, as it was left."""
    with tarfile.open(PACKED) as packed:
        packed.extractall(tmp_path, [one for one in packed if one.name.startswith("book")], filter="data")
    return Place("sqlite", str(tmp_path / "book"))


@pytest.fixture
def told(unpacked: Path) -> dict[str, str]:
    """What the release that made the book answered."""
    answers: dict[str, str] = json.loads((unpacked / "answers.json").read_text())
    return answers


def assert_answers(place: Place, told: dict[str, str]) -> None:
    """Assert that a book answers as it did, and that all of it is as it was told."""
    with place.open(read_only=True) as book:
        assert asked(book) == told
        assert book.verify(deep=True).problems == ()
        assert read_head(book._catalog).chain_hash == json.loads(told["runs"])[-1]["chain_hash"]


def assert_migrates(place: Place, told: dict[str, str]) -> None:
    """Assert that a book of format 5 is brought to the present one, and goes on."""
    done = tl.migrate(place.target)
    assert done["format_version"].to_list() == list(range(6, FORMAT_VERSION + 1))
    assert set(done["state"]) == {"applied"}
    assert not done["applied_at"].null_count()
    assert tl.migrations(place.target).equals(done)
    assert not tl.migrate(place.target).height
    assert_answers(place, told)
    with place.open() as book:
        assert book.record(fill(9, executed_at="2026-01-19T15:00:00Z")).accepted == 1


def test_a_book_of_the_format_before_is_read_at_once_and_written_to_when_it_was_migrated(old, told):
    with old.open(read_only=True) as book:
        assert asked(book) == told
        assert book.verify().problems == ()
    with pytest.raises(
        BookVersionError,
        match=rf"has format 5; this release writes format {FORMAT_VERSION}\. Pending: 6, formats: .*"
        rf"`tradelake --book {old.target} migrations apply`.* opened read only\.$",
    ):
        old.open()
    assert set(tl.migrations(old.target)["state"]) == {"pending"}
    assert tl.migrate(old.target, dry_run=True).equals(tl.migrations(old.target))
    assert_migrates(old, told)


def test_books_of_the_format_before_on_a_server_and_in_a_duckdb_file_are_migrated(
    old, told, unpacked, tmp_path, postgres_server: PostgresServer
):
    served = Place("postgres", postgres_server.create_database(), str(tmp_path / "served"))
    done = restore_book(unpacked / "copies", served.target, data=served.data)
    assert (done.format_version, done.pending) == (5, True)
    with served.open(read_only=True) as book, pytest.raises(BookVersionError, match="Pending: 6"):
        book.export_postgres(served.target)
    with served.open(read_only=True) as book:
        book.backup(tmp_path / "copies")
    assert restore_book(tmp_path / "copies", tmp_path / "file").format_version == 5
    for place in (served, Place("duckdb", str(tmp_path / "file"))):
        assert_migrates(place, told)


def test_a_backup_of_the_format_before_is_rehearsed_in_the_present_one(unpacked):
    rehearsed = rehearse(unpacked / "copies")
    assert (rehearsed.format_version, rehearsed.problems) == (5, ())


def test_a_backup_of_a_newer_release_is_refused(unpacked):
    [manifest] = (unpacked / "copies").glob("backup-*.json")
    told = read_manifest(manifest.read_text(), where="here")
    newer = replace(told, format_version=FORMAT_VERSION + 1).text()
    with pytest.raises(BookVersionError, match=r"The book of the backup here has format 7; .* newer release.* install"):
        read_manifest(newer, where="here")


def test_the_command_line_says_what_is_pending_and_applies_it(old):
    assert "nothing is written" in next(
        line for line in run(old.target, "doctor", code=1).splitlines() if "problem  migrations" in line
    )
    assert run(old.target, "migrations", "applied") == "no step was applied\n"
    for words in ([], ["pending"], ["apply", "--dry-run"]):
        [step] = json.loads(run(old.target, "migrations", *words, "--json"))
        assert (step["format_version"], step["state"], step["author"]) == (6, "pending", None)
    assert "formats  applied" in run(old.target, "migrations", "apply")
    assert run(old.target, "migrations", "apply") == run(old.target, "migrations", "pending") == "nothing is pending\n"
    assert run(old.target, "migrations", "applied", "--csv").startswith("format_version,name,state,")


def test_a_migration_that_is_killed_is_done_or_not_and_is_repeated(old, told, tmp_path):
    moments = [("COMMIT", "before"), ("COMMIT", "after")]
    books, killed = [], []
    for number, moment in enumerate(moments):
        folder = tmp_path / str(number)
        with tarfile.open(PACKED) as packed:
            packed.extractall(folder, filter="data")
        books.append(Place("sqlite", str(folder / "book")))
        killed.append(subprocess.Popen([sys.executable, "-c", KILLED, books[-1].target, *moment]))
    assert [process.wait(timeout=60) for process in killed] == [-signal.SIGKILL] * 2
    assert [tl.migrations(book.target)["state"].to_list() for book in books] == [["pending"], ["applied"]]
    for book, applied in zip(books, (1, 0), strict=True):
        assert tl.migrate(book.target).height == applied
        with book.open(read_only=True) as opened:
            assert opened.sql("SELECT format_version, from_version FROM migrations").pl().rows() == [(6, 5)]


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_new_book_says_who_made_it(ready):
    [step] = tl.migrations(ready.target).rows(named=True)
    assert step["state"] == "made"
    with ready.open() as book:
        assert step["author"] == book.runs()["author"][0]
        rows = book.sql("SELECT format_version, from_version FROM migrations").pl().rows()
        assert rows == [(FORMAT_VERSION, None)]
        book._catalog.execute("UPDATE migrations SET format_version = 99")
        [problem] = book.verify().problems
        assert "its newest entry is for format 99" in problem
