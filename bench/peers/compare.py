"""The answers of a peer against ours, pair by pair of account and contract."""

from pathlib import Path

import polars as pl

from bench.peers.kind import Peer

KEYS = ["account", "contract"]
ANSWERS = ("cents", "quantity", "within")
PROFITS = {"fifo": "profits by FIFO", "flat": "profits of flat pairs"}


def compare(peer: Peer, answer: Path, reference: Path) -> str:
    """Compare what a peer has answered with what tradelake has, and say how it went; raises where it must agree."""
    if peer.compared == "nothing":
        return "nothing to compare"
    ours = pl.read_parquet(reference).with_columns(pl.col("gross_cents" if peer.gross else "net_cents").alias("cents"))
    theirs = pl.read_parquet(answer) if answer.exists() else pl.read_csv(answer.with_suffix(".csv"))
    columns = [name for name in ANSWERS if name in theirs.columns]
    theirs = theirs.select(*KEYS, *(pl.col(name).cast(pl.Int64).alias(f"{name}_theirs") for name in columns))
    both = ours.join(theirs, on=KEYS, how="full", coalesce=True).with_columns(
        pl.col("cents", "quantity", *(f"{name}_theirs" for name in columns)).fill_null(0)
    )
    said = []
    if "quantity" in columns:
        _differences(peer, both, "quantity", pl.lit(0))
        said.append(f"{both.filter(pl.col('quantity') != 0).height:,} open quantities equal")
    if "cents" in columns and peer.compared in PROFITS:
        pairs = both.filter(pl.col("quantity") == 0) if peer.compared == "flat" else both
        within = pl.col("within_theirs") if "within" in columns else pl.lit(0)
        said.append(_agreement(PROFITS[peer.compared], pairs.height, _differences(peer, pairs, "cents", within)))
    elif peer.compared in PROFITS:
        raise AssertionError(f"{peer.title} has answered no profit that could be compared")
    return ", ".join(said)


def _agreement(what: str, count: int, rounded: pl.Series) -> str:
    if rounded.is_empty():
        return f"{count:,} {what} equal to the cent"
    equal = f"{count - rounded.len():,} of {count:,} {what} equal to the cent"
    return f"{equal}, the rest but for its rounding, which comes to {rounded.max()} cents at most"


def _differences(peer: Peer, both: pl.DataFrame, name: str, within: pl.Expr) -> pl.Series:
    """Return the differences that rounding explains; AssertionError where there are no pairs, or others."""
    away = (pl.col(name) - pl.col(f"{name}_theirs")).abs()
    wrong = both.filter(away > within)
    if wrong.height or not both.height:
        raise AssertionError(
            f"{peer.title} differs in {name} of {wrong.height} of {both.height} pairs:\n{wrong.head()}"
        )
    return both.filter(away > 0).select(away).to_series()
