"""The process of the archive benchmark, so that its memory is its own: a book goes to cold storage and comes back."""

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import polars as pl
from polars.testing import assert_frame_equal

import tradelake as tl
from bench.questions import Answer, questions
from tradelake.book import Upkeep

NOTHING_KEPT = Upkeep(versions=timedelta(0), files=timedelta(0), orphans=timedelta(0))
Result = TypeVar("Result")


class Trip:
    """One round trip: the folder that has everything, and how long its parts have taken."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.took = folder, dict[str, float]()
        (folder / "answers").mkdir()

    def timed(self, name: str, call: Callable[[], Result]) -> Result:
        """Do something, and note and say how long it took."""
        started = time.perf_counter()
        result = call()
        self.took[name] = time.perf_counter() - started
        print(f"{name}: {self.took[name]:.1f} s, {peak():.1f} GB", file=sys.stderr, flush=True)
        return result

    def bytes_of(self, *tables: str) -> int:
        """Return the bytes of the hot files of tables, right after maintenance: of nothing but the newest version."""
        data = self.folder / "book" / "data" / "main"
        return sum(file.stat().st_size for name in tables for file in (data / name).rglob("*.parquet"))

    def ask(self, book: tl.Book, asked: dict[str, Answer], when: str) -> None:
        """Ask everything; keep the answers the first time, and compare with them later."""
        spent = {}
        for number, (name, ask) in enumerate(asked.items()):
            started = time.perf_counter()
            answer = ask(book)
            spent[name] = time.perf_counter() - started
            file = self.folder / "answers" / f"{number}.parquet"
            if when == "hot":
                answer.write_parquet(file, compression="lz4")
                continue
            try:
                assert_frame_equal(answer, pl.read_parquet(file), check_exact=True)
            except AssertionError as error:
                raise AssertionError(f"{name}, {when}: {error}") from error
        self.took[f"questions {when}"] = sum(spent.values())
        longest = ", ".join(f"{name} {spent[name]:.1f} s" for name in sorted(spent, key=spent.__getitem__)[-5:])
        print(
            f"questions {when}: {sum(spent.values()):.1f} s ({longest}), {peak():.1f} GB", file=sys.stderr, flush=True
        )


def peak() -> float:
    """Return the most memory that this process has had, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "linux" else 2**30)


def main() -> None:
    """Make the book of some files, ask, archive, ask, restore, ask; print what was measured as a line of JSON."""
    folder, files, accounts, before = Path(sys.argv[1]), json.loads(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4]
    trip, cold = Trip(folder), folder / "cold"
    with tl.create(folder / "book") as book:
        book.add_accounts([{"account_id": name} for name in accounts])
        rows = trip.timed("import", lambda: sum(book.ingest("executions", file).accepted for file in files))
        runs = book.runs()["recorded_at"]
        asked = questions(day="2024-02-10", known=runs[runs.len() // 2], symbol="S07", account=accounts[3])
        book.fold()
        trip.timed("maintain", lambda: book.maintain(upkeep=NOTHING_KEPT))
        hot = trip.bytes_of("trade_log", "source_records")
        trip.ask(book, asked, "hot")
        held = peak()
        archived = trip.timed("archive", lambda: book.archive(before, cold))
        if archived["events"].sum() != rows:
            raise AssertionError(f"{archived['events'].sum()} of {rows} events were archived")
        trip.timed("maintain archived", lambda: book.maintain(upkeep=NOTHING_KEPT))
    with tl.open(folder / "book", cold=True) as book:
        trip.ask(book, asked, "with the archive")
        findings = trip.timed("verify", book.verify).findings
        if findings:
            raise AssertionError(f"the archived book is not sound: {findings[0]}")
    got = {
        "rows": rows,
        "months": archived.height,
        "asked": len(asked),
        "hot": hot,
        "cold": sum(file.stat().st_size for file in cold.rglob("*.parquet")),
        "manifests": sum(file.stat().st_size for file in cold.rglob("*.json")),
        "keys": trip.bytes_of("archived_keys", "archive_totals"),
        "held": held,
    }
    with tl.open(folder / "book") as book:
        trip.timed("restore", lambda: book.restore(archived["month"].dt.strftime("%Y-%m").unique().sort()))
        if book.archives().height:
            raise AssertionError("something is still archived")
        trip.ask(book, asked, "restored")
    print(json.dumps({**got, "took": trip.took, "peak": peak()}))


if __name__ == "__main__":
    main()
