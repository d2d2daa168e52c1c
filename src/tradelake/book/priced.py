"""Which instrument of the book a price belongs to."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl

from tradelake.errors import Problem
from tradelake.intake.parsed import MARKED

NAMES = ("instrument_id", "contract_symbol", "symbol")
ASKED = [*NAMES, "broker_contract_id", "currency"]
Row = Mapping[str, Any]


def resolve(given: pl.DataFrame, instruments: pl.DataFrame, *, source: str) -> tuple[pl.DataFrame, tuple[Problem, ...]]:
    """Return marks (`MARKED`) with the id of the instrument that they name and their currency; and the others.

    The id counts before the contract symbol, and that before the symbol, which does not name options; the broker's
    contract id counts where none of them is known. Whatever a row says besides has to fit.
    """
    known = _Known(instruments)
    names = given.select(ASKED).unique(maintain_order=True)
    answers = [known.find(row) for row in names.iter_rows(named=True)]
    wrong = {key: each for key, each in zip(names.rows(), answers, strict=True) if isinstance(each, Problem)}
    found = pl.DataFrame(
        [(None, None) if isinstance(each, Problem) else each for each in answers],
        schema={"known_id": pl.String(), "known_currency": pl.String()},
        orient="row",
    )
    rows = given.join(names.hstack(found), on=ASKED, how="left", nulls_equal=True, maintain_order="left")
    refused = rows.filter(pl.col("known_id").is_null()).select("source_row", *ASKED)
    marks = rows.filter(pl.col("known_id").is_not_null()).with_columns(
        pl.col("known_id").alias("instrument_id"), pl.coalesce("currency", "known_currency").alias("currency")
    )
    problems = (replace(wrong[tuple(key)], source=source, row=number) for number, *key in refused.iter_rows())
    return marks.select(MARKED.names()), tuple(problems)


class _Known:
    """The instruments of a book by each of their names."""

    def __init__(self, instruments: pl.DataFrame) -> None:
        self._by: dict[str, dict[str, list[Row]]] = {name: {} for name in (*NAMES, "broker_contract_id")}
        for row in instruments.iter_rows(named=True):
            for name, rows in self._by.items():
                if row[name] is not None and not (name == "symbol" and row["asset_type"] == "OPTION"):
                    rows.setdefault(row[name], []).append(row)

    def find(self, given: Row) -> tuple[str, str] | Problem:
        """Return the id and currency of the one instrument that a row names, or what is wrong with it."""
        field = next(name for name in NAMES if given[name] is not None)
        named = given[field]
        rows = self._by[field].get(named) or self._by["broker_contract_id"].get(given["broker_contract_id"], [])
        if not rows:
            return Problem(
                "unknown_instrument",
                "the book has no such instrument, and a price defines none",
                field=field,
                value=named,
                action="Correct the name, or record an event of the instrument or add it first.",
            )
        if len(rows) > 1:
            wanted = given["currency"]
            chosen = [row for row in rows if (row["currency"] == wanted if wanted else row["instrument_id"] == named)]
            rows = chosen or rows
        if len(rows) > 1:
            return Problem(
                "ambiguous_instrument",
                f"several instruments have this {field}: {', '.join(row['instrument_id'] for row in rows)}",
                field=field,
                value=named,
                action="Give the instrument_id of the one that is meant, or its currency.",
            )
        found = rows[0]
        for name in NAMES:
            if field != name and given[name] is not None and given[name] != found[name]:
                return Problem(
                    "contradicting_terms",
                    f"{field} names {found['instrument_id']}, whose {name} is {found[name] or 'none'}",
                    field=name,
                    value=given[name],
                    action=f"Correct one of the two, or leave {name} out.",
                )
        return found["instrument_id"], found["currency"]
