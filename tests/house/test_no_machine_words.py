"""No file of the project speaks of the machine that it was written on, or of how the work was handed out."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORBIDDEN = re.compile(
    r"/work/|/root/|/tmp/v/|\bissue\s*#?\s*\d|\bissues show\b|\bsub-?agents?\b|\bhelper session",
    re.IGNORECASE,
)


def project_files() -> list[Path]:
    """Return the files that are, or would be, committed; this test names what it forbids, and stays out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file() and path != Path(__file__)]


def test_no_file_names_this_machine_or_the_work_order():
    found = []
    for path in project_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a binary file has no words
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in FORBIDDEN.finditer(text)]
    assert not found
