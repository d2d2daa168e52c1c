"""The read-only door for SQL: one SELECT over the tables of the book, and nothing else.

The statement is parsed by DuckDB itself and its tree is walked: what is no SELECT is refused, and so is every
table function that is not in a short list (they read files and run other statements), and every name that is no
table of the book, since DuckDB would take it for a file. Table macros like `positions_at` ask for the past.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from tradelake.errors import InputError, ReadOnlyError
from tradelake.store.catalog import Catalog
from tradelake.store.literals import literal
from tradelake.tables import TABLES

PAST_SUFFIX = "_at"
PAST_LISTINGS = (
    "trades",
    "positions",
    "lots",
    "matches",
    "history",
    "refusals",
    "ledger",
    "pnl",
    "cash",
    "chains",
    "chain_positions",
)
PAST_MACROS = frozenset(name + PAST_SUFFIX for name in PAST_LISTINGS)
INSTANT_TYPES = ("DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
INSTANTS = ("as_of", "as_known")
TABLE_FUNCTIONS = {"unnest", "range", "generate_series"}
REFUSED_FUNCTIONS = {
    "current_setting",
    "currval",
    "getenv",
    "getvariable",
    "nextval",
    "pg_sleep",
    "query",
    "query_table",
    "sleep_ms",
    "write_log",
}
NAMES = frozenset({table.name for table in TABLES} | {"trades", "history"})


@dataclass(frozen=True, slots=True)
class PastCall:
    """One call of a table macro for the past: the listing it is of, and its instants as they are written.

    `keys` are the same instants as DuckDB hands them to the macro, as text.
    """

    listing: str
    as_of: str | None
    as_known: str | None
    keys: tuple[str | None, str | None]


def check_read_only(catalog: Catalog, query: str) -> tuple[PastCall, ...]:
    """Return the calls of table macros in *query*, each once.

    Raises ReadOnlyError unless it is one SELECT over the book, InputError where it is no SQL.
    """
    try:
        row = catalog.connection.execute("SELECT json_serialize_sql(?)", [query]).fetchone()
    except duckdb.Error as error:
        raise catalog.complaint(error, what="is not readable") from error
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if tree.get("error"):
        text = tree.get("error_message", "")
        if "Only SELECT" in text:
            raise ReadOnlyError("book.sql reads only: the query has to be one SELECT. Record events to change a book.")
        raise InputError(f"The query is not readable: {text}")
    if not tree["statements"]:
        raise InputError("The query is empty. Give one SELECT.")
    if len(tree["statements"]) > 1:
        raise ReadOnlyError("book.sql runs one SELECT at a time; the query has several statements.")
    _check(tree["statements"], NAMES)
    calls = (_past_call(catalog.connection, function) for function in _macro_calls(tree["statements"]))
    return tuple(dict.fromkeys(calls))


def _macro_calls(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, list):
        for part in value:
            yield from _macro_calls(part)
    if isinstance(value, dict):
        function = value.get("function") if value.get("type") == "TABLE_FUNCTION" else None
        if isinstance(function, dict) and function.get("function_name") in PAST_MACROS:
            yield function
        for part in value.values():
            yield from _macro_calls(part)


def _past_call(connection: duckdb.DuckDBPyConnection, function: dict[str, Any]) -> PastCall:
    """Return a call with its instants, which have to be constants; InputError for others."""
    name = function["function_name"]
    texts: dict[str, str | None] = dict.fromkeys(INSTANTS)
    keys: dict[str, str | None] = dict.fromkeys(INSTANTS)
    for number, argument in enumerate(function["children"]):
        which = argument["alias"] or (INSTANTS[number] if number < len(INSTANTS) else "")
        inner = argument["child"] if argument["type"] == "OPERATOR_CAST" else argument
        kind = argument["cast_type"]["id"] if inner is not argument else ""
        if which not in INSTANTS or inner["type"] != "VALUE_CONSTANT" or (kind and kind not in INSTANT_TYPES):
            raise InputError(
                f"{name} takes as_of and as_known, each a constant: a day or an instant as text, or NULL. "
                f"For example {name}('2026-01-31') or {name}(as_known := '2026-01-31T21:00:00Z')."
            )
        if not inner["value"]["is_null"]:
            texts[which] = str(inner["value"]["value"])
            given = f"CAST({literal(texts[which] or '')} AS {kind or 'VARCHAR'})"
            try:
                row = connection.execute(f"SELECT CAST({given} AS VARCHAR)").fetchone()
            except duckdb.Error as error:
                raise InputError(f"{name}: {texts[which]!r} is no {kind.lower()}: {error}") from error
            keys[which] = row[0] if row else None
    return PastCall(
        name.removesuffix(PAST_SUFFIX), texts["as_of"], texts["as_known"], (keys["as_of"], keys["as_known"])
    )


def _check(value: object, names: frozenset[str]) -> None:
    """Check a part of the tree in which tables and common table expressions of these *names* can be seen."""
    if isinstance(value, list):
        for part in value:
            _check(part, names)
    if not isinstance(value, dict):
        return
    names = _with_common_tables(value.get("cte_map"), names)
    _check_node(value, names)
    for key, part in value.items():
        if key == "right" and value.get("type") == "RECURSIVE_CTE_NODE":
            _check(part, names | {str(value["cte_name"]).lower()})
        elif key != "cte_map":
            _check(part, names)


def _with_common_tables(given: object, names: frozenset[str]) -> frozenset[str]:
    """Return the names with those of a WITH clause; each of its queries sees only the ones before it.

    A name that DuckDB would not find there is a file to it: what is visible has to be known exactly.
    """
    for entry in given["map"] if isinstance(given, dict) else ():
        _check(entry["value"], names)
        names |= {str(entry["key"]).lower()}
    return names


def _check_node(node: dict[str, object], names: frozenset[str]) -> None:
    kind = node.get("type")
    if kind == "TABLE_FUNCTION":
        function = node.get("function")
        name = function.get("function_name") if isinstance(function, dict) else None
        if name not in TABLE_FUNCTIONS | PAST_MACROS:
            raise ReadOnlyError(f"book.sql reads the book only: the table function {name} is refused.")
    if kind == "BASE_TABLE":
        name = str(node.get("table_name"))
        if name.lower() not in names or node.get("schema_name") or node.get("catalog_name"):
            raise ReadOnlyError(
                f"book.sql reads the book only: there is no table {name!r}. Tables: {', '.join(sorted(NAMES))}."
            )
    if kind == "SHOW_REF" and node.get("show_type") not in ("DESCRIBE", "SUMMARY"):
        raise ReadOnlyError(f"book.sql reads the book only: SHOW is refused. Tables: {', '.join(sorted(NAMES))}.")
    if node.get("class") == "FUNCTION" and str(node.get("function_name")).lower() in REFUSED_FUNCTIONS:
        raise ReadOnlyError(f"book.sql reads the book only: the function {node.get('function_name')} is refused.")
