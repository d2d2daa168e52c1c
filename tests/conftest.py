"""What all tests share: Hypothesis profiles, outside vectors, and a real PostgreSQL."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.objectstore import S3Server, s3_server
from tests.postgres import PostgresServer

# A machine may be slow, and a draw large: neither says anything about what is tested.
ALLOWED = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("dev", max_examples=40, deadline=None, suppress_health_check=ALLOWED)
settings.register_profile("ci", max_examples=60, deadline=None, suppress_health_check=ALLOWED, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))

LEFT_OUT = pytest.StashKey[int]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--vectors",
        metavar="PATH",
        type=Path,
        help="folder with outside data (data/, scenarios/); without it the tests that read it are left out",
    )

    parser.addoption(
        "--places",
        choices=("some", "store", "all"),
        default="store" if os.environ.get("HYPOTHESIS_PROFILE") == "ci" else "some",
        help="which tests of a book that may be anywhere run once more with its data on S3 (store in the profile ci)",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test of a `place` with local data, and where it is marked or all are asked for, with data on S3."""
    if metafunc.definition.get_closest_marker("on_disk"):
        return
    chosen = any("bucket" in mark.args[0] for mark in metafunc.definition.iter_markers("parametrize"))
    if chosen or "place" not in metafunc.fixturenames:
        return
    places = metafunc.config.getoption("--places")
    in_store = places == "store" and metafunc.definition.path.parent.name == "store"
    if in_store or places == "all" or metafunc.definition.get_closest_marker("also_on_s3") is not None:
        metafunc.parametrize("bucket", ["local", "s3"], indirect=True)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "on_disk: the test looks at files of its books on this machine's disk")
    config.addinivalue_line("markers", "also_on_s3: run the test once more with the data of its books on S3")
    folder = config.getoption("--vectors")
    if folder is not None and not folder.is_dir():
        raise pytest.UsageError(f"--vectors {folder}: there is no such folder")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--vectors") is not None:
        return
    left_out = [item for item in items if "vectors" in getattr(item, "fixturenames", ())]
    config.stash[LEFT_OUT] = len(left_out)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_report_header(config: pytest.Config) -> str:
    folder = config.getoption("--vectors")
    return f"vectors: {folder or 'none, tests that read them are left out (--vectors=PATH)'}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(LEFT_OUT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Every worker of pytest-xdist collects the same tests, so that the count of one is the count."""
    node.config.stash[LEFT_OUT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    left_out = config.stash.get(LEFT_OUT, 0)
    if left_out:
        terminalreporter.write_line(f"vectors: none given, {left_out} tests left out (--vectors=PATH)")


@pytest.fixture(scope="session")
def vectors(pytestconfig: pytest.Config) -> Path:
    """The folder given with --vectors, absolute."""
    folder: Path = pytestconfig.getoption("--vectors")
    return folder.resolve()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test run's own, stopped and removed at its end."""
    server = PostgresServer.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of the server's first database, shared by the whole run."""
    return postgres_server.url("postgres")


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 server of this test run's own."""
    with s3_server(tmp_path_factory.mktemp("s3") / "buckets") as server:
        yield server


@pytest.fixture
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> S3Server | None:
    """The S3 server that has the data of the books of this test, known by the environment; None for local data."""
    if getattr(request, "param", "local") == "local":
        return None
    server: S3Server = request.getfixturevalue("s3")
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)
    return server


@pytest.fixture
def empty_postgres_url(postgres_server: PostgresServer) -> str:
    """The URL of a new, empty database."""
    return postgres_server.create_database()
