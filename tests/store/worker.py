"""A process of its own that works on a book, told what to do by one line of JSON on its standard input.

Every answer is one line of JSON on standard output, flushed: what a record has acknowledged is there before the next
one begins.
"""

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import tradelake as tl
from tradelake.book import deriving
from tradelake.store import Upkeep

if TYPE_CHECKING:
    from tests.books import Place

LONGEST_SECONDS = float(os.environ.get("TRADELAKE_WORKER_SECONDS", "60"))
ROOT = Path(__file__).parents[2]


class Worker:
    """The worker seen from the test: started, then waiting for its orders."""

    def __init__(self, place: "Place") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.store.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._say({"target": place.target, "data": place.data})

    def _say(self, words: dict[str, Any]) -> None:
        stdin = _stream(self.process.stdin)
        stdin.write(json.dumps(words) + "\n")
        stdin.flush()

    def ready(self) -> dict[str, Any]:
        """Wait until the worker has opened the book, or failed to; return its answer."""
        return self.answer()

    def order(self, **words: Any) -> None:
        """Tell the worker what to do: `record` (list of batches) or `read` (until the book has so many events)."""
        self._say(words)

    def answer(self) -> dict[str, Any]:
        """Wait for the next line and return it; empty when the worker has ended."""
        line = _stream(self.process.stdout).readline()
        return dict(json.loads(line)) if line.endswith("\n") else {}

    def tell_no_more(self) -> None:
        """Let the worker end when it has done what it was told."""
        _stream(self.process.stdin).close()

    def answers(self) -> list[dict[str, Any]]:
        """Return all further answers, when the worker has ended."""
        _stream(self.process.stdin).close()
        found = []
        while line := self.answer():
            found.append(line)
        self.end()
        return found

    def kill(self) -> list[dict[str, Any]]:
        """Kill the worker where it stands, and return what it had acknowledged."""
        self.process.kill()
        return self.answers()

    def end(self) -> None:
        """Wait for the end of the process and close its streams."""
        _stream(self.process.stdin).close()
        self.process.wait(timeout=60)
        _stream(self.process.stdout).close()


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def _say(words: dict[str, Any]) -> None:
    print(json.dumps(words), flush=True)


def _record(book: tl.Book, batches: list[list[dict[str, Any]]]) -> None:
    for number, rows in enumerate(batches):
        receipt = book.record(rows)
        counts = {
            name: getattr(receipt, name) for name in ("accepted", "duplicates", "conflicts", "rejects", "sequence")
        }
        _say({"batch": number, **counts})


def _maintain(book: tl.Book, until: int) -> None:
    """Maintain the book until it has so many events; versions are given up at once, files stay for a day."""
    end = time.monotonic() + LONGEST_SECONDS
    while book.sequence < until and time.monotonic() < end:
        done = book.maintain(upkeep=Upkeep(versions=timedelta(0)))
        _say({"flushed": done.rows_flushed, "merged": done.files_merged, "expired": done.versions_expired})


def _read(book: tl.Book, until: int) -> None:
    """Read until the book has so many events, and report each state that is seen."""
    held, end = -1, time.monotonic() + LONGEST_SECONDS
    while held < until and time.monotonic() < end:
        (seen,) = book.sql(
            "SELECT (SELECT count(*) FROM trades), (SELECT coalesce(sum(quantity), 0)::BIGINT FROM positions), "
            "(SELECT sequence FROM head), (SELECT coalesce(sum(accepted), 0)::BIGINT FROM import_runs)"
        ).fetchall()
        trades, positions = book.trades().lazy().collect(), book.positions().lazy().collect()
        held = int(positions["quantity"].sum())
        _say({"seen": [int(n) for n in seen], "trades": trades.height, "held": held})


def main() -> None:
    """Open the book, say so, and do what each line of standard input orders."""
    first = json.loads(sys.stdin.readline())
    try:
        book = tl.open(first["target"], data=first["data"])
    except tl.TradelakeError as error:
        _say({"error": type(error).__name__, "message": str(error)})
        return
    with book:
        _say({"open": book.sequence})
        for line in sys.stdin:
            order = json.loads(line)
            deriving.FOLD_AFTER = order.get("fold_after", deriving.FOLD_AFTER)
            if "record" in order:
                _record(book, order["record"])
            if "accounts" in order:
                receipt = book.add_accounts(order["accounts"])
                _say({"accepted": receipt.accepted, "duplicates": receipt.duplicates})
            if "maintain" in order:
                _maintain(book, order["maintain"])
            if "read" in order:
                _read(book, order["read"])


if __name__ == "__main__":
    main()
