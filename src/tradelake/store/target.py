"""Where a book lives: a folder with a SQLite or DuckDB catalog, or a PostgreSQL database and a data folder."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tradelake.errors import InputError

SQLITE_FILE = "catalog.sqlite"
DUCKDB_FILE = "catalog.duckdb"
DATA_FOLDER = "data"
POSTGRES_PREFIXES = ("postgresql://", "postgres://")


@dataclass(frozen=True, slots=True)
class Target:
    """The place of a book: kind of catalog, catalog file or connection string, data folder (None: ask the catalog)."""

    kind: Literal["sqlite", "duckdb", "postgres"]
    catalog: str
    data: str | None
    data_given: bool = False

    @property
    def shown(self) -> str:
        """The target for messages, without a password."""
        return without_password(self.catalog)

    @property
    def attach(self) -> str:
        """The string that DuckLake attaches."""
        prefix = {"sqlite": "sqlite:", "duckdb": "", "postgres": "postgres:"}[self.kind]
        return f"ducklake:{prefix}{self.catalog}"

    @property
    def lease_file(self) -> Path:
        """The writer's lock file of a local book."""
        return Path(self.catalog).parent / "writer.lock"

    @property
    def cold_folder(self) -> Path:
        """The folder for copies of archived files that were read."""
        if self.kind == "postgres":
            return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tradelake" / "cold"
        return Path(self.catalog).parent / "cold"

    @property
    def night_file(self) -> Path:
        """The lock file of the nightly job of a local book."""
        return Path(self.catalog).parent / "night.lock"


def parse_target(target: str | Path, *, data: str | Path | None = None) -> Target:
    """Return the place that *target* names: a folder, `duckdb:FOLDER`, or a `postgresql://` URL with a data folder.

    A folder that exists is taken by the catalog that is in it. Raises InputError for a URL of another kind.
    """
    text = str(target)
    data_path = _folder_text(Path(data)) if data is not None else None
    if text.startswith(POSTGRES_PREFIXES):
        return Target("postgres", text, data_path, data_given=data_path is not None)
    kind: Literal["sqlite", "duckdb"] = "sqlite"
    for prefix in ("duckdb:", "sqlite:"):
        if text.startswith(prefix):
            kind = "duckdb" if prefix == "duckdb:" else "sqlite"
            text = text.removeprefix(prefix)
            break
    else:
        if re.match(r"[a-z][a-z0-9+]+://", text):
            raise InputError(
                f"{text!r} is not a place for a book. Give a folder, duckdb:FOLDER, or a postgresql:// URL."
            )
        if (Path(text) / DUCKDB_FILE).exists():
            kind = "duckdb"
    folder = Path(text).expanduser().absolute()
    file = folder / (SQLITE_FILE if kind == "sqlite" else DUCKDB_FILE)
    return Target(kind, str(file), data_path or _folder_text(folder / DATA_FOLDER), data_given=data_path is not None)


def without_password(text: str) -> str:
    """Return *text* with the password of every URL in it hidden."""
    hidden = re.sub(r"(//[^:/@\s]*):[^@/\s]+@", r"\1:***@", text)
    return re.sub(r"(password=)[^&\s\"']+", r"\1***", hidden)


def _folder_text(folder: Path) -> str:
    return str(folder.expanduser().absolute()) + "/"
