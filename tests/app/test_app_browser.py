"""The app in a real browser: every page, filters, drill-down, slider, hostile names, both widths, light and dark."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import OpenerDirector, ProxyHandler, build_opener

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

import tradelake as tl
from tests.app.books import HOSTILE, SYMBOL, bought, empty_book
from tests.outputs.browser import WAIT_MS, Visit, chromium, watched
from tests.outputs.pages import amount
from tests.outputs.test_report_browser import POINTS, SIDEWAYS, TABLES, contrast
from tradelake.app.asked import PAGES
from tradelake.app.serving import Address, address_of, served

pytestmark = pytest.mark.timeout(300)

OVERFLOWS = """() => [document.documentElement, ...document.querySelectorAll('#App, .tradelake, .tradelake *')]
    .filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && !(e instanceof SVGElement)
        && getComputedStyle(e).display !== 'inline' && !e.closest('caption, .wide thead')
        && !(e.closest('.scroll') && (e.closest('.scroll') === e || getComputedStyle(e).overflowX === 'visible')))
    .map(e => `${e.tagName}.${e.className}: ${e.scrollWidth} > ${e.clientWidth}: ${e.textContent.slice(0, 60)}`)"""
OUTSIDE = """() => [...document.querySelectorAll('.tradelake *')].filter(e => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && !e.closest('.scroll, caption') && (box.right > innerWidth + 1 || box.left < -1);
}).map(e => `${e.tagName}.${e.className}: ${e.getBoundingClientRect().left} to ${e.getBoundingClientRect().right}`)"""
# The columns of a table whose digits beyond cents do not begin at the same place.
CROOKED = """() => [...document.querySelectorAll('.tradelake table')].flatMap(table =>
    [...table.rows[0].cells].map((head, i) => {
        const fine = [...table.tBodies[0].rows].map(row => row.cells[i].querySelector('.fine')).filter(Boolean);
        const at = new Set(fine.map(e => Math.round(e.getBoundingClientRect().left)));
        return at.size > 1 ? `${table.dataset.table}: ${head.textContent}: ${[...at]}` : '';
    })).filter(Boolean)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this module."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def app(browser: Browser, full: str) -> Iterator[Address]:
    """The app of the book with a bit of everything, its archive included, behind a token."""
    assert browser.is_connected()
    address = address_of(host="127.0.0.1", port=0, token=True)
    with served(full, address, cold=True):
        yield address


@pytest.fixture(scope="module")
def visit(browser: Browser, app: Address) -> Iterator[Visit]:
    """One page that is open for all tests of this module that do not care how it was left."""
    with watched(browser) as seen:
        seen.page.on("dialog", lambda dialog: _refuse(seen, dialog))
        go(seen.page, app)
        yield seen


@pytest.fixture
def page(visit: Visit, app: Address) -> Page:
    """The page, where it begins."""
    go(visit.page, app)
    return visit.page


def _refuse(seen: Visit, dialog: Dialog) -> None:
    seen.complaints.append(f"dialog: {dialog.message}")
    dialog.dismiss()


def go(page: Page, address: Address, /, **parameters: str) -> None:
    """Open the app at a question."""
    given = parameters | ({"access_token": address.token} if address.token else {})
    page.goto(f"{address.origin}/?{urlencode(given)}")
    page.wait_for_selector(f".tradelake[data-page={parameters.get('page', 'positions')}] main h1")


def turn_to(page: Page, name: str) -> None:
    """Press the button of a page, and wait for it."""
    page.locator("nav button", has_text=PAGES[name]).click()
    page.wait_for_selector(f".tradelake[data-page={name}] main h1")


def table(page: Page, name: str) -> list[dict[str, str]]:
    """Return the rows of a table as the reader sees them."""
    rows: list[dict[str, str]] = page.evaluate(TABLES)[name]
    return rows


def wait_for_count(page: Page, count: int) -> None:
    """Wait until the first card says a count."""
    expect(page.locator(".kpi .value").first).to_have_text(f"{count:,}", timeout=WAIT_MS)


