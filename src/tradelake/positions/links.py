"""The automatic links between positions, which make chains of them.

Within one account and currency, positions belong together where

1. events of one order, ours or the broker's, opened or closed lots of them, or options of one underlying were
   opened at one instant, as the legs of a spread are;
2. events with one tag `chain:NAME` did, and NAME is then the name of the chain;
3. an option was rolled from one to the other (`rolls.py`);
4. an option was exercised or assigned, and its stock opened or closed; a right was subscribed;
5. an option was written or bought to go with stock that was open: covered calls, collars, the wheel;
6. a corporate action turned one into the other, or a part of it.

Transfers link nothing: what was moved is another position in another account.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta

import polars as pl

from tradelake.positions.episodes import EXERCISES
from tradelake.positions.rolls import option_fills, roll_links
from tradelake.tables import CORPORATE_KINDS

TAG = "chain:"
BOOK = ["account_id", "currency"]
Pair = tuple[int, int]


class Union:
    """Disjoint sets of the numbers below a count; the smallest of a set stands for it."""

    def __init__(self, count: int) -> None:
        self._parents = list(range(count))

    def root(self, number: int) -> int:
        """Return the number that stands for the set of *number*."""
        while self._parents[number] != number:
            self._parents[number] = self._parents[self._parents[number]]
            number = self._parents[number]
        return number

    def join(self, pairs: Iterable[Pair]) -> None:
        """Make one set of the two sets of every pair."""
        for one, other in pairs:
            first, second = sorted((self.root(one), self.root(other)))
            self._parents[second] = first


def linked(
    episodes: pl.DataFrame,
    touches: pl.DataFrame,
    events: pl.DataFrame,
    *,
    tags: pl.DataFrame,
    covers: pl.DataFrame,
    window: timedelta,
) -> list[int]:
    """Return, for every episode in order of its number, the first episode of its chain."""
    union = Union(episodes.height)
    for name in ("order_id", "broker_order_id"):
        union.join(_together(touches, [*BOOK, name]))
    legs = (pl.col("kind") == "trade") & pl.col("opened") & (pl.col("asset_type") == "OPTION")
    union.join(_together(touches.filter(legs), [*BOOK, "symbol", "executed_at"]))
    union.join(_together(tags, [*BOOK, "name"]))
    union.join(roll_links(*option_fills(touches, BOOK), window))
    union.join(_together(touches.filter(pl.col("kind").is_in(EXERCISES)), [*BOOK, "sequence"]))
    union.join(covers.select("episode", "stock").unique().iter_rows())
    union.join(_together(_changed(episodes, events), [*BOOK, "sequence"]))
    return [union.root(number) for number in range(episodes.height)]


def tags_of(touches: pl.DataFrame) -> pl.DataFrame:
    """Return the chain names in the tags of events, one row per episode and name, the earliest event first.

    Columns: episode, account_id, currency, name.
    """
    tagged = touches.filter(pl.col("details").str.contains(f'"{TAG}', literal=True))
    rows = [
        (episode, account, currency, tag.removeprefix(TAG))
        for episode, account, currency, details in tagged.sort("executed_at", "trade_id", "leg_id", "episode")
        .select("episode", *BOOK, "details")
        .iter_rows()
        for tag in json.loads(details).get("tags", ())
        if tag.startswith(TAG) and tag != TAG
    ]
    schema = {"episode": pl.Int64, "account_id": pl.String, "currency": pl.String, "name": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def covers_of(episodes: pl.DataFrame, touches: pl.DataFrame) -> pl.DataFrame:
    """Return openings of options that go with open stock of their symbol, in order of time.

    Short calls and long puts go with long stock, short puts and long calls with short stock. Columns: episode and
    stock (numbers), option_type, side (of the stock), at (of the opening), closed_at (of the option).
    """
    options = episodes.filter(pl.col("asset_type") == "OPTION")
    with_long = (pl.col("option_type") == "CALL") == (pl.col("side") == "SHORT")
    columns = ["episode", *BOOK, "symbol", "option_type", "closed_at", "with", "at"]
    stock_side = pl.when(with_long).then(pl.lit("LONG")).otherwise(pl.lit("SHORT")).alias("with")
    opened = touches.filter(pl.col("opened") & (pl.col("kind") == "trade") & (pl.col("asset_type") == "OPTION"))
    openings = pl.concat(
        [
            options.with_columns(stock_side, pl.col("opened_at").alias("at")).select(columns),
            opened.with_columns(stock_side, pl.col("executed_at").alias("at")).select(columns),
        ]
    )
    stocks = episodes.filter(pl.col("asset_type") == "STOCK").select(
        *BOOK,
        "symbol",
        pl.col("side").alias("with"),
        pl.col("opened_at").alias("since"),
        pl.col("closed_at").alias("until"),
        pl.col("episode").alias("stock"),
    )
    return (
        openings.unique()
        .sort("at", "episode")
        .join_asof(
            stocks.sort("since", "stock"),
            left_on="at",
            right_on="since",
            by=[*BOOK, "symbol", "with"],
            check_sortedness=False,
        )
        .filter(pl.col("stock").is_not_null() & (pl.col("until").is_null() | (pl.col("until") > pl.col("at"))))
        .select("episode", "stock", "option_type", pl.col("with").alias("side"), "at", "closed_at")
    )


def _together(rows: pl.DataFrame, keys: list[str]) -> Iterator[Pair]:
    """Yield pairs that link the episodes of all rows with the same keys; a key that is null links nothing."""
    groups = rows.drop_nulls(keys).group_by(keys).agg(pl.col("episode").unique())
    for members in groups.filter(pl.col("episode").list.len() > 1)["episode"].to_list():
        yield from ((members[0], other) for other in members[1:])


def _changed(episodes: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    """Return the episodes that a corporate action ended or began, and those that it moved lots between.

    Lots that arrive where the new instrument is held already begin no episode, and a spin-off ends none: there it
    tells that both were open at the time, on the same side.
    """
    actions = events.filter(pl.col("kind").is_in(CORPORATE_KINDS) & pl.col("new_instrument_id").is_not_null())
    actions = actions.select("sequence", "instrument_id", "new_instrument_id", "executed_at")
    by_sequence = actions.select("sequence")
    ended, began = (
        episodes.select("episode", *BOOK, pl.col(column).alias("sequence")).join(by_sequence, on="sequence")
        for column in ("close_sequence", "open_sequence")
    )
    spans = episodes.select(
        "episode", *BOOK, "instrument_id", "side", "opened_at", "closed_at", "open_sequence", "close_sequence"
    )
    at = pl.col("executed_at")
    open_then = (pl.col("opened_at") <= at) & (pl.col("closed_at").is_null() | (pl.col("closed_at") >= at))
    sources = actions.join(spans, on="instrument_id").filter(open_then)
    targets = actions.join(spans, left_on="new_instrument_id", right_on="instrument_id").filter(open_then)
    keys = ["sequence", *BOOK, "side"]
    names = ["episode", *BOOK, "sequence"]
    return pl.concat(
        [
            ended.select(names),
            began.select(names),
            sources.join(targets, on=keys, how="semi").select(names),
            targets.join(sources, on=keys, how="semi").select(names),
        ]
    )
