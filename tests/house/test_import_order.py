"""Each room imports only from the rooms and libraries listed beside it."""

import ast
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src" / "tradelake"
BASE = {"errors", "units", "sessions", "tables"}
MIDDLE = {"intake", "store", "lots", "positions", "reconcile", "outputs"}
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    # room: (rooms it may import, libraries it may import); rooms get libraries with time, never rooms
    "errors": (set(), set()),
    "units": ({"errors"}, {"polars", "numpy", "pyarrow"}),
    "sessions": ({"errors", "units"}, {"polars", "exchange_calendars"}),
    "tables": ({"errors", "units"}, {"polars", "pyarrow"}),
    "intake": (BASE, {"polars", "pyarrow", "pydantic", "ibflex"}),
    "store": (BASE, {"polars", "pyarrow", "numpy", "duckdb", "filelock", "psycopg", "obstore"}),
    "lots": (BASE, {"polars", "numpy", "numba"}),
    "positions": (BASE, {"polars"}),
    "reconcile": (BASE, {"polars"}),
    "outputs": (BASE, {"polars", "pyarrow", "rich", "altair", "vl_convert", "xlsxwriter"}),
    "book": (BASE | MIDDLE, {"polars"}),
    "jobs": ({"errors", "book"}, {"polars", "yaml", "dask", "distributed"}),
    "cli": ({"errors", "book", "jobs", "app"}, {"typer", "rich", "polars"}),
    "service": ({"errors", "book"}, {"pydantic"}),
    "app": ({"errors", "units", "book", "outputs"}, {"marimo", "polars"}),
}


def imported_modules(path: Path) -> set[str]:
    """Return the dotted names that the file at *path* imports, relative ones made absolute."""
    here = ("tradelake", *path.relative_to(SRC).with_suffix("").parts)
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parent = ".".join(here[: len(here) - node.level]) if node.level else ""
            module = ".".join(filter(None, [parent, node.module]))
            names |= {f"{module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", sorted(SRC.rglob("*.py")), ids=lambda p: str(p.relative_to(SRC)))
def test_file_imports_only_what_its_room_allows(path):
    room = path.relative_to(SRC).with_suffix("").parts[0]
    if room.startswith("__"):
        return
    rooms, libraries = ROOMS[room]
    for name in imported_modules(path):
        top, _, rest = name.partition(".")
        if top == "tradelake":
            assert rest.partition(".")[0] in rooms | {room}, f"{room} may not import {name}"
        elif top not in sys.stdlib_module_names:
            assert top in libraries, f"{room} may not import {name}"


def test_every_room_on_disk_is_listed():
    on_disk = {path.relative_to(SRC).with_suffix("").parts[0] for path in SRC.rglob("*.py")}
    assert {room for room in on_disk if not room.startswith("__")} <= set(ROOMS)
