"""What the scripts of the peers share; only the standard library and pyarrow, as each runs in another environment."""

import csv
import json
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
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


def cut(fills: Iterable[tuple]) -> Iterator[tuple[tuple, int, int]]:
    """Yield each fill with how many of it close what is held, and how many open; one that flips has both."""
    held: dict[tuple, int] = defaultdict(int)
    for fill in fills:
        account, contract, side, quantity = fill[:4]
        before = held[account, contract]
        closes = min(quantity, abs(before)) if before * side < 0 else 0
        held[account, contract] = before + side * quantity
        yield fill, closes, quantity - closes


def money(cents: int) -> str:
    """Return cents as text."""
    return f"{Decimal(cents) / 100:.2f}"


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
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    peak = max(usage.ru_maxrss for usage in usages) * (1024 if sys.platform == "linux" else 1)
    said = [{"what": what, "value": value, "ours": ours} for what, value, ours in figures]
    print(json.dumps({"version": version, "seconds": figures[0][1], "peak_bytes": peak, "figures": said}))
