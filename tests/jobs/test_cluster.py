"""A rebuild on a cluster of Dask: real workers, one of which is killed, come to what one machine comes to."""

import os
import subprocess
import sys
import time
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tests.books import fill
from tradelake.book import Upkeep
from tradelake.errors import InputError
from tradelake.jobs import cluster
from tradelake.tables import POSITIONS

WAIT_SECONDS = 60
ROOT = Path(__file__).parents[2]
# A worker that has written the files of its first bucket, and never comes to say so.
STUCK = """
import time
from pathlib import Path
from tradelake.book import buckets
from tradelake.store.pieces import write_pieces

def stuck(catalog, derived, name, *, folder):
    write_pieces(catalog, derived, name, folder=folder)
    Path({mark!r}).write_text(name)
    time.sleep(600)

buckets.write_pieces = stuck
"""


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """A scheduler in this process, without workers."""
    distributed = import_module("distributed")
    with distributed.LocalCluster(
        n_workers=0, host="127.0.0.1", protocol="tcp", dashboard_address=":0", processes=False
    ) as local:
        yield local


@pytest.fixture(scope="module")
def start(scheduler, s3, tmp_path_factory):
    """Start a worker of one thread in a process of its own."""
    started = []

    def one(*words):
        base = [sys.executable, "-m", "distributed.cli.dask_worker", scheduler.scheduler_address, "--no-nanny"]
        words = ("--nthreads", "1", "--no-dashboard", "--local-directory", str(tmp_path_factory.mktemp("dask")), *words)
        folders = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        environment = os.environ | s3.environment() | {"PYTHONPATH": folders}
        started.append(subprocess.Popen([*base, *words], env=environment, stderr=subprocess.DEVNULL))
        return started[-1]

    yield one
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def healthy(start):
    """A worker that lives."""
    return start("--name", "healthy")


def wait_until(done) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize(("place", "bucket"), [("sqlite", "local"), ("postgres", "s3")], indirect=True)
@pytest.mark.usefixtures("healthy")
def test_a_worker_that_is_killed_in_a_task_changes_nothing(book, scheduler, start, tmp_path):
    book.add_accounts([{"account_id": name} for name in ("A", "B")])
    move = {"kind": "transfer", "instrument_id": "S1", "to_account_id": "B", "quantity": "2"}
    fills = [
        fill(n, "-3" if n % 3 == 2 else "5", symbol=f"S{n % 7}", account_id=["GEN-1", "A"][n % 2]) for n in range(84)
    ]
    moved = {"trade_id": "M", "account_id": "GEN-1", "executed_at": "2026-02-01T10:00:00Z"} | move
    receipt = book.record([*fills, moved])
    assert receipt.ok, receipt.problems
    mark = tmp_path / "stuck.mark"
    (tmp_path / "stuck.py").write_text(STUCK.format(mark=str(mark)))
    doomed = start("--name", "doomed", "--preload", str(tmp_path / "stuck.py"))
    wait_until(lambda: {w.name for w in scheduler.scheduler.workers.values()} >= {"healthy", "doomed"})
    stages = []

    def progress(stage: str, done: int, total: int) -> None:
        if (stage, done) == ("derive", 1):
            wait_until(mark.exists)
            doomed.kill()
        stages.append((stage, done, total))

    before = book.version
    report = cluster.rebuild_on(scheduler.scheduler_address, book, progress=progress)
    assert stages[-1][0] == "done"
    assert doomed.wait() == -9
    assert report.rows["matches"] > 20
    # One commit of the rebuild, and one of the digests of its files.
    assert book.version == before + 2
    assert book.maintain(upkeep=Upkeep(orphans=timedelta(0))).orphans_removed > 0
    # Deep, that is a rebuild on this machine, compared with what is stored.
    assert book.verify(deep=True).findings == ()
    found = cluster.verify_on(scheduler.scheduler_address, book, deep=True)
    assert (found.findings, found.rows) == ((), book.verify().rows)
    past = cluster.past_on(scheduler.scheduler_address, book, tmp_path / "past", as_of="2026-01-01T00:30:00Z")
    there = pl.read_parquet(tmp_path / "past" / "positions", hive_partitioning=False).sort(*POSITIONS.sort)
    said = book.positions(as_of="2026-01-01T00:30:00Z").select(there.columns)
    assert_frame_equal(there, said, check_exact=True)
    assert past.rows["positions"] == there.height > 5


def test_a_cluster_that_is_not_there_is_misuse(local_book, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.2)
    with pytest.raises(InputError, match=r"No scheduler of Dask answers at tcp://127\.0\.0\.1:9"):
        cluster.rebuild_on("tcp://127.0.0.1:9", local_book)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'tradelake\[cluster\]'"):
        cluster.rebuild_on("tcp://127.0.0.1:9", local_book)
