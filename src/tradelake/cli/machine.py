"""What `tradelake doctor` looks at on the machine: disk, rights and time zones; and what a finding of it is."""

import os
import shutil
import sys
import textwrap
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FREE_BYTES_MIN = 1 << 30
CATALOGS = ("catalog.sqlite", "catalog.duckdb")
INDENT = 9


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: what was looked at, what there was and, where that is a problem, what to do."""

    topic: str
    text: str
    problem: bool = False

    def __str__(self) -> str:
        return f"{'problem' if self.problem else 'ok':<8} {self.topic}: {self.text}"

    def shown(self) -> str:
        """Return the line as it is printed: on a terminal folded, its text below itself, and elsewhere as one line."""
        if not sys.stdout.isatty():
            return f"{self}\n"
        width = shutil.get_terminal_size().columns
        indent = " " * INDENT
        text = textwrap.fill(str(self), width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)
        return f"{text}\n"


def disk(target: str) -> Iterator[Finding]:
    """Say how much room there is where the book is, or would be."""
    path = folder_of(target) or Path.cwd()
    place = next(folder for folder in (path, *path.parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    scarce = free < FREE_BYTES_MIN
    advice = ". Make room: a rebuild writes all derived tables anew." if scarce else ""
    yield Finding("disk", f"{free >> 20:,} MiB free at {place}{advice}", problem=scarce)


def rights(target: str) -> Iterator[Finding]:
    """Say where this user may not read or write a local book: SQLite writes beside the catalog even to read it."""
    folder = folder_of(target)
    if folder is None or not folder.is_dir():
        return
    for path in (folder, *(folder / name for name in CATALOGS if (folder / name).exists())):
        lacks = [what for what, mode in (("read", os.R_OK), ("written", os.W_OK)) if not os.access(path, mode)]
        if lacks:
            text = (
                f"{path} cannot be {' or '.join(lacks)} by this user. Its owner, {_owner(path)}, can give the rights: "
            )
            yield Finding("rights", f"{text}chmod -R u+rwX {folder}, or chown -R USER {folder}", problem=True)
            return
    yield Finding("rights", f"{folder} can be read and written")


def _owner(path: Path) -> str:
    try:
        return path.owner()
    except (KeyError, NotImplementedError):
        return f"user {path.stat().st_uid}"


def time_zones() -> Iterator[Finding]:
    """Say whether New York is known, whose days are the trading days."""
    try:
        zoneinfo.ZoneInfo("America/New_York")
    except zoneinfo.ZoneInfoNotFoundError:
        yield Finding("time zones", "New York is unknown here. Run: pip install tzdata", problem=True)
    else:
        yield Finding("time zones", "New York is known")


def folder_of(target: str) -> Path | None:
    """Return the folder of a local book, None for a database."""
    if "://" in target:
        return None
    return Path(target.removeprefix("duckdb:").removeprefix("sqlite:")).expanduser().absolute()
