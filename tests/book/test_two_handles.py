"""Two open handles on one book: what one remembers of the head is checked before it is believed."""

import pytest

from tests.books import SHARED, assert_whole, fill


@pytest.mark.parametrize("place", SHARED, indirect=True)
def test_a_handle_that_fell_behind_records_from_the_head_as_it_is(ready):
    with ready.open() as first, ready.open() as second:
        first.record(fill(1, "10"))
        second.record(fill(2, "-4"))
        assert first.record(fill(2, "-4")).duplicates == 1
        second.record([fill(3, "5"), fill(4, "-11")])
        assert first.record([fill(4, "-11"), fill(5, "7")]).accepted == 1
        assert first.runs()["import_run_id"].to_list() == [1, 2, 3, 4, 5]
        assert_whole(first, 5)
