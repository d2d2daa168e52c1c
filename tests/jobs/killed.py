"""A nightly job in a process of its own, to be killed: it says when it is ready, and begins when it is told to.

What takes long and changes nothing (imports, calendars) is done before it is ready.
"""

import json
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import IO, Any

import tradelake as tl
from tradelake.jobs.nightly import Night, run_nights
from tradelake.sessions import is_session

ROOT = Path(__file__).parents[2]


class Job:
    """The process seen from the test."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.jobs.killed"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def begin(self, book: Path, asked: Night) -> float:
        """Wait until it is ready, let it begin, and return the time of that."""
        assert _stream(self.process.stdout).readline() == "ready\n"
        words = {
            "book": str(book),
            "until": str(asked.until),
            "statements": [str(file) for file in asked.statements],
            "marks": [str(file) for file in asked.marks],
            "rules": list(asked.rules),
        }
        stdin = _stream(self.process.stdin)
        stdin.write(json.dumps(words) + "\n")
        stdin.flush()
        return time.perf_counter()

    def end(self, *, kill: bool = False) -> bool:
        """Wait for its end, or kill it where it stands; return whether it had done everything."""
        if kill:
            self.process.kill()
        said = _stream(self.process.stdout).read()
        self.process.wait(timeout=120)
        for stream in (self.process.stdin, self.process.stdout):
            _stream(stream).close()
        return said == "done\n"


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def main() -> None:
    """Say that the process is ready, then run the nightly job that one line of standard input describes."""
    is_session(date(2026, 1, 5))
    print("ready", flush=True)
    line = sys.stdin.readline()
    if not line:
        return
    words: dict[str, Any] = json.loads(line)
    asked = Night(
        until=date.fromisoformat(words["until"]),
        statements=[Path(file) for file in words["statements"]],
        marks=[Path(file) for file in words["marks"]],
        rules=words["rules"],
    )
    with tl.open(words["book"]) as book:
        run_nights(book, asked)
    print("done", flush=True)


if __name__ == "__main__":
    main()
