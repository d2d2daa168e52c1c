"""A log that is derived part by part: what a part is, and that a wrong row is found wherever it is."""

import pytest

import tradelake as tl
from tests.books import fill
from tradelake.book import closing, parts
from tradelake.tables import DERIVED_TABLES


@pytest.fixture
def small(monkeypatch):
    """Let a part have ten events."""
    monkeypatch.setattr(parts, "PART_EVENTS", 10)


def families(book: tl.Book, count: int = 1) -> list[parts.Part]:
    """Return the parts of a book."""
    with book._catalog.transaction():
        standing = book._standing()
        references = book._references(standing.import_run_id)
        return parts.parts_of(book._catalog, references, book._tail.reaching_of(standing, references), count)


@pytest.fixture
def forty(local_book):
    """A book of forty fills in eight families."""
    rows = [
        fill(n, "2" if n % 16 < 8 else "-1", account_id=f"A{n // 4 % 2}", symbol=f"S{n % 4}", broker_account_id="U1")
        for n in range(40)
    ]
    local_book.add_accounts([{"account_id": f"A{n}", "broker_account_id": "U1"} for n in range(2)])
    assert local_book.record(rows).ok
    local_book.fold()
    return local_book


def test_parts_are_neighbours_and_have_every_family_once(forty, small):
    found = families(forty)
    assert [part.events for part in found] == [10, 10, 10, 10]
    names = [row for part in found for row in part.families.iter_rows()]
    assert names == [(f"A{account}", f"S{symbol}") for account in range(2) for symbol in range(4)]


def test_what_is_linked_is_one_part_however_large(forty, small):
    move = {"kind": "transfer", "trade_id": "M", "account_id": "A0", "to_account_id": "A1", "instrument_id": "S0"}
    assert forty.record(move | {"executed_at": "2026-02-01T15:00:00Z", "quantity": "1"}).ok
    together = [part for part in families(forty) if ("A0", "S0") in part.families.rows()]
    assert [("A1", "S0") in part.families.rows() for part in together] == [True]
    assert forty.rebuild().rows == forty.rebuild(check=True).rows


def test_a_fold_of_many_events_is_done_in_parts(local_book, small, monkeypatch):
    for first, last in ((0, 25), (25, 40)):
        monkeypatch.setattr(local_book._tail, "fold", None)
        assert local_book.record([fill(n, symbol=f"S{n % 3}") for n in range(first, last)]).ok
        assert local_book.fold() == last
        monkeypatch.setattr(parts, "PART_EVENTS", 100)
        assert local_book.rebuild(check=True).identical
        monkeypatch.setattr(parts, "PART_EVENTS", 10)


def test_a_fold_of_a_few_events_on_a_long_log_goes_on_from_what_is_stored(forty, small, monkeypatch):
    monkeypatch.setattr(forty, "_rederive", None)
    assert forty.record([fill(n, symbol=f"S{n % 4}", account_id="A0") for n in range(40, 48)]).ok
    assert forty.fold() == 48
    monkeypatch.undo()
    assert forty.rebuild(check=True).identical


@pytest.mark.parametrize("table", ["matches", "lots"])
@pytest.mark.parametrize(
    ("change", "found"),
    [("symbol = 'S9'", {"different"}), ("account_id = 'A0', symbol = '0'", {"missing", "not derivable"})],
    ids=["in its part", "into another part"],
)
def test_a_wrong_row_of_any_part_is_named(forty, small, table, change, found):
    forty._catalog.execute(f"UPDATE {table} SET {change} WHERE account_id = 'A1' AND symbol = 'S3'")
    report = forty.rebuild(check=True)
    assert not report.identical
    words = {line.split(" rows ")[1].split(",")[0] for line in report.differences if line.startswith(table)}
    assert words == found
    assert forty.rebuild().rows == report.rows
    assert forty.rebuild(check=True).identical
    assert forty.verify(deep=True).findings == ()


def test_a_rebuild_in_parts_that_is_broken_off_changes_nothing(book, small, monkeypatch):
    assert book.record([fill(n, symbol=f"S{n % 4}") for n in range(40)]).ok
    book.fold()
    before = {table.name: book.sql(f"SELECT * FROM {table.name} ORDER BY ALL").pl() for table in DERIVED_TABLES}
    written = closing.derivation
    calls = []

    def fails(*args, **named):
        calls.append(1)
        if len(calls) == 3:
            raise MemoryError
        return written(*args, **named)

    monkeypatch.setattr(parts, "derivation", fails)
    with pytest.raises(MemoryError):
        book.rebuild()
    after = {table.name: book.sql(f"SELECT * FROM {table.name} ORDER BY ALL").pl() for table in DERIVED_TABLES}
    assert all(rows.equals(after[name]) for name, rows in before.items())
    monkeypatch.undo()
    assert book.rebuild(check=True).identical
