"""What the pages of the app hold, without a browser: rows, sums, filters, pages of rows, and what goes wrong."""

from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import tradelake as tl
from tests.app.books import HOSTILE, HOSTILE_STRATEGY, SYMBOL, bought
from tests.outputs.pages import Page, amount
from tradelake.app.asked import GROUPS, ORDERS, PAGES, STATUSES, Asked
from tradelake.app.behind import fields_of
from tradelake.app.door import Door, Kept
from tradelake.app.holdings import closed, held, ordered
from tradelake.app.pages import Shown, shown
from tradelake.app.timeline import TICKS_MAX, ticks
from tradelake.app.views import ROWS_OF_A_PAGE, Rows
from tradelake.outputs.report.markup import Html, element


def button(changes: dict[str, str], words: str, meaning: str, *, possible: bool = True) -> Html:
    """Make a button as plain markup that says what it changes."""
    text = "&".join(f"{name}={value}" for name, value in changes.items())
    return element("button", words, title=meaning, data_changes=text, disabled=not possible)


door = cache(Door)


def asked_of(target: str, *, cold: bool = True, **parameters: str) -> Shown:
    return shown(door(target, cold), Asked.of(parameters))


def drawn(page: Shown) -> Page:
    return Page(str(page.view.drawn(button)))


def tables(page: Shown) -> dict[str, Rows]:
    return {part.name: part for block in page.view.blocks for part in block.parts if isinstance(part, Rows)}


