"""Write the schemas that other programs read: `python -m tradelake.jobs.schemas FOLDER`."""

import sys
from pathlib import Path

from tradelake.book import schema_texts


def texts() -> dict[str, str]:
    """Return the text of each file in `schemas/` by its name."""
    return schema_texts()


def write(folder: str | Path) -> list[Path]:
    """Write every schema into *folder*, which is made where it is missing, and return the paths written."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in texts().items():
        path = place / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    return written


if __name__ == "__main__":
    for path in write(sys.argv[1] if len(sys.argv) > 1 else "schemas"):
        print(path)
