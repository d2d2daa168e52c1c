"""What was acknowledged is on disk: the order of writes and syncs, as the kernel saw it, and a power cut."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import tradelake as tl
from tests.books import assert_whole, place_in
from tests.store.mounts import Disk, mounted
from tests.store.victim import Victim, fills, run
from tradelake.book import rehearse
from tradelake.errors import StorageError

CALLS = "openat,write,pwrite64,pwritev,pwritev2,fsync,fdatasync,syncfs,rename,renameat,renameat2"
PATH = re.compile(r"^\d+ +(\w+)\(\d+<([^>]*)>")
STRACE = shutil.which("strace")
STEPS = (
    ["record", 1, 3],
    ["record", 10, 1200],
    ["accounts", 1200],
    ["fold"],
    ["record", 2000, 1100],
    ["fold"],
    ["maintain"],
)


def trace_of(place, file: Path, *steps: Sequence[object]) -> list[tuple[str, str]]:
    """Return the calls of a process that does some steps: the name of each, and the path it was about."""
    assert STRACE is not None
    said = run(
        place,
        *steps,
        trace=[STRACE, "-f", "--seccomp-bpf", "-y", "-qq", "-s", "64", "-o", str(file), "-e", f"trace={CALLS}"],
    )
    assert len(said) == len(steps)
    assert not [line for line in said if "error" in line]
    calls = []
    for line in file.read_text(errors="replace").splitlines():
        if found := PATH.match(line):
            name, path = found.groups()
            calls.append(("answer" if '"{\\"step\\"' in line else name, path))
    return calls


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
@pytest.mark.on_disk
@pytest.mark.parametrize("place", ["sqlite", "duckdb"], indirect=True)
def test_files_are_synced_before_the_commit_and_the_commit_before_the_answer(ready, place, tmp_path):
    calls = trace_of(ready, tmp_path / "trace", *STEPS)
    log = f"catalog.{ready.kind}{'-wal' if ready.kind == 'sqlite' else '.wal'}"
    written: set[str] = set()
    catalog_dirty, answers, files, commits = False, 0, 0, 0
    for name, path in calls:
        if path.endswith(".parquet"):
            files += path not in written
            written.add(path)
        elif name == "syncfs":
            written.clear()
        elif path.endswith(log) and "write" in name:
            assert not written, f"the commit is written before {sorted(written)[0]} is on disk"
            catalog_dirty = True
        elif path.endswith(log) and name in ("fsync", "fdatasync"):
            commits += catalog_dirty
            catalog_dirty = False
        elif name == "answer":
            assert not catalog_dirty, f"answer {answers} comes before its commit is on disk"
            assert not written
            answers += 1
    assert answers == len(STEPS)
    assert commits >= answers
    assert files > 20


def test_a_disk_that_does_not_sync_is_an_error_and_nothing_is_recorded(local_book, monkeypatch):
    def broken(folder: str) -> None:
        raise OSError(5, "Input/output error", folder)

    monkeypatch.setattr("tradelake.store.catalog.sync_folder", broken)
    with pytest.raises(StorageError, match=r"cannot be brought to the disk: Input/output error\. Nothing was commi"):
        local_book.record(fills(1, 1200))
    monkeypatch.undo()
    assert local_book.sequence == 0
    assert local_book.record(fills(1, 1200)).accepted == 1200
    assert_whole(local_book, 1200)


def test_a_server_that_commits_before_it_writes_is_not_written_to(postgres_server, patterns, tmp_path):
    place = patterns.copy("postgres", tmp_path / "book", postgres_server)
    careless = f"{place.target}{'&' if '?' in place.target else '?'}options=-csynchronous_commit%3Doff"
    with tl.open(careless, data=place.data) as book:
        assert book.sequence == 0
        with pytest.raises(StorageError, match="synchronous_commit is off, so what was recorded could be lost"):
            book.record(fills(1, 1))
    with place.open() as book:
        assert book.record(fills(1, 1)).accepted == 1


@pytest.fixture
def disk(tmp_path):
    """A disk whose power can be cut."""
    made = Disk(tmp_path)
    with mounted(made):
        yield made


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_power_cut_loses_nothing_that_was_acknowledged(disk, kind):
    place, told = place_in(kind, disk.folder / "book"), 0
    days: tuple[tuple[list[Any], ...], ...] = (
        (["create"], ["record", 1, 3]),
        (["record", 4, 1200], ["fold"]),
        (["record", 1204, 5], ["maintain"], ["backup", str(disk.folder / "backup")]),
    )
    for steps in days:
        victim = Victim(place)
        victim.begin(*steps, ["wait"])
        for _ in steps:
            assert "error" not in victim.answer()
        disk.cut()
        victim.end(kill=True)
        disk.unmount()
        disk.mount()
        told += sum(step[2] for step in steps if step[0] == "record")
        with place.open() as book:
            assert_whole(book, told)
    (manifest,) = (disk.folder / "backup").glob("*.json")
    assert rehearse(manifest, beside=disk.folder).problems == ()
