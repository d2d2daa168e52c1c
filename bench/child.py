"""Children: each measurement runs in a process of its own, so that its memory is its own, and prints one JSON line."""

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
REPEATS = 5
Numbers = dict[str, Any]


class ChildFailed(Exception):
    """A measurement that did not come to its end; the text is the last of what it printed."""


def run(module: str, *arguments: object, timeout: float | None = None) -> Numbers:
    """Run `python -m module` with JSON arguments in this environment, and return the object that it prints last."""
    command = [sys.executable, "-m", module, *(json.dumps(argument, default=str) for argument in arguments)]
    return run_command(command, timeout=timeout)


def run_command(
    command: Sequence[str], *, environment: Mapping[str, str] | None = None, timeout: float | None = None
) -> Numbers:
    """Run a command and return the JSON object of its last line; raises ChildFailed with the end of its diagnostics."""
    try:
        variables = {**os.environ, **(environment or {})}
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, cwd=ROOT, timeout=timeout, env=variables
        )
    except subprocess.TimeoutExpired as error:
        raise ChildFailed(f"not done after {error.timeout:.0f} s") from error
    if done.returncode:
        raise ChildFailed("\n".join((done.stderr or done.stdout).strip().splitlines()[-12:]))
    found: Numbers = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def main(steps: Mapping[str, Callable[..., Numbers]]) -> None:
    """Be the child: run the step that the arguments name, and print what it measured, with the peak of memory."""
    name, *arguments = (json.loads(argument) for argument in sys.argv[1:])
    found = steps[name](*arguments)
    print(json.dumps({"peak_bytes": peak_bytes()} | found))


def peak_bytes() -> int:
    """Return the most memory that this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * 1024 if sys.platform == "linux" else peak


def seconds_of(call: Callable[[], object]) -> float:
    """Return how long a call took."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def cold_and_warm(open_: Callable[[], Any], ask: Callable[[Any], object]) -> Numbers:
    """Return the seconds of a question right after opening, and the median of some more."""
    with open_() as opened:
        cold = seconds_of(lambda: ask(opened))
        return {"cold": cold, "warm": statistics.median(seconds_of(lambda: ask(opened)) for _ in range(REPEATS))}


def percentiles(seconds: Sequence[float]) -> Numbers:
    """Return the median and the 99th percentile of some durations, and how many there were."""
    ordered = sorted(seconds)
    return {
        "p50": statistics.median(ordered),
        "p99": ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))],
        "count": len(ordered),
    }


def bytes_in(files: Sequence[Path]) -> int:
    """Return the bytes of files."""
    return sum(file.stat().st_size for file in files)
