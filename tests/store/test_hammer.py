"""A book under all that it is for at once: writers that tell the same, readers, maintenance, a server that is killed.

Full size takes many minutes: TRADELAKE_HAMMER=2000 TRADELAKE_WORKER_SECONDS=3000 pytest tests/store/test_hammer.py
"""

import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.books import SHARED, Place, assert_whole, fill
from tests.store.worker import LONGEST_SECONDS

EXECUTIONS = int(os.environ.get("TRADELAKE_HAMMER", "20"))
FULL = EXECUTIONS > 100
WRITERS, READERS, KILLS = (4, 2, 2) if FULL else (2, 1, 1)
WAIT_SECONDS = LONGEST_SECONDS if FULL else 600


def batches(writer: int, size: int) -> list[list[dict[str, Any]]]:
    """Return what a writer tells: half of it its neighbour tells too, and every tenth batch it tells twice."""
    first = writer * EXECUTIONS // 2
    rows = [fill(n, "1", symbol=f"S{n % 4}") for n in range(first, first + EXECUTIONS)]
    found = [rows[start : start + size] for start in range(0, len(rows), size)]
    return [batch for number, batch in enumerate(found) for _ in range(2 if number % 10 == 0 else 1)]


@pytest.mark.parametrize("place", SHARED, indirect=True)
def test_hammered_by_writers_readers_and_maintenance_a_book_loses_and_doubles_nothing(
    ready: Place, start: Callable[[Place], Any], postgres_server: Any
) -> None:
    writers, readers = [start(ready) for _ in range(WRITERS)], [start(ready) for _ in range(READERS)]
    keeper = start(ready)
    workers = [*writers, *readers, keeper]
    assert [worker.ready() for worker in workers] == [{"open": 0}] * len(workers)
    events, told = EXECUTIONS // 2 * (WRITERS + 1), [batches(n, 5 + n) for n in range(WRITERS)]
    for worker, mine in zip(writers, told, strict=True):
        worker.order(record=mine, fold_after=EXECUTIONS)
    for worker in readers:
        worker.order(read=events)
    keeper.order(maintain=events)
    answers: dict[int, list[dict[str, Any]]] = {}
    kills = KILLS if ready.kind == "postgres" else 0
    reached = [threading.Event() for _ in range(kills)]

    def listen(number: int) -> None:
        lines = answers.setdefault(number, [])
        while line := workers[number].answer():
            lines.append(line)
            for kill, event in enumerate(reached, start=1):
                if number == 0 and len(lines) > kill * len(told[0]) // (kills + 1):
                    event.set()

    listeners = [threading.Thread(target=listen, args=(number,)) for number in range(len(workers))]
    for worker in workers:
        worker.tell_no_more()
    for listener in listeners:
        listener.start()
    for event in reached:
        assert event.wait(WAIT_SECONDS)
        postgres_server.kill()
        postgres_server.start_again()
    for listener in listeners:
        listener.join()
    assert [worker.process.wait(60) for worker in workers] == [0] * len(workers)
    lines = [line for number in range(WRITERS) for line in answers[number]]
    given = sum(len(batch) for mine in told for batch in mine)
    counted = {name: sum(line[name] for line in lines) for name in ("accepted", "duplicates", "conflicts", "rejects")}
    assert counted == {"accepted": events, "duplicates": given - events, "conflicts": 0, "rejects": 0}
    for number in range(WRITERS, WRITERS + READERS):
        assert answers[number][-1]["held"] == events
        assert all(len(set(line["seen"])) == 1 for line in answers[number])
    with ready.open() as book:
        assert_whole(book, events)
        assert book.verify().problems == ()
