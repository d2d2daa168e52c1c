"""A book that a notebook has left open for days blocks nobody, and says what is new when it is asked again."""

import subprocess
import sys
from datetime import timedelta

import pytest

import tradelake as tl
from tests.books import SHARED, fill, frame
from tradelake.book import Upkeep

ANOTHER = """
import sys
from datetime import timedelta
import tradelake as tl
from tests.books import fill
from tradelake.book import Upkeep

target, data = sys.argv[1], sys.argv[2] or None
with tl.open(target, data=data) as book:
    assert book.record([fill(number, "1") for number in range(10, 2010)]).accepted == 2000
    book.fold()
    for _ in range(2):
        book.maintain(upkeep=Upkeep(versions=timedelta(0), files=timedelta(0), orphans=timedelta(0)))
    print(book.sequence)
"""
ROWS = "SELECT sequence, quantity, net_amount FROM trade_log ORDER BY sequence"


@pytest.mark.parametrize("place", SHARED, indirect=True)
def test_a_notebook_left_open_blocks_no_writer_and_no_maintenance_and_sees_what_is_new(ready):
    with ready.open() as writer:
        writer.record([fill(1, "100"), fill(2, "-40")])
        writer.fold()
    with ready.open(read_only=True) as left_open:
        lazily, relation = left_open.trades(lazy=True), left_open.sql(ROWS)
        shown, card, first = left_open.show("positions"), left_open._repr_html_(), relation.fetchone()
        done = subprocess.run(
            [sys.executable, "-c", ANOTHER, ready.target, ready.data or ""],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert (done.stdout.strip(), done.returncode) == ("2002", 0), done.stderr
        # What was read stays as it was, also where the files that it came from are gone.
        assert lazily.collect()["trade_id"].to_list() == ["T1", "T2"]
        assert (first, [row[0] for row in relation.fetchall()]) == ((1, 100, first[2]), [2])
        assert "2 events" in card
        # The next call sees what is new.
        assert left_open.sequence == 2002
        assert frame(left_open.positions())["quantity"].to_list() == [2060]
        assert frame(left_open.trades(lazy=True)).height == 2002
        assert left_open.sql("SELECT count(*) FROM trades").fetchone() == (2002,)
        assert "2,002 events" in left_open._repr_html_()
        assert "2002 events" not in shown.html
        assert "2,002 events" in left_open.show("positions").html


def test_a_writer_in_the_same_notebook_is_not_blocked_by_its_reader(local_book):
    local_book.record([fill(1, "100")])
    with tl.open(local_book.url.removesuffix("/catalog.sqlite"), read_only=True) as reader:
        kept = reader.sql("SELECT * FROM positions")
        local_book.record([fill(2, "5")])
        local_book.maintain(upkeep=Upkeep(versions=timedelta(0), files=timedelta(0), orphans=timedelta(0)))
        assert kept.pl()["quantity"].to_list() == [100]
        assert reader.positions()["quantity"].to_list() == [105]
