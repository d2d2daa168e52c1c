"""Any stream of events, exported in any parts, leaves the twin that one export of all of it does."""

from contextlib import contextmanager

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.laws.books import BOOKS, new_book
from tests.reference.fuzz import Gen
from tests.twin.twins import assert_twin
from tradelake.jobs.scenario import executions

TENTHS = st.integers(0, 10)
fresh_book = contextmanager(new_book)


@settings(max_examples=BOOKS, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(seed=st.integers(0, 10**9), cuts=st.lists(TENTHS, min_size=1, max_size=3), folded=st.booleans())
def test_exports_of_the_parts_are_the_export_of_the_whole(prepared_url, seed, cuts, folded):
    """Parts bring late events, cancels and corrections of what was exported, and reach other accounts and symbols."""
    scenario = Gen(seed, 40, "full", 0.15).run()
    rows = executions(scenario["events"])
    url = prepared_url()
    with fresh_book(scenario) as book:
        for cut in sorted({len(rows) * tenth // 10 for tenth in cuts} | {len(rows)}):
            if cut:
                book.record(rows[:cut])
            if folded:
                book.fold()
            book.export_postgres(url)
            assert_twin(book, url)
        assert book.export_postgres(url).rows == {}
