"""Write the schemas that other programs read: `python -m tradelake.jobs.schemas FOLDER [DOCUMENT]...`.

A document has the columns of a table between a line `<!-- columns of TABLE -->` and a line `<!-- end -->`.
"""

import re
import sys
from pathlib import Path

from tradelake.book import column_text, schema_texts

COLUMNS = re.compile(r"(?<=^<!-- columns of )(\w+)( -->\n).*?(?=^<!-- end -->$)", re.DOTALL | re.MULTILINE)


def texts() -> dict[str, str]:
    """Return the text of each file in `schemas/` by its name."""
    return schema_texts()


def with_columns(document: str) -> str:
    """Return a document with the columns of its tables as they are defined."""
    return COLUMNS.sub(lambda found: f"{found[1]}{found[2]}\n{column_text(found[1])}\n", document)


def write(folder: str | Path, documents: list[str]) -> list[Path]:
    """Write every schema into *folder*, which is made where it is missing, and *documents* anew; return the paths."""
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in texts().items():
        path = place / name
        path.write_text(text, encoding="utf-8")
        written.append(path)
    for document in map(Path, documents):
        document.write_text(with_columns(document.read_text(encoding="utf-8")), encoding="utf-8")
        written.append(document)
    return written


if __name__ == "__main__":
    for path in write(sys.argv[1] if len(sys.argv) > 1 else "schemas", sys.argv[2:]):
        print(path)
