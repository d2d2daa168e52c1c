"""Where the settings of a book's jobs come from: the environment, then a file, then their defaults.

The file is `tradelake.toml` in the folder of the book, or the one that TRADELAKE_CONFIG names, which a book on a server
needs, since it has no folder. Every setting is a variable as well: TRADELAKE_SECTION_NAME. A variable that is empty is
as good as none.
"""

import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from tradelake.book import RETAINED_TABLES
from tradelake.errors import InputError

FILE = "tradelake.toml"
CONFIG = "TRADELAKE_CONFIG"
PREFIX = "TRADELAKE_"
NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?")
Kind = Literal["number", "list", "text"]
SETTINGS: dict[str, dict[str, Kind]] = {
    "nightly": {"apply": "list", "reports": "text"},
    "maintenance": {"keep_versions_days": "number", "keep_files_days": "number", "keep_orphans_hours": "number"},
    "retention": {"hot": "text", "cold": "text", **dict.fromkeys(RETAINED_TABLES, "text"), "lock": "text"},
}


@dataclass(frozen=True, slots=True)
class Told:
    """A setting as somebody has told it: its value, how a message names it, and where it is from."""

    value: Any
    name: str
    source: str


def variable_of(section: str, name: str) -> str:
    """Return the variable of a setting."""
    return f"{PREFIX}{section}_{name}".upper()


def folder_of(target: str) -> Path | None:
    """Return the folder of a local book; None for one on a server."""
    if "://" in target:
        return None
    return Path(target.removeprefix("duckdb:").removeprefix("sqlite:")).expanduser()


def file_of(target: str) -> Path | None:
    """Return the file with the settings of a book, None where there is none.

    InputError where TRADELAKE_CONFIG names one that is not there.
    """
    named = os.environ.get(CONFIG)
    if named:
        file = Path(named).expanduser()
        if not file.is_file():
            raise InputError(f"{CONFIG} names {file}, and there is no such file. Name another one, or unset it.")
        return file
    folder = folder_of(target)
    return folder / FILE if folder is not None and (folder / FILE).exists() else None


def told_by(target: str, section: str) -> dict[str, Told]:
    """Return the settings of a section that somebody has told, by name; InputError where the file cannot be read."""
    file = file_of(target)
    found: dict[str, Told] = {}
    if file is not None:
        shown = str(file) if os.environ.get(CONFIG) else FILE
        told = _read(file).get(section, {})
        found = {name: Told(value, f"{shown}, [{section}] {name}", str(file)) for name, value in told.items()}
    for name, kind in SETTINGS[section].items():
        variable = variable_of(section, name)
        if text := os.environ.get(variable):
            found[name] = Told(_of_text(text, kind), variable, variable)
    return found


def _of_text(text: str, kind: Kind) -> str | float | list[str]:
    if kind == "list":
        return [word.strip() for word in text.split(",") if word.strip()]
    return float(text) if kind == "number" and NUMBER.fullmatch(text) else text


def _read(file: Path) -> dict[str, Any]:
    """Return what a file says; InputError where it is no TOML, or has what is no setting."""
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}. Mend it, or name another one.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read as TOML: {error}. Mend it, or take it away.") from error
    unknown = [
        *({*told} - {*SETTINGS}),
        *(name for section, known in SETTINGS.items() for name in _unknown(section, told.get(section, {}), [*known])),
    ]
    if unknown:
        there = "; ".join(f"{' and '.join(known)} in [{section}]" for section, known in SETTINGS.items())
        raise InputError(f"{file}: there is no setting {sorted(unknown)[0]!r}. There are {there}.")
    return told


def _unknown(section: str, told: object, known: list[str]) -> list[str]:
    return [*({*told} - {*known})] if isinstance(told, dict) else [section]


def strange_variables() -> Iterator[tuple[str, str | None]]:
    """Yield the variables that look like a setting and are none, each with the one that was meant, where there is one.

    Names are those that begin with TRADELAKE, in whatever case. One that goes on as a section does is meant to be one.
    """
    settings = [variable_of(section, name) for section, names in SETTINGS.items() for name in names]
    known = {name.removeprefix(PREFIX): name for name in ("TRADELAKE_BOOK", CONFIG, *settings)}
    sections = tuple(f"{section}_".upper() for section in SETTINGS)
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX.rstrip("_")) and name not in known.values():
            rest = name.upper().removeprefix(PREFIX.rstrip("_")).lstrip("_")
            meant = get_close_matches(rest, known, n=1, cutoff=0.3 if rest.startswith(sections) else 0.75)
            yield name, known[meant[0]] if meant else None
