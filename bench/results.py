"""What was measured, by size, in one JSON file: a run replaces what it measured of its size, and leaves the rest."""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench.child import ROOT

RESULTS = ROOT / "bench" / "results.json"
LIBRARIES = ("polars", "duckdb", "numba", "numpy", "pyarrow")
Run = dict[str, Any]


def read(path: Path) -> dict[str, Run]:
    """Return the runs by their number of rows, as text; none where there is no file."""
    if not path.exists():
        return {}
    runs: dict[str, Run] = json.loads(path.read_text(encoding="utf-8"))["runs"]
    return runs


def merge(path: Path, rows: int, *, parts: Run, peers: Run) -> None:
    """Put what was measured of a size into the file; each part and peer says where and when it was measured."""
    runs, here = read(path), conditions()
    run = runs.setdefault(str(rows), {"parts": {}, "peers": {}})
    run["parts"] |= {name: numbers | {"on": here} for name, numbers in parts.items()}
    run["peers"] |= {name: numbers | {"on": here} for name, numbers in peers.items()}
    ordered = {size: _rounded(runs[size]) for size in sorted(runs, key=int)}
    path.write_text(json.dumps({"runs": ordered}, indent=1, sort_keys=False) + "\n", encoding="utf-8")


def conditions() -> Run:
    """Return the machine, the day and the versions of a run; nothing that names the machine or its user."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _commit(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {_memory_gb()} GB of memory, {platform.system()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in LIBRARIES},
    }


def _rounded(value: Any) -> Any:
    """Return numbers with four digits: more of a duration says nothing."""
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gb() -> int:
    if sys.platform not in ("linux", "darwin"):
        return 0
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)
