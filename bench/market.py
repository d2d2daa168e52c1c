"""A market for the benchmarks: sessions, tickers, prices that walk at random, and options on real expiry calendars."""

from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise

import numpy as np
import polars as pl

from tradelake.sessions import sessions_between

FIRST, LAST = date(2022, 1, 3), date(2025, 12, 31)
SEED = 20_260_105
TICKERS, BOOKS = 120, 100
FRIDAY = 4
CONSONANTS, VOWELS = "BCDFGHKLMNPRSTVXZ", "AEIOU"
Numbers = np.ndarray


class Market:
    """Prices of all tickers at the close of each session, in cents, and where contracts expire."""

    @cached_property
    def sessions(self) -> list[date]:
        """The sessions of New York, and some weeks more, in which the last options end."""
        return sessions_between(FIRST, LAST + timedelta(days=90))

    @cached_property
    def months(self) -> list[tuple[int, int]]:
        """The first session of each month and that after its last, as places in `sessions`."""
        starts = [
            place
            for place, day in enumerate(self.sessions)
            if place == 0 or day.month != self.sessions[place - 1].month
        ]
        spans = pairwise(starts)
        return [(first, end) for first, end in spans if self.sessions[first] <= LAST]

    @cached_property
    def tickers(self) -> list[str]:
        """Names of three or four letters, the busiest first."""
        made = np.random.default_rng(SEED + 1)
        found: dict[str, None] = {}
        while len(found) < TICKERS:
            first, second, third = (CONSONANTS[made.integers(len(CONSONANTS))] for _ in range(3))
            found[first + VOWELS[made.integers(len(VOWELS))] + second + (third if made.random() < 0.5 else "")] = None
        return list(found)

    @cached_property
    def accounts(self) -> list[str]:
        """The accounts, the busiest first."""
        return [f"ACC-{number:03}" for number in range(BOOKS)]

    @cached_property
    def closes(self) -> Numbers:
        """Cents by ticker and session: a geometric walk with some 30 % a year, never below three dollars."""
        made = np.random.default_rng(SEED + 2)
        first = made.lognormal(np.log(9_000), 0.8, TICKERS)
        steps = made.normal(0.0003, 0.019, (TICKERS, len(self.sessions)))
        walked = first[:, None] * np.exp(np.cumsum(steps, axis=1))
        return np.maximum(walked, 300).astype(np.int64)

    @cached_property
    def expiries(self) -> Numbers:
        """The sessions on which options end: each Friday, or the last session before it where it is a holiday."""
        weeks = {day + timedelta(days=FRIDAY - day.weekday()) for day in self.sessions}
        days = np.array(self.sessions, dtype="datetime64[D]")
        ends = np.searchsorted(days, np.array(sorted(weeks), dtype="datetime64[D]"), side="right") - 1
        return np.unique(ends)

    @cached_property
    def monthlies(self) -> Numbers:
        """Those of them that belong to the third Friday of a month."""
        third = [15 <= (self.sessions[end].day + FRIDAY - self.sessions[end].weekday()) <= 21 for end in self.expiries]
        return self.expiries[third]

    def expiry_after(self, session: Numbers, weeks: Numbers, *, monthly: Numbers) -> Numbers:
        """Return an expiry for each session: so many weeks on, or the first monthly one after that."""
        place = np.searchsorted(self.expiries, session, side="right") + weeks
        weekly = self.expiries[np.minimum(place, len(self.expiries) - 1)]
        next_monthly = np.searchsorted(self.monthlies, weekly, side="left")
        return np.where(monthly, self.monthlies[np.minimum(next_monthly, len(self.monthlies) - 1)], weekly)

    def premium(self, ticker: Numbers, session: Numbers, contract: tuple[Numbers, Numbers, Numbers]) -> Numbers:
        """Return a price of options in cents: what they are worth now, and something for the time that is left."""
        strike, call, expiry = contract
        spot = self.closes[ticker, session]
        inside = np.maximum(np.where(call, spot - strike, strike - spot), 0)
        left = np.sqrt(np.maximum(expiry - session, 0) / 21)
        away = np.exp(-12 * np.abs(spot - strike) / spot)
        return np.maximum(inside + (0.05 * spot * left * away).astype(np.int64), 1)


def strikes_near(spot: Numbers, away: Numbers) -> Numbers:
    """Return strikes in cents on the grid of the exchanges, *away* parts of the price from it."""
    grid = np.where(spot < 2_500, 50, np.where(spot < 20_000, 250, 500))
    return np.maximum(np.rint(spot * (1 + away) / grid).astype(np.int64), 1) * grid


def skewed(made: np.random.Generator, count: int, size: int, exponent: float) -> Numbers:
    """Draw *count* of *size* places, the first ones much more often: Zipf's law, cut off."""
    weight = 1 / np.arange(1, size + 1) ** exponent
    return np.searchsorted(np.cumsum(weight) / weight.sum(), made.random(count)).astype(np.int64)


def instants(market: Market, session: str, second: str) -> pl.Expr:
    """Return instants in UTC of columns: the place of a session, and the second of its day in New York."""
    days = pl.Series([datetime(day.year, day.month, day.day) for day in market.sessions])  # noqa: DTZ001  wall time
    wall = pl.lit(days).gather(pl.col(session)).cast(pl.Datetime("us")) + pl.duration(seconds=pl.col(second))
    return wall.dt.replace_time_zone("America/New_York").dt.convert_time_zone("UTC")
