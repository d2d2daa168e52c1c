"""One mutation of a statement, or of what the book was told, is one break of the right class, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

import polars as pl
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

import tradelake as tl
from tests.books import SAMPLE_FLEX, Patterns
from tests.reconcile.mutations import CLASSES, mutated, plain_trades
from tests.reconcile.statements import Told, split, trade, with_results

# An example makes two books: a few are enough each time, and a failing one is small as it is.
FEW = settings(max_examples=10, phases=(Phase.explicit, Phase.reuse, Phase.generate))
REAL = (
    "corporate_action_2025.xml",
    "minimal_short_options_repro_2025.xml",
    "options_future_2025.xml",
    "uabean.xml",
    "vtandchill_2025.xml",
    "synthetic/activity_fractional_shares.xml",
    "synthetic/activity_minimal.xml",
    "synthetic/activity_options.xml",
    "synthetic/activity_warrants.xml",
)
COVERED = ("executions", "positions", "lots")
DAYS = ("20260106", "20260107", "20260109", "20260112", "20260116", "20260120", "20260123")
TRADES = st.lists(
    st.tuples(
        st.sampled_from(DAYS),
        st.sampled_from(("XYZ", "XYZ", "ABC", "PUT")),
        st.sampled_from((10, 5, 100, -5, -10, 20, -20)),
        st.sampled_from(("1.25", "50", "51.5")),
    ),
    min_size=2,
    max_size=6,
)


@dataclass(frozen=True)
class Known:
    """A statement, a book that was told it, and the breaks of what it does not cover."""

    path: Path
    book: tl.Book
    breaks: pl.DataFrame
    count: int


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Path, Known]]:
    """Statements with their books, made when they are first asked for."""
    made: dict[Path, Known] = {}
    yield made
    for each in made.values():
        each.book.close()


def told(made: dict[Path, Known], path: Path, folder: Path) -> Known:
    if path not in made:
        book = tl.create(folder / f"book-{len(made)}")
        book.ingest("ibkr-flex", path)
        found = book.reconcile(path).breaks
        made[path] = Known(path, book, found, len(plain_trades(ET.fromstring(path.read_bytes()))))
    return made[path]


def classes(found: pl.DataFrame, before: pl.DataFrame | None = None) -> list[str]:
    """Return the classes of breaks, without those that were there before."""
    new = found if before is None else found.filter(~pl.col("break_id").is_in(before["break_id"].implode()))
    return new["break_class"].to_list()


@given(rows=TRADES, kind=st.sampled_from(sorted(CLASSES)), number=st.integers(min_value=0, max_value=99))
@FEW
def test_a_mutation_of_a_made_statement_is_one_break(rows, kind, number, patterns):
    with TemporaryDirectory() as name, copy_of(patterns, name, "book") as book:
        story = with_results(made(rows), book, Path(name))
        assume(kind != "split" or story.actions)
        data = story.written()
        changed = mutated(data, kind, number % len(story.trades))
        with copy_of(patterns, name, "other") as other:
            found = both_ways(book, other, data, changed, Path(name))
    assert [classes(each) for each in found] == [[each] for each in CLASSES[kind]]


def copy_of(patterns: Patterns, folder: str, name: str) -> tl.Book:
    return patterns.copy("sqlite", Path(folder) / name).open()


def both_ways(
    book: tl.Book, other: tl.Book, data: bytes, changed: bytes, folder: Path
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the breaks of a changed statement, and those of another book that was told it."""
    for name, content in {"statement.xml": data, "changed.xml": changed}.items():
        (folder / name).write_bytes(content)
    other.ingest("ibkr-flex", folder / "changed.xml")
    return book.reconcile(folder / "changed.xml").breaks, other.reconcile(folder / "statement.xml").breaks


def made(rows: list[tuple[str, str, int, str]]) -> Told:
    """Return a statement of trades in order of time, and of a split where XYZ was held through it."""
    ordered = sorted(rows, key=lambda row: row[0])
    trades = tuple(trade(number, size, price, of=of, day=day) for number, (day, of, size, price) in enumerate(ordered))
    position = sum(size for day, of, size, _ in ordered if of == "XYZ" and day < "20260115")
    return replace(Told(trades=trades), actions=(split(quantity=str(3 * position)),) if position > 0 else ())


@given(kind=st.sampled_from(("drop", "add", "quantity", "price", "fee")), number=st.integers(0, 999))
@FEW
def test_a_mutation_of_the_sample_statement_is_one_break(kind, number, known, tmp_path_factory):
    one = told(known, SAMPLE_FLEX, tmp_path_factory.getbasetemp())
    changed = mutated(SAMPLE_FLEX.read_bytes(), kind, number % one.count)
    assert one.breaks.is_empty()
    assert classes(reconciled(one, changed)) == [CLASSES[kind][0]]


def reconciled(one: Known, changed: bytes) -> pl.DataFrame:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "changed.xml"
        path.write_bytes(changed)
        return one.book.reconcile(path).breaks


@pytest.mark.parametrize("name", REAL)
def test_a_statement_does_not_differ_from_the_book_that_was_told_it(name, vectors, known, tmp_path_factory):
    one = told(known, vectors / "data" / "ibkr_flex" / name, tmp_path_factory.getbasetemp())
    rest = one.breaks.filter(pl.col("section").is_in(COVERED))
    explained = rest["cause"].str.starts_with("Missing history") | rest["cause"].str.contains("settled in cash")
    assert explained.all(), rest["cause"].to_list()


@given(
    name=st.sampled_from(REAL),
    kind=st.sampled_from(("drop", "add", "quantity", "price", "fee")),
    number=st.integers(0, 999),
)
@FEW
def test_a_mutation_of_a_real_statement_is_one_break(name, kind, number, vectors, known, patterns, tmp_path_factory):
    path = vectors / "data" / "ibkr_flex" / name
    one = told(known, path, tmp_path_factory.getbasetemp())
    data = path.read_bytes()
    row = plain_trades(ET.fromstring(data))[number % one.count]
    # An instrument whose history is missing is not covered; neither is a statement without any execution.
    assume(row.get("symbol") not in one.breaks["instrument_id"].to_list())
    assume(kind != "drop" or one.count > 1)
    changed = mutated(data, kind, number % one.count)
    with TemporaryDirectory() as folder, copy_of(patterns, folder, "other") as other:
        there, here = both_ways(one.book, other, data, changed, Path(folder))
    before = one.breaks
    assert (classes(there, before), classes(here, before)) == tuple([name] for name in CLASSES[kind])
    # What differed before is there as it was; cash of another amount is the same break.
    assert set(before["break_id"]) <= set(there["break_id"])
    assert set(before["break_id"]) <= set(here["break_id"])


def test_a_split_that_is_twice_in_a_real_statement_is_one_break(vectors, known, local_book, tmp_path, tmp_path_factory):
    path = vectors / "data" / "ibkr_flex" / "uabean.xml"
    one, data = told(known, path, tmp_path_factory.getbasetemp()), path.read_bytes()
    for found in both_ways(one.book, local_book, data, mutated(data, "split", 0), tmp_path):
        assert found.filter(instrument_id="AAPL")["break_class"].to_list() == ["stale_split"]
