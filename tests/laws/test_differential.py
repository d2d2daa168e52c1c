"""Law 8: the kernel agrees with the slow and obvious reference, for every lot method."""

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.books import THOROUGH, empty_book
from tests.laws.direct import Scenario, answers
from tests.laws.streams import streams
from tests.reference.fuzz import Gen
from tests.reference.oracle import compute
from tradelake.book import Book, parts
from tradelake.jobs.answers import answers as whole_answers
from tradelake.jobs.compare import compare
from tradelake.jobs.scenario import feed
from tradelake.store import bulk

METHODS = ("FIFO", "LIFO", "HIFO", "AVERAGE", "SPECIFIC")
STOCKS = {"stock": 20, "late": 4}
OPTIONS = {"stock": 30, "option": 25, "exercise": 5, "late": 4, "cash": 1, "duplicate": 2}
BATCHES, IN_A_BATCH = 10, 6 if THOROUGH else 3
STREAMS = 20
SEEDS = st.integers(0, 10**9)


def unfolded(_: Book) -> None:
    """Leave everything to the readers."""


def part_by_part(book: Book) -> None:
    """Derive the log as if hardly any of it fitted in memory."""
    with mock.patch.object(parts, "PART_EVENTS", 3):
        book.rebuild()


def by_a_cluster(book: Book) -> None:
    """Derive the log as the workers of a cluster do."""
    with mock.patch.object(parts, "PART_EVENTS", 5):
        book.rebuild_in_buckets(map, buckets=3)


PATHS = (unfolded, Book.fold, part_by_part, by_a_cluster)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=STREAMS)
@given(seed=SEEDS, events=st.integers(5, 40))
def test_stock_trades_match_as_the_reference_says(method, seed, events):
    assert_agreement(Gen(seed, events, "plain", weights=STOCKS).run(), method)


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=STREAMS)
@given(seed=SEEDS, events=st.integers(5, 40))
def test_options_and_what_they_deliver_match_as_the_reference_says(method, seed, events):
    assert_agreement(Gen(seed, events, "full", weights=OPTIONS).run(), method)


@pytest.mark.parametrize("method", METHODS)
@given(scenario=streams())
def test_streams_full_of_refusals_and_ties_match_as_the_reference_says(method, scenario):
    assert_agreement(scenario, method)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_a_book_answers_as_the_reference_says_whatever_happens(batch):
    """Streams of every kind of event; every third has some that are refused, and three pasts to be asked for.

    The derived tables come about in each of the ways that there are: not at all, by a fold, part by part, by a cluster;
    and rows come into every table as statements, or as files that a commit takes in.
    """
    wrong = {}
    for seed in range(batch * IN_A_BATCH, (batch + 1) * IN_A_BATCH):
        scenario = Gen(seed, 60, "full", 0.0 if seed % 3 else 0.05).run()
        if seed % 3:
            scenario["expected"]["as_of"] = []
        with empty_book() as book, mock.patch.object(bulk, "FILES_FROM", 4 if seed % 5 == 0 else bulk.FILES_FROM):
            fed = feed(book, scenario)
            PATHS[seed % len(PATHS)](book)
            got = whole_answers(book, scenario, *fed)
        if differences := compare(scenario["expected"], got):
            wrong[seed] = differences
    assert wrong == {}


def assert_agreement(scenario: Scenario, method: str) -> None:
    """Run the scenario with one lot method for all accounts and compare the answers."""
    for account in scenario["accounts"].values():
        account["lot_method"] = method
    wanted = compute({**scenario, "expected": {}})
    wanted = {key: value for key, value in wanted.items() if key not in ("groups", "trade_dates")}
    assert compare(wanted, answers(scenario)) == []
