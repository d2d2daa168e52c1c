"""Law 8, second half: a run carried on from open lots is the run from the first event, row for row."""

import itertools

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.direct import Scenario, instrument_frame, log_frame, methods_of
from tests.laws.streams import INSTRUMENTS, METHODS, streams
from tradelake.lots import Matched, in_effect, match_events
from tradelake.lots.engine import COMPILE_FROM
from tradelake.positions import Summary, summarise
from tradelake.tables import CASH_FLOWS, LOTS, MATCHES, POSITION_HISTORY, POSITIONS, REFUSALS, Table

TABLES = (LOTS, MATCHES, POSITIONS, POSITION_HISTORY, CASH_FLOWS, REFUSALS)


@pytest.mark.parametrize("compile_from", [COMPILE_FROM, 0], ids=["plain", "compiled"])
@given(scenario=streams(), cuts=st.sets(st.integers(0, 7), max_size=3))
def test_a_run_carried_on_is_the_run_from_the_first_event(compile_from, scenario, cuts):
    whole = derived(scenario, [], compile_from=compile_from)
    parts = derived(scenario, sorted(cuts), compile_from=compile_from)
    for table in TABLES:
        assert parts[table.name].equals(whole[table.name]), table.name


@pytest.mark.parametrize("method", METHODS)
def test_carried_lots_of_one_instant_keep_their_order_by_phase(method):
    """The exercise arrived first, but at one instant executions come before exercises."""
    first, tie, last = "2026-01-13T15:00:00Z", "2026-01-14T15:00:00Z", "2026-01-16T15:00:00Z"
    told = [
        {"kind": "trade", "at": first, "instrument": "CALL", "quantity": "1", "price": "2"},
        {"kind": "exercise", "at": tie, "instrument": "CALL", "contracts": "1"},
        {"kind": "trade", "at": tie, "instrument": "XYZ", "quantity": "100", "price": "10"},
        {"kind": "trade", "at": last, "instrument": "XYZ", "quantity": "-100", "price": "60"},
    ]
    events = [{"id": f"e{number}", "account": "A", **event} for number, event in enumerate(told)]
    scenario = {"accounts": {"A": {"lot_method": method}}, "instruments": INSTRUMENTS, "events": events}
    whole, parts = (derived(scenario, cuts, compile_from=COMPILE_FROM) for cuts in ([], [2]))
    for table in TABLES:
        assert parts[table.name].equals(whole[table.name]), table.name


def derived(scenario: Scenario, cuts: list[int], *, compile_from: int) -> dict[str, pl.DataFrame]:
    """Derive all tables in one run, or in several: each cut is a number of instants that go before it."""
    events = in_effect(log_frame(scenario)[0], instrument_frame(scenario))
    instruments, methods = instrument_frame(scenario), methods_of(scenario)
    instants = events["executed_at"].unique().sort().to_list()
    bounds = [None, *(instants[cut] for cut in cuts if cut < len(instants)), None]
    runs: list[tuple[Matched, Summary]] = []
    for first, last in itertools.pairwise(bounds):
        window = pl.lit(value=True)
        if first is not None:
            window &= pl.col("executed_at") >= first
        if last is not None:
            window &= pl.col("executed_at") < last
        runs.append(carry_on(events.filter(window), instruments, methods, runs, compile_from))
    return {table.name: rows_of(table, runs) for table in TABLES}


def carry_on(
    events: pl.DataFrame,
    instruments: pl.DataFrame,
    methods: dict[str, str],
    runs: list[tuple[Matched, Summary]],
    compile_from: int,
) -> tuple[Matched, Summary]:
    """Run some events on what the runs before them left open."""
    lots = positions = None
    prior = MATCHES.empty()
    if runs:
        lots, positions = runs[-1][0].lots, runs[-1][1].positions
        told = pl.concat([matched.matches for matched, _ in runs])
        prior = told.join(positions, on="position_id", how="semi")
    matched = match_events(events, instruments, methods, lots=lots, positions=positions, compile_from=compile_from)
    return matched, summarise(matched.episodes, matched.lots, pl.concat([prior, matched.matches]))


def rows_of(table: Table, runs: list[tuple[Matched, Summary]]) -> pl.DataFrame:
    """Return the rows of a table as a book would hold them after the last run."""
    if table is LOTS:
        frames = [runs[-1][0].lots]
    elif table is POSITIONS:
        frames = [runs[-1][1].positions]
    elif table is POSITION_HISTORY:
        frames = [summary.history for _, summary in runs]
    else:
        frames = [getattr(matched, table.name) for matched, _ in runs]
    return pl.concat(frames).sort(*table.sort, *table.key)