@pytest.fixture(scope="module")
def long_book(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A book of more positions and closed positions than a page has rows."""
    target = str(tmp_path_factory.mktemp("long") / "book")
    with tl.create(target) as book:
        book.add_accounts([{"account_id": "L-1"}])
        rows = []
        for number in range(60):
            rows.append(bought(f"O-{number}", "L-1", f"S{number:02d}", "2", "2026-01-05T15:00:00Z"))
            sale = bought(f"C-{number}", "L-1", f"S{number:02d}", "2", f"2026-01-{number % 20 + 6:02d}T15:00:00Z")
            rows.append(sale | {"action": "SELL", "price": f"{number + 1}.5"})
            rows.append(bought(f"A-{number}", "L-1", f"T{number:02d}", "1", "2026-01-06T15:00:00Z"))
        assert not book.record(rows).problems
    return target


@pytest.mark.parametrize("name", PAGES)
def test_every_page_of_a_full_and_an_empty_book_is_whole_markup(full, empty, name):
    for target in (full, empty):
        page = asked_of(target, page=name)
        assert page.asked.page == name
        texts = drawn(page).texts
        assert page.view.title in texts
        assert "What is wrong" not in texts, texts


def test_positions_are_those_of_the_book_to_the_last_digit(full):
    page = asked_of(full)
    with tl.open(full, read_only=True) as book:
        rows = book.positions()
    table = drawn(page).tables["positions"]
    assert len(table) == rows.height
    for heading, column in (("quantity", "quantity"), ("cost basis", "cost_basis"), ("unrealized", "unrealized_pnl")):
        assert [amount(row[heading]) for row in table] == rows[column].to_list()
    value = rows["market_value"].sum()
    card = next(card for card in page.view.cards if card.title == "Market value")
    assert f"{value:,.2f}"[:-3] in "".join(Page(str(card.drawn())).texts)
    assert "2 without a mark" in card.note or "3 without a mark" in card.note


@pytest.mark.parametrize("name", ["account", "symbol", "strategy"])
def test_a_filter_leaves_what_the_book_gives_under_it(full, name):
    wanted = {"account": "COM-1", "symbol": "NVDA", "strategy": "STARLAB-WIS-7"}[name]
    given: dict[str, Any] = {"page": "history", name: wanted}
    page = asked_of(full, **given)
    with tl.open(full, read_only=True, cold=True) as book:
        rows = book.history(account=wanted) if name == "account" else None
        rows = book.history(symbol=wanted) if name == "symbol" else rows
        rows = book.history(strategy=wanted) if rows is None else rows
    assert rows.height > 3
    assert tables(page)["history"].total == rows.height
    assert page.view.cards[0].drawn().count(f">{rows.height}<") == 1
    shown_ids = set(tables(page)["history"].frame["position_id"])
    assert shown_ids <= set(rows["position_id"])


@pytest.mark.parametrize("state", [{}, {"as_of": "2026-02-27"}])
def test_pages_of_rows_turn_through_every_row_once(long_book, state):
    seen = []
    for number in range(1, 5):
        with Door(long_book).opened() as opened:
            rows, sums, there = closed(opened, Asked.of({"page": "history", "number": str(number), **state}))
        assert sums["rows"].sum() == 60
        if there == number:
            assert rows.height <= ROWS_OF_A_PAGE
            seen += rows["position_id"].to_list()
    with tl.open(long_book, read_only=True) as book:
        assert sorted(seen) == sorted(book.history(**state)["position_id"])


@pytest.mark.parametrize("order", ORDERS["history"])
def test_head_and_past_give_the_same_rows_in_the_same_order(long_book, order):
    at_head = Asked.of({"page": "history", "order": order})
    with Door(long_book).opened() as opened, tl.open(long_book, read_only=True) as book:
        known = book.runs()["recorded_at"].to_list()[-1].isoformat()
        past = Asked.of({"page": "history", "order": order, "as_known": known})
        (head, sums, _), (then, then_sums, _) = closed(opened, at_head), closed(opened, past)
    assert_frame_equal(head, then)
    assert (
        sums.select("currency", "rows", "realized_pnl").rows()
        == then_sums.select("currency", "rows", "realized_pnl").rows()
    )
    assert amounts_in(order, head)


def amounts_in(order: str, rows: pl.DataFrame) -> bool:
    column, down = {
        "newest": ("closed_at", True),
        "largest gain": ("realized_pnl", True),
        "largest loss": ("realized_pnl", False),
        "account and symbol": ("symbol", False),
    }[order]
    return rows[column].to_list() == sorted(rows[column].to_list(), reverse=down)


@pytest.mark.parametrize("order", ORDERS["positions"])
def test_positions_without_a_mark_come_last_in_orders_by_value(full, order):
    with Door(full, cold=True).opened() as opened:
        rows = held(opened, Asked())
    values = ordered(rows, order)["unrealized_pnl"].to_list()
    assert len(values) == rows.height
    known = [value for value in values if value is not None]
    if order == "largest gain":
        assert values[: len(known)] == sorted(known, reverse=True)
    if order == "largest loss":
        assert values[: len(known)] == sorted(known)


def test_the_buttons_below_a_table_go_no_further_than_its_pages(long_book):
    def possible(number: str) -> dict[str, bool]:
        page = Page(str(asked_of(long_book, number=number).view.drawn(button)))
        attributes = page.attributes
        titles = [value for tag, name, value in attributes if tag == "button" and name == "title"]
        disabled = sum(1 for tag, name, _ in attributes if tag == "button" and name == "disabled")
        assert sum(title.endswith("page of Open positions") for title in titles) == 4
        return {"first": number == "1", "disabled": disabled == 2}

    assert possible("1") == {"first": True, "disabled": True}
    assert possible("3")["disabled"]
    assert "51 to 60 of 60" in drawn(asked_of(long_book, number="999999")).texts


def test_behind_a_position_are_its_lots_matches_events_and_raw_rows(full):
    with tl.open(full, read_only=True) as book:
        position = book.positions(account="GEN-1", symbol="NVDA").filter(instrument_id="NVDA").row(0, named=True)
        lots = book.lots(account="GEN-1").filter(position_id=position["position_id"])
    page = asked_of(full, open=position["position_id"])
    found = tables(page)
    assert_frame_equal(found["lots"].frame, lots)
    assert found["matches"].frame["position_id"].unique().to_list() == [position["position_id"]]
    # The shares came by assignment of puts: events of other instruments.
    assert set(lots["open_trade_id"]) <= set(found["trades"].opens)
    event = asked_of(full, open=position["position_id"], event=found["trades"].opens[0])
    texts = drawn(event).texts
    assert {"transactionType", "BookTrade"} <= set(texts)
    assert "sample_flex.xml" in texts


def test_fields_are_written_as_the_numbers_of_tables():
    row = {
        "realized_pnl": Decimal("103.522406800000"),
        "market_value": Decimal("-190.000000000000"),
        "quantity": Decimal("-5.00000000"),
        "mark_price": None,
        "symbol": "KO",
    }
    told = Page(str(fields_of(row))).texts
    assert told == ["realized P&L", "+103.5224068", "market value", "-190.00", "quantity", "-5", "symbol", "KO"]


def test_what_is_not_there_is_said(full):
    for name in ("positions", "history", "chains"):
        assert any("is not there now" in text for text in drawn(asked_of(full, page=name, open="no")).texts)
    assert any("no break" in text for text in drawn(asked_of(full, page="breaks", open="no")).texts)
    assert "There is no such night." in drawn(asked_of(full, page="nights", open="2020-01-01/1")).texts


def test_the_past_is_that_of_the_book(full):
    page = asked_of(full, as_of="2026-03-31")
    with tl.open(full, read_only=True, cold=True) as book:
        rows = book.positions(as_of="2026-03-31")
        first = book.runs()["recorded_at"].to_list()[0].isoformat()
    assert rows.height > 2
    assert_frame_equal(tables(page)["positions"].frame, rows.head(ROWS_OF_A_PAGE), check_row_order=False)
    assert "No positions." in drawn(asked_of(full, as_known=first)).texts


@pytest.mark.parametrize("by", GROUPS)
def test_profit_is_that_of_the_book(full, by):
    with tl.open(full, read_only=True, cold=True) as book:
        rows = book.pnl(by.split(" and "))
    page = asked_of(full, page="pnl", by=by)
    table = tables(page)["pnl"]
    assert table.total == rows.height
    assert sum(rows["realized_pnl"].to_list(), Decimal()) == Decimal(
        "".join(Page(str(page.view.cards[0].drawn())).texts).partition("+")[2].partition("USD")[0].replace(",", "")
    )


def test_chains_are_drawn_from_their_first_to_their_last_day(full):
    page = asked_of(full, page="chains", account="REV-1")
    chain = tables(page)["chains"].opens[0]
    opened = asked_of(full, page="chains", account="REV-1", open=chain)
    with tl.open(full, read_only=True, cold=True) as book:
        assert tables(opened)["chain-positions"].frame.height == book.chain_positions(chain=chain).height
    styles = [value for tag, name, value in drawn(page).attributes if tag == "div" and name == "style"]
    assert len(styles) == tables(page)["chains"].frame.height
    for style in styles:
        left, width = (Decimal(part.partition(": ")[2].rstrip("%")) for part in style.split("; "))
        assert 0 <= left <= left + width <= 100


@pytest.mark.parametrize("days", [0, 1, 9, 40, 90, 400, 4000])
def test_ticks_are_few_and_inside(days):
    start = date(2024, 1, 17)
    end = date.fromordinal(start.toordinal() + days)
    found = ticks(start, end)
    assert len(found) <= TICKS_MAX
    assert all(start <= day <= end for day in found)
    assert found == sorted(set(found))


@pytest.mark.parametrize("status", STATUSES["breaks"])
def test_breaks_by_status_and_the_life_of_one(full, status):
    with tl.open(full, read_only=True) as book:
        rows = book.breaks(status=None if status == "not resolved" else status)
        break_id = book.breaks(status="all")["break_id"][0]
    page = asked_of(full, page="breaks", status=status)
    assert (tables(page)["breaks"].total if rows.height else 0) == rows.height
    life = asked_of(full, page="breaks", open=break_id)
    assert tables(life)["break-history"].frame["action"].to_list()[0] == "opened"


def test_the_archive_map_tells_hot_from_cold_without_fetching(full):
    page = asked_of(full, cold=False, page="archive")
    months = tables(page)["months"].frame
    assert months.filter(pl.col("cold") > 0)["month"].dt.month().sort().to_list() == [1, 2]
    assert not months.filter((pl.col("cold") > 0) & (pl.col("hot") > 0)).height
    squares = [value for tag, name, value in drawn(page).attributes if tag == "span" and name == "class"]
    # Twelve months, and the key with one of each.
    assert [squares.count(f"square {state}") for state in ("cold", "hot", "empty", "both")] == [3, 5, 7, 1]


def test_what_is_archived_is_one_paragraph_where_the_archive_is_not_read(full):
    for parameters in ({"page": "chains"}, {"page": "pnl"}):
        texts = drawn(asked_of(full, cold=False, **parameters)).texts
        assert any("--include-archive" in text for text in texts), texts


def test_the_last_night_is_told_with_its_steps(full):
    page = asked_of(full, page="nights")
    assert page.view.cards[0].note == "Needs a look"
    texts = drawn(page).texts
    assert {"reconcile", "snapshot", "verify"} <= set(texts)
    older = tables(page)["nights"].opens[-1]
    assert f"Night of {older.partition('/')[0]}, run 1" in drawn(asked_of(full, page="nights", open=older)).texts


def test_accounts_are_a_tree_of_forks(full):
    page = drawn(asked_of(full, page="accounts"))
    assert page.texts.index("COM-1") < page.texts.index("COM-2") < page.texts.index("GEN-1")
    assert page.tags.count("ul") == 2
    assert [row["what"] for row in page.tables["moves"]] == ["fork"]


@pytest.mark.parametrize("name", PAGES)
def test_hostile_names_stay_text(full, name):
    parameters = {"page": name, "symbol": HOSTILE, "account": HOSTILE, "strategy": HOSTILE_STRATEGY, "open": HOSTILE}
    for given in ({"page": name}, parameters, parameters | {"symbol": SYMBOL}, {"page": name, "symbol": "x' OR 1=1--"}):
        page = drawn(asked_of(full, **given))
        assert not {"script", "img"} & set(page.tags)
        assert "What is wrong" not in page.texts, page.texts


def test_an_address_is_read_leniently():
    every = {"page": "x", "number": "-3", "order": "DROP TABLE", "by": "x", "status": "x", "as_of": " ", "other": "y"}
    assert Asked.of(every) == Asked()
    assert Asked.of({"page": ["history", "pnl"], "by": "month", "order": "newest"}) == Asked("pnl", by="month")
    assert Asked.of({"number": "0"}).number == 1
    assert Asked.of({"number": "9" * 40}).number == 1


def test_a_wrong_day_is_one_paragraph(full):
    page = asked_of(full, as_of="yesterday")
    assert [block.title for block in page.view.blocks] == ["What is wrong"]


def test_no_book_and_a_locked_book_are_one_paragraph(tmp_path: Path):
    assert any("There is no book at" in text for text in drawn(asked_of(str(tmp_path / "none"))).texts)


def test_a_writer_is_never_in_the_way_and_its_rows_are_there_at_once(tmp_path: Path):
    for kind in ("sqlite", "duckdb"):
        target = f"{kind}:{tmp_path / kind}"
        with tl.create(target) as book:
            book.add_accounts([{"account_id": "W-1"}])
        door = Door(target)
        assert shown(door, Asked()).view.cards[0].drawn().count(">0<") == 1
        with tl.open(target) as book:
            book.record([bought("W", "W-1", "WWW", "1", "2026-01-05T15:00:00Z")])
        assert shown(door, Asked()).view.cards[0].drawn().count(">1<") == 1


def test_kept_answers_are_of_one_commit_and_do_not_grow(monkeypatch):
    monkeypatch.setattr("tradelake.app.door.KEPT_BYTES_MAX", 100)
    kept = Kept()
    frame = pl.DataFrame({"a": [1] * 10})
    kept.keep(1, "one", frame)
    kept.keep(1, "two", frame)
    assert kept.found(1, "one") == (False, None)
    assert kept.found(1, "two")[0]
    assert kept.found(2, "two") == (False, None)
    kept.keep(2, "three", frame)
    assert list(kept.answers) == ["three"]
