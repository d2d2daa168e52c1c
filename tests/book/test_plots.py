"""Charts of a book: they draw the book's numbers, exact in the tooltips, and need no network."""

import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
import vl_convert

import tradelake as tl
from tests.book.test_views import wheel
from tests.books import fill, frame
from tradelake.errors import InputError
from tradelake.outputs.plots import pnl_chart
from tradelake.outputs.table import cell_text
from tradelake.units import MONEY, plain


@pytest.fixture
def told(local_book: tl.Book) -> tl.Book:
    """A wheel in one account, and in another some trades with fees that no float holds."""
    local_book.add_accounts([{"account_id": "REV-1"}])
    local_book.record([{name: value for name, value in row.items() if value is not None} for row in wheel()])
    local_book.record(
        [
            fill(11, "10", account_id="REV-1", symbol="LONG", executed_at="2026-01-05T15:00:00Z", price="10"),
            fill(
                12, "-10", account_id="REV-1", symbol="LONG", executed_at="2026-02-05T15:00:00Z", price="9.123456789012"
            ),
            fill(13, "-5", account_id="REV-1", symbol="DOWN", executed_at="2026-02-06T15:00:00Z", price="20"),
            fill(14, "5", account_id="REV-1", symbol="UP", executed_at="2026-02-06T15:00:00Z", price="20"),
        ]
    )
    local_book.mark([{"symbol": name, "mark_date": "2026-02-06", "price": "21"} for name in ("DOWN", "UP")])
    return local_book


def values(chart: Any) -> list[dict[str, Any]]:
    """Return the rows that a chart draws."""
    rows: list[dict[str, Any]] = chart.to_dict()["data"]["values"]
    return rows


