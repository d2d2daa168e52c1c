"""`tradelake doctor`: is everything there that a book needs, and what to do where it is not."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer

from tradelake.cli.machine import Finding, disk, folder_of, rights, time_zones
from tradelake.cli.options import target_of
from tradelake.cli.streams import emit
from tradelake.errors import TradelakeError

EXTENSIONS = ("ducklake", "sqlite-scanner", "postgres-scanner")
ON_S3 = "httpfs"
LIBRARIES = ("duckdb", "polars", "pyarrow", "numpy", "numba", "pydantic")
CLOCK_TOLERANCE = timedelta(minutes=5)
NOT_INSTALLED = "(run from its sources, not installed)"
NOT_TOLD = ("default", "environment")
SQLITE_MAGIC = b"SQLite format 3\0"
SQLITE_WAL = b"\x02\x02"


def doctor(context: typer.Context) -> None:
    """Check this machine, the settings and the book.

    One line each for versions, extensions, disk, rights, time zones, settings and variables, catalog, pending
    migrations, the server and the rights of this role there, who holds the lease, how far stored positions are behind,
    the place of the data (written to and read, where this role writes) and clocks: ok, or problem and what to do. Exit
    code 1: there is a problem.
    """
    target = target_of(context)
    checks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _versions,
        _extensions,
        lambda: disk(target),
        lambda: rights(target),
        time_zones,
        lambda: _settings(target),
        _variables,
        lambda: _wal(target),
        lambda: _migrations(target),
        lambda: _book(target),
    )
    sound = True
    for check in checks:
        for finding in check():
            emit(finding.shown())
            sound = sound and not finding.problem
    if not sound:
        raise typer.Exit(1)


def show_version() -> None:
    """Print the version of tradelake."""
    emit(f"tradelake {installed('tradelake') or NOT_INSTALLED}\n")


def installed(package: str) -> str:
    """Return the version of an installed package, empty where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _versions() -> Iterator[Finding]:
    yield Finding("python", sys.version.split()[0])
    yield Finding("tradelake", installed("tradelake") or NOT_INSTALLED)
    for name in LIBRARIES:
        found = installed(name)
        yield Finding(name, found or "is missing. Install tradelake again with pip.", problem=not found)
    for name in EXTENSIONS:
        yield _extension(name)


def _extension(name: str) -> Finding:
    package, wanted = f"duckdb-extension-{name}", installed("duckdb")
    found = installed(package)
    fits = found == wanted
    text = found if fits else f"{found or 'is missing'}. Run: pip install {package}=={wanted}"
    return Finding(package, text, problem=not fits)


def _extensions() -> Iterator[Finding]:
    """Make a book in a temporary folder: that needs DuckDB, its extensions and a file system that works."""
    from tradelake import book

    with tempfile.TemporaryDirectory() as folder:
        try:
            book.create(str(Path(folder) / "book")).close()
        except TradelakeError as error:
            yield Finding("trial book", f"cannot be made: {error}", problem=True)
        else:
            yield Finding("trial book", "made in a temporary folder, with all extensions")


def _settings(target: str) -> Iterator[Finding]:
    from tradelake.jobs.configuration import file_of
    from tradelake.jobs.settings import listed, problems_of

    problems = problems_of(target)
    yield from (Finding("settings", problem, problem=True) for problem in problems)
    if not problems:
        every = listed(target).select("setting", "source").iter_rows()
        said = ", ".join(f"{name} from {source}" for name, source in every if source not in NOT_TOLD)
        file = file_of(target)
        yield Finding("settings", said or f"all by default{f'; {file} has none' if file else ''}")


def _variables() -> Iterator[Finding]:
    from tradelake.jobs.configuration import strange_variables

    for name, meant in strange_variables():
        if meant:
            yield Finding("variable", f"{name} is no setting. Did you mean {meant}?", problem=True)
        else:
            yield Finding("variable", f"{name} is no setting")


def _migrations(target: str) -> Iterator[Finding]:
    from tradelake import book

    try:
        waiting = book.migrations(target).filter(state="pending")
    except TradelakeError:
        return  # the line of the book says the same
    if waiting.height:
        names = ", ".join(f"{number} ({name})" for number, name in waiting.select("format_version", "name").iter_rows())
        advice = "Take a backup, and run: tradelake migrations apply"
        yield Finding("migrations", f"pending: {names}; until then nothing is written. {advice}", problem=True)
    else:
        yield Finding("migrations", "nothing is pending")


def _wal(target: str) -> Iterator[Finding]:
    folder = folder_of(target)
    for file in sorted(folder.iterdir()) if folder and folder.is_dir() else ():
        head = _first_bytes(file)
        if not head.startswith(SQLITE_MAGIC):
            continue
        if head[18:20] == SQLITE_WAL:
            yield Finding("catalog file", f"{file.name} is in WAL mode")
        else:
            advice = f"Run: sqlite3 {file} 'pragma journal_mode=wal'"
            yield Finding("catalog file", f"{file.name} is not in WAL mode. {advice}", problem=True)


def _first_bytes(file: Path) -> bytes:
    if not file.is_file():
        return b""
    with file.open("rb") as stream:
        return stream.read(20)


def _book(target: str) -> Iterator[Finding]:
    from tradelake import book

    try:
        with book.open_book(target, read_only=True) as opened:
            if opened.data.startswith("s3://"):
                yield _extension(ON_S3)
            # Where the data do not answer, the book does not either, and this says why.
            yield from (Finding(each.topic, each.text, problem=each.problem) for each in opened.health())
            last = opened.runs().get_column("recorded_at").max()
            yield Finding("book", f"{opened.url}, version {opened.version}, sequence {opened.sequence}")
    except TradelakeError as error:
        yield Finding("book", str(error), problem=True)
        return
    now = _file_clock()
    if isinstance(last, datetime) and last > now + CLOCK_TOLERANCE:
        text = f"{now:%Y-%m-%d %H:%M} UTC, but the book was written at {last:%Y-%m-%d %H:%M}. Set the clock."
        yield Finding("clock", text, problem=True)
    else:
        yield Finding("clock", f"{now:%Y-%m-%d %H:%M} UTC")


def _file_clock() -> datetime:
    """Return the instant that the file system gives to a new file, to compare recorded times with."""
    with tempfile.NamedTemporaryFile() as file:
        return datetime.fromtimestamp(Path(file.name).stat().st_mtime, UTC)
