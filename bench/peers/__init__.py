"""The peers: what a user might take instead, each in an environment of its own, on the same plain fills.

A peer is measured at the size of the run, or at the largest that it can be waited for; tradelake is measured at that
size too, in the same run. Where a peer computes what tradelake computes, the two are compared pair by pair of account
and contract, and a difference is an error of the benchmark and no figure. One that cannot be installed is listed as not
measured, with the reason.
"""

import sys
from collections.abc import Collection
from pathlib import Path

from bench import child, data
from bench.child import Numbers
from bench.peers.compare import compare
from bench.peers.environment import NotInstalled
from bench.peers.kind import Peer
from bench.peers.listed import LISTED

PEERS: dict[str, Peer] = {peer.name: peer for peer in LISTED}


class _Ground:
    """The plain log of a size, and what tradelake makes of it."""

    def __init__(self, folder: Path, rows: int) -> None:
        folder.mkdir(parents=True)
        self.folder, self.log = folder, data.write(folder / "log", rows, plain=True)
        self.day = data.write_day(folder / "day.parquet")
        files = [str(file) for file in self.log.files]
        self.ours = child.run("bench.ours", "reference", str(folder), files, str(self.day))
        _say(rows, "tradelake on plain fills", self.ours["ingest"])


def measure_peers(folder: Path, rows: int, names: Collection[str]) -> dict[str, Numbers]:
    """Measure peers on a log of *rows* plain fills, or of as many as a peer can take."""
    found: dict[str, Numbers] = {}
    grounds: dict[int, _Ground] = {}
    for name in names:
        peer = PEERS[name]
        size = min(rows, peer.largest)
        try:
            peer.prepare()
        except NotInstalled as error:
            found[name] = {"not_measured": str(error)}
            _say(size, f"{name}: not measured", None)
            continue
        if size not in grounds:
            grounds[size] = _Ground(folder / str(size), size)
        found[name] = _measured(peer, grounds[size])
        _say(size, name, found[name].get("seconds"))
    return found


def _measured(peer: Peer, ground: _Ground) -> Numbers:
    place = ground.folder / peer.name
    place.mkdir()
    try:
        found = peer.measure(place, [str(file) for file in ground.log.fills])
    except child.ChildFailed as error:
        return {"not_measured": str(error).strip().splitlines()[-1], "rows": ground.log.rows}
    compared = compare(peer, place / "answer.parquet", ground.folder / "reference.parquet")
    return found | {"rows": ground.log.rows, "compared": compared, "ours": ground.ours}


def _say(rows: int, name: str, seconds: float | None) -> None:
    took = f"{seconds:.2f} s" if seconds is not None else ""
    print(f"{rows:>12,}  {name:<26}{took}", file=sys.stderr, flush=True)
