"""What the scripts of the peers share; only the standard library and pyarrow, as each runs in another environment."""

import csv
import json
import resource
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

FOLDER, FILES = Path(sys.argv[1]), sys.argv[2:]


def rows() -> list[tuple]:
    """Return the fills: account, contract, side, quantity, price and fee in cents, multiplier, microseconds."""
    import pyarrow.parquet as pq

    names = ["account", "contract", "side", "quantity", "price_cents", "fee_cents", "multiplier"]
    found: list[tuple] = []
    for file in FILES:
        table = pq.read_table(file)
        columns = [table[name].to_pylist() for name in names]
        found += zip(*columns, table["at"].cast("int64").to_pylist(), strict=True)
    return found


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds of a call, and what it returned."""
    started = time.perf_counter()
    result = call()
    return time.perf_counter() - started, result


def answer(pairs: Iterable[tuple], *columns: str) -> None:
    """Write what was computed by account and contract."""
    with (FOLDER / "answer.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["account", "contract", *columns])
        writer.writerows(pairs)


def report(version: str, *figures: tuple[str, float, str]) -> None:
    """Print what was measured: what it is, its number, and the name of what tradelake is compared by."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1024 if sys.platform == "linux" else 1)
    said = [{"what": what, "value": value, "ours": ours} for what, value, ours in figures]
    print(json.dumps({"version": version, "seconds": figures[0][1], "peak_bytes": peak, "figures": said}))