def only_errors(seen: Visit) -> list[str]:
    """Return what the page complained about, without hints about its speed."""
    return [text for text in seen.complaints if not text.startswith(("warning: ", "info: ", "log: ", "debug: "))]


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_every_page_fits_is_aligned_and_can_be_read(visit, page, app, width, dark):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if dark else "light")
    try:
        for name in PAGES:
            turn_to(page, name)
            assert page.evaluate(OVERFLOWS) == [], name
            assert page.evaluate(OUTSIDE) == [], name
            assert page.evaluate(CROOKED) == [], name
            if width < 400:
                assert page.evaluate(SIDEWAYS) == [], name
                assert [table for table, apart in page.evaluate(POINTS) if apart > 1] == [], name
            assert page.locator(".tradelake main .card").count() > 0
            assert contrast(page, "h1", ".kpi") >= 7
            assert contrast(page, ".kpi h2", ".kpi") >= 4.5
        turn_to(page, "history")
        for sign, strong, weak in (("pos", 2, 0), ("neg", 0, 2)):
            assert contrast(page, f"td.{sign}", ".card") >= 4.5
            color = page.evaluate(f"getComputedStyle(document.querySelector('td.{sign}')).color")
            parts = [int(part) for part in color.removeprefix("rgb(").removesuffix(")").split(",")]
            assert parts[strong] > parts[weak] + 60, "gain is blue and loss is orange"
    finally:
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")
    assert only_errors(visit) == []


def test_the_numbers_that_a_reader_sees_are_those_of_the_book(page, full):
    with tl.open(full, read_only=True, cold=True) as book:
        positions, accounts, chains = book.positions(), book.pnl(["account"]), book.chains()
    rows = table(page, "positions")
    for heading, name in (("market value", "market_value"), ("unrealized", "unrealized_pnl"), ("mark", "mark_price")):
        assert [amount(row[heading]) for row in rows] == positions[name].to_list()
    assert all(row["unrealized"][0] in "+-·" for row in rows)
    turn_to(page, "pnl")
    shown = {row["account"]: amount(row["realized"]) for row in table(page, "pnl")}
    assert shown == dict(accounts.select("account_id", "realized_pnl").iter_rows())
    turn_to(page, "chains")
    wait_for_count(page, chains.height)
    bars = page.locator(".timeline .bar").evaluate_all("bars => bars.map(b => b.getBoundingClientRect().width)")
    assert len(bars) == 25
    assert min(bars) > 2


def test_filters_and_pages_of_rows(page, full):
    turn_to(page, "history")
    with tl.open(full, read_only=True) as book:
        rows = book.history()
    wait_for_count(page, rows.height)
    first = table(page, "history")
    page.locator(".turning button", has_text="Next").click()
    page.wait_for_selector(f"text=26 to 50 of {rows.height}")
    assert table(page, "history") != first
    page.locator("[data-filter=account] select").select_option("REV-1")
    mine = rows.filter(account_id="REV-1")
    wait_for_count(page, mine.height)
    assert {row["account"] for row in table(page, "history")} == {"REV-1"}
    typed = page.locator("[data-filter=symbol] input")
    typed.fill("KO")
    typed.press("Enter")
    wait_for_count(page, mine.filter(symbol="KO").height)
    page.locator("[data-filter=order] select").select_option("largest loss")
    page.wait_for_url("**order=largest*")
    least = min(mine.filter(symbol="KO")["realized_pnl"])
    row = page.locator("table[data-table=history] tbody tr").first
    expect(row.locator("td.neg")).to_have_text(f"{least.normalize()}")


def test_from_a_position_down_to_the_raw_row_of_the_broker(page):
    page.locator("table[data-table=positions] tr", has_text="NVDA 2026-07-03").locator("button").click()
    behind = page.locator("#behind")
    expect(behind.locator("h2")).to_have_text("NVDA 2026-07-03 C 220 in GEN-1")
    assert table(page, "lots")
    behind.locator("table[data-table=trades] button").first.click()
    event = page.locator("#event")
    expect(event).to_contain_text("sample_flex.xml")
    assert "U7700001" in event.inner_text()
    event.locator("button", has_text="Close").click()
    expect(page.locator("#event")).to_have_count(0)
    assert page.locator("#behind").count() == 1


