"""Run the benchmarks: `make bench`, or `python -m bench --rows 10000000 ingest rebuild queries`.

What is measured is merged by size into bench/results.json, of which docs/benchmarks.md and its chart are generated.
Nothing is asserted on seconds: compare ratios, of a machine that does nothing else.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from bench import results, suite
from bench.document import write_document
from bench.peers import PEERS, measure_peers

SIZES = (100_000, 1_000_000)


def main() -> int:
    """Measure the chosen parts and peers at the chosen sizes, and write the results and the document."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = f"parts ({', '.join(suite.PARTS)}) and peers ({', '.join(PEERS)})"
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"what to measure: {names}; default: all")
    parser.add_argument("--rows", type=int, action="append", help="events of a log (default: 10^5 and then 10^6)")
    parser.add_argument("--no-peers", action="store_true", help="only tradelake and the floor")
    parser.add_argument("--document", action="store_true", help="only write the document of the results that are there")
    parser.add_argument("--results", type=Path, default=results.RESULTS, help="the file of the results")
    parser.add_argument("--folder", help="where logs and books are made, some 500 bytes an event (default: temporary)")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(suite.PARTS) - set(PEERS))
    if unknown:
        parser.error(f"nothing is called {', '.join(unknown)}; there are {names}")
    if not options.document:
        for rows in options.rows or SIZES:
            _measure(rows, options)
    document, chart = write_document(options.results)
    print(f"{options.results}, {document} and {chart}", file=sys.stderr)
    return 0


def _measure(rows: int, options: argparse.Namespace) -> None:
    named = bool(options.names)
    parts = [name for name in suite.PARTS if name in options.names or not named]
    peers = [name for name in PEERS if name in options.names or not (named or options.no_peers)]
    with tempfile.TemporaryDirectory(prefix="tradelake-bench-", dir=options.folder) as folder:
        if parts:
            found = suite.Size(Path(folder) / "ours", rows).measure(parts, named=named)
            results.merge(options.results, rows, parts=found, peers={})
        if peers:
            found = measure_peers(Path(folder) / "peers", rows, peers)
            results.merge(options.results, rows, parts={}, peers=found)


if __name__ == "__main__":
    sys.exit(main())
