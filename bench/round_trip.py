"""A book goes to cold storage as a whole and comes back, and fifty questions are asked each time.

Every answer is compared with the first, column by column and exactly. Bytes are those of the files of the log and of
the source records: hot after maintenance, cold with the manifests.
"""

import time
from datetime import timedelta
from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

import tradelake as tl
from bench import child
from bench.child import Numbers
from bench.questions import Answer, questions
from tradelake.book import Upkeep

NOTHING_KEPT = Upkeep(versions=timedelta(0), files=timedelta(0), orphans=timedelta(0))
BEFORE = "2026-02-01"


def cold(folder: str) -> Numbers:
    """Archive everything that ends before BEFORE, and count the bytes of an event in cold storage."""
    from bench.ours import table_files

    place = Path(folder) / "cold"
    with tl.open(f"{folder}/book") as book:
        events = book.sequence
        hot = child.bytes_in(table_files(folder, "trade_log", "source_records"))
        started = time.perf_counter()
        archived = book.archive(BEFORE, place)
        seconds = time.perf_counter() - started
        book.maintain(upkeep=NOTHING_KEPT)
    return {
        "seconds": seconds,
        "events": events,
        "archived": int(archived["events"].sum()),
        "months": archived.height,
        "hot": hot,
        "cold": child.bytes_in(list(place.rglob("*.parquet"))),
        "manifests": child.bytes_in(list(place.rglob("*.json"))),
        "keys": child.bytes_in(table_files(folder, "archived_keys", "archive_totals")),
    }


def hot_questions(folder: str) -> Numbers:
    """Ask the fifty questions of the book as it is, and keep the answers."""
    with tl.open(f"{folder}/book", read_only=True) as book:
        return {"seconds": _ask(book, folder, keep=True)}


def cold_questions(folder: str) -> Numbers:
    """Ask them again with the archive, and verify the book."""
    with tl.open(f"{folder}/book", cold=True) as book:
        seconds = _ask(book, folder, keep=False)
        started = time.perf_counter()
        findings = book.verify().findings
        if findings:
            raise AssertionError(f"the archived book is not sound: {findings[0]}")
        return {"seconds": seconds, "verify": time.perf_counter() - started}


def restore(folder: str) -> Numbers:
    """Bring everything back, and ask once more."""
    with tl.open(f"{folder}/book") as book:
        months = book.archives()["month"].dt.strftime("%Y-%m").unique().sort()
        started = time.perf_counter()
        book.restore(months)
        seconds = time.perf_counter() - started
        if book.archives().height:
            raise AssertionError("something is still archived")
        return {"seconds": seconds, "questions": _ask(book, folder, keep=False)}


def _asked(book: tl.Book, place: Path) -> dict[str, Answer]:
    """Return the questions; the instant of knowledge is that of the first time, as archiving is a run too."""
    from bench.ours import ACCOUNT, SYMBOL

    known = place / "known.txt"
    if not known.exists():
        runs = book.runs()["recorded_at"]
        known.write_text(runs[runs.len() // 2].isoformat())
    return questions(day="2024-02-10", known=known.read_text(), symbol=SYMBOL, account=ACCOUNT)


def _ask(book: tl.Book, folder: str, *, keep: bool) -> float:
    """Ask everything; keep the answers, or compare them with those that were kept. Returns the seconds of the book."""
    place = Path(folder) / "answers"
    place.mkdir(exist_ok=True)
    spent = 0.0
    for number, (name, ask) in enumerate(_asked(book, place).items()):
        started = time.perf_counter()
        answer = ask(book)
        spent += time.perf_counter() - started
        file = place / f"{number}.parquet"
        if keep:
            answer.write_parquet(file, compression="lz4")
            continue
        try:
            assert_frame_equal(answer, pl.read_parquet(file), check_exact=True)
        except AssertionError as error:
            raise AssertionError(f"{name} differs after archiving: {error}") from error
    return spent


STEPS = {step.__name__: step for step in (cold, hot_questions, cold_questions, restore)}

if __name__ == "__main__":
    child.main(STEPS)
