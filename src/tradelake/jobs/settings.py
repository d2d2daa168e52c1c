"""Settings of a book's jobs: `tradelake.toml` in its folder."""

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tradelake.book import BREAK_CLASSES, LOCK_MODES, OPTION_KINDS, RETAINED_TABLES, Lock, Policy, Upkeep
from tradelake.errors import InputError

FILE = "tradelake.toml"
SETTINGS = {
    "nightly": ("apply", "reports"),
    "maintenance": ("keep_versions_days", "keep_files_days", "keep_orphans_hours"),
    "retention": ("hot", "cold", *RETAINED_TABLES, "lock"),
}
KEEP_MAX = 100_000
PERIOD = re.compile(r"(\d{1,4}) (month|year)s?")
MONTHS = {"month": 1, "year": 12}
RULES = (*BREAK_CLASSES, *OPTION_KINDS)


def folder_of(target: str) -> Path | None:
    """Return the folder of a local book; None for one on a server."""
    if "://" in target:
        return None
    return Path(target.removeprefix("duckdb:").removeprefix("sqlite:")).expanduser()


def reports_folder(target: str) -> Path | None:
    """Return where nightly reports are kept, seen from the book's folder: what the settings say, else `reports`."""
    folder, told = folder_of(target), _told(target, "nightly").get("reports", "reports")
    if not isinstance(told, str):
        raise InputError(f"{FILE}, [nightly] reports: a folder was expected, as text, and there was {told!r}.")
    return None if folder is None else folder / Path(told).expanduser()


def rules_of(target: str) -> list[str]:
    """Return the classes of breaks and kinds of proposals whose events the settings allow to be booked.

    Raises InputError for one that there is not.
    """
    told = _told(target, "nightly").get("apply", [])
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


def upkeep_of(
    target: str, *, versions: float | None = None, files: float | None = None, orphans: float | None = None
) -> Upkeep:
    """Return what maintenance keeps: what is given here, else what the settings say, else the defaults.

    `versions` and `files` are in days, `orphans` in hours. Raises InputError for anything else than numbers from 0 up.
    """
    told = _told(target, "maintenance")
    keep = Upkeep()
    for name, given, key, unit in (
        ("versions", versions, "keep_versions_days", timedelta(days=1)),
        ("files", files, "keep_files_days", timedelta(days=1)),
        ("orphans", orphans, "keep_orphans_hours", timedelta(hours=1)),
    ):
        value = told.get(key) if given is None else given
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= KEEP_MAX:
            raise InputError(f"{FILE}, [maintenance] {key}: a number was expected, as 7, and there was {value!r}.")
        keep = replace(keep, **{name: value * unit})
    return keep


def policy_of(target: str, *, hot: str | None = None, cold: str | None = None) -> Policy:
    """Return the policy of retention: what is given here, else what the settings say.

    Raises InputError for a time that is none, a cold time that ends before the hot one, and where nothing is said.
    """
    told = _told(target, "retention")
    given = {name: text for name, text in (("hot", hot), ("cold", cold)) if text is not None}
    months = {name: _months(name, text) for name, text in (told | given).items() if name != "lock"}
    if not months:
        raise InputError(
            f'There is no policy of retention. Write it into {FILE} of the book, [retention] hot = "24 months" and '
            'cold = "7 years", or give --hot and --cold.'
        )
    kept = {name: months.get(name, months.get("cold")) for name in RETAINED_TABLES}
    cold_months = {name: number for name, number in kept.items() if number is not None}
    for name, number in cold_months.items():
        if number < months.get("hot", 0):
            raise InputError(
                f"{FILE}, [retention]: {name} would be deleted {number} months after its month, while it is hot for "
                f"{months['hot']}. Both count from the end of the month: let cold be longer."
            )
    lock = told.get("lock")
    if lock is not None and lock not in LOCK_MODES:
        raise InputError(f"{FILE}, [retention] lock: {' or '.join(LOCK_MODES)} was expected, and there was {lock!r}.")
    return Policy(hot=months.get("hot"), cold=cold_months, lock=lock)


def lock_of(target: str) -> Callable[[date, str | None], Lock | None]:
    """Return under which lock the settings want objects of a month and table to be put."""
    return policy_of(target).lock_of if _told(target, "retention").get("lock") else Policy().lock_of


def _months(name: str, text: object) -> int:
    found = PERIOD.fullmatch(text) if isinstance(text, str) else None
    if found is None or not int(found[1]):
        raise InputError(
            f'{FILE}, [retention] {name}: a time was expected, as "24 months" or "7 years", and there was {text!r}.'
        )
    return int(found[1]) * MONTHS[found[2]]


def _told(target: str, section: str) -> dict[str, Any]:
    """Return a section of the settings; empty where there is none."""
    folder = folder_of(target)
    file = None if folder is None else folder / FILE
    if file is None or not file.exists():
        return {}
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read as TOML: {error}. Mend it, or take it away.") from error
    unknown = [
        *({*told} - {*SETTINGS}),
        *(name for name, known in SETTINGS.items() for name in _unknown(name, told.get(name, {}), known)),
    ]
    if unknown:
        there = "; ".join(f"{' and '.join(known)} in [{name}]" for name, known in SETTINGS.items())
        raise InputError(f"{file}: there is no setting {sorted(unknown)[0]!r}. There are {there}.")
    return dict(told.get(section, {}))


def _unknown(name: str, told: object, known: tuple[str, ...]) -> list[str]:
    return [*({*told} - {*known})] if isinstance(told, dict) else [name]
