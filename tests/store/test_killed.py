"""A process that is killed at any moment: what it acknowledged is there once, and a repeat completes the command.

A life is all that happens to a book, command by command: it is made, recorded to, imported to, has nights, goes to cold
storage in part and comes back, is maintained, backed up and restored. Each command is killed once and then repeated,
and at the end the book is what it is in a life without a kill.
"""

import json
import os
import random
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import tradelake as tl
from tests.books import Place
from tests.intake.flex import ACCOUNT, document, execution
from tests.jobs.night_books import tables_of
from tests.laws.books import THOROUGH
from tests.objectstore import S3Server, s3_server
from tests.store.victim import NOTHING_KEPT, Victim, do, fills
from tradelake.book import restore_book
from tradelake.errors import BookExists, BookNotFound

KILLS = int(os.environ.get("TRADELAKE_KILLS", "18" if THOROUGH else "12"))
SEED = int(os.environ.get("TRADELAKE_SEED", "5"))
MANY = 1100
LIVES = (("sqlite", "folder"), ("sqlite", "s3"), ("duckdb", "folder"))
OF_A_FILE = ("url", "object", "file_sha256", "manifest", "manifest_sha256", "archive_id", "bytes", "last_known_at")
COMMANDS = (
    "create", "record", "import", "night", "archive", "maintain", "record late", "backup", "restore", "night after",
    "bring back", "maintain again",
)  # fmt: skip
FORMS = {"sqlite": "", "duckdb": "duckdb:"}


class Life:
    """A book with all that belongs to it in one folder; `cold` is where its months go."""

    def __init__(self, folder: Path, told: Path, *, kind: str, cold: str) -> None:
        folder.mkdir()
        self.folder, self.told, self.cold = folder, told, cold
        self.place = Place(kind, f"{FORMS[kind]}{folder / 'book'}")
        self.again = f"{FORMS[kind]}{folder / 'again'}"
        self.ids: list[str | None] = []
        self.next = Victim(self.place)

    def steps_of(self, what: str) -> list[list[Any]]:
        """Return the steps of a command."""
        manifest = max((self.folder / "copies").glob("*.json"), default=None)
        night = [str(self.told / name) for name in ("U1.xml", "marks.csv")]
        steps: dict[str, list[list[Any]]] = {
            "create": [["create"]],
            "record": [*(["record", 1 + n * 7, 7] for n in range(4)), ["record", 101, MANY], ["fold"]],
            "import": [["import", str(self.told / "rows.jsonl")]],
            "night": [["night", "2026-03-06", *night]],
            "archive": [["archive", "2026-03-01", self.cold]],
            "maintain": [["maintain"]],
            "record late": [["record", 9001, 5], ["record", 9011, 5], ["fold"]],
            "backup": [["backup", str(self.folder / "copies")]],
            "restore": [["restore", str(manifest), str(self.folder / "again")]],
            "night after": [["night", "2026-03-09", *night]],
            "bring back": [["bring back", "2026-01", "2026-02"]],
            "maintain again": [["fold"], ["maintain"]],
        }
        return steps[what]

    def new_ids(self, step: list[Any]) -> list[str | None]:
        """Return the ids of the events that a step brings; None for one that the broker has named."""
        if step[0] == "record":
            return [str(row["trade_id"]) for row in fills(*step[1:])]
        if step[0] == "import":
            return [str(row["trade_id"]) for row in fills(5001, MANY)]
        return [None] if step[:2] == ["night", "2026-03-06"] else []

    def begin(self, what: str, *, after: float | None) -> tuple[list[dict[str, Any]], float]:
        """Run a command in a process, killed after some seconds; return what it answered, and its seconds."""
        started = self.next.begin(*self.steps_of(what))
        try:
            self.next.process.wait(timeout=after)
        except subprocess.TimeoutExpired:
            said = self.next.end(kill=True)
        else:
            said = self.next.end()
        took = time.perf_counter() - started
        # The next one gets ready meanwhile.
        self.next = Victim(self.place)
        return said, took

    @contextmanager
    def opened(self) -> Iterator[tl.Book]:
        """Open the book with its archive."""
        with tl.open(self.place.target, cold=True) as book:
            yield book

    def check(self, what: str, said: list[dict[str, Any]]) -> None:
        """Assert that all that a killed command had answered is there once, repeat it, and see that it completes."""
        assert not [answer for answer in said if "error" in answer], said
        steps = self.steps_of(what)
        if what == "create":
            self._create(acknowledged=bool(said))
            return
        with self.opened() as book:
            new = [self.new_ids(step) for step in steps]
            told = book.sequence - len(self.ids)
            assert told in (sum(map(len, new[: len(said)])), sum(map(len, new[: len(said) + 1])))
            self.ids += chain.from_iterable(new)
            self._sound(book, len(self.ids) - sum(map(len, new)) + told)
            if what == "restore":
                self._restore(steps[0][1], sequence=book.sequence, acknowledged=bool(said))
                return
            for step, brings in zip(steps, new, strict=True):
                answer = do(book, *step)
                if step[0] in ("record", "import"):
                    assert answer["accepted"] + answer["duplicates"] == len(brings)
            assert book.sequence == len(self.ids)

    def _sound(self, book: tl.Book, count: int) -> None:
        """Assert that the log has the first so many ids, each once, and that nothing of the book is strange."""
        log = book._catalog.frame("SELECT trade_id FROM trade_log ORDER BY sequence")["trade_id"].to_list()
        assert len(log) == count
        assert [known or found for known, found in zip(self.ids, log, strict=False)] == log
        assert book.verify(deep=True).findings == ()

    def _create(self, *, acknowledged: bool) -> None:
        try:
            self.place.open().close()
        except BookNotFound:
            assert not acknowledged
            self.place.create().close()
        with self.place.open() as book:
            book.add_accounts([{"account_id": "GEN-1", "broker_account_id": "U1"}])
            self._sound(book, 0)

    def _restore(self, manifest: str, *, sequence: int, acknowledged: bool) -> None:
        try:
            restore_book(manifest, self.folder / "again")
        except BookExists:
            pass
        else:
            assert not acknowledged
        with tl.open(self.again, cold=True) as again:
            assert again.sequence == sequence
            assert again.verify(deep=True).findings == ()

    def left(self) -> dict[str, pl.DataFrame]:
        """Return what a life has left, without what says when and by which commit; nothing else is in the folder."""
        self.next.begin()
        self.next.end()
        with self.opened() as book:
            self._sound(book, len(self.ids))
            book.maintain(upkeep=NOTHING_KEPT)
            query = "CALL ducklake_delete_orphaned_files('lake', dry_run => true, cleanup_all => true)"
            assert book._catalog.frame(query).height == 0
            found = tables_of(book)
            for name in ("archives", "archive_totals", "archived_keys"):
                rows = book._catalog.frame(f"SELECT * FROM {name}")
                rows = rows.drop("recorded_at", "import_run_id", "row_check", *OF_A_FILE, strict=False)
                found[name] = rows.sort(rows.columns, nulls_last=True)
        return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with executions to import, a broker's statement and prices."""
    folder = tmp_path_factory.mktemp("told")
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in fills(5001, MANY)))
    trade = execution(dateTime="20260306;103000", tradeDate="20260306", ibExecID="0000e0d5.1.01.01")
    told = f'accountId="{ACCOUNT}" fromDate="20260306" toDate="20260306"'
    (folder / "U1.xml").write_bytes(document(f"<FlexStatement {told}><Trades>{trade}</Trades></FlexStatement>"))
    rows = [f"{name},{day},70.5" for name in ("S0", "S1", "S2", "XYZ") for day in ("2026-03-06", "2026-03-09")]
    (folder / "marks.csv").write_text("\n".join(["symbol,mark_date,price", *rows]) + "\n")
    return folder


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """An S3 server that the environment names."""
    with s3_server(tmp_path / "buckets") as running:
        for name, value in running.environment().items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.mark.slow
