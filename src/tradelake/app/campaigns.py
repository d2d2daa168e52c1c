"""The page of chains, each drawn on a common line of time, and the positions of the one that is opened."""

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from tradelake.app.asked import Asked
from tradelake.app.door import Opened
from tradelake.app.timeline import Span, timeline
from tradelake.app.views import Block, Card, Rows, View, count_line, ids, money_lines, nothing, turned
from tradelake.errors import ArchivedError
from tradelake.outputs.layouts import LAYOUTS, contract_label

# Chains are made of all positions of an account: of a book with more events than this, one account at a time.
EVENTS_AT_ONCE = 50_000


def chains_page(opened: Opened, asked: Asked) -> View:
    """Return the chains, a page of them on a line of time and as a table, and what the opened one consists of."""
    asked, note = one_account(opened, asked)
    try:
        rows = chains(opened, asked)
    except ArchivedError as error:
        return View("Chains", note, (), (Block("Chains", (nothing(str(error)),)),))
    sums = rows.group_by("currency").agg(pl.col("realized_pnl", "net_credit").sum()).sort("currency")
    is_open = pl.col("status") == "OPEN"
    cards = (
        Card("Chains", count_line(rows.height), f"{rows.filter(is_open).height:,} of them open"),
        Card("Realized", money_lines(sums, "realized_pnl", profit=True)),
        Card("Net credit", money_lines(sums, "net_credit", profit=True), "premium received less paid"),
        Card("Rolls", count_line(int(rows["rolls"].sum())), f"{int(rows['assignments'].sum()):,} assignments"),
    )
    if not rows.height:
        return View("Chains", note, cards, (Block("Chains", (nothing("No chains."),)),))
    shown, number = turned(rows.sort("opened_at", "chain_id", descending=[True, False]), asked.number)
    table = Rows(
        "chains", "Chains", shown, "chains", key="open", opens=ids(shown, "chain_id"), total=rows.height, number=number
    )
    until = today(opened, asked)
    drawn = timeline(spans_of_chains(shown, until), until)
    blocks = [Block("On the line of time", (drawn,)), Block("Chains", (table,), f"{rows.height:,}")]
    if asked.open:
        blocks.insert(0, one_chain(opened, asked, rows.filter(chain_id=asked.open), until))
    return View("Chains", note, cards, tuple(blocks))


def one_account(opened: Opened, asked: Asked) -> tuple[Asked, str]:
    """Return the question, of one account where the book is too large for all at once, and what to say of that."""
    if asked.account or opened.book.sequence <= EVENTS_AT_ONCE:
        return asked, ""
    names = opened.once(("accounts",), lambda book: book.accounts())["account_id"].to_list()
    note = f"A book of this size shows the chains of one account at a time: here those of {names[0]}."
    return replace(asked, account=names[0]), note


def chains(opened: Opened, asked: Asked) -> pl.DataFrame:
    """Return the chains that a question asks for."""
    filters = asked.filters
    rows = opened.once(("chains", *filters.values()), lambda book: book.chains(**filters))
    return rows.filter(status=asked.status) if asked.status in ("OPEN", "CLOSED") else rows


def one_chain(opened: Opened, asked: Asked, found: pl.DataFrame, until: date) -> Block:
    """Return the chain that is opened: its positions on a line of time and as a table."""
    if not found.height:
        return Block("Chain", (nothing("This chain is not there now, or not under these filters."),), closes=("open",))
    row = found.row(0, named=True)
    of_account = {"account": row["account_id"], **asked.state}
    every = opened.once(("chain positions", *of_account.values()), lambda book: book.chain_positions(**of_account))
    mine = every.filter(chain_id=row["chain_id"]).sort("opened_at", "position_id")
    title = f"{row['name'] or row['label'].replace('_', ' ')} on {row['symbol'] or 'several'} in {row['account_id']}"
    layout = tuple(column for column in LAYOUTS["chain-positions"] if column.heading not in ("chain", "account"))
    parts = (timeline(spans_of_positions(mine, until), until), Rows("chain-positions", "Its positions", mine, layout))
    return Block(title, parts, f"{mine.height:,} positions", closes=("open",), anchor="chain")


def spans_of_chains(rows: pl.DataFrame, until: date) -> list[Span]:
    """Return what is drawn of chains."""
    return [
        _span(row, f"{row['symbol'] or ''} {row['name'] or row['label'].replace('_', ' ')}", row["account_id"], until)
        for row in rows.iter_rows(named=True)
    ]


def spans_of_positions(rows: pl.DataFrame, until: date) -> list[Span]:
    """Return what is drawn of the positions of a chain."""
    named = rows.with_columns(contract_label().alias("called"))
    return [_span(row, row["called"], row["side"].lower(), until) for row in named.iter_rows(named=True)]


def _span(row: dict[str, Any], name: str, under: str, until: date) -> Span:
    """Return the life of a chain or position; an open one goes on *until* a day."""
    closed = row["closed_at"]
    return Span(
        name=name.strip(),
        under=under,
        first=row["open_date"],
        last=until if closed is None else closed.date(),
        is_open=closed is None,
        amount=row["realized_pnl"],
        currency=row["currency"],
    )


def today(opened: Opened, asked: Asked) -> date:
    """Return the day up to which open chains are drawn: the one asked for, else today."""
    return date.fromisoformat(asked.as_of) if asked.as_of else opened.book.now.date()
