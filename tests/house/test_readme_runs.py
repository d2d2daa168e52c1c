"""What README and guide tell people to type works, prints what they show, and every link leads somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.documents import ROOT, Session, agrees, blocks, program
from tests.objectstore import s3_server

PAGES = "guide lifecycle marks nightly operations reconciliation audit archive retention integration postgres app"
PAGES += " ALL_USE_Trade_And_Position_Tracking_Design"
PAGES += " tutorial howto/import-my-broker howto/fork-an-account howto/fix-a-break howto/archive-a-year"
PAGES += " howto/restore howto/add-an-importer howto/shell-completion"
SESSIONS = ["README.md", *(f"docs/{name}.md" for name in PAGES.split())]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "data" / "README.md"])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@pytest.fixture
def object_store(name: str, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment that names a server with the bucket `backups`, for a document that puts something there."""
    if "--to s3://backups" not in (ROOT / name).read_text(encoding="utf-8"):
        yield {}
        return
    with s3_server(tmp_path / "s3" / "buckets") as server:
        (server.folder / "backups").mkdir()
        yield server.environment()


@pytest.mark.parametrize("name", SESSIONS)
def test_every_block_runs_and_prints_what_is_shown(name, tmp_path, postgres_server, empty_postgres_url, object_store):
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "data").symlink_to(ROOT / "data")
    session = Session(folder, {"DATABASE_URL": empty_postgres_url, **object_store})
    program(tmp_path / "bin" / "psql", f'"{postgres_server.binaries / "psql"}"')
    ran = 0
    for block in blocks(ROOT / name):
        if block.language not in ("sh", "python"):
            continue
        printed = session.run(block)
        ran += 1
        if block.output is not None:
            assert agrees(printed, block.output), f"{name}, line {block.line}: it prints\n{printed}"
    assert ran >= 3


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(path):
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


def anchors(document: Path) -> set[str]:
    """Return the anchors that the headings of a document make."""
    headings = HEADING.findall(document.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("created /a/b/book\n", "created <folder>/book\n"),
        ("one\ntwo\nthree\n", "one\n...\nthree\n"),
        ("one  \ntwo\n", "one\ntwo\n"),
    ],
)
def test_placeholders_stand_for_what_differs(printed, shown):
    assert agrees(printed, shown)


@pytest.mark.parametrize(
    ("printed", "shown"),
    [("two rows\n", "three rows\n"), ("one\ntwo\n", "one\n"), ("a.b\n", "aXb\n"), ("", "one\n")],
)
def test_anything_else_has_to_be_the_same(printed, shown):
    assert not agrees(printed, shown)
