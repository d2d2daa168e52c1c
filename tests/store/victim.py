"""A process that does one thing after the other to a book, and is killed, traced or starved by a test meanwhile.

It says when it is ready, begins when it is told to, and answers each step that it has done by a line of JSON.
"""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import tradelake as tl
from tests.books import fill
from tradelake.book import Upkeep, restore_book

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
    if step == "record":
        receipt = book.record(fills(*given))
        return {"accepted": receipt.accepted, "duplicates": receipt.duplicates, "warnings": list(receipt.warnings)}
    if step == "import":
        receipt = book.ingest("executions", given[0])
        return {"accepted": receipt.accepted, "duplicates": receipt.duplicates, "warnings": list(receipt.warnings)}
    if step == "accounts":
        return {"accepted": book.add_accounts([{"account_id": f"A{n}"} for n in range(given[0])]).accepted}
    if step == "fold":
        return {"sequence": book.fold()}
    if step == "maintain":
        return {"done": str(book.maintain(upkeep=NOTHING_KEPT))}
    if step == "wait":
        sys.stdin.readline()
        return {}
    if step == "backup":
        return {"manifest": book.backup(given[0]).manifest}
    raise ValueError(step)


def main() -> None:
    """Say that the process is ready, then do the steps that one line of standard input tells."""
    target, data = sys.argv[1:]
    print("ready", flush=True)
    steps = json.loads(sys.stdin.readline())
    book: tl.Book | None = None
    try:
        for number, (step, *given) in enumerate(steps):
            if step == "create":
                book = tl.create(target, data=data or None)
                said: dict[str, Any] = {"accepted": book.add_accounts([{"account_id": "GEN-1"}]).accepted}
            elif step == "restore":
                said = {"sequence": restore_book(*given).sequence}
            else:
                book = book or tl.open(target, data=data or None)
                said = do(book, step, *given)
            print(json.dumps({"step": number, **said}), flush=True)
    except tl.TradelakeError as error:
        print(json.dumps({"error": type(error).__name__, "message": str(error)}), flush=True)
    finally:
        if book is not None:
            book.close()


if __name__ == "__main__":
    main()
