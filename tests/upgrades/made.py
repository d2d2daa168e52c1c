"""A small book with something of everything, made by the release of today: what the next one has to open.

`python -m tests.upgrades.made tests/upgrades/format-N.tar.xz` writes it with its answers and a backup. It is run by the
last commit of a format, before that changes; what came out is kept as it is.
"""

import json
import socket
import sys
import tarfile
import tempfile
from pathlib import Path
from unittest import mock

import tradelake as tl
from bench.questions import questions
from tests.book.cures import action, cancel, correct, move
from tests.books import SAMPLE_FILLS, fill, shared_accounts
from tradelake.book import render

QUESTIONS = questions(day="2026-01-20", known="2026-02-01", symbol="ACME", account="GEN-1")
KINDS = ("trades", "positions", "lots", "matches", "history", "refusals", "positions as of", "ledger", "pnl", "chains")
ASKED = {name: QUESTIONS[name] for name in KINDS}
LISTINGS = ("accounts", "instruments", "runs", "source_records", "marks", "snapshots", "account_snapshots", "archives")
AT = "2026-01-{:02}T14:30:00Z"
PUT = {"symbol": None, "contract_symbol": "ACME  260320P00090000", "asset_type": "OPTION"}
ROWS = [
    fill(1, "10"),
    fill(2, "8", account_id="REV-1"),
    action("S", "split", AT.format(5), ratio="3/2", cash_in_lieu_price="20"),
    action("D", "cash_dividend", AT.format(6), amount_per_unit="0.5", pay_at="2026-02-05T14:30:00Z"),
    action("P", "spin_off", AT.format(7), new_symbol="BETA", ratio="1/4", basis_fraction="0.2"),
    move("F", "fork", AT.format(8), moves=[{"instrument_id": "ACME", "quantity": "1"}], cash="100"),
    {"trade_id": "L", "kind": "lot_method", "account_id": "GEN-1", "method": "HIFO", "executed_at": AT.format(9)},
    fill(3, "7", executed_at=AT.format(12), price="70.123456"),
    fill(4, "-9", executed_at=AT.format(13), price="80.5"),
    fill(5, "-500", executed_at=AT.format(14)),
    fill(6, "-2", executed_at=AT.format(15), **PUT),
]


def make(folder: Path) -> dict[str, str]:
    """Make the book in a folder, and return its answers as JSON, by question."""
    with tl.create(folder / "book") as book:
        book.add_accounts([*shared_accounts("U1"), {"account_id": "STAR-1", "broker_account_id": "U7700002"}])
        assert not [problem for problem in book.record(ROWS).problems if problem.code != "close_exceeds_open"]
        assert not book.ingest("executions", SAMPLE_FILLS).problems
        book.fold()
        book.record([cancel("C", "T5"), correct("K", "T4", {"price": "81"})])
        book.mark([{"symbol": "ACME", "mark_date": "2026-01-16", "price": "79.5"}])
        book.snapshot("2026-01-16")
        book.hold(account="GEN-1", symbol="ACME", reason="an audit")
        done = book.archive("2026-02-01", folder / "cold")
        assert done.height == 2
        book.restore(done["manifest"])
        book.maintain()
        book.record(fill(7, "3", executed_at=AT.format(16)))
        book.backup(folder / "copies")
        return asked(book)


def asked(book: tl.Book) -> dict[str, str]:
    """Return the answers of a book as JSON, by question."""
    answers = {name: ask(book) for name, ask in ASKED.items()} | {name: getattr(book, name)() for name in LISTINGS}
    return {name: render(answer, form="json") for name, answer in answers.items()}


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as scratch,
        mock.patch.object(socket, "gethostname", return_value="desk"),
        mock.patch("tradelake.book.shelf.getpass.getuser", return_value="clerk"),
        tarfile.open(sys.argv[1], "w:xz") as packed,
    ):
        (Path(scratch) / "answers.json").write_text(json.dumps(make(Path(scratch)), indent=1))
        for name in ("answers.json", "book", "copies"):
            packed.add(Path(scratch) / name, name)
