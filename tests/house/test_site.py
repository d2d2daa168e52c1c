"""The site of the documents is built with strict links, has every document, and loads nothing from elsewhere."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.documents import ROOT

# What a page of a browser loads by itself; a link that somebody has to click is none of it.
LOADED = re.compile(r'<(?:script|img|iframe|source)[^>]*\ssrc="?(https?:)?//|<link[^>]*\srel="?(?:stylesheet|preload|preconnect)[^>]*href="?(https?:)?//')  # fmt: skip  # noqa: E501
PUBLIC = ("create", "open_book", "Book", "Receipt", "Execution", "Problem", "migrations", "migrate", "InputError")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does it."""
    place = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(place)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return place


def test_every_document_is_a_page(site):
    documents = ROOT / "docs"
    for path in documents.rglob("*.md"):
        assert (site / path.relative_to(documents).with_suffix(".html")).exists()
    for name in ("index", "changelog", "contributing", "sample-data", "schemas"):
        assert (site / f"{name}.html").exists()


def test_no_page_loads_anything_from_elsewhere(site):
    found = [
        f"{path.relative_to(site)}: {match.group()}"
        for path in site.rglob("*.html")
        for match in LOADED.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found


def test_links_out_of_the_folder_lead_to_pages_of_the_site(site):
    assert 'href="schemas/execution.schema.json.txt"' in (site / "guide.html").read_text(encoding="utf-8")
    assert (site / "schemas" / "execution.schema.json.txt").exists()
    assert 'href="../contributing.html"' in (site / "howto" / "add-an-importer.html").read_text(encoding="utf-8")
    assert 'src="images/positions.svg"' in (site / "index.html").read_text(encoding="utf-8")


def test_a_notebook_is_a_page_with_its_answers(site):
    assert 'href="notebooks/wheel_campaign.html"' in (site / "index.html").read_text(encoding="utf-8")
    for path in (ROOT / "docs" / "notebooks").glob("*.ipynb"):
        text = (site / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", ())]
        assert len(re.findall('class="answer"', text)) == len(outputs) > 10
        assert "data-cell" not in text
        for output in outputs:
            shown = output.get("data", {})
            assert "".join(shown.get("text/html", shown.get("image/svg+xml", ""))) in text


def test_a_diagram_of_entities_is_a_table(site):
    text = (site / "schema.html").read_text(encoding="utf-8")
    assert "This table says what the diagram in the repository draws" in text
    assert "erDiagram" not in text
    assert re.search(r"one <code>accounts</code></td>\s*<td>owns</td>\s*<td>any number of <code>trade_log</code>", text)


def test_the_reference_has_every_public_name(site):
    text = (site / "python.html").read_text(encoding="utf-8")
    for name in PUBLIC:
        assert re.search(rf'id="tradelake\.(book|errors)\.{name}"', text), name
    assert 'id="tradelake.book.Book.positions"' in text


def test_a_link_that_leads_nowhere_stops_the_build(tmp_path):
    for name in ("docs", "schemas", "src", "data", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "docs").unlink()
    (tmp_path / "docs").mkdir()
    for path in (ROOT / "docs").iterdir():
        (tmp_path / "docs" / path.name).symlink_to(path)
    guide = tmp_path / "docs" / "guide.md"
    text = guide.read_text(encoding="utf-8")
    guide.unlink()
    guide.write_text(text + "\n[nowhere](marks.md#nothing-there)\n", encoding="utf-8")
    (tmp_path / "mkdocs.yml").write_text((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict"],
        cwd=tmp_path,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "marks.md#nothing-there" in done.stderr
