"""What a chain is called: by the legs that were opened together first, and by what was written on its stock.

Legs are together where they were opened on one order or at one instant. Rolls do not change a label. Two labels look
at the whole life: a wheel is a put that was assigned and a call written on the stock that came of it; stock that
was bought first is a covered call, a protective put or a collar by the options that came to it later.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from tradelake.tables import HOWS_OF_OPEN_LOTS
from tradelake.units import QUANTITY

CUSTOM = "custom"
LEG_COLUMNS = ("asset_type", "option_type", "symbol", "side", "strike", "expiration", "size")
Leg = Mapping[str, Any]


def first_legs(
    episodes: pl.DataFrame, touches: pl.DataFrame, matches: pl.DataFrame, lots: pl.DataFrame
) -> dict[int, list[Leg]]:
    """Return for every chain the legs that were opened together first, each with the size that was opened then.

    `episodes` have the column `chain`. A leg that no trade opened counts with all that it ever held.
    """
    orders = touches.filter("opened").select("episode", "sequence", "order_id", "broker_order_id")
    named = episodes.join(
        orders, left_on=["episode", "open_sequence"], right_on=["episode", "sequence"], how="left"
    ).sort("episode")
    first = named.group_by("chain", maintain_order=True).agg(
        pl.col("opened_at").first().alias("first_at"),
        pl.col("order_id").first().alias("first_order"),
        pl.col("broker_order_id").first().alias("first_broker_order"),
    )
    legs = named.join(first, on="chain").filter(_with_first("opened_at"))
    fills = (
        touches.filter(pl.col("opened") & (pl.col("kind") == "trade"))
        .join(legs.select("episode", "first_at", "first_order", "first_broker_order"), on="episode")
        .filter(_with_first("executed_at"))
        .join(_closed_by(matches), left_on="sequence", right_on="close_sequence", how="left")
        .with_columns(pl.col("quantity_event") - pl.col("closed").fill_null(pl.lit(0, dtype=QUANTITY)))
        .group_by("episode")
        .agg(pl.col("quantity_event").sum().alias("opened_then"))
    )
    sized = (
        legs.join(fills, on="episode", how="left")
        .join(_ever_held(matches, lots), on="position_id", how="left")
        .with_columns(pl.coalesce("opened_then", "ever_held").alias("size"))
        .sort("episode")
    )
    grouped: dict[int, list[Leg]] = {}
    for row in sized.select("chain", *LEG_COLUMNS).iter_rows(named=True):
        grouped.setdefault(row["chain"], []).append(row)
    return grouped


def _with_first(at: str) -> pl.Expr:
    orders = (pl.col("order_id") == pl.col("first_order")) | (pl.col("broker_order_id") == pl.col("first_broker_order"))
    return (pl.col(at) == pl.col("first_at")) | orders.fill_null(value=False)


def _closed_by(matches: pl.DataFrame) -> pl.DataFrame:
    trades = matches.filter(pl.col("how") == "trade")
    return trades.group_by("close_sequence").agg(pl.col("quantity").sum().alias("closed"))


def _ever_held(matches: pl.DataFrame, lots: pl.DataFrame) -> pl.DataFrame:
    left = matches.filter(~pl.col("how").is_in(HOWS_OF_OPEN_LOTS)).select("position_id", "quantity")
    held = lots.select("position_id", pl.col("quantity").abs())
    return pl.concat([left, held]).group_by("position_id").agg(pl.col("quantity").sum().alias("ever_held"))


def wheels(episodes: pl.DataFrame, touches: pl.DataFrame, covers: pl.DataFrame) -> set[int]:
    """Return the chains with an assigned put and a call written on the stock that it brought."""
    chains = episodes.select("episode", "chain")
    short_put = (pl.col("option_type") == "PUT") & (pl.col("side") == "SHORT") & (pl.col("how") == "assigned")
    puts = touches.filter(short_put).select("sequence", "episode").join(chains, on="episode").drop("episode")
    bought = pl.col("opened") & (pl.col("asset_type") == "STOCK") & (pl.col("side") == "LONG")
    stocks = (
        touches.filter(bought)
        .select("sequence", "executed_at", pl.col("episode").alias("stock"))
        .join(puts, on="sequence")
        .group_by("stock", "chain")
        .agg(pl.col("executed_at").min())
    )
    calls = covers.filter(pl.col("option_type") == "CALL").join(chains, on="episode")
    return set(calls.join(stocks, on=["stock", "chain"]).filter(pl.col("at") >= pl.col("executed_at"))["chain"])


def cover_labels(episodes: pl.DataFrame, covers: pl.DataFrame) -> dict[int, str]:
    """Return what the options that came to the long stock of a chain make of it.

    A put and a call make a collar where one of them was the first to come and the other came while it was open.
    """
    chains = episodes.select("episode", "chain")
    rows = (
        covers.filter(pl.col("side") == "LONG")
        .join(chains, on="episode")
        .join(chains.rename({"episode": "stock", "chain": "stock_chain"}), on="stock")
        .filter(pl.col("chain") == pl.col("stock_chain"))
        .sort("at", "episode")
    )
    first = pl.col("at").first()
    until = pl.col("closed_at").first()
    early = pl.col("option_type").filter((pl.col("at") == first) | until.is_null() | (pl.col("at") < until))
    found = rows.group_by("chain").agg(
        pl.when(early.n_unique() > 1)
        .then(pl.lit("collar"))
        .when((pl.col("option_type") == "CALL").any())
        .then(pl.lit("covered_call"))
        .otherwise(pl.lit("protective_put"))
        .alias("label")
    )
    return dict(found.iter_rows())


def label(legs: Sequence[Leg], cover: str | None) -> str:
    """Return the label of a chain that is no wheel, by its first legs and what came to its stock later."""
    if len({leg["symbol"] for leg in legs}) > 1:
        return CUSTOM
    if len(legs) > 1:
        return _of_legs(legs)
    leg = legs[0]
    if leg["asset_type"] == "STOCK":
        stock = f"{leg['side'].lower()}_stock"
        return cover or stock
    if leg["asset_type"] != "OPTION":
        return CUSTOM
    return "covered_call" if cover in ("covered_call", "collar") else f"{leg['side']}_{leg['option_type']}".lower()


def _of_legs(legs: Sequence[Leg]) -> str:
    options = sorted(
        (leg for leg in legs if leg["asset_type"] == "OPTION"),
        key=lambda leg: (leg["option_type"] == "CALL", leg["strike"], leg["expiration"]),
    )
    if len(options) == len(legs):
        return {2: _of_two, 3: _of_three, 4: _of_four}.get(len(legs), _of_many)(options)
    others = [leg for leg in legs if leg["asset_type"] != "OPTION"]
    if len(others) > 1 or others[0]["asset_type"] != "STOCK" or others[0]["side"] != "LONG":
        return CUSTOM
    written = {(leg["option_type"], leg["side"]) for leg in options}
    covered = {
        frozenset({("CALL", "SHORT")}): "covered_call",
        frozenset({("PUT", "LONG")}): "protective_put",
        frozenset({("CALL", "SHORT"), ("PUT", "LONG")}): "collar",
    }
    return covered.get(frozenset(written), CUSTOM)


def _of_two(legs: Sequence[Leg]) -> str:
    one, other = legs
    same_strike, same_day = one["strike"] == other["strike"], one["expiration"] == other["expiration"]
    same_size, same_side = one["size"] == other["size"], one["side"] == other["side"]
    if one["option_type"] != other["option_type"]:
        pair = same_side and same_size and same_day
        return CUSTOM if not pair else "straddle" if same_strike else "strangle"
    if same_side or (same_strike and same_day):
        return CUSTOM
    if not same_size:
        return "ratio_spread" if same_day else CUSTOM
    return "vertical" if same_day else "calendar" if same_strike else "diagonal"


def _of_three(legs: Sequence[Leg]) -> str:
    low, middle, high = legs
    one_right = len({(leg["option_type"], leg["expiration"]) for leg in legs}) == 1
    apart = low["strike"] < middle["strike"] < high["strike"]
    wings = low["size"] == high["size"] and middle["size"] == low["size"] + high["size"]
    sides = low["side"] == high["side"] != middle["side"]
    return "butterfly" if one_right and apart and wings and sides else CUSTOM


def _of_four(legs: Sequence[Leg]) -> str:
    first, second, third, last = legs
    even = len({(leg["size"], leg["expiration"]) for leg in legs}) == 1
    sides = first["side"] == last["side"] != second["side"] == third["side"]
    if not even or not sides or first["strike"] >= second["strike"] or third["strike"] >= last["strike"]:
        return CUSTOM
    rights = [leg["option_type"] for leg in legs]
    if len(set(rights)) == 1:
        return "condor" if second["strike"] < third["strike"] else CUSTOM
    if rights != ["PUT", "PUT", "CALL", "CALL"] or second["strike"] > third["strike"]:
        return CUSTOM
    return "iron_butterfly" if second["strike"] == third["strike"] else "iron_condor"


def _of_many(_legs: Sequence[Leg]) -> str:
    return CUSTOM
