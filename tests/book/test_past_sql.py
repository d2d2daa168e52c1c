"""Table macros of the SQL door: the past of every listing, as its reader tells it."""

import pytest
from polars.testing import assert_frame_equal

from tests.books import fill
from tests.laws.books import new_book
from tests.reference.fuzz import Gen
from tradelake.errors import InputError, ReadOnlyError
from tradelake.jobs.scenario import executions
from tradelake.store.query import PAST_LISTINGS

AS_OF, AS_KNOWN = "2025-01-20", "2027-01-01T00:00:30Z"


@pytest.fixture(scope="module")
def told():
    """A book with events of every kind, each known a second after the one before."""
    scenario = Gen(7, 60, "full", 0.05).run()
    rows = [
        row | {"recorded_at": f"2027-01-01T00:00:{number:02}Z"}
        for number, row in enumerate(executions(scenario["events"])[:60])
    ]
    for book in new_book(scenario):
        book.record(rows[:30])
        book.fold()
        book.record(rows[30:])
        yield book


@pytest.mark.parametrize("listing", PAST_LISTINGS)
@pytest.mark.parametrize(
    ("arguments", "instants"),
    [
        (f"'{AS_OF}'", {"as_of": AS_OF}),
        (f"DATE '{AS_OF}'", {"as_of": AS_OF}),
        (f"as_known := '{AS_KNOWN}'", {"as_known": AS_KNOWN}),
        (f"'{AS_OF}', TIMESTAMPTZ '{AS_KNOWN}'", {"as_of": AS_OF, "as_known": AS_KNOWN}),
        ("NULL", {}),
        ("", {}),
    ],
)
def test_a_macro_says_what_the_reader_says(told, listing, arguments, instants):
    read = told.sql(f"SELECT * FROM {listing}_at({arguments})").pl()
    want = getattr(told, listing)(**instants)
    assert_frame_equal(read, want.select(read.columns), check_exact=True, check_row_order=False)


def test_two_moments_of_one_listing_can_be_compared_in_one_query(told):
    query = (
        "SELECT account_id, instrument_id, sum(after.quantity) - sum(before.quantity) AS change "
        f"FROM positions_at('{AS_OF}') before JOIN positions_at() after USING (account_id, instrument_id) GROUP BY ALL"
    )
    before, after = told.positions(as_of=AS_OF), told.positions()
    joined = before.join(after, on=["account_id", "instrument_id"])
    assert told.sql(query).pl()["change"].sum() == (joined["quantity_right"] - joined["quantity"]).sum()


def test_macros_work_inside_common_tables_and_leave_nothing_behind(told):
    query = f"WITH past AS (SELECT * FROM lots_at('{AS_OF}')) SELECT count(*) AS n FROM past"
    assert told.sql(query).pl()["n"].item() == told.lots(as_of=AS_OF).height
    assert told.sql(query).pl()["n"].item() == told.lots(as_of=AS_OF).height
    told.record(fill(1, account_id=told.accounts()["account_id"][0]))


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        ("positions_at(today())", "each a constant"),
        ("positions_at(as_off := '2025-01-20')", "each a constant"),
        ("positions_at('2025-01-20', NULL, 'tax')", "each a constant"),
        ("positions_at(12)", "'12' is not an instant"),
        ("positions_at('yesterday')", "'yesterday' is not an instant"),
        ("positions_at(DATE 'yesterday')", "is no date"),
        ("positions_at('2025-01-20T10:00:00')", "has no time zone"),
    ],
)
def test_instants_that_are_none_are_refused(told, call, complaint):
    with pytest.raises(InputError, match=complaint):
        told.sql(f"SELECT * FROM {call}")


def test_other_table_functions_stay_refused(told):
    with pytest.raises(ReadOnlyError):
        told.sql("SELECT * FROM accounts_at('2025-01-20')")
