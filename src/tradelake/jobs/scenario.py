"""Scenarios: events with their expected answers, run through a fresh book by its public doors.

A scenario file is YAML with a list `scenarios`. Each is recorded into a book of its own with `Book.record`, asked
through the readers, and compared with its `expected` section. Nothing here computes an answer.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tradelake.book import Book, Receipt, create
from tradelake.errors import InputError, TradelakeError
from tradelake.jobs.answers import answers
from tradelake.jobs.compare import compare
from tradelake.jobs.wording import execution, executions

__all__ = ["check", "execution", "executions", "feed", "load", "run"]

RIGHTS = {"C": "CALL", "P": "PUT"}


def run(paths: Iterable[str | Path], *, verbose: bool = True) -> int:
    """Run every scenario of the files, print a line for each with its differences; return 1 when one differs.

    The last line is `N of M scenarios pass`. Raises InputError for a file that holds no scenarios.
    """
    passed = count = 0
    for scenario in load(paths):
        count += 1
        differences = check(scenario)
        passed += not differences
        if verbose or differences:
            print(f"{'pass' if not differences else 'FAIL'}  {scenario['id']}  {scenario.get('title', '')}")
        for difference in differences:
            print(f"      {difference}")
    print(f"{passed} of {count} scenarios pass")
    return 0 if passed == count else 1


def load(paths: Iterable[str | Path]) -> Iterator[dict[str, Any]]:
    """Yield the scenarios of the files in order; InputError where a file is not readable as scenarios."""
    for path in paths:
        try:
            content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(f"{path}: no scenarios can be read: {error}") from error
        if not isinstance(content, dict) or not isinstance(content.get("scenarios"), list):
            raise InputError(f"{path}: a scenario file is a mapping with a list named scenarios.")
        yield from content["scenarios"]


def check(scenario: Mapping[str, Any]) -> list[str]:
    """Return the differences between what the scenario expects and what a fresh book answers."""
    with tempfile.TemporaryDirectory(prefix="tradelake-scenario-") as folder:
        try:
            with create(Path(folder) / "book") as book:
                got = answers(book, scenario, *feed(book, scenario))
        except TradelakeError as error:
            return [f"the book stopped: {type(error).__name__}: {error}"]
    return compare(scenario.get("expected") or {}, got)


def feed(book: Book, scenario: Mapping[str, Any]) -> tuple[Receipt, Receipt]:
    """Record a scenario's accounts, instruments and events; return the receipts of instruments and events."""
    book.add_accounts(list(_accounts(scenario)))
    instruments = book.add_instruments(list(_instruments(scenario["instruments"])))
    events = book.record(executions(scenario["events"]), source=str(scenario["id"]))
    return instruments, events


def _accounts(scenario: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, given in scenario["accounts"].items():
        account = given or {}
        row = {"account_id": name, "lot_method": account.get("lot_method") or scenario.get("lot_method") or "FIFO"}
        if account.get("parent"):
            row["parent_account_id"] = account["parent"]
        yield row


def _instruments(given: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for name, terms in given.items():
        row: dict[str, Any] = {"instrument_id": name, "asset_type": str(terms.get("type"))}
        if terms.get("type") == "option":
            row |= {
                "underlying_instrument_id": terms.get("underlying"),
                "symbol": terms.get("underlying"),
                "expiration": terms.get("expiry"),
                "strike": terms.get("strike"),
                "option_type": RIGHTS.get(terms.get("right", ""), terms.get("right")),
                "multiplier": terms.get("multiplier"),
                "settlement": terms.get("settlement"),
                "exercise_style": terms.get("style"),
            }
            if terms.get("deliverable"):
                row["deliverable"] = [_part(part) for part in terms["deliverable"]]
        yield row


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    return {"instrument_id" if key == "instrument" else key: value for key, value in part.items()}
