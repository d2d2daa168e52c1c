"""The prices in the open positions of a Flex statement: marks of the session that they were reported for.

A row tells the price of its contract whatever is held of it, so that sums and lots, and the rows of several accounts,
repeat one price: the first that can be read counts, sums before lots. The day is the row's own, else the last one of
its statement; where that is no session, the session before it is meant, since nothing was traded in between.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from tradelake import sessions
from tradelake.intake import check
from tradelake.intake import ibkr_values as values
from tradelake.intake.fields import ROW, Field
from tradelake.intake.ibkr_decisions import Decision, bad_timestamp, reject
from tradelake.intake.ibkr_rows import common
from tradelake.intake.ibkr_terms import CASH, UNSUPPORTED, terms_of
from tradelake.intake.numbers import WHOLE_DIGITS_MAX, explain_number
from tradelake.intake.parsed import MARKED
from tradelake.intake.rules import Finding
from tradelake.units import MONEY_SCALE

if TYPE_CHECKING:
    from tradelake.intake.ibkr_values import Clock
    from tradelake.intake.ibkr_xml import Document, Row

SECTION = "OpenPositions"
PRICE = Field("markPrice", "money", "Price at the close")
PRICE_PATTERN = re.compile(rf"0*[0-9]{{1,{WHOLE_DIGITS_MAX}}}(\.[0-9]{{1,{MONEY_SCALE}}}0*)?")
# A price is resolved to its instrument as a trade of it is: this one is no event, and nobody sees it.
TRADE = {
    "kind": "trade", "broker_account_id": "-", "action": "BUY", "executed_at": "1990-01-02T12:00:00Z", "quantity": "1",
    "price": "1", "commission": "0", "fees": "0",
}  # fmt: skip


def position_marks(
    document: "Document", clock: "Clock", renamed: Mapping[str, str], *, name: str
) -> tuple[pl.DataFrame, dict[int, Decision]]:
    """Return the marks of a statement (`parsed.MARKED`), and rejects of the rows whose price or day cannot be read.

    `renamed` has the instruments of the contracts that the statement's own corporate actions brought in. Rows of assets
    that a book does not hold, and rows without a price or a day, are no marks.
    """
    told: list[tuple[int, date, str]] = []
    trades: list[dict[str, str | int | None]] = []
    rejects: dict[int, Decision] = {}
    for row, last_day in _rows(document):
        terms = terms_of(row, clock)
        if terms.asset_type in (UNSUPPORTED, CASH) or not row.get("markPrice"):
            continue
        read = _price_and_day(row, last_day, clock)
        if isinstance(read, Decision):
            rejects[row.number] = read
        elif read is not None:
            told.append((row.number, *read))
            trades.append({ROW: row.number, **common(row, terms), **TRADE})
    return _resolved(told, trades, renamed, name=name), rejects


def renamed_contracts(document: "Document", decisions: Mapping[int, Decision], events: pl.DataFrame) -> dict[str, str]:
    """Return the instrument of each contract that a corporate action brought in, as the action's event names it.

    The positions may list it under its later symbol, which no row of the statement explains.
    """
    new = events.filter(pl.col("new_instrument_id").is_not_null())
    by_row = dict(new.select("source_row", "new_instrument_id").iter_rows())
    renamed = {}
    for row in document.rows:
        owner = decisions[row.number].owner or row.number
        comes_in = (values.exact(row.get("quantity"), 8) or 0) > 0
        if row.section == "CorporateActions" and owner in by_row and comes_in and row.get("conid"):
            renamed[row.get("conid")] = by_row[owner]
    return renamed


def _rows(document: "Document") -> Iterator[tuple["Row", str]]:
    """Yield the positions with the last day of their statement, sums before lots."""
    found = [
        (row, frame.attributes.get("toDate", ""))
        for frame in document.frames
        if frame.last
        for row in document.rows[frame.first - 1 : frame.last]
        if row.section == SECTION
    ]
    yield from sorted(found, key=lambda pair: pair[0].get("levelOfDetail").upper() == "LOT")


def _price_and_day(row: "Row", last_day: str, clock: "Clock") -> tuple[date, str] | Decision | None:
    field = "reportDate" if row.get("reportDate") else "toDate"
    text = row.get("reportDate") or last_day
    found, price = clock.day(text), values.number(row.get("markPrice"))
    if text and found is None:
        return bad_timestamp(row, field)
    if finding := _finding(price):
        return reject(finding.code, finding.message, field="markPrice", value=price, action=finding.action)
    day = date.fromisoformat(found) if found else None
    if day is None or not sessions.FIRST <= day <= sessions.LAST:
        return None
    return sessions.session_on_or_before(day), price


def _finding(price: str) -> Finding | None:
    if price.startswith("-") and PRICE_PATTERN.fullmatch(price[1:]):
        text = f"markPrice asks for zero or more, and there was {price}."
        return Finding("negative_price", text, "Compare the row with the broker; the position itself is kept.")
    return None if PRICE_PATTERN.fullmatch(price) else explain_number(PRICE, price)


def _resolved(
    told: list[tuple[int, date, str]],
    trades: list[dict[str, str | int | None]],
    renamed: Mapping[str, str],
    *,
    name: str,
) -> pl.DataFrame:
    """Return the marks of rows whose contract can be named as that of a trade."""
    if not told:
        return pl.DataFrame(schema=MARKED)
    text = {field: pl.String() for field in trades[0] if field != ROW}
    read, _ = check.validate(pl.DataFrame(trades, schema={ROW: pl.Int64(), **text}), source=name)
    prices = pl.DataFrame(
        told, schema={"source_row": pl.Int64(), "mark_date": pl.Date(), "price": pl.String()}, orient="row"
    )
    order = prices.select("source_row")
    known = read.select("source_row", "instrument_id", "broker_contract_id", "currency")
    rows = order.join(known, on="source_row", how="inner", maintain_order="left").join(prices, on="source_row")
    nothing = pl.lit(None, dtype=pl.String)
    marks = rows.select(
        pl.coalesce(
            pl.col("broker_contract_id").replace_strict(renamed, default=None, return_dtype=pl.String), "instrument_id"
        ).alias("instrument_id"),
        pl.col("source_row", "broker_contract_id", "mark_date", "currency"),
        pl.col("price").cast(MARKED["price"]),
        contract_symbol=nothing,
        symbol=nothing,
    )
    return marks.unique(["instrument_id", "mark_date"], keep="first", maintain_order=True).select(MARKED.names())
