"""A nightly report as a page: what it says is escaped and exact, and it stands alone and is the same each time."""

import re
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.outputs.nights import (
    BREAKS,
    NIGHT,
    POSITIONS,
    PROPOSALS,
    empty_night,
    equity_rows,
    frame,
    ordinary_night,
    sessions,
)
from tests.outputs.pages import Page, amount, assert_tables_equal_json
from tests.strategies import money
from tradelake.outputs import ImportLine, NightlyReport, Step, report_html, report_json, totals_of, verdict
from tradelake.outputs.report.grid import grid
from tradelake.outputs.report.markup import clean, element
from tradelake.outputs.report.sections import SECTIONS
from tradelake.outputs.report.shown import REPORT_LAYOUTS
from tradelake.outputs.table import ROW_COUNT_MAX, cell_text

HOSTILE = """<script>alert(1)</script><img src=x onerror=alert(2)>"' onload=x </style></svg>--><!-- &amp; {{x}}"""


def named(account: str, symbol: str = "AAPL", text: str = "", sessions_seen: int = 3) -> NightlyReport:
    """Return a night whose names and texts are these."""
    report = ordinary_night()
    equity = report.equity.filter(pl.col("snapshot_date") >= sessions(sessions_seen)[0])
    gen, rename = pl.col("account_id") == "GEN-1", pl.lit(account).alias("account_id")
    return ordinary_night(
        book=text,
        accounts=report.accounts.filter(gen).with_columns(rename),
        totals=totals_of(report.accounts.filter(gen)),
        equity=equity.filter(gen).with_columns(rename),
        exposure=report.exposure.head(2).with_columns(symbol=pl.Series([symbol, f"{symbol}2"])),
        movers=frame("movers"),
        expiring=frame("expiring"),
        breaks=frame("breaks", [BREAKS[2] | {"cause": text, "break_class": symbol, "broker_account_id": account}]),
        proposals=frame("proposals", [PROPOSALS[1] | {"text": text, "command": text, "kind": symbol}]),
        unmarked=frame("unmarked", [POSITIONS[7] | {"symbol": symbol, "instrument_id": symbol}]),
        imports=(ImportLine(text, rejects=1),),
        steps=(Step("import", "failed", text, Decimal(1)),),
        notes=(text,),
    )


@settings(max_examples=12)
@given(account=st.text(max_size=60), symbol=st.text(min_size=1, max_size=40), text=st.text(max_size=200))
@example(HOSTILE, HOSTILE, HOSTILE)
@example("\n", "\x1e", "\t\r\n")
@example("</svg>", "\x00\x1b[31m", "javascript:alert(1)\u202e\ufffe")
def test_no_text_becomes_markup(account: str, symbol: str, text: str):
    page = Page(report_html(named(account, symbol, text)))
    plain = Page(report_html(named("ACCOUNT", "SYMBOL", "text")))
    assert [tag for tag in page.tags if tag not in SHAPES] == [tag for tag in plain.tags if tag not in SHAPES]
    assert {tag for tag in page.tags if tag in SHAPES} <= SHAPES
    assert {name for _, name, _ in page.attributes} <= {name for _, name, _ in plain.attributes}
    for given_text in (account, symbol, text):
        assert not given_text or {clean(given_text), cell_text(given_text, "text")} & set(page.texts)


SHAPES = {"svg", "g", "path", "line", "text", "rect"}  # a long label may leave room for fewer ticks


@given(text=st.text(), name=st.text())
def test_what_is_text_is_written_as_text(text: str, name: str):
    page = Page(element("p", text, element("b", name), title=name))
    assert page.tags == ["p", "b"]
    assert "".join(page.texts) == clean(text) + clean(name)
    assert [value for _, attribute, value in page.attributes if attribute == "title"] == ([clean(name)] if name else [])


@given(st.lists(st.none() | money(), min_size=1, max_size=6))
def test_a_table_shows_every_digit(amounts: list[Decimal | None]):
    rows = [{"account_id": "A", "currency": "USD", "cash": Decimal(0), "surplus": value} for value in amounts]
    shown = Page(grid(frame("buffers", rows), REPORT_LAYOUTS["buffers"], name="t", caption="c")).tables["t"]
    assert [amount(row["surplus"]) for row in shown] == amounts


@pytest.mark.parametrize("report", [ordinary_night(), empty_night()], ids=["ordinary", "empty"])
def test_numbers_of_the_page_are_those_of_the_json(report):
    page = Page(report_html(report))
    assert_tables_equal_json(page.tables, report_json(report))


def test_charts_have_their_numbers_beneath_them():
    report = ordinary_night()
    tables = Page(report_html(report)).tables
    assert len(tables["chart-equity"]) == 60
    assert list(tables["chart-equity"][0]) == ["session", "COM-1", "GEN-1", "REV-1"]
    assert tables["chart-equity"][0]["REV-1"] == "·"
    realized = {row["session"]: amount(row["realized"]) for row in tables["chart-realized"]}
    tonight = report.equity.filter(pl.col("snapshot_date") == NIGHT).get_column("realized_today")
    assert realized["2026-11-20"] == sum(tonight)
    assert tables["chart-breaks"][0] == {
        "class": "missing_here",
        "tonight": "2",
        "1 to 4 sessions": "0",
        "5 to 9 sessions": "0",
        "10 sessions and more": "0",
    }


