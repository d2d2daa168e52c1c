"""A nightly report in a real browser: it is drawn, it fits, it asks nobody for anything, its numbers are exact."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.outputs.browser import chromium, visit
from tests.outputs.nights import empty_night, ordinary_night
from tests.outputs.pages import assert_tables_equal_json
from tests.outputs.test_report_page import HOSTILE, named
from tradelake.outputs import NightlyReport, report_html, report_json

pytestmark = pytest.mark.timeout(180)

REPORTS = {"ordinary": ordinary_night(), "empty": empty_night(), "hostile": named(HOSTILE, HOSTILE, HOSTILE)}
TABLES = """() => Object.fromEntries([...document.querySelectorAll('table')].map(table => {
    const texts = row => [...row.cells].map(cell => cell.textContent);
    const [head, ...rows] = [...table.rows].map(texts);
    return [table.dataset.table, rows.map(row => Object.fromEntries(row.map((text, i) => [head[i], text])))];
}))"""
# Tables that scroll sideways, and cells that go beyond the edge of their table.
SIDEWAYS = """() => [...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1)
    .map(e => e.getAttribute('aria-label'))"""
# Where the points of the numbers of each table are that shows its rows as lists.
POINTS = """() => [...document.querySelectorAll('table.wide')].filter(table => table.checkVisibility()).map(table => {
    const places = [...table.tBodies[0].querySelectorAll('td.num')].map(cell => {
        const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        for (let node = walk.nextNode(); node; node = walk.nextNode()) {
            const at = node.data.search(/[.]|$/), range = document.createRange();
            if (!/[0-9]/.test(node.data)) continue;
            range.setStart(node, at - 1); range.setEnd(node, at);
            return Math.round(range.getBoundingClientRect().right);
        }
        return null;
    }).filter(place => place !== null);
    return [table.dataset.table, Math.max(...places) - Math.min(...places)];
})"""
DRAWINGS = """() => [...document.querySelectorAll('svg')].filter(svg => svg.checkVisibility()).map(svg => {
    const box = node => { const b = node.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom]; };
    return {
        label: svg.getAttribute('aria-label'), box: box(svg),
        marks: [...svg.querySelectorAll('.marks path')].map(box),
        texts: [...svg.querySelectorAll('text')].map(box),
        colors: [...svg.querySelectorAll('.marks path')].map(node => {
            const style = getComputedStyle(node);
            return style.fill === 'none' ? style.stroke : style.fill;
        }),
    };
})"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this module."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The page of each report, as a file."""
    folder = tmp_path_factory.mktemp("pages")
    paths = {name: folder / f"{name}.html" for name in REPORTS}
    for name, path in paths.items():
        path.write_text(report_html(REPORTS[name]), encoding="utf-8")
    return paths


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (1280, True), (400, False)])
def test_the_page_is_drawn_fits_and_asks_for_nothing(browser, files, name, width, dark):
    with visit(browser, files[name], width=width, dark=dark) as seen:
        assert seen.page.evaluate(OVERFLOW) == 0
        drawings = seen.page.evaluate(DRAWINGS)
        assert seen.requests == [files[name].as_uri()]
        assert seen.complaints == []
    assert len(drawings) == (0 if name == "empty" else 4)
    for drawing in drawings:
        left, top, right, bottom = drawing["box"]
        assert right - left > 200
        assert bottom - top > 50
        assert right <= width
        assert drawing["marks"], drawing["label"]
        assert any(r > x and b > y for x, y, r, b in drawing["marks"])
        for x, y, r, b in drawing["texts"]:
            assert left - 1 <= x <= r <= right + 1, drawing["label"]
            assert top - 1 <= y <= b <= bottom + 1, drawing["label"]


@pytest.mark.parametrize("name", REPORTS)
def test_numbers_that_a_reader_sees_are_those_of_the_json(browser, files, name):
    report: NightlyReport = REPORTS[name]
    with visit(browser, files[name]) as seen:
        if name != "hostile":
            assert_tables_equal_json(seen.page.evaluate(TABLES), report_json(report))
        assert seen.page.evaluate("document.scripts.length") == 0


def test_on_a_phone_nothing_scrolls_sideways_and_points_stand_below_each_other(browser, files):
    with visit(browser, files["ordinary"], width=390) as seen:
        assert seen.page.evaluate(SIDEWAYS) == []
        points = seen.page.evaluate(POINTS)
        assert len(points) > 3
        assert [name for name, apart in points if apart > 1] == []


def test_dark_and_light_differ_and_both_can_be_read(browser, files):
    seen_colors = []
    for dark in (False, True):
        with visit(browser, files["ordinary"], dark=dark) as seen:
            colors = [color for drawing in seen.page.evaluate(DRAWINGS) for color in drawing["colors"]]
            assert all(color.startswith("rgb(") for color in colors)
            seen_colors.append(colors)
            assert contrast(seen.page, ".verdict", "body") >= 7
            assert contrast(seen.page, ".note", ".card") >= 4.5
            assert contrast(seen.page, "td.neg", ".card") >= 4.5
            assert contrast(seen.page, "td.pos", ".card") >= 4.5
            assert contrast(seen.page, ".chip", ".chip") >= 4.5
    light, dark_colors = seen_colors
    assert all(a != b for a, b in zip(light, dark_colors, strict=True))


def test_a_link_of_the_contents_opens_what_it_names(browser, files):
    with visit(browser, files["ordinary"]) as seen:
        page = seen.page
        page.click("#buffers > summary")
        assert page.evaluate("document.querySelector('#buffers').open") is False
        page.click("#buffers > summary")
        page.emulate_media(reduced_motion="reduce")
        page.click("nav a[href='#buffers']")
        page.wait_for_function("document.querySelector('#buffers').getBoundingClientRect().top < innerHeight")


def test_paper_shows_what_is_folded_away_and_cuts_nothing(browser, files):
    with visit(browser, files["ordinary"], width=1031) as seen:
        page = seen.page
        page.click("#buffers > summary")
        page.emulate_media(media="print")
        assert page.locator("#buffers table").is_visible()
        assert page.locator("nav").is_hidden()
        assert page.evaluate(OVERFLOW) == 0


def contrast(page: Page, text: str, ground: str) -> float:
    """Return the contrast ratio, as WCAG defines it, of the first element's text on another one's background."""
    colors = page.evaluate(
        "([a, b]) => [getComputedStyle(document.querySelector(a)).color,"
        " getComputedStyle(document.querySelector(b)).backgroundColor]",
        [text, ground],
    )
    bright, dim = sorted((luminance(color) for color in colors), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


def luminance(color: str) -> float:
    """Return the relative luminance of `rgb(r, g, b)`."""
    parts = [int(part) / 255 for part in color.removeprefix("rgb(").removesuffix(")").split(",")]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
