"""What is behind one position: lots, matches, events, and the broker's own rows of an event, word by word."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from tradelake.app.asked import Asked
from tradelake.app.door import Opened
from tradelake.app.views import Block, Rows, ids, nothing
from tradelake.errors import ArchivedError, InputError
from tradelake.outputs.layouts import LAYOUTS, Shown, contract_label
from tradelake.outputs.report.grid import sign_class
from tradelake.outputs.report.markup import Html, element, join
from tradelake.outputs.table import cell_text
from tradelake.units import MONEY_SCALE, plain

EVENTS_MAX = 200
OF_POSITION = (
    "quantity", "quantity_closed", "average_price", "average_price_ex_fees", "cost_basis", "charges", "premium",
    "mark_price", "mark_date", "market_value", "unrealized_pnl", "proceeds", "cost", "realized_pnl", "currency",
    "opened_at", "closed_at",
)  # fmt: skip
TRADES = tuple(column for column in LAYOUTS["trades"] if column.heading != "account")


def behind(opened: Opened, asked: Asked, found: pl.DataFrame, *, is_open: bool) -> list[Block]:
    """Return what is behind a position: lots, matches, events, and the broker's own rows of the event asked for."""
    if not found.height:
        text = "This position is not there now, or not under these filters."
        return [Block("Position", (nothing(text),), closes=("open", "event"))]
    row = found.row(0, named=True)
    title = f"{found.select(contract_label()).item()} in {row['account_id']}"
    only: dict[str, Any] = {"account": row["account_id"], "symbol": row["instrument_id"], **asked.state}
    mine = pl.col("position_id") == row["position_id"]
    lots = opened.book.lots(**only).filter(mine) if is_open else None
    matches = opened.book.matches(**only).filter(mine)
    parts: list[Html | Rows] = [fields_of({name: row.get(name) for name in OF_POSITION})]
    if lots is not None:
        parts += [element("h3", "Lots"), _listed("lots", "Open lots", lots, _without(LAYOUTS["lots"]))]
    parts += [element("h3", "Matches"), _listed("matches", "Closures of lots", matches, _without(LAYOUTS["matches"]))]
    parts += [element("h3", "Events"), *events_of(opened, asked, row, _named(row, lots, matches))]
    blocks = [Block(title, tuple(parts), closes=("open", "event"), anchor="behind")]
    return [*blocks, event_block(opened, asked.event)] if asked.event else blocks


def events_of(opened: Opened, asked: Asked, row: dict[str, Any], named: set[str]) -> list[Html | Rows]:
    """Return the events of a position: those of its instrument since it was opened, until it was flat again.

    *named* are trade ids that its lots and matches name: an assignment of an option opens a position in its stock.
    """
    family = row["symbol"] or row["instrument_id"]
    try:
        events = opened.book.trades(account=row["account_id"], symbol=family, **asked.state)
    except ArchivedError as error:
        return [nothing(str(error))]
    at = pl.col("executed_at")
    until = pl.lit(value=True) if row["closed_at"] is None else at <= row["closed_at"]
    own = (pl.col("instrument_id") == row["instrument_id"]) & (at >= row["opened_at"]) & until
    events = events.filter(own | pl.col("trade_id").is_in(list(named)))
    if not events.height:
        return [nothing("No event of its own: it came here with an event of another account or of every account.")]
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
        parts += [element("p", where, class_="note"), record_of(record["text"])]
    if not told.records.height:
        parts.append(nothing("The source gave no row for it."))
    parts += [element("h3", "As the log has it"), fields_of(told.event.row(0, named=True))]
    parts += [element("h3", "Recorded with"), Rows("runs", "Commits", told.commits, "runs")]
    if told.cures.height:
        parts += [element("h3", "Cures"), fields_of(told.cures.row(0, named=True))]
    return Block(title, tuple(parts), closes=("event",), anchor="event")


def record_of(text: str) -> Html:
    """Return a raw record: field by field where it is a JSON object, else line by line as it is."""
    try:
        # Numbers stay as they are written.
        given = json.loads(text, parse_float=str, parse_int=str)
    except ValueError:
        given = None
    if isinstance(given, dict):
        return fields_of(given)
    lines = (join([line, element("br")]) for line in text.splitlines())
    return element("pre", *lines, class_="raw")


def fields_of(row: dict[str, Any]) -> Html:
    """Return the fields of a row that have a value, each with its name; numbers exactly, and written as in tables."""
    pairs = [
        element("div", element("dt", _words(name)), _field(name, value))
        for name, value in row.items()
        if value not in (None, "") and name != "row_check"
    ]
    return element("dl", *pairs, class_="fields")


def _words(name: str) -> str:
    words = name.replace("_", " ")
    return f"{words.removesuffix(' pnl')} P&L" if words.endswith(" pnl") else words


def _field(name: str, value: object) -> Html:
    if isinstance(value, Decimal):
        text = cell_text(plain(value), "money" if value.as_tuple().exponent == -MONEY_SCALE else "number")
        sign = sign_class(text) if name.endswith("_pnl") else ""
        return element("dd", "+" if sign == "pos" else "", text, class_=sign)
    if isinstance(value, datetime):
        return element("dd", f"{value:%Y-%m-%d %H:%M:%S} UTC")
    return element(
        "dd", value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False).strip('"')
    )


def _listed(name: str, caption: str, rows: pl.DataFrame, layout: tuple[Shown, ...]) -> Html | Rows:
    return Rows(name, caption, rows, layout) if rows.height else nothing("None.")


def _without(layout: tuple[Shown, ...]) -> tuple[Shown, ...]:
    return tuple(column for column in layout if column.heading not in ("account", "contract"))


def _named(row: dict[str, Any], lots: pl.DataFrame | None, matches: pl.DataFrame) -> set[str]:
    """Return the trade ids that a position, its lots and its matches name."""
    named = {row["open_trade_id"], *matches["open_trade_id"], *matches["close_trade_id"]}
    return named if lots is None else named | set(lots["open_trade_id"])
