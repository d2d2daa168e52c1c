"""Where a book lives: a folder with a SQLite or DuckDB catalog, or a PostgreSQL database; and a data folder, or S3."""

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
S3_PREFIX = "s3://"
# Of a bucket the names that need no quoting anywhere; in the folders nothing that DuckDB takes for a pattern.
ADDRESS = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9_.=+@-]+)+/")


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
    def named(self) -> str:
        """The target as it is given to --book, without a password."""
        return self.shown if self.kind == "postgres" else str(Path(self.catalog).parent)

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

    The data folder may be on S3. A folder that exists is taken by the catalog that is in it. Raises InputError for a
    URL of another kind.
    """
    text = str(target)
    data_path = None
    if data is not None:
        data_path = data_address(str(data)) if "://" in str(data) else _folder_text(Path(data))
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


def is_remote(folder: str) -> bool:
    """Tell whether the data files are not on this machine."""
    return folder.startswith(S3_PREFIX)


def data_address(text: str) -> str:
    """Return an address of S3 as a data folder; InputError where a book cannot be kept there."""
    folder = text.rstrip("/") + "/"
    if not ADDRESS.fullmatch(folder) or any(part in (".", "..") for part in folder.split("/")):
        shown = re.sub(r"//[^/]*@", "//***@", text.partition("?")[0])
        raise InputError(
            f"{shown!r} is no place for the data of a book. Give a folder, or s3://BUCKET/FOLDER, where FOLDER belongs "
            "to this book alone and has letters, digits and _ . = + @ - only. Endpoint, region and credentials are "
            "taken from the environment (AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and so on)."
        )
    return folder


def without_password(text: str) -> str:
    """Return *text* with the password of every URL in it hidden."""
    hidden = re.sub(r"(//[^:/@\s]*):[^@/\s]+@", r"\1:***@", text)
    return re.sub(r"(password=)[^&\s\"']+", r"\1***", hidden)


def _folder_text(folder: Path) -> str:
    return str(folder.expanduser().absolute()) + "/"