@pytest.mark.timeout(120 + 20 * KILLS)
def test_kills_at_random_moments_lose_nothing_and_a_repeat_completes(told, server, tmp_path):
    def life(name: str, kind: str, store: str) -> Life:
        cold = {"folder": str(tmp_path / name / "cold"), "s3": f"{server.url}/{name}"}
        return Life(tmp_path / name, told, kind=kind, cold=cold[store])

    chance, longest, early = random.Random(SEED), dict[str, float](), 0
    whole = life("whole", "sqlite", "folder")
    for what in COMMANDS:
        steps = whole.steps_of(what)
        said, longest[what] = whole.begin(what, after=None)
        assert len(said) == len(steps), said
        whole.ids += chain.from_iterable(map(whole.new_ids, steps))
    wanted = whole.left()
    for number in range(KILLS):
        command = number % len(COMMANDS)
        if not command:
            one = life(f"{number}", *LIVES[number // len(COMMANDS) % len(LIVES)])
        what = COMMANDS[command]
        after = chance.uniform(0.0, longest[what])
        said, took = one.begin(what, after=after)
        print(f"{number}: {what} killed after {took:.3f} s with {len(said)} answers", flush=True)
        if len(said) < len(one.steps_of(what)):
            early += 1
        else:
            longest[what] = min(longest[what], took)  # the machine has less to do than before
        one.check(what, said)
        if what == COMMANDS[-1]:
            for name, rows in one.left().items():
                assert_frame_equal(rows, wanted[name], check_exact=True)
    if what != COMMANDS[-1]:
        one.next.begin()
        one.next.end()
    assert early >= KILLS // 3
