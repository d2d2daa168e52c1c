"""A book in a notebook: cards and tables that escape everything, open by themselves, and never raise."""

import inspect
import time
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from playwright.sync_api import Browser

import tradelake as tl
from tests.books import fill, frame
from tests.outputs.browser import chromium, visit
from tests.postgres import PostgresServer
from tradelake.errors import InputError, StorageError

EVIL = "<script>alert(1)</script>"
SHOWN_TABLES = "() => [...document.querySelectorAll('.tl-more table')].filter(t => t.checkVisibility()).length"


@pytest.fixture
def told(local_book: tl.Book) -> tl.Book:
    """A book with a position that was added to and reduced, one that is closed, and a hostile symbol."""
    local_book.record(
        [
            fill(1, "100", price="10", executed_at="2026-01-05T15:00:00Z"),
            fill(2, "50", price="11", executed_at="2026-01-06T15:00:00Z"),
            fill(3, "-40", price="12", executed_at="2026-01-07T15:00:00Z"),
            fill(4, "10", price="5", symbol="A&B", strategy_id=EVIL, executed_at="2026-01-08T15:00:00Z"),
            fill(5, "10", price="9", symbol="DONE", executed_at="2026-01-09T15:00:00Z"),
            fill(6, "-10", price="8", symbol="DONE", executed_at="2026-01-10T15:00:00Z"),
        ]
    )
    return local_book


def test_the_card_of_a_book_says_where_it_is_and_stands(told):
    html = told._repr_html_()
    for words in (told.url, "6 events", "1 account", "GEN-1", "none yet; 6 later events folded with every question"):
        assert words in html
    told.fold()
    assert "at event 6, with 2 open positions" in told._repr_html_()


def test_a_closed_book_says_so_instead_of_raising(told):
    told.close()
    assert "closed" in told._repr_html_()
    assert repr(told) == f"<Book {told.url}, closed>"


def test_a_book_whose_catalog_does_not_answer_says_why(told, monkeypatch):
    def gone(*_: object) -> None:
        raise StorageError(f"The server {EVIL} is gone.")

    monkeypatch.setattr(told._catalog, "execute", gone)
    assert repr(told) == f"<Book {told.url}, which does not answer>"
    html = told._repr_html_()
    assert "not to be asked" in html
    assert "&lt;script&gt;" in html
    assert EVIL not in html


def test_a_book_whose_server_is_gone_says_so_at_once(tmp_path):
    with ExitStack() as stack:
        server = PostgresServer.start()
        stack.callback(server.stop)
        book = stack.enter_context(tl.create(server.create_database(), data=tmp_path / "data"))
        assert "0 accounts" in book._repr_html_()
        stack.pop_all()
        server.stop()
        begun = time.monotonic()
        assert "not to be asked" in book._repr_html_()
        assert repr(book) == f"<Book {book.url}, which does not answer>"
        # A question of anybody else is patient, for half a minute.
        assert time.monotonic() - begun < book._catalog.patience / 3
        book.close()


def test_receipts_are_cards_with_their_first_problems(told):
    told_again = told.record([fill(1, "100", price="10.5", executed_at="2026-01-05T15:00:00Z")])
    html = told_again._repr_html_()
    assert "record: some of it needs a look" in html
    assert "conflicting_duplicate" in html
    bad = told.record([fill(100 + number, "0", symbol=EVIL) for number in range(12)])
    assert "2 more in .problems" in bad._repr_html_()
    good = told.record([fill(7)], source="mine")
    assert "mine: all is in the book" in good._repr_html_()
    marked = told.mark([{"symbol": "ACME", "mark_date": "2026-01-09", "price": "12"}])
    assert '<td class="tl-prose">1</td>' in marked._repr_html_()


def test_a_position_opens_to_the_trades_that_made_it(told):
    shown = told.show("positions")
    assert shown.frame.equals(frame(told.positions()))
    assert (shown.html.count("<details>"), EVIL in shown.html, "A&B" in shown.html) == (2, False, False)
    assert "&lt;script&gt;" in shown.html
    assert "3 events" in shown.html
    assert "1 event<" in shown.html
    assert "A&B" in str(shown)
    assert str(shown).endswith("\npositions: 2 rows, 26 columns in .frame")
    assert told.show("history").html.count("2 events") == 1
    assert told.show(told.positions(symbol="ACME")).html.count("<details>") == 1
    assert told.show("chains", symbol="ACME").html.count("1 position<") == 1


def test_trades_of_a_position_are_the_events_that_opened_or_closed_something_of_it(told):
    ids = dict(told.positions().select("symbol", "position_id").iter_rows())
    for _ in range(2):
        assert told.trades(position=ids["ACME"])["trade_id"].to_list() == ["T1", "T2", "T3"]
        assert told.trades(position=ids["ACME"], limit=2, since="2026-01-06")["trade_id"].to_list() == ["T2", "T3"]
        assert told.trades(position=list(ids.values()))["trade_id"].to_list() == ["T1", "T2", "T3", "T4"]
        assert told.trades(position=told.history().item(0, "position_id"))["trade_id"].to_list() == ["T5", "T6"]
        assert told.trades(position="no such position").height == 0
        assert told.trades(position=[]).height == 0
        told.fold()


