"""Every question has a page as its answer; what goes wrong on purpose is one paragraph in it, never a traceback."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from tradelake.app.asked import PAGES, Asked
from tradelake.app.campaigns import chains_page
from tradelake.app.door import Door, Opened
from tradelake.app.holdings import history_page, positions_page
from tradelake.app.keeping import accounts_page, archive_page, breaks_page, nights_page
from tradelake.app.profit import profit_page
from tradelake.app.views import Block, View, nothing
from tradelake.book import sessions_between
from tradelake.errors import TradelakeError

MAKERS: dict[str, Callable[[Opened, Asked], View]] = {
    "positions": positions_page,
    "history": history_page,
    "chains": chains_page,
    "pnl": profit_page,
    "accounts": accounts_page,
    "breaks": breaks_page,
    "archive": archive_page,
    "nights": nights_page,
}
COMMITS_SHOWN = 500
EMPTY = (
    "The log of this book is empty. Record something first, in a terminal: tradelake import ibkr-flex STATEMENT.xml, "
    "or tradelake import executions fills.csv."
)
FIRST_DAYS = (
    "SELECT min(open_date) AS first FROM (SELECT open_date FROM positions UNION ALL SELECT open_date FROM history)"
)


@dataclass(frozen=True, slots=True)
class Known:
    """What the controls offer: accounts, strategies, sessions to look back to, and commits (words and instant)."""

    accounts: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    days: tuple[date, ...] = ()
    commits: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Shown:
    """A page with what its controls offer, and where the book stands."""

    asked: Asked
    view: View
    known: Known
    standing: str


def shown(door: Door, asked: Asked) -> Shown:
    """Return the page that is the answer; where the book cannot be read, a page that says why."""
    try:
        with door.opened() as opened:
            known = opened.once(("known",), lambda _: known_of(opened))
            standing = f"{opened.book.url}, at event {opened.book.sequence:,}"
            try:
                view = MAKERS[asked.page](opened, asked)
            except TradelakeError as error:
                view = problem(PAGES[asked.page], error)
            if not opened.book.sequence and not view.note:
                view = replace(view, note=EMPTY)
            return Shown(asked, view, known, standing)
    except TradelakeError as error:
        return Shown(asked, problem("The book cannot be read", error), Known(), "")


def problem(title: str, error: TradelakeError) -> View:
    """Return a page that says what went wrong."""
    return View(title, "", (), (Block("What is wrong", (nothing(str(error)),), anchor="problem"),))


def known_of(opened: Opened) -> Known:
    """Return what the controls offer."""
    book = opened.book
    first = book.sql(FIRST_DAYS).pl()["first"].item()
    today = book.now.date()
    days = sessions_between(first, today) if first is not None and first < today else ()
    runs = book.runs().sort("import_run_id", descending=True).head(COMMITS_SHOWN)
    return Known(
        accounts=tuple(book.accounts()["account_id"]),
        strategies=tuple(book.strategies()["strategy_id"]),
        days=tuple(days),
        commits=tuple(commit_words(runs)),
    )


def commit_words(runs: pl.DataFrame) -> list[tuple[str, str]]:
    """Return each commit in words, and the instant at which it was known."""
    columns = ("import_run_id", "recorded_at", "source", "file_name")
    return [
        (f"{at:%Y-%m-%d %H:%M:%S} UTC, commit {run}: {file or source}", at.isoformat())
        for run, at, source, file in runs.select(columns).iter_rows()
    ]
