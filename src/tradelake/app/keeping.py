"""The pages of what keeps the book: accounts and forks, breaks and their life, the archive, the nightly runs."""

from dataclasses import replace
from typing import Any

import polars as pl

from tradelake.app.asked import STATUSES, Asked
from tradelake.app.door import Opened
from tradelake.app.maps import account_tree, life_of, month_map, night_strip
from tradelake.app.views import Block, Card, Rows, View, count_line, ids, money_lines, nothing, turned
from tradelake.book import break_text, report_from_json, standing, verdict
from tradelake.errors import InputError
from tradelake.outputs.layouts import LAYOUTS, Shown
from tradelake.outputs.report.markup import Html, element, join

MOVES = ("fork", "merge")
MOVE_LAYOUT: tuple[Shown, ...] = (
    Shown("date", pl.col("trade_date")),
    Shown("what", pl.col("kind")),
    Shown("from", pl.col("account_id")),
    Shown("to", pl.col("to_account_id")),
    Shown("event", pl.col("trade_id")),
    Shown("reason", pl.col("reason"), "prose", rare=True),
)
MONTH_LAYOUT: tuple[Shown, ...] = (
    Shown("month", pl.col("month").dt.strftime("%Y-%m")),
    Shown("hot events", pl.col("hot"), "number"),
    Shown("cold events", pl.col("cold"), "number"),
    Shown("cold bytes", pl.col("bytes"), "number"),
)
FILE_LAYOUT = tuple(
    replace(column, kind="prose") if column.heading == "manifest" else column for column in LAYOUTS["archives"]
)
NIGHTS_SHOWN = 120
WORDS = {"done": "All clear", "problems": "Needs a look", "failed": "Failed"}


def accounts_page(opened: Opened, asked: Asked) -> View:
    """Return the accounts as a tree of forks, each with what it has realized and last closed with, and the moves."""
    accounts = opened.once(("accounts",), lambda book: book.accounts())
    profits = opened.once(("pnl", "account", *[None] * 5), lambda book: book.pnl(["account"]))
    closes = opened.once(("last snapshots",), lambda book: book.account_snapshots(last=True))
    cards = (
        Card("Accounts", count_line(accounts.height), _of(accounts, "broker_account_id", "brokerage account")),
        Card("Forks", count_line(accounts["parent_account_id"].count()), "accounts with a parent"),
        Card("Net liquidation", money_lines(_worth(closes), "net_liquidation", profit=False), _close_day(closes)),
    )
    if not accounts.height:
        return View("Accounts", "", cards, (Block("Account tree", (nothing("No accounts yet."),)),))
    moves = opened.once(("moves",), lambda book: book.trades(kinds=MOVES))
    shown, number = turned(accounts, asked.number)
    listed = Rows("accounts", "Accounts", shown, "accounts", total=accounts.height, number=number)
    moved: Html | Rows = nothing("No account was forked or merged by an event.")
    if moves.height:
        moved = Rows("moves", "Forks and merges", moves.tail(100), MOVE_LAYOUT)
    blocks = (
        Block("Account tree", (account_tree(accounts, profits, closes),), f"{accounts.height:,}"),
        Block("Forks and merges", (moved,)),
        Block("All accounts", (listed,)),
    )
    return View("Accounts", "", cards, blocks)


def breaks_page(opened: Opened, asked: Asked) -> View:
    """Return the breaks with the broker, and the life of the one that is opened."""
    status = None if asked.status in ("", STATUSES["breaks"][0]) else asked.status
    only: dict[str, Any] = {"account": asked.account or None, "as_known": asked.as_known or None}
    rows = opened.book.breaks(status=status, **only)
    every = opened.book.breaks(status="all", **only)
    by_status = dict(every.group_by("status").len().rows())
    words = ", ".join(f"{by_status[name]:,} {name.lower()}" for name in STATUSES["breaks"][1:-1] if name in by_status)
    ages = every.filter(pl.col("status") != "RESOLVED")["age"]
    oldest = f"the oldest {max(ages.to_list()):,} sessions" if ages.len() else "none with the broker"
    cards = (
        Card("Not resolved", count_line(ages.len()), oldest),
        Card("Breaks in all", count_line(every.height), words),
    )
    shown, number = turned(rows, asked.number)
    table: Html | Rows = nothing("No such breaks.", good=not status)
    if rows.height:
        table = Rows(
            "breaks",
            "Breaks",
            shown,
            "breaks",
            key="open",
            opens=ids(shown, "break_id"),
            total=rows.height,
            number=number,
        )
    blocks = [Block("Breaks", (table,), f"{rows.height:,}" if rows.height else "")]
    if asked.open:
        blocks.insert(0, one_break(opened, asked))
    return View("Breaks with the broker", "", cards, tuple(blocks))


