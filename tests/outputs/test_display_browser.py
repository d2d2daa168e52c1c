"""Tables of a notebook in a real browser, under the style sheet that JupyterLab has for all tables."""

from collections.abc import Iterator
from decimal import Decimal

import polars as pl
import pytest
from playwright.sync_api import Browser

from tests.outputs.browser import chromium, visit
from tradelake.outputs.display import display_frame
from tradelake.outputs.report.markup import element

pytestmark = pytest.mark.timeout(180)

# The rules of JupyterLab 4 that speak of tables: no display can do without those that they override.
JUPYTERLAB = """
.jp-RenderedHTMLCommon td, .jp-RenderedHTMLCommon th, .jp-RenderedHTMLCommon tr {
  vertical-align: middle; padding: 0.5em; line-height: normal; white-space: normal; max-width: none; border: none; }
.jp-RenderedHTMLCommon:not(.jp-RenderedMarkdown) td, .jp-RenderedHTMLCommon:not(.jp-RenderedMarkdown) th,
.jp-RenderedHTMLCommon:not(.jp-RenderedMarkdown) tr { text-align: right; }
.jp-RenderedHTMLCommon tbody tr:nth-child(even) { background: rgb(1, 2, 3); }
"""
CELLS = """() => [...document.querySelectorAll('.tradelake tbody tr')].map(row => [
    getComputedStyle(row).backgroundColor,
    ...[...row.cells].map(cell => getComputedStyle(cell).textAlign),
])"""
NO_COLOR = "rgba(0, 0, 0, 0)"
OPENS_AT = "() => document.querySelector('summary').getBoundingClientRect().left"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this module."""
    with chromium() as running:
        yield running


def test_texts_stand_left_and_numbers_right_and_what_a_row_opens_to_is_in_sight(browser, tmp_path):
    rows = pl.DataFrame({"contract": ["KO 2026-04-02 P 76", "KO"], "amount": [Decimal("1.5"), Decimal("-20.25")]})
    shown = display_frame(rows, title="positions of KO", more={0: ("3 trades", element("p", "bought"))})
    place = tmp_path / "notebook.html"
    cell = f"<div class='jp-RenderedHTMLCommon jp-RenderedHTML'>{shown.html}</div>"
    place.write_text(f"<!doctype html><style>{JUPYTERLAB}</style>{cell}", encoding="utf-8")
    with visit(browser, place) as visited:
        nothing = "rgba(0, 0, 0, 0)"
        assert visited.page.evaluate(CELLS) == [
            [nothing, "left", "right"],
            [nothing, "left"],
            [nothing, "left", "right"],
        ]
        assert 0 <= visited.page.evaluate(OPENS_AT) < 60
        assert visited.page.get_by_text("3 trades").is_visible()
        assert visited.complaints == []
