#!/usr/bin/env python3
"""Write the notebooks in docs/notebooks: their cells stand in `notebook_cells.py`, and are executed here.

`.venv/bin/python docs/make_notebooks.py` writes both; a folder as argument is where they go instead. They are executed
in an empty folder with the sample data of the project beside it, and what they print holds no path of this machine.
Charts are kept as pictures, so that a notebook shows them without a network.
"""

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from notebook_cells import NOTEBOOKS

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "notebooks"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
TIMEOUT_SECONDS = 240
CLIP = re.compile(r"clip\d+")


def main(folder: Path) -> None:
    """Execute the notebooks and write them to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, cells in NOTEBOOKS.items():
        with tempfile.TemporaryDirectory() as here:
            path = Path(here).resolve()
            (path / "data").symlink_to(ROOT / "data")
            notebook = executed(name, cells, path)
        nbformat.write(notebook, folder / f"{name}.ipynb")


def executed(name: str, cells: list[str], folder: Path) -> Any:
    """Return a notebook of cells after its execution in a folder; what begins with `#!md` is text."""
    made = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})
    for number, text in enumerate(cells):
        words = text.strip("\n")
        cell = (
            nbformat.v4.new_markdown_cell(words.removeprefix("#!md\n"))
            if words.startswith("#!md\n")
            else nbformat.v4.new_code_cell(words)
        )
        cell["id"] = f"{name}-{number}"[:64]
        made.cells.append(cell)
    client = NotebookClient(made, kernel_name="python3", timeout=TIMEOUT_SECONDS, record_timing=False)
    client.execute(cwd=str(folder))
    for cell in made.cells:
        for output in cell.get("outputs", ()):
            _tidy(output, str(folder))
    return made


def _tidy(output: Any, folder: str) -> None:
    """Take out of an output what is of this machine, and make pictures the same every time."""
    if "text" in output:
        output["text"] = output["text"].replace(folder, "~")
    for kind, content in output.get("data", {}).items():
        if isinstance(content, str):
            text = content.replace(folder, "~")
            output["data"][kind] = CLIP.sub(_renamed(text), text) if kind == "image/svg+xml" else text


def _renamed(content: str) -> Any:
    """Return what renames the clips of a picture in the order in which they come."""
    order = {name: f"clip{number}" for number, name in enumerate(dict.fromkeys(CLIP.findall(content)))}
    return lambda found: order[found.group()]


if __name__ == "__main__":
    # The kernel takes the project from where this script is.
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