@pytest.mark.parametrize("report", [ordinary_night(), empty_night(), named(HOSTILE, HOSTILE, HOSTILE)])
def test_the_page_fetches_and_runs_nothing(report):
    text = report_html(report)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "embed", "form", "base", "image", "use"} & set(page.tags)
    fetching = {"src", "srcset", "xlink:href", "action", "background", "poster", "data"}
    assert not fetching & {name for _, name, _ in page.attributes}
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert all(value.startswith("#") for _, name, value in page.attributes if name == "href")
    assert not re.search(r"url\(|@import|@font-face", text)
    policies = [value for tag, name, value in page.attributes if tag == "meta" and name == "content"]
    assert policies[0] == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_the_same_report_gives_the_same_page():
    first = report_html(ordinary_night())
    report_html(named("A"))
    assert report_html(ordinary_night()) == first


def test_every_link_leads_somewhere_and_no_id_comes_twice():
    page = Page(report_html(ordinary_night()))
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    assert {value[1:] for _, name, value in page.attributes if name == "href"} <= set(ids)
    assert set(SECTIONS) <= set(ids)


def test_charts_are_named_and_take_their_colors_from_the_page():
    text = report_html(ordinary_night())
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(drawings) == 8
    for drawing in drawings:
        assert re.match(r'<svg class="chart (wide|narrow)"[^>]* role="img" aria-label="[^"]+">', drawing)
        assert set(re.findall(r'font-family="([^"]*)"', drawing)) == {"sans-serif"}
        colors = set(re.findall(r'(?:fill|stroke)="([^"]*)"', drawing)) - {"none", "transparent"}
        assert all(re.fullmatch(r"var\(--[a-z0-9-]+\)", color) for color in colors), colors
    variables = set(re.findall(r"var\((--[a-z0-9-]+)\)", text))
    assert variables <= set(re.findall(r"(--[a-z0-9-]+):", text))


def test_an_empty_book_has_a_page_that_says_so():
    page = Page(report_html(empty_night()))
    assert not page.tables
    assert "svg" not in page.tags
    texts = set(page.texts)
    assert {"No open breaks. No statement was compared.", "No positions.", "There are no accounts yet."} <= texts
    assert {"All clear", "No file was imported.", "No option expires within 5 sessions."} <= texts


def test_a_night_without_breaks_says_that_there_are_none():
    page = Page(report_html(ordinary_night(breaks=frame("breaks"), proposals=frame("proposals"))))
    assert "No open breaks." in page.texts
    assert {"breaks", "proposals", "chart-breaks"}.isdisjoint(page.tables)


def test_the_first_night_has_no_line_yet():
    report = ordinary_night()
    page = Page(report_html(ordinary_night(equity=report.equity.filter(pl.col("snapshot_date") == NIGHT))))
    assert "The line of net liquidation begins with the second session that has a value." in page.texts
    assert "chart-equity" not in page.tables
    assert [row["account"] for row in page.tables["chart-realized"]] == ["REV-1", "GEN-1"]


def test_without_any_mark_nothing_is_valued():
    report = ordinary_night()
    unknown = [pl.lit(None).alias(name) for name in ("net_liquidation", "pnl_today")]
    accounts = report.accounts.with_columns(unknown, unmarked=pl.col("positions"))
    exposure = report.exposure.with_columns(
        pl.lit(None).alias(name) for name in ("long_value", "short_value", "unrealized_pnl")
    )
    night = ordinary_night(
        accounts=accounts,
        totals=totals_of(accounts),
        equity=report.equity.with_columns(unknown[0]),
        exposure=exposure,
        movers=frame("movers"),
        unmarked=frame("unmarked", POSITIONS),
    )
    page = Page(report_html(night))
    assert_tables_equal_json(page.tables, report_json(night))
    assert "not known" in page.texts
    assert {row["net liquidation"] for row in page.tables["accounts"]} == {"·"}
    assert {"chart-equity", "chart-exposure"}.isdisjoint(page.tables)
    assert verdict(night).endswith("11 positions without a mark")


def test_currencies_are_never_added():
    report = ordinary_night()
    names = ("accounts", "equity", "exposure")
    frames = {
        name: pl.concat([getattr(report, name), getattr(report, name).with_columns(currency=pl.lit("EUR"))])
        for name in names
    }
    night = ordinary_night(**frames, totals=totals_of(frames["accounts"]))
    page = Page(report_html(night))
    for currency in ("EUR", "USD"):
        assert f"Net liquidation, {currency}" in page.texts
        assert f"Market value by underlying, {currency}" in page.texts
    assert [row["ccy"] for row in page.tables["accounts"]] == ["USD"] * 3 + ["EUR"] * 3 + ["EUR", "USD"]


def test_many_accounts_keep_the_chart_readable_and_the_table_bounded():
    day = {row["snapshot_date"]: row for row in equity_rows(3)[:3]}
    equity = [
        row | {"account_id": f"GEN-{i:04}", "net_liquidation": Decimal(1000 + i)}
        for row in day.values()
        for i in range(1, 13)
    ]
    night = ordinary_night(equity=frame("equity", equity))
    page = Page(report_html(night))
    assert len(page.tables["chart-equity"][0]) == 1 + 8
    assert "GEN-0012" in page.tables["chart-equity"][0]
    assert "3 sessions, 2026-11-18 to 2026-11-20, the largest; 4 more accounts not drawn" in page.texts
    rows: list[dict[str, Any]] = [
        {"account_id": f"A{i}", "currency": "USD", "cash": Decimal(i)} for i in range(ROW_COUNT_MAX + 5)
    ]
    long = Page(report_html(ordinary_night(buffers=frame("buffers", rows))))
    assert len(long.tables["buffers"]) == ROW_COUNT_MAX
    assert "The first 1,000 of 1,005 rows; the JSON of the report has all." in long.texts


def test_the_day_is_written_in_words():
    assert "Saturday, 1 January 2028" in Page(report_html(empty_night(nightly_date=date(2028, 1, 1)))).texts
