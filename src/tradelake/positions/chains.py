"""Chains: the campaigns that positions of one account form together, from the first opening to the last close.

Every position from flat to flat belongs to exactly one chain, and so does every match: the chains of an account add up
to its profit. What belongs together follows from the log (`links.py`); people may join, split and name chains
(`overrides.py`). A chain never mixes accounts or currencies. Its id is that of its first position, so it is the
same in whatever order the events arrived.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import polars as pl

from tradelake.errors import Problem
from tradelake.positions.episodes import episodes_of, touches_of
from tradelake.positions.labels import cover_labels, first_legs, label, wheels
from tradelake.positions.links import covers_of, linked, tags_of
from tradelake.positions.overrides import Partition, References, override
from tradelake.positions.rolls import option_fills, rolls_of
from tradelake.tables import CHAIN_POSITIONS, CHAINS
from tradelake.units import MONEY

ROLL_WINDOW = timedelta(minutes=15)
NOTHING = pl.lit(0, dtype=MONEY)


@dataclass(frozen=True, slots=True)
class Chains:
    """Rows of CHAINS and of CHAIN_POSITIONS, and the overrides that refer to nothing."""

    chains: pl.DataFrame
    positions: pl.DataFrame
    problems: tuple[Problem, ...]


def chains_of(
    positions: pl.DataFrame,
    history: pl.DataFrame,
    matches: pl.DataFrame,
    lots: pl.DataFrame,
    events: pl.DataFrame,
    *,
    instruments: pl.DataFrame,
    roll_window: timedelta = ROLL_WINDOW,
) -> Chains:
    """Return the chains of some accounts, both tables in their sort order.

    The frames are rows of `positions`, `position_history`, `matches`, `lots` and `trade_log`, complete for every
    account in them, and the positions with what is unrealized where they have a mark; `events` are those that have an
    effect, each with its corrections, overrides and the corporate actions of all accounts among them. `instruments` has
    the terms of all that is held. Problems: unknown_chain, ambiguous_chain, unknown_trade, other_currency.
    """
    episodes = episodes_of(positions, history, instruments)
    touches = touches_of(episodes, matches, lots, events, instruments)
    tags, covers = tags_of(touches), covers_of(episodes, touches)
    roots = linked(episodes, touches, events, tags=tags, covers=covers, window=roll_window)
    partition = Partition(roots, tags)
    problems = override(partition, References(episodes, touches, events), events)
    firsts = [partition.first(chain) for chain in partition.chain_of]
    marked = positions.select("position_id", "unrealized_pnl")
    chained = (
        episodes.with_columns(pl.Series("chain", firsts, dtype=pl.Int64))
        .join(marked, on="position_id", how="left", maintain_order="left")
        .with_columns(
            pl.col("position_id").first().over("chain", order_by="episode").alias("chain_id"),
            pl.when(pl.col("status") == "OPEN").then("unrealized_pnl").otherwise(NOTHING).alias("unrealized_pnl"),
        )
    )
    facts = touches.join(chained.select("episode", "chain"), on="episode")
    names = {partition.first(chain): name for chain, name in partition.names.items()}
    told: dict[str, dict[int, Any]] = {
        "label": _labels(chained, touches, covers, matches, lots),
        "name": {chain: names.get(chain) for chain in firsts},
        "rolls": rolls_of(*option_fills(facts, ["chain"]), roll_window),
        "assignments": _assignments(facts),
    }
    return Chains(
        chains=_chain_rows(chained, told),
        positions=CHAIN_POSITIONS.conform(chained).sort(*CHAIN_POSITIONS.sort, *CHAIN_POSITIONS.key),
        problems=tuple(problems),
    )


def chains_in_view(rows: pl.DataFrame, view: str) -> pl.DataFrame:
    """Return rows of either table of chains in a view: the economic one has option premium on the option."""
    if view == "tax":
        return rows
    return rows.with_columns(
        pl.col("realized_pnl") + pl.col("realized_premium"),
        pl.col("cost_basis") - pl.col("premium"),
        pl.col("unrealized_pnl") + pl.col("premium"),
    )


def _labels(
    chained: pl.DataFrame, touches: pl.DataFrame, covers: pl.DataFrame, matches: pl.DataFrame, lots: pl.DataFrame
) -> dict[int, str]:
    legs, cover = first_legs(chained, touches, matches, lots), cover_labels(chained, covers)
    turned = wheels(chained, touches, covers)
    return {chain: "wheel" if chain in turned else label(legs[chain], cover.get(chain)) for chain in legs}


def _assignments(facts: pl.DataFrame) -> dict[int, int]:
    """Return how many exercises and assignments closed options of each chain."""
    options = pl.col("kind").is_in(("exercise", "assign")) & ~pl.col("opened") & (pl.col("asset_type") == "OPTION")
    return dict(facts.filter(options).group_by("chain").agg(pl.col("sequence").n_unique()).iter_rows())


def _chain_rows(chained: pl.DataFrame, told: dict[str, dict[int, Any]]) -> pl.DataFrame:
    money = ("realized_pnl", "realized_premium", "cost_basis", "premium")
    option = pl.col("asset_type") == "OPTION"
    credit = pl.col("realized_pnl") + pl.col("realized_premium") - pl.col("cost_basis")
    still_open = (pl.col("status") == "OPEN").any()
    rows = (
        chained.sort("episode")
        .group_by("chain", maintain_order=True)
        .agg(
            *(
                pl.col(name).first()
                for name in ("chain_id", "account_id", "symbol", "currency", "opened_at", "open_date")
            ),
            pl.when(still_open).then(pl.lit("OPEN")).otherwise(pl.lit("CLOSED")).alias("status"),
            pl.when(~still_open).then(pl.col("closed_at").max()).alias("closed_at"),
            pl.len().alias("positions"),
            pl.when(option).then(credit).otherwise(NOTHING).sum().alias("net_credit"),
            *(pl.col(name).sum() for name in money),
            pl.when(pl.col("unrealized_pnl").null_count() == 0)
            .then(pl.col("unrealized_pnl").sum())
            .alias("unrealized_pnl"),
        )
    )
    chains = rows["chain"].to_list()
    return CHAINS.conform(
        rows.with_columns(
            pl.Series("label", [told["label"][chain] for chain in chains], dtype=pl.String),
            pl.Series("name", [told["name"][chain] for chain in chains], dtype=pl.String),
            *(
                pl.Series(name, [told[name].get(chain, 0) for chain in chains], dtype=pl.Int64)
                for name in ("rolls", "assignments")
            ),
        )
    ).sort(*CHAINS.sort, *CHAINS.key)
