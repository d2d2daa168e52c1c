"""A book of five years that goes to cold storage as a whole and comes back, and fifty questions to it each time.

Every answer is compared with the first, column by column and exactly. Bytes are those of the files of the log and of
the source records: hot after maintenance, cold with the manifests.
"""

import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench.figure import Figure
from bench.nightly import CHUNK, ROUND, accounts, executions

START = datetime(2021, 1, 8, 15, tzinfo=UTC)
BEFORE = "2026-02-01"
PART_MAX = 0.60
ENOUGH = 1_000_000  # of fewer rows a month has so few that the manifests weigh more than they


def run(rows: int) -> list[Figure]:
    """Measure the round trip of a book of *rows* executions."""
    rows = max(1, round(rows / ROUND)) * ROUND
    with tempfile.TemporaryDirectory(prefix="tradelake-bench-") as folder:
        files = []
        for first in range(0, rows, min(CHUNK, rows // 2)):
            files.append(f"{folder}/{first}.parquet")
            count = min(CHUNK, rows // 2, rows - first)
            executions(first, count, rows, start=START).write_parquet(files[-1])
        command = [
            sys.executable,
            "-m",
            "bench.round_trip",
            folder,
            json.dumps(files),
            json.dumps(accounts()),
            BEFORE,
        ]
        finished = subprocess.run(
            command, check=False, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1]
        )
    if finished.returncode:
        raise AssertionError("the round trip has failed; its error is above")
    got = json.loads(finished.stdout.splitlines()[-1])
    took, asked = got["took"], f"{got['asked']} questions"
    hot, cold, manifests = (got[name] / got["rows"] for name in ("hot", "cold", "manifests"))
    if rows >= ENOUGH and cold + manifests > PART_MAX * hot:
        raise AssertionError(f"an execution has {cold:.1f} + {manifests:.1f} bytes in cold storage, and {hot:.1f} hot")
    return [
        Figure(f"archive {got['rows']:,} executions, {got['months']} months", took["archive"], "s"),
        Figure("bring all of it back", took["restore"], "s", took["archive"], "archive"),
        Figure(f"{asked} with the archive", took["questions with the archive"], "s", took["questions hot"], "hot"),
        Figure(f"{asked} after the restore", took["questions restored"], "s", took["questions hot"], "hot"),
        Figure("verify with the archive", took["verify"], "s"),
        Figure("cold bytes of an execution", cold, "B", hot, "hot"),
        Figure("  and its part of the manifests", manifests, "B", hot, "hot"),
        Figure("  and what stays in the book to know it again", got["keys"] / got["rows"], "B", hot, "hot"),
        Figure("peak memory of the process", got["peak"], "GB", got["held"], "before the archive"),
    ]
