"""Write the schemas that other programs read: `python -m tradelake.jobs.schemas FOLDER [DOCUMENT]...`.

A document has the columns of a table between a line `<!-- columns of TABLE -->` and a line `<!-- end -->`. One that
begins with the first line of `reference()` is the reference of all tables, and written as a whole.
"""

import re
import sys
from pathlib import Path

from tradelake.book import TABLES, column_text, schema_texts

COLUMNS = re.compile(r"(?<=^<!-- columns of )(\w+)( -->\n).*?(?=^<!-- end -->$)", re.DOTALL | re.MULTILINE)

TITLE = "# Tables: every column"
INTRODUCTION = f"""{TITLE}

<!-- Written by `make schemas` from src/tradelake/tables; a test compares the two. -->

Every table of a book, as `tradelake sql`, `Book.sql` and the [twin in PostgreSQL](postgres.md) have it. How they hang
together is in [The tables](schema.md). Instants are in UTC, quantities have 8 decimals and amounts 12.
"""


def texts() -> dict[str, str]:
    """Return the text of each file in `schemas/` by its name."""
    return schema_texts()


def reference() -> str:
    """Return the reference of all tables as Markdown: what one row is, the keys, and every column."""
    parts = [INTRODUCTION]
    for table in TABLES:
        facts = [f"{table.comment}.", f"Key: {_names(table.key)}."]
        facts += [f"Unique: {_names(names)}." for names in table.unique]
        facts += [f"`{c.name}` refers to `{c.references}`." for c in table.columns if c.references]
        if table.partition_date:
            facts.append(f"Partitioned by year and month of `{table.partition_date}`.")
        parts.append(f"\n## {table.name}\n\n{' '.join(facts)}\n\n{column_text(table.name)}")
    return "".join(parts)


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in columns)


def with_columns(document: str) -> str:
    """Return a document with the columns of its tables as they are defined."""
    if document.startswith(TITLE):
        return reference()
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
