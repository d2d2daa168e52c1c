"""Run the benchmarks: `make bench`, or `python -m bench --rows 100000 record import`.

Each line gives our figure, the floor or peer of the same run, and their ratio. Nothing is asserted on seconds: compare
ratios, on a quiet machine.
"""

import argparse
import json
import platform
import sys

from bench import archive, bulk, nightly, past, postgres, single

BENCHMARKS = {
    "record": single.run,
    "import": bulk.run,
    "past": past.run,
    "nightly": nightly.run,
    "postgres": postgres.run,
    "archive": archive.run,
}


def main() -> int:
    """Run the chosen benchmarks and print a line for each figure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(BENCHMARKS)} (default: all)")
    parser.add_argument(
        "--rows",
        type=int,
        default=1_000_000,
        help="executions of a book; nights run on as many and on ten times as many",
    )
    parser.add_argument("--json", action="store_true", help="print an array of objects")
    options = parser.parse_args()
    unknown = sorted(set(options.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    figures = [figure for name in options.names or BENCHMARKS for figure in BENCHMARKS[name](options.rows)]
    if options.json:
        print(json.dumps([figure._asdict() for figure in figures], indent=2))
        return 0
    print(f"Python {platform.python_version()} on {platform.machine()}")
    print(f"{'what':<58}{'ours':>12}{'against':>12}{'ratio':>8}  against what")
    for f in figures:
        against = f"{f.against:>12.2f}{f.ours / f.against:>8.1f}" if f.against else " " * 20
        print(f"{f.what:<58}{f.ours:>9.2f} {f.unit:<2}{against}  {f.against_what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
