"""Settings of a book's jobs: what an option says, else the environment, else `tradelake.toml`, else the default."""

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from tradelake.book import BREAK_CLASSES, LOCK_MODES, OPTION_KINDS, RETAINED_TABLES, Lock, Policy, Upkeep, environment
from tradelake.errors import InputError
from tradelake.jobs.configuration import CONFIG, FILE, SETTINGS, Told, folder_of, told_by, variable_of

KEEP_MAX = 100_000
PERIOD = re.compile(r"(\d{1,4}) (month|year)s?")
MONTHS = {"month": 1, "year": 12}
RULES = (*BREAK_CLASSES, *OPTION_KINDS)
KEPT = {
    "keep_versions_days": ("versions", timedelta(days=1)),
    "keep_files_days": ("files", timedelta(days=1)),
    "keep_orphans_hours": ("orphans", timedelta(hours=1)),
}
REPORTS = "reports"
LISTED = pl.Schema({"setting": pl.String, "value": pl.String, "source": pl.String, "variable": pl.String})


def reports_folder(target: str) -> Path | None:
    """Return where nightly reports are kept: what the settings say, else `reports` in the book's folder.

    A path begins at that folder; of a book on a server at the folder of the file that TRADELAKE_CONFIG names, else
    here. None for a book on a server of which nothing is said.
    """
    folder, told = folder_of(target), told_by(target, "nightly").get("reports")
    if told is None:
        return None if folder is None else folder / REPORTS
    named = os.environ.get(CONFIG)
    base = folder or (Path(named).expanduser().parent if named else Path())
    return base / Path(_text(told)).expanduser()


def rules_of(target: str) -> list[str]:
    """Return the classes of breaks and kinds of proposals whose events the settings allow to be booked.

    Raises InputError for one that there is not.
    """
    told = told_by(target, "nightly").get("apply")
    return [] if told is None else _rules(told)


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
    told = told_by(target, "maintenance")
    options = {"keep_versions_days": versions, "keep_files_days": files, "keep_orphans_hours": orphans}
    told |= {name: _option(name.rpartition("_")[0], value) for name, value in options.items() if value is not None}
    keep = Upkeep()
    for name, each in told.items():
        field, unit = KEPT[name]
        keep = replace(keep, **{field: _number(each) * unit})
    return keep


def policy_of(target: str, *, hot: str | None = None, cold: str | None = None) -> Policy:
    """Return the policy of retention: what is given here, else what the settings say.

    Raises InputError for a time that is none, a cold time that ends before the hot one, and where nothing is said.
    """
    told = told_by(target, "retention")
    told |= {name: _option(name, text) for name, text in (("hot", hot), ("cold", cold)) if text is not None}
    months = {name: _months(each) for name, each in told.items() if name != "lock"}
    if not months:
        raise InputError(
            f'There is no policy of retention. Write it into {FILE} of the book, [retention] hot = "24 months" and '
            'cold = "7 years", or give --hot and --cold.'
        )
    kept = {name: months.get(name, months.get("cold")) for name in RETAINED_TABLES}
    cold_months = {name: number for name, number in kept.items() if number is not None}
    for name, number in cold_months.items():
        if number < months.get("hot", 0):
            where = told.get(name) or told["cold"]
            raise InputError(
                f"{where.name}: {name} would be deleted {number} months after its month, while it is hot for "
                f"{months['hot']}. Both count from the end of the month: let cold be longer."
            )
    return Policy(hot=months.get("hot"), cold=cold_months, lock=_lock(told["lock"]) if "lock" in told else None)


def lock_of(target: str) -> Callable[[date, str | None], Lock | None]:
    """Return under which lock the settings want objects of a month and table to be put."""
    return policy_of(target).lock_of if "lock" in told_by(target, "retention") else Policy().lock_of


def _option(name: str, value: object) -> Told:
    option = f"--{name.replace('_', '-')}"
    return Told(value, option, option)


def _expected(told: Told, what: str) -> InputError:
    return InputError(f"{told.name}: {what} was expected, and there was {told.value!r}.")


def _text(told: Told) -> str:
    if not isinstance(told.value, str):
        raise InputError(f"{told.name}: a folder was expected, as text, and there was {told.value!r}.")
    return told.value


def _rules(told: Told) -> list[str]:
    if not isinstance(told.value, list):
        raise InputError(f'{told.name}: a list was expected, as ["expire"], and there was {told.value!r}.')
    return known_rules(told.value, where=told.name)


def _number(told: Told) -> float:
    value = told.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= KEEP_MAX:
        raise InputError(f"{told.name}: a number was expected, as 7, and there was {value!r}.")
    return value


def _months(told: Told) -> int:
    found = PERIOD.fullmatch(told.value) if isinstance(told.value, str) else None
    if found is None or not int(found[1]):
        raise InputError(
            f'{told.name}: a time was expected, as "24 months" or "7 years", and there was {told.value!r}.'
        )
    return int(found[1]) * MONTHS[found[2]]


def _lock(told: Told) -> str:
    if told.value not in LOCK_MODES:
        raise _expected(told, " or ".join(LOCK_MODES))
    return str(told.value)


READ: dict[str, Callable[[Told], Any]] = {"apply": _rules, "reports": _text, "lock": _lock} | dict.fromkeys(
    KEPT, _number
)


def problems_of(target: str) -> list[str]:
    """Return what is wrong with the settings of a book, a sentence each, whoever has told them."""
    found = []
    try:
        told = {section: told_by(target, section) for section in SETTINGS}
    except InputError as error:
        return [str(error)]
    for settings in told.values():
        for name, each in settings.items():
            try:
                READ.get(name, _months)(each)
            except InputError as error:
                found.append(str(error))
    if told["retention"] and not found:
        try:
            policy_of(target)
        except InputError as error:
            found.append(str(error))
    return found


def listed(target: str) -> pl.DataFrame:
    """Return every setting of a book, and what else of the environment is read and set.

    Columns: setting, value (null where there is none; of a secret only that it is set), source (a file, a variable or
    default), variable. Raises InputError where the file cannot be read.
    """
    keep = Upkeep()
    defaults: dict[str, str | None] = {
        name: _shown(getattr(keep, field) / unit) for name, (field, unit) in KEPT.items()
    }
    defaults |= {"reports": None if folder_of(target) is None else REPORTS}
    rows = []
    for section, names in SETTINGS.items():
        told = told_by(target, section)
        for name in names:
            each = told.get(name)
            value = defaults.get(name) if each is None else _shown(each.value)
            source = "default" if each is None else each.source
            rows.append((f"{section}.{name}", value, source, variable_of(section, name)))
    rows += [(name, value, "environment", name) for name, value in environment().items()]
    return pl.DataFrame(rows, schema=LISTED, orient="row")


def _shown(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
