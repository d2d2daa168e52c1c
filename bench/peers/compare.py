"""The answers of a peer against ours, pair by pair of account and contract."""

from pathlib import Path

import polars as pl

from bench.peers.kind import Peer

KEYS = ["account", "contract"]


def compare(peer: Peer, answer: Path, reference: Path) -> str:
    """Compare what a peer has answered with what tradelake has, and say how it went; raises where it must agree."""
    if peer.compared == "nothing":
        return "nothing to compare"
    ours = pl.read_parquet(reference).with_columns(pl.col("gross_cents" if peer.gross else "net_cents").alias("cents"))
    theirs = pl.read_parquet(answer) if answer.exists() else pl.read_csv(answer.with_suffix(".csv"))
    columns = [name for name in ("cents", "quantity") if name in theirs.columns]
    theirs = theirs.select(*KEYS, *(pl.col(name).cast(pl.Int64).alias(f"{name}_theirs") for name in columns))
    both = ours.join(theirs, on=KEYS, how="full", coalesce=True).with_columns(
        pl.col("cents", "quantity", *(f"{name}_theirs" for name in columns)).fill_null(0)
    )
    if peer.compared != "fifo":
        profit = both.filter(pl.col("quantity") == 0) if peer.compared == "flat" else both.clear()
    else:
        profit = both
    said = []
    if "quantity" in columns:
        _all_equal(peer, both, "quantity", 0)
        held = both.filter(pl.col("quantity") != 0).height
        said.append(f"{held:,} open quantities equal")
    if "cents" in columns and profit.height:
        far = _all_equal(peer, profit, "cents", peer.tolerance_cents)
        kind = {"fifo": "profits by FIFO", "flat": "profits of flat pairs"}[peer.compared]
        exact = f"{profit.height:,} {kind} equal to the cent"
        near = f"{profit.height - far:,} of {profit.height:,} {kind} equal to the cent, the rest within rounding"
        said.append(near if far else exact)
    return ", ".join(said)


def _all_equal(peer: Peer, both: pl.DataFrame, name: str, tolerance: int) -> int:
    """Return how many differ within the tolerance; AssertionError where one differs by more."""
    away = (pl.col(name) - pl.col(f"{name}_theirs")).abs()
    wrong = both.filter(away > tolerance)
    if wrong.height:
        raise AssertionError(
            f"{peer.title} differs in {name} of {wrong.height} of {both.height} pairs:\n{wrong.head(5)}"
        )
    return both.filter(away > 0).height