def one_break(opened: Opened, asked: Asked) -> Block:
    """Return the life of a break: its steps on a line, as a table, and both sides in words."""
    title = f"Break {asked.open}"
    try:
        steps = opened.book.break_history(asked.open, as_known=asked.as_known or None)
    except InputError as error:
        return Block(title, (nothing(str(error)),), closes=("open",))
    said = [join([line, element("br")]) for line in break_text(steps.row(-1, named=True)).splitlines()]
    parts = (
        life_of(steps),
        Rows("break-history", "Its life", steps, LAYOUTS["break-history"]),
        element("h3", "In words"),
        element("pre", *said, class_="raw"),
    )
    return Block(title, parts, closes=("open",), anchor="break")


def archive_page(opened: Opened, _asked: Asked) -> View:
    """Return which months of the log are hot, in the book, and which are cold, in the archive."""
    months = opened.once(("months",), lambda book: book.months())
    cold = months.filter(pl.col("cold") > 0)
    cards = (
        Card(
            "Hot events", count_line(int(months["hot"].sum())), f"in {months.filter(pl.col('hot') > 0).height} months"
        ),
        Card("Cold events", count_line(int(months["cold"].sum())), f"in {cold.height} months"),
        Card("Cold bytes", count_line(int(months["bytes"].sum())), "in cold storage"),
    )
    if not months.height:
        return View("Archive", "", cards, (Block("Months", (nothing("The log has no events yet."),)),))
    parts = opened.once(("archives",), lambda book: book.archives())
    files: Html | Rows = nothing("Nothing is archived: every month is in the book.")
    if parts.height:
        files = Rows("archives", "Files in cold storage", parts.tail(200), FILE_LAYOUT)
    blocks = (
        Block("Months", (month_map(months),)),
        Block("Months in numbers", (Rows("months", "Months of the log", months.reverse(), MONTH_LAYOUT),)),
        Block("Files in cold storage", (files,), f"{parts.height:,}" if parts.height else ""),
    )
    return View("Archive", "", cards, blocks)


def nights_page(opened: Opened, asked: Asked) -> View:
    """Return how the nightly runs went, the last one first, and the report of the one that is opened."""
    nights = opened.once(("nights",), lambda book: book.nights()).sort("nightly_date", "run", descending=True)
    newest = nights.unique("nightly_date", keep="first", maintain_order=True)
    if not nights.height:
        text = "No night has run yet: `tradelake nightly` closes a day."
        return View("Nightly runs", "", (), (Block("Nights", (nothing(text),)),))
    last = newest.row(0, named=True)
    report = report_from_json(last["report"])
    cards = (
        Card("Last night", (Html(last["nightly_date"].isoformat()),), WORDS[standing(report)]),
        Card("Nights", count_line(newest.height), f"{nights.height:,} runs"),
        Card("Done at", (Html(f"{last['recorded_at']:%H:%M:%S} UTC"),), f"on {last['recorded_at']:%Y-%m-%d}"),
    )
    shown, number = turned(nights, asked.number)
    keys = tuple(f"{day}/{run}" for day, run in shown.select("nightly_date", "run").iter_rows())
    table = Rows("nights", "Nightly runs", shown, "nights", key="open", opens=keys, total=nights.height, number=number)
    strip = night_strip(newest.head(NIGHTS_SHOWN).reverse())
    blocks = [Block("Nights", (strip, table), f"{newest.height:,}")]
    wanted = asked.open or f"{last['nightly_date']}/{last['run']}"
    return View("Nightly runs", verdict(report), cards, (*blocks, *one_night(nights, wanted)))


def one_night(nights: pl.DataFrame, wanted: str) -> list[Block]:
    """Return what a night's report says of its steps and imports, and what deserved a look."""
    from tradelake.outputs.report.attention import attention
    from tradelake.outputs.report.sections import night_parts

    day, _, run = wanted.partition("/")
    for row in nights.iter_rows(named=True):
        if row["nightly_date"].isoformat() == day and str(row["run"]) == run:
            report = report_from_json(row["report"])
            looks = [element("li", point.text) for point in attention(report)]
            list_ = element("ul", *looks, class_="looks") if looks else nothing("Nothing to look at.", good=True)
            said = (element("p", verdict(report), class_="meta"), element("h3", "To look at"), list_)
            steps = (element("h3", "Steps"), *night_parts(report))
            return [Block(f"Night of {day}, run {run}", (*said, *steps), WORDS[standing(report)], anchor="night")]
    return [Block(f"Night of {wanted}", (nothing("There is no such night."),), closes=("open",))]


def _worth(closes: pl.DataFrame) -> pl.DataFrame:
    value = pl.col("net_liquidation")
    known = pl.when(value.null_count() == 0).then(value.sum()).alias("net_liquidation")
    return closes.group_by("currency").agg(known).sort("currency")


def _close_day(closes: pl.DataFrame) -> str:
    return f"at the close of {closes['snapshot_date'][0]}" if closes.height else "no snapshot yet"


def _of(frame: pl.DataFrame, name: str, noun: str) -> str:
    count = frame[name].n_unique()
    return f"in {count:,} {noun}{'' if count == 1 else 's'}"
