"""Settings of a book's jobs: `tradelake.toml` in its folder."""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tradelake.book import BREAK_CLASSES, OPTION_KINDS
from tradelake.errors import InputError

FILE = "tradelake.toml"
RULES = (*BREAK_CLASSES, *OPTION_KINDS)


def folder_of(target: str) -> Path | None:
    """Return the folder of a local book; None for one on a server."""
    if "://" in target:
        return None
    return Path(target.removeprefix("duckdb:").removeprefix("sqlite:")).expanduser()


def reports_folder(target: str) -> Path | None:
    """Return where nightly reports are kept, seen from the book's folder: what the settings say, else `reports`."""
    folder, told = folder_of(target), _nightly(target).get("reports", "reports")
    if not isinstance(told, str):
        raise InputError(f"{FILE}, [nightly] reports: a folder was expected, as text, and there was {told!r}.")
    return None if folder is None else folder / Path(told).expanduser()


def rules_of(target: str) -> list[str]:
    """Return the classes of breaks and kinds of proposals whose events the settings allow to be booked.

    Raises InputError for one that there is not.
    """
    told = _nightly(target).get("apply", [])
    if not isinstance(told, list):
        raise InputError(f'{FILE}, [nightly] apply: a list was expected, as ["expire"], and there was {told!r}.')
    return known_rules(told, where=f"{FILE}, [nightly] apply")


def known_rules(rules: Iterable[object], *, where: str) -> list[str]:
    """Return rules as they are; InputError for one that there is not."""
    names = [str(rule) for rule in rules]
    strange = [name for name in names if name not in RULES]
    if strange:
        raise InputError(
            f"{where}: {strange[0]!r} is neither a class of breaks nor a kind of proposal. "
            f"Choose from {', '.join(RULES)}."
        )
    return names


def _nightly(target: str) -> dict[str, Any]:
    folder = folder_of(target)
    file = None if folder is None else folder / FILE
    if file is None or not file.exists():
        return {}
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read as TOML: {error}. Mend it, or take it away.") from error
    nightly = told.get("nightly", {})
    unknown = [
        *({*told} - {"nightly"}),
        *({*nightly} - {"apply", "reports"} if isinstance(nightly, dict) else ["nightly"]),
    ]
    if unknown:
        raise InputError(
            f"{file}: there is no setting {sorted(unknown)[0]!r}. There are apply and reports in [nightly]."
        )
    return dict(nightly)
