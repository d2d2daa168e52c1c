"""A process that is killed at any moment: what it acknowledged is there once, and a repeat completes the command."""

import json
import os
import random
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

import tradelake as tl
from tests.books import Patterns, Place, assert_same_book, assert_whole, frame
from tests.store.victim import NOTHING_KEPT, Victim, fills
from tradelake.book import KINDS, rehearse, restore_book
from tradelake.errors import BookNotFound
from tradelake.store import verify_runs

KILLS = int(os.environ.get("TRADELAKE_KILLS", "6"))
SEED = int(os.environ.get("TRADELAKE_SEED", "5"))
LONGEST = {"create": 0.6, "record": 0.9, "import": 1.5, "fold": 0.6, "maintain": 1.2, "backup": 0.5, "restore": 0.8}
CALIBRATED = 20  # with more kills than that it is measured how long each command takes
FIRST, MANY = 1200, 1100


@pytest.fixture(scope="module")
def told(patterns: Patterns, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a closed book that has files, rows inside the catalog and a backup, and a file of executions."""
    folder = tmp_path_factory.mktemp("killed")
    with patterns.copy("sqlite", folder / "book").open() as book:
        book.record(fills(1, FIRST))
        book.fold()
        book.record(fills(FIRST + 1, 10))
        book.backup(folder / "copies")
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in fills(5001, MANY)))
    return folder


def steps_of(what: str, folder: Path) -> list[list[Any]]:
    """Return the orders of a process that is to be killed."""
    manifest = next((folder / "copies").glob("*.json"))
    steps: dict[str, list[list[Any]]] = {
        "create": [["create"]],
        "record": [["record", 5001 + n * 7, 7] for n in range(6)] + [["record", 6001, MANY]],
        "import": [["import", str(folder / "rows.jsonl")], ["fold"]],
        "fold": [["fold"]],
        "maintain": [["fold"], ["maintain"], ["maintain"]],
        "backup": [["backup", str(folder / "mine")]],
        "restore": [["restore", str(manifest), str(folder / "again")]],
    }
    return steps[what]


def seconds_of(what: str, told: Path, folder: Path) -> float:
    """Return how long a command takes on this machine when nobody kills it."""
    shutil.copytree(told, folder)
    victim = Victim(Place("sqlite", str(folder / ("new" if what == "create" else "book"))))
    started = victim.begin(*steps_of(what, folder))
    assert len(victim.end()) == len(steps_of(what, folder))
    return time.perf_counter() - started


def killed(what: str, folder: Path, after: float) -> list[dict[str, Any]]:
    """Run a process on the book of a folder, kill it after some seconds, and return what it had acknowledged."""
    target = folder / ("new" if what == "create" else "book")
    victim = Victim(Place("sqlite", str(target)))
    victim.begin(*steps_of(what, folder))
    time.sleep(after)
    return victim.end(kill=True)


def check(what: str, folder: Path, answers: list[dict[str, Any]]) -> None:
    """Assert that all that was acknowledged is there once, and that the repeated command completes."""
    steps = steps_of(what, folder)
    done = [step for step, answer in zip(steps, answers, strict=False) if "error" not in answer]
    assert len(done) == len(answers), answers
    if what == "create":
        place = Place("sqlite", str(folder / "new"))
        try:
            place.open().close()
        except BookNotFound:
            assert not answers
            place.create().close()
        with place.open() as book:
            assert_whole(book, 0)
        return
    counts = [step[2] if step[0] == "record" else MANY if step[0] == "import" else 0 for step in steps]
    with tl.open(folder / "book") as book:
        count = frame(book.trades(kinds=KINDS)).height
        told = count - FIRST - 10
        assert told in (sum(counts[: len(done)]), sum(counts[: len(done) + 1]))
        assert_whole(book, count)
        with book._catalog.transaction():
            assert verify_runs(book._catalog).problems == ()
        for step, *given in steps:
            if step == "record":
                receipt = book.record(fills(*given))
                assert receipt.accepted + receipt.duplicates == given[1]
            elif step == "import":
                receipt = book.ingest("executions", str(given[0]))
                assert receipt.accepted + receipt.duplicates == MANY
            elif step == "backup":
                assert rehearse(folder / "mine" / book.backup(folder / "mine").manifest).problems == ()
                for manifest in (folder / "mine").glob("*.json"):
                    assert rehearse(manifest).problems == ()
            elif step == "restore":
                check_restored(book, Path(str(given[0])), folder / "again", acknowledged=bool(answers))
        book.maintain(upkeep=NOTHING_KEPT)
        orphans = book._catalog.frame(
            "CALL ducklake_delete_orphaned_files('lake', dry_run => true, cleanup_all => true)"
        )
        assert orphans.height == 0
        assert_whole(book, FIRST + 10 + sum(counts))


def check_restored(book: tl.Book, manifest: Path, again: Path, *, acknowledged: bool) -> None:
    """Assert that a restore that was killed has made a whole book or none, and that a repeat makes one."""
    try:
        tl.open(again).close()
    except BookNotFound:
        assert not acknowledged
        restore_book(manifest, again)
    with tl.open(again) as restored:
        assert_same_book(restored, book)


@pytest.mark.slow
def test_kills_at_random_moments_lose_nothing_and_a_repeat_completes(told, tmp_path):
    chance, longest = random.Random(SEED), dict[str, float]()
    for number in range(KILLS):
        what = list(LONGEST)[number % len(LONGEST)]
        folder = tmp_path / f"{number}"
        shutil.copytree(told, folder)
        if KILLS > CALIBRATED and what not in longest:
            longest[what] = seconds_of(what, told, tmp_path / what)
        after = chance.uniform(0.0, longest.get(what, LONGEST[what]))
        answers = killed(what, folder, after)
        print(f"{number}: {what} killed after {after:.3f} s with {len(answers)} answers", flush=True)
        check(what, folder, answers)
        shutil.rmtree(folder)