def test_a_pool_leads_to_all_events_while_it_was_open(other_book):
    other_book.add_accounts([{"account_id": "POOL", "lot_method": "AVERAGE"}])
    other_book.record(
        [fill(number, quantity, account_id="POOL") for number, quantity in ((1, "10"), (2, "5"), (3, "-4"))]
    )
    (position,) = other_book.positions()["position_id"]
    assert other_book.trades(position=position)["trade_id"].to_list() == ["T1", "T2", "T3"]


def test_any_rows_can_be_shown_and_others_are_refused(told):
    query = "SELECT symbol, sum(realized_pnl) AS realized_pnl FROM matches GROUP BY ALL ORDER BY ALL"
    for shown in (tl.show(told.sql(query)), told.show(told.sql(query).pl().lazy())):
        assert "tl-num tl-pos" in shown.html
        assert "tl-num tl-neg" in shown.html
    many = tl.show(pl.DataFrame({"n": range(60)}), limit=10, title="numbers")
    assert "60 rows, the first 10 shown" in many.html
    assert "numbers" in many.html
    assert str(many).endswith("\nnumbers: 60 rows, the first 10 shown")
    assert tl.show(pl.DataFrame()).html.count("no columns") == 1
    assert str(tl.show(pl.DataFrame())) == "0 rows"
    assert str(tl.show(pl.DataFrame(schema={"n": pl.Int64}))) == "0 rows"
    with pytest.raises(InputError, match="not list"):
        tl.show([1])
    with pytest.raises(InputError, match="at least one row"):
        tl.show(pl.DataFrame({"n": [1]}), limit=0)
    with pytest.raises(InputError, match="filter them before, not by account"):
        told.show(frame(told.lots()), account="GEN-1")
    with pytest.raises(InputError, match="no table 'lot'; choose from"):
        told.show("lot")


def test_a_profit_has_a_sign_besides_its_colour():
    rows = pl.DataFrame({"realized_pnl": [Decimal("12.5"), Decimal("-3"), Decimal(0), None]}).cast(pl.Decimal(38, 12))
    html = tl.show(rows).html
    for cell in (
        '<td class="tl-num tl-pos">+12.50<',
        '<td class="tl-num tl-neg">-3.00<',
        '<td class="tl-num">0.00<',
    ):
        assert cell in html


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this module."""
    with chromium() as running:
        yield running


@pytest.mark.timeout(120)
def test_in_a_browser_rows_open_and_nothing_of_the_data_runs(told, browser, tmp_path):
    path: Path = tmp_path / "page.html"
    parts = [told._repr_html_(), told.show("positions").html, told.show("trades").html, told.show("chains").html]
    path.write_text(f"<!doctype html><meta charset='utf-8'><body>{''.join(parts)}</body>", encoding="utf-8")
    with visit(browser, path) as seen:
        assert seen.page.evaluate(SHOWN_TABLES) == 0
        seen.page.get_by_text("3 events").click()
        assert seen.page.evaluate(SHOWN_TABLES) == 1
        assert seen.page.locator(".tl-more table:visible tbody tr").count() == 3
        assert (seen.requests, seen.complaints) == ([path.as_uri()], [])


def test_readers_say_their_filters_and_refuse_others(told):
    for name in ("trades", "positions", "lots", "matches", "history", "refusals", "tax_lots", "open_tax_lots"):
        reader = getattr(told, name)
        parameters = inspect.signature(reader).parameters
        assert {"account", "symbol", "as_of"} <= set(parameters), name
        assert all(parameter.kind is inspect.Parameter.KEYWORD_ONLY for parameter in parameters.values())
        assert "account: only this account" in reader.__doc__
        assert f"book.{name}(" in reader.__doc__
        with pytest.raises(TypeError, match=rf"{name}\(\) takes no 'acount'; its filters are account, symbol"):
            reader(acount="GEN-1")


def test_frames_and_relations_go_to_arrow_and_pandas_exactly(told):
    lots = frame(told.lots(symbol="ACME"))
    assert str(lots.to_arrow().schema.field("cost_basis").type) == "decimal128(38, 12)"
    kept = lots.to_pandas(use_pyarrow_extension_array=True)
    assert list(kept["cost_basis"]) == lots["cost_basis"].to_list()
    relation = told.sql("SELECT cost_basis FROM lots WHERE symbol = 'ACME' ORDER BY opened_at")
    assert relation.to_arrow_table().column(0).to_pylist() == lots["cost_basis"].to_list()
