"""What the site needs beside the documents in this folder: a hook of mkdocs.

- Pages of files that live elsewhere in the project: README.md is the first page, and CONTRIBUTING.md, CHANGELOG.md,
  the README of the sample data and the list of schemas are pages too; the schemas and the licence are files to look at.
- One link works on GitHub and on the site: a link of a document is followed from where the document lies in the
  project, and written as it has to be on the site. What leads nowhere is left to mkdocs, which stops the build.
- A notebook of docs/notebooks is a page: its cells, and below each what it has answered when it was executed.
- A diagram of entities (```mermaid) is drawn by GitHub. To draw it, a reader of the site would have to load a program
  from another host: the site has the same relations as a table.
- A page that the navigation names and that does not exist is left out.
"""

import html
import json
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "docs" / "notebooks"
# Where a file of the project is on the site; what is below docs/ keeps its place.
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "data/README.md": "sample-data.md",
    "schemas": "schemas.md",
    "LICENSE": "LICENSE.txt",
    **{f"docs/notebooks/{path.name}": f"notebooks/{path.stem}.md" for path in sorted(NOTEBOOKS.glob("*.ipynb"))},
    **{f"schemas/{path.name}": f"schemas/{path.name}.txt" for path in sorted((ROOT / "schemas").iterdir())},
}
# What stands in a page of a notebook for the answer of a cell, until the Markdown around it is HTML.
ANSWER = '<div class="answer" data-cell="{}"></div>'
SHOWN = ("text/html", "image/svg+xml")
LINK = re.compile(r"(?<=\]\()([^)\s#:]+)(?=[)#])")
DIAGRAM = re.compile(r"^```mermaid\nerDiagram\n(.*?)^```$", re.DOTALL | re.MULTILINE)
RELATION = re.compile(r'\s+(\w+) (\S\S)--(\S\S) (\w+) : "(.+)"')
HOW_MANY = {"||": "one", "|o": "at most one", "o|": "at most one", "o{": "any number of", "|{": "one or more"}
RELATIONS = "This table says what the diagram in the repository draws: each line is one relation between two tables."
SCHEMAS = """# The DDL and the JSON Schema

Written by `make schemas` from the definitions of the [tables](tables.md).

| file | what it is |
|---|---|
"""


def on_config(config: Any) -> Any:
    """Leave out of the navigation what does not exist."""
    config.nav = _there(config.nav)
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages and files that live elsewhere in the project."""
    for source, place in ELSEWHERE.items():
        path = ROOT / source
        if path.is_dir():
            rows = "".join(f"| [{each.name}](schemas/{each.name}.txt) | {_title(each)} |\n" for each in _files(path))
            files.append(File.generated(config, place, content=SCHEMAS + rows))
        elif path.suffix == ".ipynb":
            files.append(File.generated(config, place, content=_notebook(path)))
        else:
            files.append(File.generated(config, place, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return the text of a page with its links and diagrams as the site has them."""
    place = page.file.src_uri
    if place == ELSEWHERE["schemas"]:
        return markdown
    source = next((name for name, there in ELSEWHERE.items() if there == place), f"docs/{place}")
    linked = LINK.sub(lambda found: _link(found[1], source, place), markdown)
    return DIAGRAM.sub(lambda found: _relations(found[1]), linked)


def on_page_content(content: str, page: Any, **_: Any) -> str:
    """Put the answers of its cells into the page of a notebook."""
    source = next((ROOT / name for name, there in ELSEWHERE.items() if there == page.file.src_uri), ROOT)
    for number, cell in enumerate(_cells(source) if source.suffix == ".ipynb" else ()):
        content = content.replace(ANSWER.format(number), "".join(map(_answer, cell.get("outputs", ()))))
    return content


def _cells(path: Path) -> list[Any]:
    cells: list[Any] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return cells


def _notebook(path: Path) -> str:
    """Return a notebook as Markdown, with a place for the answer of each cell."""
    parts = []
    for number, cell in enumerate(_cells(path)):
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
        if cell.get("outputs"):
            parts.append(ANSWER.format(number))
    return "\n\n".join(parts) + "\n"


def _answer(output: Any) -> str:
    """Return one output of a cell as HTML: what a notebook would show of it."""
    data = output.get("data", {})
    for kind in SHOWN:
        if kind in data:
            return f'<div class="answer">{"".join(data[kind])}</div>'
    text = "".join(output.get("text", data.get("text/plain", "")))
    return f'<pre class="answer"><code>{html.escape(text)}</code></pre>'


def _link(target: str, source: str, place: str) -> str:
    """Return a link of the document *source* as it is at its *place* on the site."""
    meant = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
    there = ELSEWHERE.get(meant, meant.removeprefix("docs/") if meant.startswith("docs/") else None)
    return target if there is None else posixpath.relpath(there, posixpath.dirname(place) or ".")


def _relations(text: str) -> str:
    lines = [RELATIONS, "", "| one row of | | how many rows of |", "|---|---|---|"]
    for line in text.splitlines():
        found = RELATION.fullmatch(line)
        if found is None:
            raise ValueError(f"{line.strip()!r} is no relation that the site can show")
        left, few, many, right, what = found.groups()
        lines.append(f"| {HOW_MANY[few]} `{left}` | {what} | {HOW_MANY[many]} `{right}` |")
    return "\n".join(lines) + "\n"


def _there(entry: Any) -> Any:
    if isinstance(entry, list):
        return [kept for each in entry if (kept := _there(each)) is not None]
    if isinstance(entry, dict):
        ((name, inside),) = entry.items()
        kept = _there(inside)
        return None if kept is None else {name: kept}
    return entry if entry in ELSEWHERE.values() or (ROOT / "docs" / entry).exists() else None


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as lines:
        first = next(lines).strip()
    return first.removeprefix("-- ") if path.suffix == ".sql" else "one execution as it is given, as JSON Schema"
