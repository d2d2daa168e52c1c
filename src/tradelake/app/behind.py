"""What is behind one position: lots, matches, events, and the broker's own rows of an event, word by word."""

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from tradelake.app.asked import Asked
from tradelake.app.door import Opened
from tradelake.app.views import Block, Rows, ids, nothing
from tradelake.errors import ArchivedError, InputError
from tradelake.outputs.layouts import LAYOUTS, Shown, contract_label
from tradelake.outputs.report.markup import Html, element

EVENTS_MAX = 200
TRADES = tuple(column for column in LAYOUTS["trades"] if column.heading not in ("account", "contract"))


def behind(opened: Opened, asked: Asked, found: pl.DataFrame, *, is_open: bool) -> list[Block]:
    """Return what is behind a position: lots, matches, events, and the broker's own rows of the event asked for."""
    if not found.height:
        text = "This position is not there now, or not under these filters."
        return [Block("Position", (nothing(text),), closes=("open", "event"))]
    row = found.row(0, named=True)
    title = f"{found.select(contract_label()).item()} in {row['account_id']}"
    only: dict[str, Any] = {"account": row["account_id"], "symbol": row["instrument_id"], **asked.state}
    mine = pl.col("position_id") == row["position_id"]
    lots = opened.book.lots(**only).filter(mine) if is_open else pl.DataFrame()
    matches = opened.book.matches(**only).filter(mine)
    parts: list[Html | Rows] = []
    if is_open:
        parts += [element("h3", "Lots"), _listed("lots", "Open lots", lots, _without(LAYOUTS["lots"]))]
    parts += [element("h3", "Matches"), _listed("matches", "Closures of lots", matches, _without(LAYOUTS["matches"]))]
    parts += [element("h3", "Events"), *events_of(opened, only, row)]
    blocks = [Block(title, tuple(parts), closes=("open", "event"), anchor="behind")]
    return [*blocks, event_block(opened, asked.event)] if asked.event else blocks


def events_of(opened: Opened, only: dict[str, Any], row: dict[str, Any]) -> list[Html | Rows]:
    """Return the events of a position: those of its instrument since it was opened, until it was flat again."""
    try:
        events = opened.book.trades(**only, since=row["open_date"], until=row.get("close_date"))
    except ArchivedError as error:
        return [nothing(str(error))]
    at = pl.col("executed_at")
    until = pl.lit(value=True) if row["closed_at"] is None else at <= row["closed_at"]
    events = events.filter((pl.col("instrument_id") == row["instrument_id"]) & (at >= row["opened_at"]) & until)
    if not events.height:
        return [nothing("No event of this instrument itself: it came from an event of another one.")]
    shown = events.tail(EVENTS_MAX)
    table = Rows("trades", "Events", shown, TRADES, key="event", opens=ids(shown, "trade_id"))
    if events.height == shown.height:
        return [table]
    return [element("p", f"The last {EVENTS_MAX:,} of {events.height:,} events.", class_="note"), table]


def event_block(opened: Opened, trade_id: str) -> Block:
    """Return one event: how the log has it, and the rows of the source word by word."""
    title = f"Event {trade_id}"
    try:
        told = opened.book.trade(trade_id)
    except (ArchivedError, InputError) as error:
        return Block(title, (nothing(str(error)),), closes=("event",), anchor="event")
    parts: list[Html | Rows] = [element("h3", "As the source wrote it")]
    for record in told.records.iter_rows(named=True):
        where = f"{record['section']}, row {record['row_number']:,}: {record['outcome']}"
        parts += [element("p", where, class_="note"), element("pre", readable(record["text"]), class_="raw")]
    if not told.records.height:
        parts.append(nothing("The source gave no row for it."))
    parts += [element("h3", "As the log has it"), fields_of(told.event.row(0, named=True))]
    parts += [element("h3", "Recorded with"), Rows("runs", "Commits", told.commits, "runs")]
    if told.cures.height:
        parts += [element("h3", "Cures"), fields_of(told.cures.row(0, named=True))]
    return Block(title, tuple(parts), closes=("event",), anchor="event")


def readable(text: str) -> str:
    """Return a raw record with one field a line where it is JSON, else as it is."""
    try:
        given = json.loads(text, parse_float=str, parse_int=str)
    except ValueError:
        return text
    return "\n".join(f"{name}: {value}" for name, value in given.items()) if isinstance(given, dict) else text


def fields_of(row: dict[str, Any]) -> Html:
    """Return the fields of a row that have a value, each with its name."""
    pairs: Sequence[Html] = [
        element("div", element("dt", name), element("dd", str(value)))
        for name, value in row.items()
        if value is not None and name != "row_check"
    ]
    return element("dl", *pairs, class_="fields")


def _listed(name: str, caption: str, rows: pl.DataFrame, layout: tuple[Shown, ...]) -> Html | Rows:
    return Rows(name, caption, rows, layout) if rows.height else nothing("None.")


def _without(layout: tuple[Shown, ...]) -> tuple[Shown, ...]:
    return tuple(column for column in layout if column.heading not in ("account", "contract"))
