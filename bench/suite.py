"""One size: a log is written, and every part is measured on it, tradelake and floor side by side."""

import sys
from collections.abc import Callable, Collection
from pathlib import Path

from bench import child, data
from bench.child import Numbers
from bench.ours import DERIVED, TOLD, table_files

SINGLES = 200
Results = dict[str, Numbers]
# Larger sizes measure a part only where it is named: it takes long, and says no more there.
LARGEST = {"archive": 100_000, "export": 100_000, "check": 10_000_000}


class Size:
    """The parts of one size, which share a folder, its log and its book; and what they have measured."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.folder, self.rows, self.found = folder, rows, Results()

    def measure(self, parts: Collection[str], *, named: bool) -> Results:
        """Measure some parts in their order; *named* says that they were asked for, however large the log is."""
        log = data.write(self.folder / "log", self.rows)
        self.files = [str(file) for file in log.files]
        self.day_file = str(data.write_day(self.folder / "day.parquet"))
        self._note("delivered", {"rows": self.rows, "bytes": child.bytes_in(log.files), "files": len(log.files)})
        # Everything else is measured on the book that this makes.
        self._note("ingest", self._ours("ingest", str(self.folder), self.files))
        self._note("size", self._ours("size", str(self.folder)))
        for name, part in PARTS.items():
            if name in parts and (named or self.rows <= LARGEST.get(name, self.rows)):
                part(self)
        return self.found

    def ingest(self) -> None:
        """The floors of the import, which was measured already."""
        tables = [str(file) for file in table_files(str(self.folder), *TOLD, *DERIVED)]
        self._floors("ingest", self.files, tables)

    def rebuild(self) -> None:
        """A rebuild from the first event, and its floors."""
        self._note("rebuild", self._ours("rebuild", str(self.folder)))
        # The files of a rebuild are the same rows as those that were counted.
        self._ours("size", str(self.folder))
        read, write = (table_files(str(self.folder), *names) for names in (("trade_log",), DERIVED))
        self._floors("rebuild", list(map(str, read)), list(map(str, write)))

    def check(self) -> None:
        """Derive once more and compare."""
        self._note("check", self._ours("check", str(self.folder)))

    def queries(self) -> None:
        """The named questions, cold and warm."""
        self._note("queries", self._ours("queries", str(self.folder)))
        self._note("floor queries", child.run("bench.floor", "queries", str(self.folder)))

    def night(self) -> None:
        """The whole nightly job, on a copy."""
        child.run("bench.night", "prepare", str(self.folder), self.day_file)
        self._note("night", child.run("bench.night", "run", str(self.folder)))

    def day(self) -> None:
        """A day of executions."""
        self._note("day", self._ours("day", str(self.folder), self.day_file))
        self._note("floor day", child.run("bench.floor", "day", str(self.folder), self.day_file))

    def late(self) -> None:
        """One fill that comes days late, where most has happened since."""
        self._note("late", self._ours("late", str(self.folder)))

    def single(self) -> None:
        """One fill at a time, and a hundred; and a question from the shell."""
        count = min(SINGLES, self.rows // 50)
        self._note("single", self._ours("single", str(self.folder), count))
        self._note("shell", self._ours("shell", str(self.folder)))
        self._note("floor single", child.run("bench.floor", "single", str(self.folder), count))

    def archive(self) -> None:
        """The book goes to cold storage and comes back; every answer stays."""
        for step in ("hot_questions", "cold", "cold_questions", "restore"):
            self._note(step.replace("_", " "), child.run("bench.round_trip", step, str(self.folder)))

    def export(self) -> None:
        """The twin in PostgreSQL."""
        more = str(data.write_day(self.folder / "more.parquet", number=1))
        self._note("export", child.run("bench.export", "measure", str(self.folder), more))

    def _ours(self, step: str, *arguments: object) -> Numbers:
        return child.run("bench.ours", step, *arguments)

    def _floors(self, of: str, read: list[str], write: list[str]) -> None:
        for engine in ("polars", "duckdb"):
            self._note(f"floor {of} {engine}", child.run("bench.floor", engine, str(self.folder), read, write))

    def _note(self, name: str, numbers: Numbers) -> None:
        self.found[name] = numbers
        seconds = f"{numbers['seconds']:.2f} s" if "seconds" in numbers else ""
        print(f"{self.rows:>12,}  {name:<26}{seconds}", file=sys.stderr, flush=True)


PARTS: dict[str, Callable[[Size], None]] = {
    "ingest": Size.ingest, "rebuild": Size.rebuild, "check": Size.check, "queries": Size.queries,
    "night": Size.night, "day": Size.day, "late": Size.late, "single": Size.single, "archive": Size.archive,
    "export": Size.export,
}  # fmt: skip