def test_the_slider_and_the_picker_go_back_in_time(page, full):
    with tl.open(full, read_only=True, cold=True) as book:
        early = book.positions(as_of="2026-01-05")
        assert 0 < early.height != book.positions().height
    slider = page.locator("[data-filter=as_of] [role=slider]")
    slider.focus()
    slider.press("Home")
    expect(page.locator(".slide b")).to_have_text("the close of 2026-01-05")
    wait_for_count(page, early.height)
    assert [amount(row["quantity"]) for row in table(page, "positions")] == early["quantity"].to_list()
    page.locator("[data-filter=as_known] select").select_option(
        index=page.locator("[data-filter=as_known] option").count() - 1
    )
    page.wait_for_selector("text=No positions.")


def test_the_address_holds_the_question_and_back_goes_back(page):
    turn_to(page, "nights")
    page.locator("table[data-table=nights] button").last.click()
    expect(page.locator("#night h2")).to_have_text("Night of 2026-06-29, run 1")
    page.reload()
    expect(page.locator("#night h2")).to_have_text("Night of 2026-06-29, run 1")
    page.go_back()
    page.wait_for_url(lambda url: "open=" not in url)
    expect(page.locator("#night h2")).to_have_text("Night of 2026-06-30, run 1", timeout=WAIT_MS)


def test_a_hostile_name_is_text_wherever_it_stands(visit, page, app):
    assert HOSTILE in {row["account"] for row in table(page, "positions")}
    for name in ("history", "breaks", "chains"):
        go(page, app, page=name, account=HOSTILE, symbol=HOSTILE if name == "history" else SYMBOL, open=HOSTILE)
        assert page.locator(".tradelake script, .tradelake img").count() == 0
    assert HOSTILE in page.locator(".tradelake").inner_text()
    assert only_errors(visit) == []


def test_nothing_is_asked_of_another_machine(visit, app):
    assert len(visit.requests) > 20
    assert {url for url in visit.requests if not url.startswith((app.origin, "data:", "blob:"))} == set()


def answer_of(opener: OpenerDirector, url: str) -> tuple[int, str, str]:
    """Return the code, the text and the final address of what a server answers."""
    try:
        with opener.open(url, timeout=20) as answer:
            return answer.status, answer.read().decode(), answer.url
    except HTTPError as error:
        return error.code, error.read().decode(), url


def test_without_the_token_there_is_nothing_to_see(app):
    opener = build_opener(ProxyHandler({}))
    for path in ("", "?page=positions", "?access_token=wrong", "api/usage"):
        code, text, url = answer_of(opener, f"{app.origin}/{path}")
        assert code in (401, 403) or "/auth/login" in url
        assert "U7700001" not in text
        assert "catalog.sqlite" not in text


def test_an_empty_book_what_is_written_meanwhile_and_a_book_that_goes(browser, tmp_path: Path):
    target = empty_book(tmp_path)
    address = address_of(host="127.0.0.1", port=0, token=False)
    with served(target, address), watched(browser, width=390) as seen:
        go(seen.page, address)
        for name in PAGES:
            turn_to(seen.page, name)
            assert seen.page.evaluate(OVERFLOWS) == [], name
            assert seen.page.locator(".nothing").count() > 0, name
            expect(seen.page.locator(".verdict")).to_contain_text("tradelake import ibkr-flex STATEMENT.xml")
        turn_to(seen.page, "positions")
        with tl.open(target) as book:
            book.add_accounts([{"account_id": "W-1"}])
            book.record([bought("W", "W-1", "WWW", "1", "2026-01-05T15:00:00Z")])
        seen.page.locator(".refresh button").click()
        wait_for_count(seen.page, 1)
        expect(seen.page.locator(".verdict")).to_have_count(0)
        shutil.move(target, f"{target}-away")
        seen.page.locator(".refresh button").click()
        expect(seen.page.locator("#problem")).to_contain_text("There is no book at")
        assert only_errors(seen) == []
