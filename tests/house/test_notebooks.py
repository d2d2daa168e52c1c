"""The notebooks in docs/notebooks run, and print what they show."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.house.documents import ROOT

KEPT = ROOT / "docs" / "notebooks"
NAMES = sorted(path.name for path in KEPT.glob("*.ipynb"))
INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
TEXT = "{http://www.w3.org/2000/svg}text"
FRESH = "run `python docs/make_notebooks.py`"


@pytest.fixture
def executed(tmp_path: Path) -> Path:
    """The folder of the notebooks as they are executed now."""
    folder = tmp_path / "notebooks"
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "make_notebooks.py"), str(folder)],
        env={**os.environ, "IPYTHONDIR": str(folder / "ipython"), "JUPYTER_PREFER_ENV_PATH": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    return folder


def said(output: Any) -> object:
    """Return what an output says: its texts, and of a picture those that are in it."""
    if output["output_type"] == "stream":
        return output["name"], output["text"]
    assert output["output_type"] in ("execute_result", "display_data"), output
    data = output["data"]
    texts = {kind: INSTANT.sub("<instant>", data[kind]) for kind in ("text/plain", "text/html") if kind in data}
    picture = data.get("image/svg+xml")
    return texts | ({} if picture is None else {"picture": [node.text for node in ET.fromstring(picture).iter(TEXT)]})


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_notebooks_print_what_they_show(executed):
    # One test of all, so that they are executed once, whichever process runs it.
    read: Any = nbformat.read
    for name in NAMES:
        now, kept = (read(folder / name, as_version=4) for folder in (executed, KEPT))
        nbformat.validate(kept)
        assert [cell["source"] for cell in kept["cells"]] == [cell["source"] for cell in now["cells"]], FRESH
        for fresh, shown in zip(now["cells"], kept["cells"], strict=True):
            outputs = [[said(output) for output in cell.get("outputs", ())] for cell in (fresh, shown)]
            assert outputs[0] == outputs[1], f"{FRESH}\n{name}\n{fresh['source']}"


def test_both_notebooks_are_there():
    assert NAMES == ["trade_history.ipynb", "wheel_campaign.ipynb"]