def drawn(chart: Any) -> list[str]:
    """Draw a chart as SVG without a network, and return its texts."""
    svg = vl_convert.vegalite_to_svg(chart.to_dict(), allowed_base_urls=[])
    return [node.text or "" for node in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def as_shown(value: Decimal) -> str:
    return cell_text(plain(value), "money")


@pytest.mark.parametrize("by", ["month", "year", "date", "account", "symbol", "strategy", ["month", "account"]])
def test_profit_is_drawn_by_any_group_with_the_numbers_of_the_reader(told, by):
    chart = told.plot.pnl(by=by)
    rows = told.pnl(by=by).filter(pl.col("realized_pnl") != 0)["realized_pnl"]
    assert sorted(row["realized_pnl_exact"] for row in values(chart)) == sorted(map(as_shown, rows))
    assert sorted(row["realized_pnl"] for row in values(chart)) == sorted(map(float, rows))
    assert "USD" in drawn(chart)


def test_a_sum_over_time_ends_at_the_total(told):
    for view in ("tax", "economic"):
        chart = told.plot.pnl(by=["date", "account"], cumulative=True, view=view)
        last = {row["account"]: row["realized_pnl_exact"] for row in values(chart)}
        totals = told.pnl(["account"], view=view).select("account_id", "realized_pnl")
        assert last == {account: as_shown(total) for account, total in totals.iter_rows()}
        assert {"GEN-1", "REV-1"} <= set(drawn(chart))


def test_days_are_drawn_on_their_own_day_whatever_the_zone_of_the_browser(told):
    spec = told.plot.pnl(by="date").to_dict()
    assert spec["encoding"]["x"]["scale"] == {"type": "utc"}


def test_losses_have_another_colour_and_lie_below_zero(told):
    chart = told.plot.pnl(by=["month", "account"], account="REV-1")
    colour = chart.to_dict()["spec"]["encoding"]["color"]
    assert colour["condition"]["test"] == "datum.realized_pnl < 0"
    assert colour["condition"]["value"] != colour["value"]
    assert [row["realized_pnl"] < 0 for row in values(chart)] == [True]


def test_positions_and_exposure_are_at_the_newest_marks(told):
    chart = told.plot.positions("unrealized_pnl")
    held = frame(told.positions())
    assert [row["unrealized_pnl_exact"] for row in values(chart)] == [as_shown(v) for v in held["unrealized_pnl"]]
    exposure = told.plot.exposure()
    rows = {(row["symbol"], row["side"]): row["market_value_exact"] for row in values(exposure)}
    assert rows == {("DOWN", "short"): "-105.00", ("UP", "long"): "105.00"}
    assert {"DOWN", "UP", "long", "short"} <= set(drawn(exposure))
    told.record([fill(20, "1", symbol="BARE", executed_at="2026-02-09T15:00:00Z")])
    assert "1 position without a mark not in it" in drawn(told.plot.exposure())
    assert [row["unrealized_pnl_exact"] for row in values(told.plot.positions())].count("not known") == 1


def test_a_chain_is_its_positions_and_what_both_views_realized(told):
    chain = told.chains(symbol="ACME").item(0, "chain_id")
    chart = told.plot.chain(chain)
    lives, sums = (part["data"]["values"] for part in chart.to_dict()["vconcat"])
    assert [row["contract"] for row in lives] == ["ACME 2026-01-16 P 50", "ACME", "ACME 2026-02-20 C 55"]
    assert [row["side"] for row in lives] == ["SHORT", "LONG", "SHORT"]
    steps = {view: [row["realized_pnl_exact"] for row in sums if row["view"] == view] for view in ("tax", "economic")}
    # The put's premium of 200 is earned on its assignment, the call's of 150 when the shares are called away.
    assert steps == {"tax": ["0.00", "850.00"], "economic": ["200.00", "850.00"]}
    assert {"ACME 2026-01-16 P 50", "tax", "economic", "850.00"} <= set(drawn(chart))


def test_an_open_chain_reaches_until_now_or_as_far_as_it_is_asked_for(told):
    chain = told.chains(symbol="UP").item(0, "chain_id")
    then, now = (told.plot.chain(chain, as_of=as_of).to_dict()["vconcat"][0] for as_of in ("2026-02-28", None))
    (row,) = then["data"]["values"]
    assert (row["opened_at"], row["until"]) == ("2026-02-06T15:00:00Z", "2026-03-01T04:59:59.999999Z")
    assert now["data"]["values"][0]["until"] > row["until"]


def test_names_that_no_picture_may_hold_are_cleaned():
    rows = pl.DataFrame({"symbol": ["a\x00\x1b<b>&", None], "currency": ["USD"] * 2, "fees": [Decimal(1), Decimal(2)]})
    chart: Any = pnl_chart(rows.with_columns(pl.col("fees").cast(MONEY)), ["symbol"], measure="fees", cumulative=False)
    assert {"none", "a\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}<b>&"} <= set(drawn(chart))


def test_two_currencies_are_two_charts(told):
    rows = pl.DataFrame({"month": ["2026-01"] * 2, "currency": ["EUR", "USD"], "fees": [Decimal(1), Decimal(200)]})
    chart = pnl_chart(rows.with_columns(pl.col("fees").cast(MONEY)), ["month"], measure="fees", cumulative=False)
    assert chart.to_dict()["resolve"] == {"scale": {"x": "independent", "y": "independent"}}
    assert {"EUR", "USD"} <= set(drawn(chart))


def test_an_empty_book_has_empty_charts(local_book):
    for chart in (local_book.plot.pnl(), local_book.plot.positions(), local_book.plot.exposure()):
        drawn(chart)


def test_what_cannot_be_drawn_is_said(told):
    asked: list[tuple[Callable[[], object], str]] = [
        (lambda: told.plot.pnl(by=["account", "symbol"]), "by one name, or by two of which one is date"),
        (lambda: told.plot.pnl(by=[]), "there was none"),
        (lambda: told.plot.pnl(measure="price"), "no measure 'price' of profit; choose from realized_pnl"),
        (lambda: told.plot.pnl(by="account", cumulative=True), "A sum over time needs one of date, month, year"),
        (lambda: told.plot.positions("delta"), "no measure 'delta' of positions"),
        (lambda: told.plot.chain("nothing"), "no chain 'nothing'"),
    ]
    for ask, words in asked:
        with pytest.raises(InputError, match=words):
            ask()


@pytest.mark.parametrize(("name", "asked"), [("pnl", ()), ("positions", ()), ("exposure", ()), ("chain", ("x",))])
def test_without_altair_it_is_said_what_to_install(told, monkeypatch, name, asked):
    monkeypatch.setitem(sys.modules, "altair", None)
    chart = getattr(told.plot, name)
    with pytest.raises(InputError, match=r"pip install 'tradelake\[notebook\]'"):
        chart(*asked)
    assert "pnl, positions, chain, exposure" in repr(told.plot)
