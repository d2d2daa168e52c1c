"""A process that does one thing after the other to a book, and is killed, traced or starved by a test meanwhile.

It says when it is ready, begins when it is told to, and answers each step that it has done by a line of JSON.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import tradelake as tl
from tests.books import fill
from tradelake.book import Receipt, Upkeep, restore_book
from tradelake.jobs.nightly import Night, run_nights
from tradelake.store import bulk

if TYPE_CHECKING:
    from tests.books import Place

ROOT = Path(__file__).parents[2]
NOTHING_KEPT = Upkeep(versions=timedelta(0), files=timedelta(0), orphans=timedelta(0))


class Victim:
    """The process seen from the test; `trace` is a command that it runs under."""

    def __init__(self, place: "Place", *, trace: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            [*trace, sys.executable, "-m", "tests.store.victim", place.target, place.data or ""],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def begin(self, *steps: Sequence[object]) -> float:
        """Wait until it is ready, let it begin with some steps, and return the time of that."""
        assert _stream(self.process.stdout).readline() == "ready\n"
        stdin = _stream(self.process.stdin)
        stdin.write(json.dumps(steps) + "\n")
        stdin.flush()
        return time.perf_counter()

    def answer(self) -> dict[str, Any]:
        """Wait for the next answer and return it."""
        return dict(json.loads(_stream(self.process.stdout).readline()))

    def end(self, *, kill: bool = False) -> list[dict[str, Any]]:
        """Wait for its end, or kill it where it stands; return what it has answered."""
        if kill:
            self.process.kill()
        said = _stream(self.process.stdout).read()
        self.process.wait(timeout=120)
        for stream in (self.process.stdin, self.process.stdout):
            _stream(stream).close()
        return [json.loads(line) for line in said.split("\n")[:-1]]


def run(place: "Place", *steps: Sequence[object], trace: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Run steps in a process of their own, and return what it has answered."""
    victim = Victim(place, trace=trace)
    victim.begin(*steps)
    return victim.end()


def fills(first: int, count: int) -> list[dict[str, Any]]:
    """Return executions from a number on: three symbols, buys and sales, over three months."""
    return [
        fill(n, "-7" if n % 5 == 0 else "4", symbol=f"S{n % 3}", executed_at=f"2026-0{1 + n % 3}-05T15:00:00Z")
        for n in range(first, first + count)
    ]


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def do(book: tl.Book, step: str, *given: Any) -> dict[str, Any]:
    """Do one step and return what there is to say of it."""
    return STEPS[step](book, *given)


def _receipt(receipt: Receipt) -> dict[str, Any]:
    return {"accepted": receipt.accepted, "duplicates": receipt.duplicates, "warnings": list(receipt.warnings)}


def _wait(_: tl.Book) -> dict[str, Any]:
    sys.stdin.readline()
    return {}


def _bring_back(book: tl.Book, *months: str) -> dict[str, Any]:
    """Restore those of some months that are archived."""
    archived = book.archives()["month"].dt.strftime("%Y-%m").to_list()
    return {"parts": book.restore([month for month in months if month in archived]).height}


def _night(book: tl.Book, until: str, statement: str, marks: str) -> dict[str, Any]:
    day = date.fromisoformat(until)
    asked = Night(until=day, statements=[Path(statement)], marks=[Path(marks)], upkeep=NOTHING_KEPT)
    return {"nights": len(run_nights(book, asked))}


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "record": lambda book, *given: _receipt(book.record(fills(*given))),
    "import": lambda book, file: _receipt(book.ingest("executions", file)),
    "accounts": lambda book, n: _receipt(book.add_accounts([{"account_id": f"A{i}"} for i in range(n)])),
    "fold": lambda book: {"sequence": book.fold()},
    "maintain": lambda book: {"done": str(book.maintain(upkeep=NOTHING_KEPT))},
    "wait": _wait,
    "backup": lambda book, to: {"manifest": book.backup(to).manifest},
    "archive": lambda book, before, to: {"months": book.archive(before, to).height},
    "bring back": _bring_back,
    "night": _night,
}


def answers(target: str, data: str | None, steps: Sequence[Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """Do one step after the other to a book, and yield what each answers; after an error there is no more."""
    book: tl.Book | None = None
    try:
        for number, (step, *given) in enumerate(steps):
            if step == "create":
                book = tl.create(target, data=data)
                accounts = [{"account_id": "GEN-1", "broker_account_id": "U1"}]
                said: dict[str, Any] = {"accepted": book.add_accounts(accounts).accepted}
            elif step == "restore":
                said = {"sequence": restore_book(*given).sequence}
            else:
                book = book or tl.open(target, data=data)
                said = do(book, step, *given)
            yield {"step": number, **said}
    except tl.TradelakeError as error:
        yield {"error": type(error).__name__, "message": str(error)}
    finally:
        if book is not None:
            book.close()


def main() -> None:
    """Say that the process is ready, then do the steps that one line of standard input tells."""
    target, data = sys.argv[1:]
    if os.getpid() % 2:
        # Middling imports write their files themselves; every other process has DuckLake do it.
        bulk.FILES_FROM = 1_000_000
    print("ready", flush=True)
    for answer in answers(target, data or None, json.loads(sys.stdin.readline())):
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
