"""`tradelake doctor` looks at settings, server, role, lease, bucket and folder, and says what to do."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import psycopg
import pytest
from filelock import FileLock

from tests.books import DataFiles
from tests.cli.test_cli import run
from tests.objectstore import faulty
from tradelake.store.fold import Checkpoint, Standing
from tradelake.store.health import health
from tradelake.store.health_local import tail

READER = """
CREATE ROLE desk_doctor LOGIN;
GRANT USAGE ON SCHEMA public TO desk_doctor;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO desk_doctor;
"""


@pytest.fixture(autouse=True)
def no_trial() -> Iterator[None]:
    """Leave the doctor's trial book out: it says nothing about the one in question, and takes a second."""
    with mock.patch("tradelake.cli.doctor._extensions", return_value=()):
        yield


def found(book: Path | str, *, problems: bool) -> dict[str, str]:
    """Return what the doctor says, by topic: the problems, or without any the good lines."""
    lines = [line.split(maxsplit=1) for line in run(book, "doctor", code=int(problems)).splitlines()]
    wanted = "problem" if problems else "ok"
    texts = [text for what, text in lines if what == wanted]
    return {topic: text for topic, _, text in (each.partition(": ") for each in texts)}


@pytest.mark.parametrize("bucket", ["s3"], indirect=True)
@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_a_book_on_a_server_with_its_data_on_s3_is_looked_at_from_all_sides(ready, bucket, monkeypatch):
    with ready.open() as book:
        data = book.data
        files = DataFiles(data, bucket).names()
        with book._catalog.lease.hold():
            good = found(ready.target, problems=False)
        late = health(book._catalog, now=datetime.now(UTC) + timedelta(hours=1))
        clocks = [each.text for each in late if each.problem]
    assert good["postgresql"].startswith("18.")
    assert good["role"] == "postgres may write"
    assert good["lease"].startswith("held by postgres at this machine, process ")
    assert (good["night"], good["migrations"], good["settings"]) == ("free", "nothing is pending", "all by default")
    assert good["data"] == f"{data} can be listed, read and written"
    assert "duckdb-extension-httpfs" in good
    assert [text.partition(" at ")[2].partition(".")[0] for text in clocks] == [
        "the server of the catalog",
        "the server of the data",
    ]
    with psycopg.connect(ready.target, autocommit=True) as connection:
        connection.execute(READER)
        reader = ready.target.replace("postgres@", "desk_doctor@")
        good = found(reader, problems=False)
        assert good["role"] == "desk_doctor may read; postgres writes"
        assert good["data"] == f"{data} can be listed and read"
        connection.execute("REVOKE SELECT ON ducklake_files_scheduled_for_deletion FROM desk_doctor")
        problem = found(reader, problems=True)["role"]
        assert problem.startswith("desk_doctor may not read 1 of the ")
        assert problem.endswith("GRANT SELECT ON ALL TABLES IN SCHEMA public TO desk_doctor.")
        connection.execute("ALTER ROLE postgres SET synchronous_commit = off")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        problems = found(ready.target, problems=True)
        connection.execute("ALTER ROLE postgres RESET synchronous_commit")
    assert "synchronous_commit is off" in problems["commits"]
    assert f"{data} cannot be listed" in problems["data"]
    monkeypatch.undo()
    with faulty(bucket) as (port, faults):
        for name, value in bucket.environment(port).items():
            monkeypatch.setenv(name, value)
        faults.plan("PUT", "skewed")
        assert "The clock of this machine is more than 15 minutes off" in found(ready.target, problems=True)["data"]
    assert DataFiles(data, bucket).names() == files


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_settings_variables_and_the_data_folder_of_a_local_book(ready, monkeypatch):
    folder = Path(ready.target.removeprefix("sqlite:"))
    (folder / "tradelake.toml").write_text('[retention]\nhot = "2 years"\n')
    monkeypatch.setenv("TRADELAKE_NIGHTLY_APPLY", "expire,fee")
    monkeypatch.setenv("TRADELAKE_OF_SOMEBODY", "1")
    good = found(folder, problems=False)
    assert good["settings"] == (
        f"nightly.apply from TRADELAKE_NIGHTLY_APPLY, retention.hot from {folder}/tradelake.toml"
    )
    assert good["variable"] == "TRADELAKE_OF_SOMEBODY is no setting"
    assert good["data"].endswith("can be written")
    monkeypatch.setenv("TRADELAKE_MAINTENANCE_KEEP_FILE_DAYS", "7")
    monkeypatch.setenv("TRADELAKE_RETENTION_COLD", "soon")
    problems = found(folder, problems=True)
    assert problems["variable"] == (
        "TRADELAKE_MAINTENANCE_KEEP_FILE_DAYS is no setting. Did you mean TRADELAKE_MAINTENANCE_KEEP_FILES_DAYS?"
    )
    assert problems["settings"].startswith("TRADELAKE_RETENTION_COLD: a time was expected")
    shutil.rmtree(folder / "data")
    assert found(folder, problems=True)["data"].startswith(f"There is no folder {folder}/data")


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_rights_lease_and_fold_of_a_local_book(ready, monkeypatch):
    folder = Path(ready.target.removeprefix("sqlite:"))
    good = found(folder, problems=False)
    assert good["rights"] == f"{folder} can be read and written"
    assert (good["lease"], good["night"]) == ("free", "free")
    assert good["fold"] == "the stored positions are at the end of the log"
    with FileLock(str(folder / "writer.lock")):
        held = found(folder, problems=False)
    assert held["lease"] in (f"held by process {os.getpid()}", "held by another process")
    assert held["night"] == "free"
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK or Path(path).suffix != ".sqlite")
    problem = found(folder, problems=True)["rights"]
    assert problem.startswith(f"{folder}/catalog.sqlite cannot be written by this user. Its owner, ")
    assert problem.endswith(f"chown -R USER {folder}")


@pytest.mark.parametrize(("checkpoint", "far"), [(19_000, False), (9_999, True), (0, True)])
def test_a_tail_that_nobody_folds_is_a_problem(checkpoint, far):
    text, problem = tail(Standing(20_000, 5, Checkpoint(checkpoint, datetime(2026, 7, 1, tzinfo=UTC))))
    assert problem is far
    assert text.startswith(f"the stored positions are {20_000 - checkpoint:,} events behind the log")
    assert text.endswith("Run: tradelake fold") is far


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="there is no other file system")
@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_data_on_two_file_systems_are_a_problem(ready):
    with TemporaryDirectory(dir="/dev/shm") as elsewhere:
        main = Path(ready.target.removeprefix("sqlite:"), "data", "main")
        (main / "marks").symlink_to(elsewhere)
        assert f"{main}/marks is on another file system" in found(main.parents[1], problems=True)["file system"]
