"""Random streams told to a real book, several at once: each in accounts of its own, so that one book serves many."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
from hypothesis import settings
from hypothesis import strategies as st

from tests.laws.direct import Scenario, methods_of
from tests.laws.streams import INSTRUMENTS, streams
from tradelake.book import Book, create, open_book
from tradelake.jobs.scenario import execution, feed

THOROUGH = settings().max_examples >= 60  # the profile of continuous integration
BOOKS = 4 if THOROUGH else 3
FEW = 16 if THOROUGH else 10
TABLES = ("trade_log", "positions", "lots", "matches", "position_history", "cash_flows", "refusals")
MOMENTARY = ("recorded_at", "import_run_id", "source_record_id", "row_check")


def several(*, most: int = 5) -> st.SearchStrategy[Scenario]:
    """One scenario made of several streams; each keeps its events in order and has its own accounts."""
    return st.lists(streams(), min_size=2, max_size=most).map(together)


def together(parts: list[Scenario]) -> Scenario:
    """Put streams into one scenario, their events taken in turn."""
    accounts: dict[str, Any] = {}
    told: list[tuple[int, int, dict[str, Any]]] = []
    for number, part in enumerate(parts):
        accounts |= {f"{name}{number}": {"lot_method": method} for name, method in methods_of(part).items()}
        told += [(turn, number, _moved(event, number)) for turn, event in enumerate(part["events"])]
    events = [event for _, _, event in sorted(told, key=lambda entry: entry[:2])]
    return {"id": "several", "accounts": accounts, "instruments": INSTRUMENTS, "events": events}


def _moved(event: dict[str, Any], number: int) -> dict[str, Any]:
    moved = {**event, "id": f"{event['id']}-{number}", "account": f"{event['account']}{number}"}
    if "lots" in event:
        moved["lots"] = [{**lot, "open": f"{lot['open']}-{number}"} for lot in event["lots"]]
    return moved


@cache
def _pattern() -> "TemporaryDirectory[str]":
    """Return a folder with an empty book, to be copied: much faster than making one for each stream."""
    folder = TemporaryDirectory(prefix="tradelake-pattern-")
    create(Path(folder.name) / "book").close()
    return folder


@contextmanager
def empty_book() -> Iterator[Book]:
    """Open a fresh book."""
    with TemporaryDirectory(prefix="tradelake-law-") as folder:
        place = copytree(Path(_pattern().name) / "book", Path(folder) / "book")
        with open_book(place) as book:
            yield book


def new_book(scenario: Scenario) -> Iterator[Book]:
    """Yield a fresh book that knows the accounts and instruments of the scenario."""
    with empty_book() as book:
        feed(book, {**scenario, "events": []})
        yield book


def record(book: Book, events: list[dict[str, Any]]) -> None:
    """Tell the book some events of a scenario; all of them are well-formed."""
    receipt = book.record([execution(event) for event in events])
    assert receipt.ok, receipt.problems


def tables_of(book: Book) -> dict[str, pl.DataFrame]:
    """Return every table that follows from what was told, without what only says when it was told."""
    return {name: book.sql(f"SELECT * FROM {name} ORDER BY ALL").pl().drop(MOMENTARY, strict=False) for name in TABLES}
