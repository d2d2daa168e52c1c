"""What DuckDB loads: extensions of the wheels only, and only with their signature."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

import tradelake as tl
from tradelake.errors import StorageError
from tradelake.store import literals, session


@pytest.fixture
def extensions(tmp_path, monkeypatch):
    """Copies of the extensions, which a test may change, in a process that has checked none of them."""
    places = {name: session.extension_path(name) for name in ("ducklake", "sqlite_scanner", "postgres_scanner")}
    copies = {name: shutil.copy(path, tmp_path / path.name) for name, path in places.items()}
    monkeypatch.setattr(session, "extension_path", copies.__getitem__)
    monkeypatch.setattr(session, "_CHECKED", {})
    return copies


def spoil(path: Path) -> None:
    """Put a file with other content, of the same length, in the place of another."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[:-600] + bytes([content[-600] ^ 1]) + content[-599:])


def test_an_extension_with_a_wrong_signature_is_not_loaded(extensions, tmp_path):
    spoil(extensions["ducklake"])
    with pytest.raises(StorageError, match="signature"):
        tl.create(tmp_path / "book")


def test_an_extension_that_was_replaced_since_is_checked_again(extensions, tmp_path):
    for number in range(2):
        tl.create(tmp_path / f"{number}").close()
    spoil(extensions["sqlite_scanner"])
    with pytest.raises(StorageError, match="signature"):
        tl.open(tmp_path / "0")


def test_no_book_loads_what_is_not_signed(extensions, tmp_path):
    tl.create(tmp_path / "book").close()
    with tl.open(tmp_path / "book") as book:
        spoil(extensions["postgres_scanner"])
        for statement in (f"LOAD '{extensions['postgres_scanner']}'", "SET allow_unsigned_extensions = true"):
            with pytest.raises(StorageError, match=r"signature|while database is running"):
                book._catalog.execute(statement)


def test_values_written_into_a_statement_are_what_they_were():
    values = [None, True, -5, 2**70, "it's a ?", "", date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)]
    text = f"SELECT '?' AS \"?\", 3 -?, 'it''s ?', {', '.join('?' * len(values))}"
    with duckdb.connect() as connection:
        written = literals.written_out(text, [1, *values])
        assert written is not None
        assert connection.execute(written).fetchall() == connection.execute(text, [1, *values]).fetchall()
    assert literals.written_out("SELECT ?, ?", [1, "a\0"]) is None
