"""The manifest of an archived month: a text that says, without the book, what its files are and add up to.

It is the same text whenever the same rows are archived, so that its name and SHA-256 are too: an interrupted run that
is repeated writes nothing new.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import polars as pl

from tradelake.errors import InputError
from tradelake.store.archive import KEY, File, Staged
from tradelake.tables import ARCHIVED_TABLES, ARCHIVES
from tradelake.units import plain

KIND, FORMAT = "archive", 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest with its name under the archive's URL, and the names of the objects, by table."""

    name: str
    data: bytes
    objects: dict[str, str]

    @property
    def sha256(self) -> str:
        """The SHA-256 of the text."""
        return sha256(self.data).hexdigest()


def manifest_of(staged: Staged, book_id: str) -> Manifest:
    """Return the manifest of a staged month."""
    folder = f"{book_id}/{staged.month:%Y-%m}"
    objects = {file.table: f"{folder}/{file.table}-{file.sha256}.parquet" for file in staged.files}
    name = f"{folder}/{staged.archive_id}.json"
    said = {
        "kind": KIND,
        "format": FORMAT,
        "name": name,
        "book_id": book_id,
        "archive_id": staged.archive_id,
        "month": f"{staged.month:%Y-%m}",
        "files": [_file(file, objects[file.table]) for file in staged.files],
        "control_totals": totals_with(staged.totals, []),
    }
    # A line for each account, symbol and currency: there may be more of these than one cares to name columns for.
    lines = (json.dumps(row, separators=(",", ":")) for row in control_totals(staged.totals))
    head, _, tail = json.dumps(said, indent=1).rpartition("[]")
    text = f"{head}[\n" + ",\n".join(lines) + f"\n]{tail}\n"
    return Manifest(name, text.encode(), objects)


def totals_with(totals: pl.DataFrame, rows: list[list[int | str]]) -> dict[str, Any]:
    """Return some rows of control totals with the names of their columns, as a manifest says them."""
    return {"columns": _totals_of(totals).columns, "rows": rows}


def control_totals(totals: pl.DataFrame) -> list[list[int | str]]:
    """Return rows of `archive_totals` as a manifest says them."""
    return [[_said(value) for value in row] for row in _totals_of(totals).iter_rows()]


def totals_said(said: dict[str, Any], *, without: str) -> list[list[int | str]]:
    """Return the control totals that a manifest says, without one column."""
    told = said["control_totals"]
    kept = [number for number, name in enumerate(told["columns"]) if name != without]
    return [[row[number] for number in kept] for row in told["rows"]]


def _totals_of(totals: pl.DataFrame) -> pl.DataFrame:
    return totals.drop("archive_id", "month")


def _said(value: object) -> int | str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return plain(value)
    return value if isinstance(value, int) else str(value)


def _file(file: File, name: str) -> dict[str, Any]:
    table = next(table for table in ARCHIVED_TABLES if table.name == file.table)
    return {
        "table": file.table,
        "object": name,
        "sha256": file.sha256,
        "bytes": file.bytes,
        "rows": file.rows,
        "key": KEY[file.table],
        "first_key": file.first_key,
        "last_key": file.last_key,
        "sorted_by": list(table.sort),
        "columns": [{"name": c.name, "type": c.type, "meaning": c.comment} for c in table.columns],
    }


def read_manifest(data: bytes, where: str) -> dict[str, Any]:
    """Return what a manifest says; InputError where it is none of an archive."""
    try:
        said = json.loads(data)
    except ValueError as error:
        raise InputError(f"{where} is no manifest: {error}") from error
    if not isinstance(said, dict) or said.get("kind") != KIND:
        raise InputError(f"{where} is no manifest of an archived month.")
    if said.get("format") != FORMAT:
        raise InputError(f"{where} has format {said.get('format')}; this release knows format {FORMAT}.")
    return said


def entries(staged: Staged, manifest: Manifest, url: str, step: str) -> pl.DataFrame:
    """Return the rows of `archives` that a step of a staged month makes."""
    rows = [
        {
            "archive_id": staged.archive_id,
            "table_name": file.table,
            "step": step,
            "month": staged.month,
            "url": url,
            "object": manifest.objects[file.table],
            "file_sha256": file.sha256,
            "bytes": file.bytes,
            "rows": file.rows,
            "first_key": file.first_key,
            "last_key": file.last_key,
            "last_known_at": staged.known_at,
            "manifest": manifest.name,
            "manifest_sha256": manifest.sha256,
        }
        for file in staged.files
    ]
    schema = {name: kind for name, kind in ARCHIVES.schema.items() if name in rows[0]}
    return pl.DataFrame(rows, schema=schema)
