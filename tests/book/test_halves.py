"""A broker's statement in halves, in overlapping parts, or in the wrong order is the same book as the whole."""

import xml.etree.ElementTree as ET
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import tradelake as tl
from tests.books import OF_THE_COMMIT, SAMPLE_FLEX, assert_whole, frames, shared_accounts

SEQUENCES = ("sequence", "open_sequence", "close_sequence")


def day_of(row: ET.Element) -> str:
    """Return the day of a row of the statement, as YYYYMMDD."""
    return (row.get("dateTime") or row.get("date") or row.get("reportDate") or "")[:8]


def part(folder: Path, first: str, last: str) -> Path:
    """Return the statement with only the rows of some days, in their order."""
    tree = ET.parse(SAMPLE_FLEX)
    for section in tree.iterfind("./FlexStatements/FlexStatement/*"):
        for row in list(section):
            if day_of(row) and not first <= day_of(row) <= last:
                section.remove(row)
    file = folder / f"{first}-{last}.xml"
    tree.write(file)
    return file


@pytest.fixture(scope="module")
def whole(patterns, tmp_path_factory) -> dict[str, pl.DataFrame]:
    """What the readers say of the whole statement."""
    with patterns.copy("sqlite", tmp_path_factory.mktemp("whole") / "book").open() as made:
        return told(made, [SAMPLE_FLEX])


def told(book: tl.Book, files: list[Path]) -> dict[str, pl.DataFrame]:
    """Import files, one after the other, and return what the readers say."""
    book.add_accounts(
        [row | {"account_id": f"{row['account_id']}x"} for row in shared_accounts("U7700001", default="GEN-1")]
    )
    for number, file in enumerate(files):
        receipt = book.ingest("ibkr-flex", file)
        if number % 2 == 0:
            book.fold()
    assert receipt.ok, receipt.problems
    assert_whole(book, 315)
    return without_order_of_arrival(frames(book))


def without_order_of_arrival(said: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return frames in which the natural key of an event stands for its place in the log."""
    events = said["trades"].select(pl.col("sequence"), pl.col("natural_key").alias("key"))
    plain = {}
    for name, rows in said.items():
        keyed = rows
        for column in set(SEQUENCES) & set(rows.columns):
            keyed = keyed.join(events, left_on=column, right_on="sequence", how="left", maintain_order="left")
            keyed = keyed.with_columns(pl.col("key").alias(column)).drop("key")
        plain[name] = keyed.drop([c for c in OF_THE_COMMIT if c in rows.columns])
    return plain


@pytest.mark.parametrize(
    "cuts",
    [
        [("20260101", "20260331"), ("20260401", "20260630")],
        [("20260101", "20260430"), ("20260315", "20260630"), ("20260101", "20260630")],
        [("20260401", "20260630"), ("20260101", "20260331"), ("20260401", "20260630")],
    ],
    ids=["halves", "overlapping", "later half first, and again once its openings are known"],
)
def test_parts_of_a_statement_are_the_whole(whole, local_book, tmp_path, cuts):
    parts = told(local_book, [part(tmp_path, *cut) for cut in cuts])
    for name, rows in whole.items():
        assert_frame_equal(rows, parts[name], check_exact=True, check_row_order=False)
