"""A writer that is killed: what it had acknowledged is there once, and what it had not can be told again."""

import random
import time

import pytest

from tests.books import SHARED, assert_whole, fill, frame
from tests.laws.books import THOROUGH

KILLS = 7 if THOROUGH else 5  # for each kind of catalog


def batches() -> list[list[dict[str, object]]]:
    """Return 40 deliveries of one to four fills each."""
    chance, rows = random.Random(3), iter(range(1, 1000))
    return [
        [fill(next(rows), chance.choice(["2", "7", "-3"]), symbol=f"S{chance.randrange(3)}") for _ in range(1 + n % 4)]
        for n in range(40)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("place", SHARED, indirect=True)
def test_kills_lose_nothing_acknowledged_and_a_repeat_completes(ready, start):
    chance, told = random.Random(7), batches()
    done = 0
    for _ in range(KILLS):
        writer = start(ready)
        sequence = writer.ready()["open"]
        assert sequence >= sum(len(batch) for batch in told[:done])
        writer.order(record=told[done:], fold_after=chance.choice([5, 9]))
        time.sleep(chance.uniform(0.02, 0.3))
        acknowledged = writer.kill()
        assert writer.process.returncode == -9 or len(acknowledged) == len(told) - done
        for batch, line in zip(told[done:], acknowledged, strict=False):
            assert line["accepted"] + line["duplicates"] == len(batch)
        done += len(acknowledged)
        with ready.open(read_only=True) as book:
            ids = frame(book.trades())["trade_id"].to_list()
            expected = [str(row["trade_id"]) for batch in told for row in batch]
            whole = sum(len(batch) for batch in told[:done])
            assert sorted(ids) == sorted(expected[: len(ids)])
            assert len(ids) in (whole, whole + len(told[done]) if done < len(told) else whole)
            report = book.rebuild(check=True)
            assert report.identical, report.differences
    with ready.open() as book:
        for batch in told[max(done - 1, 0) :]:
            book.record(batch)
        assert_whole(book, sum(len(batch) for batch in told))
        assert book.record([row for batch in told for row in batch]).accepted == 0
